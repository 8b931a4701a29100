/* All that the library does, with each call for memory, of oneDNN or of libvips refused in turn: an
 * error that says so or, of an image that cannot be decoded, a result that does; nothing crashes or
 * leaks, files that were there stay whole, and the same once more, with nothing refused, gives the
 * same bytes as ever.
 *
 * Run as: refuse_each memory|onednn|vips [STRIDE [SCENE]]: the first call and every STRIDE-th after
 * it are refused; a scene is one of those below. */
#include "base/file.h"
#include "base/memory.h"
#include "format/safetensors.h"
#include "refusals.h"

#include <anogan/anogan.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>
#include <zlib.h>

enum { SIZE = 8, N_PIXELS = 16, N_NORMAL = 12, N_HELD_OUT = 9, N_TILED = 3, TILED = 13 };

#define CHECK(call)                                                                                \
    do {                                                                                           \
        ano_error why = ANO_ERROR_INIT;                                                            \
        if ((call) != ANO_OK)                                                                      \
            die("%s: %s", #call, why.message);                                                     \
    } while (false)

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

/* What came of a scene. */
typedef struct outcome {
    uint32_t sum;    /* CRC-32 of what it made */
    int n_lost;      /* images that were told of as not to be read … */
    char lost[1024]; /* … and why the last of them was not */
} outcome;

static void add(outcome *out, const void *bytes, size_t size)
{
    out->sum = (uint32_t)crc32(out->sum, bytes, (uInt)size);
}

static void add_lost(outcome *out, const char *why)
{
    out->n_lost++;
    snprintf(out->lost, sizeof out->lost, "%s", why);
}

/* ---- what scenes work with ------------------------------------------------------------------ */

static char work[] = "/tmp/anogan-refusals-XXXXXX";
static ano_dataset *normal, *held_out, *tiled, *tiled_aside;
static ano_model *models[ANO_METHOD_HYBRID + 1]; /* of the methods that are trained */

/* A path in the folder of the scenes; good until the next four. */
static const char *at(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof *paths, "%s/%s", work, name);
    return path;
}

static void paint(uint8_t *dst, int height, int width, int channels, unsigned seed)
{
    for (int i = 0; i < height * width * channels; i++)
        dst[i] = (uint8_t)((unsigned)i * 37 % 100 + (seed + 3) * (unsigned)i % 97 + seed % 5 * 10);
}

static ano_dataset *painted(size_t n, int side, const ano_view *view)
{
    static uint8_t pixels[N_PIXELS * TILED * TILED];
    for (size_t i = 0; i < n; i++)
        paint(pixels + i * (size_t)(side * side), side, side, 1, (unsigned)i);
    ano_dataset *dataset;
    CHECK(ano_dataset_from_pixels(&dataset, pixels, n, (ano_shape){side, side, 1}, view, &why));
    return dataset;
}

static ano_model_config config_of(ano_method method)
{
    return (ano_model_config){
        .size = SIZE, .channels = 1, .latent = 4, .base_width = 3, .method = method};
}

static ano_train_options training(const char *run_dir)
{
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    options.epochs = 2;
    options.batch = 4;
    options.seed = 5;
    options.threads = 1;
    options.augment.flip = ANO_FLIP_HORIZONTAL;
    options.run_dir = run_dir;
    options.weights_every = 1;
    options.conv = ANO_CONV_DIRECT;
    return options;
}

static ano_score_options scoring(ano_method method)
{
    ano_score_options options = ano_score_options_of(method);
    options.iterations = 3;
    options.restarts = 2;
    options.samples = 2;
    options.threads = 2;
    return options;
}

static void write_image(const char *name, int height, int width, int channels, unsigned seed,
                        int orientation)
{
    static uint8_t pixels[64 * 64 * 4];
    paint(pixels, height, width, channels, seed);
    VipsImage *image = vips_image_new_from_memory_copy(pixels, (size_t)(height * width * channels),
                                                       width, height, channels, VIPS_FORMAT_UCHAR);
    image->Type = channels < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
    if (strstr(name, "cmyk") != NULL)
        image->Type = VIPS_INTERPRETATION_CMYK;
    if (orientation > 1)
        vips_image_set_int(image, VIPS_META_ORIENTATION, orientation);
    if (vips_image_write_to_file(image, at(name), NULL) != 0)
        die("%s: %s", name, vips_error_buffer());
    g_object_unref(image);
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
    CHECK(base_file_write(at(name), bytes, size, &why));
}

