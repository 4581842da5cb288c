/* test_train.c - training without labels: what is learned, that it repeats, and when it says that it cannot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "match_fixture.h"
#include "rules/train.h"

#define PEOPLE 400

static struct matcher *matcher;
static struct buf packed[PEOPLE * 2 + 100];
static struct slice features[PEOPLE * 2 + 100];
static size_t count;

static uint32_t draw(uint32_t *state, uint32_t below)
{
    uint32_t x = *state += 0x9E3779B9U;
    x = (x ^ x >> 16) * 0x85EBCA6BU;
    x = (x ^ x >> 13) * 0xC2B2AE35U;
    return (x ^ x >> 16) % below;
}

static void add(const char *text)
{
    packed[count] = fixture_pack(matcher, KIND_PERSON, 0, 0, text);
    features[count] = buf_slice(&packed[count]);
    count++;
}

/* A made-up person in `records` records: the second has a slip in the street now and then, and another postal code. */
static void add_person(uint32_t *state, unsigned records)
{
    static const char *const given[] = {"Anna", "Bernd", "Clara", "David", "Elena", "Frank", "Greta", "Hugo", "Irma", "Jonas",
                                        "Karin", "Lothar", "Miriam", "Norbert", "Olga", "Paul", "Quirin", "Rosa", "Silke", "Theo"};
    static const char *const family[] = {"Albers", "Brandt", "Conrad", "Dietz", "Eckert", "Fink", "Gerlach", "Hauser", "Imhof",
                                         "Jaeger", "Kessler", "Lindner", "Marx", "Nagel", "Opitz", "Pohl", "Reuter", "Seidel",
                                         "Thiel", "Ullrich", "Voss", "Wendt", "Ziegler"};
    static const char *const wards[] = {"Northgate", "Millbrook", "Harbour", "Oldtown", "Westhill", "Lakeside", "Kirkfield"};
    const char *first = given[draw(state, 20)], *last = family[draw(state, 23)], *ward = wards[draw(state, 7)];
    unsigned year = 1930 + draw(state, 70), month = 1 + draw(state, 12), day = 1 + draw(state, 28);
    unsigned postal = 10000 + draw(state, 300);

    for (unsigned i = 0; i < records; i++) {
        char text[256];
        bool moved = i > 0 && draw(state, 4) == 0;
        snprintf(text, sizeof(text), "given_name=%s|family_name=%s|birth_date=%04u-%02u-%02u|postal_code=%u|ward=%s", first, last,
                 year, month, day, moved ? postal + 7 : postal, moved ? wards[draw(state, 7)] : ward);
        add(text);
    }
}

static void make_records(unsigned twice)
{
    uint32_t state = 42;

    for (unsigned i = 0; i < PEOPLE; i++)
        add_person(&state, i < twice ? 2 : 1);
}

static int set_up(void **state)
{
    (void)state;
    matcher = fixture_matcher();
    count = 0;
    return matcher ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < count; i++)
        buf_free(&packed[i]);
    matcher_free(&matcher);
    return 0;
}

static struct slice model_text(void)
{
    bool found;
    return asset_find("rules/models/people.yaml", &found);
}

static struct trained *train(uint64_t seed)
{
    struct train_settings settings = {.seed = seed, .scale = 1};
    struct err err;
    struct trained *trained = train_new(matcher, features, count, &settings, &err);
    assert_non_null(trained);
    return trained;
}

static struct matcher *read_back(struct buf *text)
{
    struct problems problems = {0};
    struct match_settings settings = {.link_probability = 0.95, .review_probability = 0.70};
    struct matcher *learned = matcher_new(&fixture_schema, "learned", buf_slice(text), &settings, &problems);

    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "%u:%u: %s\n", problems.list[i].line, problems.list[i].column, problems.list[i].text);
    problems_free(&problems);
    return learned;
}

static double weight_of(const struct matcher *judge, size_t a, size_t b)
{
    struct match_result result;

    match_score(judge, features[a], features[b], NULL, 0, &result);
    return result.weight;
}

static void test_what_is_learned_is_written_read_and_tells_customers_apart(void **state)
{
    (void)state;
    make_records(200);
    struct trained *trained = train(1);
    const struct train_report *report = trained_report(trained);
    struct buf text = BUF_INIT((size_t)1 << 20);

    assert_true(report->enough);
    assert_true(report->expected_matches > 120 && report->expected_matches < 300);
    assert_true(report->pass_count > 1);
    trained_write(trained, model_text(), "test", "made-up people", &text);
    struct matcher *learned = read_back(&text);
    assert_non_null(learned);
    size_t linked = 0, wrong = 0;
    for (size_t i = 0; i < 400; i += 2) {
        linked += weight_of(learned, i, i + 1) >= matcher_link_weight(learned);
        wrong += weight_of(learned, i, (i + 2) % 400) >= matcher_link_weight(learned);
    }
    assert_true(linked >= 150); /* a quarter moved, and shares a name and a birthday only */
    assert_int_equal(wrong, 0);
    matcher_free(&learned);
    buf_free(&text);
    trained_free(&trained);
}

