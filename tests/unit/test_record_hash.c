/* test_record_hash.c - what makes two deliveries of a record the same content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <xxhash.h>

#include "connectors/connector.h"

static struct content_hash hash_of(const struct slice *names, const struct slice *values,
                                   size_t count)
{
    struct columns columns = {.id = 1, .count = count, .names = names};
    struct raw_record record = {
        .external_id = SLICE("1"), .part = SLICE("main"), .columns = &columns, .values = values};
    return raw_record_hash(&record);
}

static bool same(struct content_hash a, struct content_hash b)
{
    return a.high == b.high && a.low == b.low;
}

static void test_order_of_columns_and_empty_values_do_not_matter(void **state)
{
    (void)state;
    struct slice names[] = {SLICE("name"), SLICE("phone"), SLICE("note")};
    struct slice values[] = {SLICE("张三"), SLICE("13812345678"), SLICE("")};
    struct slice turned_names[] = {SLICE("phone"), SLICE("name")};
    struct slice turned_values[] = {SLICE("13812345678"), SLICE("张三")};
    assert_true(same(hash_of(names, values, 3), hash_of(turned_names, turned_values, 2)));
}

static void test_a_value_moved_to_another_column_is_another_content(void **state)
{
    (void)state;
    struct slice names[] = {SLICE("a"), SLICE("b")}, swapped[] = {SLICE("b"), SLICE("a")};
    struct slice values[] = {SLICE("1"), SLICE("2")};
    assert_false(same(hash_of(names, values, 2), hash_of(swapped, values, 2)));
    struct slice joined_name[] = {SLICE("ab")}, split_name[] = {SLICE("a")};
    struct slice c[] = {SLICE("c")}, bc[] = {SLICE("bc")};
    assert_false(same(hash_of(joined_name, c, 1), hash_of(split_name, bc, 1)));
}

static void test_operation_activities_and_consents_are_content(void **state)
{
    (void)state;
    struct slice name = SLICE("name"), value = SLICE("x");
    struct columns columns = {.id = 1, .count = 1, .names = &name};
    struct raw_record record = {.columns = &columns, .values = &value};
    struct content_hash plain = raw_record_hash(&record);
    record.op = RECORD_DELETE;
    assert_false(same(plain, raw_record_hash(&record)));
    record.op = RECORD_UPSERT;
    struct activity activities[2] = {
        {.type = SLICE("order"), .key = SLICE("1"), .at_us = 5, .data = SLICE("{}")},
        {.type = SLICE("order"), .key = SLICE("2"), .at_us = 6, .data = SLICE("{}")}};
    struct activity turned[2] = {activities[1], activities[0]};
    record.activity_count = 2;
    record.activities = activities;
    struct content_hash with = raw_record_hash(&record);
    assert_false(same(plain, with));
    record.activities = turned;
    assert_true(same(with, raw_record_hash(&record)));
    record.activity_count = 0;
    struct consent consent = {.purpose = SLICE("marketing"),
                              .granted = true,
                              .text = SLICE(""),
                              .version = SLICE(""),
                              .ip = SLICE("192.0.2.1"),
                              .user_agent = SLICE(""),
                              .method = SLICE("form")};
    record.consent_count = 1;
    record.consents = &consent;
    struct content_hash granted = raw_record_hash(&record);
    consent.ip = SLICE("192.0.2.2");
    assert_true(same(granted, raw_record_hash(&record)));
    consent.granted = false;
    assert_false(same(granted, raw_record_hash(&record)));
}

/* Small facts are hashed from one buffer, large ones streamed: both must be XXH3 of the same bytes.
 */
static void test_long_values_hash_as_their_bytes(void **state)
{
    (void)state;
    static char text[3000];
    memset(text, 'x', sizeof(text));
    struct slice name = SLICE("n");
    for (size_t length = 1000; length < 1050; length++) {
        char joined[3002] = {'n', '\0'};
        memcpy(joined + 2, text, length);
        XXH128_hash_t expected = XXH3_128bits_withSeed(joined, length + 2, 1);
        struct slice value = slice_of(text, length);
        assert_true(same(hash_of(&name, &value, 1),
                         (struct content_hash){expected.high64, expected.low64}));
    }
}

static void test_an_empty_record_has_a_hash(void **state)
{
    (void)state;
    struct raw_record record = {0};
    assert_true(same(raw_record_hash(&record), (struct content_hash){0, 0}));
    record.op = RECORD_DELETE;
    assert_false(same(raw_record_hash(&record), (struct content_hash){0, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_of_columns_and_empty_values_do_not_matter),
        cmocka_unit_test(test_a_value_moved_to_another_column_is_another_content),
        cmocka_unit_test(test_operation_activities_and_consents_are_content),
        cmocka_unit_test(test_long_values_hash_as_their_bytes),
        cmocka_unit_test(test_an_empty_record_has_a_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