static void write_idx_files(void)
{
    enum { N = 6, HEADER = 16 };
    uint8_t images[HEADER + N * SIZE * SIZE] = {0, 0, 8, 3,    0, 0, 0, N,
                                                0, 0, 0, SIZE, 0, 0, 0, SIZE};
    const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, N, 1, 1, 0, 1, 1, 1};
    paint(images + HEADER, N * SIZE, SIZE, 1, 1);
    write_bytes("idx/train-images-idx3-ubyte", images, sizeof images);
    gzFile file = gzopen(at("idx/train-labels-idx1-ubyte.gz"), "wb");
    if (file == NULL || gzwrite(file, labels, sizeof labels) != sizeof labels ||
        gzclose(file) != Z_OK)
        die("cannot write labels");
}

static void write_files(void)
{
    static const char *const folders[] = {"idx",
                                          "images",
                                          "tree/train/good",
                                          "tree/test/good",
                                          "tree/test/bad",
                                          "tree/ground_truth/bad"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        CHECK(base_make_folder(at(folders[i]), &why));
    write_idx_files();
    for (unsigned i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "tree/train/good/%u.png", i);
        write_image(name, 12, 17, 1, i, 1);
    }
    write_image("tree/test/good/1.png", 12, 17, 1, 7, 1);
    write_image("tree/test/bad/1.png", 12, 17, 1, 8, 1);
    write_image("tree/ground_truth/bad/1_mask.png", 12, 17, 1, 8, 1);
    write_image("images/colour.png", 20, 20, 3, 1, 1);
    write_image("images/alpha.png", 20, 24, 4, 2, 1);
    write_image("images/turned.jpg", 20, 24, 3, 3, 6);
    write_image("cmyk.jpg", 20, 24, 4, 4, 1);
    write_image("images/gray.ppm", 20, 24, 1, 5, 1);
    static const char manifest[] = "path,label,mask\n"
                                   "tree/train/good/1.png,0,\n"
                                   "\"tree/test/bad/1.png\",1,tree/ground_truth/bad/1_mask.png\n";
    write_bytes("manifest.csv", manifest, sizeof manifest - 1);
}

static void prepare(void)
{
    if (mkdtemp(work) == NULL || vips_init("refuse_each") != 0)
        die("cannot begin");
    write_files();
    const ano_view tiles = {.size = SIZE, .channels = 1, .stride = 5, .scale = 1};
    normal = painted(N_NORMAL, SIZE, NULL);
    held_out = painted(N_HELD_OUT, SIZE, NULL);
    tiled = painted(N_TILED, TILED, &tiles);
    tiled_aside = painted(N_HELD_OUT, TILED, &tiles);
    static const ano_method methods[] = {ANO_METHOD_FC, ANO_METHOD_PATCH, ANO_METHOD_VAE,
                                         ANO_METHOD_ENCODER};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const ano_model_config config = config_of(methods[i]);
        const ano_train_options options = training(NULL);
        CHECK(ano_train(&models[methods[i]], methods[i] == ANO_METHOD_PATCH ? tiled : normal,
                        &config, &options, &why));
        CHECK(ano_model_save(models[methods[i]], at(ano_method_name(methods[i])), &why));
    }
    models[ANO_METHOD_LATENT] = models[ANO_METHOD_HYBRID] = models[ANO_METHOD_ENCODER];
}

static void remove_folder(const char *path)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        die("cannot remove %s", path);
}

static void end(void)
{
    ano_dataset_free(normal);
    ano_dataset_free(held_out);
    ano_dataset_free(tiled);
    ano_dataset_free(tiled_aside);
    for (int i = ANO_METHOD_FC; i <= ANO_METHOD_ENCODER; i++)
        ano_model_free(models[i]);
    remove_folder(work);
    vips_shutdown();
}

