/*
 * test_graph_order.c - the graph is a function of the set of records, decisions and matcher.
 *
 * Random histories of puts, replaces, removes, decisions and undecisions, in batches of random
 * size, are played to a graph; after every settle its partition, links and reviews are held against
 * a reference that works them out from scratch (graph_reference.h), and so is a shadow kept only by
 * applying the reported changes. Record ids, slots and the order of arrival are random, so two ways
 * to the same set must end in the same state. Every history also plays a few scenes that must
 * happen in each. Now and then the graph is thrown away and another is restored from what is known of its
 * records and customers, as at a start: what it reports from then on must be what the old one would have. Most of the
 * histories keep next to no edges, so that nearly every settle forgets some and finds some again.
 *
 * GRAPH_ORDER_SEED and GRAPH_ORDER_HISTORIES choose other and more histories.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/resolve/roster.h"
#include "tests/unit/graph_reference.h"

#define HISTORIES       500
#define SCENE_RECORDS   8    /* the first records belong to the scenes */
#define FIRST_OWN_VALUE 1000 /* values that random records never have */

static uint64_t rng_state;

static uint32_t rng(uint32_t below)
{
    rng_state += 0x9E3779B97F4A7C15u; /* splitmix64 */
    uint64_t z = rng_state;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ z >> 31) >> 32) % below;
}

struct happened {
    unsigned merges, refused, nameless, crossings, deaths, bridges, decisions, links, reviews, large,
        evidence, restarts, forgotten;
};

static struct ref_world world;
static struct ref_state before, now;
static struct ref_state shadow;
static bool was_live[REF_RECORDS_MAX], was_removed[REF_RECORDS_MAX];
static struct graph *graph;
static struct arena *arena;
static uint64_t next_order;
static struct happened happened;
static uint64_t seed_now;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("seed %llu: %s", (unsigned long long)seed_now, #condition);                   \
    } while (0)

static int index_of(uint64_t id)
{
    for (int i = 0; i < world.record_count; i++)
        if (world.records[i].id == id)
            return i;
    fail_msg("seed %llu: record %llu was never put", (unsigned long long)seed_now,
             (unsigned long long)id);
    return -1;
}

static struct ref_pair *shadow_pair(uint64_t a, uint64_t b)
{
    CHECK(a < b);
    return &shadow.pairs[index_of(a)][index_of(b)];
}

static void apply_moves(const struct graph_changes *changes)
{
    for (size_t i = 0; i < changes->move_count; i++) {
        const struct graph_move *move = &changes->moves[i];
        int at = index_of(move->record_id);
        CHECK(i == 0 || changes->moves[i - 1].record_id < move->record_id);
        CHECK(shadow.customer[at] == move->from && move->from != move->to);
        shadow.customer[at] = move->to;
    }
}

static void apply_links(const struct graph_changes *changes)
{
    for (size_t i = 0; i < changes->gone_link_count; i++) {
        struct ref_pair *pair = shadow_pair(changes->gone_links[i].a, changes->gone_links[i].b);
        CHECK(pair->linked);
        pair->linked = false;
        pair->decision = 0;
    }
    for (size_t i = 0; i < changes->new_link_count; i++) {
        const struct graph_link *link = &changes->new_links[i];
        struct ref_pair *pair = shadow_pair(link->a, link->b);
        CHECK(i == 0 || changes->new_links[i - 1].a < link->a ||
              (changes->new_links[i - 1].a == link->a && changes->new_links[i - 1].b < link->b));
        CHECK((link->reason == LINK_DECISION) == (link->decision != 0));
        pair->linked = true;
        pair->decision = link->decision;
        if (link->reason == LINK_SCORE)
            pair->weight = link->result.weight;
    }
}

