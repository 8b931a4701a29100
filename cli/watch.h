/* Files as they arrive in a folder. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

/* Called with the path of a file that is complete: written and closed, or moved into the folder.
 * Returns an exit code; any but CLI_DONE ends the watch. */
typedef int cli_arrival(const char *path, void *cookie);

/* Watches `folder` until Ctrl-C or SIGTERM, or until the folder goes away, which are ends like any
 * other: CLI_DONE. Hidden files are not seen. Files that are there already are not, either. */
int cli_watch(const char *folder, cli_arrival *on_arrival, void *cookie);

#endif
