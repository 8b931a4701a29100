#include "train_runs.h"

#include "base/file.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The linker sends the engine's allocations here (--wrap), in whichever thread. */
static atomic_size_t allocations;
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocations++;
    return __real_posix_memalign(memory, alignment, size);
}

/* Wide enough for Winograd, FFT and the thin kernels. */
static const ano_model_config wide = {.size = SIZE, .channels = 1, .latent = 5, .base_width = 16};

static void train(const ano_train_options *options, ano_status expected)
{
    train_model(&small, options, expected);
}

static void training__gives_the_same_bytes_for_the_same_seed(void **state)
{
    (void)state;
    const folder a = temporary_folder(), b = temporary_folder();
    train(&(ano_train_options){0}, ANO_ARG);
    ano_train_options options = two_epochs(&a);
    train(&options, ANO_OK);
    options = two_epochs(&b);
    train(&options, ANO_OK);
    assert_same_run(&a, &b);
    remove_folder(&a);
    remove_folder(&b);
}

/* On tiles cut from larger images, of which the cache holds not even one. */
static void train_on_tiles(const ano_train_options *options, ano_status expected)
{
    enum { N = 12, HEIGHT = 2 * SIZE, WIDTH = 3 * SIZE };
    uint8_t pixels[N * HEIGHT * WIDTH];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * i >> 4);
    ano_dataset *dataset;
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    const ano_view view = {.size = SIZE, .channels = 1, .stride = 4};
    assert_int_equal(
        ano_dataset_from_pixels(&dataset, pixels, N, (ano_shape){HEIGHT, WIDTH, 1}, &view, NULL),
        ANO_OK);
    const ano_status status = ano_train(&model, dataset, &small, options, &err);
    if (status != expected)
        fail_msg("expected %s, got %s: %s", ano_status_name(expected), ano_status_name(status),
                 err.message);
    if (status == ANO_OK) {
        assert_int_equal(ano_model_get_view(model).stride, 4);
        assert_true(ano_model_get_view(model).scale == 1);
    }
    ano_model_free(model);
    ano_dataset_free(dataset);
}

static int stop_in_second_epoch(const ano_train_event *event, void *cookie)
{
    (void)cookie;
    return event->epoch == 2 && event->step == 1;
}

static void training__stopped_and_resumed_ends_as_if_never_stopped(void **state)
{
    (void)state;
    const folder whole = temporary_folder(), stopped = temporary_folder();
    ano_train_options options = two_epochs(&whole);
    train(&options, ANO_OK);
    options = two_epochs(&stopped);
    options.callback = stop_in_second_epoch;
    train(&options, ANO_CANCELLED);
    options.callback = NULL;
    options.resume = true;
    train(&options, ANO_OK);
    assert_same_run(&whole, &stopped);
    remove_folder(&whole);
    remove_folder(&stopped);
}

static void training__on_streamed_tiles_resumes_to_the_bit(void **state)
{
    (void)state;
    const folder whole = temporary_folder(), stopped = temporary_folder();
    ano_train_options options = two_epochs(&whole);
    options.cache = 0;
    options.augment = (ano_augment){.flip = ANO_FLIP_HORIZONTAL,
                                    .shift = 0.2,
                                    .rotate = 10,
                                    .brightness = 0.1,
                                    .contrast = 0.2};
    train_on_tiles(&options, ANO_OK);
    options.run_dir = stopped.path;
    options.callback = stop_in_second_epoch;
    train_on_tiles(&options, ANO_CANCELLED);
    options.callback = NULL;
    options.resume = true;
    train_on_tiles(&options, ANO_OK);
    assert_same_run(&whole, &stopped);
    remove_folder(&whole);
    remove_folder(&stopped);
}

static int stop_at_third_image(const ano_train_event *event, void *cookie)
{
    (void)cookie;
    assert_int_equal(event->epoch, 0);
    assert_int_equal(event->steps, N_IMAGES);
    return event->step == 3;
}

static void training__can_be_stopped_while_it_looks_at_the_images(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_train_options options = two_epochs(&run);
    options.callback = stop_at_third_image;
    train(&options, ANO_CANCELLED);
    remove_folder(&run);
}