static void apply_reviews(const struct graph_changes *changes)
{
    for (size_t i = 0; i < changes->gone_review_count; i++) {
        struct ref_pair *pair = shadow_pair(changes->gone_reviews[i].a, changes->gone_reviews[i].b);
        CHECK(pair->review);
        pair->review = 0;
        pair->bridge_a = pair->bridge_b = 0;
    }
    for (size_t i = 0; i < changes->new_review_count; i++) {
        const struct graph_review *review = &changes->new_reviews[i];
        struct ref_pair *pair = shadow_pair(review->a, review->b);
        pair->review = review->reason;
        pair->bridge_a = review->bridge_a;
        pair->bridge_b = review->bridge_b;
        pair->weight = review->weight;
    }
}

/* Every link that stands, its evidence as judged now. */
static void check_evidence(uint64_t a, uint64_t b, double weight)
{
    struct match_result result;
    struct shared_key shared[MATCH_KEYS_MAX];
    size_t count;
    bool live;
    CHECK(graph_judge(graph, a, b, &result, &live, shared, &count));
    CHECK(live && result.weight == weight);
}

static void check_pairs(void)
{
    for (int i = 0; i < world.record_count; i++) {
        for (int j = 0; j < world.record_count; j++) {
            const struct ref_pair *want = &now.pairs[i][j], *got = &shadow.pairs[i][j];
            if (world.records[i].id >= world.records[j].id)
                continue;
            CHECK(want->linked == got->linked);
            CHECK(want->review == got->review);
            if (want->linked) {
                CHECK(want->decision == got->decision);
                CHECK(want->decision || want->weight == got->weight);
                if (!want->decision && rng(8) == 0)
                    check_evidence(world.records[i].id, world.records[j].id, want->weight);
                happened.links++;
            }
            if (want->review) {
                CHECK(want->weight == got->weight);
                CHECK(want->bridge_a == got->bridge_a && want->bridge_b == got->bridge_b);
                happened.reviews++;
            }
        }
    }
}

static void check_customers(void)
{
    size_t customers = 0, live = 0;
    for (int i = 0; i < world.record_count; i++) {
        const struct ref_record *record = &world.records[i];
        CHECK(graph_customer(graph, record->id) == now.customer[i]);
        CHECK(shadow.customer[i] == now.customer[i]);
        CHECK(graph_record(graph, record->key) == (record->live ? record->id : 0));
        live += record->live;
        if (!record->live || now.customer[i] != record->id)
            continue;
        uint64_t members[REF_RECORDS_MAX];
        size_t count = graph_members(graph, record->id, members, REF_RECORDS_MAX), expected = 0;
        customers++;
        for (int j = 0; j < world.record_count; j++)
            expected += now.customer[j] == record->id;
        CHECK(count == expected && graph_member_count(graph, record->id) == expected);
        for (size_t k = 0; k < count; k++) {
            CHECK(k == 0 || members[k - 1] < members[k]);
            CHECK(now.customer[index_of(members[k])] == record->id);
        }
    }
    struct graph_stats stats;
    graph_stats(graph, &stats);
    CHECK(stats.customers == customers && stats.records == live);
}

static uint8_t last_bands[4][FIRST_OWN_VALUE + 100];

/* Notes the bands; also holds all degrees against the reference. */
static void note_bands(void)
{
    for (int i = 0; i < world.record_count; i++) {
        struct match_key keys[MATCH_KEYS_MAX];
        size_t count = fake_keys(NULL, ref_features(&world, i), keys);
        for (size_t k = 0; k < count; k++) {
            uint32_t holders;
            uint8_t band = ref_band(&world, keys[k].hash);
            uint8_t *last = &last_bands[keys[k].kind][(keys[k].hash >> KEY_CLASS_BITS) % 1000000];
            uint32_t degree = ref_degree(&world, keys[k].hash, &holders);
            CHECK(graph_degree(graph, keys[k].hash) == (keys[k].is_value ? degree : 0));
            CHECK(graph_holders(graph, keys[k].hash) == holders);
            if (*last != band) {
                happened.crossings++;
                happened.deaths += band == 7 || *last == 7;
            }
            *last = band;
        }
    }
}

