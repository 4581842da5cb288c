/* employment.h against a table: who names whom, since when, through a random history. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
/* after the C headers it needs */
#include <cmocka.h>

#include "daemon/resolve/employment.h"

#define PEOPLE    200
#define EMPLOYERS 12
#define STEPS     20000

struct table {
    uint64_t employer[PEOPLE + 1];
    int64_t effective_us[PEOPLE + 1];
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool since_in(const struct table *table, uint64_t employer, int64_t *since_us)
{
    bool found = false;
    for (size_t i = 1; i <= PEOPLE; i++) {
        if (table->employer[i] != employer)
            continue;
        if (!found || table->effective_us[i] < *since_us)
            *since_us = table->effective_us[i];
        found = true;
    }
    return found;
}

static void check(const struct employment *employment, const struct table *table)
{
    for (uint64_t i = 1; i <= PEOPLE; i++) {
        assert_int_equal(employment_of(employment, i), table->employer[i]);
        assert_int_equal(employment_time(employment, i),
                         table->employer[i] ? table->effective_us[i] : INT64_MAX);
    }
    for (uint64_t i = 1000; i < 1000 + EMPLOYERS; i++) {
        int64_t wanted = 0, found = 0;
        bool any = since_in(table, i, &wanted);
        assert_int_equal(employment_since(employment, i, INT64_MIN, &found), any);
        if (any)
            assert_int_equal(found, wanted);
        if (any && employment_since(employment, i, wanted, &found))
            assert_int_equal(found, wanted);
    }
}

static void test_a_random_history_is_as_a_table_has_it(void **state)
{
    (void)state;
    struct employment employment = {0};
    struct table table = {{0}, {0}};
    uint64_t seed = 20261122;
    for (size_t step = 0; step < STEPS; step++) {
        uint64_t person = 1 + next_random(&seed) % PEOPLE, choice = next_random(&seed) % (EMPLOYERS + 2);
        uint64_t employer = choice < EMPLOYERS ? 1000 + choice : 0;
        table.employer[person] = employer;
        table.effective_us[person] = (int64_t)(next_random(&seed) % 50);
        assert_true(employment_set(&employment, person, employer, table.effective_us[person]));
        if (step % 97 == 0)
            check(&employment, &table);
    }
    check(&employment, &table);
    assert_true(employment.nodes.count <= PEOPLE + 1); /* places are used again */
    for (uint64_t i = 1; i <= PEOPLE; i++) {
        assert_true(employment_set(&employment, i, 0, 0));
        table.employer[i] = 0;
    }
    check(&employment, &table);
    assert_int_equal(employment.by_person.count, 0);
    assert_int_equal(employment.by_employer.count, 0);
    employment_free(&employment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_random_history_is_as_a_table_has_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
