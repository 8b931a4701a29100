/* config.json: options that are read are within their ranges and can be asked for; what is refused
 * leaves an error that begins with the file's name. */
#include "target.h"

#include "cli/options.h"

#include <stdlib.h>
#include <string.h>

static const char name[] = "fuzz-config";

static void check(const cli_options *options)
{
    const char *const texts[] = {options->data, options->normal, options->anomaly};
    size_t n = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        n += texts[i] != NULL ? strlen(texts[i]) : 1;
    const ano_view view = cli_options_view(options);
    const ano_score_options search = cli_options_search(options);
    const cli_pool_text pool = cli_options_pool(&search);
    if (n == 0 || view.size < 0 || view.size > 1024 || search.iterations < 1 ||
        search.restarts < 1 || options->max_pixels < 1 || options->train.epochs < 1 ||
        memchr(pool.text, '\0', sizeof pool.text) == NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ano_error err = ANO_ERROR_INIT;
    cli_options options = cli_options_default();
    const ano_status status =
        cli_options_load_bytes(&options, (const char *)bytes, size, name, &err);
    if (status != err.status || (status != ANO_OK && strncmp(err.message, name, strlen(name)) != 0))
        abort();
    if (status == ANO_OK)
        check(&options);
    cli_options_free(&options);
    return 0;
}