/* ---- data sets ------------------------------------------------------------------------------ */

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

static ano_status idx(outcome *out, ano_error *err)
{
    return open_and_look(out, "idx", ANO_SPLIT_TRAIN, (ano_view){.size = 6}, err);
}

static ano_status tree(outcome *out, ano_error *err)
{
    const ano_view view = {.size = SIZE, .fit = ANO_FIT_CROP};
    const ano_status status = open_and_look(out, "tree", ANO_SPLIT_TEST, view, err);
    return status == ANO_OK ? open_and_look(out, "tree", ANO_SPLIT_TRAIN, view, err) : status;
}

static ano_status manifest(outcome *out, ano_error *err)
{
    return open_and_look(out, "manifest.csv", ANO_SPLIT_TEST, (ano_view){.size = SIZE}, err);
}

static ano_status folder(outcome *out, ano_error *err)
{
    const ano_view gray = {.size = SIZE, .channels = 1, .fit = ANO_FIT_PAD};
    const ano_status status = open_and_look(out, "images", ANO_SPLIT_TEST, gray, err);
    return status == ANO_OK
               ? open_and_look(out, "images", ANO_SPLIT_TEST, (ano_view){.size = SIZE}, err)
               : status;
}

/* Colours take a moment to convert. */
static ano_status cmyk(outcome *out, ano_error *err)
{
    return open_and_look(out, "cmyk.jpg", ANO_SPLIT_TEST, (ano_view){.size = SIZE, .channels = 3},
                         err);
}

static ano_status list(outcome *out, ano_error *err)
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
        status = ano_dataset_draw_anomalies(&drawn, normal, 2, err);
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

/* ---- models --------------------------------------------------------------------------------- */

static void add_file(outcome *out, const char *path)
{
    char *bytes;
    size_t size;
    CHECK(base_file_read(&bytes, &size, path, &why));
    add(out, bytes, size);
    base_free(bytes);
}

/* Makes a model, writes it over the file that is there, and reads and uses that. */
static ano_status model_file(outcome *out, ano_error *err)
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

/* ---- training ------------------------------------------------------------------------------- */

static int on_event(const ano_train_event *event, void *cookie)
{
    if (event->skipped != NULL)
        add_lost(cookie, event->skipped);
    return 0;
}

/* Every file that is there is whole. */
static void check_files(const char *path)
{
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        char *file = base_path_join(path, entry->d_name);
        const char *ending = strrchr(entry->d_name, '.');
        format_safetensors *tensors;
        struct stat info;
        if (stat(file, &info) != 0)
            die("%s: is gone", file);
        if (S_ISDIR(info.st_mode) && entry->d_name[0] != '.')
            check_files(file);
        else if (ending != NULL && strcmp(ending, ".tmp") == 0)
            die("%s: is left", file);
        else if (ending != NULL && strcmp(ending, ".safetensors") == 0) {
            CHECK(format_safetensors_open(&tensors, file, &why));
            format_safetensors_free(tensors);
        }
        base_free(file);
    }
    if (entries != NULL)
        closedir(entries);
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

static ano_status train_fc(outcome *out, ano_error *err)
{
    return train(out, normal, ANO_METHOD_FC, 1 << 20, err);
}

static ano_status train_vae(outcome *out, ano_error *err)
{
    return train(out, normal, ANO_METHOD_VAE, 1 << 20, err);
}

static ano_status train_encoder(outcome *out, ano_error *err)
{
    return train(out, normal, ANO_METHOD_ENCODER, 1 << 20, err);
}

static ano_status train_patch(outcome *out, ano_error *err)
{
    return train(out, tiled, ANO_METHOD_PATCH, 1 << 20, err);
}

/* Of files, most of which are decoded again in each epoch. */
static ano_status train_files(outcome *out, ano_error *err)
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

/* ---- scoring -------------------------------------------------------------------------------- */

static int on_strip(const ano_strip *strip, void *cookie)
{
    add(cookie, strip->map, (size_t)strip->n_rows * (size_t)strip->shape.width * sizeof(float));
    return 0;
}

static int on_result(const ano_result *result, void *cookie)
{
    if (result->status != ANO_OK)
        add_lost(cookie, result->message);
    add(cookie, &result->score, sizeof result->score);
    return 0;
}

