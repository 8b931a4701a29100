#include "data/decode.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>

#include <vips/vector.h>

enum { STRIP_HEIGHT = 16 }; /* rows that are decoded at a time */

struct data_decoder {
    VipsImage *image;   /* as the view has it, 16 bits */
    VipsRegion *region; /* of the strip that is being read */
    char *path;         /* NULL for pixels in memory */
    ano_shape shape;
    int row;       /* of the next number */
    size_t column; /* and its place in there */
};

/* ---- libvips ------------------------------------------------------------------------------ */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_started;

static void say_nothing(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
    (void)domain, (void)level, (void)message, (void)data;
}

static void start(void)
{
    is_started = vips_init("anogan") == 0;
    if (!is_started)
        return;
    vips_cache_set_max(0); /* a file that has changed is read anew */
    vips_concurrency_set(1);
    vips_vector_set_enabled(FALSE); /* its generated code crashes on 64-bit ARM */
    g_log_set_handler("VIPS", G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG,
                      say_nothing, NULL);
    /* So says GObject of an image that libvips gives no width, in the place of an error. */
    g_log_set_handler("GLib-GObject", G_LOG_LEVEL_WARNING, say_nothing, NULL);
}

static const char *name_of(const char *path)
{
    return path != NULL ? path : "image in memory";
}

/* Records libvips's own words on one line. It keeps one list of errors for all threads: of two that
 * fail at once, one may also say what was wrong in the other. */
static ano_status fail(ano_error *err, ano_status status, const char *path)
{
    char *text = vips_error_buffer_copy();
    g_strchomp(text);
    for (char *c = text; *c != '\0'; c++)
        if (*c == '\n')
            *c = ';';
    base_error(err, status, "%s: %s", name_of(path), *text != '\0' ? text : "cannot be decoded");
    g_free(text);
    return status;
}

/* Puts what an operation made of *image in its place; `failed` is what the operation returned. */
static int become(VipsImage **image, VipsImage **made, int failed)
{
    if (failed)
        return -1;
    g_object_unref(*image);
    *image = *made;
    return 0;
}

/* ---- the file ----------------------------------------------------------------------------- */

/* Pictures. The others of libvips's loaders are for documents, drawings, tables and slides, which
 * are larger attack surfaces and have no pixels of their own. */
static const char *const loaders[] = {"Png",  "Jpeg", "Tiff", "Webp", "Nsgif",
                                      "Heif", "Jp2k", "Jxl",  "Ppm"};

static bool is_picture(VipsSource *source)
{
    static const char prefix[] = "VipsForeignLoad";
    const char *name = vips_foreign_find_load_source(source);
    for (size_t i = 0; i < sizeof loaders / sizeof *loaders && name != NULL; i++)
        if (strncmp(name + sizeof prefix - 1, loaders[i], strlen(loaders[i])) == 0)
            return true;
    /* BMP has no loader of its own: libvips hands it on to ImageMagick. */
    const unsigned char *magic = vips_source_sniff(source, 2);
    return name == NULL && magic != NULL && magic[0] == 'B' && magic[1] == 'M';
}

/* By a descriptor, for libvips would take "a.png[page=1]" apart and ImageMagick "msl:a.bmp". */
static ano_status source_open(VipsSource **out, const char *path, ano_error *err)
{
    struct stat info;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return base_error_errno(err, errno, path, "cannot be opened");
    ano_status status = ANO_OK;
    if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode))
        status = base_error(err, ANO_IO, "%s: is not a regular file", path);
    else if ((*out = vips_source_new_from_descriptor(descriptor)) == NULL)
        status = fail(err, ANO_IO, path);
    close(descriptor);
    return status;
}

/* How many pixels a file can hold that begins with `magic`; of most kinds no limit is known. PBM,
 * PGM and PPM need a byte for each number, in words or binary, but for a binary PBM, which needs a
 * bit; libvips reads on, slowly, where there are none: a file of thirty bytes would take minutes.
 * A JPEG needs a bit for each 64 numbers of
 * the components with the most lines and columns, two of which may share them: at most 16 x 64
 * pixels a byte. libjpeg holds all of a progressive one, 6 bytes a pixel, before it finds that most
 * is missing. */
static gint64 most_pixels(const unsigned char magic[2], gint64 length, int bands)
{
    if (magic[0] == 'P' && magic[1] == '4')
        return length > G_MAXINT64 / 8 ? G_MAXINT64 : length * 8;
    if (magic[0] == 'P' && magic[1] >= '1' && magic[1] <= '6')
        return length / bands;
    if (magic[0] == 0xff && magic[1] == 0xd8)
        return length > G_MAXINT64 / 1024 ? G_MAXINT64 : length * 1024;
    return G_MAXINT64;
}

