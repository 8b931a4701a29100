#define _GNU_SOURCE /* fopencookie() */
#include "base/file.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

ano_status base_file_read(char **out, size_t *size, const char *path, ano_error *err)
{
    *out = NULL;
    *size = 0;
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return base_error_errno(err, errno, path, "cannot be opened");
    ano_status status = ANO_OK;
    struct stat info;
    if (fstat(fileno(stream), &info) != 0) {
        status = base_error_errno(err, errno, path, "cannot be read");
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        status = base_error(err, ANO_IO, "%s: is not a regular file", path);
        goto done;
    }
    const size_t expected = (size_t)info.st_size;
    char *bytes = base_alloc(expected + 1, 1);
    if (bytes == NULL) {
        status = base_error(err, ANO_NOMEM, "%s: out of memory for %zu bytes", path, expected);
        goto done;
    }
    if (fread(bytes, 1, expected, stream) != expected) {
        status = base_error(err, ANO_IO, "%s: could not be read to its end", path);
        base_free(bytes);
        goto done;
    }
    *out = bytes;
    *size = expected;
done:
    fclose(stream);
    return status;
}

/* Where the bytes of a stream go: the one place that writes to files. */
struct base_sink {
    int descriptor;
    int errnum; /* of the first write that failed, else 0 */
};

/* As fopencookie() wants it: `size`, or 0 for a failure. */
static ssize_t sink_write(void *cookie, const char *bytes, size_t size)
{
    struct base_sink *sink = cookie;
    for (size_t done = 0; done < size && sink->errnum == 0;) {
        const ssize_t n = write(sink->descriptor, bytes + done, size - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0)
            sink->errnum = EIO;
        else if (errno != EINTR)
            sink->errnum = errno;
    }
    return sink->errnum == 0 ? (ssize_t)size : 0;
}

static ano_status write_error(ano_error *err, int errnum, const char *path)
{
    const char *advice = "";
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        advice = "; make room there";
        break;
    case EROFS:
    case EACCES:
    case EPERM:
        advice = "; its folder must be writable";
        break;
    case ENOENT:
        advice = "; its folder is missing";
        break;
    case EIO:
        advice = "; the disk may be failing";
        break;
    }
    return base_error(err, errnum == ENOMEM ? ANO_NOMEM : ANO_IO, "%s: cannot be written: %s%s",
                      path, strerror(errnum), advice);
}

/* Closes the file; returns 0 or what went wrong since it was made, as an errno. */
static int file_close(base_file *file)
{
    if (file->sink == NULL)
        return 0;
    if (file->stream != NULL && fclose(file->stream) != 0 && file->sink->errnum == 0)
        file->sink->errnum = EIO; /* it could not be flushed for another reason than a write */
    if (close(file->sink->descriptor) != 0 && errno != EINTR && file->sink->errnum == 0)
        file->sink->errnum = errno;
    const int errnum = file->sink->errnum;
    base_free(file->sink);
    file->sink = NULL;
    file->stream = NULL;
    return errnum;
}

static ano_status file_end(base_file *file, ano_status status)
{
    file_close(file);
    if (file->temporary != NULL && status != ANO_OK)
        unlink(file->temporary);
    base_free(file->temporary);
    base_free(file->path);
    *file = (base_file){0};
    return status;
}

/* Opens path's temporary sibling, whose name goes to `temporary`. Returns a descriptor, or -1 with
 * errno. base_file_sweep() knows these names. */
static int open_temporary(char *temporary, size_t size, const char *path)
{
    enum { MAX_ATTEMPTS = 1000 };
    int descriptor = -1;
    for (int attempt = 0; attempt < MAX_ATTEMPTS && descriptor < 0; attempt++) {
        snprintf(temporary, size, "%s.%ld-%d.tmp", path, (long)getpid(), attempt);
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor < 0 && errno != EEXIST)
            break;
    }
    return descriptor;
}

