/* Eight threads score at once, by the same models and of the same images, by one method after the
 * other. Each result must be, to the byte, what one thread alone gets, and memory must not grow.
 * Run as:
 *
 *     scoring ROUNDS [METHOD...]
 *
 * In a round each thread scores all images by one of the methods, of which its next round takes the
 * next; where none is named, all are meant. The rounds are split into laps, each with threads of
 * its own; when a lap has ended and its threads with it, memory is counted. */
#include <anogan/anogan.h>

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_THREADS = 8, LAPS = 10, N_IMAGES = 4, SIZE = 16, SIDE = 24, PIXELS = SIDE * SIDE };

/* How much more memory may be in use, or belong to the process, after the last lap than after the
 * first two, in which libraries make what they keep. */
enum { MORE_IN_USE = 128 << 10, MORE_RESIDENT = 16 << 20 };

typedef struct results {
    float scores[N_IMAGES];
    float maps[N_IMAGES][PIXELS], generated[N_IMAGES][PIXELS];
} results;

/* A method, and what it scores. */
typedef struct way {
    ano_method method, trained_as;
    int stride; /* of tiles of images in files; 0: whole images in memory */
    ano_model *model;
    ano_dataset *images;
    results expected;
} way;

static way ways[] = {
    {.method = ANO_METHOD_FC, .trained_as = ANO_METHOD_FC},
    {.method = ANO_METHOD_LATENT, .trained_as = ANO_METHOD_FC},
    {.method = ANO_METHOD_PATCH, .trained_as = ANO_METHOD_PATCH, .stride = SIZE / 2},
    {.method = ANO_METHOD_VAE, .trained_as = ANO_METHOD_VAE},
    {.method = ANO_METHOD_ENCODER, .trained_as = ANO_METHOD_ENCODER},
    {.method = ANO_METHOD_HYBRID, .trained_as = ANO_METHOD_ENCODER},
};
enum { N_WAYS = sizeof ways / sizeof *ways };

typedef struct worker {
    pthread_t thread;
    size_t number, first_round, rounds;
    way *const *chosen; /* [n_chosen] */
    size_t n_chosen;
    size_t n_wrong;
} worker;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "scoring: %s: %s\n", what, why);
    exit(1);
}

static void check(ano_status status, const char *what, const ano_error *err)
{
    if (status != ANO_OK)
        stop(what, err->message);
}

/* ---- images and models -------------------------------------------------------------------- */

enum { FIRST_TRAINING = 0, N_TRAINING = 24, FIRST_ASIDE = 24, N_ASIDE = 8, FIRST_SCORED = 32 };

/* Stripes, wider in some; every fourth has a bright square. */
static void paint(uint8_t *pixels, size_t i)
{
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) {
            const bool in_square = i % 4 == 3 && y > 5 && y < 10 && x > 8 && x < 14;
            pixels[y * SIDE + x] = (uint8_t)(in_square ? 255 : (x + i) * (3 + i % 5) * 8 % 200);
        }
}

static ano_dataset *images_in_memory(const ano_view *view, size_t first, size_t n)
{
    static uint8_t pixels[N_TRAINING][PIXELS];
    ano_error err = ANO_ERROR_INIT;
    ano_dataset *dataset;
    for (size_t i = 0; i < n; i++)
        paint(pixels[i], first + i);
    check(ano_dataset_from_pixels(&dataset, pixels[0], n, (ano_shape){SIDE, SIDE, 1}, view, &err),
          "images in memory", &err);
    return dataset;
}

/* As files, so that they are decoded again each time. */
static ano_dataset *images_in_files(const ano_view *view, size_t first, size_t n)
{
    ano_error err = ANO_ERROR_INIT;
    ano_dataset_options options = ANO_DATASET_OPTIONS_INIT;
    ano_dataset *dataset;
    char names[N_IMAGES][32];
    const char *paths[N_IMAGES];
    for (size_t i = 0; i < n; i++) {
        uint8_t pixels[PIXELS];
        paint(pixels, first + i);
        snprintf(names[i], sizeof names[i], "%zu.pgm", i);
        paths[i] = names[i];
        FILE *file = fopen(names[i], "w");
        if (file == NULL || fprintf(file, "P5 %d %d 255\n", SIDE, SIDE) < 0 ||
            fwrite(pixels, 1, PIXELS, file) != PIXELS || fclose(file) != 0)
            stop(names[i], "cannot be written");
    }
    options.view = *view;
    check(ano_dataset_open_list(&dataset, paths, n, &options, &err), "images in files", &err);
    return dataset;
}

static void prepare(way *w)
{
    const ano_view view = {.size = SIZE, .channels = 1, .stride = w->stride};
    const ano_model_config config = {SIZE, 1, 3, 2, w->trained_as};
    ano_error err = ANO_ERROR_INIT;
    ano_train_options training = ANO_TRAIN_OPTIONS_INIT;
    training.epochs = 2;
    training.batch = 8;
    training.conv = ANO_CONV_DIRECT;
    training.threads = 1;
    ano_dataset *normals = images_in_memory(&view, FIRST_TRAINING, N_TRAINING);
    check(ano_train(&w->model, normals, &config, &training, &err), "training", &err);
    if (w->stride > 0) {
        ano_dataset *aside = images_in_memory(&view, FIRST_ASIDE, N_ASIDE);
        const ano_score_options how = ano_score_options_of(w->method);
        const unsigned kinds = 1u << ANO_MEMORY_HISTOGRAMS | 1u << ANO_MEMORY_FEATURES;
        check(ano_memorise(w->model, kinds, normals, aside, &how, &err), "the memory", &err);
        ano_dataset_free(aside);
    }
    w->images = w->stride > 0 ? images_in_files(&view, FIRST_SCORED, N_IMAGES)
                              : images_in_memory(&view, FIRST_SCORED, N_IMAGES);
    ano_dataset_free(normals);
}

