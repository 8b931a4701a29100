/* What is done with a trained model: its threshold is set, and it is tested. */
#ifndef CLI_TEST_H
#define CLI_TEST_H

#include "cli/options.h"

/* Scores images that training has not seen and finds the threshold that options->alpha asks for.
 * Returns an exit code. */
int cli_calibrate(ano_calibration *out, const ano_model *model, const ano_dataset *held_out,
                  const cli_options *options);

/* Whether options->data has test images to test with: what would stop a test after training stops
 * here before it. Returns an exit code. */
int cli_test_check(const ano_dataset *training, const cli_options *options);

/* Tests a calibrated model and the baselines on options->data's test images, writes all results
 * into options->out and prints them. The baselines are fitted to `training` and get their
 * thresholds from `held_out`, as the model did. Returns an exit code. */
int cli_test(const ano_model *model, const ano_dataset *training, const ano_dataset *held_out,
             const cli_options *options);

#endif
