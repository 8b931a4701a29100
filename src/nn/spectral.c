#include "nn/spectral.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* One kernel among the net's tensors: W, W̄ or the gradient by it, as a matrix with its vectors. */
typedef struct matrix {
    size_t rows, columns, offset; /* in the parameters */
    float *left, *right;
    double *largest;
} matrix;

/* Kernels have several dimensions, biases and gammas one. */
static bool is_kernel(const nn_tensor *tensor)
{
    return tensor->trainable && tensor->n_dims > 1;
}

static size_t columns_of(const nn_tensor *tensor)
{
    return tensor->dims[tensor->n_dims - 1];
}

/* The kernel of tensor number *i or the first one after it, and in *i its number; false: none. The
 * vectors lie in the order of the tensors: `m` is the one before, all zero at first. */
static bool next_kernel(matrix *m, int *i, const nn_spectral *s)
{
    const size_t rows = m->rows, columns = m->columns;
    while (*i < s->net->n_tensors && !is_kernel(&s->net->tensors[*i]))
        ++*i;
    if (*i == s->net->n_tensors)
        return false;
    const nn_tensor *tensor = &s->net->tensors[*i];
    *m = (matrix){.rows = tensor->size / columns_of(tensor),
                  .columns = columns_of(tensor),
                  .offset = tensor->offset,
                  .left = columns > 0 ? m->left + rows : s->left,
                  .right = columns > 0 ? m->right + columns : s->right,
                  .largest = &s->largest[*i]};
    return true;
}

ano_status nn_spectral_init(nn_spectral *s, nn_net *net, uint64_t seed, base_purpose purpose,
                            ano_error *err)
{
    *s = (nn_spectral){.net = net};
    size_t n_left = 0, most = 0;
    for (int i = 0; i < net->n_tensors; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        if (!is_kernel(tensor))
            continue;
        s->n_right += columns_of(tensor);
        n_left += tensor->size / columns_of(tensor);
        most = columns_of(tensor) > most ? columns_of(tensor) : most;
    }
    s->parameters = base_alloc(net->n_parameters, sizeof *s->parameters);
    s->right = base_alloc(s->n_right, sizeof *s->right);
    s->left = base_alloc(n_left, sizeof *s->left);
    s->largest = base_alloc((size_t)net->n_tensors, sizeof *s->largest);
    s->column_sums = base_alloc(most, sizeof *s->column_sums);
    if (s->parameters == NULL || s->right == NULL || s->left == NULL || s->largest == NULL ||
        s->column_sums == NULL) {
        nn_spectral_clear(s);
        return base_error_nomem(err, "spectral normalisation");
    }
    memcpy(s->parameters, net->parameters, net->n_parameters * sizeof *s->parameters);
    base_random_uniform(s->right, s->n_right, -1, 1, (base_random){seed, purpose, 0});
    return ANO_OK;
}

void nn_spectral_clear(nn_spectral *s)
{
    base_free(s->parameters);
    base_free(s->right);
    base_free(s->left);
    base_free(s->largest);
    base_free(s->column_sums);
    *s = (nn_spectral){0};
}

/* v and σ from u, then u. What W takes to 0 stays as it is. */
static void power_step(const matrix *m, const float *kernel, double *column_sums)
{
    double squares = 0;
#pragma omp parallel for schedule(static)
    for (size_t r = 0; r < m->rows; r++) {
        double sum = 0;
        for (size_t c = 0; c < m->columns; c++)
            sum += (double)kernel[r * m->columns + c] * (double)m->right[c];
        m->left[r] = (float)sum;
    }
    for (size_t r = 0; r < m->rows; r++)
        squares += (double)m->left[r] * (double)m->left[r];
    const double left_norm = sqrt(squares);
    memset(column_sums, 0, m->columns * sizeof *column_sums);
    for (size_t r = 0; r < m->rows && left_norm > 0; r++) {
        m->left[r] = (float)((double)m->left[r] / left_norm);
        for (size_t c = 0; c < m->columns; c++)
            column_sums[c] += (double)m->left[r] * (double)kernel[r * m->columns + c];
    }
    squares = 0;
    for (size_t c = 0; c < m->columns; c++)
        squares += column_sums[c] * column_sums[c];
    *m->largest = sqrt(squares); /* vᵀ W u with the new u */
    for (size_t c = 0; c < m->columns && squares > 0; c++)
        m->right[c] = (float)(column_sums[c] / *m->largest);
}

void nn_spectral_apply(nn_spectral *s, int steps)
{
    memcpy(s->net->parameters, s->parameters, s->net->n_parameters * sizeof *s->parameters);
    matrix m = {0};
    for (int i = 0; next_kernel(&m, &i, s); i++) {
        for (int step = 0; step < steps; step++)
            power_step(&m, s->parameters + m.offset, s->column_sums);
        float *kernel = s->net->parameters + m.offset;
        const float share = *m.largest > 0 ? (float)(1 / *m.largest) : 0;
        for (size_t k = 0; k < m.rows * m.columns; k++)
            kernel[k] *= share;
    }
}

void nn_spectral_backward(const nn_spectral *s, float *gradients)
{
    matrix m = {0};
    for (int i = 0; next_kernel(&m, &i, s); i++) {
        const float *kernel = s->net->parameters + m.offset;
        float *gradient = gradients + m.offset;
        double along = 0;
        for (size_t k = 0; k < m.rows * m.columns; k++)
            along += (double)gradient[k] * (double)kernel[k];
        const double share = *m.largest > 0 ? 1 / *m.largest : 0;
        for (size_t r = 0; r < m.rows; r++)
            for (size_t c = 0; c < m.columns; c++) {
                float *g = &gradient[r * m.columns + c];
                *g = (float)(share * ((double)*g - along * (double)m.left[r] * (double)m.right[c]));
            }
    }
}
