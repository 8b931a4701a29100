/* Image files as we wrap libvips: what is opened gives as many numbers as its shape says or says
 * why not; what is refused leaves no decoder, and an error that begins with the file's name. */
#include "target.h"

#include "data/decode.h"
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PIXELS = 1 << 18, READ_SIZE = 4096 };

static void decode(const char *path, const ano_view *view)
{
    uint16_t numbers[READ_SIZE];
    data_decoder *decoder;
    ano_error err = ANO_ERROR_INIT;
    ano_status status = data_decode_open(&decoder, path, view, MAX_PIXELS, &err);
    if (status == ANO_OK) {
        const ano_shape shape = data_decode_shape(decoder);
        if (shape.height < 1 || shape.width < 1 || (shape.channels != 1 && shape.channels != 3) ||
            (view->channels > 0 && shape.channels != view->channels) ||
            (view->stride == 0 && view->size > 0 &&
             (shape.height != view->size || shape.width != view->size)))
            abort();
        const size_t size = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
        for (size_t done = 0, n; done < size && status == ANO_OK; done += n) {
            n = size - done < READ_SIZE ? size - done : READ_SIZE;
            status = data_decode_read(numbers, decoder, n, &err);
        }
        data_decode_close(decoder);
    } else if (decoder != NULL) {
        abort();
    }
    if (status != err.status || (status != ANO_OK && strncmp(err.message, path, strlen(path)) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const ano_view views[] = {
        {.scale = 1},
        {.size = 16, .channels = 1, .scale = 1},
        {.size = 16, .channels = 3, .fit = ANO_FIT_CROP, .scale = 1},
        {.size = 16, .channels = 1, .stride = 8, .scale = 0.5},
    };
    ano_shape shape;
    ano_error err = ANO_ERROR_INIT;
    const char *path = fuzz_memory_file(bytes, size);
    if (data_decode_size(&shape, path, MAX_PIXELS, &err) != err.status)
        abort();
    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        decode(path, &views[i]);
    return 0;
}
