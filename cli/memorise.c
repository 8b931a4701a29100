#include "cli/memorise.h"

#include "base/error.h"
#include "cli/cli.h"
#include "cli/score.h"

#include <stdio.h>

/* "memory: 1000 vectors of 648 numbers (histograms)" for each kind, "memory: a network of 36788
 * parameters (transforms)" for what is one. */
static void say_memory(cli_progress *progress, const ano_model *model)
{
    for (int i = 0; i < ANO_MEMORIES; i++) {
        const ano_memory_info memory = ano_model_get_memory(model, (ano_memory)i);
        if (i == ANO_MEMORY_TRANSFORMS && memory.n > 0)
            cli_progress_say(progress, "memory: a network of %zu parameters (%s)", memory.length,
                             ano_memory_name((ano_memory)i));
        else if (memory.n > 0)
            cli_progress_say(progress, "memory: %zu vectors of %zu numbers (%s)", memory.n,
                             memory.length, ano_memory_name((ano_memory)i));
    }
}

int cli_memorise(ano_model *model, const ano_dataset *training, const ano_dataset *set_aside,
                 const cli_options *options)
{
    const unsigned kinds = cli_options_memory(options);
    if (kinds == 0)
        return CLI_DONE;
    ano_error err = ANO_ERROR_INIT;
    cli_scoring scoring;
    cli_scoring_begin(&scoring, options, "remembered");
    if (set_aside == NULL) {
        cli_progress_say(&scoring.progress,
                         "memory: none, for there are too few images to keep some for it");
        return CLI_DONE;
    }
    const ano_status status = ano_memorise(model, kinds, training, set_aside, &scoring.how, &err);
    const int code = cli_scoring_end(&scoring, status, ano_dataset_count(training), options, &err);
    if (code == CLI_DONE)
        say_memory(&scoring.progress, model);
    return code;
}
