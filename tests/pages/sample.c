/* Writes report.html, runs.html and benchmark.html with something in every part, for pages.sh and
 * for eyes: sample FOLDER. */
#include "report/benchmark.h"
#include "report/curves.h"
#include "report/histogram.h"
#include "report/page.h"
#include "report/pictures.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_POINTS = 60, N_SCORES = 80, N_METHODS = 3, SIDE = 48 };

static void require(ano_status status, const ano_error *err)
{
    if (status == ANO_OK)
        return;
    fprintf(stderr, "sample: %s\n", err->message);
    exit(1);
}

static double xs[N_METHODS][N_POINTS], ys[N_METHODS][N_POINTS];

static report_figure draw_roc(const char *const *names, ano_error *err)
{
    report_curve curves[N_METHODS];
    for (int m = 0; m < N_METHODS; m++) {
        for (int i = 0; i < N_POINTS; i++) {
            xs[m][i] = pow(i / (N_POINTS - 1.0), 2);
            ys[m][i] = pow(xs[m][i], 0.04 + 0.1 * m);
        }
        curves[m] = (report_curve){names[m], xs[m], ys[m], N_POINTS};
    }
    report_figure figure = {"ROC curve",
                            "The share of anomalous images that are found, over the share of "
                            "normal images that are called anomalous, for every threshold.",
                            {NULL, 0}};
    const report_plane plane = report_plane_roc();
    require(report_curves(&figure.svg, &plane, curves, N_METHODS, err), err);
    return figure;
}

static report_figure draw_precision(const char *const *names, ano_error *err)
{
    report_curve curves[N_METHODS];
    for (int m = 0; m < N_METHODS; m++) {
        for (int i = 0; i < N_POINTS; i++) {
            xs[m][i] = i / (N_POINTS - 1.0);
            ys[m][i] = 1 - 0.7 * pow(xs[m][i], 12 - 4 * m);
        }
        curves[m] = (report_curve){names[m], xs[m], ys[m], N_POINTS};
    }
    report_figure figure = {"Precision and recall",
                            "The share of images called anomalous that are, over the share of "
                            "anomalous images that are found.",
                            {NULL, 0}};
    const report_plane plane = report_plane_precision_recall(0.3);
    require(report_curves(&figure.svg, &plane, curves, N_METHODS, err), err);
    return figure;
}

static report_figure draw_losses(ano_error *err)
{
    static const char *const names[] = {"d_loss", "g_loss"};
    report_curve curves[2];
    for (int m = 0; m < 2; m++) {
        for (int i = 0; i < N_POINTS; i++) {
            xs[m][i] = i + 1;
            ys[m][i] = 0.5 + m * (0.6 + 0.02 * i) + 0.1 * sin(i * (3.1 + m));
        }
        curves[m] = (report_curve){names[m], xs[m], ys[m], N_POINTS};
    }
    report_figure figure = {
        "Losses in training", "Of the discriminator and of the generator, by epoch.", {NULL, 0}};
    const report_plane plane = report_plane_losses();
    require(report_curves(&figure.svg, &plane, curves, 2, err), err);
    return figure;
}

static report_figure draw_scores(ano_error *err)
{
    enum { N_CLASSES = 4 };
    static const char *const names[N_CLASSES] = {"good", "broken_large", "broken_small",
                                                 "contamination"};
    static float scores[N_CLASSES][N_SCORES];
    report_histogram_group groups[N_CLASSES];
    for (int c = 0; c < N_CLASSES; c++) {
        for (int i = 0; i < N_SCORES; i++)
            scores[c][i] = (float)(12 + 5 * c + 4 * sin(i * 1.7) + 3 * cos(i * 0.31));
        groups[c] = (report_histogram_group){names[c], scores[c], N_SCORES};
    }
    report_figure figure = {
        "Scores by kind of image", "Each row is scaled to its own highest bar.", {NULL, 0}};
    require(report_histogram_rows(&figure.svg, groups, N_CLASSES, 1, 18.7, err), err);
    return figure;
}

/* A blob on a gradient, its clean version, and where they differ. */
static report_example make_example(const char *path, const char *class_name, double score,
                                   ano_error *err)
{
    static float image[SIDE * SIDE], generated[SIDE * SIDE], map[SIDE * SIDE];
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            const int i = y * SIDE + x;
            const double distance = hypot(x - 30, y - 18 - score / 4);
            generated[i] = (float)(0.8 * sin(y * 0.1) * cos(x * 0.07));
            map[i] = (float)(1.5 * exp(-distance * distance / 30));
            image[i] = generated[i] - map[i];
        }
    }
    report_example example = {.path = path, .class_name = class_name, .score = score};
    const ano_shape shape = {SIDE, SIDE, 1};
    require(report_picture(&example.image, image, NULL, shape, 1, err), err);
    require(report_picture(&example.generated, generated, NULL, shape, 1, err), err);
    require(report_picture(&example.overlay, image, map, shape, 1.5, err), err);
    return example;
}