/* ---- scoring ------------------------------------------------------------------------------ */

static int keep_strip(const ano_strip *strip, void *cookie)
{
    results *r = cookie;
    const size_t at = (size_t)(strip->y * strip->shape.width),
                 size = (size_t)(strip->n_rows * strip->shape.width) * sizeof(float);
    memcpy(r->maps[strip->image] + at, strip->map, size);
    if (strip->generated != NULL)
        memcpy(r->generated[strip->image] + at, strip->generated, size);
    return 0;
}

static int keep_score(const ano_result *result, void *cookie)
{
    results *r = cookie;
    if (result->status != ANO_OK)
        stop("an image", result->message);
    r->scores[result->image] = result->score;
    return 0;
}

static void score(results *r, const way *w, int threads)
{
    ano_error err = ANO_ERROR_INIT;
    ano_score_options how = ano_score_options_of(w->method);
    how.iterations = 3;
    how.restarts = 2;
    how.samples = 2;
    how.threads = threads;
    const ano_score_sink sink = {.on_strip = keep_strip, .on_result = keep_score, .cookie = r};
    memset(r, 0, sizeof *r);
    check(ano_score_images(w->model, w->images, &how, &sink, &err), ano_method_name(w->method),
          &err);
}

static void *score_rounds(void *cookie)
{
    worker *self = cookie;
    results *r = malloc(sizeof *r);
    if (r == NULL)
        stop("results", "out of memory");
    for (size_t i = 0; i < self->rounds; i++) {
        const way *w = self->chosen[(self->number + self->first_round + i) % self->n_chosen];
        score(r, w, 1 + (int)(self->number % 2));
        self->n_wrong += memcmp(r, &w->expected, sizeof *r) != 0;
    }
    free(r);
    return NULL;
}

/* Returns how many scorings, of all images each, came out otherwise than expected. */
static size_t run_lap(way *const *chosen, size_t n_chosen, size_t first_round, size_t rounds)
{
    worker workers[N_THREADS];
    size_t n_wrong = 0;
    for (size_t i = 0; i < N_THREADS; i++) {
        workers[i] = (worker){.number = i,
                              .first_round = first_round,
                              .rounds = rounds,
                              .chosen = chosen,
                              .n_chosen = n_chosen};
        if (pthread_create(&workers[i].thread, NULL, score_rounds, &workers[i]) != 0)
            stop("a thread", "cannot be made");
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        n_wrong += workers[i].n_wrong;
    }
    return n_wrong;
}

/* ---- memory ------------------------------------------------------------------------------- */

typedef struct memory {
    size_t in_use;   /* bytes that malloc has given out; 0 where it is not glibc's */
    size_t resident; /* bytes of the process */
} memory;

static memory count_memory(void)
{
    const struct mallinfo2 info = mallinfo2();
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*u %zu", &pages) != 1)
        stop("/proc/self/statm", "cannot be read");
    fclose(file);
    return (memory){info.uordblks + info.hblkhd, pages * (size_t)sysconf(_SC_PAGESIZE)};
}

static void clear(way **chosen, size_t n, const char *folder)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < N_IMAGES && chosen[i]->stride > 0; k++)
            unlink(ano_dataset_path(chosen[i]->images, k));
        ano_dataset_free(chosen[i]->images);
        ano_model_free(chosen[i]->model);
    }
    rmdir(folder);
}

static bool choose(way **chosen, const char *name)
{
    for (size_t i = 0; i < N_WAYS; i++)
        if (strcmp(ano_method_name(ways[i].method), name) == 0) {
            *chosen = &ways[i];
            return true;
        }
    return false;
}

int main(int argc, char **argv)
{
    way *chosen[N_WAYS];
    size_t n_chosen = 0, n_wrong = 0;
    const size_t rounds = argc > 1 ? strtoul(argv[1], NULL, 10) / LAPS : 0;
    if (rounds == 0 || argc > 2 + N_WAYS) {
        fprintf(stderr, "usage: scoring ROUNDS [METHOD...], of %d rounds at least\n", LAPS);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        if (!choose(&chosen[n_chosen++], argv[i]))
            stop(argv[i], "is no method");
    for (size_t i = 0; i < N_WAYS && argc == 2; i++)
        chosen[n_chosen++] = &ways[i];

    char folder[] = "/tmp/anogan-scoring-XXXXXX";
    if (mkdtemp(folder) == NULL || chdir(folder) != 0)
        stop(folder, "cannot be made");
    for (size_t i = 0; i < n_chosen; i++) {
        prepare(chosen[i]);
        score(&chosen[i]->expected, chosen[i], 1);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    memory first = {0}, last = {0};
    for (size_t lap = 0; lap < LAPS; lap++) {
        n_wrong += run_lap(chosen, n_chosen, lap * rounds, rounds);
        last = count_memory();
        if (lap == 1)
            first = last;
        printf("%zu scores: %zu kB in use, %zu kB resident\n",
               (lap + 1) * rounds * N_THREADS * N_IMAGES, last.in_use / 1024, last.resident / 1024);
    }
    clear(chosen, n_chosen, folder);
    if (n_wrong > 0)
        fprintf(stderr, "scoring: %zu times not what one thread alone gets\n", n_wrong);
    const bool is_counted = first.in_use > 0;
    const bool grows = is_counted && (last.in_use > first.in_use + MORE_IN_USE ||
                                      last.resident > first.resident + MORE_RESIDENT);
    if (grows)
        fprintf(stderr, "scoring: memory grows\n");
    return n_wrong > 0 || grows;
}
