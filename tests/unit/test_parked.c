/* test_parked.c - the events that failed, and those behind them: order per customer, what is due, what is to be saved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "daemon/events/parked.h"

static struct parked_row row_of(uint64_t customer_id, uint64_t seq, int64_t due_us)
{
    return (struct parked_row){.named = {.subject = customer_id}, .seq = seq, .due_us = due_us};
}

static void add(struct parked *parked, uint64_t customer_id, uint64_t seq, int64_t due_us)
{
    struct parked_row row = row_of(customer_id, seq, due_us);
    assert_true(parked_add(parked, &row, "why"));
}

static bool holds(const struct parked *parked, uint64_t customer_id)
{
    return parked_holds(parked, &(struct named){.subject = customer_id});
}

/* An event about `subject` that names others too. */
static void add_naming(struct parked *parked, uint64_t subject, const char *others, uint64_t seq)
{
    struct parked_row row = row_of(subject, seq, 0);
    assert_true(named_parse(&row.named, subject, slice_str(others)));
    assert_true(parked_add(parked, &row, ""));
    named_free(&row.named);
}

/* The seqs of the heads, "1 5 9", taken. */
static const char *heads(struct parked *parked)
{
    static char text[200];
    struct parked_row due[20];
    size_t count = parked_take_due(parked, 1000, due, 20), used = 0;
    text[0] = 0;
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", i ? " " : "", (int)due[i].seq);
    return text;
}

static void delivered(struct parked *parked, uint64_t seq)
{
    struct parked_row row = *parked_find(parked, seq);
    assert_true(parked_remove(parked, seq, false, &row, "", 0));
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
    assert_true(holds(&parked, 7) && holds(&parked, 8));
    assert_false(holds(&parked, 9) || holds(&parked, 0));
    assert_int_equal(parked_next_due_us(&parked), 50);
    assert_int_equal(parked_take_due(&parked, 100, due, 4), 2);
    assert_int_equal(due[0].seq, 10);
    assert_int_equal(due[1].seq, 15);
    assert_int_equal(parked_next_due_us(&parked), INT64_MAX); /* both are taken */
    assert_true(parked_remove(&parked, 10, false, &due[0], "", 200));
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
    assert_true(parked_failed(&parked, &row, "again"));
    assert_int_equal(parked_find(&parked, 10)->attempts, 2);
    assert_int_equal(parked.change_count, 1);
    assert_int_equal(parked.changes[0].row.attempts, 2);
    assert_string_equal(parked.changes[0].error, "again");
    assert_true(parked_remove(&parked, 10, true, &row, "last", 0));
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
    assert_int_equal(parked_find(&parked, 11)->due_us, INT64_MAX);
    parked_free(&parked);
}

static void test_an_event_waits_for_every_customer_it_names(void **state)
{
    (void)state;
    struct parked parked = {0};
    add(&parked, 2, 10, 0);
    add(&parked, 1, 11, 0);
    add_naming(&parked, 1, "2", 12); /* 2 was merged into 1 */
    add_naming(&parked, 4, "5,6", 13); /* 4 was split */
    add(&parked, 6, 14, 0);
    add(&parked, 3, 15, 0);
    assert_true(holds(&parked, 5));
    assert_string_equal(heads(&parked), "10 11 13 15");
    delivered(&parked, 11);
    assert_string_equal(heads(&parked), "");
    delivered(&parked, 10);
    assert_string_equal(heads(&parked), "12");
    delivered(&parked, 13);
    assert_string_equal(heads(&parked), "14");
    assert_false(holds(&parked, 5));
    delivered(&parked, 12);
    assert_false(holds(&parked, 1) || holds(&parked, 2));
    parked_free(&parked);
}

static void test_an_earlier_event_put_later_goes_first(void **state)
{
    (void)state;
    struct parked parked = {0};
    add_naming(&parked, 1, "2,3", 20);
    add(&parked, 2, 10, 0);
    add(&parked, 3, 15, 0);
    assert_string_equal(heads(&parked), "10 15");
    delivered(&parked, 15);
    assert_string_equal(heads(&parked), "");
    delivered(&parked, 10);
    assert_string_equal(heads(&parked), "20");
    parked_free(&parked);
}

/* Against the plain definition: a row is a head when no earlier row shares a customer with it. */
static void test_heads_are_as_defined(void **state)
{
    (void)state;
    uint64_t chance = 12345, naming[60][3];
    struct parked parked = {0};
    bool stands[60] = {false};
    for (int step = 0; step < 4000; step++) {
        chance = chance * 6364136223846793005u + 1442695040888963407u;
        uint64_t seq = (chance >> 33) % 60;
        if (stands[seq]) {
            delivered(&parked, seq);
        } else {
            char others[40];
            for (int k = 0; k < 3; k++)
                naming[seq][k] = (chance >> (40 + 4 * k)) % 12; /* 0: names nobody */
            snprintf(others, sizeof(others), "%d,%d,x,%d", (int)naming[seq][1], (int)naming[seq][2], (int)naming[seq][1]);
            add_naming(&parked, naming[seq][0], others, seq);
        }
        stands[seq] = !stands[seq];
        for (uint64_t a = 0; a < 60; a++) {
            bool is_head = true;
            for (uint64_t b = 0; b < a; b++)
                for (int i = 0; i < 9; i++)
                    is_head = is_head && !(stands[b] && naming[a][i / 3] && naming[a][i / 3] == naming[b][i % 3]);
            if (stands[a])
                assert_int_equal(parked_find(&parked, a)->waits == 0, is_head);
        }
    }
    parked_free(&parked);
}

static void test_named_is_tidy(void **state)
{
    (void)state;
    struct named a, b;
    assert_true(named_parse(&a, 7, SLICE("9,7,0,8,9,99999999999999999999999,-1,")));
    assert_int_equal(named_count(&a), 3);
    assert_true(named_at(&a, 0) == 7 && named_at(&a, 1) == 8 && named_at(&a, 2) == 9);
    assert_true(named_parse(&b, 0, SLICE("5,9")));
    assert_int_equal(named_count(&b), 2);
    assert_true(named_meet(&a, &b) && named_meet(&b, &a));
    assert_false(named_meet(&a, &(struct named){.subject = 5}) || named_meet(&(struct named){0}, &(struct named){0}));
    named_free(&a);
    named_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_the_first_of_a_customer_is_due),
        cmocka_unit_test(test_events_about_no_customer_do_not_wait_for_each_other),
        cmocka_unit_test(test_the_oldest_are_taken_first),
        cmocka_unit_test(test_a_row_stands_once_among_the_changes),
        cmocka_unit_test(test_an_event_waits_for_every_customer_it_names),
        cmocka_unit_test(test_an_earlier_event_put_later_goes_first),
        cmocka_unit_test(test_heads_are_as_defined),
        cmocka_unit_test(test_named_is_tidy),
        cmocka_unit_test(test_it_is_bounded),
        cmocka_unit_test(test_recovery_makes_all_due_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