static void write_to(const char *folder, const char *name, const report_page *page,
                     const report_runs *runs, ano_error *err)
{
    char *path = base_path_join(folder, name);
    require(page != NULL ? report_page_write(path, page, err)
                         : report_comparison_page(path, runs, err),
            err);
    base_free(path);
}

static void write_page(const char *folder, const report_figure *figures, size_t n_figures,
                       const report_example *examples, ano_error *err)
{
    static const char *const verdict[] = {
        "anogan tells broken from good bottles nearly always, and better than both baselines.",
        "It finds 61 of 63 broken ones and raises 2 false alarms on 120 good ones."};
    static const char *const columns[] = {"anogan", "PCA, 30 components", "nearest neighbour"};
    static const report_cell auroc[] = {{"0.9871", "0.971 to 0.994", true},
                                        {"0.9320", "0.893 to 0.957", false},
                                        {"0.8123", "0.751 to 0.861", false}};
    static const report_cell aupr[] = {
        {"0.9794", NULL, true}, {"0.913", NULL, false}, {NULL, NULL, false}};
    static const report_cell accuracy[] = {
        {"0.9781", "at 18.7", true}, {"0.902", "at 5.1", false}, {"0.8", "at 3.25", false}};
    static const report_cell best[] = {
        {"0.9836", "18.9 to 19.1", true}, {"0.918", NULL, false}, {"0.826", NULL, false}};
    static const report_row metrics[] = {
        {"AUROC", "how often an anomalous image scores above a normal one", auroc},
        {"AUPR", "average precision", aupr},
        {"Accuracy", "at the threshold fixed on held-out images", accuracy},
        {"Best accuracy", "at the best threshold for these images, found with hindsight", best}};
    static const char *const class_columns[] = {"images", "AUROC", "found"};
    static const report_cell large[] = {
        {"20", NULL, false}, {"0.999", "0.99 to 1", false}, {"20", "100 %", false}};
    static const report_cell small[] = {
        {"22", NULL, false}, {"0.981", "0.95 to 1", false}, {"21", "95 %", false}};
    static const report_cell hostile[] = {
        {"21", NULL, false}, {"0.97", "0.93 to 0.99", false}, {"20", "95 %", false}};
    static const report_row classes[] = {{"broken_large", NULL, large},
                                         {"broken_small", NULL, small},
                                         {"<script>document.title='run'</script>", NULL, hostile}};
    static const report_setting settings[] = {{"data", "/srv/images/bottle"},
                                              {"epochs", "200"},
                                              {"seed", "1"},
                                              {"size", "64"},
                                              {"latent", "30"},
                                              {"search", "lbfgs"},
                                              {"restarts", "3"},
                                              {"alpha", "0.01"}};
    const report_threshold threshold = {0.01, 18.7, 200};
    const report_confusion confusion = {118, 2, 2, 61};
    const report_page page = {
        .title = "bottle",
        .verdict = verdict,
        .n_verdict = 2,
        .metrics = {"On 120 normal and 63 anomalous test images, with 95 % intervals", "metric",
                    columns, N_METHODS, metrics, 4},
        .threshold = &threshold,
        .confusion = &confusion,
        .classes = {"Each kind of anomalous image against all normal ones", "kind", class_columns,
                    3, classes, 3},
        .figures = figures,
        .n_figures = n_figures,
        .false_alarms = examples,
        .n_false_alarms = 2,
        .misses = examples + 2,
        .n_misses = 2,
        .settings = settings,
        .n_settings = sizeof settings / sizeof *settings,
    };
    write_to(folder, "report.html", &page, NULL, err);
}

static void write_runs(const char *folder, const report_figure *roc, ano_error *err)
{
    static const char *const verdict[] = {"The second run is best: more epochs helped."};
    static const char *const metrics[] = {"AUROC", "AUPR", "accuracy"};
    static const char *const settings[] = {"data", "epochs", "latent", "seed"};
    static const report_cell cells[][3] = {
        {{"0.9320", "0.893 to 0.957", false}, {"0.913", NULL, false}, {"0.902", NULL, false}},
        {{"0.9871", "0.971 to 0.994", true}, {"0.9794", NULL, true}, {"0.9781", NULL, true}},
        {{"0.8123", "0.751 to 0.861", false}, {NULL, NULL, false}, {"0.8", NULL, false}}};
    static const char *const values[][4] = {{"/srv/images/bottle", "50", "30", "1"},
                                            {"/srv/images/bottle", "200", "30", "1"},
                                            {"/srv/images/bottle", "200", NULL, "1"}};
    static const report_run runs[] = {{"runs/short", cells[0], values[0]},
                                      {"runs/long", cells[1], values[1]},
                                      {"runs/<script>'\"", cells[2], values[2]}};
    const report_runs compared = {.title = "Three runs on bottle",
                                  .verdict = verdict,
                                  .n_verdict = 1,
                                  .metrics = metrics,
                                  .n_metrics = 3,
                                  .settings = settings,
                                  .n_settings = 4,
                                  .runs = runs,
                                  .n_runs = 3,
                                  .figures = roc,
                                  .n_figures = 1};
    write_to(folder, "runs.html", NULL, &compared, err);
}

