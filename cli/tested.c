#include "cli/tested.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/maps.h"
#include "cli/run.h"
#include "report/pictures.h"
#include "report/text.h"

#include <stdio.h>
#include <string.h>

/* Images of more numbers get no pictures, and their maps are not compared with masks. */
enum { MOST_NUMBERS = 1 << 26 };

/* The image under way, put together from its strips. */
typedef struct canvas {
    ano_shape shape;
    size_t room;   /* pixels */
    bool is_whole; /* there was room for it */
    float *pixels, *generated, *map;
    bool generates; /* else `generated` holds nothing */
} canvas;

typedef struct testing {
    cli_tested *tested;
    const ano_dataset *images;
    const cli_options *options;
    double threshold, map_high;
    char *folder; /* predict/ */
    canvas canvas;
    ano_pixel_metrics *pixels; /* NULL: there are no masks */
    base_file trace;
    cli_scoring scoring;
    ano_error err; /* of the program's own, which stopped the scoring */
} testing;

/* ---- pictures ------------------------------------------------------------------------------ */

static void canvas_clear(canvas *c)
{
    base_free(c->pixels);
    base_free(c->generated);
    base_free(c->map);
    *c = (canvas){0};
}

static ano_status canvas_begin(canvas *c, ano_shape shape, ano_error *err)
{
    const size_t n = (size_t)shape.height * (size_t)shape.width, channels = (size_t)shape.channels;
    c->is_whole = n * channels <= MOST_NUMBERS;
    if (c->is_whole && (n > c->room || channels != (size_t)c->shape.channels)) {
        canvas_clear(c);
        *c = (canvas){.room = n,
                      .is_whole = true,
                      .pixels = base_alloc(n * channels, sizeof(float)),
                      .generated = base_alloc(n * channels, sizeof(float)),
                      .map = base_alloc(n, sizeof(float))};
        if (c->pixels == NULL || c->generated == NULL || c->map == NULL)
            return base_error_nomem(err, "pictures");
    }
    c->shape = shape;
    return ANO_OK;
}

static int on_strip(const ano_strip *strip, void *cookie)
{
    testing *t = cookie;
    canvas *c = &t->canvas;
    if (strip->y == 0 && canvas_begin(c, strip->shape, &t->err) != ANO_OK)
        return 1;
    const size_t width = (size_t)strip->shape.width, channels = (size_t)strip->shape.channels;
    const size_t at = (size_t)strip->y * width, n = (size_t)strip->n_rows * width;
    if (!c->is_whole)
        return 0;
    memcpy(c->pixels + at * channels, strip->pixels, n * channels * sizeof(float));
    c->generates = strip->generated != NULL;
    if (c->generates)
        memcpy(c->generated + at * channels, strip->generated, n * channels * sizeof(float));
    memcpy(c->map + at, strip->map, n * sizeof(float));
    return 0;
}

/* predict/00017_9_41.25.png: the image's number, its class and its score. */
static ano_status write_comparison(const testing *t, size_t number, const char *class_name,
                                   double score, ano_error *err)
{
    enum { LEAST_SIDE = 112 };
    const canvas *c = &t->canvas;
    const int side = c->shape.width > c->shape.height ? c->shape.width : c->shape.height;
    char name[160], class_part[80];
    report_text_name(class_part, sizeof class_part, class_name);
    snprintf(name, sizeof name, "%05zu_%s_%.2f.png", number, *class_name != '\0' ? class_part : "",
             score);
    char *path = base_path_join(t->folder, name);
    if (path == NULL)
        return base_error_nomem(err, name);
    const int scale = side < LEAST_SIDE ? LEAST_SIDE / side : 1;
    const ano_status status =
        c->generates && t->options->map == ANO_MAP_METHOD
            ? report_comparison(path, c->pixels, c->generated, c->shape, scale, err)
            : report_map_beside(path, c->pixels, c->map, c->shape, t->map_high, scale, err);
    base_free(path);
    return status;
}

/* ---- examples ------------------------------------------------------------------------------ */

static void example_free(report_example *example)
{
    report_png_free(&example->image);
    report_png_free(&example->generated);
    report_png_free(&example->overlay);
    *example = (report_example){0};
}

