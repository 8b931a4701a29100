/* anogan calibrate: what scores of normal images are like, from images that training has not seen.
 */
#include "cli/cli.h"
#include "cli/run.h"
#include "cli/test.h"

#include <stdio.h>

static const cli_command command = {
    .verb = CLI_VERB_CALIBRATE,
    .arguments = "RUN NORMALS",
    .doc =
        "Scores NORMALS, normal images that training has not seen, and keeps their scores in the "
        "model: p-values and thresholds come from them. Replaces what the model was calibrated "
        "with before; what is calibrated is scored as the options say, which later calls of "
        "score take over. RUN is a run folder or a model file.",
    .takes_run = true,
    .takes_data = true,
    .changes_run = true,
};

static int calibrate(cli_run *run, const cli_options *options)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *normals;
    const ano_dataset_options which = {.split = options->split,
                                       .normal = options->normal,
                                       .view = ano_model_get_view(run->model),
                                       .max_pixels = (size_t)options->max_pixels,
                                       .allow_outside = options->allow_outside};
    if (ano_dataset_open(&normals, options->data, &which, &err) != ANO_OK)
        return cli_fail(CLI_ON_DATA, &err);
    int code = cli_calibrate_model(run->model, normals, options);
    ano_dataset_free(normals);
    if (code == CLI_DONE && ano_model_save(run->model, run->model_path, &err) != ANO_OK)
        code = cli_fail(CLI_ON_MODEL, &err);
    if (code != CLI_DONE)
        return code;
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    if (!options->quiet)
        printf("%s: calibrated with %zu images, for an alpha of %.3g or more\n", run->model_path,
               calibration.n, ano_smallest_alpha(calibration.n));
    return CLI_DONE;
}

int cli_calibrate(int argc, char **argv)
{
    cli_options options = cli_options_default();
    cli_run run;
    int code = cli_run_open(&run, &options, &command, argc, argv);
    /* The run's own data was trained on: it is no default. */
    if (code == CLI_DONE && options.data == run.configured.data)
        code =
            cli_refuse(CLI_USAGE, "calibrate: NORMALS is missing; see \"anogan calibrate --help\"");
    if (code == CLI_DONE)
        code = calibrate(&run, &options);
    cli_run_close(&run);
    cli_options_free(&options);
    return code;
}
