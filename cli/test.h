/* What is done with a trained model: its threshold is set, and it is tested. */
#ifndef CLI_TEST_H
#define CLI_TEST_H

#include "cli/options.h"

/* Calibrates the model with images that training has not seen. Returns an exit code. */
int cli_calibrate(ano_model *model, const ano_dataset *held_out, const cli_options *options);

/* The threshold that alpha asks for, of a calibrated model. Returns an exit code. */
int cli_threshold(double *out, const ano_model *model, double alpha);

/* Whether options->data has test images to test with: what would stop a test after training stops
 * here before it. Returns an exit code. */
int cli_test_check(const ano_dataset *training, const cli_options *options);

/* Tests a calibrated model and the baselines on options->data's test images, writes all results
 * into options->out and prints them. The baselines are fitted to `training` and get their
 * thresholds from `held_out`, as the model did. Returns an exit code. */
int cli_test(const ano_model *model, const ano_dataset *training, const ano_dataset *held_out,
             const cli_options *options);

#endif