/* The header of a run's checkpoint says that some convolution is computed by that method. */
static void assert_recorded(const folder *run, const char *method)
{
    char *path = base_path_join(run->path, "checkpoint.safetensors"), *bytes, name[32];
    size_t size;
    assert_int_equal(base_file_read(&bytes, &size, path, NULL), ANO_OK);
    snprintf(name, sizeof name, "\\\"%s\\\"", method);
    const char *header = bytes + sizeof(uint64_t); /* after its length */
    if (strstr(header, name) == NULL)
        fail_msg("%s is not in %s", name, header);
    base_free(bytes);
    base_free(path);
}

static void repeats_and_resumes(ano_conv conv, const char *method)
{
    const folder a = temporary_folder(), b = temporary_folder(), stopped = temporary_folder();
    const folder *runs[] = {&a, &b, &stopped};
    for (int i = 0; i < 3; i++) {
        ano_train_options options = two_epochs(runs[i]);
        options.conv = conv;
        options.threads = 2;
        options.callback = runs[i] == &stopped ? stop_in_second_epoch : NULL;
        train_model(&wide, &options, runs[i] == &stopped ? ANO_CANCELLED : ANO_OK);
        assert_recorded(runs[i], method);
        options.callback = NULL;
        options.resume = true;
        if (runs[i] == &stopped)
            train_model(&wide, &options, ANO_OK);
    }
    assert_same_run(&a, &b);
    assert_same_run(&a, &stopped);
    for (int i = 0; i < 3; i++)
        remove_folder(runs[i]);
}

static void training__by_winograd_repeats_and_resumes_to_the_bit(void **state)
{
    (void)state;
    repeats_and_resumes(ANO_CONV_WINOGRAD, "winograd");
}

static void training__by_fft_repeats_and_resumes_to_the_bit(void **state)
{
    (void)state;
    repeats_and_resumes(ANO_CONV_FFT, "fft");
}

static const ano_model_config encoding = {SIZE, 1, 3, 4, ANO_METHOD_ENCODER, ANO_PRIOR_OF_METHOD};

/* The second of two epochs is the encoder's, that of three still its GAN's. */
static void training__of_an_encoder_resumes_to_the_bit_in_both_parts(void **state)
{
    (void)state;
    for (int epochs = 2; epochs <= 3; epochs++) {
        const folder whole = temporary_folder(), stopped = temporary_folder();
        ano_train_options options = two_epochs(&whole);
        options.epochs = epochs;
        train_model(&encoding, &options, ANO_OK);
        options.run_dir = stopped.path;
        options.callback = stop_in_second_epoch;
        train_model(&encoding, &options, ANO_CANCELLED);
        options.callback = NULL;
        options.resume = true;
        train_model(&encoding, &options, ANO_OK);
        assert_same_file(&whole, &stopped, "model.safetensors");
        remove_folder(&whole);
        remove_folder(&stopped);
    }
}

/* All that a GAN's training may have, with that loss. */
static ano_train_options all_of_gans(const folder *run, ano_gan_loss loss)
{
    ano_train_options options = two_epochs(run);
    options.gan_loss = loss;
    options.label_smoothing = loss == ANO_GAN_LOSS_BCE ? 0.1 : 0;
    options.spectral_norm = true;
    options.average = 0.9;
    return options;
}

/* FC is stopped while its GAN is trained, ENCODER when that has ended. */
static void training__with_all_that_gans_may_have_resumes_to_the_bit(void **state)
{
    (void)state;
    ano_model_config config = {.size = SIZE, .channels = 1, .latent = 3, .base_width = 4};
    config.prior = ANO_PRIOR_NORMAL;
    for (ano_gan_loss loss = ANO_GAN_LOSS_BCE; loss <= ANO_GAN_LOSS_WASSERSTEIN; loss++)
        for (int i = 0; i < 2; i++) {
            const folder whole = temporary_folder(), stopped = temporary_folder();
            config.method = i == 0 ? ANO_METHOD_FC : ANO_METHOD_ENCODER;
            ano_train_options options = all_of_gans(&whole, loss);
            train_model(&config, &options, ANO_OK);
            options.run_dir = stopped.path;
            options.callback = stop_in_second_epoch;
            train_model(&config, &options, ANO_CANCELLED);
            options.callback = NULL;
            options.resume = true;
            train_model(&config, &options, ANO_OK);
            assert_same_run(&whole, &stopped);
            remove_folder(&whole);
            remove_folder(&stopped);
        }
}

