/* Progress on stderr: a bar with rate and time left on a terminal, else a line where a piece of
 * work ends; nothing when quiet. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_progress {
    bool quiet, terminal;
    double started, drawn; /* seconds on the monotonic clock */
    double first;          /* what was done already when the work started */
    bool begun, bar_is_up;
    bool no_rate; /* set it where it is no images that are counted */
} cli_progress;

cli_progress cli_progress_begin(bool quiet);

/* `done` of `total` images, maybe with a part of the next; draws the bar, after `title`, at most
 * six times a second. */
void cli_progress_update(cli_progress *progress, const char *title, double done, size_t total);

/* "12.3 images/s", or "81.3 s an image" of those that take so long. */
typedef struct cli_rate {
    char text[40];
} cli_rate;
cli_rate cli_progress_rate(double images, double seconds);

/* A line of its own on stderr, above the bar. */
void cli_progress_say(cli_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes the bar away. */
void cli_progress_end(cli_progress *progress);

double cli_progress_seconds(const cli_progress *progress);

#endif
