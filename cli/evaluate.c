/* anogan evaluate: how well a trained detector tells anomalous test images from normal ones,
 * beside three plain baselines that saw the same images. */
#include "cli/cli.h"
#include "cli/maps.h"
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

/* A model that is not calibrated for scores made as the options say is, for this test, with the
 * run's own held-out images: none that training saw may set a threshold. */
static int calibrate(cli_run *run, const cli_options *options)
{
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    const ano_score_options search = cli_options_search(options);
    if (ano_calibration_holds(&calibration, &search))
        return CLI_DONE;
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *training = NULL, *held_out = NULL, *set_aside = NULL;
    const ano_view view = ano_model_get_view(run->model);
    cli_options split = *options;
    split.seed = run->configured.seed;
    split.held_out = run->configured.held_out;
    const ano_status status =
        cli_split_training(&training, &held_out, &set_aside, &split, &view, &err);
    const int code = status == ANO_OK ? cli_calibrate_model(run->model, held_out, options)
                                      : cli_fail(CLI_ON_DATA, &err);
    ano_dataset_free(set_aside);
    ano_dataset_free(held_out);
    ano_dataset_free(training);
    return code;
}

int cli_evaluate(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_run run;
    ano_run_lock *lock = NULL;
    int code = cli_run_open(&run, &options, &command, argc, argv);
    if (code == CLI_DONE && options.out == NULL && cli_is_folder(options.run))
        options.out = options.run;
    if (code == CLI_DONE && options.data == NULL)
        code = cli_refuse(CLI_USAGE, "evaluate: DATA is missing; see \"anogan evaluate --help\"");
    if (code == CLI_DONE && options.out == NULL)
        code = cli_refuse(CLI_USAGE, "evaluate: --out DIR is needed, for %s is not a run folder",
                          options.run);
    if (code == CLI_DONE)
        code = cli_check_trace_of(&options, run.model);
    if (code == CLI_DONE)
        code = cli_maps_check(&run, options.map);
    if (code == CLI_DONE)
        code = cli_run_lock(&lock, options.out);
    if (code == CLI_DONE)
        code = calibrate(&run, &options);
    if (code == CLI_DONE)
        code = cli_test(run.model, &options);
    ano_run_lock_free(lock);
    cli_run_close(&run);
    cli_options_free(&options);
    return code;
}
