/* Which pool makes a score of the anomaly maps of images in tiles, chosen from normal images alone:
 * a map is changed as a defect would change it, by doubling what the middle eighth of its rows and
 * columns holds, and that pool is taken which tells the changed maps from those that are not best,
 * by AUROC. Of equals it is the first of top, max, mean. */
#ifndef DETECT_CHOICE_H
#define DETECT_CHOICE_H

#include <anogan/anogan.h>

typedef struct detect_choice detect_choice;

/* For at most n images; `share` is that of ANO_POOL_TOP. */
ano_status detect_choice_create(detect_choice **out, size_t n, double share, ano_error *err);
void detect_choice_free(detect_choice *choice);

/* Takes an image's rows, from top to bottom. Errors: NOMEM. */
ano_status detect_choice_add(detect_choice *choice, const ano_strip *strip, ano_error *err);
/* Ends the image; it counts where it could be read. */
void detect_choice_end(detect_choice *choice, bool counts);

/* *scores [of the images that count]: what ano_score_images() gives them by *pool; lent. Errors:
 * those of ano_evaluate(). */
ano_status detect_choice_make(ano_pool *pool, const float **scores, detect_choice *choice,
                              ano_error *err);

#endif
