/* What is done with a trained model: its threshold is set, and it is tested. */
#ifndef CLI_TEST_H
#define CLI_TEST_H

#include "cli/options.h"

/* Calibrates the model with images that training has not seen. Returns an exit code. */
int cli_calibrate_model(ano_model *model, const ano_dataset *held_out, const cli_options *options);

/* The threshold that alpha asks for, of a calibrated model. Returns an exit code. */
int cli_threshold(double *out, const ano_model *model, double alpha);

/* *possible: whether options->data has normal and anomalous test images. What would stop a test
 * after training stops here before it. Returns an exit code. */
int cli_test_check(bool *possible, const ano_view *view, const cli_options *options);

/* Tests a calibrated model on options->data's test images, and baselines beside it, which are
 * fitted to the images that the model was trained on and get their thresholds from those held out;
 * writes all results into options->out and prints them. Returns an exit code. */
int cli_test(const ano_model *model, const cli_options *options);

#endif
