/*
 * test_graph_restore.c - an index rebuilt from what is stored is the one that grew: some thousands of records, so that
 * features are packed, chunks of records go round among the building threads, and every heap of keys has something.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/resolve/graph_matcher.intern.h"

#define RECORDS      8000
#define KEYS         6
#define TEXT_BYTES   48
#define RECORD_BYTES (KEYS * 4 + TEXT_BYTES)
#define BATCH        250

/* Features: six numbers, of which the first is the name's, then text. A pair weighs what it shares. */
static void numbers_of(struct slice features, uint32_t numbers[KEYS])
{
    memcpy(numbers, features.ptr, KEYS * sizeof(*numbers));
}

static size_t keys_of(const struct matcher *matcher, struct slice features, struct match_key keys[MATCH_KEYS_MAX])
{
    uint32_t numbers[KEYS];
    (void)matcher;
    numbers_of(features, numbers);
    for (size_t i = 0; i < KEYS; i++) {
        uint64_t hash = (((uint64_t)numbers[i] << 8 | i) * 0x9E3779B97F4A7C15u);
        size_t at = i;
        for (; at > 0 && keys[at - 1].hash > hash; at--)
            keys[at] = keys[at - 1];
        keys[at] = (struct match_key){.hash = hash, .kind = (uint8_t)i};
    }
    return KEYS;
}

static uint64_t name_of(struct slice features)
{
    uint32_t numbers[KEYS];
    numbers_of(features, numbers);
    return numbers[0] + 1u;
}

static uint64_t no_identity(struct slice features)
{
    (void)features;
    return 0;
}

static enum record_kind a_person(struct slice features)
{
    (void)features;
    return KIND_PERSON;
}

static double link_weight(const struct matcher *matcher)
{
    (void)matcher;
    return 6;
}

static double review_weight(const struct matcher *matcher)
{
    (void)matcher;
    return 2;
}

static void score(const struct matcher *matcher, struct slice a, struct slice b, const struct shared_key *shared,
                  size_t shared_count, struct match_result *result)
{
    uint32_t of_a[KEYS], of_b[KEYS];
    (void)matcher;
    (void)shared;
    (void)shared_count;
    numbers_of(a, of_a);
    numbers_of(b, of_b);
    result->weight = 0;
    result->count = 0;
    for (size_t i = 0; i < KEYS; i++)
        result->weight += of_a[i] == of_b[i] ? 2 : -0.25;
}

static const struct graph_matcher_ops ops = {.link_weight = link_weight, .review_weight = review_weight, .keys = keys_of,
                                             .name_key = name_of, .identity = no_identity, .kind = a_person,
                                             .score = score};
static char records[RECORDS + 1][RECORD_BYTES];

static struct natural_key key_of(size_t record)
{
    return (struct natural_key){record * 0x9E3779B97F4A7C15u, (uint32_t)record};
}

static void make_records(void)
{
    for (size_t i = 1; i <= RECORDS; i++) {
        uint32_t numbers[KEYS], who = (uint32_t)(i * 2654435761u >> 9) % (RECORDS / 2);
        for (uint32_t k = 0; k < KEYS; k++)
            numbers[k] = (i + k) % 5 ? who : (uint32_t)i + RECORDS * k;
        memcpy(records[i], numbers, sizeof(numbers));
        snprintf(records[i] + sizeof(numbers), TEXT_BYTES, "a street that many live in %zu", i % 100);
    }
}

static void put(struct graph *graph, size_t record, size_t features)
{
    struct err err = {0};
    assert_int_equal(graph_put(graph, record, key_of(record), slice_of(records[features], RECORD_BYTES), &err), STATUS_OK);
}

static void settle(struct graph *graph, struct arena *arena)
{
    struct err err = {0};
    struct graph_changes changes;
    arena_reset(arena);
    assert_int_equal(graph_settle(graph, arena, &changes, &err), STATUS_OK);
}

