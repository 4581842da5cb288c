/* test_parked.c - the events that failed, and those behind them: order per customer, what is due, what is to be saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/events/parked.h"

static struct parked_row row_of(uint64_t customer_id, uint64_t seq, int64_t due_us)
{
    return (struct parked_row){.customer_id = customer_id, .seq = seq, .due_us = due_us};
}

static void add(struct parked *parked, uint64_t customer_id, uint64_t seq, int64_t due_us)
{
    struct parked_row row = row_of(customer_id, seq, due_us);
    assert_true(parked_add(parked, &row, "why"));
}

static void test_only_the_first_of_a_customer_is_due(void **state)
{
    (void)state;
    struct parked parked = {0};
    struct parked_row due[4];
    add(&parked, 7, 30, INT64_MAX);
    add(&parked, 7, 20, INT64_MAX);
    add(&parked, 7, 10, 100);
    add(&parked, 8, 15, 50);
    assert_true(parked_holds(&parked, 7) && parked_holds(&parked, 8));
    assert_false(parked_holds(&parked, 9) || parked_holds(&parked, 0));
    assert_int_equal(parked_next_due_us(&parked), 50);
    assert_int_equal(parked_take_due(&parked, 100, due, 4), 2);
    assert_int_equal(due[0].seq, 10);
    assert_int_equal(due[1].seq, 15);
    assert_int_equal(parked_next_due_us(&parked), INT64_MAX); /* both are taken */
    assert_true(parked_remove(&parked, 7, 10, false, &due[0], "", 200));
    assert_int_equal(parked_next_due_us(&parked), 200);
    assert_int_equal(parked_take_due(&parked, 200, due, 4), 1);
    assert_int_equal(due[0].seq, 20);
    parked_free(&parked);
}

static void test_events_about_no_customer_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct parked parked = {0};
    struct parked_row due[4];
    add(&parked, 0, 1, 10);
    add(&parked, 0, 2, 10);
    add(&parked, 0, 3, 99);
    assert_int_equal(parked_take_due(&parked, 10, due, 4), 2);
    parked_free(&parked);
}

static void test_the_oldest_are_taken_first(void **state)
{
    (void)state;
    struct parked parked = {0};
    struct parked_row due[3];
    for (uint64_t i = 0; i < 100; i++)
        add(&parked, 1000 - i, 1 + (i * 37) % 100, 5);
    for (uint64_t seq = 1; seq <= 99; seq += 3) {
        assert_int_equal(parked_take_due(&parked, 5, due, 3), 3);
        for (uint64_t k = 0; k < 3; k++)
            assert_int_equal(due[k].seq, seq + k);
    }
    assert_int_equal(parked_take_due(&parked, 5, due, 3), 1);
    parked_free(&parked);
}

static void test_a_row_stands_once_among_the_changes(void **state)
{
    (void)state;
    struct parked parked = {0};
    add(&parked, 7, 10, 100);
    struct parked_row row = row_of(7, 10, 300);
    row.attempts = 2;
    assert_true(parked_changed(&parked, &row, "again"));
    assert_int_equal(parked.change_count, 1);
    assert_int_equal(parked.changes[0].row.attempts, 2);
    assert_string_equal(parked.changes[0].error, "again");
    assert_true(parked_remove(&parked, 7, 10, true, &row, "last", 0));
    assert_int_equal(parked.change_count, 1);
    assert_true(parked.changes[0].dead && !parked.changes[0].gone);
    parked_saved(&parked);
    assert_int_equal(parked.change_count, 0);
    assert_int_equal(parked.count, 0);
    parked_free(&parked);
}

static void test_it_is_bounded(void **state)
{
    (void)state;
    struct parked parked = {0};
    for (uint64_t i = 0; i < PARKED_MAX; i++) {
        struct parked_row row = row_of(i % 97, i + 1, 5);
        assert_true(parked_put(&parked, &row));
    }
    struct parked_row one_more = row_of(3, PARKED_MAX + 1, 5);
    assert_false(parked_put(&parked, &one_more));
    assert_false(parked_add(&parked, &one_more, ""));
    assert_int_equal(parked.change_count, 0);
    assert_int_equal(parked.count, PARKED_MAX);
    parked_free(&parked);
}

static void test_recovery_makes_all_due_soon(void **state)
{
    (void)state;
    struct parked parked = {0};
    add(&parked, 7, 10, INT64_MAX / 2);
    add(&parked, 7, 11, INT64_MAX);
    add(&parked, 8, 12, 40);
    parked_all_due(&parked, 1000, 500);
    struct parked_row due[4];
    assert_int_equal(parked_take_due(&parked, 1500, due, 4), 2);
    assert_int_equal(parked_find(&parked, 7, 11)->due_us, INT64_MAX);
    parked_free(&parked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_first_of_a_customer_is_due),
        cmocka_unit_test(test_events_about_no_customer_do_not_wait_for_each_other),
        cmocka_unit_test(test_the_oldest_are_taken_first),
        cmocka_unit_test(test_a_row_stands_once_among_the_changes),
        cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_recovery_makes_all_due_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
