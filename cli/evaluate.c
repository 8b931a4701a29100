/* anogan evaluate: how well a trained detector tells anomalous test images from normal ones,
 * beside two plain baselines that saw the same images. */
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/score.h"
#include "cli/test.h"

static const cli_command command = {
    .verb = CLI_VERB_EVALUATE,
    .arguments = "RUN [DATA]",
    .doc = "Scores the test images of DATA (default: the data that RUN was trained on), reports "
           "how well normal and anomalous ones are told apart, and writes scores, histograms and "
           "pictures into RUN. RUN is a run folder or a model file in one.",
    .takes_run = true,
    .takes_data = true,
};

/* Whether the threshold that the model carries holds for searches as they are asked for. */
static bool is_calibrated(const cli_run *run, const cli_options *options)
{
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    return calibration.n > 0 && calibration.alpha == options->alpha &&
           calibration.iterations == options->search.iterations &&
           calibration.restarts == options->search.restarts &&
           calibration.tolerance == options->search.tolerance &&
           calibration.search == options->search.search &&
           run->configured.search.learning_rate == options->search.learning_rate &&
           run->configured.seed == options->seed;
}

static int evaluate(cli_run *run, const cli_options *options)
{
    ano_dataset *training = NULL, *held_out = NULL;
    /* The split is the run's: no image that training saw may set a threshold. */
    cli_options split = *options;
    split.seed = run->configured.seed;
    split.held_out = run->configured.held_out;
    int code = cli_open_training(&training, &held_out, &split);
    if (code == CLI_DONE && !is_calibrated(run, options)) {
        ano_calibration calibration;
        code = cli_calibrate(&calibration, run->model, held_out, options);
        ano_model_set_calibration(run->model, &calibration);
    }
    if (code == CLI_DONE)
        code = cli_test(run->model, training, held_out, options);
    ano_dataset_free(held_out);
    ano_dataset_free(training);
    return code;
}

int cli_evaluate(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_run run;
    int code = cli_run_open(&run, &options, &command, argc, argv);
    if (code == CLI_DONE && options.out == NULL && cli_is_folder(options.run))
        options.out = options.run;
    if (code == CLI_DONE && options.data == NULL)
        code = cli_refuse(CLI_USAGE, "evaluate: DATA is missing; see \"anogan evaluate --help\"");
    if (code == CLI_DONE && options.normal == NULL)
        code =
            cli_refuse(CLI_USAGE, "evaluate: nothing says which classes are normal; give --normal");
    if (code == CLI_DONE && options.out == NULL)
        code = cli_refuse(CLI_USAGE, "evaluate: --out DIR is needed, for %s is not a run folder",
                          options.run);
    if (code == CLI_DONE)
        code = evaluate(&run, &options);
    cli_run_close(&run);
    cli_options_free(&options);
    return code;
}
