/* The data, files and models that scenes work with, and what they say came of them. */
#include "base/file.h"
#include "base/memory.h"
#include "format/safetensors.h"
#include "scenes.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <vips/vips.h>
#include <zlib.h>

enum { N_PIXELS = 16 }; /* images that are painted at once, at most */

static char folder[] = "/tmp/anogan-refusals-XXXXXX";
stage_set stage = {.folder = folder};

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

/* ---- what came of a scene ------------------------------------------------------------------- */

void add(outcome *out, const void *bytes, size_t size)
{
    out->sum = (uint32_t)crc32(out->sum, bytes, (uInt)size);
}

void add_lost(outcome *out, const char *why)
{
    out->n_lost++;
    snprintf(out->lost, sizeof out->lost, "%s", why);
}

void add_file(outcome *out, const char *path)
{
    char *bytes;
    size_t size;
    CHECK(base_file_read(&bytes, &size, path, &why));
    add(out, bytes, size);
    base_free(bytes);
}

/* ---- the stage ------------------------------------------------------------------------------ */

const char *at(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof *paths, "%s/%s", stage.folder, name);
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

ano_model_config config_of(ano_method method)
{
    return (ano_model_config){
        .size = SIZE, .channels = 1, .latent = 4, .base_width = 3, .method = method};
}

ano_train_options training(const char *run_dir)
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

ano_score_options scoring(ano_method method)
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

void stage_prepare(void)
{
    if (mkdtemp(folder) == NULL || vips_init("refuse_each") != 0)
        die("cannot begin");
    write_files();
    const ano_view tiles = {.size = SIZE, .channels = 1, .stride = 5, .scale = 1};
    stage.normal = painted(N_NORMAL, SIZE, NULL);
    stage.held_out = painted(N_HELD_OUT, SIZE, NULL);
    stage.tiled = painted(N_TILED, TILED, &tiles);
    stage.tiled_aside = painted(N_HELD_OUT, TILED, &tiles);
    static const ano_method methods[] = {ANO_METHOD_FC, ANO_METHOD_PATCH, ANO_METHOD_VAE,
                                         ANO_METHOD_ENCODER};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const ano_model_config config = config_of(methods[i]);
        const ano_train_options options = training(NULL);
        CHECK(ano_train(&stage.models[methods[i]],
                        methods[i] == ANO_METHOD_PATCH ? stage.tiled : stage.normal, &config,
                        &options, &why));
        CHECK(ano_model_save(stage.models[methods[i]], at(ano_method_name(methods[i])), &why));
    }
    stage.models[ANO_METHOD_LATENT] = stage.models[ANO_METHOD_HYBRID] =
        stage.models[ANO_METHOD_ENCODER];
}

void remove_folder(const char *path)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        die("cannot remove %s", path);
}

void stage_remove(void)
{
    ano_dataset_free(stage.normal);
    ano_dataset_free(stage.held_out);
    ano_dataset_free(stage.tiled);
    ano_dataset_free(stage.tiled_aside);
    for (int i = ANO_METHOD_FC; i <= ANO_METHOD_ENCODER; i++)
        ano_model_free(stage.models[i]);
    remove_folder(stage.folder);
    vips_shutdown();
}

void check_files(const char *path)
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
