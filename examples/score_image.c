/* Scores images with a trained detector: the library's public interface in one page.
 *
 *   cc score_image.c $(pkg-config --cflags --libs anogan) -o score_image
 *   ./score_image runs/demo/model.safetensors data/mnist-1-vs-9 */
#include <anogan/anogan.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: score_image MODEL.safetensors DATA\n");
        return 2;
    }
    ano_error err = ANO_ERROR_INIT;
    ano_model *model = NULL;
    ano_dataset *images = NULL;
    float *scores = NULL;
    int code = 1;

    ano_dataset_options which = ANO_DATASET_OPTIONS_INIT;
    which.split = ANO_SPLIT_TEST;
    which.count = 10;
    if (ano_model_load(&model, argv[1], &err) != ANO_OK ||
        ano_dataset_open(&images, argv[2], &which, &err) != ANO_OK)
        goto done;

    const size_t n = ano_dataset_count(images);
    scores = calloc(n, sizeof *scores);
    const ano_score_options how = ANO_SCORE_OPTIONS_INIT;
    if (scores == NULL || ano_score(scores, NULL, NULL, model, images, &how, &err) != ANO_OK)
        goto done;

    const ano_calibration calibration = ano_model_get_calibration(model);
    for (size_t i = 0; i < n; i++)
        printf("image %zu of class %s: score %.2f, p-value %.3f\n", ano_dataset_index(images, i),
               ano_dataset_class(images, i), (double)scores[i],
               ano_p_value(calibration.scores, calibration.n, (double)scores[i]));
    code = 0;
done:
    if (code != 0)
        fprintf(stderr, "score_image: %s\n", err.status != ANO_OK ? err.message : "out of memory");
    free(scores);
    ano_dataset_free(images);
    ano_model_free(model);
    return code;
}
