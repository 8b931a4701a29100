/* By Linux's inotify: a file is complete when who wrote it has closed it, or has moved it here. */
#include "cli/watch.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"

#include <errno.h>
#include <poll.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { WAIT_MILLISECONDS = 200 }; /* for events, before a look at whether to go on */

static int take_event(const struct inotify_event *event, const char *folder,
                      cli_arrival *on_arrival, void *cookie)
{
    if (event->mask & IN_Q_OVERFLOW)
        fprintf(stderr, "anogan: %s: files arrived too fast, some were not seen\n", folder);
    if (event->len == 0 || event->name[0] == '.' || (event->mask & IN_ISDIR))
        return CLI_DONE;
    char *path = base_path_join(folder, event->name);
    if (path == NULL)
        return cli_refuse(CLI_OTHER, "out of memory");
    const int code = on_arrival(path, cookie);
    base_free(path);
    return code;
}

/* Takes the events that wait; *ended when the folder is gone. */
static int take_events(int watcher, bool *ended, const char *folder, cli_arrival *on_arrival,
                       void *cookie)
{
    alignas(struct inotify_event) char buffer[16 * 1024];
    const ssize_t size = read(watcher, buffer, sizeof buffer);
    int code = CLI_DONE;
    for (ssize_t at = 0; at < size && code == CLI_DONE && !cli_interrupted();) {
        const struct inotify_event *event = (const void *)(buffer + at);
        *ended = *ended || (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0;
        code = take_event(event, folder, on_arrival, cookie);
        at += (ssize_t)(sizeof *event + event->len);
    }
    return code;
}

int cli_watch(const char *folder, cli_arrival *on_arrival, void *cookie)
{
    ano_error err = ANO_ERROR_INIT;
    const int watcher = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watcher < 0 || inotify_add_watch(watcher, folder,
                                         IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE_SELF |
                                             IN_MOVE_SELF | IN_ONLYDIR) < 0) {
        base_error_errno(&err, errno, folder, "cannot be watched");
        if (watcher >= 0)
            close(watcher);
        return cli_fail(CLI_ON_DATA, &err);
    }
    fprintf(stderr, "anogan: watching %s; Ctrl-C ends\n", folder);
    int code = CLI_DONE;
    for (bool ended = false; !ended && code == CLI_DONE && !cli_interrupted();) {
        struct pollfd ready = {.fd = watcher, .events = POLLIN};
        if (poll(&ready, 1, WAIT_MILLISECONDS) > 0)
            code = take_events(watcher, &ended, folder, on_arrival, cookie);
    }
    close(watcher);
    return code;
}
