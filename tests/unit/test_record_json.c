/* A clean record survives the way to JSON and back; nothing but its own shape is read. */
#include "rules/record_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* after the C headers it needs */
#include <cmocka.h>

static const struct field fields[] = {
    {.id = 0, .name = "full_name", .type = FIELD_PERSON_NAME},
    {.id = 1, .name = "email", .type = FIELD_EMAIL, .multiple = true},
    {.id = 2, .name = "phone", .type = FIELD_PHONE, .multiple = true},
    {.id = 3, .name = "message", .type = FIELD_TEXT},
};
static const struct schema schema = {4, fields};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static struct slice random_text(struct arena *arena, uint64_t *state)
{
    static const char *const pieces[] = {"a", "\"", "\\", "\n", "\t", "\x01", "\x7f", "张三",
                                         "😀", " ",  "/",  "{",  "]",  ",",    "é",    "\\u0041"};
    char text[64] = "";
    for (uint64_t count = next_random(state) % 9; count > 0; count--)
        strcat(text, pieces[next_random(state) % (sizeof(pieces) / sizeof(pieces[0]))]);
    return arena_dup(arena, slice_str(text));
}

static void assert_slice_equal(struct slice a, struct slice b)
{
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr, b.ptr, a.len);
}

static void assert_records_equal(const struct clean_record *a, const struct clean_record *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->outcome, b->outcome);
    assert_int_equal(a->value_count, b->value_count);
    assert_int_equal(a->extra_count, b->extra_count);
    assert_int_equal(a->issue_count, b->issue_count);
    for (size_t i = 0; i < a->value_count; i++) {
        assert_int_equal(a->values[i].field, b->values[i].field);
        assert_int_equal(a->values[i].flags, b->values[i].flags);
        assert_slice_equal(a->values[i].value, b->values[i].value);
        assert_slice_equal(a->values[i].original, b->values[i].original);
    }
    for (size_t i = 0; i < a->extra_count; i++) {
        assert_slice_equal(a->extras[i].name, b->extras[i].name);
        assert_slice_equal(a->extras[i].value, b->extras[i].value);
    }
    for (size_t i = 0; i < a->issue_count; i++) {
        assert_int_equal(a->issues[i].severity, b->issues[i].severity);
        assert_string_equal(a->issues[i].code, b->issues[i].code);
        assert_int_equal(a->issues[i].field, b->issues[i].field);
        assert_slice_equal(a->issues[i].param, b->issues[i].param);
    }
}

static void random_record(struct arena *arena, uint64_t *state, struct clean_record *clean)
{
    size_t values = next_random(state) % 8, extras = next_random(state) % 5;
    size_t issues = next_random(state) % 3;
    struct clean_value *value = ARENA_ARRAY(arena, struct clean_value, values);
    struct extra_value *extra = ARENA_ARRAY(arena, struct extra_value, extras);
    struct issue *issue = ARENA_ARRAY(arena, struct issue, issues);
    uint16_t field = 0;
    for (size_t i = 0; i < values; i++) {
        field = (uint16_t)(field + next_random(state) % 2);
        value[i] = (struct clean_value){.field = field > 3 ? 3 : field,
                                        .flags = (uint16_t)(next_random(state) % 64),
                                        .value = random_text(arena, state),
                                        .original = random_text(arena, state)};
    }
    for (size_t i = 0; i < extras; i++)
        extra[i] = (struct extra_value){random_text(arena, state), random_text(arena, state)};
    for (size_t i = 0; i < issues; i++)
        issue[i] = (struct issue){.severity = (enum issue_severity)(next_random(state) % 3),
                                  .code = "phone.too_short",
                                  .field = next_random(state) % 2 ? 2 : FIELD_NONE,
                                  .param = random_text(arena, state)};
    *clean = (struct clean_record){.kind = next_random(state) % 2 ? KIND_PERSON : KIND_COMPANY,
                                   .outcome = (enum clean_outcome)(next_random(state) % 4),
                                   .value_count = values,
                                   .values = value,
                                   .extra_count = extras,
                                   .extras = extra,
                                   .issue_count = issues,
                                   .issues = issue};
}

