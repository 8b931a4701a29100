#include "cli/choose.h"

#include "base/error.h"
#include "cli/cli.h"
#include "cli/score.h"

/* Where there are too few images to choose on: some of all that is highest, whatever the size of an
 * image and of its anomaly. */
#define SHARE_UNCHOSEN 0.01

int cli_choose_pool(cli_options *options, const ano_model *model, const ano_dataset *normals)
{
    ano_score_options *search = &options->search;
    if (!options->chooses_pool)
        return CLI_DONE;
    search->pool = ANO_POOL_SUM;
    if (options->tile == 0)
        return CLI_DONE;

    ano_error err = ANO_ERROR_INIT;
    cli_scoring scoring;
    cli_pool_text pool;
    double auroc;
    size_t n_images;
    cli_scoring_begin(&scoring, options, "pools tried");
    if (normals == NULL) {
        search->pool = ANO_POOL_TOP;
        search->pool_share = SHARE_UNCHOSEN;
        pool = cli_options_pool(search);
        cli_progress_say(&scoring.progress,
                         "pool %s: not chosen, for there are too few images to keep some for that",
                         pool.text);
        return CLI_DONE;
    }
    const ano_status status =
        ano_choose_pool(&scoring.how, &auroc, &n_images, model, normals, options->seed, &err);
    const int code =
        cli_scoring_end(&scoring, status, 2 * ano_dataset_count(normals), options, &err);
    if (code != CLI_DONE)
        return code;
    search->pool = scoring.how.pool;
    search->pool_share = scoring.how.pool_share;
    pool = cli_options_pool(search);
    cli_progress_say(&scoring.progress,
                     "pool %s: best of %d on %zu normal images and the same with drawn anomalies, "
                     "AUROC %.3f",
                     pool.text, ANO_POOL_CANDIDATES, n_images, auroc);
    return CLI_DONE;
}