ano_status base_file_create(base_file *file, const char *path, ano_error *err)
{
    enum { SUFFIX_SIZE = 40 };
    *file = (base_file){0};
    const size_t size = strlen(path) + SUFFIX_SIZE;
    file->path = base_strdup(path);
    char *temporary = base_alloc(size, 1);
    struct base_sink *sink = base_alloc(1, sizeof *sink);
    if (file->path == NULL || temporary == NULL || sink == NULL) {
        base_free(temporary);
        base_free(sink);
        return file_end(file, base_error_nomem(err, path));
    }
    sink->descriptor = open_temporary(temporary, size, path);
    if (sink->descriptor < 0) {
        const int errnum = errno;
        base_free(temporary);
        base_free(sink);
        return file_end(file, write_error(err, errnum, path));
    }
    file->temporary = temporary;
    file->sink = sink;
    file->stream = fopencookie(sink, "wb", (cookie_io_functions_t){.write = sink_write});
    return file->stream != NULL ? ANO_OK : file_end(file, write_error(err, ENOMEM, path));
}

/* Makes the names in path's folder last through a power cut; 0 or an errno. Some file systems
 * cannot, and say EINVAL. */
static int sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = base_strdup(slash != NULL ? path : ".");
    if (folder == NULL)
        return ENOMEM;
    if (slash != NULL)
        folder[slash == path ? 1 : slash - path] = '\0';
    int errnum = 0;
    const int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 || (fsync(descriptor) != 0 && errno != EINVAL))
        errnum = errno;
    if (descriptor >= 0)
        close(descriptor);
    base_free(folder);
    return errnum;
}

ano_status base_file_commit(base_file *file, ano_error *err)
{
    struct base_sink *sink = file->sink;
    if (fflush(file->stream) != 0 && sink->errnum == 0)
        sink->errnum = EIO;
    if (sink->errnum == 0 && fsync(sink->descriptor) != 0)
        sink->errnum = errno;
    int errnum = file_close(file);
    if (errnum == 0 && rename(file->temporary, file->path) != 0)
        errnum = errno;
    if (errnum == 0)
        errnum = sync_folder(file->path);
    return file_end(file, errnum == 0 ? ANO_OK : write_error(err, errnum, file->path));
}

void base_file_abandon(base_file *file)
{
    file_end(file, ANO_CANCELLED);
}

ano_status base_file_move(const char *from, const char *to, ano_error *err)
{
    if (rename(from, to) != 0)
        return errno == ENOENT && access(from, F_OK) != 0 ? ANO_OK : write_error(err, errno, to);
    return ANO_OK;
}

/* Whether a name ends as open_temporary() makes it: ".PID-ATTEMPT.tmp". */
static bool is_temporary(const char *name)
{
    static const char digits[] = "0123456789";
    for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        const char *end = dot + 1;
        const size_t pid = strspn(end, digits), attempt = strspn(end + pid + 1, digits);
        if (pid > 0 && end[pid] == '-' && attempt > 0 &&
            strcmp(end + pid + 1 + attempt, ".tmp") == 0)
            return true;
    }
    return false;
}

void base_file_sweep(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (is_temporary(entry->d_name))
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

ano_status base_file_write(const char *path, const void *bytes, size_t size, ano_error *err)
{
    base_file file;
    const ano_status status = base_file_create(&file, path, err);
    if (status != ANO_OK)
        return status;
    fwrite(bytes, 1, size, file.stream);
    return base_file_commit(&file, err);
}

ano_status base_make_folder(const char *path, ano_error *err)
{
    char *prefix = base_strdup(path);
    if (prefix == NULL)
        return base_error_nomem(err, path);
    ano_status status = ANO_OK;
    struct stat info;
    for (char *end = prefix;; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        const char separator = *end;
        *end = '\0';
        if (*prefix != '\0' && mkdir(prefix, 0777) != 0) {
            /* Where a folder may not be made it may still be there already. */
            const int errnum = errno;
            if (errnum != EEXIST && stat(prefix, &info) != 0) {
                status = base_error_errno(err, errnum, prefix, "the folder cannot be made");
                break;
            }
        }
        if (separator == '\0')
            break;
        *end = separator;
    }
    if (status == ANO_OK && (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)))
        status = base_error(err, ANO_IO, "%s: is in the way: a folder is needed there", path);
    base_free(prefix);
    return status;
}

char *base_path_join(const char *folder, const char *name)
{
    const size_t length = strlen(folder), size = length + 1 + strlen(name) + 1;
    const bool has_slash = length > 0 && folder[length - 1] == '/';
    char *path = base_alloc(size, 1);
    if (path != NULL)
        snprintf(path, size, "%s%s%s", folder, has_slash ? "" : "/", name);
    return path;
}
