/* anogan info: the layers and the calibration of a model, or what is in a data set. */
#include "cli/cli.h"
#include "cli/inventory.h"
#include "cli/output.h"
#include "cli/run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const cli_command command = {
    .verb = CLI_VERB_INFO,
    .arguments = "MODEL|RUN|DATA",
    .doc = "Shows the networks of a model file or a run folder, layer by layer, with its "
           "calibration; or what a data set is and how many images of which class and size it "
           "holds: a "
           "folder, a CSV manifest or an image.",
    .takes_run = true,
};

static const char *const fit_names[] = {
    [ANO_FIT_RESIZE] = "resize", [ANO_FIT_CROP] = "crop", [ANO_FIT_PAD] = "pad"};

/* ---- models -------------------------------------------------------------------------------- */

/* "28 x 28 x 1", or "6272" for a vector. */
static void write_shape(char *dst, size_t size, ano_shape shape)
{
    if (shape.height == 1 && shape.width == 1)
        snprintf(dst, size, "%d", shape.channels);
    else
        snprintf(dst, size, "%d x %d x %d", shape.height, shape.width, shape.channels);
}

static void print_network(const ano_model *model, ano_network network)
{
    size_t n_parameters = 0, n_trainable = 0;
    if (ano_model_layer_count(model, network) == 0)
        return; /* not of the method, or a file in weights/, which holds one */
    printf("%-20s %-30s %15s %12s\n", ano_network_name(network), "kind", "output", "parameters");
    for (int i = 0; i < ano_model_layer_count(model, network); i++) {
        const ano_layer_info layer = ano_model_layer(model, network, i);
        char shape[64];
        write_shape(shape, sizeof shape, layer.dst);
        printf("  %-18s %-30s %15s %12zu\n", layer.name, layer.kind, shape, layer.n_parameters);
        n_parameters += layer.n_parameters;
        n_trainable += layer.n_trainable;
    }
    printf("%zu parameters, %zu trainable, %zu not\n\n", n_parameters, n_trainable,
           n_parameters - n_trainable);
}

/* "top:0.02 of the map; 1 search by lbfgs …" */
static void print_how(const ano_score_options *how)
{
    const cli_pool_text pool = cli_options_pool(how);
    switch (how->method) {
    case ANO_METHOD_FC:
    case ANO_METHOD_LATENT:
    case ANO_METHOD_HYBRID:
        printf("(%s of the map; %d search%s by %s of %d iterations, tolerance %g)\n", pool.text,
               how->restarts, how->restarts == 1 ? "" : "es", ano_search_name(how->search),
               how->iterations, how->tolerance);
        break;
    case ANO_METHOD_PATCH:
    case ANO_METHOD_ENCODER:
        printf("(%s of the map)\n", pool.text);
        break;
    case ANO_METHOD_VAE:
        printf("(%s of the map; %s of %d sample%s)\n", pool.text, ano_evidence_name(how->evidence),
               how->samples, how->samples == 1 ? "" : "s");
        break;
    case ANO_METHOD_OF_MODEL: /* calibrations say theirs */
        break;
    }
}

/* "remembers 4700 images by histograms, vectors of 648 numbers" for each kind of memory, "remembers
 * images by transforms, a network of 36788 parameters" for what is one. */
static void print_memory(const ano_model *model)
{
    bool remembers = false;
    for (int i = 0; i < ANO_MEMORIES; i++) {
        const ano_memory_info memory = ano_model_get_memory(model, (ano_memory)i);
        if (i == ANO_MEMORY_TRANSFORMS && memory.n > 0)
            printf("remembers images by %s, a network of %zu parameters\n",
                   ano_memory_name((ano_memory)i), memory.length);
        else if (memory.n > 0)
            printf("remembers %zu images by %s, vectors of %zu numbers\n", memory.n,
                   ano_memory_name((ano_memory)i), memory.length);
        remembers = remembers || memory.n > 0;
    }
    if (remembers)
        putchar('\n');
}

static json_t *memory_as_json(const ano_model *model)
{
    json_t *object = json_object();
    for (int i = 0; i < ANO_MEMORIES; i++) {
        const ano_memory_info memory = ano_model_get_memory(model, (ano_memory)i);
        const json_int_t n = (json_int_t)memory.n, length = (json_int_t)memory.length;
        if (memory.n > 0)
            json_object_set_new(object, ano_memory_name((ano_memory)i),
                                i == ANO_MEMORY_TRANSFORMS
                                    ? json_pack("{sI}", "parameters", length)
                                    : json_pack("{sI sI}", "images", n, "length", length));
    }
    return object;
}

/* What the networks are shown. */
static void print_view(const ano_view *view)
{
    if (view->stride > 0)
        printf("tiles, %d pixels apart, of images at scale %g\n\n", view->stride, view->scale);
    else
        printf("whole images, fitted by %s\n\n", fit_names[view->fit]);
}

