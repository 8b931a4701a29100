/* The decoder of a library that was built without libvips: it refuses. */
#include "data/decode.h"

static ano_status refuse(ano_error *err, const char *what)
{
    return base_error(err, ANO_UNSUPPORTED, "%s: this library was built without libvips", what);
}

ano_status data_decode_check(ano_error *err)
{
    return base_error(err, ANO_UNSUPPORTED, "this library was built without libvips");
}

ano_status data_decode_size(ano_shape *out, const char *path, size_t max_pixels, ano_error *err)
{
    (void)max_pixels;
    *out = (ano_shape){0};
    return refuse(err, path);
}

ano_status data_decode_open(data_decoder **out, const char *path, const ano_view *view,
                            size_t max_pixels, ano_error *err)
{
    (void)view, (void)max_pixels;
    *out = NULL;
    return refuse(err, path);
}

ano_status data_decode_open_pixels(data_decoder **out, const uint8_t *pixels, ano_shape shape,
                                   const ano_view *view, ano_error *err)
{
    (void)pixels, (void)shape, (void)view;
    *out = NULL;
    return refuse(err, "images cannot be fitted");
}

void data_decode_close(data_decoder *decoder)
{
    (void)decoder;
}

ano_shape data_decode_shape(const data_decoder *decoder)
{
    (void)decoder;
    return (ano_shape){0};
}

ano_status data_decode_read(uint16_t *dst, data_decoder *decoder, size_t n, ano_error *err)
{
    (void)dst, (void)decoder, (void)n;
    return refuse(err, "image");
}