static struct graph *grown(struct arena *arena, size_t edges_kept)
{
    struct graph *graph = graph_new_with(&ops, NULL, &(struct graph_limits){.edges_kept = edges_kept});
    assert_non_null(graph);
    for (size_t i = 1; i <= RECORDS; i++) {
        put(graph, i, i);
        if (i % BATCH == 0)
            settle(graph, arena);
    }
    return graph;
}

static struct graph *restored(const struct graph *other)
{
    struct err err = {0};
    struct graph *graph = graph_new_with(&ops, NULL, NULL);
    assert_non_null(graph);
    for (size_t i = 1; i <= RECORDS; i++)
        assert_int_equal(graph_restore(graph, i, key_of(i), slice_of(records[i], RECORD_BYTES), graph_customer(other, i),
                                       &err), STATUS_OK);
    assert_int_equal(graph_settle(graph, NULL, NULL, &err), STATUS_OK);
    return graph;
}

static void assert_same(const struct graph *a, const struct graph *b)
{
    struct graph_stats of_a, of_b;
    uint64_t members_a[RECORDS], members_b[RECORDS];
    graph_stats(a, &of_a);
    graph_stats(b, &of_b);
    assert_int_equal(of_a.customers, of_b.customers);
    assert_int_equal(of_a.keys, of_b.keys);
    assert_int_equal(of_a.postings, of_b.postings);
    for (size_t i = 1; i <= RECORDS; i++) {
        struct match_key keys[MATCH_KEYS_MAX];
        size_t count = graph_members(a, i, members_a, RECORDS);
        assert_int_equal(graph_customer(a, i), graph_customer(b, i));
        assert_int_equal(count, graph_members(b, i, members_b, RECORDS));
        assert_memory_equal(members_a, members_b, count * sizeof(*members_a));
        assert_true(slice_eq(graph_features(a, i), graph_features(b, i)));
        for (size_t k = 0; k < keys_of(NULL, slice_of(records[i], RECORD_BYTES), keys); k++)
            assert_int_equal(graph_degree(a, keys[k].hash), graph_degree(b, keys[k].hash));
    }
}

static void test_a_rebuilt_index_is_the_one_that_grew(void **state)
{
    (void)state;
    struct arena *arena = arena_new((size_t)256 << 20);
    make_records();
    struct graph *graph = grown(arena, 0), *again = restored(graph);
    assert_same(graph, again);
    for (size_t i = 1; i < RECORDS; i += 7) { /* and goes on the same way */
        put(graph, i, i % 3 ? i + 1 : RECORDS - i);
        put(again, i, i % 3 ? i + 1 : RECORDS - i);
    }
    graph_remove(graph, 3);
    graph_remove(again, 3);
    settle(graph, arena);
    settle(again, arena);
    assert_same(graph, again);
    graph_free(&graph);
    graph_free(&again);
    arena_free(&arena);
}

static void test_what_was_forgotten_changes_nothing(void **state)
{
    (void)state;
    struct arena *arena = arena_new((size_t)256 << 20);
    struct graph_stats all, some;
    make_records();
    struct graph *graph = grown(arena, RECORDS * KEYS), *forgetful = grown(arena, 100);
    graph_stats(graph, &all);
    graph_stats(forgetful, &some);
    assert_int_equal(all.edges_forgotten, 0);
    assert_true(some.edges_forgotten > 0 && some.edges < all.edges);
    assert_same(graph, forgetful);
    for (size_t i = 1; i < RECORDS; i += 7) {
        put(graph, i, i + 1);
        put(forgetful, i, i + 1);
    }
    settle(graph, arena);
    settle(forgetful, arena);
    assert_same(graph, forgetful);
    graph_free(&graph);
    graph_free(&forgetful);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_rebuilt_index_is_the_one_that_grew),
        cmocka_unit_test(test_what_was_forgotten_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
