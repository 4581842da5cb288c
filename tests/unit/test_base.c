/* test_base.c - slices, buffers, arenas, queues. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/queue.h"
#include "daemon/base/utf8.h"

static void test_slice_integers_refuse_what_does_not_fit(void **state)
{
    (void)state;
    int64_t value = 0;
    assert_true(slice_to_int64(SLICE("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(slice_to_int64(SLICE("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_false(slice_to_int64(SLICE("9223372036854775808"), &value));
    assert_false(slice_to_int64(SLICE(""), &value));
    assert_false(slice_to_int64(SLICE("-"), &value));
    assert_false(slice_to_int64(SLICE("1 "), &value));
}

static void test_arena_keeps_its_maximum_and_its_failure(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    assert_non_null(arena_alloc(arena, 4000));
    assert_false(arena_failed(arena));
    assert_null(arena_alloc(arena, 70000));
    assert_true(arena_failed(arena));
    assert_null(arena_alloc(arena, 1));
    arena_reset(arena);
    assert_non_null(arena_alloc(arena, 1));
    assert_null(arena_array(arena, SIZE_MAX / 2, 4));
    arena_free(&arena);
    assert_null(arena);
}

static void test_json_strings_escape_and_replace_bad_bytes(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT(1000);
    buf_put_json(&buf, slice_of("a\"\\\n\x01\xE5\xBC\xA0\xFF", 9));
    assert_true(slice_is(buf_slice(&buf), "\"a\\\"\\\\\\n\\u0001\xE5\xBC\xA0\xEF\xBF\xBD\""));
    buf_free(&buf);
}

static void test_utf8_refuses_surrogates_and_overlong(void **state)
{
    (void)state;
    assert_false(utf8_valid(SLICE("\xED\xA0\x80")));
    assert_false(utf8_valid(SLICE("\xC0\x80")));
    assert_false(utf8_valid(SLICE("\xF4\x90\x80\x80")));
    assert_true(utf8_valid(SLICE("\xF0\xA0\xAE\xB7")));
    assert_int_equal(utf8_length(SLICE("a\xE5\xBC\xA0")), 2);
}

static void test_queue_is_bounded_and_drains_after_close(void **state)
{
    (void)state;
    struct queue *queue = queue_new(1);
    int first = 1, second = 2;
    assert_int_equal(queue_put(queue, &first, 0), STATUS_OK);
    assert_int_equal(queue_put(queue, &second, 1), STATUS_TIMEOUT);
    queue_close(queue);
    assert_int_equal(queue_put(queue, &second, 0), STATUS_STOPPED);
    void *item = NULL;
    assert_int_equal(queue_take(queue, 0, &item), STATUS_OK);
    assert_ptr_equal(item, &first);
    assert_int_equal(queue_take(queue, -1, &item), STATUS_EMPTY);
    queue_free(&queue);
}

static void test_the_reason_stands_before_the_hint(void **state)
{
    (void)state;
    struct err err = {0};
    (void)!err_set_errno(&err, ENOENT, "test.id", "cannot read %s; hint: look", "x");
    assert_string_equal(err.text, "cannot read x: No such file or directory; hint: look");
    (void)!err_set_errno(&err, ENOENT, "test.id", "cannot read %s", "x");
    assert_string_equal(err.text, "cannot read x: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_reason_stands_before_the_hint),
        cmocka_unit_test(test_slice_integers_refuse_what_does_not_fit),
        cmocka_unit_test(test_arena_keeps_its_maximum_and_its_failure),
        cmocka_unit_test(test_json_strings_escape_and_replace_bad_bytes),
        cmocka_unit_test(test_utf8_refuses_surrogates_and_overlong),
        cmocka_unit_test(test_queue_is_bounded_and_drains_after_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
