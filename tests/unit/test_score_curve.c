/* test_score_curve.c - the numbers `tributary score` tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/cli/score_curve.h"

static bool near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static void test_counts_and_figures(void **state)
{
    struct score_curve curve = {0};

    (void)state;
    assert_true(score_curve_add(&curve, 0.9, true));
    assert_true(score_curve_add(&curve, 0.8, true));
    assert_true(score_curve_add(&curve, 0.6, false));
    assert_true(score_curve_add(&curve, 0.4, true));
    assert_true(score_curve_add(&curve, 0.1, false));
    struct score_counts half = score_curve_at(&curve, 0.5);
    assert_int_equal(half.true_positive, 2);
    assert_int_equal(half.false_positive, 1);
    assert_int_equal(half.false_negative, 1);
    assert_int_equal(half.true_negative, 1);
    assert_true(near(score_precision(&half), 2.0 / 3));
    assert_true(near(score_recall(&half), 2.0 / 3));
    assert_true(near(score_f1(&half), 2.0 / 3));
    assert_true(near(score_specificity(&half), 0.5));
    assert_true(near(score_mcc(&half), 1.0 / 6));
    score_curve_free(&curve);
}

static void test_the_best_threshold_parts_what_can_be_parted(void **state)
{
    struct score_curve curve = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_true(score_curve_add(&curve, i < 40 ? 0.2 : 0.7, i >= 40));
    struct score_counts best = score_curve_best(&curve);
    assert_true(best.threshold > 0.2 && best.threshold < 0.71);
    assert_true(near(score_mcc(&best), 1));
    assert_true(near(score_f1(&best), 1));
    assert_true(near(score_specificity(&best), 1));
    score_curve_free(&curve);
}

static void test_nothing_to_count_is_no_division_by_zero(void **state)
{
    struct score_curve curve = {0};
    struct score_counts best = score_curve_best(&curve);

    (void)state;
    assert_true(score_mcc(&best) == 0 && score_f1(&best) == 0 && score_specificity(&best) == 0);
    assert_true(score_curve_add(&curve, 1, true));
    best = score_curve_best(&curve);
    assert_true(score_mcc(&best) == 0);
    score_curve_free(&curve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_and_figures),
        cmocka_unit_test(test_the_best_threshold_parts_what_can_be_parted),
        cmocka_unit_test(test_nothing_to_count_is_no_division_by_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
