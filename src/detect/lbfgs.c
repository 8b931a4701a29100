#include "detect/lbfgs.h"

#include <math.h>
#include <string.h>

/* Of the weak Wolfe conditions: the share of the promised decrease that a step must bring, and the
 * share of the slope that it may leave. */
#define SUFFICIENT_DECREASE 1e-4
#define SUFFICIENT_CURVATURE 0.9

/* A first step's length, and the longest: at a distance of 2 tanh has gone most of its way. */
#define FIRST_LENGTH 0.5
#define LONGEST 2.0

enum { MOST_TRIALS = 12, LONGEST_STEP = 8 };

size_t detect_lbfgs_size(size_t n)
{
    return (4 + 2 * DETECT_LBFGS_MEMORY) * n;
}

void detect_lbfgs_init(detect_lbfgs *lbfgs, size_t n, double *numbers)
{
    *lbfgs = (detect_lbfgs){.n = n,
                            .trial = numbers,
                            .point = numbers + n,
                            .gradient = numbers + 2 * n,
                            .direction = numbers + 3 * n,
                            .moves = numbers + 4 * n,
                            .bends = numbers + (4 + DETECT_LBFGS_MEMORY) * n};
}

void detect_lbfgs_begin(detect_lbfgs *lbfgs)
{
    lbfgs->begun = false;
    lbfgs->n_steps = 0;
}

static double dot(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* a += factor · b */
static void add(double *a, double factor, const double *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] += factor * b[i];
}

/* direction = -H · gradient, H the estimate of the inverse Hessian, by the two-loop recursion. */
static void find_direction(detect_lbfgs *lbfgs)
{
    const size_t n = lbfgs->n, end = lbfgs->n_steps;
    const size_t first = end > DETECT_LBFGS_MEMORY ? end - DETECT_LBFGS_MEMORY : 0;
    double *direction = lbfgs->direction, shares[DETECT_LBFGS_MEMORY];
    memcpy(direction, lbfgs->gradient, n * sizeof *direction);
    for (size_t i = end; i-- > first;) {
        const size_t k = i % DETECT_LBFGS_MEMORY;
        shares[k] = lbfgs->inverse[k] * dot(lbfgs->moves + k * n, direction, n);
        add(direction, -shares[k], lbfgs->bends + k * n, n);
    }
    double scale = FIRST_LENGTH / sqrt(dot(direction, direction, n));
    if (end > 0) {
        const size_t k = (end - 1) % DETECT_LBFGS_MEMORY;
        const double *bend = lbfgs->bends + k * n;
        scale = 1 / (lbfgs->inverse[k] * dot(bend, bend, n));
    }
    for (size_t i = 0; i < n; i++)
        direction[i] *= scale;
    for (size_t i = first; i < end; i++) {
        const size_t k = i % DETECT_LBFGS_MEMORY;
        const double share = lbfgs->inverse[k] * dot(lbfgs->bends + k * n, direction, n);
        add(direction, shares[k] - share, lbfgs->moves + k * n, n);
    }
    const double length = sqrt(dot(direction, direction, n));
    const double factor = length > LONGEST ? -LONGEST / length : -1;
    for (size_t i = 0; i < n; i++)
        direction[i] *= factor;
}

static void set_trial(detect_lbfgs *lbfgs, double step)
{
    lbfgs->step = step;
    memcpy(lbfgs->trial, lbfgs->point, lbfgs->n * sizeof *lbfgs->trial);
    add(lbfgs->trial, step, lbfgs->direction, lbfgs->n);
}

/* Begins a line search; where the memory misleads, down the gradient. False where that is no way
 * down either. */
static bool begin_line_search(detect_lbfgs *lbfgs)
{
    find_direction(lbfgs);
    lbfgs->slope = dot(lbfgs->gradient, lbfgs->direction, lbfgs->n);
    if (!(lbfgs->slope < 0) && lbfgs->n_steps > 0) {
        lbfgs->n_steps = 0;
        find_direction(lbfgs);
        lbfgs->slope = dot(lbfgs->gradient, lbfgs->direction, lbfgs->n);
    }
    lbfgs->low = 0;
    lbfgs->high = INFINITY;
    lbfgs->n_trials = 0;
    set_trial(lbfgs, 1);
    return lbfgs->slope < 0;
}

/* Moves to the trial, and remembers the step where the loss curves upwards along it. */
static void accept_trial(detect_lbfgs *lbfgs, double value, const double *gradient)
{
    const size_t n = lbfgs->n, k = lbfgs->n_steps % DETECT_LBFGS_MEMORY;
    if (lbfgs->begun) {
        double *move = lbfgs->moves + k * n, *bend = lbfgs->bends + k * n;
        for (size_t i = 0; i < n; i++) {
            move[i] = lbfgs->trial[i] - lbfgs->point[i];
            bend[i] = gradient[i] - lbfgs->gradient[i];
        }
        const double curvature = dot(move, bend, n);
        if (curvature > 1e-12) {
            lbfgs->inverse[k] = 1 / curvature;
            lbfgs->n_steps++;
        }
    }
    lbfgs->begun = true;
    lbfgs->value = value;
    memcpy(lbfgs->point, lbfgs->trial, n * sizeof *lbfgs->point);
    memcpy(lbfgs->gradient, gradient, n * sizeof *lbfgs->gradient);
}

/* Narrows the bounds by what the trial has shown. True when it will do. */
static bool judge_trial(detect_lbfgs *lbfgs, double value, const double *gradient)
{
    lbfgs->n_trials++;
    if (!(value <= lbfgs->value + SUFFICIENT_DECREASE * lbfgs->step * lbfgs->slope)) {
        lbfgs->high = lbfgs->step;
        return false;
    }
    lbfgs->low = lbfgs->step;
    return dot(gradient, lbfgs->direction, lbfgs->n) >= SUFFICIENT_CURVATURE * lbfgs->slope ||
           (isinf(lbfgs->high) && lbfgs->step >= LONGEST_STEP);
}

bool detect_lbfgs_next(detect_lbfgs *lbfgs, double value, const double *gradient)
{
    if (!lbfgs->begun || judge_trial(lbfgs, value, gradient)) {
        accept_trial(lbfgs, value, gradient);
        return begin_line_search(lbfgs);
    }
    if (lbfgs->n_trials < MOST_TRIALS) {
        set_trial(lbfgs, isinf(lbfgs->high) ? 2 * lbfgs->step : (lbfgs->low + lbfgs->high) / 2);
        return true;
    }
    if (value < lbfgs->value)
        accept_trial(lbfgs, value, gradient);
    else if (lbfgs->n_steps == 0)
        return false;
    else
        lbfgs->n_steps = 0;
    return begin_line_search(lbfgs);
}
