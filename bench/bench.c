/* Speed and memory of what the program spends its life on, in one run, against the fused
 * multiply-adds that this machine was measured to do in the same run:
 *
 *   bench [--json] [--direct] [--size N] [--channels N] [--width N] [--steps N] [--images N]
 *         [--lbfgs] [--iterations N] [--threads N] [layers] [epoch] [critic] [search] [score]
 *
 * With none of the five named, all of them. Times are medians of several rounds. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/threads.h"
#include "critic.h"
#include "kernels/kernels.h"
#include "median.h"
#include "model/networks.h"
#include "nn/adam.h"
#include "nn/choose.h"
#include "peak.h"
#include "score.h"
#include "train/gan.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { BATCH = 32, ROUNDS = 5 };

typedef struct settings {
    bool json, layers, epoch, critic, search, score;
    int steps, images, iterations, threads;
    ano_model_config config;
    ano_conv conv;
    ano_search search_by;
} settings;

static void check(ano_status status, const ano_error *err)
{
    if (status == ANO_OK)
        return;
    fprintf(stderr, "bench: %s\n", err->message);
    exit(EXIT_FAILURE);
}

/* ---- layers ------------------------------------------------------------------------------- */

/* Multiply-adds of one image's forward pass. */
static double multiply_adds(const nn_layer *layer)
{
    const double dst = (double)nn_shape_size(layer->dst), k = layer->kernel;
    switch (layer->kind) {
    case NN_DENSE:
        return dst * (double)nn_shape_size(layer->src);
    case NN_CONV:
        return dst * k * k * layer->src.c;
    case NN_CONV_TRANSPOSED:
        return dst * layer->src.c;
    default:
        return 0;
    }
}

static double net_multiply_adds(const nn_net *net)
{
    double sum = 0;
    for (int i = 0; i < net->n_layers; i++)
        sum += multiply_adds(&net->layers[i]);
    return sum;
}

enum { MAX_TOGETHER = 2 };

/* How many layers from number i on are computed as one. */
static int layers_together(const nn_net *net, int i)
{
    if (i + 1 == net->n_layers)
        return 1;
    const nn_layer *layers = &net->layers[i];
    const bool activated = layers[0].kind == NN_BATCH_NORM && layers[1].kind == NN_LEAKY_RELU;
    return activated || layers[1].method == NN_CONV_COMPOSED ? 2 : 1;
}

/* Seconds of a forward and, where `uses` has a gradient, of a backward pass over n layers alone. */
static void time_layers(double *forward, double *backward, const nn_layer *layers, int n, int batch,
                        unsigned uses)
{
    ano_error err = ANO_ERROR_INIT;
    nn_layer_spec specs[MAX_TOGETHER] = {0};
    for (int i = 0; i < n; i++)
        specs[i] = (nn_layer_spec){.kind = layers[i].kind,
                                   .name = layers[i].name,
                                   .channels = layers[i].dst.c,
                                   .kernel = layers[i].kernel,
                                   .slope = layers[i].slope,
                                   .shape = layers[i].dst};
    nn_net *net;
    nn_pass *pass;
    check(nn_net_create(&net, layers[0].src, specs, n, &err), &err);
    for (int i = 0; i < n; i++)
        net->layers[i].method = layers[i].method;
    nn_net_initialise(net, 0, BASE_PURPOSE_TEST);
    check(nn_pass_create(&pass, net, batch, uses, &err), &err);
    const size_t n_src = (size_t)batch * nn_shape_size(net->src);
    const size_t n_dst = (size_t)batch * nn_shape_size(net->dst);
    float *src = base_alloc(n_src, sizeof(float)), *diff = base_alloc(n_dst, sizeof(float));
    float *gradients = base_alloc(net->n_parameters, sizeof(float));
    base_random_uniform(src, n_src, -1, 1, (base_random){0, BASE_PURPOSE_TEST, 1});
    base_random_uniform(diff, n_dst, -1, 1, (base_random){0, BASE_PURPOSE_TEST, 2});
    double forwards[ROUNDS], backwards[ROUNDS];
    const float *out;
    for (int round = -1; round < ROUNDS; round++) { /* the first is not counted */
        double start = base_seconds();
        check(nn_pass_forward(&out, pass, src, &err), &err);
        forwards[round < 0 ? 0 : round] = base_seconds() - start;
        start = base_seconds();
        if (uses & (NN_DATA_GRADIENT | NN_WEIGHT_GRADIENTS))
            check(nn_pass_backward(&out, pass, diff, uses & NN_WEIGHT_GRADIENTS ? gradients : NULL,
                                   &err),
                  &err);
        backwards[round < 0 ? 0 : round] = base_seconds() - start;
    }
    *forward = median(forwards, ROUNDS);
    *backward = median(backwards, ROUNDS);
    base_free(src);
    base_free(diff);
    base_free(gradients);
    nn_pass_free(pass);
    nn_net_free(net);
}

