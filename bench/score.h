/* How the cost of scoring grows with the number of images. */
#ifndef BENCH_SCORE_H
#define BENCH_SCORE_H

#include <anogan/anogan.h>

#include <stdbool.h>

/* Scores 100 to 10,000 images by a few iterations each and prints for each number the milliseconds
 * an image, by the median of several rounds, and the most memory that the process held meanwhile:
 * a table, or a member "score" of a JSON object. */
ano_status score_measure(bool json, int threads, ano_error *err);

#endif
