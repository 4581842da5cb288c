/* test_graph.c - the graph's stated behaviour, case by case. Histories: test_graph_order.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/fake_matcher.h"

/* A graph with its arena and the changes of its last settle. Record n has the natural key {n, n}.
 */
struct fixture {
    struct graph *graph;
    struct arena *arena;
    struct graph_changes changes;
};

static struct natural_key key_of(uint64_t id)
{
    return (struct natural_key){id, (uint32_t)id};
}

static struct fixture fixture_new(struct graph_limits limits)
{
    struct fixture f = {.graph = graph_new_with(&fake_matcher, NULL, &limits),
                        .arena = arena_new(64 << 20)};
    assert_non_null(f.graph);
    assert_non_null(f.arena);
    return f;
}

static void fixture_free(struct fixture *f)
{
    graph_free(&f->graph);
    arena_free(&f->arena);
    assert_null(f->graph);
}

static void put(struct fixture *f, uint64_t id, const char *features)
{
    struct err err = {0};
    if (graph_put(f->graph, id, key_of(id), slice_str(features), &err) != STATUS_OK)
        fail_msg("%s", err.text);
}

static void settle(struct fixture *f)
{
    struct err err = {0};
    arena_reset(f->arena);
    if (graph_settle(f->graph, f->arena, &f->changes, &err) != STATUS_OK)
        fail_msg("%s", err.text);
}

static void decide(struct fixture *f, uint64_t order, enum decision_kind kind, uint64_t a,
                   uint64_t b)
{
    struct err err = {0};
    if (graph_decide(f->graph, order, kind, key_of(a), key_of(b), &err) != STATUS_OK)
        fail_msg("%s", err.text);
}

static void assert_together(const struct fixture *f, uint64_t a, uint64_t b)
{
    assert_int_not_equal(graph_customer(f->graph, a), 0);
    assert_int_equal(graph_customer(f->graph, a), graph_customer(f->graph, b));
}

static void assert_apart(const struct fixture *f, uint64_t a, uint64_t b)
{
    assert_int_not_equal(graph_customer(f->graph, a), 0);
    assert_int_not_equal(graph_customer(f->graph, a), graph_customer(f->graph, b));
}

static const struct graph_review *review_of(const struct fixture *f, uint64_t a, uint64_t b)
{
    for (size_t i = 0; i < f->changes.new_review_count; i++)
        if (f->changes.new_reviews[i].a == a && f->changes.new_reviews[i].b == b)
            return &f->changes.new_reviews[i];
    return NULL;
}

static struct graph_stats stats_of(const struct fixture *f)
{
    struct graph_stats stats;
    graph_stats(f->graph, &stats);
    return stats;
}

static void test_natural_keys_tell_parts_from_each_other(void **state)
{
    (void)state;
    struct natural_key key = natural_key_of(SLICE("shop"), SLICE("42"), SLICE("main"));
    assert_true(natural_key_eq(key, natural_key_of(SLICE("shop"), SLICE("42"), SLICE("main"))));
    assert_false(natural_key_eq(key, natural_key_of(SLICE("shop4"), SLICE("2"), SLICE("main"))));
    assert_false(natural_key_eq(key, natural_key_of(SLICE("shop"), SLICE("42m"), SLICE("ain"))));
    assert_false(natural_key_eq(key, natural_key_of(SLICE("42"), SLICE("shop"), SLICE("main"))));
    assert_false(natural_key_eq(natural_key_of(SLICE(""), SLICE("a"), SLICE("")),
                                natural_key_of(SLICE("a"), SLICE(""), SLICE(""))));
    /* Kept: ties between equal weights must break the same way on every machine and version. */
    assert_true(key.high == UINT64_C(0x07DE698E5601B86B) &&
                key.low == UINT32_C(0x3FC1A5FE));
}

