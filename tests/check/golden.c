/* The engine, the training step and the latent search against what Keras computes: the goldens that
 * tests/golden/make_goldens.py made and describes. Usage: golden FOLDER, that of the goldens.
 *
 * Tolerances are shares of the greatest number of a tensor: check_net_error() of the networks that
 * the number came through. That holds where activations stay on the same side of the kinks of leaky
 * ReLU and max pool in float as in double. Those of the small networks do; of the million of the
 * real ones some few do not, whatever the program, and each such changes the gradients of all that
 * it touches: there the distance of the tensor's sample from the golden's is compared with the
 * golden's length. */
#include "check.h"
#include "detect/latent.h"
#include "formula.h"
#include "goldens.h"
#include "model/model.h"
#include "nn/choose.h"
#include "train/step.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { STEPS = 10, SAMPLE = 64, SEARCHED = 2, ITERATIONS = 10, NAME_SIZE = 128 };
static const double TRAINING_RATE = 2e-4, SEARCH_RATE = 1e-3;

/* Of a change by ten steps of Adam, which scales a gradient by its own size, however much of a
 * small one is rounding; and of the real networks' gradients, changes and losses, for the kinks. */
static const double CHANGE_ERROR = 0.03;
static const double REAL_GRADIENT_ERROR = 0.05, REAL_CHANGE_ERROR = 0.3, REAL_LOSS_ERROR = 0.005;

/* As CONFIGS in make_goldens.py. */
static const struct {
    const char *name;
    ano_model_config model;
    int batch;
} configs[] = {{"small", {12, 3, 7, 8, ANO_METHOD_FC}, 5},
               {"real", {28, 1, 30, 64, ANO_METHOD_FC}, 8}};
enum { N_CONFIGS = sizeof configs / sizeof *configs };

static const char *folder;

/* A model with the formula's numbers beside its goldens. */
typedef struct subject {
    const char *config;
    format_safetensors *goldens;
    ano_model *model;
    int batch, latent, image; /* sizes */
    double error[MODEL_GAN_NETWORKS];
} subject;

static subject create(int i)
{
    subject s = {.config = configs[i].name, .batch = configs[i].batch};
    ano_error err = ANO_ERROR_INIT;
    s.goldens = goldens_open(folder, s.config);
    if (model_create(&s.model, &configs[i].model, &err) != ANO_OK)
        fail_msg("%s", err.message);
    for (int k = 0; k < MODEL_GAN_NETWORKS; k++) {
        formula_fill_net(s.model->networks[k], ano_network_name((ano_network)k));
        s.error[k] = check_net_error(s.model->networks[k], s.batch);
    }
    s.latent = configs[i].model.latent;
    s.image = (int)nn_shape_size(s.model->networks[ANO_GENERATOR]->dst);
    return s;
}

static void end(subject *s)
{
    format_safetensors_free(s->goldens);
    ano_model_free(s->model);
}

static const format_tensor *find(const subject *s, const char *name)
{
    for (size_t i = 0; i < format_safetensors_count(s->goldens); i++) {
        const format_tensor *tensor = format_safetensors_at(s->goldens, i);
        if (strcmp(tensor->name, name) == 0)
            return tensor;
    }
    return NULL;
}

/* The numbers of the golden "name" or "name.part" as doubles, freed by the caller; n of them. */
static double *golden(const subject *s, const char *name, const char *part, int *n)
{
    char full[2 * NAME_SIZE];
    snprintf(full, sizeof full, "%s%s%s", name, part != NULL ? "." : "", part != NULL ? part : "");
    const format_tensor *tensor = find(s, full);
    if (tensor == NULL)
        fail_msg("%s: there is no golden %s", s->config, full);
    *n = 1;
    for (int i = 0; i < tensor->n_dims; i++)
        *n *= (int)tensor->dims[i];
    double *numbers = check_doubles(*n);
    check_widen(numbers, tensor->data, *n);
    return numbers;
}

/* got [n] against the golden of that name, whole; each may be off by `allowed`. */
static void compare(const subject *s, const char *name, const float *got, int n, double allowed)
{
    int n_expected;
    double *expected = golden(s, name, NULL, &n_expected), *tolerance = check_doubles(n);
    char what[2 * NAME_SIZE];
    snprintf(what, sizeof what, "%s: %s", s->config, name);
    if (n != n_expected)
        fail_msg("%s: the golden has %d numbers, expected %d", what, n_expected, n);
    for (int i = 0; i < n; i++)
        tolerance[i] = allowed;
    check_close(what, got, expected, tolerance, n);
    free(expected);
    free(tolerance);
}