static ano_status score_images(outcome *out, const ano_model *model, const ano_dataset *dataset,
                               const ano_score_options *how, ano_error *err)
{
    const ano_score_sink sink = {
        .on_strip = on_strip, .on_result = on_result, .cookie = out, .traces = true};
    return ano_score_images(model, dataset, how, &sink, err);
}

static ano_status score(outcome *out, ano_method method, ano_search search, ano_error *err)
{
    enum { TRACE = N_HELD_OUT * 2 * 3 };
    float scores[N_HELD_OUT], trace[TRACE] = {0};
    static float generated[N_HELD_OUT * SIZE * SIZE];
    ano_score_options how = scoring(method);
    how.search = search;
    ano_status status = ano_score(scores, generated, ano_method_searches(method) ? trace : NULL,
                                  models[method], held_out, &how, err);
    if (status != ANO_OK)
        return status;
    add(out, scores, sizeof scores);
    add(out, generated, sizeof generated);
    add(out, trace, sizeof trace);
    status = score_images(out, models[method], held_out, &how, err);
    return status;
}

static ano_status score_fc(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_FC, ANO_SEARCH_ADAM, err);
}

static ano_status score_lbfgs(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_FC, ANO_SEARCH_LBFGS, err);
}

static ano_status score_vae(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_VAE, ANO_SEARCH_ADAM, err);
}

static ano_status score_encoder(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_ENCODER, ANO_SEARCH_ADAM, err);
}

static ano_status score_latent(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_LATENT, ANO_SEARCH_ADAM, err);
}

static ano_status score_hybrid(outcome *out, ano_error *err)
{
    return score(out, ANO_METHOD_HYBRID, ANO_SEARCH_ADAM, err);
}

static ano_status score_patch(outcome *out, ano_error *err)
{
    ano_score_options how = scoring(ANO_METHOD_PATCH);
    how.pool = ANO_POOL_TOP;
    return score_images(out, models[ANO_METHOD_PATCH], tiled, &how, err);
}

static ano_status score_files(outcome *out, ano_error *err)
{
    ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    const ano_score_options how = scoring(ANO_METHOD_PATCH);
    options.view = ano_model_get_view(models[ANO_METHOD_PATCH]);
    ano_dataset *dataset;
    ano_status status = ano_dataset_open(&dataset, at("images"), &options, err);
    if (status == ANO_OK)
        status = score_images(out, models[ANO_METHOD_PATCH], dataset, &how, err);
    ano_dataset_free(dataset);
    return status;
}

/* Chooses a pool, remembers, calibrates and scores, on a model read from a file. */
static ano_status calibrate(outcome *out, ano_method method, const ano_dataset *training_set,
                            const ano_dataset *aside, ano_error *err)
{
    const unsigned kinds = (1u << ANO_MEMORIES) - 1;
    ano_score_options how = scoring(method);
    ano_model *copy = NULL;
    double auroc = 0;
    size_t n = 0;
    ano_status status = ano_model_load(&copy, at(ano_method_name(method)), err);
    if (status == ANO_OK)
        status = ano_choose_pool(&how, &auroc, &n, copy, aside, 6, err);
    if (status == ANO_OK)
        status = ano_memorise(copy, kinds, training_set, aside, &how, err);
    if (status == ANO_OK)
        status = ano_calibrate(copy, aside, &how, err);
    if (status == ANO_OK)
        status = score_images(out, copy, aside, &how, err);
    if (status == ANO_OK)
        status = ano_model_save(copy, at("kept.safetensors"), err);
    add(out, &auroc, sizeof auroc);
    add(out, &n, sizeof n);
    ano_model_free(copy);
    refusals_end();
    check_files(work);
    if (status == ANO_OK)
        add_file(out, at("kept.safetensors"));
    return status;
}

static ano_status calibrate_whole(outcome *out, ano_error *err)
{
    return calibrate(out, ANO_METHOD_FC, normal, held_out, err);
}

static ano_status calibrate_tiles(outcome *out, ano_error *err)
{
    return calibrate(out, ANO_METHOD_PATCH, tiled, tiled_aside, err);
}