static void test_a_shared_phone_merges_and_a_removed_bridge_splits(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    put(&f, 10, "n=1;p=1;");
    put(&f, 20, "n=1;e=1;");
    settle(&f);
    assert_apart(&f, 10, 20);
    assert_int_equal(f.changes.move_count, 2);
    put(&f, 5, "n=1;p=1;e=1;");
    settle(&f);
    assert_int_equal(graph_customer(f.graph, 10), 5);
    assert_int_equal(graph_customer(f.graph, 20), 5);
    assert_int_equal(f.changes.new_link_count, 2);
    assert_int_equal(f.changes.new_links[0].reason, LINK_SCORE);
    assert_true(f.changes.new_links[0].result.count > 0);
    assert_int_equal(f.changes.move_count, 3);
    assert_int_equal(f.changes.moves[1].from, 10);
    assert_int_equal(f.changes.moves[1].to, 5);
    uint64_t members[4];
    assert_int_equal(graph_members(f.graph, 5, members, 4), 3);
    assert_int_equal(members[2], 20);
    assert_int_equal(graph_members(f.graph, 5, members, 2), 2);
    assert_int_equal(graph_member_count(f.graph, 10), 0); /* not a customer any more */
    graph_remove(f.graph, 5);
    settle(&f);
    assert_int_equal(graph_customer(f.graph, 10), 10);
    assert_int_equal(graph_customer(f.graph, 20), 20);
    assert_int_equal(f.changes.gone_link_count, 2);
    assert_int_equal(f.changes.moves[0].record_id, 5);
    assert_int_equal(f.changes.moves[0].to, 0);
    assert_int_equal(graph_customer(f.graph, 5), 0);
    assert_int_equal(stats_of(&f).customers, 2);
    fixture_free(&f);
}

static void test_a_settle_reports_only_what_changed(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    put(&f, 1, "n=1;p=1;");
    put(&f, 2, "n=1;p=1;");
    settle(&f);
    uint64_t judged = stats_of(&f).pairs_judged;
    assert_int_equal(judged, 1); /* once, though both were new */
    put(&f, 1, "n=1;p=1;");      /* the same again */
    settle(&f);
    assert_int_equal(f.changes.move_count + f.changes.new_link_count + f.changes.gone_link_count,
                     0);
    assert_int_equal(stats_of(&f).pairs_judged, judged);
    graph_remove(f.graph, 1); /* goes and comes back before anybody looks */
    put(&f, 1, "n=1;p=1;");
    settle(&f);
    assert_int_equal(f.changes.move_count + f.changes.new_link_count + f.changes.gone_link_count,
                     0);
    put(&f, 1, "n=1;p=1;e=9;"); /* other features, same evidence */
    settle(&f);
    assert_int_equal(f.changes.move_count + f.changes.new_link_count + f.changes.gone_link_count,
                     0);
    put(&f, 2, "n=1;p=1;e=9;"); /* more evidence */
    settle(&f);
    assert_int_equal(f.changes.move_count, 0);
    assert_int_equal(f.changes.new_link_count, 1);
    assert_int_equal(f.changes.new_links[0].result.count, 3);
    fixture_free(&f);
}

static void test_a_settle_without_report_keeps_the_state_all_the_same(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    struct err err = {0};
    put(&f, 1, "n=1;p=1;");
    put(&f, 2, "n=1;p=1;");
    assert_int_equal(graph_settle(f.graph, NULL, NULL, &err), STATUS_OK);
    assert_together(&f, 1, 2);
    put(&f, 3, "n=1;p=1;");
    settle(&f);
    assert_int_equal(f.changes.move_count, 1);
    assert_int_equal(f.changes.new_link_count, 1);
    fixture_free(&f);
}

static void test_the_newest_decision_on_a_pair_stands(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    put(&f, 1, "n=1;p=1;");
    put(&f, 2, "n=1;p=1;");
    decide(&f, 7, DECISION_NEVER, 1, 2);
    decide(&f, 3, DECISION_ALWAYS, 2, 1);
    settle(&f);
    assert_apart(&f, 1, 2);
    assert_int_equal(f.changes.new_review_count, 0); /* decided: nobody is asked again */
    decide(&f, 9, DECISION_ALWAYS, 1, 2);
    settle(&f);
    assert_together(&f, 1, 2);
    assert_int_equal(f.changes.new_links[0].reason, LINK_DECISION);
    assert_int_equal(f.changes.new_links[0].decision, 9);
    graph_undecide(f.graph, 9);
    settle(&f);
    assert_apart(&f, 1, 2);
    graph_undecide(f.graph, 7);
    settle(&f);
    assert_together(&f, 1, 2);
    assert_int_equal(f.changes.new_links[0].decision, 3);
    graph_undecide(f.graph, 3);
    settle(&f);
    assert_int_equal(f.changes.new_links[0].reason, LINK_SCORE);
    assert_int_equal(f.changes.gone_link_count, 0); /* the same pair, for another reason */
    fixture_free(&f);
}

