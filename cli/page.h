/* A test's results as a page for people: report.html. */
#ifndef CLI_PAGE_H
#define CLI_PAGE_H

#include "cli/tested.h"
#include "report/results.h"

/* Writes FOLDER/report.html. `model` is what was tested; the threshold comes from its calibration.
 * Errors: IO, NOMEM, UNSUPPORTED (PLplot's cairo driver is not installed). */
ano_status cli_page_write(const char *folder, const report_results *results,
                          const cli_tested *tested, const ano_model *model,
                          const cli_options *options, ano_error *err);

#endif
