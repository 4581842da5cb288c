/* test_refused.c - bytes refused again are a repeat, and memory of them is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/accept/refused.h"

static struct refused_key key_of(uint64_t number)
{
    return (struct refused_key){number * 0x9E3779B97F4A7C15u, number << 1 | 1};
}

static void test_a_repeat_only_once_it_is_durable(void **state)
{
    (void)state;
    struct refused *refused = refused_new();
    assert_false(refused_note(refused, key_of(1), 10));
    assert_true(refused_note(refused, key_of(1), 10));  /* in the same batch */
    assert_false(refused_note(refused, key_of(1), 11)); /* batch 10 may fail yet */
    refused_done(refused, key_of(1), 10, true);
    assert_true(refused_note(refused, key_of(1), 12));
    assert_false(refused_note(refused, key_of(2), 13));
    refused_done(refused, key_of(2), 13, false);
    assert_false(refused_note(refused, key_of(2), 14)); /* what noted it was never kept */
    refused_done(refused, key_of(2), 14, true);
    assert_true(refused_note(refused, key_of(2), 15));
    refused_free(&refused);
    assert_null(refused);
}

static void test_the_newest_are_remembered_and_the_oldest_forgotten(void **state)
{
    (void)state;
    struct refused *refused = refused_new();
    uint64_t number = 0;
    while (number < (uint64_t)3 * REFUSED_MAX)
        assert_false(refused_note(refused, key_of(++number), 0));
    for (uint64_t i = number - REFUSED_MAX + 1; i <= number; i++)
        assert_true(refused_note(refused, key_of(i), 0));
    assert_false(refused_note(refused, key_of(1), 0));
    refused_free(&refused);
}

static struct refused_key of(bool pulled, const char *body, const char *meta, const char *position)
{
    const struct delivery delivery = {.refusal = "csv.no_id", .body = slice_str(body), .meta = slice_str(meta),
                                      .position = slice_str(position)};
    return refused_key_of("sheet", pulled, SLICE("{\"header\":1}"), &delivery);
}

static bool same(struct refused_key a, struct refused_key b)
{
    return a.high == b.high && a.low == b.low;
}

static void test_the_key_is_what_was_refused_not_where_or_from_whom(void **state)
{
    (void)state;
    assert_true(same(of(true, "1,2", "{}", "a.csv:2"), of(true, "1,2", "{}", "b.csv:7")));
    assert_false(same(of(true, "1,2", "{}", "a.csv:2"), of(true, "1,3", "{}", "a.csv:2")));
    assert_true(same(of(false, "x", "{\"ip\":\"192.0.2.1\"}", ""), of(false, "x", "{\"ip\":\"192.0.2.2\"}", "")));
    assert_false(same(of(true, "x", "{\"endpoint\":\"a\"}", ""), of(true, "x", "{\"endpoint\":\"b\"}", "")));
    /* Of bytes that were cut off nobody knows whether the rest is the same. */
    assert_false(same(of(true, "1,", "{\"bytes\":9000000}", "a.csv:2"), of(true, "1,", "{\"bytes\":9000000}", "b.csv:2")));
    assert_true(same(of(true, "1,", "{\"bytes\":9000000}", "a.csv:2"), of(true, "1,", "{\"bytes\":9000000}", "a.csv:2")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_repeat_only_once_it_is_durable),
        cmocka_unit_test(test_the_newest_are_remembered_and_the_oldest_forgotten),
        cmocka_unit_test(test_the_key_is_what_was_refused_not_where_or_from_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