static void test_decisions_wait_for_their_records_and_outlive_them(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    decide(&f, 1, DECISION_ALWAYS, 1, 2);
    decide(&f, 2, DECISION_NEVER, 2, 2); /* says nothing */
    settle(&f);
    put(&f, 1, "n=1;");
    settle(&f);
    put(&f, 2, "n=2;");
    settle(&f);
    assert_together(&f, 1, 2);
    graph_remove(f.graph, 1);
    settle(&f);
    assert_int_equal(f.changes.gone_link_count, 1);
    assert_int_equal(graph_customer(f.graph, 2), 2);
    put(&f, 1, "n=3;");
    settle(&f);
    assert_together(&f, 1, 2);
    fixture_free(&f);
}

static void test_never_keeps_two_apart_however_they_are_linked(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    put(&f, 1, "n=1;p=1;");
    put(&f, 2, "n=1;p=1;e=1;"); /* links 1 and 3: phone is the stronger */
    put(&f, 3, "n=1;e=1;");
    settle(&f);
    assert_together(&f, 1, 3);
    decide(&f, 1, DECISION_NEVER, 1, 3);
    settle(&f);
    assert_together(&f, 1, 2);
    assert_apart(&f, 2, 3);
    const struct graph_review *review = review_of(&f, 2, 3);
    assert_non_null(review);
    assert_int_equal(review->reason, REVIEW_NEVER);
    assert_int_equal(review->bridge_a, 1);
    assert_int_equal(review->bridge_b, 3);
    fixture_free(&f);
}

static void test_always_is_transitive_and_overrules_only_what_is_older(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    for (uint64_t id = 1; id <= 3; id++)
        put(&f, id, "n=1;");
    decide(&f, 1, DECISION_NEVER, 1, 3);
    decide(&f, 2, DECISION_ALWAYS, 1, 2);
    decide(&f, 3, DECISION_ALWAYS, 2, 3);
    settle(&f);
    assert_together(&f, 1, 3);
    assert_int_equal(f.changes.new_review_count, 0);
    decide(&f, 4, DECISION_NEVER, 1, 3); /* now the newest: the older `always` gives way */
    settle(&f);
    assert_apart(&f, 1, 3);
    assert_together(&f, 2, 3);
    const struct graph_review *review = review_of(&f, 1, 2);
    assert_non_null(review);
    assert_int_equal(review->reason, REVIEW_NEVER);
    assert_int_equal(review->bridge_a, 1);
    assert_int_equal(review->bridge_b, 3);
    fixture_free(&f);
}

/* Whose record of two people's phone it is that says no name, nobody knows; it joins one of them and not both. */
static void test_a_record_without_a_name_joins_no_two_names(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    put(&f, 1, "n=1;p=1;c=1;");
    put(&f, 2, "p=1;q=2;c=1;");
    put(&f, 3, "n=2;p=2;c=1;");
    settle(&f);
    assert_apart(&f, 1, 3);
    const struct graph_review *review = review_of(&f, 2, 3);
    review = review ? review : review_of(&f, 1, 2);
    assert_non_null(review);
    assert_int_equal(review->reason, REVIEW_NAME);
    decide(&f, 1, DECISION_ALWAYS, 1, 2);
    decide(&f, 2, DECISION_ALWAYS, 2, 3);
    settle(&f);
    assert_together(&f, 1, 3);
    fixture_free(&f);
}

