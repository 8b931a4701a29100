/* A training step of f-AnoGAN's encoder, of each of its three losses: against twins of the networks
 * that it goes through, and those against central finite differences in double precision.
 *
 * Rounding makes the numbers and gradients of a net off by a share of them, check_net_error(), and
 * the shares of the nets on the way add up. Where two such numbers are subtracted, an image and
 * what comes back of it say, the share of what is left is greater: by the length of the one over
 * that of the difference. A square is off by twice the share. */
#include "base/random.h"
#include "check.h"
#include "formula.h"
#include "train/encoder.h"
#include "twin.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BATCH = 3, LATENT = 3, SIZE = 8, IMAGES = BATCH * SIZE * SIZE, LATENTS = BATCH * LATENT };
enum { STEP = 7 };
static const double MARGIN = 1e-4; /* from kinks, beyond what rounding and differences reach */

/* All of a step in double precision. */
typedef struct step_twin {
    ano_encoding encoding;
    twin *encoder, *generator, *features;
    int n_features;
    nn_net head; /* of the critic, up to the features */
    double images[IMAGES], z[LATENTS], *seen;
    double growth; /* of the share that rounding makes, by the differences of the last forward */
} step_twin;

/* The mean over n numbers of (wanted - got)². */
static double mean_square(step_twin *t, const double *wanted, const double *got, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += pow(wanted[i] - got[i], 2);
    t->growth = fmax(t->growth, check_length(got, n) / sqrt(sum));
    return sum / n;
}

/* Its gradient by got. */
static void mean_square_backward(double *diff, const double *wanted, const double *got, int n)
{
    for (int i = 0; i < n; i++)
        diff[i] = 2 * (got[i] - wanted[i]) / n;
}

static double loss_of(void *cookie)
{
    step_twin *t = cookie;
    t->growth = 1;
    if (t->encoding == ANO_ENCODING_ZIZ)
        return mean_square(t, t->z, twin_forward(t->encoder, twin_forward(t->generator, t->z)),
                           LATENTS);
    const double *generated = twin_forward(t->generator, twin_forward(t->encoder, t->images));
    const double loss = mean_square(t, t->images, generated, IMAGES);
    if (t->encoding == ANO_ENCODING_IZI)
        return loss;
    memcpy(t->seen, twin_forward(t->features, t->images), (size_t)t->n_features * sizeof *t->seen);
    return loss + mean_square(t, t->seen, twin_forward(t->features, generated), t->n_features);
}

static const double *dst_of(const twin *t)
{
    return t->layers[t->net->n_layers - 1].dst;
}

/* After loss_of(): into the gradients of the encoder's twin. */
static void backward(step_twin *t)
{
    if (t->encoding == ANO_ENCODING_ZIZ) {
        double diff_z[LATENTS];
        mean_square_backward(diff_z, t->z, dst_of(t->encoder), LATENTS);
        twin_backward(t->encoder, diff_z);
        return;
    }
    double diff[IMAGES];
    mean_square_backward(diff, t->images, dst_of(t->generator), IMAGES);
    if (t->encoding == ANO_ENCODING_IZIF) {
        double *diff_maps = check_doubles(t->n_features);
        mean_square_backward(diff_maps, t->seen, dst_of(t->features), t->n_features);
        const double *by_features = twin_backward(t->features, diff_maps);
        for (int i = 0; i < IMAGES; i++)
            diff[i] += by_features[i];
        free(diff_maps);
    }
    twin_backward(t->encoder, twin_backward(t->generator, diff));
}

static double distance_from_kinks(const step_twin *t)
{
    const double least =
        fmin(twin_distance_from_kinks(t->encoder), twin_distance_from_kinks(t->generator));
    return t->encoding == ANO_ENCODING_IZIF ? fmin(least, twin_distance_from_kinks(t->features))
                                            : least;
}

/* Images and z's that keep clear of kinks; returns the seed of the z's. */
static uint64_t draw(step_twin *t)
{
    enum { MOST_DRAWS = 200 };
    for (uint64_t seed = 1; seed < MOST_DRAWS; seed++) {
        float z[LATENTS];
        check_random(t->images, IMAGES, seed);
        base_random_uniform(z, LATENTS, -1, 1, (base_random){seed, BASE_PURPOSE_LATENT_D, STEP});
        check_widen(t->z, z, LATENTS);
        loss_of(t);
        if (distance_from_kinks(t) >= MARGIN)
            return seed;
    }
    fail_msg("no images lie %g from the kinks", MARGIN);
    return 0;
}