static ano_status load(VipsImage **out, const char *path, VipsAccess access, ano_error *err)
{
    VipsSource *source = NULL;
    ano_status status = source_open(&source, path, err);
    if (status != ANO_OK)
        return status;
    const bool known = is_picture(source);
    const gint64 length = vips_source_length(source); /* before the loader has its place there */
    const unsigned char *sniffed = vips_source_sniff(source, 2);
    const unsigned char magic[2] = {sniffed != NULL ? sniffed[0] : 0,
                                    sniffed != NULL ? sniffed[1] : 0};
    if (!known) {
        vips_error_clear();
        status = base_error(err, ANO_FORMAT, "%s: is not an image of a known kind", path);
    } else if ((*out = vips_image_new_from_source(source, "", "access", access, "fail_on",
                                                  VIPS_FAIL_ON_ERROR, NULL)) == NULL) {
        status = fail(err, ANO_FORMAT, path);
    } else if ((gint64)(*out)->Xsize * (*out)->Ysize > most_pixels(magic, length, (*out)->Bands)) {
        status =
            base_error(err, ANO_FORMAT, "%s: announces %d x %d pixels, and is too short for them",
                       path, (*out)->Ysize, (*out)->Xsize);
        g_object_unref(*out);
    }
    g_object_unref(source);
    return status;
}

/* ---- colours ------------------------------------------------------------------------------ */

/* 8 bits become 16, v becomes 257 v: exact in float32. */
static int widen(VipsImage **image)
{
    VipsImage *out = NULL;
    if ((*image)->BandFmt == VIPS_FORMAT_UCHAR &&
        (become(image, &out, vips_linear1(*image, &out, 257, 0, NULL)) != 0 ||
         become(image, &out, vips_cast_ushort(*image, &out, NULL)) != 0))
        return -1;
    return become(
        image, &out,
        vips_copy(*image, &out, "interpretation",
                  (*image)->Bands < 3 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16,
                  NULL));
}

static int round_to_integers(VipsImage **image)
{
    VipsImage *out = NULL;
    if (become(image, &out, vips_rint(*image, &out, NULL)) != 0)
        return -1;
    return become(image, &out, vips_cast_ushort(*image, &out, NULL));
}

static int see_in_channels(VipsImage **image, int channels)
{
    VipsImage *out = NULL;
    if ((*image)->Bands == channels)
        return 0;
    if ((*image)->Bands == 1) {
        VipsImage *bands[] = {*image, *image, *image};
        return become(image, &out, vips_bandjoin(bands, &out, channels, NULL));
    }
    VipsImage *luma = vips_image_new_matrixv(3, 1, 0.299, 0.587, 0.114);
    if (luma == NULL)
        return -1;
    const int failed = vips_recomb(*image, &out, luma, NULL);
    g_object_unref(luma);
    return become(image, &out, failed) != 0 ? -1 : round_to_integers(image);
}

/* Gray or RGB of 16 bits, opaque. */
static ano_status standardise(VipsImage **image, const char *path, ano_error *err)
{
    VipsImage *out = NULL;
    switch (vips_image_guess_interpretation(*image)) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB16:
        break;
    case VIPS_INTERPRETATION_CMYK:
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABS:
        if (become(image, &out, vips_colourspace(*image, &out, VIPS_INTERPRETATION_sRGB, NULL)) !=
            0)
            return fail(err, ANO_UNSUPPORTED, path);
        break;
    default:
        return base_error(err, ANO_UNSUPPORTED, "%s: is neither gray nor RGB, but of %d channels",
                          path, (*image)->Bands);
    }
    if ((*image)->BandFmt != VIPS_FORMAT_UCHAR && (*image)->BandFmt != VIPS_FORMAT_USHORT)
        return base_error(err, ANO_UNSUPPORTED,
                          "%s: has numbers of the kind %s, whose black and white are not known: "
                          "only 8 and 16 bits without sign are read",
                          path, vips_enum_nick(VIPS_TYPE_BAND_FORMAT, (int)(*image)->BandFmt));
    if ((*image)->Bands > 4)
        return base_error(err, ANO_UNSUPPORTED, "%s: has %d channels", path, (*image)->Bands);
    if (widen(image) != 0 ||
        (vips_image_hasalpha(*image) && become(image, &out, vips_flatten(*image, &out, NULL)) != 0))
        return fail(err, ANO_BACKEND, path);
    return ANO_OK;
}