static void test_two_identities_never_meet_but_by_decision(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    put(&f, 1, "n=1;p=1;i=1;");
    put(&f, 2, "n=1;p=1;i=2;");
    settle(&f);
    assert_apart(&f, 1, 2);
    const struct graph_review *review = review_of(&f, 1, 2);
    assert_non_null(review);
    assert_int_equal(review->reason, REVIEW_IDENTITY);
    assert_int_equal(review->bridge_a, 1);
    assert_int_equal(review->bridge_b, 2);
    put(&f, 3, "n=1;e=3;i=2;");
    put(&f, 2, "n=1;p=1;e=3;i=2;");
    decide(&f, 1, DECISION_ALWAYS, 1, 2);
    settle(&f);
    assert_together(&f, 1, 2);
    assert_together(&f, 1,
                    3); /* the set has both identities now, by decision, and takes in either */
    assert_int_equal(f.changes.gone_review_count, 1);
    put(&f, 4, "n=1;e=3;i=9;"); /* a third one is still another person */
    settle(&f);
    assert_apart(&f, 1, 4);
    fixture_free(&f);
}

static void test_company_numbers_forbid_nothing(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    put(&f, 1, "n=1;p=1;i=1;k=2;");
    put(&f, 2, "n=1;p=1;i=2;k=2;");
    settle(&f);
    assert_together(&f, 1, 2);
    fixture_free(&f);
}

static void test_a_customer_never_exceeds_its_cap(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){.customer_records = 3});
    for (uint64_t id = 1; id <= 5; id++)
        put(&f, id, "n=1;p=1;");
    decide(&f, 1, DECISION_ALWAYS, 1, 5); /* not even then */
    settle(&f);
    size_t largest = 0, records = 0;
    for (uint64_t id = 1; id <= 5; id++) {
        size_t count = graph_member_count(f.graph, id);
        largest = count > largest ? count : largest;
        records += count;
    }
    assert_int_equal(largest, 3);
    assert_int_equal(records, 5);
    assert_together(&f, 1, 5);
    assert_true(f.changes.new_review_count > 0);
    assert_int_equal(f.changes.new_reviews[0].reason, REVIEW_SIZE);
    fixture_free(&f);
}

/* A chain of pairs: within a pair everything is shared, between pairs an e-mail. */
static void test_a_large_component_is_cut_where_it_is_weakest(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){.component_records = 4});
    char features[64];
    for (uint64_t id = 0; id < 20; id++) {
        unsigned pair = (unsigned)id / 2;
        snprintf(features, sizeof(features), "n=1;p=%u;c=%u;e=%u;", pair, pair,
                 id % 2 ? pair : pair - (pair > 0));
        put(&f, id + 1, features);
    }
    settle(&f);
    assert_int_equal(f.changes.large_component_count, 1);
    for (uint64_t id = 1; id <= 20; id += 2)
        assert_together(&f, id, id + 1);
    assert_apart(&f, 4, 5);
    const struct graph_review *review = review_of(&f, 4, 5);
    assert_non_null(review);
    assert_int_equal(review->reason, REVIEW_SIZE);
    graph_remove(f.graph,
                 6); /* cuts the chain: what is left on either side is smaller, not small */
    settle(&f);
    for (uint64_t id = 1; id <= 16; id++)
        graph_remove(f.graph, id);
    settle(&f);
    assert_int_equal(f.changes.large_component_count, 0);
    assert_together(&f, 17, 20);
    fixture_free(&f);
}

static void test_a_value_of_many_names_dies_and_comes_back(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    char features[64];
    put(&f, 1, "n=0;p=1;c=1;");
    put(&f, 2, "n=0;p=1;c=1;");
    for (uint64_t id = 3; id <= 65; id++) {
        snprintf(features, sizeof(features), "n=%u;p=1;", (unsigned)id);
        put(&f, id, features);
    }
    settle(&f);
    assert_int_equal(graph_degree(f.graph, fake_hash(FAKE_PHONE, 1)), 64);
    struct match_result alive, dead;
    struct shared_key shared[MATCH_KEYS_MAX];
    bool live;
    size_t count;
    assert_true(graph_judge(f.graph, 1, 2, &alive, &live, shared, &count));
    put(&f, 66, "n=66;p=1;");
    settle(&f);
    assert_int_equal(graph_degree(f.graph, fake_hash(FAKE_PHONE, 1)), 65);
    assert_true(graph_judge(f.graph, 1, 2, &dead, &live, shared, &count));
    assert_true(live && count == 2); /* the combination lives */
    assert_int_equal(shared[0].band, DEGREE_DEAD);
    assert_true(dead.weight < alive.weight);
    assert_true(graph_judge(f.graph, 3, 4, &dead, &live, shared, &count));
    assert_false(live);
    graph_remove(f.graph, 30);
    settle(&f);
    assert_true(graph_judge(f.graph, 1, 2, &dead, &live, shared, &count));
    assert_true(dead.weight == alive.weight);
    fixture_free(&f);
}

