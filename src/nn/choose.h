/* How the convolutions of a net are to be computed. */
#ifndef NN_CHOOSE_H
#define NN_CHOOSE_H

#include "nn/net.h"

/* Whether layer i of the net is a convolution that `method` can do. */
bool nn_conv_can(const nn_net *net, int i, nn_conv_method method);

/* Sets the method of every convolution of the net: direct where that is the wish, else thin where
 * that can do it, and of the rest `wish` where that can do it, for ANO_CONV_AUTO
 * Winograd unless direct is clearly faster here, forward and backward over `batch` images, on the
 * threads under way.
 * Measured anew each time, so whoever needs the same bytes again keeps what was chosen. */
ano_status nn_choose_methods(nn_net *net, ano_conv wish, int batch, ano_error *err);

#endif