/* ---- evaluation ----------------------------------------------------------------------------- */

static ano_status baselines(outcome *out, ano_error *err)
{
    ano_status status = ANO_OK;
    const ano_baseline_options how = {.components = 3, .threads = 2};
    for (int i = 0; i < ANO_BASELINES && status == ANO_OK; i++) {
        ano_baseline_model *fitted;
        float scores[N_HELD_OUT];
        status = ano_baseline_fit(&fitted, (ano_baseline)i, normal, &how, err);
        if (status == ANO_OK)
            status = ano_baseline_score(scores, fitted, held_out, err);
        if (status == ANO_OK)
            add(out, scores, sizeof scores);
        ano_baseline_free(fitted);
    }
    return status;
}

static ano_status evaluate(outcome *out, ano_error *err)
{
    enum { N = 6, SIDE = 4 };
    static const float scores[N] = {3, 1, 4, 1, 5, 9}, map[SIDE * SIDE] = {1, 2, 3, 4, 5};
    static const uint8_t mask[SIDE * SIDE] = {0, 0, 1, 1, 0, 0, 0, 0, 1};
    static const int labels[N] = {0, 0, 1, 0, 1, 1};
    ano_metrics metrics;
    ano_curve_point points[N + 1];
    ano_pixel_metrics *pixels = NULL;
    ano_pixel_result result;
    ano_drift *drift = NULL;
    size_t n_points;
    double threshold;
    bool rejected[N];
    ano_status status = ano_evaluate(&metrics, scores, labels, N, err);
    if (status == ANO_OK)
        status = ano_curves(points, &n_points, scores, labels, N, err);
    if (status == ANO_OK)
        status = ano_pixel_metrics_create(&pixels, err);
    if (status == ANO_OK)
        status = ano_pixel_metrics_add(pixels, map, mask, SIDE, SIDE, err);
    if (status == ANO_OK)
        status = ano_pixel_metrics_finish(&result, pixels, err);
    if (status == ANO_OK)
        status = ano_threshold(&threshold, scores, N, 0.2, err);
    if (status == ANO_OK)
        status = ano_benjamini_hochberg(rejected, (double[N]){0.1, 0.01, 1, 0.5, 0.02, 0.3}, N, 0.1,
                                        err);
    if (status == ANO_OK)
        status = ano_drift_create(&drift, scores, N, 7, 0.01, 1, err);
    if (status == ANO_OK) {
        add(out, &metrics, sizeof metrics);
        add(out, points, n_points * sizeof *points);
        add(out, &result, sizeof result);
        add(out, &threshold, sizeof threshold);
        add(out, rejected, sizeof rejected);
    }
    ano_pixel_metrics_free(pixels);
    ano_drift_free(drift);
    return status;
}

/* ---- refusing ------------------------------------------------------------------------------- */

typedef struct scene {
    const char *name;
    ano_status (*run)(outcome *out, ano_error *err);
    bool leaves_out; /* images that cannot be decoded, as is promised: the bytes are others then */
} scene;

static const scene scenes[] = {
    {.name = "idx", .run = idx},
    {.name = "tree", .run = tree},
    {.name = "manifest", .run = manifest},
    {.name = "folder", .run = folder},
    {.name = "cmyk", .run = cmyk},
    {.name = "list", .run = list},
    {.name = "model_file", .run = model_file},
    {.name = "train_fc", .run = train_fc},
    {.name = "train_patch", .run = train_patch},
    {.name = "train_vae", .run = train_vae},
    {.name = "train_encoder", .run = train_encoder},
    {.name = "train_files", .run = train_files},
    {.name = "score_fc", .run = score_fc},
    {.name = "score_lbfgs", .run = score_lbfgs},
    {.name = "score_patch", .run = score_patch},
    {.name = "score_vae", .run = score_vae},
    {.name = "score_encoder", .run = score_encoder},
    {.name = "score_latent", .run = score_latent},
    {.name = "score_hybrid", .run = score_hybrid},
    {.name = "score_files", .run = score_files},
    {.name = "calibrate_whole", .run = calibrate_whole, .leaves_out = true},
    {.name = "calibrate_tiles", .run = calibrate_tiles, .leaves_out = true},
    {.name = "baselines", .run = baselines},
    {.name = "evaluate", .run = evaluate},
};