/* Whether the goldens hold a sample of the tensor and its norm in place of every number. */
static bool is_sampled(const subject *s, const char *name)
{
    return find(s, name) == NULL;
}

static void tensor_name(char name[NAME_SIZE], const char *prefix, ano_network network,
                        const nn_tensor *tensor)
{
    snprintf(name, NAME_SIZE, "%s.%s.%s", prefix, ano_network_name(network), tensor->name);
}

/* The greatest number of the golden, or of its sample. */
static double greatest(const subject *s, const char *name)
{
    int n;
    double *numbers = golden(s, name, is_sampled(s, name) ? "sample" : NULL, &n);
    const double result = check_greatest(numbers, n);
    free(numbers);
    return result;
}

/* What an error in a layer's tensor is measured by: the tensor's greatest number. A bias before
 * batch norm has no gradient but for rounding; it is measured by the greatest of its layer. */
static double scale_of(const subject *s, const char *prefix, ano_network network,
                       const nn_layer *layer, const nn_tensor *tensor)
{
    static const double ROUNDING_ALONE = 1e-9;
    const nn_tensor *tensors = &s->model->networks[network]->tensors[layer->first_tensor];
    char name[NAME_SIZE];
    double own = 0, scale = 0;
    for (int i = 0; i < layer->n_tensors; i++) {
        if (tensors[i].trainable != tensor->trainable)
            continue;
        tensor_name(name, prefix, network, &tensors[i]);
        const double value = greatest(s, name);
        scale = fmax(scale, value);
        if (&tensors[i] == tensor)
            own = value;
    }
    return own > ROUNDING_ALONE * scale ? own : scale;
}

static double length(const double *numbers, int n)
{
    double square = 0;
    for (int i = 0; i < n; i++)
        square += numbers[i] * numbers[i];
    return sqrt(square);
}

/* got [n] against a sample and a norm; the distance from them may be `error` of their length, or of
 * `scale`, where that is more. */
static void compare_sample(const subject *s, const char *name, const float *got, int n,
                           double scale, double error)
{
    int n_sample, n_norm;
    double *sample = golden(s, name, "sample", &n_sample), *norm = golden(s, name, "norm", &n_norm);
    if (n_sample != SAMPLE || n_norm != 1)
        fail_msg("%s: the golden %s is no sample of %d numbers", s->config, name, SAMPLE);
    double difference[SAMPLE], *wide = check_doubles(n);
    check_widen(wide, got, n);
    for (size_t i = 0; i < SAMPLE; i++)
        difference[i] = wide[formula_hash(name, i) % (size_t)n] - sample[i];
    const double distance = length(difference, SAMPLE), got_norm = length(wide, n);
    const double expected = fmax(length(sample, SAMPLE), scale);
    if (!(distance <= error * expected))
        fail_msg("%s: %s: a sample of length %.6g is %.3g away, allowed are %.3g", s->config, name,
                 length(sample, SAMPLE), distance, error * expected);
    if (!(fabs(got_norm - *norm) <= error / 10 * fmax(*norm, scale)))
        fail_msg("%s: %s: its norm is %.6g, expected %.6g", s->config, name, got_norm, *norm);
    free(sample);
    free(norm);
    free(wide);
}

/* Numbers laid out as a network's parameters (trainable) or statistics against the goldens
 * "prefix.generator.conv_1.kernel" …, with the errors allowed where these are whole and where they
 * are samples. */
static void compare_tensors(const subject *s, const char *prefix, ano_network network,
                            const float *numbers, bool trainable, double error, double real_error)
{
    const nn_net *net = s->model->networks[network];
    for (int i = 0; i < net->n_layers; i++) {
        const nn_layer *layer = &net->layers[i];
        for (int k = layer->first_tensor; k < layer->first_tensor + layer->n_tensors; k++) {
            const nn_tensor *tensor = &net->tensors[k];
            if (tensor->trainable != trainable)
                continue;
            const double scale = scale_of(s, prefix, network, layer, tensor);
            const float *got = numbers + tensor->offset;
            char name[NAME_SIZE];
            tensor_name(name, prefix, network, tensor);
            if (is_sampled(s, name))
                compare_sample(s, name, got, (int)tensor->size, scale, real_error);
            else
                compare(s, name, got, (int)tensor->size, error * scale);
        }
    }
}