static void note_what_happened(void)
{
    for (int i = 0; i < world.record_count; i++) {
        for (int j = 0; j < i; j++) {
            struct ref_pair *pair = ref_pair_at(&world, &now, i, j);
            happened.refused += pair->review > REVIEW_DOUBTFUL;
            happened.nameless += pair->review == REVIEW_NAME;
            if (!was_live[i] || !was_live[j] || !world.records[i].live || !world.records[j].live)
                continue;
            bool together = now.customer[i] == now.customer[j];
            bool were = before.customer[i] == before.customer[j];
            happened.merges += together && !were;
            bool lost = false;
            for (int k = 0; k < world.record_count; k++)
                lost = lost || (was_removed[k] && before.customer[k] == before.customer[i]);
            happened.bridges += were && !together && lost;
        }
    }
    happened.large += (unsigned)now.large;
}

static void note_forgotten(void)
{
    struct graph_stats stats;
    graph_stats(graph, &stats);
    happened.forgotten += (unsigned)stats.edges_forgotten;
}

static void settle(void)
{
    struct err err = {0};
    struct graph_changes changes;
    arena_reset(arena);
    if (graph_settle(graph, arena, &changes, &err) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed_now, err.text);
    before = now;
    ref_settle(&world, &now);
    apply_moves(&changes);
    apply_links(&changes);
    apply_reviews(&changes);
    check_customers();
    check_pairs();
    note_bands();
    note_what_happened();
    for (int i = 0; i < world.record_count; i++) {
        was_live[i] = world.records[i].live;
        was_removed[i] = false;
    }
}

static void put(int i, const char *features)
{
    struct err err = {0};
    struct ref_record *record = &world.records[i];
    snprintf(record->features, sizeof(record->features), "%s", features);
    record->live = true;
    if (graph_put(graph, record->id, record->key, slice_str(record->features), &err) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed_now, err.text);
}

static void take_out(int i)
{
    was_removed[i] = was_removed[i] || world.records[i].live;
    world.records[i].live = false;
    graph_remove(graph, world.records[i].id);
}

struct variety {
    uint32_t names, phones, emails, combinations;
};

static void put_random(int i, const struct variety *variety)
{
    char features[96];
    int length = 0;
    if (rng(10))
        length += sprintf(features + length, "n=%u;", rng(variety->names));
    if (rng(3))
        length += sprintf(features + length, "p=%u;", rng(variety->phones));
    if (rng(4) == 0)
        length += sprintf(features + length, "q=%u;", rng(variety->phones));
    if (rng(2))
        length += sprintf(features + length, "e=%u;", rng(variety->emails));
    if (rng(2))
        length += sprintf(features + length, "c=%u;", rng(variety->combinations));
    if (rng(6) == 0)
        length += sprintf(features + length, "i=%u;", rng(3));
    sprintf(features + length, "k=%d;", rng(12) ? 1 : 2);
    put(i, features);
}

/* One of many names on one phone. */
static void put_popular(int i)
{
    char features[96];
    snprintf(features, sizeof(features), "n=%u;p=0;e=%u;c=%u;k=1;", rng(900), rng(60), rng(30));
    put(i, features);
}

static void decide(enum decision_kind kind, int a, int b)
{
    struct err err = {0};
    struct ref_decision *decision = &world.decisions[world.decision_count];
    if (world.decision_count == REF_DECISIONS_MAX)
        return;
    *decision = (struct ref_decision){true, next_order, kind, a, b};
    /* Decisions arrive in any order of their ids. */
    for (int d = 0; d < world.decision_count && rng(3) == 0; d++) {
        uint64_t swap = world.decisions[d].order;
        if (world.decisions[d].present)
            continue;
        world.decisions[d].order = decision->order;
        decision->order = swap;
        break;
    }
    next_order += 1 + rng(3);
    world.decision_count++;
    happened.decisions++;
    if (graph_decide(graph, decision->order, kind, world.records[a].key, world.records[b].key,
                     &err) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed_now, err.text);
}

static void undecide(int d)
{
    world.decisions[d].present = false;
    graph_undecide(graph, world.decisions[d].order);
}