/* Keeps the image among the worst, of which `badness` is higher, if it is one of them. */
static ano_status keep_example(report_example *examples, size_t *n, double sign, const testing *t,
                               report_example found, ano_error *err)
{
    const canvas *c = &t->canvas;
    size_t at = *n;
    while (at > 0 && sign * found.score > sign * examples[at - 1].score)
        at--;
    if (at == CLI_EXAMPLES)
        return ANO_OK;
    ano_status status = report_picture(&found.image, c->pixels, NULL, c->shape, t->map_high, err);
    if (status == ANO_OK && c->generates)
        status = report_picture(&found.generated, c->generated, NULL, c->shape, t->map_high, err);
    if (status == ANO_OK)
        status = report_picture(&found.overlay, c->pixels, c->map, c->shape, t->map_high, err);
    if (status != ANO_OK) {
        example_free(&found);
        return status;
    }
    if (*n == CLI_EXAMPLES)
        example_free(&examples[--*n]);
    memmove(examples + at + 1, examples + at, (*n - at) * sizeof *examples);
    examples[at] = found;
    ++*n;
    return ANO_OK;
}

static ano_status look_for_example(testing *t, size_t i, ano_error *err)
{
    cli_tested *tested = t->tested;
    const double score = (double)tested->scores[i];
    const bool flagged = score > t->threshold, anomalous = tested->labels[i] == 1;
    const report_example found = {
        .path = tested->paths[i], .class_name = tested->classes[i], .score = score};
    if (flagged && !anomalous)
        return keep_example(tested->false_alarms, &tested->n_false_alarms, 1, t, found, err);
    if (!flagged && anomalous)
        return keep_example(tested->misses, &tested->n_misses, -1, t, found, err);
    return ANO_OK;
}

/* ---- masks --------------------------------------------------------------------------------- */

static ano_status compare_with_mask(testing *t, size_t image, ano_error *err)
{
    ano_shape original;
    ano_status status = ano_dataset_original(&original, t->images, image, err);
    if (status != ANO_OK)
        return status;
    const size_t n = (size_t)original.height * (size_t)original.width;
    float *map = base_alloc(n, sizeof *map);
    uint8_t *mask = base_alloc(n, 1);
    status = map != NULL && mask != NULL ? ANO_OK : base_error_nomem(err, "mask");
    if (status == ANO_OK)
        status = ano_dataset_unfit_map(map, t->images, image, t->canvas.map, t->canvas.shape, err);
    if (status == ANO_OK)
        status = ano_dataset_read_mask(mask, t->images, image, err);
    if (status == ANO_OK)
        status = ano_pixel_metrics_add(t->pixels, map, mask, original.height, original.width, err);
    base_free(map);
    base_free(mask);
    return status;
}

/* ---- scoring ------------------------------------------------------------------------------- */

static void write_trace(const testing *t, const ano_result *result, size_t number)
{
    const ano_score_options *how = &t->scoring.how;
    for (int k = 0; k < how->restarts * how->iterations; k++) {
        fprintf(t->trace.stream, "%zu,", number);
        report_csv_field(t->trace.stream, ano_dataset_class(t->images, result->image));
        fprintf(t->trace.stream, ",%d,%d,%.9g\n", k / how->iterations + 1, k % how->iterations + 1,
                (double)result->trace[k]);
    }
}

static int on_result(const ano_result *result, void *cookie)
{
    testing *t = cookie;
    cli_tested *tested = t->tested;
    const size_t image = result->image, i = tested->n;
    if (result->status != ANO_OK) {
        cli_progress_end(&t->scoring.progress);
        cli_say("%s: skipped", result->message);
        tested->n_skipped++;
        return 0;
    }
    const bool is_idx = ano_dataset_get_kind(t->images) == ANO_DATASET_IDX;
    const size_t number = is_idx ? ano_dataset_index(t->images, image) : image;
    tested->scores[i] = result->score;
    tested->labels[i] = ano_dataset_label(t->images, image);
    tested->indices[i] = number;
    tested->paths[i] = ano_dataset_path(t->images, image);
    tested->classes[i] = ano_dataset_class(t->images, image);
    tested->n++;
    if (result->trace != NULL)
        write_trace(t, result, number);
    if (!t->canvas.is_whole)
        return 0;
    ano_error *err = &t->err;
    ano_status status = write_comparison(t, number, tested->classes[i], (double)result->score, err);
    if (status == ANO_OK)
        status = look_for_example(t, i, err);
    if (status == ANO_OK && t->pixels != NULL)
        status = compare_with_mask(t, image, err);
    return status != ANO_OK;
}

