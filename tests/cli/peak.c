/* Runs a command, and fails if it had more than so many megabytes of memory at its peak. Exits with
 * 77, without running it, under AddressSanitizer, which keeps what is freed. Run as:
 * peak MEGABYTES COMMAND... */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SKIPPED = 77 };

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
#if defined(__SANITIZE_ADDRESS__)
    fputs("memory is not measured under AddressSanitizer\n", stderr);
    return SKIPPED;
#endif
    const pid_t child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        getrusage(RUSAGE_CHILDREN, &usage) != 0) {
        fprintf(stderr, "%s did not end by itself\n", argv[2]);
        return 1;
    }
    const long megabytes = usage.ru_maxrss / 1024, most = atol(argv[1]);
    if (megabytes > most) {
        fprintf(stderr, "%s had %ld MB of memory, more than %ld\n", argv[2], megabytes, most);
        return 1;
    }
    return WEXITSTATUS(status);
}