static void test_an_edge_that_hung_on_a_dead_key_is_gone(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){.key_records = 3});
    put(&f, 1, "n=1;p=1;");
    put(&f, 2, "n=1;p=1;");
    put(&f, 3, "n=1;p=1;");
    settle(&f);
    assert_together(&f, 1, 3);
    put(&f, 4, "n=1;p=1;"); /* more records than a key may have */
    settle(&f);
    assert_apart(&f, 1, 3);
    assert_int_equal(stats_of(&f).edges, 0);
    assert_int_equal(f.changes.gone_link_count, 2);
    graph_remove(f.graph, 2);
    settle(&f);
    assert_together(&f, 1, 4);
    fixture_free(&f);
}

/* Eight may hold it. What it found is forgotten with the ninth, but for pairs that share a live key beside it. */
static void test_a_combination_that_too_many_hold_brings_nobody_together(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    char features[64];
    put(&f, 1, "n=1;c=1;e=1;");
    put(&f, 2, "n=1;c=1;e=1;");
    put(&f, 3, "n=1;c=1;");
    for (uint64_t id = 4; id <= 8; id++) {
        snprintf(features, sizeof(features), "n=%u;c=1;", (unsigned)id);
        put(&f, id, features);
    }
    settle(&f);
    assert_int_equal(stats_of(&f).pairs_judged, 8 * 7 / 2);
    assert_int_equal(stats_of(&f).edges, 3); /* 1, 2 and 3 bear one name */
    put(&f, 9, "n=9;c=1;");
    settle(&f);
    assert_int_equal(stats_of(&f).pairs_judged, 8 * 7 / 2); /* nothing is judged for its death */
    assert_int_equal(stats_of(&f).edges, 1);
    assert_together(&f, 1, 2);
    assert_int_equal(graph_holders(f.graph, fake_hash(FAKE_COMBINATION, 1)), 9);
    graph_remove(f.graph, 4);
    settle(&f);
    assert_int_equal(stats_of(&f).edges, 3);
    assert_int_equal(graph_holders(f.graph, fake_hash(FAKE_COMBINATION, 1)), 8);
    fixture_free(&f);
}

static void test_degree_is_exact_among_a_hundred_thousand_holders(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    uint64_t phone = fake_hash(FAKE_PHONE, 1);
    char features[64];
    for (uint64_t id = 1; id <= 100000; id++) {
        snprintf(features, sizeof(features), "n=%u;p=1;", (unsigned)(id % 5000));
        put(&f, id, features);
        if (id % 25000 == 0)
            settle(&f);
    }
    assert_int_equal(graph_degree(f.graph, phone), 5000);
    assert_int_equal(stats_of(&f).pairs_judged, 0);
    for (uint64_t id = 1; id <= 100000; id++)
        if (id % 5000 >= 40) /* 800 records of 40 names stay */
            graph_remove(f.graph, id);
    settle(&f);
    assert_int_equal(graph_degree(f.graph, phone), 40);
    assert_int_equal(stats_of(&f).pairs_judged, 800 * 799 / 2);
    for (uint64_t id = 1; id <= 100000; id++)
        graph_remove(f.graph, id);
    settle(&f);
    assert_int_equal(graph_degree(f.graph, phone), 0);
    assert_int_equal(stats_of(&f).keys, 0);
    assert_int_equal(stats_of(&f).customers, 0);
    fixture_free(&f);
}