/* Ten classes and a hostile one, three seeds of a method that is done, and of its score without
 * what was learned, and of one that is not done. */
static void write_benchmark(const char *folder, ano_error *err)
{
    enum { N_CLASSES = 11, N_SEEDS = 3 };
    static const char *const classes[N_CLASSES] = {
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "<script>document.title='run'</script>"};
    static report_benchmark_cell good[N_CLASSES * N_SEEDS], some[N_CLASSES * N_SEEDS],
        plain[N_CLASSES];
    for (int i = 0; i < N_CLASSES * N_SEEDS; i++) {
        good[i] = (report_benchmark_cell){
            true, 0.985 + 0.012 * sin(i), 61.2, 21.4, 0.0021, 0.964, 0.012, 0.96, NAN, 0.981};
        some[i] = (report_benchmark_cell){
            i < 4, 0.9 + 0.02 * cos(i), 12.1, 40, 0.004, NAN, NAN, NAN, NAN, NAN};
    }
    for (int i = 0; i < N_CLASSES; i++)
        plain[i] = (report_benchmark_cell){
            true, 0.96 + 0.03 * cos(i), 0.4, 1.1, 0.00011, NAN, NAN, NAN, NAN, NAN};
    const report_contender rows[] = {
        {.name = "patch", .n_seeds = N_SEEDS, .cells = good},
        {.name = "patch unlearned",
         .n_seeds = N_SEEDS,
         .cells = good,
         .part = REPORT_UNLEARNED,
         .of = "patch"},
        {.name = "fc", .n_seeds = N_SEEDS, .cells = some},
        {.name = "histogram_mahalanobis", .baseline = true, .n_seeds = 1, .cells = plain}};
    static const report_setting settings[] = {{"data", "/srv/digits"}, {"epochs", "10"}};
    const report_benchmark benchmark = {.data = "/srv/digits",
                                        .classes = classes,
                                        .n_classes = N_CLASSES,
                                        .rows = rows,
                                        .n_rows = sizeof rows / sizeof *rows,
                                        .settings = settings,
                                        .n_settings = sizeof settings / sizeof *settings};
    char *path = base_path_join(folder, "benchmark.html");
    require(report_benchmark_page(path, &benchmark, err), err);
    base_free(path);
}

int main(int argc, char **argv)
{
    enum { N_FIGURES = 4, N_EXAMPLES = 4 };
    static const char *const methods[] = {"anogan, 0.9871", "PCA, 0.9320",
                                          "nearest neighbour, 0.8123"};
    static const char *const runs[] = {"runs/short, 0.9320", "runs/long, 0.9871",
                                       "runs/<script>'\", 0.8123"};
    ano_error err = ANO_ERROR_INIT;
    if (argc != 2)
        return 2;
    report_figure figures[N_FIGURES] = {draw_roc(methods, &err), draw_precision(methods, &err),
                                        draw_scores(&err), draw_losses(&err)};
    report_example examples[N_EXAMPLES] = {
        make_example("test/good/017.png", "good", 22.41, &err),
        make_example("test/good/a name as long as names of files from machines are, "
                     "2024-03-01T12:00:00.000Z_camera-7_station-12_batch-0001.png",
                     "good", 19.02, &err),
        make_example("test/\"><img src=x onerror=document.title='run'>\xFF.png", "broken_small",
                     9.7, &err),
        make_example("test/contamination/003.png", "contamination", 14.9, &err)};
    write_page(argv[1], figures, N_FIGURES, examples, &err);
    report_figure roc = draw_roc(runs, &err);
    write_runs(argv[1], &roc, &err);
    write_benchmark(argv[1], &err);
    report_svg_free(&roc.svg);
    for (int i = 0; i < N_FIGURES; i++)
        report_svg_free(&figures[i].svg);
    for (int i = 0; i < N_EXAMPLES; i++) {
        report_png_free(&examples[i].image);
        report_png_free(&examples[i].generated);
        report_png_free(&examples[i].overlay);
    }
    return 0;
}
