/* libvips that refuses; refusals.h says how. */
#include "refusals.h"

#include <stdarg.h>
#include <vips/vips.h>

static bool refuses(const char *name)
{
    if (!refusals_strike(REFUSALS_VIPS, name))
        return false;
    vips_error(name, "was refused");
    return true;
}

#define VIPS(name, type, failure, parameters, arguments)                                           \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return refuses(#name) ? failure : __real_##name arguments;                                 \
    }
typedef VipsImage *image;

VIPS(vips_source_new_from_descriptor, VipsSource *, NULL, (int descriptor), (descriptor))
VIPS(vips_source_sniff, unsigned char *, NULL, (VipsSource * source, size_t n), (source, n))
VIPS(vips_foreign_find_load_source, const char *, NULL, (VipsSource * source), (source))
VIPS(vips_image_new_from_memory, image, NULL,
     (const void *bytes, size_t size, int width, int height, int bands, VipsBandFormat format),
     (bytes, size, width, height, bands, format))
VIPS(vips_image_copy_memory, image, NULL, (image in), (in))
VIPS(vips_region_new, VipsRegion *, NULL, (image in), (in))
VIPS(vips_region_prepare, int, -1, (VipsRegion * region, const VipsRect *where), (region, where))

/* Operations, with the arguments that the project gives them. */
VIPS(vips_cast_ushort, int, -1, (image in, image *out, ...), (in, out, NULL))
VIPS(vips_cast_float, int, -1, (image in, image *out, ...), (in, out, NULL))
VIPS(vips_rint, int, -1, (image in, image *out, ...), (in, out, NULL))
VIPS(vips_flatten, int, -1, (image in, image *out, ...), (in, out, NULL))
VIPS(vips_autorot, int, -1, (image in, image *out, ...), (in, out, NULL))
VIPS(vips_linear1, int, -1, (image in, image *out, double a, double b, ...), (in, out, a, b, NULL))
VIPS(vips_bandjoin, int, -1, (image * in, image *out, int n, ...), (in, out, n, NULL))
VIPS(vips_recomb, int, -1, (image in, image *out, image matrix, ...), (in, out, matrix, NULL))
VIPS(vips_colourspace, int, -1, (image in, image *out, VipsInterpretation space, ...),
     (in, out, space, NULL))
VIPS(vips_extract_area, int, -1,
     (image in, image *out, int left, int top, int width, int height, ...),
     (in, out, left, top, width, height, NULL))

/* And those with options, which are handed on. */
int __real_vips_copy(image in, image *out, ...);
int __wrap_vips_copy(image in, image *out, ...);
int __wrap_vips_copy(image in, image *out, ...)
{
    va_list options;
    va_start(options, out);
    const char *name = va_arg(options, const char *);
    const int value = va_arg(options, int);
    va_end(options);
    return refuses("vips_copy") ? -1 : __real_vips_copy(in, out, name, value, NULL);
}

int __real_vips_resize(image in, image *out, double scale, ...);
int __wrap_vips_resize(image in, image *out, double scale, ...);
int __wrap_vips_resize(image in, image *out, double scale, ...)
{
    va_list options;
    va_start(options, scale);
    const char *name = va_arg(options, const char *);
    const double value = va_arg(options, double);
    va_end(options);
    return refuses("vips_resize") ? -1 : __real_vips_resize(in, out, scale, name, value, NULL);
}

int __real_vips_embed(image in, image *out, int x, int y, int width, int height, ...);
int __wrap_vips_embed(image in, image *out, int x, int y, int width, int height, ...);
int __wrap_vips_embed(image in, image *out, int x, int y, int width, int height, ...)
{
    va_list options;
    va_start(options, height);
    const char *name = va_arg(options, const char *);
    const int value = va_arg(options, int);
    va_end(options);
    return refuses("vips_embed")
               ? -1
               : __real_vips_embed(in, out, x, y, width, height, name, value, NULL);
}

image __real_vips_image_new_from_source(VipsSource *source, const char *how, ...);
image __wrap_vips_image_new_from_source(VipsSource *source, const char *how, ...);
image __wrap_vips_image_new_from_source(VipsSource *source, const char *how, ...)
{
    const char *names[2];
    int values[2];
    va_list options;
    va_start(options, how);
    for (int i = 0; i < 2; i++) {
        names[i] = va_arg(options, const char *);
        values[i] = va_arg(options, int);
    }
    va_end(options);
    return refuses("vips_image_new_from_source")
               ? NULL
               : __real_vips_image_new_from_source(source, how, names[0], values[0], names[1],
                                                   values[1], NULL);
}

image __real_vips_image_new_matrixv(int width, int height, ...);
image __wrap_vips_image_new_matrixv(int width, int height, ...);
image __wrap_vips_image_new_matrixv(int width, int height, ...)
{
    va_list values;
    va_start(values, height);
    const double a = va_arg(values, double), b = va_arg(values, double), c = va_arg(values, double);
    va_end(values);
    return refuses("vips_image_new_matrixv")
               ? NULL
               : __real_vips_image_new_matrixv(width, height, a, b, c);
}
