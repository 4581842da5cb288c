/* test_model.c - model files: the shipped one compiles; what is wrong in one is said with its
 * place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/unit/match_fixture.h"

static struct slice shipped(void)
{
    bool found;
    struct slice model = asset_find("rules/models/people.yaml", &found);

    assert_true(found);
    return model;
}

/* The shipped model with one text replaced. The caller frees. */
static struct buf changed(const char *from, const char *to)
{
    struct slice model = shipped();
    ptrdiff_t at = slice_find(model, slice_str(from));
    struct buf out = BUF_INIT((size_t)1 << 20);

    assert_true(at >= 0);
    buf_put_slice(&out, slice_sub(model, 0, (size_t)at));
    buf_put_str(&out, to);
    buf_put_slice(&out, slice_sub(model, (size_t)at + strlen(from), model.len));
    return out;
}

static struct matcher *compile(struct slice model, double link, double review,
                               struct problems *problems)
{
    struct match_settings settings = {link, review};

    return matcher_new(&fixture_schema, "model.yaml", model, &settings, problems);
}

static void test_the_shipped_model_compiles(void **state)
{
    struct matcher *matcher = fixture_matcher();

    (void)state;
    assert_non_null(matcher);
    assert_true(matcher_prior_weight(matcher) < -10);
    assert_true(matcher_link_weight(matcher) > matcher_review_weight(matcher));
    assert_true(matcher_comparison_count(matcher) > 10);
    for (size_t i = 0; i < matcher_comparison_count(matcher); i++)
        assert_string_not_equal(matcher_comparison_name(matcher, (uint8_t)i), "unknown");
    assert_string_equal(matcher_comparison_name(matcher, 255), "unknown");
    assert_string_equal(matcher_level_name(matcher, 0, 1), "exact");
    assert_string_equal(matcher_level_name(matcher, 0, 200), "unknown");
    matcher_free(&matcher);
    assert_null(matcher);
}

/* As `train` and the databases of the release before had it. */
static void test_a_level_that_came_later_takes_what_else_says(void **state)
{
    struct problems problems = {0};
    struct buf without = changed("      words: {m: 0.08, u: 0.002}\n", "");
    struct matcher *matcher = compile(buf_slice(&without), 0.95, 0.7, &problems);

    (void)state;
    assert_int_equal(problems.count, 0);
    assert_non_null(matcher);
    matcher_free(&matcher);
    buf_free(&without);
    problems_free(&problems);
}

static void test_probability_and_weight_are_inverse(void **state)
{
    struct matcher *matcher = fixture_matcher();

    (void)state;
    double link = weight_to_probability(matcher_link_weight(matcher));
    double review = weight_to_probability(matcher_review_weight(matcher));
    assert_true(link > 0.949999 && link < 0.950001);
    assert_true(review > 0.699999 && review < 0.700001);
    assert_true(weight_to_probability(0) == 0.5);
    matcher_free(&matcher);
}

static void test_fingerprint_follows_what_decides(void **state)
{
    struct problems problems = {0};
    struct matcher *one = compile(shipped(), 0.95, 0.70, &problems);
    struct matcher *same = compile(shipped(), 0.95, 0.70, &problems);
    struct matcher *other_link = compile(shipped(), 0.96, 0.70, &problems);
    struct buf text = changed("prior: 0.0000076", "prior: 0.0000077");
    struct matcher *other_model = compile(buf_slice(&text), 0.95, 0.70, &problems);

    (void)state;
    assert_true(one && same && other_link && other_model);
    assert_true(matcher_fingerprint(one) == matcher_fingerprint(same));
    assert_true(matcher_fingerprint(one) != matcher_fingerprint(other_link));
    assert_true(matcher_fingerprint(one) != matcher_fingerprint(other_model));
    matcher_free(&one);
    matcher_free(&same);
    matcher_free(&other_link);
    matcher_free(&other_model);
    buf_free(&text);
    problems_free(&problems);
}

static void expect_problem(const char *from, const char *to, const char *said)
{
    struct problems problems = {0};
    struct buf text = changed(from, to);
    struct matcher *matcher = compile(buf_slice(&text), 0.95, 0.70, &problems);
    bool found = false;

    assert_null(matcher);
    assert_true(problems.count > 0);
    for (size_t i = 0; i < problems.count; i++)
        if (strstr(problems.list[i].text, said)) {
            found = true;
            assert_string_equal(problems.list[i].file, "model.yaml");
            assert_true(problems.list[i].line > 0);
        }
    if (!found)
        fail_msg("expected `%s`, got `%s`", said, problems.list[0].text);
    problems_free(&problems);
    buf_free(&text);
}

static void test_mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    expect_problem("name_bits_max:", "name_bit_max:", "did you mean `name_bits_max`");
    expect_problem("  birth_date:\n", "  birthdate:\n", "did you mean `birth_date`");
    expect_problem("      swapped: {m: 0.06", "      swaped: {m: 0.06", "did you mean `swapped`");
    expect_problem("exact: {m: 0.75, u: 1,", "exact: {m: 75, u: 1,", "`m` must be a number");
    expect_problem("exact: {m: 0.75, u: 1,", "exact: {m: 0.75, u: 0,", "`u` must be a number");
    expect_problem("exact: {m: 0.75, u: 1,", "exact: {m: 0.75,", "`u` is missing");
    expect_problem("frequency: given}", "frequency: gven}", "both, family, given, value or none");
    expect_problem("band_loss: [0, 0.2, 0.5, 3,", "band_loss: [0, 0.2, 0.5,", "must be a list of");
    expect_problem("band_loss: [0, 0.2, 0.5, 3,", "band_loss: [0, 0.2, 0.5, 0.1,", "a band's loss");
    expect_problem("王: 7100", "王: many", "a frequency must be a number");
    expect_problem("  text: {same:", "  txt: {same:", "did you mean `text`");
}

static void test_a_text_that_is_no_model_is_refused(void **state)
{
    static const char *const texts[] = {"", "[]", "a: [", "just words", "model: people\n"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct problems problems = {0};
        assert_null(compile(slice_str(texts[i]), 0.95, 0.70, &problems));
        assert_true(problems.count > 0);
        problems_free(&problems);
    }
}

static void test_thresholds_must_make_sense(void **state)
{
    static const double settings[][2] = {{0.7, 0.95}, {1.0, 0.7}, {0.95, 0.0}};

    (void)state;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct problems problems = {0};
        assert_null(compile(shipped(), settings[i][0], settings[i][1], &problems));
        assert_true(problems.count > 0);
        problems_free(&problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_shipped_model_compiles),
        cmocka_unit_test(test_a_level_that_came_later_takes_what_else_says),
        cmocka_unit_test(test_probability_and_weight_are_inverse),
        cmocka_unit_test(test_fingerprint_follows_what_decides),
        cmocka_unit_test(test_mistakes_are_told_with_their_place),
        cmocka_unit_test(test_a_text_that_is_no_model_is_refused),
        cmocka_unit_test(test_thresholds_must_make_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
