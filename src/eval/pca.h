/* The error of an image's reconstruction from principal components. */
#ifndef EVAL_PCA_H
#define EVAL_PCA_H

#include "base/error.h"

typedef struct eval_pca eval_pca;

/* Fits so many components to the whole images of `train`, a block of them in memory at a time.
 * Errors: ARG (there cannot be as many components), those of ano_dataset_read(). */
ano_status eval_pca_fit(eval_pca **out, const ano_dataset *train, int components, ano_error *err);
void eval_pca_free(eval_pca *pca);

/* scores [n] of n images [n][d]. Errors: NOMEM. */
ano_status eval_pca_score(float *scores, const eval_pca *pca, const float *images, size_t n,
                          ano_error *err);

#endif
