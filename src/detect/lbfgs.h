/* Limited-memory BFGS (D. Liu, J. Nocedal, Mathematical Programming 1989) with the bisection for
 * weak Wolfe conditions (A. Lewis, M. Overton, Mathematical Programming 2013), which holds on
 * losses with kinks. It is turned inside out, so that many can share a batch: the caller evaluates
 * the loss where `trial` says and hands over what it found. */
#ifndef DETECT_LBFGS_H
#define DETECT_LBFGS_H

#include <stdbool.h>
#include <stddef.h>

/* Steps that are remembered, to estimate the curvature. */
enum { DETECT_LBFGS_MEMORY = 10 };

typedef struct detect_lbfgs {
    size_t n;          /* unknowns */
    double *trial;     /* [n], where to evaluate next */
    double *point;     /* [n], the last one accepted */
    double value;      /* the loss there */
    double *gradient;  /* [n], there */
    double *direction; /* [n], of the line search under way */
    double slope;      /* along it */
    double step;       /* of the trial */
    double low, high;  /* bounds of the step; high may be infinite */
    int n_trials;      /* of this line search */
    bool begun;        /* a point has been accepted */
    size_t n_steps;    /* remembered, and more than DETECT_LBFGS_MEMORY when some are forgotten */
    double *moves, *bends;               /* [memory][n]: differences of points and of gradients */
    double inverse[DETECT_LBFGS_MEMORY]; /* 1 / (move · bend) */
} detect_lbfgs;

/* Doubles that it needs for n unknowns. */
size_t detect_lbfgs_size(size_t n);
void detect_lbfgs_init(detect_lbfgs *lbfgs, size_t n, double *numbers);

/* Begins anew; the caller has put the start into `trial`. */
void detect_lbfgs_begin(detect_lbfgs *lbfgs);

/* From the loss at `trial` and its gradient [n], the next trial. False when no direction leads
 * down: then `point` is the end. */
bool detect_lbfgs_next(detect_lbfgs *lbfgs, double value, const double *gradient);

#endif
