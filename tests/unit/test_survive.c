/* Survivorship: the promises of survive.h, and that no order of the records can show. */
#include "rules/survive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* after the C headers it needs */
#include <cmocka.h>

enum { NAME, PHONE, LINE, CITY, COUNTRY, JOB, SOURCE, MEDIUM };
static const struct field fields[] = {
    {.id = NAME, .name = "full_name", .type = FIELD_PERSON_NAME, .group = "name", .country = ""},
    {.id = PHONE,
     .name = "phone",
     .type = FIELD_PHONE,
     .group = "",
     .multiple = true,
     .country = ""},
    {.id = LINE, .name = "address_line", .type = FIELD_ADDRESS, .group = "address", .country = ""},
    {.id = CITY, .name = "city", .type = FIELD_TEXT, .group = "address", .country = ""},
    {.id = COUNTRY, .name = "country", .type = FIELD_CATEGORY, .group = "address", .country = ""},
    {.id = JOB, .name = "job_title", .type = FIELD_TEXT, .group = "", .country = ""},
    {.id = SOURCE, .name = "utm_source", .type = FIELD_TEXT, .group = "attribution", .country = ""},
    {.id = MEDIUM, .name = "utm_medium", .type = FIELD_TEXT, .group = "attribution", .country = ""},
};
static const struct schema schema = {8, fields};
#define RECORDS_MAX 12

struct given {
    struct arena *arena;
    struct survivorship *survivorship;
    struct survivor_record records[RECORDS_MAX];
    struct clean_record cleans[RECORDS_MAX];
    struct clean_value values[RECORDS_MAX][16];
    size_t count;
    struct golden_record golden;
};

static struct given *given_new(const char *golden_yaml)
{
    struct given *given = calloc(1, sizeof(*given));
    struct problems problems = {0};
    given->arena = arena_new(1 << 24);
    const struct yaml_node *golden =
        golden_yaml ? yaml_parse(given->arena, "golden", slice_str(golden_yaml), &problems) : NULL;
    given->survivorship = survivorship_new(&schema, golden, &problems);
    assert_int_equal(problems.count, 0);
    assert_non_null(given->survivorship);
    return given;
}

static void given_free(struct given *given)
{
    survivorship_free(&given->survivorship);
    arena_free(&given->arena);
    free(given);
}

/* Pairs of (field, "value") after the fixed part, ended by -1; a leading '!' flags nobody, '*'
 * masked, '~' derived. */
static void add(struct given *given, unsigned rank, bool verified, int64_t effective_us, ...)
{
    size_t at = given->count++;
    struct clean_record *clean = &given->cleans[at];
    va_list args;
    va_start(args, effective_us);
    for (int field; (field = va_arg(args, int)) >= 0;) {
        const char *text = va_arg(args, const char *);
        uint16_t flags = text[0] == '!'   ? VALUE_NOBODY
                         : text[0] == '*' ? VALUE_MASKED
                         : text[0] == '~' ? VALUE_DERIVED
                                          : 0;
        given->values[at][clean->value_count++] = (struct clean_value){
            .field = (uint16_t)field, .flags = flags, .value = slice_str(text + (flags != 0))};
    }
    va_end(args);
    clean->kind = KIND_PERSON;
    clean->values = given->values[at];
    given->records[at] = (struct survivor_record){.record_id = at + 1,
                                                  .source_rank = rank,
                                                  .verified = verified,
                                                  .effective_us = effective_us,
                                                  .content_hash = 1000 - at * 7,
                                                  .clean = clean};
}

static void decide(struct given *given)
{
    struct err err = {0};
    assert_int_equal(survive(given->survivorship, given->records, given->count, given->arena,
                             &given->golden, &err),
                     STATUS_OK);
}

/* All values of a field, joined by '|'. */
static const char *golden(const struct given *given, uint16_t field)
{
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < given->golden.value_count; i++) {
        const struct survivor_value *value = &given->golden.values[i];
        if (value->field != field)
            continue;
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%s%.*s", len ? "|" : "", (int)value->value.len,
                 value->value.ptr);
    }
    return text;
}

static void test_an_unverified_form_fills_a_gap_but_overwrites_nothing(void **state)
{
    (void)state;
    struct given *given = given_new("job_title: [recent]");
    add(given, 0, true, 100, JOB, "buyer", -1);
    add(given, 0, false, 200, PHONE, "+8613812345678", JOB, "boss", -1);
    decide(given);
    assert_string_equal(golden(given, JOB), "buyer");
    assert_string_equal(golden(given, PHONE), "+8613812345678");
    assert_int_equal(given->golden.runner_count, 1);
    assert_true(slice_is(given->golden.runners[0].value, "boss"));
    given_free(given);
}

