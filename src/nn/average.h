/* An exponential moving average of a network's numbers, to test with instead of the last ones,
 * which swing from step to step (Y. Yazıcı et al., "The Unusual Effectiveness of Averaging in GAN
 * Training", ICLR 2019). */
#ifndef NN_AVERAGE_H
#define NN_AVERAGE_H

#include "nn/net.h"

/* After a step of training: average ← decay · average + (1 - decay) · net, parameters and
 * statistics; decay in [0, 1), 0.999 say. `average` is a net of the same layers, at first with the
 * numbers of `net`. */
void nn_average_step(nn_net *average, const nn_net *net, double decay);

#endif
