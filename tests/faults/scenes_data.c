/* Scenes of data sets: each kind is opened, and all that can be asked of it is. */
#include "scenes.h"

#include <string.h>

/* Everything of a data set that can be asked for. */
static ano_status look_at(outcome *out, const ano_dataset *dataset, ano_error *err)
{
    const size_t n = ano_dataset_count(dataset);
    const ano_shape seen = ano_dataset_shape(dataset);
    const int kind = (int)ano_dataset_get_kind(dataset);
    static float image[64 * 64 * 3], map[64 * 64];
    static uint8_t mask[64 * 64];
    add(out, &kind, sizeof kind);
    add(out, &n, sizeof n);
    add(out, &seen, sizeof seen);
    ano_status status = ANO_OK;
    for (size_t i = 0; i < n && status == ANO_OK; i++) {
        ano_shape whole = {0, 0, 0};
        add(out, ano_dataset_class(dataset, i), strlen(ano_dataset_class(dataset, i)));
        status = ano_dataset_original(&whole, dataset, i, err);
        if (status == ANO_OK)
            status = ano_dataset_read_mask(mask, dataset, i, err);
        if (status == ANO_OK)
            status = ano_dataset_read(image, dataset, &i, 1, err);
        if (status == ANO_OK)
            status = ano_dataset_unfit_map(map, dataset, i, image,
                                           (ano_shape){seen.height, seen.width, 1}, err);
        if (status != ANO_OK)
            break;
        const size_t n_pixels = (size_t)whole.height * (size_t)whole.width;
        add(out, mask, n_pixels);
        add(out, map, n_pixels * sizeof *map);
        add(out, image, (size_t)(seen.height * seen.width * seen.channels) * sizeof *image);
    }
    return status;
}

static ano_status open_and_look(outcome *out, const char *name, ano_split split, ano_view view,
                                ano_error *err)
{
    ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    options.split = split;
    options.anomaly = "*";
    options.view = view;
    ano_dataset *dataset;
    ano_status status = ano_dataset_open(&dataset, at(name), &options, err);
    if (status == ANO_OK)
        status = look_at(out, dataset, err);
    ano_dataset_free(dataset);
    return status;
}

ano_status scene_idx(outcome *out, ano_error *err)
{
    return open_and_look(out, "idx", ANO_SPLIT_TRAIN, (ano_view){.size = 6}, err);
}

ano_status scene_tree(outcome *out, ano_error *err)
{
    const ano_view view = {.size = SIZE, .fit = ANO_FIT_CROP};
    const ano_status status = open_and_look(out, "tree", ANO_SPLIT_TEST, view, err);
    return status == ANO_OK ? open_and_look(out, "tree", ANO_SPLIT_TRAIN, view, err) : status;
}

ano_status scene_manifest(outcome *out, ano_error *err)
{
    return open_and_look(out, "manifest.csv", ANO_SPLIT_TEST, (ano_view){.size = SIZE}, err);
}

ano_status scene_folder(outcome *out, ano_error *err)
{
    const ano_view gray = {.size = SIZE, .channels = 1, .fit = ANO_FIT_PAD};
    const ano_status status = open_and_look(out, "images", ANO_SPLIT_TEST, gray, err);
    return status == ANO_OK
               ? open_and_look(out, "images", ANO_SPLIT_TEST, (ano_view){.size = SIZE}, err)
               : status;
}

/* The one image says what colour the data set has; colours take a moment to convert. */
ano_status scene_cmyk(outcome *out, ano_error *err)
{
    return open_and_look(out, "cmyk.jpg", ANO_SPLIT_TEST, (ano_view){.size = SIZE}, err);
}

ano_status scene_list(outcome *out, ano_error *err)
{
    const char *const paths[] = {at("images/colour.png"), at("tree"), at("manifest.csv")};
    ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    options.split = ANO_SPLIT_TEST;
    options.anomaly = "bad";
    options.view.size = SIZE;
    ano_dataset *dataset = NULL, *drawn = NULL, *rest = NULL, *aside = NULL;
    size_t n_dropped = 0;
    ano_status status = ano_dataset_open_list(&dataset, paths, 3, &options, err);
    if (status == ANO_OK)
        status = ano_dataset_drop_unreadable(dataset, &n_dropped, err);
    if (status == ANO_OK && n_dropped > 0)
        add_lost(out, "dropped");
    if (status == ANO_OK)
        status = ano_dataset_split(&rest, &aside, dataset, 1, 3, err);
    if (status == ANO_OK)
        status = ano_dataset_draw_anomalies(&drawn, stage.normal, 2, err);
    if (status == ANO_OK)
        status = look_at(out, rest, err);
    if (status == ANO_OK)
        status = look_at(out, drawn, err);
    ano_dataset_free(dataset);
    ano_dataset_free(drawn);
    ano_dataset_free(rest);
    ano_dataset_free(aside);
    return status;
}
