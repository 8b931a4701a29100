#include "data/reader.h"

/* Images in memory that the view takes as they are. */
static bool is_taken_as_is(const ano_dataset *dataset)
{
    const ano_view *view = &dataset->view;
    const ano_shape native = dataset->native;
    if (native.channels != view->channels)
        return false;
    if (view->stride > 0)
        return view->scale == 1 && native.height >= view->size && native.width >= view->size;
    return view->size == 0 || (native.height == view->size && native.width == view->size);
}

ano_status data_reader_open(data_reader *out, const ano_dataset *dataset, size_t i, ano_error *err)
{
    *out = (data_reader){0};
    if (dataset->pixels == NULL || !is_taken_as_is(dataset))
        return base_error(err, ANO_UNSUPPORTED, "%s: cannot be seen so",
                          ano_dataset_path(dataset, i));
    const ano_shape shape = dataset->native;
    const size_t size = (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
    *out = (data_reader){.shape = shape, .pixels = dataset->pixels + i * size};
    return ANO_OK;
}

void data_reader_close(data_reader *reader)
{
    *reader = (data_reader){0};
}

/* 0…255 is stretched to 0…65535, so that the networks see the same numbers either way. */
ano_status data_reader_rows(uint16_t *dst, data_reader *reader, int n, ano_error *err)
{
    (void)err;
    const size_t size = (size_t)n * (size_t)reader->shape.width * (size_t)reader->shape.channels;
    for (size_t i = 0; i < size; i++)
        dst[i] = (uint16_t)(reader->pixels[i] * 257);
    reader->pixels += size;
    return ANO_OK;
}

void data_scale(float *dst, const uint16_t *src, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dst[i] = (float)src[i] / 32767.5f - 1;
}
