#include "data/reader.h"

#include <stdbool.h>

/* Images in memory that the view takes as they are. */
static bool is_taken_as_is(const ano_dataset *dataset)
{
    const ano_view *view = &dataset->view;
    const ano_shape native = dataset->native;
    if (dataset->pixels == NULL || native.channels != view->channels)
        return false;
    if (view->stride > 0)
        return view->scale == 1 && native.height >= view->size && native.width >= view->size;
    return view->size == 0 || (native.height == view->size && native.width == view->size);
}

/* Opens image i as `view` has it, where it is not in memory and taken as it is. */
static ano_status open_as(data_reader *out, const ano_dataset *dataset, size_t i,
                          const ano_view *view, bool as_is, ano_error *err)
{
    *out = (data_reader){0};
    const char *path = dataset->list.items[i].path;
    const ano_shape native = dataset->native;
    const uint8_t *pixels = NULL;
    if (dataset->pixels != NULL)
        pixels = dataset->pixels +
                 i * (size_t)native.height * (size_t)native.width * (size_t)native.channels;
    ano_status status = ANO_OK;
    if (pixels != NULL && as_is)
        *out = (data_reader){.shape = native, .pixels = pixels};
    else if (pixels != NULL)
        status = data_decode_open_pixels(&out->decoder, pixels, native, view, err);
    else
        status = data_decode_open(&out->decoder, path, view, dataset->max_pixels, err);
    if (out->decoder != NULL)
        out->shape = data_decode_shape(out->decoder);
    return status;
}

ano_status data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i, ano_error *err)
{
    return open_as(out, dataset, i, &dataset->view, is_taken_as_is(dataset), err);
}

ano_status data_reader_open_original(data_reader *out, const ano_dataset *dataset, size_t i,
                                     ano_error *err)
{
    return open_as(out, dataset, i, &(ano_view){.scale = 1}, true, err);
}

void data_reader_close(data_reader *reader)
{
    data_decode_close(reader->decoder);
    *reader = (data_reader){0};
}

/* 0…255 is stretched to 0…65535, so that the networks see the same numbers either way. */
ano_status data_reader_numbers(uint16_t *dst, data_reader *reader, size_t n, ano_error *err)
{
    if (reader->decoder != NULL)
        return data_decode_read(dst, reader->decoder, n, err);
    for (size_t i = 0; i < n; i++)
        dst[i] = (uint16_t)(reader->pixels[i] * 257);
    reader->pixels += n;
    return ANO_OK;
}

ano_status data_reader_rows(uint16_t *dst, data_reader *reader, int n, ano_error *err)
{
    const ano_shape shape = reader->shape;
    return data_reader_numbers(dst, reader,
                               (size_t)n * (size_t)shape.width * (size_t)shape.channels, err);
}

void data_scale(float *dst, const uint16_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)src[i] / 32767.5f - 1;
}