static void test_memory_is_reused_however_often_records_change(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    char features[512];
    size_t first = 0;
    for (unsigned round = 0; round < 60; round++) {
        for (uint64_t id = 1; id <= 2000; id++) {
            int length = sprintf(features, "n=%u;p=%u;e=%u;", (unsigned)id, (unsigned)id, round);
            int padding = (int)((id * 7 + round * 13) % 200);
            memset(features + length, 'x', (size_t)padding);
            features[length + padding] = '\0';
            put(&f, id, features);
            if ((id + round) % 10 == 0)
                graph_remove(f.graph, id);
            else
                assert_true(slice_is(graph_features(f.graph, id), features));
        }
        settle(&f);
        if (round == 5)
            first = stats_of(&f).bytes;
    }
    assert_true(stats_of(&f).bytes < first + first / 2);
    fixture_free(&f);
}

/* So many that features are packed: with a phone each, and a name that two share. */
static void test_packed_features_are_what_was_put(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    char features[96];
    size_t bytes = 0;
    for (unsigned id = 1; id <= 40000; id++) {
        snprintf(features, sizeof(features), "n=%u;p=%u;e=%u;k=1;m=somebody.or.other@example.com;", id / 2 % 900,
                 id / 2, id);
        bytes += strlen(features);
        put(&f, id, features);
    }
    settle(&f);
    assert_true(stats_of(&f).parts.features < bytes);
    for (unsigned id = 1; id <= 40000; id++) {
        snprintf(features, sizeof(features), "n=%u;p=%u;e=%u;k=1;m=somebody.or.other@example.com;", id / 2 % 900,
                 id / 2, id);
        assert_true(slice_eq(graph_features(f.graph, id), slice_str(features)));
        assert_int_equal(graph_customer(f.graph, id), id < 2 ? 1 : id / 2 * 2);
    }
    struct slice one = graph_features(f.graph, 9000), other = graph_features(f.graph, 9002);
    assert_false(slice_eq(one, other));
    graph_remove(f.graph, 9000);
    put(&f, 9001, "n=1;p=4600;k=1;");
    settle(&f);
    assert_int_equal(graph_customer(f.graph, 9000), 0);
    assert_true(slice_eq(graph_features(f.graph, 9001), SLICE("n=1;p=4600;k=1;")));
    fixture_free(&f);
}

static void test_limits_are_refused_with_a_reason(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){.max_records = 2});
    struct err err = {0};
    static char long_features[FEATURES_MAX_BYTES + 1];
    put(&f, 1, "n=1;");
    put(&f, 2, "n=2;");
    assert_int_equal(graph_put(f.graph, 3, key_of(3), SLICE("n=3;"), &err), STATUS_FAILED);
    assert_string_equal(err.id, "graph.full");
    assert_int_equal(graph_put(f.graph, 0, key_of(3), SLICE("n=3;"), &err), STATUS_FAILED);
    assert_int_equal(graph_put(f.graph, 2, key_of(3), SLICE("n=3;"), &err), STATUS_FAILED);
    assert_int_equal(graph_put(f.graph, 3, key_of(2), SLICE("n=3;"), &err), STATUS_FAILED);
    assert_string_equal(err.id, "graph.natural_key");
    assert_int_equal(
        graph_put(f.graph, 2, key_of(2), slice_of(long_features, sizeof(long_features)), &err),
        STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    assert_int_equal(graph_decide(f.graph, 0, DECISION_NEVER, key_of(1), key_of(2), &err),
                     STATUS_FAILED);
    graph_remove(f.graph, 77);
    graph_undecide(f.graph, 77);
    graph_remove(f.graph, 1);
    put(&f, 3, "n=3;"); /* room again, and nothing was harmed */
    settle(&f);
    assert_int_equal(stats_of(&f).records, 2);
    fixture_free(&f);
}

