#include "cli/progress.h"

#include "base/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };
static const double redraw_seconds = 1.0 / 6;

cli_progress cli_progress_begin(bool quiet)
{
    return (cli_progress){
        .quiet = quiet, .terminal = isatty(STDERR_FILENO) == 1, .started = base_seconds()};
}

double cli_progress_seconds(const cli_progress *progress)
{
    return base_seconds() - progress->started;
}

static void clear_bar(cli_progress *progress)
{
    if (progress->bar_is_up)
        fputs("\r\033[K", stderr);
    progress->bar_is_up = false;
}

cli_rate cli_progress_rate(double images, double seconds)
{
    cli_rate rate;
    if (images < seconds)
        snprintf(rate.text, sizeof rate.text, "%.1f s an image", seconds / images);
    else
        snprintf(rate.text, sizeof rate.text, "%.1f images/s", images / seconds);
    return rate;
}

void cli_progress_update(cli_progress *progress, const char *title, double done, size_t total)
{
    if (!progress->begun) {
        progress->begun = true;
        progress->first = done;
    }
    const double time = base_seconds();
    if (progress->quiet || !progress->terminal || time - progress->drawn < redraw_seconds)
        return;
    progress->drawn = time;
    progress->bar_is_up = true;
    const double images = done - progress->first, seconds = time - progress->started;
    const double share = total > 0 ? fmin(done / (double)total, 1) : 0;
    char bar[BAR_WIDTH + 1] = {0};
    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '=', (size_t)(share * BAR_WIDTH));
    fprintf(stderr, "\r%s [%s] %3.0f %%", title, bar, 100 * share);
    if (images > 0) {
        const long left = (long)(((double)total - done) / images * seconds);
        if (!progress->no_rate)
            fprintf(stderr, "  %s", cli_progress_rate(images, seconds).text);
        fprintf(stderr, "  %ld:%02ld:%02ld left", left / 3600, left / 60 % 60, left % 60);
    }
    fputs("\033[K", stderr);
}

void cli_progress_say(cli_progress *progress, const char *format, ...)
{
    if (progress->quiet)
        return;
    clear_bar(progress);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void cli_progress_end(cli_progress *progress)
{
    clear_bar(progress);
}
