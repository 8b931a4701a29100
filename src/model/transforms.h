/* Geometric transformations of images, each as often as the others among 20: no turn or one, two or
 * three quarter turns anticlockwise, and then no shift or one to the bottom, top, right or left. */
#ifndef MODEL_TRANSFORMS_H
#define MODEL_TRANSFORMS_H

enum { MODEL_TURNS = 4, MODEL_SHIFTS = 5, MODEL_TRANSFORMS = MODEL_TURNS * MODEL_SHIFTS };

/* dst [size][size][channels] = src, another such, by transformation `which`, from 0, which changes
 * nothing, to MODEL_TRANSFORMS - 1. Shifts are of 3/14 of the size, 6 pixels of 28; what they lay
 * bare is -1, black. */
void model_transform(float *dst, const float *src, int size, int channels, int which);

/* Adds to dst [size][size][channels] the numbers of `src`, another such, each where the
 * transformation took it from; those of what it lays bare are left out. */
void model_transform_back(float *dst, const float *src, int size, int channels, int which);

#endif
