/* test_cloudevent.c - the envelope: CloudEvents 1.0, structured JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/events/cloudevent.h"

static const struct slice all[] = {{"*", 1}};

static json_t *told(const struct log_event *event, const struct slice *fields, size_t field_count)
{
    struct buf out = BUF_INIT(65536);
    assert_true(cloudevent_put(&out, event, "https://leads.example.com", fields, field_count));
    json_t *root = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    buf_free(&out);
    return root;
}

static void assert_text(const json_t *root, const char *key, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(root, key)), expected);
}

static void test_attributes(void **state)
{
    (void)state;
    struct log_event event = {.seq = 42, .customer_id = 7, .at_us = 1763798400123456, .type = SLICE("lead.created"),
                              .data = SLICE("{\"customer_id\": 7, \"customer\": {\"name\": \"\xE5\xBC\xA0\"}}")};
    json_t *root = told(&event, all, 1);
    assert_text(root, "specversion", "1.0");
    assert_text(root, "id", "evt_42");
    assert_text(root, "source", "https://leads.example.com");
    assert_text(root, "type", "tributary.lead.created.v1");
    assert_text(root, "subject", "7");
    assert_text(root, "time", "2025-11-22T08:00:00.123456Z");
    assert_text(root, "datacontenttype", "application/json");
    assert_text(root, "sequence", "0000000000000000042");
    assert_text(json_object_get(json_object_get(root, "data"), "customer"), "name", "\xE5\xBC\xA0");
    const char *name;
    json_t *value;
    json_object_foreach(root, name, value) /* the names CloudEvents allows */
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789"), strlen(name));
    json_decref(root);
}

static void test_ids_are_stable_and_without_a_dot(void **state)
{
    (void)state;
    char id[CLOUDEVENT_ID_MAX];
    cloudevent_id(UINT64_MAX, id);
    assert_string_equal(id, "evt_18446744073709551615");
    assert_null(strchr(id, '.'));
}

static void test_event_about_no_customer_has_no_subject(void **state)
{
    (void)state;
    struct log_event event = {.seq = 1, .type = SLICE("record.rejected"), .data = SLICE("{\"code\":\"x\"}")};
    json_t *root = told(&event, all, 1);
    assert_null(json_object_get(root, "subject"));
    json_decref(root);
}

static void test_erased_body_says_so(void **state)
{
    (void)state;
    struct log_event event = {.seq = 1, .customer_id = 9, .type = SLICE("customer.updated")};
    json_t *root = told(&event, all, 1);
    json_t *data = json_object_get(root, "data");
    assert_true(json_is_true(json_object_get(data, "erased")));
    assert_int_equal(json_integer_value(json_object_get(data, "customer_id")), 9);
    json_decref(root);
}

/* A field that is not sent must not come in by the back door of `changes`. */
static void test_projection_holds_for_customer_and_changes(void **state)
{
    (void)state;
    struct slice fields[] = {SLICE("name"), SLICE("city")};
    struct log_event event = {
        .seq = 1, .customer_id = 9, .type = SLICE("customer.updated"),
        .data = SLICE("{\"customer_id\":9,\"changes\":{\"phone\":[\"1\",\"2\"],\"name\":[\"a\",\"b\"]},"
                      "\"customer\":{\"name\":\"b\",\"phone\":\"2\",\"email\":\"a\\u0000@b\"}}")};
    json_t *root = told(&event, fields, 2);
    json_t *data = json_object_get(root, "data");
    assert_int_equal(json_object_size(json_object_get(data, "customer")), 1);
    assert_int_equal(json_object_size(json_object_get(data, "changes")), 1);
    assert_text(json_object_get(data, "customer"), "name", "b");
    assert_int_equal(json_integer_value(json_object_get(data, "customer_id")), 9);
    json_decref(root);
}

static void test_what_is_no_object_cannot_be_told(void **state)
{
    (void)state;
    struct slice fields[] = {SLICE("name")};
    struct slice bodies[] = {SLICE("[1]"), SLICE("7"), SLICE("\"x\"")};
    for (size_t i = 0; i < 3; i++) {
        struct log_event event = {.seq = 1, .type = SLICE("x.y"), .data = bodies[i]};
        struct buf out = BUF_INIT(4096);
        assert_false(cloudevent_put(&out, &event, "/t", all, 1));
        assert_false(cloudevent_put(&out, &event, "/t", fields, 1));
        buf_free(&out);
    }
    char long_text[4096];
    memset(long_text, ' ', sizeof(long_text));
    long_text[0] = '{';
    long_text[sizeof(long_text) - 1] = '}';
    struct log_event event = {.seq = 1, .type = SLICE("x.y"), .data = slice_of(long_text, sizeof(long_text))};
    struct buf small = BUF_INIT(4096);
    assert_false(cloudevent_put(&small, &event, "/t", all, 1));
    buf_free(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_ids_are_stable_and_without_a_dot),
        cmocka_unit_test(test_event_about_no_customer_has_no_subject),
        cmocka_unit_test(test_erased_body_says_so),
        cmocka_unit_test(test_projection_holds_for_customer_and_changes),
        cmocka_unit_test(test_what_is_no_object_cannot_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