static void test_preferences_are_asked_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *expected;
    } cases[] = {
        {"job_title: [source, recent]", "from best source"},
        {"job_title: [recent]", "newest"},
        {"job_title: [frequent]", "twice"},
        {"job_title: [complete]", "the longest title of all"},
        {"job_title: [first]", "oldest"},
        {"default: [recent]", "newest"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct given *given = given_new(cases[i].yaml);
        add(given, 0, false, 50, JOB, "from best source", -1);
        add(given, 1, false, 90, JOB, "newest", -1);
        add(given, 1, false, 60, JOB, "twice", -1);
        add(given, 1, false, 61, JOB, "twice", -1);
        add(given, 1, false, 62, JOB, "the longest title of all", -1);
        add(given, 1, false, 10, JOB, "oldest", -1);
        decide(given);
        assert_string_equal(golden(given, JOB), cases[i].expected);
        assert_int_equal(given->golden.values[0].rival_count, 4);
        assert_int_equal(given->golden.runner_count, SURVIVOR_RUNNERS_MAX);
        given_free(given);
    }
}

static void test_nobody_and_masked_win_only_alone(void **state)
{
    (void)state;
    struct given *given = given_new(NULL);
    add(given, 0, true, 100, NAME, "!微信用户", PHONE, "*138****1234", -1);
    decide(given);
    assert_string_equal(golden(given, NAME), "微信用户");
    assert_string_equal(golden(given, PHONE), "138****1234");
    assert_int_equal(given->golden.values[0].flags, VALUE_NOBODY);
    add(given, 9, false, 1, NAME, "张三", PHONE, "+8613812345678", -1);
    decide(given);
    assert_string_equal(golden(given, NAME), "张三");
    assert_string_equal(golden(given, PHONE), "+8613812345678");
    given_free(given);
}

static void test_an_address_never_mixes_two(void **state)
{
    (void)state;
    struct given *given = given_new(NULL);
    add(given, 0, false, 100, LINE, "张江路88号", CITY, "上海市", COUNTRY, "CN", -1);
    add(given, 0, false, 200, LINE, "Main St 1", COUNTRY, "US", -1);
    decide(given);
    assert_string_equal(golden(given, LINE), "Main St 1");
    assert_string_equal(golden(given, CITY), "");
    assert_string_equal(golden(given, COUNTRY), "US");
    given_free(given);
}

static void test_a_fuller_address_that_agrees_completes_the_best(void **state)
{
    (void)state;
    struct given *given = given_new(NULL);
    add(given, 0, true, 100, COUNTRY, "CN", -1);
    add(given, 0, false, 50, LINE, "张江路88号", CITY, "上海市", COUNTRY, "CN", -1);
    add(given, 0, false, 200, LINE, "Main St 1", CITY, "Reno", COUNTRY, "US", -1);
    decide(given);
    assert_string_equal(golden(given, LINE), "张江路88号");
    assert_string_equal(golden(given, CITY), "上海市");
    given_free(given);
}

static void test_a_country_guessed_from_a_phone_is_no_address(void **state)
{
    (void)state;
    struct given *given = given_new(NULL);
    add(given, 0, true, 300, COUNTRY, "~CN", -1);
    add(given, 0, false, 50, LINE, "Main St 1", COUNTRY, "US", -1);
    decide(given);
    assert_string_equal(golden(given, LINE), "Main St 1");
    assert_string_equal(golden(given, COUNTRY), "US");
    given_free(given);
}

static void test_sets_unite_best_first(void **state)
{
    (void)state;
    struct given *given = given_new("phone: [source, recent]");
    add(given, 1, false, 300, PHONE, "+1", PHONE, "+3", -1);
    add(given, 0, false, 100, PHONE, "+2", PHONE, "+3", -1);
    add(given, 0, true, 10, PHONE, "+4", PHONE, "*13*", -1);
    decide(given);
    assert_string_equal(golden(given, PHONE), "+4|+2|+3|+1");
    assert_int_equal(given->golden.values[2].agree_count, 2);
    given_free(given);
}

static void test_where_a_customer_came_from_is_said_first(void **state)
{
    (void)state;
    struct given *given = given_new(NULL);
    add(given, 0, false, 300, SOURCE, "google", MEDIUM, "cpc", -1);
    add(given, 0, false, 100, SOURCE, "wechat", -1);
    decide(given);
    assert_string_equal(golden(given, SOURCE), "wechat");
    assert_string_equal(golden(given, MEDIUM), "");
    given_free(given);
}