static void test_a_report_that_does_not_fit_ends_the_graph(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    struct arena *small = arena_new(4096);
    struct err err = {0};
    for (uint64_t id = 1; id <= 500; id++)
        put(&f, id, "n=1;e=1;");
    assert_int_equal(graph_settle(f.graph, small, &f.changes, &err), STATUS_FAILED);
    assert_string_equal(err.id, "graph.report");
    assert_int_equal(graph_put(f.graph, 1, key_of(1), SLICE("n=2;"), &err), STATUS_FAILED);
    assert_int_equal(graph_settle(f.graph, f.arena, &f.changes, &err), STATUS_FAILED);
    arena_free(&small);
    fixture_free(&f);
}

static void test_candidates_come_best_first(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    uint64_t ids[3];
    double weights[3];
    put(&f, 1, "n=1;c=1;");
    put(&f, 2, "n=1;p=1;e=1;");
    put(&f, 3, "n=1;e=1;");
    put(&f, 4, "n=2;e=7;");
    settle(&f);
    assert_int_equal(graph_candidates(f.graph, SLICE("n=1;p=1;e=1;c=1;"), ids, weights, 3), 3);
    assert_int_equal(ids[0], 2);
    assert_int_equal(ids[1], 3);
    assert_int_equal(ids[2], 1);
    assert_true(weights[0] > weights[1] && weights[1] > weights[2]);
    assert_int_equal(graph_candidates(f.graph, SLICE("n=1;p=1;e=1;c=1;"), ids, weights, 1), 1);
    assert_int_equal(ids[0], 2);
    assert_int_equal(graph_candidates(f.graph, SLICE("n=1;"), ids, weights, 3), 0);
    fixture_free(&f);
}

static void test_unknown_records_are_nobody(void **state)
{
    (void)state;
    struct fixture f = fixture_new((struct graph_limits){0});
    struct match_result result;
    struct shared_key shared[MATCH_KEYS_MAX];
    bool live;
    size_t count;
    put(&f, 1, "n=1;p=1;");
    settle(&f);
    assert_int_equal(graph_customer(f.graph, 2), 0);
    assert_int_equal(graph_member_count(f.graph, 2), 0);
    assert_int_equal(graph_record(f.graph, key_of(2)), 0);
    assert_int_equal(graph_features(f.graph, 2).len, 0);
    assert_false(graph_judge(f.graph, 1, 2, &result, &live, shared, &count));
    assert_int_equal(graph_degree(f.graph, 12345), 0);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_natural_keys_tell_parts_from_each_other),
        cmocka_unit_test(test_a_shared_phone_merges_and_a_removed_bridge_splits),
        cmocka_unit_test(test_a_settle_reports_only_what_changed),
        cmocka_unit_test(test_a_settle_without_report_keeps_the_state_all_the_same),
        cmocka_unit_test(test_the_newest_decision_on_a_pair_stands),
        cmocka_unit_test(test_decisions_wait_for_their_records_and_outlive_them),
        cmocka_unit_test(test_never_keeps_two_apart_however_they_are_linked),
        cmocka_unit_test(test_always_is_transitive_and_overrules_only_what_is_older),
        cmocka_unit_test(test_a_record_without_a_name_joins_no_two_names),
        cmocka_unit_test(test_two_identities_never_meet_but_by_decision),
        cmocka_unit_test(test_company_numbers_forbid_nothing),
        cmocka_unit_test(test_a_customer_never_exceeds_its_cap),
        cmocka_unit_test(test_a_large_component_is_cut_where_it_is_weakest),
        cmocka_unit_test(test_a_value_of_many_names_dies_and_comes_back),
        cmocka_unit_test(test_an_edge_that_hung_on_a_dead_key_is_gone),
        cmocka_unit_test(test_a_combination_that_too_many_hold_brings_nobody_together),
        cmocka_unit_test(test_degree_is_exact_among_a_hundred_thousand_holders),
        cmocka_unit_test(test_memory_is_reused_however_often_records_change),
        cmocka_unit_test(test_packed_features_are_what_was_put),
        cmocka_unit_test(test_limits_are_refused_with_a_reason),
        cmocka_unit_test(test_a_report_that_does_not_fit_ends_the_graph),
        cmocka_unit_test(test_candidates_come_best_first),
        cmocka_unit_test(test_unknown_records_are_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