static step_twin *step_twin_create(const ano_model *model, ano_encoding encoding)
{
    step_twin *t = calloc(1, sizeof *t);
    assert_non_null(t);
    const nn_net *critic = model->networks[ANO_DISCRIMINATOR];
    t->encoding = encoding;
    t->head = nn_net_head(critic, critic->n_layers - 1); /* all but the last dense layer */
    t->encoder = twin_create(model->networks[ANO_ENCODER], BATCH, false);
    t->generator = twin_create(model->networks[ANO_GENERATOR], BATCH, false);
    t->features = twin_create(&t->head, BATCH, false);
    t->n_features = BATCH * (int)nn_shape_size(t->head.dst);
    t->seen = check_doubles(t->n_features);
    return t;
}

static void step_twin_free(step_twin *t)
{
    twin_free(t->encoder);
    twin_free(t->generator);
    twin_free(t->features);
    free(t->seen);
    free(t);
}

/* What rounding may make of the gradients, as a share of them. */
static double share_of(const step_twin *t)
{
    double share =
        check_net_error(t->encoder->net, BATCH) + check_net_error(t->generator->net, BATCH);
    if (t->encoding == ANO_ENCODING_IZIF)
        share += check_net_error(&t->head, BATCH);
    return share * (1 + t->growth);
}

static void check_encoding(ano_encoding encoding, const char *name)
{
    static const ano_network networks[] = {ANO_GENERATOR, ANO_DISCRIMINATOR, ANO_ENCODER};
    const ano_model_config config = {SIZE, 1, LATENT, 4, ANO_METHOD_ENCODER};
    ano_model *model;
    nn_adam adam;
    train_encoder *step;
    float images[IMAGES];
    double loss;
    assert_int_equal(ano_model_create(&model, &config, 1, NULL), ANO_OK);
    for (int i = 0; i < 3; i++)
        formula_fill_net(model->networks[networks[i]], ano_network_name(networks[i]));
    const nn_net *encoder = model->networks[ANO_ENCODER];
    step_twin *t = step_twin_create(model, encoding);
    const uint64_t seed = draw(t);
    const double expected = loss_of(t);
    backward(t);

    assert_int_equal(nn_adam_init(&adam, encoder->n_parameters, 1e-3, 0.9, 0.999, NULL), ANO_OK);
    assert_int_equal(train_encoder_create(&step, model, &adam, encoding, BATCH, seed, NULL),
                     ANO_OK);
    check_narrow(images, t->images, IMAGES);
    assert_int_equal(train_encoder_run(&loss, step, images, STEP, NULL), ANO_OK);
    if (!(fabs(loss - expected) <= 2 * share_of(t) * expected))
        fail_msg("%s: a loss of %.9g, not %.9g", name, loss, expected);
    assert_true(check_greatest(t->encoder->gradients, (int)encoder->n_parameters) > 1e-3);
    check_distance(name, train_encoder_gradients(step), t->encoder->gradients,
                   (int)encoder->n_parameters, share_of(t));
    twin_check_differences(t->encoder, t->encoder->gradients, loss_of, t, 1e-8 * expected);

    train_encoder_free(step);
    nn_adam_clear(&adam);
    step_twin_free(t);
    ano_model_free(model);
}

static void encoder_step__has_the_gradient_of_izif(void **state)
{
    (void)state;
    check_encoding(ANO_ENCODING_IZIF, "izi_f");
}

static void encoder_step__has_the_gradient_of_izi(void **state)
{
    (void)state;
    check_encoding(ANO_ENCODING_IZI, "izi");
}

static void encoder_step__has_the_gradient_of_ziz(void **state)
{
    (void)state;
    check_encoding(ANO_ENCODING_ZIZ, "ziz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoder_step__has_the_gradient_of_izif),
        cmocka_unit_test(encoder_step__has_the_gradient_of_izi),
        cmocka_unit_test(encoder_step__has_the_gradient_of_ziz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