static void test_random_records_survive_the_round_trip(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 24);
    struct buf out = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        arena_reset(arena);
        buf_reset(&out);
        buf_reset(&again);
        struct clean_record written, read;
        random_record(arena, &seed, &written);
        clean_record_to_json(&schema, &written, &out);
        assert_true(clean_record_from_json(&schema, buf_slice(&out), arena, &read));
        assert_records_equal(&written, &read);
        clean_record_to_json(&schema, &read, &again);
        assert_slice_equal(buf_slice(&out), buf_slice(&again));
    }
    buf_free(&out);
    buf_free(&again);
    arena_free(&arena);
}

static bool reads(const char *text, struct arena *arena, struct clean_record *clean)
{
    return clean_record_from_json(&schema, slice_str(text), arena, clean);
}

static void test_reordered_and_spaced_jsonb_is_read(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    struct clean_record clean;
    assert_true(
        reads("{\"v\": [[\"phone\", 1, \"b\"], [\"full_name\", 0, \"\\u5f20\\ud83d\\ude00\"],"
              " [\"gone\", 0, \"kept\"]], \"x\": [], \"kind\": \"person\"}",
              arena, &clean));
    assert_int_equal(clean.value_count, 2);
    assert_int_equal(clean.values[0].field, 0); /* sorted again */
    assert_slice_equal(clean.values[0].value, SLICE("张😀"));
    assert_int_equal(clean.extra_count, 1); /* a field the schema no longer has */
    assert_slice_equal(clean.extras[0].name, SLICE("gone"));
    assert_slice_equal(clean.extras[0].value, SLICE("kept"));
    arena_free(&arena);
}

static void test_other_shapes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{}",
        "[]",
        "{\"kind\":\"person\"",
        "{\"kind\":\"robot\"}",
        "{\"kind\":\"person\"} x",
        "{\"kind\":\"person\",\"kind\":\"person\"}",
        "{\"kind\":\"person\",\"v\":[[\"email\",0]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",70000,\"a\"]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",0,\"a\",\"b\",\"c\"]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",0,\"\\u0000\"]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",0,\"\\ud800x\"]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",0,\"a\nb\"]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",0,\"\xff\"]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",0,\"a\"],]}",
        "{\"kind\":\"person\",\"y\":[]}",
        "{\"kind\":\"person\",\"x\":[[\"a\"]]}",
        "{\"kind\":\"person\",\"v\":[[\"email\",-1,\"a\"]]}",
    };
    struct arena *arena = arena_new(1 << 20);
    struct clean_record clean;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        arena_reset(arena);
        if (reads(bad[i], arena, &clean))
            fail_msg("was read: %s", bad[i]);
    }
    assert_true(reads("{\"kind\":\"person\"}", arena, &clean));
    arena_free(&arena);
}

static void test_more_values_than_the_maximum_are_refused(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 22);
    struct buf text = BUF_INIT(1 << 20);
    struct clean_record clean;
    for (int count = VALUES_MAX; count <= VALUES_MAX + 1; count++) {
        arena_reset(arena);
        buf_reset(&text);
        buf_put_str(&text, "{\"kind\":\"person\",\"v\":[");
        for (int i = 0; i < count; i++)
            buf_printf(&text, "%s[\"email\",0,\"%d\"]", i ? "," : "", i);
        buf_put_str(&text, "]}");
        assert_int_equal(clean_record_from_json(&schema, buf_slice(&text), arena, &clean),
                         count == VALUES_MAX);
    }
    buf_free(&text);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_records_survive_the_round_trip),
        cmocka_unit_test(test_reordered_and_spaced_jsonb_is_read),
        cmocka_unit_test(test_other_shapes_are_refused),
        cmocka_unit_test(test_more_values_than_the_maximum_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