static void print_cell(const settings *s, const char *pass, double seconds, double operations,
                       double peak)
{
    const double rate = operations / seconds;
    if (s->json)
        printf(", \"%s\": {\"milliseconds\": %.4f, \"gflops\": %.2f, \"of_peak\": %.4f}", pass,
               1e3 * seconds, rate / 1e9, rate / peak);
    else if (operations > 0)
        printf(" %8.2f ms %5.0f %3.0f %%", 1e3 * seconds, rate / 1e9, 100 * rate / peak);
    else
        printf(" %8.2f ms            ", 1e3 * seconds);
}

/* Layer i of the net, with the one after it where the two are computed as one. */
static void bench_layer(const settings *s, double peak, const nn_net *net, int i,
                        const char *net_name, int batch, const char *separator)
{
    const nn_layer *layers = &net->layers[i];
    const int n = layers_together(net, i);
    double operations = 0, forward, data, weights;
    for (int k = 0; k < n; k++)
        operations += 2 * batch * multiply_adds(&layers[k]);
    char name[64];
    snprintf(name, sizeof name, "%s.%s%s%s", net_name, layers[0].name, n > 1 ? " + " : "",
             n > 1 ? layers[1].name : "");
    if (s->json)
        printf("%s{\"name\": \"%s\", \"batch\": %d", separator, name, batch);
    else
        printf("%-44s", name);
    time_layers(&forward, &data, layers, n, batch, NN_TRAINING | NN_DATA_GRADIENT);
    print_cell(s, "forward", forward, operations, peak);
    print_cell(s, "data_gradient", data, operations, peak);
    if (layers[0].n_tensors > 0) {
        time_layers(&forward, &weights, layers, n, batch, NN_TRAINING | NN_WEIGHT_GRADIENTS);
        print_cell(s, "weight_gradient", weights, operations, peak);
    }
    printf(s->json ? "}" : "\n");
}

static void bench_layers(const settings *s, double peak)
{
    ano_error err = ANO_ERROR_INIT;
    nn_net *nets[2];
    check(model_generator_create(&nets[0], &s->config, &err), &err);
    check(model_discriminator_create(&nets[1], &s->config, &err), &err);
    for (int n = 0; n < 2; n++)
        check(nn_choose_methods(nets[n], s->conv, BATCH, &err), &err);
    if (s->json)
        printf(", \"layers\": [");
    else
        printf("\n%-40s %24s %24s %24s\n", "layer, each alone (ms, GFLOPS, % of peak)", "forward",
               "data gradient", "weight gradient");
    for (int n = 0; n < 2; n++)
        for (int i = 0; i < nets[n]->n_layers; i += layers_together(nets[n], i))
            if (nets[n]->layers[i].kind != NN_RESHAPE)
                bench_layer(s, peak, nets[n], i, n == 0 ? "generator" : "discriminator",
                            n == 0 ? BATCH : 2 * BATCH, /* as in a training step */
                            n + i > 0 ? ", " : "");
    if (s->json)
        printf("]");
    nn_net_free(nets[0]);
    nn_net_free(nets[1]);
}

/* ---- an epoch ----------------------------------------------------------------------------- */

