/* Runs of a variational autoencoder: that they learn, and go on as if they had never stopped. */
#include "train_runs.h"

#include "model/model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static ano_model_config vae(void)
{
    ano_model_config config = small;
    config.method = ANO_METHOD_VAE;
    return config;
}

static int stop_within_the_second_epoch(const ano_train_event *event, void *cookie)
{
    (void)cookie;
    return event->epoch == 2 && event->step == 1;
}

static void run__that_is_resumed_ends_in_the_bytes_of_one_that_never_stopped(void **state)
{
    (void)state;
    const ano_model_config config = vae();
    folder whole = temporary_folder(), parts = temporary_folder();
    ano_train_options options = two_epochs(&whole);
    train_model(&config, &options, ANO_OK);
    options = two_epochs(&parts);
    options.callback = stop_within_the_second_epoch;
    train_model(&config, &options, ANO_CANCELLED);
    options.callback = NULL;
    options.resume = true;
    train_model(&config, &options, ANO_OK);
    assert_same_file(&whole, &parts, "model.safetensors");
    assert_same_file(&whole, &parts, "weights/encoder_0002.safetensors");
    assert_same_file(&whole, &parts, "weights/generator_0002.safetensors");
    remove_folder(&whole);
    remove_folder(&parts);
}

typedef struct losses {
    double first[ANO_MAX_LOSSES], last[ANO_MAX_LOSSES];
} losses;

static int keep_losses(const ano_train_event *event, void *cookie)
{
    losses *l = cookie;
    for (int i = 0; i < ANO_MAX_LOSSES && event->ended != NULL; i++)
        (event->epoch == 1 ? l->first : l->last)[i] = event->ended->losses[i];
    return 0;
}

static void loss__falls_and_is_the_sum_of_its_parts(void **state)
{
    (void)state;
    const ano_model_config config = vae();
    ano_dataset *dataset = bright_squares(NULL);
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    losses l = {0};
    options.epochs = 12;
    options.batch = BATCH;
    options.learning_rate = 1e-3;
    options.callback = keep_losses;
    options.cookie = &l;
    ano_model *model;
    assert_int_equal(ano_train(&model, dataset, &config, &options, NULL), ANO_OK);
    assert_true(l.last[0] < l.first[0]);
    assert_true(fabs(l.last[0] - l.last[1] - l.last[2]) < 1e-9 * fabs(l.last[0]));
    assert_true(l.last[2] >= 0);
    assert_true(model->variance > 0);
    ano_model_free(model);
    ano_dataset_free(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run__that_is_resumed_ends_in_the_bytes_of_one_that_never_stopped),
        cmocka_unit_test(loss__falls_and_is_the_sum_of_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
