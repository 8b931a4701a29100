/* One step of Adam. */
#include "reference/reference.h"

#include <math.h>

double reference_adam_rate(reference_adam_options options, int t)
{
    return options.learning_rate * sqrt(1 - pow(options.beta2, t)) / (1 - pow(options.beta1, t));
}

void reference_adam(double *parameters, double *m, double *v, const double *gradients, int n,
                    reference_adam_options options, double rate)
{
    for (int i = 0; i < n; i++) {
        m[i] = options.beta1 * m[i] + (1 - options.beta1) * gradients[i];
        v[i] = options.beta2 * v[i] + (1 - options.beta2) * gradients[i] * gradients[i];
        parameters[i] -= rate * m[i] / (sqrt(v[i]) + options.epsilon);
    }
}
