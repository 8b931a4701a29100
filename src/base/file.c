#include "base/file.h"

#include "base/memory.h"

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

static ano_status file_end(base_file *file, ano_status status)
{
    if (file->stream != NULL)
        fclose(file->stream);
    if (file->temporary != NULL && status != ANO_OK)
        unlink(file->temporary);
    base_free(file->temporary);
    base_free(file->path);
    *file = (base_file){0};
    return status;
}

ano_status base_file_create(base_file *file, const char *path, ano_error *err)
{
    enum { SUFFIX_SIZE = 40, MAX_ATTEMPTS = 1000 };
    *file = (base_file){0};
    const size_t size = strlen(path) + SUFFIX_SIZE;
    file->path = base_strdup(path);
    char *temporary = base_alloc(size, 1);
    if (file->path == NULL || temporary == NULL) {
        base_free(temporary);
        return file_end(file, base_error_nomem(err, path));
    }
    int descriptor = -1;
    for (int attempt = 0; attempt < MAX_ATTEMPTS && descriptor < 0; attempt++) {
        snprintf(temporary, size, "%s.%ld-%d.tmp", path, (long)getpid(), attempt);
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor < 0 && errno != EEXIST)
            break;
    }
    if (descriptor < 0) {
        const int errnum = errno;
        base_free(temporary);
        return file_end(file, base_error_errno(err, errnum, path, "cannot be written"));
    }
    file->temporary = temporary;
    file->stream = fdopen(descriptor, "wb");
    if (file->stream == NULL) {
        const int errnum = errno;
        close(descriptor);
        return file_end(file, base_error_errno(err, errnum, path, "cannot be written"));
    }
    return ANO_OK;
}

ano_status base_file_commit(base_file *file, ano_error *err)
{
    errno = 0;
    if (ferror(file->stream) || fflush(file->stream) != 0 || fsync(fileno(file->stream)) != 0)
        return file_end(file, base_error(err, ANO_IO, "%s: cannot be written: %s", file->path,
                                         errno != 0 ? strerror(errno) : "write failed"));
    if (rename(file->temporary, file->path) != 0)
        return file_end(file, base_error_errno(err, errno, file->path, "cannot be put in place"));
    return file_end(file, ANO_OK);
}

void base_file_abandon(base_file *file)
{
    file_end(file, ANO_CANCELLED);
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
    for (char *end = prefix;; end++) {
        if (*end != '/' && *end != '\0')
            continue;
        const char separator = *end;
        *end = '\0';
        if (*prefix != '\0' && mkdir(prefix, 0777) != 0 && errno != EEXIST) {
            status = base_error_errno(err, errno, prefix, "the folder cannot be made");
            break;
        }
        if (separator == '\0')
            break;
        *end = separator;
    }
    struct stat info;
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