static void expect_refusal(const ano_model_config *config, const ano_train_options *options,
                           const char *words)
{
    ano_dataset *dataset = bright_squares(NULL);
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_train(&model, dataset, config, options, &err), ANO_ARG);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, err.message);
    ano_dataset_free(dataset);
}

static void resume__refuses_other_options_of_gans_by_name(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_model_config config = small;
    ano_train_options options = all_of_gans(&run, ANO_GAN_LOSS_BCE);
    train(&options, ANO_OK);
    options.resume = true;
    ano_train_options other = options;
    other.label_smoothing = 0;
    other.gan_loss = ANO_GAN_LOSS_HINGE;
    expect_refusal(&config, &other, "gan_loss was 1 and is now 2");
    other = options;
    other.label_smoothing = 0.25;
    expect_refusal(&config, &other, "label_smoothing was 0.1");
    other = options;
    other.spectral_norm = false;
    expect_refusal(&config, &other, "spectral_norm was true and is now false");
    other = options;
    other.average = 0.5;
    expect_refusal(&config, &other, "average was 0.9");
    config.prior = ANO_PRIOR_NORMAL;
    expect_refusal(&config, &options, "the model's prior was \"uniform\" and is now \"normal\"");
    remove_folder(&run);
}

static void training__refuses_options_that_are_not_of_its_method(void **state)
{
    (void)state;
    const ano_train_options usual = ANO_TRAIN_OPTIONS_INIT;
    ano_model_config config = small;
    ano_train_options options = usual;
    for (ano_method method = ANO_METHOD_PATCH; method <= ANO_METHOD_VAE; method++) {
        config.method = method;
        options = usual;
        options.gan_loss = ANO_GAN_LOSS_BCE;
        expect_refusal(&config, &options, "the loss of a GAN is for methods that train a GAN");
        options = usual;
        options.label_smoothing = 0.1;
        expect_refusal(&config, &options, "label smoothing is for");
        options = usual;
        options.spectral_norm = true;
        expect_refusal(&config, &options, "spectral norm is for");
        options = usual;
        options.average = 0.9;
        expect_refusal(&config, &options, "an average of the generator is for");
    }
    config.prior = ANO_PRIOR_UNIFORM;
    expect_refusal(&config, &usual, "prior is uniform, but that of vae is normal");
    config.method = ANO_METHOD_PATCH;
    expect_refusal(&config, &usual, "prior: patch has no latent vectors");
    config.method = ANO_METHOD_ENCODER;
    options = usual;
    options.label_smoothing = 0.1;
    expect_refusal(&config, &options, "label smoothing is for the loss bce");
    options = usual;
    options.average = 1;
    expect_refusal(&config, &options, "the average's decay is 1");
}

static void training__does_not_resume_an_encoder_for_another_loss(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_train_options options = two_epochs(&run);
    train_model(&encoding, &options, ANO_OK);
    options.resume = true;
    options.encoding = ANO_ENCODING_ZIZ;
    train_model(&encoding, &options, ANO_ARG);
    remove_folder(&run);
}

typedef struct killed_run {
    const folder *run, *copy;
} killed_run;

/* Copies what a process killed now would leave behind. */
static int copy_in_second_epoch(const ano_train_event *event, void *cookie)
{
    const killed_run *killed = cookie;
    if (event->epoch == 2 && event->step == 2 && event->ended == NULL) {
        char command[256];
        snprintf(command, sizeof command, "cp -r '%s/.' '%s'", killed->run->path,
                 killed->copy->path);
        assert_int_equal(system(command), 0);
    }
    return 0;
}

static void training__killed_and_resumed_ends_as_if_never_killed(void **state)
{
    (void)state;
    const folder whole = temporary_folder(), killed = temporary_folder();
    ano_train_options options = two_epochs(&whole);
    options.callback = copy_in_second_epoch;
    options.cookie = &(killed_run){&whole, &killed};
    train(&options, ANO_OK);
    options = two_epochs(&killed);
    options.resume = true;
    train(&options, ANO_OK);
    assert_same_run(&whole, &killed);
    remove_folder(&whole);
    remove_folder(&killed);
}