/* What a step costs without any algorithm: D over 2B images forward and for its weights' gradients,
 * then over B forward and back; G twice forward and once back with its weights' gradients. */
static double step_multiply_adds(const nn_net *generator, const nn_net *discriminator)
{
    const double g = net_multiply_adds(generator), d = net_multiply_adds(discriminator);
    const double d_first = multiply_adds(&discriminator->layers[0]);
    const double g_first = multiply_adds(&generator->layers[0]);
    return BATCH * (2 * (d + d + d - d_first) + 2 * d + g + g + 2 * g - g_first);
}

static void bench_epoch(const settings *s, double peak)
{
    ano_error err = ANO_ERROR_INIT;
    ano_model *model;
    train_weights weights;
    train_gan *gan;
    ano_train_options options = ANO_TRAIN_OPTIONS_INIT;
    options.batch = BATCH;
    nn_adam adam[MODEL_GAN_NETWORKS];
    check(ano_model_create(&model, &s->config, 0, &err), &err);
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++) {
        nn_net *net = model->networks[i];
        check(nn_adam_init(&adam[i], net->n_parameters, 2e-4, 0.5, 0.999, &err), &err);
        check(nn_choose_methods(net, s->conv, BATCH, &err), &err);
    }
    check(train_weights_init(&weights, model, &options, &err), &err);
    check(train_gan_create(&gan, &weights, adam, &options, &err), &err);
    const size_t n_latents = BATCH * (size_t)s->config.latent;
    const size_t n_pixels = BATCH * nn_shape_size(model->networks[ANO_GENERATOR]->dst);
    float *z = base_alloc(2 * n_latents, sizeof(float));
    base_random_uniform(train_gan_images(gan), n_pixels, -1, 1,
                        (base_random){0, BASE_PURPOSE_TEST, 0});
    double start = 0;
    for (int i = -1; i < s->steps; i++) { /* the first is not counted */
        base_random_uniform(z, 2 * n_latents, -1, 1,
                            (base_random){(uint64_t)i, BASE_PURPOSE_TEST, 1});
        train_gan_result result;
        if (i == 0)
            start = base_seconds();
        check(train_gan_run_by(&result, gan, z, z + n_latents, 0, &err), &err);
    }
    const double seconds = base_seconds() - start;
    const double direct =
        2 * s->steps *
        step_multiply_adds(model->networks[ANO_GENERATOR], model->networks[ANO_DISCRIMINATOR]) /
        peak;
    if (s->json)
        printf(", \"epoch\": {\"steps\": %d, \"batch\": %d, \"seconds\": %.4f, "
               "\"of_direct\": %.4f}",
               s->steps, BATCH, seconds, seconds / direct);
    else
        printf("\nepoch: %d steps of %d in %.2f s, %.0f images a second; %.2f × its direct "
               "multiply-adds at the peak\n",
               s->steps, BATCH, seconds, s->steps * BATCH / seconds, seconds / direct);
    base_free(z);
    train_gan_free(gan);
    train_weights_clear(&weights);
    for (int i = 0; i < MODEL_GAN_NETWORKS; i++)
        nn_adam_clear(&adam[i]);
    ano_model_free(model);
}

/* ---- a search ----------------------------------------------------------------------------- */

