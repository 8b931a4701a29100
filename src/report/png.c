/* PNG by libpng's simplified interface, encoded in memory so that the file is written at once. */
#include "report/png.h"

#include "base/file.h"
#include "base/memory.h"

#include <png.h>

ano_status report_png_write(const char *path, const uint8_t *pixels, int width, int height,
                            int channels, ano_error *err)
{
    if (width < 1 || height < 1 || (channels != 1 && channels != 3))
        return base_error(err, ANO_ARG, "%s: a picture of %d x %d pixels of %d channels", path,
                          width, height, channels);
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)width,
        .height = (png_uint_32)height,
        .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
    };
    ano_status status = ANO_OK;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image); /* an upper bound, then the size */
    uint8_t *bytes = base_alloc(size, 1);
    if (bytes == NULL)
        status = base_error_nomem(err, path);
    else if (!png_image_write_to_memory(&image, bytes, &size, 0, pixels, 0, NULL))
        status = base_error(err, ANO_NOMEM, "%s: %s", path, image.message);
    else
        status = base_file_write(path, bytes, size, err);
    png_image_free(&image);
    base_free(bytes);
    return status;
}