/* Whether an error is the one that is due where a call of the kind is refused. */
static bool is_due(refusals_kind kind, ano_status status, const char *message)
{
    switch (kind) {
    case REFUSALS_MEMORY:
        return status == ANO_NOMEM && (strstr(message, "out of memory") != NULL ||
                                       strstr(message, "Cannot allocate memory") != NULL);
    case REFUSALS_ONEDNN:
        return (status == ANO_NOMEM || status == ANO_BACKEND) &&
               strstr(message, "oneDNN: ") != NULL;
    default: /* it names the image */
        return (status == ANO_FORMAT || status == ANO_UNSUPPORTED || status == ANO_BACKEND ||
                status == ANO_IO) &&
               (strstr(message, work) != NULL || strstr(message, "image in memory") != NULL);
    }
}

static outcome run(const scene *s, ano_status *status, ano_error *err)
{
    outcome out = {0};
    *err = (ano_error)ANO_ERROR_INIT;
    *status = s->run(&out, err);
    return out;
}

static int n_faults; /* that were found */

/* Refuses the k-th call of a scene. */
static void refuse(const scene *s, const outcome *whole, refusals_kind kind, long k)
{
    ano_error err;
    ano_status status;
    const int before = n_faults;
    const long live = refusals_live();
    refusals_set(kind, k);
    const outcome out = run(s, &status, &err);
    const char *call = refusals_name();
    refusals_set(kind, 0);
    const long leaked = refusals_live() - live;
    const bool same = out.sum == whole->sum && out.n_lost == whole->n_lost;
    const bool told = kind == REFUSALS_VIPS && (s->leaves_out || out.n_lost > 0);
    n_faults += leaked != 0 || status != err.status ||
                !(status == ANO_OK ? same || told : is_due(kind, status, err.message));
    ano_error later;
    const outcome again = run(s, &status, &later);
    n_faults += status != ANO_OK || again.sum != whole->sum;
    if (n_faults > before)
        fprintf(stderr,
                "%s: call %ld, %s, was refused: %s: '%s'; %ld blocks leak; %s bytes; %d images "
                "lost: '%s'; and afterwards: '%s', %s bytes\n",
                s->name, k, call, ano_status_name(err.status), err.message, leaked,
                same ? "the same" : "other", out.n_lost, out.lost, later.message,
                again.sum == whole->sum ? "the same" : "other");
}

/* The calls of a scene. */
static long refuse_each(const scene *s, refusals_kind kind, long stride)
{
    ano_error err;
    ano_status status;
    run(s, &status, &err); /* what is made once a process is made now */
    refusals_set(kind, 0);
    const outcome whole = run(s, &status, &err);
    const long n = refusals_count();
    if (status != ANO_OK || whole.n_lost > 0)
        die("%s: %s %s", s->name, err.message, whole.lost);
    for (long k = 1; k <= n; k += stride)
        refuse(s, &whole, kind, k);
    return n;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"memory", "onednn", "vips"};
    refusals_kind kind = REFUSALS_MEMORY;
    while (argc > 1 && kind <= REFUSALS_VIPS && strcmp(argv[1], kinds[kind]) != 0)
        kind++;
    const long stride = argc > 2 ? atol(argv[2]) : 1;
    if (argc < 2 || kind > REFUSALS_VIPS || stride < 1)
        die("refuse_each memory|onednn|vips [STRIDE [SCENE]]");
    prepare();
    long n = 0, refused_calls = 0;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (argc > 3 && strcmp(argv[3], scenes[i].name) != 0)
            continue;
        const long here = refuse_each(&scenes[i], kind, stride);
        printf("%-16s %6ld calls\n", scenes[i].name, here);
        fflush(stdout);
        n += here;
        refused_calls += (here + stride - 1) / stride;
    }
    printf("%ld of %ld calls for %s were refused in turn, %d faults\n", refused_calls, n,
           kinds[kind], n_faults);
    end();
    return n_faults > 0;
}