static bool has_masks(const ano_dataset *images)
{
    for (size_t i = 0; i < ano_dataset_count(images); i++)
        if (ano_dataset_mask(images, i) != NULL)
            return true;
    return false;
}

/* The pictures of an earlier test go first, so that none of them stays between the new ones. */
static ano_status prepare(testing *t, ano_error *err)
{
    cli_tested *tested = t->tested;
    const size_t n = ano_dataset_count(t->images);
    tested->scores = base_alloc(n, sizeof *tested->scores);
    tested->labels = base_alloc(n, sizeof *tested->labels);
    tested->indices = base_alloc(n, sizeof *tested->indices);
    tested->paths = base_alloc(n, sizeof *tested->paths);
    tested->classes = base_alloc(n, sizeof *tested->classes);
    t->folder = base_path_join(t->options->out, "predict");
    if (tested->scores == NULL || tested->labels == NULL || tested->indices == NULL ||
        tested->paths == NULL || tested->classes == NULL || t->folder == NULL)
        return base_error_nomem(err, "test images");
    ano_status status = base_make_folder(t->folder, err);
    if (status == ANO_OK)
        status = cli_remove_files(t->folder, "", ".png", err);
    if (status == ANO_OK && has_masks(t->images))
        status = ano_pixel_metrics_create(&t->pixels, err);
    if (status == ANO_OK && t->options->trace != NULL) {
        status = base_file_create(&t->trace, t->options->trace, err);
        if (status == ANO_OK)
            fputs("index,class,search,iteration,residual\n", t->trace.stream);
    }
    return status;
}

int cli_tested_score(cli_tested *out, const ano_model *model, const ano_dataset *images,
                     double threshold, const cli_options *options)
{
    *out = (cli_tested){0};
    ano_error err = ANO_ERROR_INIT;
    testing t = {.tested = out,
                 .images = images,
                 .options = options,
                 .threshold = threshold,
                 .map_high = cli_maps_high(model, options->map),
                 .err = ANO_ERROR_INIT};
    int code = prepare(&t, &err) == ANO_OK ? CLI_DONE : cli_fail(CLI_ON_RUN, &err);
    if (code == CLI_DONE) {
        const ano_score_sink sink = {.on_strip = on_strip,
                                     .on_result = on_result,
                                     .cookie = &t,
                                     .traces = options->trace != NULL,
                                     .map = options->map};
        cli_scoring_begin(&t.scoring, options, "scored");
        const ano_status status = ano_score_images(model, images, &t.scoring.how, &sink, &err);
        if (t.err.status != ANO_OK) {
            cli_progress_end(&t.scoring.progress);
            code = cli_fail(CLI_ON_RUN, &t.err);
        } else {
            code = cli_scoring_end(&t.scoring, status, out->n, options, &err);
        }
    }
    if (code == CLI_DONE && t.pixels != NULL) {
        out->has_pixels = ano_pixel_metrics_finish(&out->pixels, t.pixels, &err) == ANO_OK;
        if (!out->has_pixels)
            fprintf(stderr, "anogan: no metrics of pixels: %s\n", err.message);
        err = (ano_error)ANO_ERROR_INIT;
    }
    if (code == CLI_DONE && options->trace != NULL && base_file_commit(&t.trace, &err) != ANO_OK)
        code = cli_fail(CLI_ON_RUN, &err);
    base_file_abandon(&t.trace);
    ano_pixel_metrics_free(t.pixels);
    canvas_clear(&t.canvas);
    base_free(t.folder);
    return code;
}

void cli_tested_free(cli_tested *tested)
{
    for (size_t i = 0; i < tested->n_false_alarms; i++)
        example_free(&tested->false_alarms[i]);
    for (size_t i = 0; i < tested->n_misses; i++)
        example_free(&tested->misses[i]);
    base_free(tested->scores);
    base_free(tested->labels);
    base_free(tested->indices);
    base_free(tested->paths);
    base_free(tested->classes);
    *tested = (cli_tested){0};
}
