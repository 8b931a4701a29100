/* Scenes that make models: by creating, saving and loading, and by training with each method. */
#include "refusals.h"
#include "scenes.h"

/* Makes a model, writes it over the file that is there, and reads and uses that. */
ano_status scene_model_file(outcome *out, ano_error *err)
{
    ano_model *made = NULL, *loaded = NULL;
    const ano_model_config config = config_of(ANO_METHOD_FC);
    float image[SIZE * SIZE];
    static const float scores[] = {3, 1, 2};
    const ano_calibration calibration = {
        .scores = scores, .n = 3, .how = scoring(ANO_METHOD_LATENT)};
    ano_status status = ano_model_create(&made, &config, 4, err);
    if (status == ANO_OK)
        status = ano_model_set_calibration(made, &calibration, err);
    if (status == ANO_OK)
        status = ano_model_save(made, at("kept.safetensors"), err);
    if (status == ANO_OK)
        status = ano_model_load(&loaded, at("kept.safetensors"), err);
    if (status == ANO_OK)
        status = ano_model_generate(image, loaded, (float[]){0, 1, 0.5, -1}, 1, 1, err);
    if (status == ANO_OK)
        add(out, image, sizeof image);
    ano_model_free(made);
    ano_model_free(loaded);
    refusals_end();
    add_file(out, at("kept.safetensors"));
    return status;
}

static int on_event(const ano_train_event *event, void *cookie)
{
    if (event->skipped != NULL)
        add_lost(cookie, event->skipped);
    return 0;
}

/* Trains in a folder where another run was, and goes on from there if that fails. */
static ano_status train(outcome *out, const ano_dataset *dataset, ano_method method, size_t cache,
                        ano_error *err)
{
    const char *run = at("run");
    const ano_model_config config = config_of(method);
    ano_train_options options = training(run);
    options.cache = cache;
    options.callback = on_event;
    options.cookie = out;
    remove_folder(run);
    ano_model *model;
    const ano_status status = ano_train(&model, dataset, &config, &options, err);
    ano_model_free(model);
    refusals_end();
    check_files(run);
    if (status != ANO_OK) {
        options.resume = true;
        CHECK(ano_train(&model, dataset, &config, &options, &why));
        ano_model_free(model);
    }
    add_file(out, at("run/model.safetensors"));
    return status;
}

ano_status scene_train_fc(outcome *out, ano_error *err)
{
    return train(out, stage.normal, ANO_METHOD_FC, 1 << 20, err);
}

ano_status scene_train_vae(outcome *out, ano_error *err)
{
    return train(out, stage.normal, ANO_METHOD_VAE, 1 << 20, err);
}

ano_status scene_train_encoder(outcome *out, ano_error *err)
{
    return train(out, stage.normal, ANO_METHOD_ENCODER, 1 << 20, err);
}

ano_status scene_train_patch(outcome *out, ano_error *err)
{
    return train(out, stage.tiled, ANO_METHOD_PATCH, 1 << 20, err);
}

/* Of files, most of which are decoded again in each epoch. */
ano_status scene_train_files(outcome *out, ano_error *err)
{
    ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    options.view.size = SIZE;
    ano_dataset *dataset;
    ano_status status = ano_dataset_open(&dataset, at("tree"), &options, err);
    if (status == ANO_OK)
        status = train(out, dataset, ANO_METHOD_FC, 400, err);
    ano_dataset_free(dataset);
    return status;
}
