/* test_known.c - what has been accepted and what stands, key by key; and the roster under it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/accept/known.h"

static struct natural_key key_of(uint32_t number)
{
    return (struct natural_key){number * 0x9E3779B97F4A7C15u, number};
}

static struct known_version version_of(int64_t effective_us, uint64_t hash)
{
    return (struct known_version){effective_us, hash};
}

static void resolve(struct known *known, uint64_t record_id, uint32_t number, struct known_version version)
{
    struct roster_entry *entry = known_add(known, record_id, key_of(number));
    assert_non_null(entry);
    entry->effective_us = version.effective_us;
    entry->hash = version.hash;
    known_resolved(known, key_of(number));
}

static void assert_version(struct known_version got, struct known_version want)
{
    assert_int_equal(got.effective_us, want.effective_us);
    assert_int_equal(got.hash, want.hash);
}

static void test_a_key_never_seen_has_nothing(void **state)
{
    (void)state;
    struct known *known = known_new(10);
    struct known_state nothing = known_get(known, key_of(1));
    assert_int_equal(nothing.record_id, 0);
    assert_int_equal(nothing.provisional_batch, 0);
    assert_version(nothing.accepted, version_of(0, 0));
    assert_version(nothing.resolved, version_of(0, 0));
    assert_int_equal(known_count(known), 0);
    known_free(&known);
}

static void test_what_was_accepted_is_known_before_it_stands_and_after(void **state)
{
    (void)state;
    struct known *known = known_new(10);
    assert_true(known_accept(known, key_of(1), version_of(5, 50), 7));
    struct known_state provisional = known_get(known, key_of(1));
    assert_version(provisional.accepted, version_of(5, 50));
    assert_int_equal(provisional.provisional_batch, 7);
    assert_int_equal(known_count(known), 1);

    assert_true(known_accept(known, key_of(1), version_of(5, 50), 0)); /* durable */
    resolve(known, 1, 1, version_of(5, 50));
    struct known_state standing = known_get(known, key_of(1));
    assert_version(standing.accepted, version_of(5, 50));
    assert_version(standing.resolved, version_of(5, 50));
    assert_int_equal(standing.record_id, 1);
    assert_int_equal(known_count(known), 1);
    known_free(&known);
}

static void test_what_was_not_durable_after_all_is_taken_back(void **state)
{
    (void)state;
    struct known *known = known_new(10);
    resolve(known, 1, 1, version_of(5, 50));
    assert_true(known_accept(known, key_of(1), version_of(6, 60), 7));
    assert_version(known_get(known, key_of(1)).accepted, version_of(6, 60));
    assert_true(known_accept(known, key_of(1), version_of(5, 50), 0));
    struct known_state state_now = known_get(known, key_of(1));
    assert_version(state_now.accepted, version_of(5, 50));
    assert_int_equal(state_now.provisional_batch, 0);

    assert_true(known_accept(known, key_of(2), version_of(6, 60), 7)); /* a new key */
    assert_true(known_accept(known, key_of(2), version_of(0, 0), 0));
    assert_version(known_get(known, key_of(2)).accepted, version_of(0, 0));
    assert_int_equal(known_count(known), 1);
    known_free(&known);
}

static void test_what_stands_is_accepted_whatever_was_taken_back(void **state)
{
    (void)state;
    struct known *known = known_new(10);
    assert_true(known_accept(known, key_of(1), version_of(6, 60), 7));
    resolve(known, 1, 1, version_of(6, 60)); /* another transaction brought it */
    assert_true(known_accept(known, key_of(1), version_of(2, 20), 0));
    assert_version(known_get(known, key_of(1)).accepted, version_of(6, 60));
    known_free(&known);
}

static void test_new_keys_are_refused_at_the_limit_and_old_ones_are_not(void **state)
{
    (void)state;
    struct known *known = known_new(3);
    resolve(known, 1, 1, version_of(1, 10));
    resolve(known, 2, 2, version_of(1, 10));
    assert_true(known_accept(known, key_of(3), version_of(1, 10), 7));
    assert_false(known_accept(known, key_of(4), version_of(1, 10), 7));
    assert_null(known_add(known, 4, key_of(4)));
    assert_true(known_accept(known, key_of(1), version_of(2, 20), 7));
    resolve(known, 3, 3, version_of(1, 10)); /* it was counted */
    assert_int_equal(known_count(known), 3);
    known_free(&known);
}

