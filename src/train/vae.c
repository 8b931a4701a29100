#include "train/vae.h"

#include "base/memory.h"
#include "nn/gaussian.h"

#include <math.h>

/* The variance that a byte's rounding makes in [-1, 1]: no less is asked for. */
#define LEAST_VARIANCE (2.0 / 255 * 2.0 / 255 / 12)
#define TWO_PI 6.28318530717958648
/* σ² as a multiple of the images' variance; docs/methods.md says how it was chosen. */
#define NOISE 5

struct train_vae {
    ano_model *model;
    nn_adam *adam;
    uint64_t seed;
    size_t batch, latent, image; /* images; numbers of a latent vector and of an image */
    nn_pass *encoder, *decoder;
    float *images;         /* [batch][image] */
    float *noise, *z;      /* [batch][latent] */
    float *diff_code;      /* [batch][2 · latent] */
    float *diff_generated; /* [batch][image] */
    float *gradients[MODEL_NETWORKS];
};

ano_status train_vae_create(train_vae **out, ano_model *model, nn_adam *adam, int batch,
                            uint64_t seed, ano_error *err)
{
    *out = NULL;
    train_vae *v = base_alloc(1, sizeof *v);
    if (v == NULL)
        return base_error_nomem(err, "training step");
    const nn_net *encoder = model->networks[ANO_ENCODER];
    const nn_net *decoder = model->networks[ANO_GENERATOR];
    const size_t n = (size_t)batch;
    *v = (train_vae){.model = model,
                     .adam = adam,
                     .seed = seed,
                     .batch = n,
                     .latent = nn_shape_size(decoder->src),
                     .image = nn_shape_size(decoder->dst)};
    v->images = base_alloc(n * v->image, sizeof(float));
    v->noise = base_alloc(n * v->latent, sizeof(float));
    v->z = base_alloc(n * v->latent, sizeof(float));
    v->diff_code = base_alloc(n * 2 * v->latent, sizeof(float));
    v->diff_generated = base_alloc(n * v->image, sizeof(float));
    v->gradients[ANO_ENCODER] = base_alloc(encoder->n_parameters, sizeof(float));
    v->gradients[ANO_GENERATOR] = base_alloc(decoder->n_parameters, sizeof(float));
    ano_status status = ANO_OK;
    if (v->images == NULL || v->noise == NULL || v->z == NULL || v->diff_code == NULL ||
        v->diff_generated == NULL || v->gradients[ANO_ENCODER] == NULL ||
        v->gradients[ANO_GENERATOR] == NULL)
        status = base_error_nomem(err, "images of a training step");
    if (status == ANO_OK)
        status =
            nn_pass_create(&v->encoder, encoder, batch, NN_TRAINING | NN_WEIGHT_GRADIENTS, err);
    if (status == ANO_OK)
        status = nn_pass_create(&v->decoder, decoder, batch,
                                NN_TRAINING | NN_WEIGHT_GRADIENTS | NN_DATA_GRADIENT, err);
    if (status == ANO_OK)
        *out = v;
    else
        train_vae_free(v);
    return status;
}

void train_vae_free(train_vae *vae)
{
    if (vae == NULL)
        return;
    nn_pass_free(vae->encoder);
    nn_pass_free(vae->decoder);
    base_free(vae->images);
    base_free(vae->noise);
    base_free(vae->z);
    base_free(vae->diff_code);
    base_free(vae->diff_generated);
    for (int i = 0; i < MODEL_NETWORKS; i++)
        base_free(vae->gradients[i]);
    base_free(vae);
}

float *train_vae_images(train_vae *vae)
{
    return vae->images;
}

const float *train_vae_gradients(const train_vae *vae, ano_network network)
{
    return vae->gradients[network];
}

/* σ² of the batch: NOISE times the variance of its images about their mean. */
static double measure_variance(const train_vae *v)
{
    double sum = 0;
    for (size_t k = 0; k < v->image; k++) {
        double mean = 0;
        for (size_t i = 0; i < v->batch; i++)
            mean += (double)v->images[i * v->image + k] / (double)v->batch;
        for (size_t i = 0; i < v->batch; i++) {
            const double distance = (double)v->images[i * v->image + k] - mean;
            sum += distance * distance;
        }
    }
    return NOISE * fmax(sum / (double)(v->batch * v->image), LEAST_VARIANCE);
}

/* -ln p(x|z), the mean over the batch; diff_generated gets its gradient. */
static double compare(train_vae *v, const float *generated, double variance)
{
    const size_t n = v->batch * v->image;
    const float weight = (float)(1 / (variance * (double)v->batch));
    double squares = 0;
    for (size_t i = 0; i < n; i++) {
        const float difference = generated[i] - v->images[i];
        v->diff_generated[i] = weight * difference;
        squares += (double)difference * (double)difference;
    }
    return squares / (2 * variance * (double)v->batch) +
           (double)v->image / 2 * log(TWO_PI * variance);
}

/* Up to the images generated. */
static ano_status encode_and_decode(train_vae_result *result, train_vae *v, const float **code,
                                    const float **generated, ano_error *err)
{
    const ano_status status = nn_pass_forward(code, v->encoder, v->images, err);
    if (status != ANO_OK)
        return status;
    for (size_t i = 0; i < v->batch; i++) {
        const float *of_image = *code + i * 2 * v->latent;
        nn_gaussian_sample(v->z + i * v->latent, of_image, v->noise + i * v->latent, v->latent);
        result->divergence += nn_gaussian_divergence(of_image, v->latent) / (double)v->batch;
    }
    return nn_pass_forward(generated, v->decoder, v->z, err);
}

/* And back to both networks' parameters. */
static ano_status propagate(train_vae *v, const float *code, ano_error *err)
{
    const float *diff_z;
    const ano_status status =
        nn_pass_backward(&diff_z, v->decoder, v->diff_generated, v->gradients[ANO_GENERATOR], err);
    if (status != ANO_OK)
        return status;
    for (size_t i = 0; i < v->batch; i++)
        nn_gaussian_backward(v->diff_code + i * 2 * v->latent, diff_z + i * v->latent,
                             code + i * 2 * v->latent, v->noise + i * v->latent, v->latent,
                             1 / (float)v->batch);
    return nn_pass_backward(NULL, v->encoder, v->diff_code, v->gradients[ANO_ENCODER], err);
}

static void update(train_vae *v, double variance)
{
    static const ano_network trained[] = {ANO_ENCODER, ANO_GENERATOR};
    for (size_t i = 0; i < sizeof trained / sizeof *trained; i++)
        nn_adam_step(&v->adam[trained[i]], v->model->networks[trained[i]]->parameters,
                     v->gradients[trained[i]]);
    double *moving = &v->model->variance;
    const double momentum = *moving > 0 ? (double)NN_BATCH_NORM_MOMENTUM : 0;
    *moving = momentum * *moving + (1 - momentum) * variance;
}

ano_status train_vae_run(train_vae_result *result, train_vae *vae, uint64_t step, ano_error *err)
{
    *result = (train_vae_result){0};
    base_random_normal(vae->noise, vae->batch * vae->latent,
                       (base_random){vae->seed, BASE_PURPOSE_VAE, step});
    const float *code, *generated;
    ano_status status = encode_and_decode(result, vae, &code, &generated, err);
    if (status != ANO_OK)
        return status;
    const double variance = measure_variance(vae);
    result->reconstruction = compare(vae, generated, variance);
    status = propagate(vae, code, err);
    if (status == ANO_OK)
        update(vae, variance);
    return status;
}
