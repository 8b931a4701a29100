/* Numbers that come from a name: what tests/golden/make_goldens.py makes of a tensor's name, to the
 * bit, so that weights, images and latents need not be stored beside the goldens. */
#ifndef FORMULA_H
#define FORMULA_H

#include "nn/net.h"

#include <stddef.h>
#include <stdint.h>

/* Word i of the stream of `name`: splitmix64 (G. Steele et al., OOPSLA 2014) from FNV-1a of it. */
uint64_t formula_hash(const char *name, size_t i);

/* dst[i] = offset + scale · u, u uniform in [-1, 1) from the hash's top 24 bits. */
void formula_numbers(float *dst, size_t n, const char *name, float scale, float offset);

/* All numbers of a net as training might have left them, under the names "prefix.conv_1.kernel":
 * kernels Glorot uniform, biases and means around 0, gammas and variances around 1. */
void formula_fill_net(nn_net *net, const char *prefix);

#endif