static float *formula(const char *name, int n)
{
    float *numbers = check_floats(n);
    formula_numbers(numbers, (size_t)n, name, 1, 0);
    return numbers;
}

/* ---- forwards ----------------------------------------------------------------------------- */

static void check_forward(const subject *s, const char *name, ano_network network, unsigned uses,
                          const float *src)
{
    const nn_net *net = s->model->networks[network];
    ano_error err = ANO_ERROR_INIT;
    nn_pass *pass;
    const float *dst;
    if (nn_pass_create(&pass, net, s->batch, uses, &err) != ANO_OK ||
        nn_pass_forward(&dst, pass, src, &err) != ANO_OK)
        fail_msg("%s", err.message);
    compare(s, name, dst, s->batch * (int)nn_shape_size(net->dst),
            s->error[network] * greatest(s, name));
    nn_pass_free(pass);
}

static void forwards__are_those_of_keras(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        subject s = create(i);
        float *z = formula("forward.z", s.batch * s.latent);
        float *images = formula("forward.images", s.batch * s.image);
        check_forward(&s, "forward.inference", ANO_GENERATOR, 0, z);
        check_forward(&s, "forward.training", ANO_GENERATOR, NN_TRAINING, z);
        check_forward(&s, "forward.logits", ANO_DISCRIMINATOR, 0, images);
        free(z);
        free(images);
        end(&s);
    }
}

/* ---- training ----------------------------------------------------------------------------- */

static void run_step(train_step_result *result, const subject *s, train_step *step, int number)
{
    char name[NAME_SIZE];
    ano_error err = ANO_ERROR_INIT;
    snprintf(name, sizeof name, "training.images.%d", number);
    formula_numbers(train_step_real(step), (size_t)(s->batch * s->image), name, 1, 0);
    snprintf(name, sizeof name, "training.z_d.%d", number);
    float *z_d = formula(name, s->batch * s->latent);
    snprintf(name, sizeof name, "training.z_g.%d", number);
    float *z_g = formula(name, s->batch * s->latent);
    if (train_step_run(result, step, z_d, z_g, &err) != ANO_OK)
        fail_msg("%s", err.message);
    free(z_d);
    free(z_g);
}

/* What training has added to a network's numbers, against the goldens. */
static void compare_change(const subject *s, ano_network network)
{
    nn_net *net = s->model->networks[network];
    float *parameters = check_floats((int)net->n_parameters);
    float *statistics = check_floats((int)net->n_statistics);
    memcpy(parameters, net->parameters, net->n_parameters * sizeof *parameters);
    memcpy(statistics, net->statistics, net->n_statistics * sizeof *statistics);
    formula_fill_net(net, ano_network_name(network));
    for (size_t i = 0; i < net->n_parameters; i++)
        parameters[i] -= net->parameters[i];
    for (size_t i = 0; i < net->n_statistics; i++)
        statistics[i] -= net->statistics[i];
    compare_tensors(s, "change", network, parameters, true, CHANGE_ERROR, REAL_CHANGE_ERROR);
    compare_tensors(s, "change", network, statistics, false, CHANGE_ERROR, CHANGE_ERROR);
    free(parameters);
    free(statistics);
}

static void check_training(int i, ano_conv conv)
{
    subject s = create(i);
    nn_adam adam[MODEL_GAN_NETWORKS];
    for (int k = 0; k < MODEL_GAN_NETWORKS; k++) {
        nn_net *net = s.model->networks[k];
        assert_int_equal(nn_adam_init(&adam[k], net->n_parameters, TRAINING_RATE, 0.5, 0.999, NULL),
                         ANO_OK);
        assert_int_equal(nn_choose_methods(net, conv, s.batch, NULL), ANO_OK);
    }
    train_step *step;
    assert_int_equal(train_step_create(&step, s.model, adam, s.batch, NULL), ANO_OK);
    const double error = s.error[ANO_GENERATOR] + s.error[ANO_DISCRIMINATOR];
    float losses[2 * STEPS];
    for (int number = 0; number < STEPS; number++) {
        train_step_result result;
        run_step(&result, &s, step, number);
        losses[2 * number] = (float)result.d_loss;
        losses[2 * number + 1] = (float)result.g_loss;
        if (number > 0)
            continue;
        for (int k = 0; k < MODEL_GAN_NETWORKS; k++)
            compare_tensors(&s, "gradient", (ano_network)k,
                            train_step_gradients(step, (ano_network)k), true, error,
                            REAL_GRADIENT_ERROR);
        compare_tensors(&s, "first_step", ANO_GENERATOR,
                        s.model->networks[ANO_GENERATOR]->statistics, false, error, error);
    }
    compare(&s, "training.losses", losses, 2 * STEPS,
            is_sampled(&s, "change.generator.dense.kernel") ? REAL_LOSS_ERROR : error);
    for (int k = 0; k < MODEL_GAN_NETWORKS; k++) {
        compare_change(&s, (ano_network)k);
        nn_adam_clear(&adam[k]);
    }
    train_step_free(step);
    end(&s);
}

