/* test_json_path.c - looking into JSON where it lies: checking, paths, conditions, templates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>

#include "connectors/http_client.h"
#include "connectors/json_path.h"

static const char document[] =
    "{\"id\": 12345678901234567890123, \"total\": 29.350, \"e\\u0301\": \"odd\", \"paid\": true, "
    "\"none\": null,\n"
    " \"billing\": {\"first_name\": \"J\\u00f6rg \\ud83d\\ude00\", \"tags\": [\"a\", 2, null, "
    "\"c\"], \"deep\": [[1,2],[3]]},\n"
    " \"meta_data\": [{\"key\": \"x\", \"value\": \"one\"}, {\"key\": \"y\", \"value\": 2}, "
    "{\"key\": \"x\", \"value\": [ ]}],\n"
    " \"odd name\": {\"a.b\": 7}, \"id\": 5, \"empty\": \"\", \"zero\": 0.0}";

static void finds(const char *path_text, const char *expected)
{
    struct arena *arena = arena_new(1 << 20);
    struct json_path path;
    struct slice values[8];
    size_t where;
    char joined[512] = "";
    if (!json_path_compile(slice_str(path_text), arena, &path, &where))
        fail_msg("%s: wrong at %zu", path_text, where);
    size_t count = json_path_find(&path, slice_str(document), values, 8);
    for (size_t i = 0; i < count; i++) {
        strncat(joined, i ? "|" : "", 2);
        strncat(joined, arena_str(arena, values[i]), 200);
    }
    assert_string_equal(joined, expected);
    arena_free(&arena);
}

static void test_paths_find_values_as_they_were_written(void **state)
{
    (void)state;
    finds("total", "29.350");
    finds("id", "5"); /* the last of two members of one name */
    finds("$.billing.tags[0]", "\"a\"");
    finds("billing.tags[*]", "\"a\"|2|null|\"c\"");
    finds("billing.deep[*][0]", "1|3");
    finds("billing.deep[1]", "[3]");
    finds("meta_data[?key=x].value", "\"one\"|[ ]");
    finds("meta_data[?value=2].key", "\"y\"");
    finds("[\"odd name\"][\"a.b\"]", "7");
    finds("e\xCC\x81", "\"odd\"");
    finds("nothing.at.all", "");
    finds("total.x", "");
    finds("billing[0]", "");
    finds("billing.tags[9]", "");
}

static void test_what_is_no_path_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t where;
    } wrong[] = {{"a..b", 2}, {"a[", 2}, {"a[-1]", 2},          {"a[?x]", 4},
                 {"a b", 1},  {"a.", 2}, {"a[99999999999]", 13}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct arena *arena = arena_new(1 << 20);
        struct json_path path;
        size_t where = 999;
        bool good = json_path_compile(slice_str(wrong[i].text), arena, &path, &where);
        if (good && strcmp(wrong[i].text, "a.") != 0)
            fail_msg("%s was taken", wrong[i].text);
        if (!good)
            assert_int_equal(where, wrong[i].where);
        arena_free(&arena);
    }
}

static bool holds(const char *text)
{
    struct arena *arena = arena_new(1 << 20);
    struct json_condition condition;
    size_t where;
    assert_true(json_condition_compile(slice_str(text), arena, &condition, &where));
    bool result = json_condition_holds(&condition, slice_str(document), arena);
    arena_free(&arena);
    return result;
}

static void test_conditions(void **state)
{
    (void)state;
    assert_true(holds("paid"));
    assert_false(holds("!paid"));
    assert_true(holds("!none"));
    assert_true(holds("!empty"));
    assert_true(holds("!zero"));
    assert_true(holds("!absent"));
    assert_true(holds("billing"));
    assert_true(holds("id=5"));
    assert_false(holds("id!=5"));
    assert_true(holds("absent!=x"));
    assert_true(holds("meta_data[?key=x].value=one"));
    assert_true(holds("paid = true"));
}

static void filled(const char *text, const char *expected, enum json_scan_flaw expected_flaw)
{
    struct arena *arena = arena_new(1 << 20);
    struct json_template template;
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    size_t where;
    assert_true(json_template_compile(slice_str(text), arena, &template, &where));
    struct slice result = json_template_fill(&template, slice_str(document), arena, &flaw);
    assert_string_equal(arena_str(arena, result), expected);
    assert_int_equal(flaw, expected_flaw);
    arena_free(&arena);
}

static void test_templates(void **state)
{
    (void)state;
    filled("order/{id}", "order/5", JSON_SCAN_FINE);
    filled("{id}-{total}!", "5-29.350!", JSON_SCAN_FINE);
    filled("id", "5", JSON_SCAN_FINE);
    filled("order/{none}", "", JSON_SCAN_FINE);
    filled("{billing.first_name}", "J\xC3\xB6rg \xF0\x9F\x98\x80", JSON_SCAN_FINE);
    filled("{billing.tags}", "a, 2, c", JSON_SCAN_FINE);
    struct arena *arena = arena_new(1 << 20);
    struct json_template template;
    size_t where;
    assert_false(json_template_compile(SLICE("a/{id"), arena, &template, &where));
    assert_false(json_template_compile(SLICE("a/{i d}"), arena, &template, &where));
    arena_free(&arena);
}

