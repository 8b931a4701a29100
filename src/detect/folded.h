/* The generator folded for the latent search. With its weights frozen, batch norm is a scale and a
 * shift that the weights before it take in, and each transposed convolution is composed with the
 * convolution after it (nn/composed.h), once and not for every pass: a dense layer and a linear map
 * for each block are left, 2.7 instead of 13.5 million multiply-adds a pass for 28 × 28 × 1 images.
 */
#ifndef DETECT_FOLDED_H
#define DETECT_FOLDED_H

#include "nn/net.h"

typedef struct detect_folded detect_folded;

/* Folds a generator of the form that model_generator_create() makes; it may go away afterwards.
 * Errors: UNSUPPORTED where the net is of another form, NOMEM. */
ano_status detect_folded_create(detect_folded **out, const nn_net *generator, ano_error *err);
void detect_folded_free(detect_folded *folded);

/* Images that go through together: enough for the weights to be worth loading, by bench search. */
enum { DETECT_FOLDED_GROUP = 28 };

/* About how many floats of memory each image of a pass takes. */
size_t detect_folded_image_size(const detect_folded *folded);

/* Memory for one thread's images, at most `most` together. */
typedef struct detect_folded_pass detect_folded_pass;

ano_status detect_folded_pass_create(detect_folded_pass **out, const detect_folded *folded,
                                     size_t most, ano_error *err);
void detect_folded_pass_free(detect_folded_pass *pass);

/* generated [n][h][w][c] = G(z [n][latent]), n ≤ most. Lent until the next forward.
 * One thread; an image's numbers do not depend on its neighbours. */
const float *detect_folded_forward(detect_folded_pass *pass, const float *z, size_t n);

/* After a forward: from the gradient by the generated images, [n][h][w][c], that by z, [n][latent],
 * lent until the next backward. */
const float *detect_folded_backward(detect_folded_pass *pass, const float *diff_generated,
                                    size_t n);

#endif
