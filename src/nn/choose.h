/* How the convolutions of a net are to be computed. */
#ifndef NN_CHOOSE_H
#define NN_CHOOSE_H

#include "nn/net.h"

/* Whether layer i of the net is a convolution that `method` can do. */
bool nn_conv_can(const nn_net *net, int i, nn_conv_method method);

/* Sets the method of every convolution of the net: direct where that is the wish; else `wish` where
 * that can do it, else composed, else thin, else direct. For ANO_CONV_AUTO composed, else thin,
 * else the first of FFT, Winograd and direct that can do it, unless a later one is clearly faster
 * here, forward and backward over `batch` images, on the threads under way. Measured anew each
 * time, so whoever needs the same bytes again keeps what was chosen. */
ano_status nn_choose_methods(nn_net *net, ano_conv wish, int batch, ano_error *err);

#endif
