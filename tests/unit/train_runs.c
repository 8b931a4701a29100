#include "train_runs.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const ano_model_config small = {.size = SIZE, .channels = 1, .latent = 5, .base_width = 3};
ano_dataset *bright_squares(const ano_view *view)
{
    uint8_t pixels[N_IMAGES * SIZE * SIZE];
    for (uint32_t i = 0; i < N_IMAGES; i++)
        for (uint32_t p = 0; p < SIZE * SIZE; p++) {
            uint32_t words[4];
            base_random_block(words, (base_random){3, BASE_PURPOSE_TEST, i}, p);
            pixels[i * SIZE * SIZE + p] = (uint8_t)(p / SIZE > i % 4 ? words[0] % 256 : 0);
        }
    ano_dataset *dataset;
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, pixels, N_IMAGES, (ano_shape){SIZE, SIZE, 1}, view, NULL),
        ANO_OK);
    return dataset;
}

folder temporary_folder(void)
{
    folder made = {"/tmp/anogan-train-XXXXXX"};
    assert_non_null(mkdtemp(made.path));
    return made;
}

void remove_folder(const folder *f)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", f->path);
    assert_int_equal(system(command), 0);
}

void assert_same_file(const folder *a, const folder *b, const char *name)
{
    char *paths[2] = {base_path_join(a->path, name), base_path_join(b->path, name)};
    char *bytes[2];
    size_t sizes[2];
    for (int i = 0; i < 2; i++) {
        ano_error err = ANO_ERROR_INIT;
        if (base_file_read(&bytes[i], &sizes[i], paths[i], &err) != ANO_OK)
            fail_msg("%s", err.message);
    }
    assert_int_equal(sizes[0], sizes[1]);
    for (size_t i = 0; i < sizes[0]; i++)
        if (bytes[0][i] != bytes[1][i])
            fail_msg("%s differs at byte %zu", name, i);
    for (int i = 0; i < 2; i++) {
        base_free(bytes[i]);
        base_free(paths[i]);
    }
}

/* loss.csv up to the columns of seconds, which no two runs share; the caller's. */
static char *read_losses(const folder *run)
{
    char *text, *path = base_path_join(run->path, "loss.csv");
    size_t size;
    assert_int_equal(base_file_read(&text, &size, path, NULL), ANO_OK);
    assert_true(size > 0 && text[size - 1] == '\n');
    char *kept = text;
    int column = 0;
    for (const char *c = text; *c != '\0'; c++) {
        column = *c == '\n' ? 0 : column + (*c == ',');
        if (column < 5)
            *kept++ = *c;
    }
    *kept = '\0';
    base_free(path);
    return text;
}

static void assert_same_losses(const folder *a, const folder *b)
{
    char *losses[2] = {read_losses(a), read_losses(b)};
    assert_string_equal(losses[0], losses[1]);
    base_free(losses[0]);
    base_free(losses[1]);
}

void assert_same_run(const folder *a, const folder *b)
{
    assert_same_losses(a, b);
    assert_same_file(a, b, "model.safetensors");
    assert_same_file(a, b, "weights/generator_0002.safetensors");
    assert_same_file(a, b, "weights/discriminator_0002.safetensors");
}

ano_train_options two_epochs(const folder *run)
{
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    options.epochs = 2;
    options.batch = BATCH;
    options.seed = 11;
    options.augment.flip = ANO_FLIP_HORIZONTAL | ANO_FLIP_VERTICAL;
    options.run_dir = run->path;
    return options;
}

void train_model(const ano_model_config *config, const ano_train_options *options,
                 ano_status expected)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset = bright_squares(NULL);
    ano_model *model;
    const ano_status status = ano_train(&model, dataset, config, options, &err);
    ano_dataset_free(dataset);
    ano_model_free(model);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", ano_status_name(expected), ano_status_name(status),
                 err.message);
}