static void training__is_that_of_keras(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        check_training(i, ANO_CONV_DIRECT);
        check_training(i, ANO_CONV_WINOGRAD);
        check_training(i, ANO_CONV_FFT);
        check_training(i, ANO_CONV_AUTO);
    }
}

/* ---- the latent search -------------------------------------------------------------------- */

static void latent_search__is_that_of_keras(void **state)
{
    (void)state;
    for (int i = 0; i < N_CONFIGS; i++) {
        subject s = create(i);
        const int n_kernel = s.latent * s.latent;
        float *images = check_floats(SEARCHED * s.image), *z0 = formula("search.z0", s.latent);
        float *kernel = check_floats(n_kernel), *kernels = check_floats(SEARCHED * n_kernel);
        float *biases = check_floats(SEARCHED * s.latent);
        formula_numbers(kernel, (size_t)n_kernel, "search.kernel",
                        (float)sqrt(3 / (double)s.latent), 0);
        for (int k = 0; k < SEARCHED; k++) {
            char name[NAME_SIZE];
            snprintf(name, sizeof name, "search.image.%d", k);
            formula_numbers(images + k * s.image, (size_t)s.image, name, 1, 0);
        }
        detect_folded *folded;
        detect_latent_batch *batch;
        const detect_latent_options how = {.iterations = ITERATIONS, .rate = SEARCH_RATE};
        float best[SEARCHED], trace[SEARCHED * ITERATIONS];
        ano_error err = ANO_ERROR_INIT;
        if (detect_folded_create(&folded, s.model->networks[ANO_GENERATOR], &err) != ANO_OK ||
            detect_latent_create(&batch, folded, (size_t)s.latent, (size_t)s.image, SEARCHED, how,
                                 &err) != ANO_OK)
            fail_msg("%s: %s", s.config, err.message);
        for (int k = 0; k < SEARCHED; k++)
            detect_latent_add(batch, images + k * s.image, (detect_latent_start){z0, kernel},
                              (size_t)k, trace + k * ITERATIONS);
        while (!detect_latent_is_empty(batch)) {
            if (detect_latent_step(batch, &err) != ANO_OK)
                fail_msg("%s: %s", s.config, err.message);
            for (detect_latent_found found; detect_latent_take(&found, batch);) {
                const int k = (int)found.id;
                best[k] = found.residual;
                memcpy(kernels + k * n_kernel, found.weights, (size_t)n_kernel * sizeof *kernels);
                memcpy(biases + k * s.latent, found.weights + n_kernel,
                       (size_t)s.latent * sizeof *biases);
            }
        }
        /* A residual sums the errors of as many pixels, which have no reason to add up. A weight is
         * rounded once an iteration, and moved by the rate as the gradient would have it. */
        const double error = s.error[ANO_GENERATOR], residual_error = error * sqrt(s.image);
        const double weight_error = ITERATIONS * (FLT_EPSILON / 2 + SEARCH_RATE * error);
        compare(&s, "search.trace", trace, SEARCHED * ITERATIONS, residual_error);
        compare(&s, "search.best", best, SEARCHED, residual_error);
        compare(&s, "search.kernels", kernels, SEARCHED * n_kernel, weight_error);
        compare(&s, "search.biases", biases, SEARCHED * s.latent, weight_error);
        detect_latent_free(batch);
        detect_folded_free(folded);
        free(images);
        free(z0);
        free(kernel);
        free(kernels);
        free(biases);
        end(&s);
    }
}

int main(int argc, char **argv)
{
    folder = goldens_folder(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwards__are_those_of_keras),
        cmocka_unit_test(training__is_that_of_keras),
        cmocka_unit_test(latent_search__is_that_of_keras),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
