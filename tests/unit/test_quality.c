/* test_quality.c - what decisions say of thresholds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/console/quality.h"

static void assert_near(double got, double wanted)
{
    assert_true(fabs(got - wanted) < 0.0005);
}

/* Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81/263, 15/148, 0/20, 1/29. */
static void test_intervals_are_wilsons(void **state)
{
    (void)state;
    const struct {
        uint64_t hits, trials;
        double low, high;
    } cases[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct quality_share share = quality_wilson(cases[i].hits, cases[i].trials);
        assert_near(share.low, cases[i].low);
        assert_near(share.high, cases[i].high);
        assert_near(share.value, (double)cases[i].hits / (double)cases[i].trials);
    }
    struct quality_share nothing = quality_wilson(0, 0), all = quality_wilson(7, 7);
    assert_true(isnan(nothing.value));
    assert_near(nothing.low, 0);
    assert_near(nothing.high, 1);
    assert_near(all.high, 1);
}

static void test_bands_end_at_the_thresholds(void **state)
{
    (void)state;
    struct quality q;
    quality_init(&q, 0.93, 0.7, 0.95);
    assert_true(q.band_count <= QUALITY_BANDS_MAX);
    for (size_t i = 0; i < q.band_count; i++) {
        assert_true(i == 0 || q.bands[i].low == q.bands[i - 1].high);
        assert_int_equal(q.bands[i].links, q.bands[i].low >= 0.93);
        assert_int_equal(q.bands[i].asks, q.bands[i].low >= 0.7 && q.bands[i].high <= 0.93);
    }
    assert_true(quality_band_of(&q, 1.0) == &q.bands[q.band_count - 1]);
    assert_true(quality_band_of(&q, 0) == &q.bands[0]);
    assert_true(quality_band_of(&q, 0.93)->low == 0.93);
    assert_true(quality_band_of(&q, 0.9299)->high == 0.93);
}

static void add(struct quality *q, double probability, uint64_t same, uint64_t different)
{
    for (uint64_t i = 0; i < same + different; i++)
        quality_add(q, probability, i < same, true);
}

static void test_without_decisions_nothing_is_suggested_or_measured_below_link(void **state)
{
    (void)state;
    struct quality q;
    quality_init(&q, 0.95, 0.7, 0.95);
    quality_add_pairs(&q, 0.999, 1000);
    quality_add_pairs(&q, 0.8, 100);
    quality_finish(&q);
    assert_true(isnan(quality_band_of(&q, 0.8)->right.value));
    assert_true(isnan(q.suggested_review));
    assert_near(q.precision.value, 1); /* at most: no mistake was found */
    assert_near(q.suggested_link, 0.95);
    assert_near(q.recall.value, 1000.0 / (1000 + 85));
    assert_near(q.recall.low, quality_wilson(1000, 1000).low * 1000 / (quality_wilson(1000, 1000).low * 1000 + 100));
}

static void test_mistakes_that_were_found_lower_precision_and_raise_the_threshold(void **state)
{
    (void)state;
    struct quality q;
    quality_init(&q, 0.95, 0.7, 0.95);
    quality_add_pairs(&q, 0.96, 960);
    quality_add_pairs(&q, 0.9999, 9000);
    for (int i = 0; i < 140; i++)
        quality_add(&q, 0.96, false, false);
    quality_finish(&q);
    assert_int_equal(quality_band_of(&q, 0.96)->split, 140);
    assert_near(q.precision.value, 9960.0 / 10100);
    assert_near(q.suggested_link, 0.98);
}

static void test_a_band_of_which_nearly_all_are_the_same_lowers_the_threshold(void **state)
{
    (void)state;
    struct quality q;
    quality_init(&q, 0.95, 0.7, 0.95);
    quality_add_pairs(&q, 0.9999, 20000);
    add(&q, 0.92, 100, 0);
    add(&q, 0.85, 20, 20);
    add(&q, 0.75, 5, 40);
    quality_finish(&q);
    assert_near(q.suggested_link, 0.9);
    assert_near(q.suggested_review, 0.7);
    assert_near(q.at[0].link, 0.7);
    assert_int_equal(q.at[0].decided, 185);
    add(&q, 0.92, 0, 29);
    quality_finish(&q);
    assert_near(q.suggested_link, 0.95);
}

static void test_the_review_threshold_follows_what_is_worth_asking(void **state)
{
    (void)state;
    struct quality q;
    quality_init(&q, 0.95, 0.7, 0.95);
    add(&q, 0.75, 0, 200);
    add(&q, 0.85, 30, 30);
    quality_finish(&q);
    assert_near(q.suggested_review, 0.8);
    quality_init(&q, 0.95, 0.7, 0.95);
    add(&q, 0.75, 60, 40);
    quality_finish(&q);
    assert_near(q.suggested_review, 0.6);
    quality_init(&q, 0.95, 0.7, 0.95);
    add(&q, 0.75, 29, 0);
    quality_finish(&q);
    assert_true(isnan(q.suggested_review));
}

static void test_what_was_merged_by_hand_was_missed(void **state)
{
    (void)state;
    struct quality q;
    quality_init(&q, 0.95, 0.7, 0.95);
    quality_add_pairs(&q, 0.999, 90);
    for (int i = 0; i < 6; i++)
        quality_add(&q, 0.3, true, false);
    q.unjudged_same = 4;
    quality_finish(&q);
    assert_near(q.recall.value, 0.9);
    assert_true(q.recall.high <= 0.9 + 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intervals_are_wilsons),
        cmocka_unit_test(test_bands_end_at_the_thresholds),
        cmocka_unit_test(test_without_decisions_nothing_is_suggested_or_measured_below_link),
        cmocka_unit_test(test_mistakes_that_were_found_lower_precision_and_raise_the_threshold),
        cmocka_unit_test(test_a_band_of_which_nearly_all_are_the_same_lowers_the_threshold),
        cmocka_unit_test(test_the_review_threshold_follows_what_is_worth_asking),
        cmocka_unit_test(test_what_was_merged_by_hand_was_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