static void test_a_blank_of_higher_rank_empties_the_field(void **state)
{
    (void)state;
    struct given *given = given_new("job_title: [source]");
    add(given, 0, true, 300, JOB, "", -1);
    add(given, 1, true, 400, JOB, "boss", -1);
    decide(given);
    assert_string_equal(golden(given, JOB), "");
    given_free(given);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void add_random(struct given *given, uint64_t *seed)
{
    static const char *const words[] = {"a", "b", "bb", "!x", "*y", "~a", "c c", ""};
    size_t at = given->count;
    add(given, (unsigned)(next_random(seed) % 3), next_random(seed) % 3 == 0,
        (int64_t)(next_random(seed) % 4), -1);
    given->records[at].content_hash = next_random(seed) % 3;
    for (uint16_t field = 0; field < schema.count; field++) {
        size_t values = next_random(seed) % (fields[field].multiple ? 4 : 2);
        for (size_t i = 0; i < values && i < 3; i++) {
            const char *text = words[(next_random(seed) % 3 + i * 3) % 8];
            uint16_t flags = text[0] == '!' ? VALUE_NOBODY : text[0] == '*' ? VALUE_MASKED : 0;
            given->values[at][given->cleans[at].value_count++] =
                (struct clean_value){.field = field, .flags = flags, .value = slice_str(text + (flags != 0))};
        }
    }
    given->cleans[at].kind = next_random(seed) % 2 ? KIND_PERSON : KIND_COMPANY;
}

static void assert_same_golden(const struct given *given, const struct golden_record *a,
                               const struct golden_record *b,
                               const struct survivor_record *records_b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->value_count, b->value_count);
    assert_int_equal(a->runner_count, b->runner_count);
    for (size_t i = 0; i < a->value_count; i++) {
        assert_int_equal(a->values[i].field, b->values[i].field);
        assert_int_equal(a->values[i].flags, b->values[i].flags);
        assert_true(slice_eq(a->values[i].value, b->values[i].value));
        assert_int_equal(a->values[i].agree_count, b->values[i].agree_count);
        assert_int_equal(a->values[i].rival_count, b->values[i].rival_count);
        assert_int_equal(given->records[a->values[i].record].record_id,
                         records_b[b->values[i].record].record_id);
    }
    for (size_t i = 0; i < a->runner_count; i++) {
        assert_int_equal(a->runners[i].field, b->runners[i].field);
        assert_true(slice_eq(a->runners[i].value, b->runners[i].value));
        assert_int_equal(given->records[a->runners[i].record].record_id,
                         records_b[b->runners[i].record].record_id);
    }
}

static void test_any_permutation_gives_the_same_golden_record(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 400; round++) {
        struct given *given = given_new(round % 2 ? "default: [frequent, source]" : NULL);
        for (size_t count = 1 + next_random(&seed) % RECORDS_MAX; count > 0; count--)
            add_random(given, &seed);
        decide(given);
        for (int shuffle = 0; shuffle < 20; shuffle++) {
            struct survivor_record records[RECORDS_MAX];
            struct golden_record other;
            struct err err = {0};
            memcpy(records, given->records, sizeof(records));
            for (size_t i = given->count; i > 1; i--) {
                size_t k = next_random(&seed) % i;
                struct survivor_record swap = records[i - 1];
                records[i - 1] = records[k];
                records[k] = swap;
            }
            assert_int_equal(
                survive(given->survivorship, records, given->count, given->arena, &other, &err),
                STATUS_OK);
            assert_same_golden(given, &given->golden, &other, records);
        }
        given_free(given);
    }
}

static void test_wrong_preferences_are_told_with_the_nearest_word(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct problems problems = {0};
    const struct yaml_node *golden = yaml_parse(
        arena, "t.yaml", SLICE("phone: [verifid]\nfone: [recent]\nsource_rank: crm\n"), &problems);
    struct survivorship *survivorship = survivorship_new(&schema, golden, &problems);
    assert_null(survivorship);
    assert_int_equal(problems.count, 3);
    assert_non_null(strstr(problems.list[0].text, "hint: verified"));
    assert_int_equal(problems.list[0].line, 1);
    assert_non_null(strstr(problems.list[1].text, "fone"));
    problems_free(&problems);
    arena_free(&arena);
}

static void test_ranks_and_fingerprints_follow_the_configuration(void **state)
{
    (void)state;
    struct given *plain = given_new(NULL), *ranked = given_new("source_rank: [crm, shop]");
    assert_int_equal(survivorship_source_rank(ranked->survivorship, "crm"), 0);
    assert_int_equal(survivorship_source_rank(ranked->survivorship, "shop"), 1);
    assert_int_equal(survivorship_source_rank(ranked->survivorship, "form"), 2);
    assert_true(survivorship_fingerprint(plain->survivorship) !=
                survivorship_fingerprint(ranked->survivorship));
    given_free(plain);
    given_free(ranked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_unverified_form_fills_a_gap_but_overwrites_nothing),
        cmocka_unit_test(test_preferences_are_asked_in_order),
        cmocka_unit_test(test_nobody_and_masked_win_only_alone),
        cmocka_unit_test(test_an_address_never_mixes_two),
        cmocka_unit_test(test_a_fuller_address_that_agrees_completes_the_best),
        cmocka_unit_test(test_a_country_guessed_from_a_phone_is_no_address),
        cmocka_unit_test(test_sets_unite_best_first),
        cmocka_unit_test(test_where_a_customer_came_from_is_said_first),
        cmocka_unit_test(test_a_blank_of_higher_rank_empties_the_field),
        cmocka_unit_test(test_any_permutation_gives_the_same_golden_record),
        cmocka_unit_test(test_wrong_preferences_are_told_with_the_nearest_word),
        cmocka_unit_test(test_ranks_and_fingerprints_follow_the_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