static void step_random(const struct variety *variety)
{
    uint32_t own = (uint32_t)(world.record_count - SCENE_RECORDS);
    int i = SCENE_RECORDS + (int)rng(own), j = SCENE_RECORDS + (int)rng(own);
    uint32_t what = rng(100);
    if (what < 65)
        put_random(i, variety);
    else if (what < 82)
        take_out(i);
    else if (what < 92 && i != j)
        decide(rng(2) ? DECISION_ALWAYS : DECISION_NEVER, i, j);
    else if (world.decision_count)
        undecide((int)rng((uint32_t)world.decision_count));
}

/* What every history plays, a step at a time, between its random batches: a merge by a third record
 * that is a bridge, a band that is crossed, two identities, and the bridge's end. */
static void play_scene(int step)
{
    switch (step) {
    case 0:
        put(0, "n=900;p=1001;k=1;");
        put(1, "n=900;e=1001;k=1;");
        break;
    case 1:
        put(2, "n=900;p=1001;e=1001;k=1;");
        break;
    case 2:
        put(3, "n=901;p=1002;i=7;k=1;");
        put(4, "n=901;p=1002;i=8;k=1;");
        break;
    case 3:
        put(5, "n=902;p=1002;k=1;");
        put(6, "n=903;p=1002;k=1;");
        decide(DECISION_NEVER, 5, 6);
        break;
    default:
        take_out(2);
        break;
    }
}

#define SCENE_STEPS 5

static void start_history(uint64_t seed, int records)
{
    static const uint32_t component_sizes[] = {3, 5, 8, 2000}, customer_sizes[] = {3, 5, 8, 1000},
                          key_sizes[] = {4, 8, 2000, 2000}, edges_kept[] = {0, 1, 4, 16};
    seed_now = seed;
    rng_state = seed * 0x9E3779B97F4A7C15u;
    memset(&world, 0, sizeof(world));
    memset(&now, 0, sizeof(now));
    memset(&shadow, 0, sizeof(shadow));
    memset(was_live, 0, sizeof(was_live));
    memset(was_removed, 0, sizeof(was_removed));
    memset(last_bands, 0, sizeof(last_bands));
    world.limits = (struct graph_limits){
        .max_records = 100000,
        .component_records = component_sizes[rng(4)],
        .customer_records = customer_sizes[rng(4)],
        .key_records = key_sizes[rng(4)],
        .edges_kept = edges_kept[seed % 4],
    };
    world.record_count = records;
    next_order = 1 + rng(5);
    for (int i = 0; i < records; i++) {
        struct ref_record *record = &world.records[i];
        do {
            record->id = 1 + rng(rng(2) ? 1000u : ROSTER_IDS_MAX - 1);
            for (int j = 0; j < i; j++)
                if (world.records[j].id == record->id)
                    record->id = 0;
        } while (record->id == 0);
        record->key = (struct natural_key){rng(4), rng(UINT32_MAX >> 8) << 8 | (uint32_t)i};
    }
    graph = graph_new_with(&fake_matcher, NULL, &world.limits);
    assert_non_null(graph);
}

static int by_id(const void *a, const void *b)
{
    uint64_t x = world.records[*(const int *)a].id, y = world.records[*(const int *)b].id;
    return x < y ? -1 : x > y;
}

/* Another graph, from what a settled one would have left in a database. */
static void restart(void)
{
    struct err err = {0};
    int order[REF_RECORDS_MAX];
    note_forgotten();
    graph_free(&graph);
    graph = graph_new_with(&fake_matcher, NULL, &world.limits);
    assert_non_null(graph);
    for (int i = 0; i < world.record_count; i++)
        order[i] = i;
    qsort(order, (size_t)world.record_count, sizeof(order[0]), by_id);
    for (int i = 0; i < world.record_count; i++) {
        const struct ref_record *record = &world.records[order[i]];
        if (record->live && graph_restore(graph, record->id, record->key, slice_str(record->features),
                                          shadow.customer[order[i]], &err) != STATUS_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed_now, err.text);
    }
    for (int d = 0; d < world.decision_count; d++) {
        const struct ref_decision *decision = &world.decisions[d];
        if (decision->present &&
            graph_decide(graph, decision->order, decision->kind, world.records[decision->a].key,
                         world.records[decision->b].key, &err) != STATUS_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed_now, err.text);
    }
    if (graph_settle(graph, NULL, NULL, &err) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed_now, err.text);
    check_customers();
    happened.restarts++;
}

