/*
 * test_pack_giants.c - packing a record of whatever size: it finds room in its scratch, says what its start says, and takes
 * nothing from who is compared by the values beside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "rules/features.h"
#include "tests/unit/match_setup.h"

#define GIANT_BYTES 65536 /* CLEAN_INPUT_MAX_BYTES: no clean value is longer */
#define VALUES      VALUES_MAX
#define LOOKED_AT   1024 /* as in features.c */

static char giant[GIANT_BYTES];
static struct clean_value values[VALUES];

/* U+FDFA becomes eighteen characters when it is folded: no text grows more. */
static const char *const patterns[] = {"word ", "W\xC3\xB6rter ", "\xC3\x84nn\xC3\xB6", "\xE4\xB8\xAD\xE6\x96\x87\xE5\xAD\x97",
                                       "\xE4\xB8\xAD\xE6\x96\x87\xE8\xB7\xAF" "5\xE5\x8F\xB7", "\xEF\xB7\xBA", "\xE2\x80\xA6", "-",
                                       "A", "12 ", "\xC3\x96lstra\xC3\x9F" "e 5, ", "\xEA\xB0\x80", "\xCE\x90", "\xF0\x9D\x94\xB8"};
#define PATTERN_COUNT (sizeof(patterns) / sizeof(patterns[0]))

static struct slice fill(const char *pattern)
{
    size_t width = strlen(pattern), len = 0;
    for (; len + width <= sizeof(giant); len += width)
        memcpy(giant + len, pattern, width);
    return slice_of(giant, len);
}

static uint16_t field_of(const char *name)
{
    for (size_t i = 0; i < fixture_schema.count; i++)
        if (strcmp(fixture_fields[i].name, name) == 0)
            return (uint16_t)i;
    fail_msg("no field %s", name);
    return 0;
}

static void set(size_t at, const char *field, struct slice value)
{
    values[at] = (struct clean_value){.field = field_of(field), .value = value};
}

/* Packs the first `count` values; the caller frees. *used: bytes of scratch. */
static struct buf pack(size_t count, enum record_kind kind, size_t *used)
{
    struct clean_record clean = {.kind = kind, .values = values, .value_count = count};
    struct buf out = BUF_INIT(FEATURES_MAX_BYTES);
    struct arena *scratch = arena_new(FEATURES_SCRATCH_BYTES);
    assert_non_null(scratch);
    features_pack_using(matcher, &clean, 7, scratch, &out);
    assert_false(buf_failed(&out));
    assert_true(out.len <= FEATURES_MAX_BYTES);
    if (used)
        *used = arena_used_bytes(scratch);
    arena_free(&scratch);
    return out;
}

static void test_every_field_may_be_a_giant(void **state)
{
    (void)state;
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        struct slice text = fill(patterns[i]);
        for (unsigned kind = KIND_PERSON; kind <= KIND_COMPANY; kind++) {
            size_t used;
            for (size_t k = 0; k < fixture_schema.count; k++)
                values[k] = (struct clean_value){.field = (uint16_t)k, .value = text};
            struct buf out = pack(fixture_schema.count, (enum record_kind)kind, &used);
            assert_true(features_fit(buf_slice(&out), 7));
            assert_true(used < FEATURES_SCRATCH_BYTES / 2);
            buf_free(&out);
        }
    }
}

static void test_a_field_alone_may_be_a_giant(void **state)
{
    (void)state;
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        struct slice text = fill(patterns[i]);
        for (size_t k = 0; k < fixture_schema.count; k++) {
            values[0] = (struct clean_value){.field = (uint16_t)k, .value = text};
            struct buf out = pack(1, KIND_PERSON, NULL);
            buf_free(&out);
        }
    }
}

/* As many values as a record may have, all of one field. */
static void test_hundreds_of_giants(void **state)
{
    (void)state;
    for (size_t i = 0; i < PATTERN_COUNT; i++) {
        struct slice text = fill(patterns[i]);
        for (size_t k = 0; k < fixture_schema.count; k++) {
            size_t used;
            for (size_t n = 0; n < VALUES; n++)
                values[n] = (struct clean_value){.field = (uint16_t)k, .value = text};
            struct buf out = pack(VALUES, KIND_PERSON, &used);
            assert_true(used < FEATURES_SCRATCH_BYTES / 2);
            buf_free(&out);
        }
    }
}

/* The start of a giant is what its whole says, and what stands beside it is said as ever. */
static void test_a_giant_is_packed_as_its_start(void **state)
{
    (void)state;
    static const char *const fields[] = {"city", "district", "ward", "policy_no"};
    struct slice text = fill("W\xC3\xB6rter ");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        set(0, "email", SLICE("ann@example.org"));
        set(1, fields[i], text);
        struct buf whole = pack(2, KIND_PERSON, NULL);
        set(1, fields[i], slice_sub(text, 0, LOOKED_AT - LOOKED_AT % 8));
        struct buf start = pack(2, KIND_PERSON, NULL);
        struct features_view view;
        assert_true(slice_eq(buf_slice(&whole), buf_slice(&start)));
        assert_true(features_read(buf_slice(&whole), &view));
        assert_int_equal(view.email_count, 1);
        assert_true(view.city.len + view.district.len + view.custom_count > 0);
        buf_free(&whole);
        buf_free(&start);
    }
}

/* Two accounts of one start are two; the case of letters says nothing, wherever it stands. */
static void test_a_giant_account_is_told_from_another_to_its_end(void **state)
{
    (void)state;
    struct features_view one, other, upper;
    struct slice text = fill("abc");
    set(0, "wechat_id", text);
    struct buf first = pack(1, KIND_PERSON, NULL);
    giant[text.len - 1] = 'd';
    struct buf second = pack(1, KIND_PERSON, NULL);
    giant[text.len - 1] = 'C';
    giant[0] = 'A';
    struct buf third = pack(1, KIND_PERSON, NULL);
    assert_true(features_read(buf_slice(&first), &one));
    assert_true(features_read(buf_slice(&second), &other));
    assert_true(features_read(buf_slice(&third), &upper));
    assert_true(one.wechat_id != 0 && one.wechat_id != other.wechat_id);
    assert_true(one.wechat_id == upper.wechat_id);
    buf_free(&first);
    buf_free(&second);
    buf_free(&third);
}

/* What is stored of usual records stays comparable: short values are hashed in one go, as ever. */
static void test_a_short_account_is_hashed_as_ever(void **state)
{
    (void)state;
    struct features_view view;
    set(0, "wechat_id", SLICE("Ann_Lee88"));
    struct buf out = pack(1, KIND_PERSON, NULL);
    assert_true(features_read(buf_slice(&out), &view));
    assert_true(view.wechat_id == (slice_hash(SLICE("ann_lee88"), 0x6964U) | 1));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_field_may_be_a_giant),
        cmocka_unit_test(test_a_field_alone_may_be_a_giant),
        cmocka_unit_test(test_hundreds_of_giants),
        cmocka_unit_test(test_a_giant_is_packed_as_its_start),
        cmocka_unit_test(test_a_giant_account_is_told_from_another_to_its_end),
        cmocka_unit_test(test_a_short_account_is_hashed_as_ever),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
