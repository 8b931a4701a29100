#include "train/penalty.h"

#include "base/memory.h"

#include <math.h>

struct train_penalty {
    nn_pass *critic;
    size_t batch, image, n_parameters;
    float *mixed;     /* x̂, [batch][image] */
    float *tangent;   /* v, [batch][image] */
    float *diff_dst;  /* [batch] ones: every image's own gradient */
    float *gradients; /* [n_parameters] */
};

ano_status train_penalty_create(train_penalty **out, const nn_net *critic, int batch,
                                ano_error *err)
{
    *out = NULL;
    if (nn_shape_size(critic->dst) != 1)
        return base_error(err, ANO_SHAPE, "a critic has one output, not %zu",
                          nn_shape_size(critic->dst));
    train_penalty *penalty = base_alloc(1, sizeof *penalty);
    if (penalty == NULL)
        return base_error_nomem(err, "gradient penalty");
    penalty->batch = (size_t)batch;
    penalty->image = nn_shape_size(critic->src);
    penalty->n_parameters = critic->n_parameters;
    penalty->mixed = base_alloc(penalty->batch * penalty->image, sizeof(float));
    penalty->tangent = base_alloc(penalty->batch * penalty->image, sizeof(float));
    penalty->diff_dst = base_alloc(penalty->batch, sizeof(float));
    penalty->gradients = base_alloc(penalty->n_parameters, sizeof(float));
    ano_status status = nn_pass_create(&penalty->critic, critic, batch, NN_SECOND_ORDER, err);
    if (status == ANO_OK && (penalty->mixed == NULL || penalty->tangent == NULL ||
                             penalty->diff_dst == NULL || penalty->gradients == NULL))
        status = base_error_nomem(err, "gradient penalty");
    if (status != ANO_OK) {
        base_error_context(err, "gradient penalty");
        train_penalty_free(penalty);
        return status;
    }
    for (size_t i = 0; i < penalty->batch; i++)
        penalty->diff_dst[i] = 1;
    *out = penalty;
    return ANO_OK;
}

void train_penalty_free(train_penalty *penalty)
{
    if (penalty == NULL)
        return;
    nn_pass_free(penalty->critic);
    base_free(penalty->mixed);
    base_free(penalty->tangent);
    base_free(penalty->diff_dst);
    base_free(penalty->gradients);
    base_free(penalty);
}

static void mix(train_penalty *penalty, const float *real, const float *generated, const float *e)
{
    for (size_t i = 0; i < penalty->batch; i++)
        for (size_t k = i * penalty->image; k < (i + 1) * penalty->image; k++)
            penalty->mixed[k] = e[i] * real[k] + (1 - e[i]) * generated[k];
}

/* v from g, [batch][image]; also both sums, not yet means. */
static train_penalty_result penalise(train_penalty *penalty, const float *g, double weight)
{
    train_penalty_result sums = {0};
    for (size_t i = 0; i < penalty->batch; i++) {
        const size_t first = i * penalty->image, end = first + penalty->image;
        double squares = 0;
        for (size_t k = first; k < end; k++)
            squares += (double)g[k] * (double)g[k];
        const double norm = sqrt(squares);
        const double share = norm > 0 ? 2 * weight * (norm - 1) / norm : 0;
        for (size_t k = first; k < end; k++)
            penalty->tangent[k] = (float)(share / (double)penalty->batch * (double)g[k]);
        sums.penalty += weight * (norm - 1) * (norm - 1);
        sums.norm += norm;
    }
    return sums;
}

ano_status train_penalty_add(train_penalty_result *result, train_penalty *penalty,
                             const float *real, const float *generated, const float *e,
                             double weight, float *gradients, ano_error *err)
{
    const float *outputs, *g, *derivative;
    mix(penalty, real, generated, e);
    ano_status status = nn_pass_forward(&outputs, penalty->critic, penalty->mixed, err);
    if (status == ANO_OK)
        status = nn_pass_backward(&g, penalty->critic, penalty->diff_dst, NULL, err);
    if (status != ANO_OK)
        return status;
    const train_penalty_result sums = penalise(penalty, g, weight);
    status =
        nn_pass_tangent(&derivative, penalty->critic, penalty->tangent, penalty->gradients, err);
    if (status != ANO_OK)
        return status;
    const size_t n = penalty->n_parameters;
#pragma omp parallel for simd schedule(static)
    for (size_t i = 0; i < n; i++)
        gradients[i] += penalty->gradients[i];
    *result = (train_penalty_result){sums.penalty / (double)penalty->batch,
                                     sums.norm / (double)penalty->batch};
    return ANO_OK;
}