/* *out is the caller's in every case but that of failure. */
static ano_status open_file(VipsImage **out, const char *path, size_t max_pixels, ano_error *err)
{
    VipsImage *image, *turned = NULL;
    ano_status status = load(&image, path, VIPS_ACCESS_SEQUENTIAL, err);
    if (status != ANO_OK)
        return status;
    if ((size_t)image->Xsize * (size_t)image->Ysize > max_pixels) {
        status = base_error(
            err, ANO_UNSUPPORTED,
            "%s: has %d x %d pixels, more than the limit of %zu; the option max-pixels sets it",
            path, image->Ysize, image->Xsize, max_pixels);
    } else if (vips_image_get_orientation(image) > 1) { /* what is turned is not read in order */
        g_object_unref(image);
        if ((status = load(&image, path, VIPS_ACCESS_RANDOM, err)) != ANO_OK)
            return status;
        if (become(&image, &turned, vips_autorot(image, &turned, NULL)) != 0)
            status = fail(err, ANO_FORMAT, path);
    }
    if (status == ANO_OK)
        status = standardise(&image, path, err);
    if (status == ANO_OK)
        *out = image;
    else
        g_object_unref(image);
    return status;
}

/* ---- the view ----------------------------------------------------------------------------- */

/* Scales both sides; none becomes less than a pixel. The kernel is Lanczos's, stretched to what is
 * shrunk, behind a box where that is much; in float32, for libvips's weights of 12 bits that it has
 * for integers do not add up to 1. */
static int scale(VipsImage **image, double horizontal, double vertical)
{
    VipsImage *out = NULL;
    if (horizontal == 1 && vertical == 1)
        return 0;
    horizontal = VIPS_MAX(horizontal, 1.0 / (*image)->Xsize);
    vertical = VIPS_MAX(vertical, 1.0 / (*image)->Ysize);
    if (become(image, &out, vips_cast_float(*image, &out, NULL)) != 0 ||
        become(image, &out, vips_resize(*image, &out, horizontal, "vscale", vertical, NULL)) != 0)
        return -1;
    return round_to_integers(image);
}

/* Grows the image to a size by what is next to its edges, which takes it out of order: it must be
 * small on one side at least. */
static int extend(VipsImage **image, int left, int top, int width, int height, VipsExtend by)
{
    VipsImage *out = NULL;
    if ((*image)->Xsize == width && (*image)->Ysize == height)
        return 0;
    if ((out = vips_image_copy_memory(*image)) == NULL || become(image, &out, 0) != 0)
        return -1;
    return become(image, &out,
                  vips_embed(*image, &out, left, top, width, height, "extend", by, NULL));
}

static int fit_tiles(VipsImage **image, const ano_view *view)
{
    if (scale(image, view->scale, view->scale) != 0)
        return -1;
    return extend(image, 0, 0, VIPS_MAX((*image)->Xsize, view->size),
                  VIPS_MAX((*image)->Ysize, view->size), VIPS_EXTEND_MIRROR);
}

static int fit_whole(VipsImage **image, const ano_view *view)
{
    VipsImage *out = NULL;
    const int size = view->size;
    const double horizontal = (double)size / (*image)->Xsize,
                 vertical = (double)size / (*image)->Ysize;
    if (view->fit == ANO_FIT_RESIZE)
        return scale(image, horizontal, vertical);
    const double both =
        view->fit == ANO_FIT_CROP ? VIPS_MAX(horizontal, vertical) : VIPS_MIN(horizontal, vertical);
    if (scale(image, both, both) != 0)
        return -1;
    const int x = ((*image)->Xsize - size) / 2, y = ((*image)->Ysize - size) / 2;
    if (view->fit == ANO_FIT_PAD)
        return extend(image, -x, -y, size, size, VIPS_EXTEND_COPY);
    return become(image, &out, vips_extract_area(*image, &out, x, y, size, size, NULL));
}

/* In the fewer of the channels that it has and is to have: the numbers are the same. */
static int fit(VipsImage **image, const ano_view *view)
{
    const int channels = view->channels > 0 ? view->channels : (*image)->Bands;
    if (channels < (*image)->Bands && see_in_channels(image, channels) != 0)
        return -1;
    const int failed = view->stride > 0 ? fit_tiles(image, view)
                       : view->size > 0 ? fit_whole(image, view)
                                        : 0;
    return failed ? -1 : see_in_channels(image, channels);
}

