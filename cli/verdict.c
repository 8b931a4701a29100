#include "cli/verdict.h"

#include "cli/cli.h"

#include <stdio.h>

/* The probability of a false alarm of drift, of a stream of any length. */
#define DRIFT_DELTA 0.01

int cli_verdict_open(cli_verdict *out, const cli_run *run, const cli_options *options)
{
    *out = (cli_verdict){.alpha = options->alpha};
    const ano_calibration calibration = ano_model_get_calibration(run->model);
    const ano_score_options search = cli_options_search(options);
    if (calibration.n == 0) {
        if (options->fail_on_anomaly)
            return cli_refuse(CLI_BAD_MODEL,
                              "%s: is not calibrated, so --fail-on-anomaly cannot tell; "
                              "\"%s calibrate\" does it, from normal images",
                              run->model_path, cli_program());
        return CLI_DONE;
    }
    if (!ano_calibration_holds(&calibration, &search)) {
        if (options->fail_on_anomaly)
            return cli_refuse(CLI_USAGE,
                              "the model is calibrated for scores made in another way, so "
                              "--fail-on-anomaly cannot tell");
        fprintf(stderr,
                "anogan: no p-values: the model is calibrated for scores made in another way; "
                "\"%s calibrate\" with the same options sets that right\n",
                cli_program());
        return CLI_DONE;
    }
    out->calibration = calibration;
    const double smallest = ano_smallest_alpha(calibration.n);
    if (out->alpha < smallest) {
        fprintf(stderr,
                "anogan: %zu held-out images can promise no alpha below %.3g, which is used for "
                "%.3g; calibrate with more normal images for less\n",
                calibration.n, smallest, out->alpha);
        out->alpha = smallest;
    }
    ano_error err = ANO_ERROR_INIT;
    if (ano_threshold(&out->threshold, calibration.scores, calibration.n, out->alpha, &err) !=
            ANO_OK ||
        ano_drift_create(&out->drift, calibration.scores, calibration.n, out->threshold,
                         DRIFT_DELTA, options->seed, &err) != ANO_OK)
        return cli_fail(CLI_ON_MODEL, &err);
    return CLI_DONE;
}

void cli_verdict_close(cli_verdict *verdict)
{
    ano_drift_free(verdict->drift);
    *verdict = (cli_verdict){0};
}

bool cli_verdict_is_given(const cli_verdict *verdict)
{
    return verdict->calibration.n > 0;
}

double cli_verdict_p_value(const cli_verdict *verdict, double score)
{
    return ano_p_value(verdict->calibration.scores, verdict->calibration.n, score);
}