static void test_strings_that_no_text_can_hold_are_named(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    assert_int_equal(json_scan_string(SLICE("\"a\\u0000b\""), arena, &flaw).len, 3);
    assert_int_equal(flaw, JSON_SCAN_HAS_NUL);
    flaw = JSON_SCAN_FINE;
    assert_true(slice_is(json_scan_string(SLICE("\"\\udc00\\ud800x\""), arena, &flaw),
                         "\xEF\xBF\xBD\xEF\xBF\xBDx"));
    assert_int_equal(flaw, JSON_SCAN_LONE_SURROGATE);
    assert_int_equal(json_scan_look_for_flaws(SLICE("{\"a\": [\"\\\\u0000\"]}")), JSON_SCAN_FINE);
    assert_int_equal(json_scan_look_for_flaws(SLICE("{\"a\\u0000\": 1}")), JSON_SCAN_HAS_NUL);
    arena_free(&arena);
}

/* The same verdict as another parser, on every document with one byte changed or cut. */
static void test_checking_agrees_with_another_parser(void **state)
{
    (void)state;
    static const char sample[] = "{\"a\":[1,-0.5e+3,true,false,null,\"x\\n\\u00e9\xC3\xA9\"],\"b\":"
                                 "{\"c\":[],\"d\":{}},\"e\":[[0]]}";
    static const char replacements[] = "{}[]\",:0-.e\\u x\n\x01\x80";
    size_t len = sizeof(sample) - 1, tried = 0;
    for (size_t i = 0; i < len; i++) {
        for (size_t r = 0; r < sizeof(replacements); r++) {
            char changed[256];
            memcpy(changed, sample, len);
            size_t changed_len = r == sizeof(replacements) - 1 ? i : len;
            if (changed_len == len)
                changed[i] = replacements[r];
            json_t *other =
                json_loadb(changed, changed_len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
            size_t where;
            bool good = json_scan_check(slice_of(changed, changed_len), &where);
            if (good != (other != NULL))
                fail_msg("%.*s: %d here, %d there", (int)changed_len, changed, good, other != NULL);
            json_decref(other);
            tried++;
        }
    }
    assert_true(tried > 1000);
}

static void test_depth_is_bounded(void **state)
{
    (void)state;
    static char deep[200001];
    size_t where;
    memset(deep, '[', 100000);
    memset(deep + 100000, ']', 100000);
    assert_false(json_scan_check(slice_of(deep, 200000), &where));
    assert_true(json_scan_check(slice_of(deep + 100000 - 50, 100), &where));
}

static struct http_response response_of(struct http_field *field, const char *name,
                                        const char *value)
{
    *field = (struct http_field){slice_str(name), slice_str(value)};
    return (struct http_response){.status = 200, .header_count = 1, .headers = field};
}

static int64_t fixed_wall_us(const struct clock *clock)
{
    (void)clock;
    return INT64_C(1445412480000000); /* 2015-10-21T07:28:00Z */
}

static void test_headers_that_pages_depend_on(void **state)
{
    (void)state;
    const struct clock clock = {fixed_wall_us, fixed_wall_us};
    struct http_field field;
    struct http_response response = response_of(&field, "retry-after", "2.5");
    assert_int_equal(http_retry_after_ms(&response, &clock), 2500);
    response = response_of(&field, "Retry-After", "Wed, 21 Oct 2015 07:28:30 GMT");
    assert_int_equal(http_retry_after_ms(&response, &clock), 30000);
    response = response_of(&field, "Retry-After", "Wed, 21 Oct 2015 07:27:30 GMT");
    assert_int_equal(http_retry_after_ms(&response, &clock), 0);
    response = response_of(&field, "Retry-After", "soon");
    assert_int_equal(http_retry_after_ms(&response, &clock), -1);
    response =
        response_of(&field, "link",
                    "<https://a/1>; rel=\"prev\", <https://a/3?x=1,2>; title=\"n\"; rel=\"next\"");
    assert_true(slice_is(http_link_next(&response), "https://a/3?x=1,2"));
    response = response_of(&field, "Link", "<https://a/3>; rel=last");
    assert_int_equal(http_link_next(&response).len, 0);
    struct arena *arena = arena_new(1 << 20);
    assert_true(
        slice_is(http_basic(SLICE("Aladdin:open sesame"), arena), "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_string_equal(http_resolve("https://a.example/x?y=1", SLICE("/z?p=2"), arena),
                        "https://a.example/z?p=2");
    assert_string_equal(http_resolve("http://a.example/", SLICE("https://a.example/z"), arena),
                        "https://a.example/z");
    assert_null(http_resolve("https://a.example/", SLICE("https://b.example/"), arena));
    assert_null(http_resolve("https://a.example/", SLICE("http://a.example/"), arena));
    assert_null(http_resolve("https://a.example/", SLICE("https://a.example:8443/"), arena));
    assert_null(http_resolve("https://a.example/", SLICE("https://a.example@b.example/"), arena));
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_find_values_as_they_were_written),
        cmocka_unit_test(test_what_is_no_path_is_refused_with_its_place),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_templates),
        cmocka_unit_test(test_strings_that_no_text_can_hold_are_named),
        cmocka_unit_test(test_checking_agrees_with_another_parser),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_headers_that_pages_depend_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