/* Takes `image`; *out frees it. */
static ano_status see(data_decoder **out, VipsImage *image, const char *path, const ano_view *view,
                      ano_error *err)
{
    data_decoder *decoder = base_alloc(1, sizeof *decoder);
    if (decoder == NULL) {
        g_object_unref(image);
        return base_error_nomem(err, "decoder");
    }
    decoder->image = image;
    ano_status status = ANO_OK;
    if (path != NULL && (decoder->path = base_strdup(path)) == NULL)
        status = base_error_nomem(err, path);
    else if (fit(&decoder->image, view) != 0 ||
             (decoder->region = vips_region_new(decoder->image)) == NULL)
        status = fail(err, ANO_FORMAT, path);
    image = decoder->image;
    decoder->shape = (ano_shape){image->Ysize, image->Xsize, image->Bands};
    if (status == ANO_OK && view->stride == 0 && view->size > 0 &&
        (image->Ysize != view->size || image->Xsize != view->size))
        status = base_error(err, ANO_BACKEND, "%s: libvips made it %d x %d pixels, not %d",
                            name_of(path), image->Ysize, image->Xsize, view->size);
    if (status == ANO_OK)
        *out = decoder;
    else
        data_decode_close(decoder);
    return status;
}

/* ---- what others use ---------------------------------------------------------------------- */

ano_status data_decode_check(ano_error *err)
{
    pthread_once(&once, start);
    return is_started ? ANO_OK : base_error(err, ANO_BACKEND, "libvips cannot be started");
}

ano_status data_decode_size(ano_shape *out, const char *path, size_t max_pixels, ano_error *err)
{
    VipsImage *image;
    ano_status status = data_decode_check(err);
    if (status == ANO_OK)
        status = open_file(&image, path, max_pixels, err);
    if (status != ANO_OK)
        return status;
    *out = (ano_shape){image->Ysize, image->Xsize, image->Bands};
    g_object_unref(image);
    return ANO_OK;
}

ano_status data_decode_open(data_decoder **out, const char *path, const ano_view *view,
                            size_t max_pixels, ano_error *err)
{
    VipsImage *image;
    *out = NULL;
    ano_status status = data_decode_check(err);
    if (status == ANO_OK)
        status = open_file(&image, path, max_pixels, err);
    return status == ANO_OK ? see(out, image, path, view, err) : status;
}

ano_status data_decode_open_pixels(data_decoder **out, const uint8_t *pixels, ano_shape shape,
                                   const ano_view *view, ano_error *err)
{
    *out = NULL;
    if (shape.channels != view->channels && shape.channels != 1 && shape.channels != 3)
        return base_error(err, ANO_ARG, "images of %d channels cannot be seen in %d",
                          shape.channels, view->channels);
    const ano_status status = data_decode_check(err);
    if (status != ANO_OK)
        return status;
    const size_t size = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    VipsImage *image = vips_image_new_from_memory(pixels, size, shape.width, shape.height,
                                                  shape.channels, VIPS_FORMAT_UCHAR);
    if (image == NULL || widen(&image) != 0) {
        VIPS_UNREF(image);
        return fail(err, ANO_BACKEND, NULL);
    }
    return see(out, image, NULL, view, err);
}

void data_decode_close(data_decoder *decoder)
{
    if (decoder == NULL)
        return;
    VIPS_UNREF(decoder->region);
    VIPS_UNREF(decoder->image);
    base_free(decoder->path);
    base_free(decoder);
}

ano_shape data_decode_shape(const data_decoder *decoder)
{
    return decoder->shape;
}

/* Decodes the strip that begins with the next row. */
static ano_status read_strip(data_decoder *decoder, ano_error *err)
{
    const VipsRect strip = {0, decoder->row, decoder->shape.width,
                            VIPS_MIN(STRIP_HEIGHT, decoder->shape.height - decoder->row)};
    return vips_region_prepare(decoder->region, &strip) == 0 ? ANO_OK
                                                             : fail(err, ANO_FORMAT, decoder->path);
}

ano_status data_decode_read(uint16_t *dst, data_decoder *decoder, size_t n, ano_error *err)
{
    const size_t width = (size_t)decoder->shape.width * (size_t)decoder->shape.channels;
    ano_status status = ANO_OK;
    while (n > 0) {
        if (decoder->column == 0 && decoder->row % STRIP_HEIGHT == 0 &&
            (status = read_strip(decoder, err)) != ANO_OK)
            return status;
        const VipsRegion *strip = decoder->region;
        const uint16_t *row =
            (const uint16_t *)(const void *)(strip->data +
                                             (size_t)(decoder->row - strip->valid.top) *
                                                 (size_t)strip->bpl);
        const size_t count = VIPS_MIN(n, width - decoder->column);
        memcpy(dst, row + decoder->column, count * sizeof *dst);
        dst += count;
        n -= count;
        decoder->column += count;
        if (decoder->column == width) {
            decoder->column = 0;
            decoder->row++;
        }
    }
    return ANO_OK;
}
