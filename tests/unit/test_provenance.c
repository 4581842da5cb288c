/* Provenance as JSON, and what differs between two golden records. */
#include "daemon/resolve/provenance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* after the C headers it needs */
#include <cmocka.h>

static const struct field fields[] = {
    {.id = 0, .name = "full_name", .type = FIELD_PERSON_NAME},
    {.id = 1, .name = "email", .type = FIELD_EMAIL, .multiple = true},
    {.id = 2, .name = "city", .type = FIELD_TEXT},
};
static const struct schema schema = {3, fields};
static const uint64_t members[] = {11, 12};

static void expect_json(const struct golden_record *golden, const char *expected)
{
    struct buf out = BUF_INIT(4096);
    provenance_put(&schema, golden, members, &out);
    buf_put_byte(&out, 0);
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void expect_diff(const char *old, const struct golden_record *golden, const char *expected)
{
    struct buf changes = BUF_INIT(4096);
    struct provenance_scratch scratch = {.json = BUF_INIT(4096)};
    bool any = provenance_diff(&schema, slice_str(old), golden, &scratch, &changes);
    buf_put_byte(&changes, 0);
    assert_false(buf_failed(&changes));
    assert_string_equal(changes.data, expected);
    assert_int_equal(any, strcmp(expected, "{}") != 0);
    provenance_scratch_free(&scratch);
    buf_free(&changes);
}

static const struct survivor_value values[] = {
    {.field = 0, .value = {"王\"芳\"", 8}, .record = 1, .agree_count = 2},
    {.field = 1, .value = {"a@x.org", 7}, .record = 0, .agree_count = 1, .flags = 3},
    {.field = 1, .value = {"b@x.org", 7}, .record = 1, .agree_count = 1},
};
static const struct survivor_runner runners[] = {{.field = 0, .value = {"芳", 3}, .record = 0}};
static const struct golden_record golden = {.value_count = 3, .values = values, .runner_count = 1,
                                            .runners = runners};

#define TEXT                                                                                        \
    "[[\"full_name\",\"王\\\"芳\\\"\",12,0,2,[[\"芳\",11]]],[\"email\",\"a@x.org\",11,3,1,[]],"       \
    "[\"email\",\"b@x.org\",12,0,1,[]]]"

static void test_what_is_written_does_not_differ(void **state)
{
    (void)state;
    expect_json(&golden, TEXT);
    expect_diff(TEXT, &golden, "{}");
    expect_json(&(struct golden_record){0}, "[]");
    expect_diff("[]", &(struct golden_record){0}, "{}");
}

static void test_white_space_order_and_who_said_it_are_no_difference(void **state)
{
    (void)state;
    expect_diff("[ [\"email\", \"a@x.org\", 7, 0, 9, [[\"full_name\", 1]]], [\"email\", \"b@x.org\", 1, 0, 1, []],\n"
                "[\"full_name\", \"王\\\"芳\\\"\", 1, 0, 1, []] ]", &golden, "{}");
}

static void test_differences_are_told_by_field(void **state)
{
    (void)state;
    expect_diff("", &golden,
                "{\"full_name\":[null,\"王\\\"芳\\\"\"],\"email\":[null,[\"a@x.org\",\"b@x.org\"]]}");
    expect_diff("[[\"email\",\"a@x.org\",1,0,1,[]],[\"city\",\"Bonn\",1,0,1,[[\"Ulm\",2]]]]", &golden,
                "{\"full_name\":[null,\"王\\\"芳\\\"\"],\"email\":[[\"a@x.org\"],[\"a@x.org\",\"b@x.org\"]],"
                "\"city\":[\"Bonn\",null]}");
    expect_diff(TEXT, &(struct golden_record){0},
                "{\"full_name\":[\"王\\\"芳\\\"\",null],\"email\":[[\"a@x.org\",\"b@x.org\"],null]}");
}

static void test_fields_that_are_gone_and_broken_text_are_passed_over(void **state)
{
    (void)state;
    expect_diff("[[\"fax\",\"1\",1,0,1,[]],[\"city\",\"Bonn\",1,0,1,[]]]", &(struct golden_record){0},
                "{\"city\":[\"Bonn\",null]}");
    expect_diff("[[\"city\",\"Bo", &(struct golden_record){0}, "{}");
    expect_diff("[[\"city\",\"Bo\\", &(struct golden_record){0}, "{}");
    expect_diff("]]]\"\"[[", &(struct golden_record){0}, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_does_not_differ),
        cmocka_unit_test(test_white_space_order_and_who_said_it_are_no_difference),
        cmocka_unit_test(test_differences_are_told_by_field),
        cmocka_unit_test(test_fields_that_are_gone_and_broken_text_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
