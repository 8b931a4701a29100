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

static int evaluate(cli_run *run, const cli_options *options)
{
    ano_dataset *training = NULL, *held_out = NULL;
    /* The split is the run's: no image that training saw may set a threshold. */
    cli_options split = *options;
    split.seed = run->configured.seed;
    split.held_out = run->configured.held_out;
    const ano_view view = ano_model_get_view(run->model);
    int code = cli_open_training(&training, &held_out, &view, &split);
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    const ano_score_options search = cli_options_search(options);
    if (code == CLI_DONE && !ano_calibration_holds(&calibration, &search))
        code = cli_calibrate(run->model, held_out, options);
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