static void print_model(const ano_model *model)
{
    const ano_model_config config = ano_model_get_config(model);
    const ano_calibration calibration = ano_model_get_calibration(model);
    const ano_view view = ano_model_get_view(model);
    printf("method %s, images %d x %d x %d, ", ano_method_name(config.method), config.size,
           config.size, config.channels);
    if (config.method != ANO_METHOD_PATCH)
        printf("latent vector of %d, %s, ", config.latent, ano_prior_name(config.prior));
    printf("base width %d\n", config.base_width);
    if (ano_model_get_sigma(model) > 0)
        printf("pixels about their reconstruction: sigma %.4g\n", ano_model_get_sigma(model));
    print_view(&view);
    for (int i = 0; i < ANO_NETWORKS; i++)
        print_network(model, (ano_network)i);
    print_memory(model);
    if (calibration.n == 0) {
        puts("not calibrated: no threshold");
        return;
    }
    printf(
        "calibrated with %zu held-out images, for an alpha of %.2g or more; their scores are from "
        "%.6g to %.6g\n",
        calibration.n, ano_smallest_alpha(calibration.n), (double)calibration.scores[0],
        (double)calibration.scores[calibration.n - 1]);
    if (calibration.how.method != config.method)
        printf("by method %s ", ano_method_name(calibration.how.method));
    print_how(&calibration.how);
}

static json_t *network_as_json(const ano_model *model, ano_network network)
{
    size_t n_parameters = 0, n_trainable = 0;
    json_t *layers = json_array();
    for (int i = 0; i < ano_model_layer_count(model, network); i++) {
        const ano_layer_info layer = ano_model_layer(model, network, i);
        json_array_append_new(layers, json_pack("{ss ss s[iii] sI sI}", "name", layer.name, "kind",
                                                layer.kind, "shape", layer.dst.height,
                                                layer.dst.width, layer.dst.channels, "parameters",
                                                (json_int_t)layer.n_parameters, "trainable",
                                                (json_int_t)layer.n_trainable));
        n_parameters += layer.n_parameters;
        n_trainable += layer.n_trainable;
    }
    return json_pack("{so sI sI}", "layers", layers, "parameters", (json_int_t)n_parameters,
                     "trainable", (json_int_t)n_trainable);
}

static json_t *model_as_json(const ano_model *model)
{
    const ano_model_config config = ano_model_get_config(model);
    const ano_calibration calibration = ano_model_get_calibration(model);
    const ano_view view = ano_model_get_view(model);
    const cli_pool_text pool = cli_options_pool(&calibration.how);
    json_t *calibrated =
        calibration.n == 0
            ? json_null()
            : json_pack(
                  "{sI sf sf sf si si sf ss ss si ss}", "images", (json_int_t)calibration.n,
                  "lowest", (double)calibration.scores[0], "highest",
                  (double)calibration.scores[calibration.n - 1], "smallest_alpha",
                  ano_smallest_alpha(calibration.n), "iterations", calibration.how.iterations,
                  "restarts", calibration.how.restarts, "tolerance", calibration.how.tolerance,
                  "search", ano_search_name(calibration.how.search), "pool", pool.text, "samples",
                  calibration.how.samples, "evidence", ano_evidence_name(calibration.how.evidence));
    json_t *root = json_pack(
        "{s{ss si si si si ss si sf} so so}", "config", "method", ano_method_name(config.method),
        "size", config.size, "channels", config.channels, "latent", config.latent, "base_width",
        config.base_width, "fit", fit_names[view.fit], "stride", view.stride, "scale", view.scale,
        "memory", memory_as_json(model), "calibration", calibrated);
    if (root != NULL && config.method != ANO_METHOD_PATCH &&
        json_object_set_new(json_object_get(root, "config"), "prior",
                            json_string(ano_prior_name(config.prior))) != 0) {
        json_decref(root);
        root = NULL;
    }
    for (int i = 0; i < ANO_NETWORKS && root != NULL; i++)
        if (ano_model_layer_count(model, (ano_network)i) > 0 &&
            json_object_set_new(root, ano_network_name((ano_network)i),
                                network_as_json(model, (ano_network)i)) != 0) {
            json_decref(root);
            root = NULL;
        }
    return root;
}

/* ---- the verb ------------------------------------------------------------------------------ */

static int print_as_json(const json_t *value)
{
    ano_error err = ANO_ERROR_INIT;
    return cli_output_json(value, JSON_INDENT(2), &err) == ANO_OK ? CLI_DONE
                                                                  : cli_fail(CLI_ON_RUN, &err);
}

static int info_of_data(const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT, first_unreadable = ANO_ERROR_INIT;
    json_t *inventory;
    int code = cli_inventory(&inventory, &first_unreadable, options, &err) == ANO_OK
                   ? CLI_DONE
                   : cli_fail(CLI_ON_DATA, &err);
    if (code == CLI_DONE && options->json)
        code = print_as_json(inventory);
    else if (code == CLI_DONE)
        cli_inventory_print(inventory, &first_unreadable);
    json_decref(inventory);
    return code;
}

static int info_of_model(cli_options *options, int argc, char **argv)
{
    cli_run run;
    int code = cli_run_open(&run, options, &command, argc, argv);
    if (code == CLI_DONE && options->json) {
        json_t *model = model_as_json(run.model);
        code = print_as_json(model);
        json_decref(model);
    } else if (code == CLI_DONE) {
        print_model(run.model);
    }
    cli_run_close(&run);
    return code;
}

int cli_info(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_options_parse(&options, &command, argc, argv);
    const char *path = options.run;
    int code;
    if (access(path, F_OK) != 0)
        code = cli_refuse(CLI_BAD_DATA, "%s: there is no such file or folder", path);
    else if (cli_exists(path, "model.safetensors") || cli_exists(path, "config.json"))
        code = info_of_model(&options, argc, argv);
    else if (cli_is_folder(path) || cli_is_dataset(path))
        code = info_of_data(&options);
    else
        code = info_of_model(&options, argc, argv);
    cli_options_free(&options);
    return code;
}
