/* Tests of the bounded cache of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/resolve/cache.h"

#define BOUND 4096

static struct slice thousand_bytes(void)
{
    static char bytes[1000];
    return slice_of(bytes, sizeof(bytes));
}

static bool is_there(struct cache *cache, uint64_t id)
{
    bool found;
    (void)cache_get(cache, id, &found);
    return found;
}

static void test_what_is_not_committed_stays_whatever_the_bound(void **state)
{
    (void)state;
    struct cache *cache = cache_new(BOUND);
    for (uint64_t id = 1; id <= 100; id++)
        assert_true(cache_put(cache, id, thousand_bytes(), 7));
    for (uint64_t id = 1; id <= 100; id++)
        assert_true(is_there(cache, id));
    cache_committed(cache, 7);
    assert_true(cache_put(cache, 101, thousand_bytes(), 8));
    size_t there = 0;
    for (uint64_t id = 1; id <= 100; id++)
        there += is_there(cache, id);
    assert_in_range(there, 0, 4);
    assert_true(is_there(cache, 101));
    cache_free(&cache);
}

/* What a turn found there must still be there when it comes to use it, however much it reads in between. */
static void test_a_pinned_entry_outlives_what_is_put_after_it(void **state)
{
    (void)state;
    struct cache *cache = cache_new(BOUND);
    assert_false(cache_pin(cache, 1, 9));
    assert_true(cache_put(cache, 1, thousand_bytes(), 0));
    assert_true(cache_pin(cache, 1, 9));
    for (uint64_t id = 2; id <= 500; id++)
        assert_true(cache_put(cache, id, thousand_bytes(), id % 2 ? 9 : 0));
    assert_true(is_there(cache, 1));
    assert_true(is_there(cache, 3));
    cache_committed(cache, 9);
    for (uint64_t id = 1000; id < 1010; id++)
        assert_true(cache_put(cache, id, thousand_bytes(), 0));
    assert_false(is_there(cache, 1));
    cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_committed_stays_whatever_the_bound),
        cmocka_unit_test(test_a_pinned_entry_outlives_what_is_put_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