static void play_history(uint64_t seed, int records, int batches)
{
    struct happened was = happened;
    start_history(seed, records);
    struct variety variety = {3 + rng(5), 4 + rng(10), 4 + rng(10), 3 + rng(6)};
    int scene = 0;
    for (int batch = 0; batch < batches || scene < SCENE_STEPS; batch++) {
        for (uint32_t i = rng(rng(3) ? 8 : 40); i > 0; i--)
            step_random(&variety);
        if (rng(3))
            settle();
        if (rng(3) == 0) {
            settle();
            restart();
        }
        if (scene < SCENE_STEPS && rng(2)) {
            settle();
            play_scene(scene++);
            settle();
        }
    }
    settle();
    CHECK(happened.merges > was.merges);
    CHECK(happened.refused > was.refused);
    CHECK(happened.crossings > was.crossings);
    CHECK(happened.bridges > was.bridges);
    CHECK(happened.decisions > was.decisions);
    note_forgotten();
    graph_free(&graph);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_any_history_settles_as_if_worked_out_from_scratch(void **state)
{
    (void)state;
    uint64_t seed = number_from("GRAPH_ORDER_SEED", 1);
    uint64_t histories = number_from("GRAPH_ORDER_HISTORIES", HISTORIES);
    arena = arena_new(64 << 20);
    happened = (struct happened){0};
    for (uint64_t i = 0; i < histories; i++) {
        int records = 24 + (int)((seed + i) % 3) * 8;
        play_history(seed + i, records, 6);
    }
    print_message("%llu histories: %u merges, %u refused unions (%u for names), %u band crossings (%u of them to "
                  "or from death), %u deleted bridges, %u decisions, %u large components, %u restarts, %u edges forgotten; "
                  "%u links and %u reviews compared\n",
                  (unsigned long long)histories, happened.merges, happened.refused, happened.nameless,
                  happened.crossings, happened.deaths, happened.bridges, happened.decisions,
                  happened.large, happened.restarts, happened.forgotten, happened.links, happened.reviews);
    assert_true(happened.forgotten > histories);
    arena_free(&arena);
}

/* Enough names on one phone to kill it by degree, and to bring it back. */
static void test_histories_with_more_than_sixty_four_names_on_a_value(void **state)
{
    (void)state;
    uint64_t seed = number_from("GRAPH_ORDER_SEED", 1) + 1000000;
    arena = arena_new(64 << 20);
    happened = (struct happened){0};
    for (uint64_t i = 0; i < 6; i++) {
        start_history(seed + i, 150);
        world.limits.key_records = 2000;
        graph_free(&graph); /* the same, with that limit */
        graph = graph_new_with(&fake_matcher, NULL, &world.limits);
        for (int batch = 0; batch < 12; batch++) {
            uint32_t steps = 20 + rng(60);
            for (uint32_t k = 0; k < steps; k++) {
                int at = (int)rng((uint32_t)world.record_count);
                if (rng(10) < (batch % 6 < 4 ? 9u : 3u))
                    put_popular(at);
                else
                    take_out(at);
            }
            settle();
            if (rng(3) == 0)
                restart();
        }
        note_forgotten();
    graph_free(&graph);
    }
    assert_true(happened.deaths > 0);
    print_message("%u crossings, %u to or from death, %u restarts\n", happened.crossings, happened.deaths,
                  happened.restarts);
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_history_settles_as_if_worked_out_from_scratch),
        cmocka_unit_test(test_histories_with_more_than_sixty_four_names_on_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
