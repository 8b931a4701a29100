/* The losses of training against their plain twins. */
#include "check.h"
#include "nn/loss.h"
#include "reference/reference.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N = 17 };
static const float WEIGHT = 1.0f / N;

/* Sums in double precision; a gradient is rounded once, or for the cross-entropy twice, to float.
 */
static void check_gradients(const float *got, const double *expected)
{
    for (int i = 0; i < N; i++)
        if (!(fabs((double)got[i] - expected[i]) <= 2 * 6e-8 * fabs(expected[i])))
            fail_msg("diff[%d]: expected %.9g, got %.9g", i, expected[i], (double)got[i]);
}

static void draw(double *outputs, float *narrow)
{
    check_random(outputs, N, 1);
    for (int i = 0; i < N; i++)
        outputs[i] *= 2;
    check_narrow(narrow, outputs, N);
}

static void critic_losses__match_their_twins(void **state)
{
    (void)state;
    double outputs[N], expected[N];
    float narrow[N], diff[N];
    draw(outputs, narrow);
    for (int side = -1; side <= 1; side += 2) {
        double loss = nn_wasserstein(diff, narrow, N, (float)side, WEIGHT) / N;
        assert_true(fabs(loss - reference_wasserstein(outputs, N, side)) < 1e-14);
        reference_wasserstein_backward(expected, N, side);
        check_gradients(diff, expected);
        loss = nn_hinge(diff, narrow, N, (float)side, WEIGHT) / N;
        assert_true(fabs(loss - reference_hinge(outputs, N, side)) < 1e-14);
        reference_hinge_backward(expected, outputs, N, side);
        check_gradients(diff, expected);
    }
}

static void cross_entropy__takes_smoothed_labels(void **state)
{
    (void)state;
    static const float labels[] = {0, 0.1f, 0.9f, 1};
    double outputs[N], expected[N], probability;
    float narrow[N], diff[N];
    draw(outputs, narrow);
    for (int i = 0; i < 4; i++) {
        const double label = (double)labels[i];
        const double loss =
            nn_binary_cross_entropy(diff, &probability, narrow, N, labels[i], WEIGHT) / N;
        assert_true(fabs(loss - reference_cross_entropy(outputs, N, label)) < 1e-14);
        reference_cross_entropy_backward(expected, outputs, N, label);
        check_gradients(diff, expected);
    }
}

/* Each logit against a label of its own: the mean, of which the gradient is that of one logit
 * alone, divided by their number. */
static void cross_entropy_mean__takes_a_label_for_each(void **state)
{
    (void)state;
    double outputs[N], expected[N], loss = 0;
    float narrow[N], diff[N], labels[N];
    draw(outputs, narrow);
    for (int i = 0; i < N; i++) {
        labels[i] = (float)i / (N - 1);
        loss += reference_cross_entropy(&outputs[i], 1, (double)labels[i]) / N;
        reference_cross_entropy_backward(&expected[i], &outputs[i], 1, (double)labels[i]);
        expected[i] /= N;
    }
    assert_true(fabs(nn_binary_cross_entropy_mean(diff, narrow, labels, N) - loss) < 1e-14);
    check_gradients(diff, expected);
}

/* For every label, and the loss alone where no gradient is wanted. */
static void softmax_cross_entropy__matches_its_twin(void **state)
{
    (void)state;
    double outputs[N], expected[N];
    float narrow[N], diff[N];
    draw(outputs, narrow);
    for (int label = 0; label < N; label++) {
        const double loss = nn_softmax_cross_entropy(diff, narrow, N, (size_t)label, WEIGHT);
        assert_true(fabs(loss - reference_softmax_cross_entropy(outputs, N, label)) < 1e-14);
        assert_true(loss == nn_softmax_cross_entropy(NULL, narrow, N, (size_t)label, 0));
        reference_softmax_cross_entropy_backward(expected, outputs, N, label);
        for (int i = 0; i < N; i++)
            expected[i] /= N;
        check_gradients(diff, expected);
    }
}

/* Logits of which e^x is beyond doubles, and a label that is all but certain: 1 - p is lost in p.
 */
static void softmax_cross_entropy__keeps_its_precision_at_the_ends(void **state)
{
    (void)state;
    const float vast[] = {-2000, 1000, 1000}, certain[] = {50, 0, 0};
    assert_true(nn_softmax_cross_entropy(NULL, vast, 3, 0, 0) == 3000 + log(2));
    const double loss = nn_softmax_cross_entropy(NULL, certain, 3, 0, 0);
    assert_true(fabs(loss / (2 * exp(-50.0)) - 1) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(critic_losses__match_their_twins),
        cmocka_unit_test(cross_entropy__takes_smoothed_labels),
        cmocka_unit_test(cross_entropy_mean__takes_a_label_for_each),
        cmocka_unit_test(softmax_cross_entropy__matches_its_twin),
        cmocka_unit_test(softmax_cross_entropy__keeps_its_precision_at_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
