/* PNG by libpng's simplified interface, encoded in memory so that the file is written at once. */
#include "report/png.h"

#include "base/file.h"
#include "base/memory.h"

#include <png.h>

ano_status report_png_encode(report_png *out, const uint8_t *pixels, int width, int height,
                             int channels, ano_error *err)
{
    *out = (report_png){.width = width, .height = height};
    if (width < 1 || height < 1 || (channels != 1 && channels != 3))
        return base_error(err, ANO_ARG, "a picture of %d x %d pixels of %d channels", width, height,
                          channels);
    png_image image = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)width,
        .height = (png_uint_32)height,
        .format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
    };
    ano_status status = ANO_OK;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image); /* an upper bound, then the size */
    out->bytes = base_alloc(size, 1);
    if (out->bytes == NULL)
        status = base_error_nomem(err, "a picture");
    else if (!png_image_write_to_memory(&image, out->bytes, &size, 0, pixels, 0, NULL))
        status = base_error(err, ANO_NOMEM, "a picture: %s", image.message);
    out->size = size;
    png_image_free(&image);
    if (status != ANO_OK)
        report_png_free(out);
    return status;
}

void report_png_free(report_png *png)
{
    base_free(png->bytes);
    *png = (report_png){0};
}

ano_status report_png_write(const char *path, const uint8_t *pixels, int width, int height,
                            int channels, ano_error *err)
{
    report_png png;
    ano_status status = report_png_encode(&png, pixels, width, height, channels, err);
    base_error_context(err, "%s", path);
    if (status == ANO_OK)
        status = base_file_write(path, png.bytes, png.size, err);
    report_png_free(&png);
    return status;
}
