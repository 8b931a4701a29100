/* All that the library does, with each call for memory, of oneDNN or of libvips refused in turn: an
 * error that says so or, of an image that cannot be decoded, a result that does; nothing crashes or
 * leaks, files that were there stay whole, and the same once more, with nothing refused, gives the
 * same bytes as ever.
 *
 * Run as: refuse_each memory|onednn|vips [STRIDE|places [SCENE]]: the first call and every
 * STRIDE-th after it are refused, or the first and the last from each place, which is a line of the
 * program with all its callers; a scene is one of those below. */
#include "refusals.h"
#include "scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct scene {
    const char *name;
    ano_status (*run)(outcome *out, ano_error *err);
    bool leaves_out; /* images that cannot be decoded, as is promised: the bytes are others then */
} scene;

static const scene scenes[] = {
    {.name = "idx", .run = scene_idx},
    {.name = "tree", .run = scene_tree},
    {.name = "manifest", .run = scene_manifest},
    {.name = "folder", .run = scene_folder},
    {.name = "cmyk", .run = scene_cmyk},
    {.name = "list", .run = scene_list},
    {.name = "model_file", .run = scene_model_file},
    {.name = "train_fc", .run = scene_train_fc},
    {.name = "train_patch", .run = scene_train_patch},
    {.name = "train_vae", .run = scene_train_vae},
    {.name = "train_encoder", .run = scene_train_encoder},
    {.name = "train_files", .run = scene_train_files},
    {.name = "score_fc", .run = scene_score_fc},
    {.name = "score_lbfgs", .run = scene_score_lbfgs},
    {.name = "score_patch", .run = scene_score_patch},
    {.name = "score_vae", .run = scene_score_vae},
    {.name = "score_encoder", .run = scene_score_encoder},
    {.name = "score_latent", .run = scene_score_latent},
    {.name = "score_hybrid", .run = scene_score_hybrid},
    {.name = "score_files", .run = scene_score_files},
    {.name = "calibrate_whole", .run = scene_calibrate_whole, .leaves_out = true},
    {.name = "calibrate_tiles", .run = scene_calibrate_tiles, .leaves_out = true},
    {.name = "baselines", .run = scene_baselines},
    {.name = "evaluate", .run = scene_evaluate},
};

/* Whether an error is the one that is due where a call of the kind is refused. */
static bool is_due(refusals_kind kind, ano_status status, const char *message)
{
    switch (kind) {
    case REFUSALS_MEMORY:
        return status == ANO_NOMEM && (strstr(message, "out of memory") != NULL ||
                                       strstr(message, "Cannot allocate memory") != NULL);
    case REFUSALS_ONEDNN:
        return (status == ANO_NOMEM || status == ANO_BACKEND) &&
               strstr(message, "oneDNN: ") != NULL;
    default: /* it names the image */
        return (status == ANO_FORMAT || status == ANO_UNSUPPORTED || status == ANO_BACKEND ||
                status == ANO_IO) &&
               (strstr(message, stage.folder) != NULL ||
                strstr(message, "image in memory") != NULL);
    }
}

static outcome run(const scene *s, ano_status *status, ano_error *err)
{
    outcome out = {0};
    *err = (ano_error)ANO_ERROR_INIT;
    *status = s->run(&out, err);
    return out;
}

static int n_faults; /* that were found */

/* Refuses the k-th call of a scene. */
static void refuse(const scene *s, const outcome *whole, refusals_kind kind, long k)
{
    ano_error err;
    ano_status status;
    const int before = n_faults;
    const long live = refusals_live();
    refusals_set(kind, k);
    const outcome out = run(s, &status, &err);
    const char *call = refusals_name();
    refusals_set(kind, 0);
    const long leaked = refusals_live() - live;
    const bool same = out.sum == whole->sum && out.n_lost == whole->n_lost;
    const bool told = kind == REFUSALS_VIPS && (s->leaves_out || out.n_lost > 0);
    n_faults += leaked != 0 || status != err.status ||
                !(status == ANO_OK ? same || told : is_due(kind, status, err.message));
    ano_error later;
    const outcome again = run(s, &status, &later);
    n_faults += status != ANO_OK || again.sum != whole->sum;
    if (n_faults > before)
        fprintf(stderr,
                "%s: call %ld, %s, was refused: %s: '%s'; %ld blocks leak; %s bytes; %d images "
                "lost: '%s'; and afterwards: '%s', %s bytes\n",
                s->name, k, call, ano_status_name(err.status), err.message, leaked,
                same ? "the same" : "other", out.n_lost, out.lost, later.message,
                again.sum == whole->sum ? "the same" : "other");
}

/* Whether the k-th of n calls is the first or the last from its place. */
static bool is_end(long k, long n)
{
    bool earlier = false, later = false;
    for (long other = 1; other < k && !earlier; other++)
        earlier = refusals_place(other) == refusals_place(k);
    for (long other = k + 1; other <= n && !later; other++)
        later = refusals_place(other) == refusals_place(k);
    return !earlier || !later;
}

/* The calls of a scene, and how many were refused; stride 0: the ends of each place. */
static long refuse_each(const scene *s, refusals_kind kind, long stride, long *n_refused)
{
    ano_error err;
    ano_status status;
    run(s, &status, &err); /* what is made once a process is made now */
    refusals_note_places(kind);
    const outcome whole = run(s, &status, &err);
    const long n = refusals_count();
    if (status != ANO_OK || whole.n_lost > 0)
        die("%s: %s %s", s->name, err.message, whole.lost);
    for (long k = 1; k <= n; k += stride > 0 ? stride : 1)
        if (stride > 0 || is_end(k, n)) {
            refuse(s, &whole, kind, k);
            ++*n_refused;
        }
    return n;
}

int main(int argc, char **argv)
{
    static const char *const kinds[] = {"memory", "onednn", "vips"};
    refusals_kind kind = REFUSALS_MEMORY;
    while (argc > 1 && kind <= REFUSALS_VIPS && strcmp(argv[1], kinds[kind]) != 0)
        kind++;
    const bool by_places = argc > 2 && strcmp(argv[2], "places") == 0;
    const long stride = by_places ? 0 : argc > 2 ? atol(argv[2]) : 1;
    if (argc < 2 || kind > REFUSALS_VIPS || (stride < 1 && !by_places))
        die("refuse_each memory|onednn|vips [STRIDE|places [SCENE]]");
    stage_prepare();
    long n = 0, n_refused = 0;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        if (argc > 3 && strcmp(argv[3], scenes[i].name) != 0)
            continue;
        const long before = n_refused, here = refuse_each(&scenes[i], kind, stride, &n_refused);
        printf("%-16s %6ld calls, %6ld refused\n", scenes[i].name, here, n_refused - before);
        fflush(stdout);
        n += here;
    }
    printf("%ld of %ld calls for %s were refused in turn, %d faults\n", n_refused, n, kinds[kind],
           n_faults);
    stage_remove();
    return n_faults > 0;
}