static void resume__refuses_another_run_by_name_of_what_differs(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_train_options options = two_epochs(&run);
    train(&options, ANO_OK);
    options.resume = true;
    options.batch = 8;
    ano_dataset *dataset = bright_squares(NULL);
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    assert_int_equal(ano_train(&model, dataset, &small, &options, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "batch was 16 and is now 8"));

    options.batch = BATCH;
    options.cache = 1;
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(ano_train(&model, dataset, &small, &options, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "cache was 1073741824 and is now 1"));

    options.cache = 1 << 30;
    options.augment.shift = 0.25;
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(ano_train(&model, dataset, &small, &options, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "shift was 0.0 and is now 0.25"));

    options.augment.shift = 0;
    ano_dataset *rest, *held_out;
    assert_int_equal(ano_dataset_split(&rest, &held_out, dataset, 2, 0, NULL), ANO_OK);
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(ano_train(&model, rest, &small, &options, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "training images were others"));
    ano_dataset_free(rest);
    ano_dataset_free(held_out);
    ano_dataset_free(dataset);

    /* Tiles as large as the images are the same images, but not the same model. */
    dataset = bright_squares(&(ano_view){.size = SIZE, .channels = 1, .stride = 4});
    err = (ano_error)ANO_ERROR_INIT;
    assert_int_equal(ano_train(&model, dataset, &small, &options, &err), ANO_ARG);
    assert_non_null(strstr(err.message, "the images' stride was 0 and is now 4"));
    ano_dataset_free(dataset);
    remove_folder(&run);
}

static void training__stops_at_what_is_not_finite_and_names_it(void **state)
{
    (void)state;
    const folder run = temporary_folder();
    ano_dataset *dataset = bright_squares(NULL);
    ano_model *model;
    ano_error err = ANO_ERROR_INIT;
    ano_train_options options = two_epochs(&run);
    options.learning_rate = 1e30;
    assert_int_equal(ano_train(&model, dataset, &small, &options, &err), ANO_NUMERIC);
    /* The discriminator's weights are beyond 1e29 after its first update. */
    assert_non_null(strstr(err.message, "epoch 1, step 1: the generator broke down first: the "
                                        "gradient of conv_2."));
    assert_non_null(strstr(err.message, "the last good checkpoint is kept"));
    ano_dataset_free(dataset);
    remove_folder(&run);
}

static int count_allocations(const ano_train_event *event, void *cookie)
{
    size_t *counts = cookie;
    if (event->epoch == 2 && event->ended == NULL)
        counts[event->step] = allocations;
    return 0;
}

static void training__allocates_nothing_in_its_steps(void **state)
{
    (void)state;
    size_t counts[N_IMAGES / BATCH + 1] = {0};
    const folder run = temporary_folder();
    ano_train_options options = two_epochs(&run);
    options.callback = count_allocations;
    options.cookie = counts;
    train(&options, ANO_OK);
    assert_true(counts[1] > 0);
    for (size_t step = 2; step <= N_IMAGES / BATCH; step++)
        assert_int_equal(counts[step], counts[1]);
    remove_folder(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training__gives_the_same_bytes_for_the_same_seed),
        cmocka_unit_test(training__stopped_and_resumed_ends_as_if_never_stopped),
        cmocka_unit_test(training__on_streamed_tiles_resumes_to_the_bit),
        cmocka_unit_test(training__can_be_stopped_while_it_looks_at_the_images),
        cmocka_unit_test(training__by_winograd_repeats_and_resumes_to_the_bit),
        cmocka_unit_test(training__by_fft_repeats_and_resumes_to_the_bit),
        cmocka_unit_test(training__of_an_encoder_resumes_to_the_bit_in_both_parts),
        cmocka_unit_test(training__with_all_that_gans_may_have_resumes_to_the_bit),
        cmocka_unit_test(resume__refuses_other_options_of_gans_by_name),
        cmocka_unit_test(training__refuses_options_that_are_not_of_its_method),
        cmocka_unit_test(training__does_not_resume_an_encoder_for_another_loss),
        cmocka_unit_test(training__killed_and_resumed_ends_as_if_never_killed),
        cmocka_unit_test(resume__refuses_another_run_by_name_of_what_differs),
        cmocka_unit_test(training__stops_at_what_is_not_finite_and_names_it),
        cmocka_unit_test(training__allocates_nothing_in_its_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