static void test_the_same_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    make_records(200);
    struct buf texts[2] = {BUF_INIT((size_t)1 << 20), BUF_INIT((size_t)1 << 20)};

    for (size_t i = 0; i < 2; i++) {
        struct trained *trained = train(7);
        trained_write(trained, model_text(), "test", "made-up people", &texts[i]);
        trained_free(&trained);
    }
    assert_int_equal(texts[0].len, texts[1].len);
    assert_memory_equal(texts[0].data, texts[1].data, texts[0].len);
    buf_free(&texts[0]);
    buf_free(&texts[1]);
}

/* `ward` is personal: what is written to a file tells nobody's. */
static void test_a_model_that_is_kept_names_no_value_that_is_not_public(void **state)
{
    (void)state;
    make_records(200);
    for (int kept = 0; kept < 2; kept++) {
        struct train_settings settings = {.seed = 1, .scale = 1, .is_kept = kept};
        struct buf text = BUF_INIT((size_t)1 << 20);
        struct err err;
        struct trained *trained = train_new(matcher, features, count, &settings, &err);
        assert_non_null(trained);
        trained_write(trained, model_text(), "test", "made-up people", &text);
        buf_put(&text, "", 1);
        assert_non_null(strstr(text.data, "  ward: #"));
        assert_int_equal(strstr(text.data, "northgate") != NULL, !kept);
        text.len--;
        struct matcher *learned = read_back(&text);
        assert_non_null(learned);
        size_t linked = 0;
        for (size_t i = 0; i < 400; i += 2)
            linked += weight_of(learned, i, i + 1) >= matcher_link_weight(learned);
        assert_true(linked >= 150);
        matcher_free(&learned);
        buf_free(&text);
        trained_free(&trained);
    }
}

static void test_every_pass_settles_and_its_likelihood_rises(void **state)
{
    (void)state;
    make_records(200);
    struct trained *trained = train(1);
    const struct train_report *report = trained_report(trained);

    for (size_t i = 0; i < report->pass_count; i++) {
        const struct train_pass *pass = &report->passes[i];
        assert_true(pass->iterations > 0 && pass->keys[0]);
        assert_true(pass->log_likelihood > pass->log_likelihood_first - 0.2);
        assert_true(pass->last_change < 0.01);
    }
    trained_free(&trained);
}

/* Two people of one name at one place; every fourth such couple says when it was born, and that is on other days. */
static void add_namesakes(uint32_t *state, unsigned number)
{
    for (int i = 0; i < 2; i++) {
        char text[256], born[64] = "";
        if (number % 4 == 0)
            snprintf(born, sizeof(born), "|birth_date=%04u-%02u-%02u", 1930 + draw(state, 70), 1 + draw(state, 12), 1 + draw(state, 28));
        snprintf(text, sizeof(text), "given_name=Anna|family_name=Rare%c%c%s|postal_code=%u|ward=Oldtown",
                 (char)('a' + number % 26), (char)('a' + number / 26), born, 20000 + number);
        add(text);
    }
}

static double doubt_beside_namesakes(unsigned couples)
{
    uint32_t state = 7;
    make_records(200);
    for (unsigned i = 0; i < couples; i++)
        add_namesakes(&state, i);
    struct trained *trained = train(1);
    double doubt = trained_report(trained)->doubt_bits;
    trained_free(&trained);
    print_message("%.2f bits of doubt beside %u couples of namesakes\n", doubt, couples);
    return doubt;
}

static void test_what_contradicts_makes_a_model_less_sure_where_it_is_missing(void **state)
{
    (void)state;
    double sure = doubt_beside_namesakes(0);
    tear_down(state);
    assert_int_equal(set_up(state), 0);
    assert_true(sure < 0.5);
    assert_true(doubt_beside_namesakes(49) > sure + 0.5);
}

static void test_a_file_without_repeats_is_not_learned_from(void **state)
{
    (void)state;
    make_records(0);
    struct trained *trained = train(1);
    assert_false(trained_report(trained)->enough);
    trained_free(&trained);
}

static void test_few_records_are_no_mistake(void **state)
{
    (void)state;
    uint32_t seed = 3;
    for (unsigned records = 0; records < 3; records++) {
        struct trained *trained = train(1);
        assert_false(trained_report(trained)->enough);
        trained_free(&trained);
        add_person(&seed, 1);
    }
}

static void test_copies_of_one_record_make_nobody_common(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 400; i++)
        add("given_name=Maria|family_name=Fink|birth_date=1970-01-02|postal_code=10001");
    struct trained *trained = train(1);
    assert_int_equal(trained_report(trained)->records, 2);
    assert_false(trained_report(trained)->enough);
    trained_free(&trained);
}

static void test_what_is_weak_is_said(void **state)
{
    (void)state;
    make_records(30);
    struct trained *trained = train(1);
    const struct train_report *report = trained_report(trained);
    bool said = false;

    for (size_t i = 0; i < report->comparison_count; i++)
        said |= (report->comparisons[i].weakness & (TRAIN_FEW_PAIRS | TRAIN_NO_PASS)) != 0;
    assert_true(said);
    trained_free(&trained);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_learned_is_written_read_and_tells_customers_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_same_seed_gives_the_same_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_model_that_is_kept_names_no_value_that_is_not_public, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_pass_settles_and_its_likelihood_rises, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_contradicts_makes_a_model_less_sure_where_it_is_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_without_repeats_is_not_learned_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_few_records_are_no_mistake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_copies_of_one_record_make_nobody_common, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_weak_is_said, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