static void test_after_forgetting_what_was_accepted_is_still_known(void **state)
{
    (void)state;
    struct known *known = known_new(10);
    resolve(known, 1, 1, version_of(5, 50));
    resolve(known, 2, 2, version_of(6, 60)); /* its transaction will not have been committed */
    assert_true(known_accept(known, key_of(3), version_of(7, 70), 9));
    for (int again = 0; again < 2; again++) { /* the first time it was not read to the end */
        known_forget_resolved(known);
        struct known_state forgotten = known_get(known, key_of(2));
        assert_int_equal(forgotten.record_id, 0);
        assert_version(forgotten.resolved, version_of(0, 0));
        assert_version(forgotten.accepted, version_of(6, 60));
        resolve(known, 1, 1, version_of(5, 50));
    }
    known_restored(known);
    assert_version(known_get(known, key_of(1)).accepted, version_of(5, 50));
    assert_int_equal(known_get(known, key_of(1)).record_id, 1);
    assert_version(known_get(known, key_of(2)).accepted, version_of(6, 60));
    assert_int_equal(known_get(known, key_of(3)).provisional_batch, 9);
    resolve(known, 2, 3, version_of(7, 70)); /* the record id that was given out in vain */
    resolve(known, 3, 2, version_of(6, 60));
    assert_int_equal(known_get(known, key_of(2)).record_id, 3);
    assert_int_equal(known_count(known), 3);
    known_free(&known);
}

static void test_versions_are_ordered_by_time_and_then_by_content(void **state)
{
    (void)state;
    struct known_version none = {0, 0}, old = {1, 9}, newer = {2, 3}, newest = {2, 4};
    assert_true(known_version_cmp(&none, &old) < 0);
    assert_true(known_version_cmp(&old, &newer) < 0);
    assert_true(known_version_cmp(&newer, &newest) < 0);
    assert_true(known_version_cmp(&newest, &newest) == 0);
    assert_true(known_version_cmp(&old, &none) > 0);
}

static void test_many_keys_are_found_by_id_and_by_key(void **state)
{
    (void)state;
    struct roster roster;
    roster_init(&roster);
    roster_expect(&roster, 1000);
    for (uint32_t i = 1; i <= 20000; i++)
        assert_non_null(roster_add(&roster, (uint64_t)i * 7, key_of(i)));
    for (uint32_t i = 1; i <= 20000; i++) {
        assert_int_equal(roster_find(&roster, key_of(i)), (uint64_t)i * 7);
        assert_true(natural_key_eq(roster_key(roster_at(&roster, (uint64_t)i * 7)), key_of(i)));
    }
    assert_null(roster_at(&roster, 8));
    assert_int_equal(roster_find(&roster, key_of(20001)), 0);
    assert_int_equal(roster_count(&roster), 20000);
    assert_true(roster_end(&roster) > 140000);
    roster_free(&roster);
    assert_int_equal(roster_count(&roster), 0);
}

static void test_an_id_and_a_key_belong_together_for_good(void **state)
{
    (void)state;
    struct roster roster;
    roster_init(&roster);
    struct roster_entry *entry = roster_add(&roster, 5, key_of(5));
    assert_non_null(entry);
    entry->flags = ROSTER_DELETED;
    assert_ptr_equal(roster_add(&roster, 5, key_of(5)), entry);
    assert_int_equal(entry->flags, ROSTER_DELETED);
    assert_null(roster_add(&roster, 5, key_of(6)));
    assert_null(roster_add(&roster, 6, key_of(5)));
    assert_null(roster_add(&roster, 0, key_of(7)));
    assert_null(roster_add(&roster, (uint64_t)ROSTER_IDS_MAX + 1, key_of(7)));
    roster_free(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_never_seen_has_nothing),
        cmocka_unit_test(test_what_was_accepted_is_known_before_it_stands_and_after),
        cmocka_unit_test(test_what_was_not_durable_after_all_is_taken_back),
        cmocka_unit_test(test_what_stands_is_accepted_whatever_was_taken_back),
        cmocka_unit_test(test_new_keys_are_refused_at_the_limit_and_old_ones_are_not),
        cmocka_unit_test(test_after_forgetting_what_was_accepted_is_still_known),
        cmocka_unit_test(test_versions_are_ordered_by_time_and_then_by_content),
        cmocka_unit_test(test_many_keys_are_found_by_id_and_by_key),
        cmocka_unit_test(test_an_id_and_a_key_belong_together_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
