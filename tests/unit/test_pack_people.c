/* The shipped people pack: its own tests, its speed, and that cleaning twice changes nothing. */
#include "daemon/base/asset.h"
#include "daemon/base/buf.h"
#include "rules/record_json.h"
#include "rules/ruleset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
/* after the C headers it needs */
#include <cmocka.h>

static struct ruleset *people(void)
{
    bool found = false;
    struct pack_text pack = {"people", asset_find("rules/packs/people.yaml", &found)};
    struct problems problems = {0};
    assert_true(found);
    struct ruleset *ruleset = ruleset_new(&pack, 1, NULL, &problems);
    for (size_t i = 0; i < problems.count; i++)
        print_message("%s:%u:%u: %s\n", problems.list[i].file, problems.list[i].line,
                      problems.list[i].column, problems.list[i].text);
    assert_non_null(ruleset);
    return ruleset;
}

static void test_the_tests_beside_the_rules_pass(void **state)
{
    (void)state;
    struct ruleset *ruleset = people();
    struct buf out = BUF_INIT(1 << 20);
    struct ruleset_test_counts counts = ruleset_run_tests(ruleset, &out);
    if (counts.failed)
        fail_msg("%zu of %zu failed:\n%.*s", counts.failed, counts.failed + counts.passed,
                 (int)out.len, out.data);
    assert_true(counts.passed >= 50);
    buf_free(&out);
    ruleset_free(&ruleset);
}

static void test_canonical_fields_have_the_names_and_shapes_others_rely_on(void **state)
{
    (void)state;
    static const char *const names[] = {
        "full_name",   "given_name",  "family_name",  "name_title", "name_suffix",
        "name_note",   "email",       "phone",        "wechat_id",  "wechat_openid",
        "company",     "job_title",   "address_line", "district",   "city",
        "province",    "postal_code", "country",      "birth_date", "gender",
        "national_id", "credit_code", "industry",     "website",    "interest",
        "message",     "tags",        "utm_source",   "utm_medium", "utm_campaign",
        "utm_term",    "utm_content", "click_id",     "referrer",   "form",
        "campaign",    "member_no"};
    struct ruleset *ruleset = people();
    const struct schema *schema = ruleset_schema(ruleset);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct field *field = schema_find(schema, names[i]);
        if (field == NULL || field->custom)
            fail_msg("%s is not canonical", names[i]);
    }
    assert_true(schema_find(schema, "email")->multiple && schema_find(schema, "phone")->multiple);
    assert_string_equal(schema_find(schema, "city")->group, "address");
    assert_int_equal(schema_find(schema, "national_id")->sensitivity, SENSITIVITY_SENSITIVE);
    ruleset_free(&ruleset);
}

struct sample {
    struct cleaner *cleaner;
    struct arena *arena;
    struct columns columns;
    struct raw_record raw;
    struct source_rules source;
};

static const struct slice headings[] = {
    SLICE("姓名"),   SLICE("手机"), SLICE("邮箱"),     SLICE("公司"), SLICE("城市"),
    SLICE("gender"), SLICE("行业"), SLICE("订单编号"), SLICE("备注"), SLICE("标签")};
static const struct slice cells[] = {
    SLICE("张三"),      SLICE("13812345678"), SLICE("zhang@firm-a.cn"),
    SLICE("华信科技"),  SLICE("杭州"),        SLICE("男"),
    SLICE("软件"),      SLICE("A-77"),        SLICE("请联系"),
    SLICE("vip,老客户")};

static void sample_init(struct sample *sample, const struct ruleset *ruleset)
{
    *sample = (struct sample){
        .cleaner = cleaner_new(ruleset),
        .arena = arena_new(1 << 24),
        .columns = {99, sizeof(cells) / sizeof(cells[0]), headings},
        .source = {.name = "s", .country = "CN", .time_zone = "", .kind = KIND_PERSON}};
    sample->raw = (struct raw_record){.external_id = SLICE("1"),
                                      .part = SLICE("main"),
                                      .columns = &sample->columns,
                                      .values = cells};
}

static void sample_clean(struct sample *sample, struct clean_record *clean)
{
    struct err err = {0};
    assert_int_equal(
        ruleset_clean(sample->cleaner, &sample->source, &sample->raw, sample->arena, clean, &err),
        STATUS_OK);
}

static void test_clean_values_are_clean_already(void **state)
{
    (void)state;
    struct ruleset *ruleset = people();
    struct sample sample;
    struct clean_record first, second;
    sample_init(&sample, ruleset);
    sample_clean(&sample, &first);
    struct slice names[VALUES_MAX], values[VALUES_MAX];
    struct columns columns = {7, 0, names};
    for (size_t i = 0; i < first.value_count; i++) {
        names[i] = slice_str(ruleset_schema(ruleset)->fields[first.values[i].field].name);
        values[i] = first.values[i].value;
        columns.count++;
    }
    sample.raw.columns = &columns;
    sample.raw.values = values;
    sample_clean(&sample, &second);
    assert_int_equal(first.value_count, second.value_count);
    for (size_t i = 0; i < first.value_count; i++)
        assert_true(slice_eq(first.values[i].value, second.values[i].value));
    cleaner_free(&sample.cleaner);
    arena_free(&sample.arena);
    ruleset_free(&ruleset);
}

static double microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Says how fast it is; the bound only catches what is wrong by an order of magnitude, sanitizers
 * included. */
static void test_a_record_is_cleaned_in_microseconds(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    struct ruleset *ruleset = people();
    struct sample sample;
    struct clean_record clean;
    struct buf out = BUF_INIT(1 << 20);
    sample_init(&sample, ruleset);
    sample_clean(&sample, &clean);
    double start = microseconds();
    for (int i = 0; i < ROUNDS; i++) {
        arena_reset(sample.arena);
        sample_clean(&sample, &clean);
    }
    double cleaning = (microseconds() - start) / ROUNDS;
    start = microseconds();
    for (int i = 0; i < ROUNDS; i++) {
        buf_reset(&out);
        clean_record_to_json(ruleset_schema(ruleset), &clean, &out);
    }
    double writing = (microseconds() - start) / ROUNDS;
    start = microseconds();
    for (int i = 0; i < ROUNDS; i++) {
        struct clean_record again;
        arena_reset(sample.arena);
        assert_true(
            clean_record_from_json(ruleset_schema(ruleset), buf_slice(&out), sample.arena, &again));
    }
    double reading = (microseconds() - start) / ROUNDS;
    print_message("clean %.2f us, to JSON %.2f us, from JSON %.2f us a record\n", cleaning, writing,
                  reading);
    assert_true(cleaning < 500 && writing < 100 && reading < 100);
    buf_free(&out);
    cleaner_free(&sample.cleaner);
    arena_free(&sample.arena);
    ruleset_free(&ruleset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tests_beside_the_rules_pass),
        cmocka_unit_test(test_canonical_fields_have_the_names_and_shapes_others_rely_on),
        cmocka_unit_test(test_clean_values_are_clean_already),
        cmocka_unit_test(test_a_record_is_cleaned_in_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
