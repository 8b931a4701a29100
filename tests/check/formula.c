#include "formula.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t formula_hash(const char *name, size_t i)
{
    uint64_t x = 0xcbf29ce484222325u;
    for (const char *c = name; *c != '\0'; c++)
        x = (x ^ (unsigned char)*c) * 0x100000001b3u;
    x += (i + 1) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

void formula_numbers(float *dst, size_t n, const char *name, float scale, float offset)
{
    for (size_t i = 0; i < n; i++) {
        const float uniform = (float)(formula_hash(name, i) >> 40) * 0x1p-23f - 1;
        dst[i] = offset + scale * uniform;
    }
}

static float glorot_limit(const nn_tensor *tensor)
{
    size_t fans = tensor->dims[tensor->n_dims - 2] + tensor->dims[tensor->n_dims - 1];
    for (int i = 0; i < tensor->n_dims - 2; i++)
        fans *= tensor->dims[i];
    return (float)sqrt(6 / (double)fans);
}

void formula_fill_net(nn_net *net, const char *prefix)
{
    static const struct {
        const char *kind;
        float scale, offset;
    } kinds[] = {{"bias", 0x1p-4f, 0},
                 {"beta", 0x1p-4f, 0},
                 {"gamma", 0x1p-3f, 1},
                 {"moving_mean", 0x1p-3f, 0},
                 {"moving_variance", 0x1p-2f, 1}};
    for (int i = 0; i < net->n_tensors; i++) {
        const nn_tensor *tensor = &net->tensors[i];
        const char *kind = strrchr(tensor->name, '.') + 1;
        char name[128];
        snprintf(name, sizeof name, "%s.%s", prefix, tensor->name);
        float scale = tensor->n_dims > 1 ? glorot_limit(tensor) : 0, offset = 0;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            if (strcmp(kind, kinds[k].kind) == 0) {
                scale = kinds[k].scale;
                offset = kinds[k].offset;
            }
        formula_numbers(nn_net_data(net, tensor), tensor->size, name, scale, offset);
    }
}