static void bench_search(const settings *s, double peak)
{
    ano_error err = ANO_ERROR_INIT;
    ano_model *model;
    ano_dataset *dataset;
    const ano_shape shape = {s->config.size, s->config.size, s->config.channels};
    const size_t n = (size_t)s->images;
    const size_t n_pixels = n * (size_t)(shape.height * shape.width * shape.channels);
    uint8_t *pixels = base_alloc(n_pixels, 1);
    float *scores = base_alloc(n, sizeof(float));
    for (size_t i = 0; i < n_pixels; i++)
        pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    check(ano_model_create(&model, &s->config, 0, &err), &err);
    check(ano_dataset_from_pixels(&dataset, pixels, n, shape, NULL, &err), &err);
    ano_score_options options = ANO_SCORE_OPTIONS_INIT;
    options.search = s->search_by;
    options.iterations = s->iterations;
    options.restarts = 1;
    options.threads = s->threads;
    const double start = base_seconds();
    check(ano_score(scores, NULL, NULL, model, dataset, &options, &err), &err);
    const double seconds = base_seconds() - start;
    const nn_net *generator = model->networks[ANO_GENERATOR];
    const double unfolded = 2 * 2 * net_multiply_adds(generator) * s->iterations * (double)n / peak;
    if (s->json)
        printf(", \"search\": {\"images\": %d, \"iterations\": %d, \"seconds\": %.4f, "
               "\"of_unfolded\": %.4f}",
               s->images, s->iterations, seconds, seconds / unfolded);
    else
        printf("\nsearch: %d images × %d iterations in %.2f s, %.1f ms an image; %.2f × their "
               "unfolded multiply-adds at the peak\n",
               s->images, s->iterations, seconds, 1e3 * seconds / (double)n, seconds / unfolded);
    base_free(pixels);
    base_free(scores);
    ano_dataset_free(dataset);
    ano_model_free(model);
}

static int positive(const char *text)
{
    char *end;
    const long value = strtol(text, &end, 10);
    if (*end != '\0' || value < 1 || value > 1000000) {
        fprintf(stderr, "bench: %s is no whole number from 1 to 1000000\n", text);
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv)
{
    settings s = {.steps = 210, .images = 100, .iterations = 300, .config = ANO_MODEL_CONFIG_INIT};
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"steps", required_argument, NULL, 's'},
                                            {"images", required_argument, NULL, 'n'},
                                            {"iterations", required_argument, NULL, 'i'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"direct", no_argument, NULL, 'd'},
                                            {"lbfgs", no_argument, NULL, 'l'},
                                            {"size", required_argument, NULL, 'z'},
                                            {"channels", required_argument, NULL, 'c'},
                                            {"width", required_argument, NULL, 'w'},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'j':
            s.json = true;
            break;
        case 'd':
            s.conv = ANO_CONV_DIRECT;
            break;
        case 'l':
            s.search_by = ANO_SEARCH_LBFGS;
            break;
        case 'z':
            s.config.size = positive(optarg);
            break;
        case 'c':
            s.config.channels = positive(optarg);
            break;
        case 'w':
            s.config.base_width = positive(optarg);
            break;
        case 's':
            s.steps = positive(optarg);
            break;
        case 'n':
            s.images = positive(optarg);
            break;
        case 'i':
            s.iterations = positive(optarg);
            break;
        case 't':
            s.threads = positive(optarg);
            break;
        default:
            return 2;
        }
    }
    for (int i = optind; i < argc; i++) {
        s.layers |= strcmp(argv[i], "layers") == 0;
        s.epoch |= strcmp(argv[i], "epoch") == 0;
        s.critic |= strcmp(argv[i], "critic") == 0;
        s.search |= strcmp(argv[i], "search") == 0;
        s.score |= strcmp(argv[i], "score") == 0;
    }
    if (!s.layers && !s.epoch && !s.critic && !s.search && !s.score)
        s.layers = s.epoch = s.critic = s.search = s.score = true;
    ano_error err = ANO_ERROR_INIT;
    base_threads_enter(s.threads);
    const double peak = peak_measure();
    printf(s.json ? "{\"threads\": %d, \"kernels\": \"%s\", \"peak_gflops\": %.1f"
                  : "%d threads, %s kernels, %.0f GFLOPS of fused multiply-adds at the peak\n",
           base_threads(), kernels_get()->name, peak / 1e9);
    if (s.epoch)
        bench_epoch(&s, peak);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (s.epoch)
        printf(s.json ? ", \"peak_megabytes\": %.1f" : "peak memory of training: %.1f MB\n",
               (double)usage.ru_maxrss / 1024);
    if (s.critic)
        check(critic_measure(s.json, &s.config, s.conv, BATCH, &err), &err);
    if (s.search)
        bench_search(&s, peak);
    if (s.score)
        check(score_measure(s.json, s.threads, &err), &err);
    if (s.layers)
        bench_layers(&s, peak);
    printf(s.json ? "}\n" : "");
    return 0;
}
