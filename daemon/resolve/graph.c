/* graph.c - a graph's life, and the changes made to it between two settles. */
#include "daemon/resolve/graph.intern.h"

#define DEFAULT_MAX_RECORDS       50000000u
#define DEFAULT_COMPONENT_RECORDS 2000u
#define DEFAULT_CUSTOMER_RECORDS  1000u
#define DEFAULT_KEY_RECORDS       1000u

static struct graph_limits limits_with_defaults(const struct graph_limits *given)
{
    struct graph_limits limits = given ? *given : (struct graph_limits){0};
    if (limits.max_records == 0)
        limits.max_records = DEFAULT_MAX_RECORDS;
    if (limits.max_records > SLOTS_MAX)
        limits.max_records = SLOTS_MAX;
    if (limits.component_records == 0)
        limits.component_records = DEFAULT_COMPONENT_RECORDS;
    if (limits.customer_records == 0)
        limits.customer_records = DEFAULT_CUSTOMER_RECORDS;
    if (limits.key_records == 0)
        limits.key_records = DEFAULT_KEY_RECORDS;
    return limits;
}

static struct known_keys *new_known_keys(size_t capacity)
{
    struct known_keys *known = malloc(capacity * sizeof(*known));
    for (size_t i = 0; known && i < capacity; i++)
        known[i].slot = NO_SLOT;
    return known;
}

struct graph *graph_new_with(const struct graph_matcher_ops *ops, const struct matcher *matcher,
                             const struct graph_limits *limits)
{
    struct graph *graph = calloc(1, sizeof(*graph));
    if (graph == NULL)
        return NULL;
    graph->ops = ops;
    graph->matcher = matcher;
    graph->limits = limits_with_defaults(limits);
    graph->link_weight = ops->link_weight(matcher);
    graph->review_weight = ops->review_weight(matcher);
    entries_init(&graph->entries);
    edges_init(&graph->edges);
    decisions_init(&graph->decisions);
    graph->known_keys = new_known_keys(KNOWN_KEYS);
    graph->known_keys_capacity = KNOWN_KEYS;
    graph->handed_out = calloc(1, sizeof(*graph->handed_out));
    if (!key_map_init(&graph->keys, &graph->entries, ops) || graph->known_keys == NULL ||
        graph->handed_out == NULL)
        graph_free(&graph);
    return graph;
}

static void free_scratch(struct graph *graph)
{
    slots_free(&graph->dirty);
    slots_free(&graph->touched);
    slots_free(&graph->stale_verdicts);
    slots_free(&graph->banded);
    slots_free(&graph->fading);
    slots_free(&graph->region);
    u64_map_free(&graph->crossed);
    free(graph->known_keys);
    free(graph->handed_out);
    candidates_free(&graph->candidates);
    candidates_free(&graph->restored_candidates);
    nodes_free(&graph->component.nodes);
    strong_edges_free(&graph->component.edges);
    strong_verdicts_free(&graph->component.verdicts);
    nevers_free(&graph->component.nevers);
    ordered_ids_free(&graph->component.ids);
    refused_edges_free(&graph->component.refused);
    u64_map_free(&graph->component.reviewed);
    found_moves_free(&graph->findings.moves);
    found_links_free(&graph->findings.links);
    found_pairs_free(&graph->findings.gone_links);
    found_reviews_free(&graph->findings.reviews);
    found_pairs_free(&graph->findings.gone_reviews);
    kept_results_free(&graph->evidence.results);
    kept_comparisons_free(&graph->evidence.comparisons);
    u64_map_free(&graph->evidence.by_edge);
}

void graph_use_roster(struct graph *graph, struct roster *roster)
{
    graph->entries.roster = roster;
}

void graph_free(struct graph **graph)
{
    if (*graph == NULL)
        return;
    graph_build_free(*graph);
    free_scratch(*graph);
    key_map_free(&(*graph)->keys);
    entries_free(&(*graph)->entries);
    edges_free(&(*graph)->edges);
    decisions_free(&(*graph)->decisions);
    free(*graph);
    *graph = NULL;
}

uint8_t graph_band(const struct graph *graph, uint64_t hash, struct posting_size size)
{
    if (size.count > graph->limits.key_records || size.count > key_records_max(hash))
        return DEGREE_DEAD;
    return key_class_of(hash) == KEY_CLASS_VALUE ? degree_band(size.degree) : 0;
}

void graph_touch(struct graph *graph, uint32_t slot)
{
    uint8_t *flags = entry_flags(&graph->entries, slot);
    if (*flags & ENTRY_TOUCHED)
        return;
    *flags |= ENTRY_TOUCHED;
    if (!slots_push(&graph->touched, slot))
        graph->failed = true;
}

static void mark_dirty(struct graph *graph, uint32_t slot)
{
    uint8_t *flags = entry_flags(&graph->entries, slot);
    if (*flags & ENTRY_DIRTY)
        return;
    *flags |= ENTRY_DIRTY;
    if (!slots_push(&graph->dirty, slot))
        graph->failed = true;
}

/* The first crossing since the last settle tells the band that settle saw. */
static void note_crossing(struct graph *graph, uint64_t hash, const struct key_change *change)
{
    uint8_t before = graph_band(graph, hash, change->before);
    if (before == graph_band(graph, hash, change->after) ||
        u64_map_get(&graph->crossed, hash) != NO_VALUE)
        return;
    if (!u64_map_set(&graph->crossed, hash, before))
        graph->failed = true;
}

size_t graph_keys_of(const struct graph *graph, uint32_t slot,
                     struct match_key keys[MATCH_KEYS_MAX])
{
    const struct known_keys *known = &graph->known_keys[slot & (graph->known_keys_capacity - 1)];
    struct features_room room;
    if (known->slot != slot)
        return graph->ops->keys(graph->matcher, entries_features(&graph->entries, slot, &room), keys);
    for (size_t i = 0; i < known->count; i++)
        keys[i] = (struct match_key){.hash = known->hashes[i], .kind = known->kinds[i],
                                     .is_value = key_class_of(known->hashes[i]) == KEY_CLASS_VALUE};
    return known->count;
}

/* So that all that was put since the last settle finds room. Without memory for it, keys are unpacked again. */
static void know_more(struct graph *graph)
{
    size_t capacity = graph->known_keys_capacity;
    struct known_keys *more = capacity < KNOWN_KEYS_MAX ? new_known_keys(capacity * 2) : NULL;
    if (more == NULL)
        return;
    for (size_t i = 0; i < capacity; i++)
        if (graph->known_keys[i].slot != NO_SLOT)
            more[graph->known_keys[i].slot & (capacity * 2 - 1)] = graph->known_keys[i];
    free(graph->known_keys);
    graph->known_keys = more;
    graph->known_keys_capacity = capacity * 2;
}

/* Must be called whenever a record's features change. */
static void know_keys(struct graph *graph, uint32_t slot, const struct keyed_features *keyed)
{
    if (graph->dirty.count >= graph->known_keys_capacity)
        know_more(graph);
    struct known_keys *known = &graph->known_keys[slot & (graph->known_keys_capacity - 1)];
    known->slot = keyed->key_count <= KNOWN_KEYS_COUNT ? slot : NO_SLOT;
    known->count = (uint8_t)keyed->key_count;
    for (size_t i = 0; known->slot == slot && i < keyed->key_count; i++) {
        known->hashes[i] = keyed->keys[i].hash;
        known->kinds[i] = keyed->keys[i].kind;
    }
    postings_know_name(&graph->keys.postings, slot, keyed->name_key);
}

/* `settled`: it was settled before, so no band changes for it. */
static void index_keys(struct graph *graph, uint32_t slot, const struct keyed_features *keyed, bool settled)
{
    know_keys(graph, slot, keyed);
    key_map_prefetch(&graph->keys, keyed->keys, keyed->key_count);
    for (size_t i = 0; i < keyed->key_count; i++) {
        struct key_change change;
        if (!key_map_add(&graph->keys, keyed->keys[i].hash, slot, keyed->name_key, &change))
            graph->failed = true;
        else if (!settled)
            note_crossing(graph, keyed->keys[i].hash, &change);
    }
}

static struct keyed_features with_keys(const struct graph *graph, struct slice features,
                                       struct match_key keys[MATCH_KEYS_MAX])
{
    return (struct keyed_features){.features = features, .keys = keys,
                                   .key_count = graph->ops->keys(graph->matcher, features, keys),
                                   .name_key = graph->ops->name_key(features)};
}

void graph_index_keys(struct graph *graph, uint32_t slot)
{
    struct match_key keys[MATCH_KEYS_MAX];
    struct features_room room;
    struct keyed_features keyed = with_keys(graph, entries_features(&graph->entries, slot, &room), keys);
    index_keys(graph, slot, &keyed, true);
}

static void unindex_keys(struct graph *graph, uint32_t slot)
{
    struct match_key keys[MATCH_KEYS_MAX];
    size_t count = graph_keys_of(graph, slot, keys);
    struct features_room room;
    uint64_t name = graph->ops->name_key(entries_features(&graph->entries, slot, &room));
    key_map_prefetch(&graph->keys, keys, count);
    for (size_t i = 0; i < count; i++) {
        struct key_change change;
        if (key_map_remove(&graph->keys, keys[i].hash, slot, name, &change))
            note_crossing(graph, keys[i].hash, &change);
        else
            graph->failed = true;
    }
}

enum status graph_out_of_memory(struct err *err)
{
    return err_set(err, RETRY_FATAL, "graph.memory",
                   "candidate index ran out of memory; hint: the index is rebuilt at the next "
                   "start, give the process more memory or keep fewer records");
}

enum status graph_check_features(const struct graph *graph, uint64_t record_id, struct slice features,
                                 struct err *err)
{
    if (graph->failed)
        return graph_out_of_memory(err);
    if (features.len > FEATURES_MAX_BYTES)
        return err_set(err, RETRY_REJECT_RECORD, "graph.features",
                       "record %llu has %zu bytes of features, %d are the most; hint: fewer or "
                       "shorter values",
                       (unsigned long long)record_id, features.len, FEATURES_MAX_BYTES);
    return STATUS_OK;
}

enum status graph_check_put(const struct graph *graph, uint64_t record_id, struct natural_key key,
                            struct slice features, uint32_t slot, struct err *err)
{
    if (record_id == 0)
        return err_set(err, RETRY_FATAL, "graph.record_id",
                       "record id 0 cannot be indexed; hint: "
                       "record ids start at 1");
    if (graph_check_features(graph, record_id, features, err) != STATUS_OK)
        return STATUS_FAILED;
    if (record_id > ROSTER_IDS_MAX)
        return err_set(err, RETRY_FATAL, "graph.record_id_max",
                       "record id %llu is greater than %u; hint: the index of one daemon holds no more",
                       (unsigned long long)record_id, (unsigned)ROSTER_IDS_MAX);
    uint64_t holder = roster_find(graph->entries.roster, key);
    const struct roster_entry *noted = roster_at(graph->entries.roster, record_id);
    if ((noted && !natural_key_eq(roster_key(noted), key)) || (holder && holder != record_id))
        return err_set(err, RETRY_FATAL, "graph.natural_key",
                       "record %llu has another natural key than before; the index does not "
                       "fit the database; hint: please report this with the log",
                       (unsigned long long)record_id);
    bool adds = slot == NO_SLOT || !entry_is(&graph->entries, slot, ENTRY_LIVE);
    if (adds && graph->entries.live_count >= graph->limits.max_records)
        return err_set(err, RETRY_FATAL, "graph.full",
                       "candidate index is full at %zu records; hint: raise match.max_records",
                       graph->limits.max_records);
    return STATUS_OK;
}

/* With `keyed` without keys: they are made here, once it is known that they are needed. */
static enum status put(struct graph *graph, uint64_t record_id, struct natural_key key, struct keyed_features keyed,
                       struct err *err)
{
    struct entries *entries = &graph->entries;
    struct slice features = keyed.features;
    struct match_key keys[MATCH_KEYS_MAX];
    struct features_room room;
    uint32_t slot = entries_by_id(entries, record_id);
    enum status status = graph_check_put(graph, record_id, key, features, slot, err);
    if (status != STATUS_OK)
        return status;
    if (slot == NO_SLOT) {
        slot = (uint32_t)record_id;
        graph->failed = !entries_add(entries, slot, key);
    } else if (!entry_is(entries, slot, ENTRY_LIVE)) {
        entries_revive(entries, slot);
    } else if (slice_eq(entries_features(entries, slot, &room), features)) {
        return STATUS_OK;
    } else {
        graph_judge_restored(graph, slot);
        unindex_keys(graph, slot);
    }
    if (!graph->failed) {
        graph->failed = !entries_set_features(entries, slot, features);
        if (!graph->failed) {
            /* Decisions may have been made while it was away. */
            if (verdict_first(&graph->decisions, key) != NO_VERDICT)
                *entry_flags(entries, slot) |= ENTRY_DECIDED;
            if (keyed.keys == NULL)
                keyed = with_keys(graph, features, keys);
            index_keys(graph, slot, &keyed, false);
            mark_dirty(graph, slot);
            graph_touch(graph, slot);
        }
    }
    return graph->failed ? graph_out_of_memory(err) : STATUS_OK;
}

enum status graph_put(struct graph *graph, uint64_t record_id, struct natural_key key,
                      struct slice features, struct err *err)
{
    return put(graph, record_id, key, (struct keyed_features){.features = features}, err);
}

enum status graph_put_keyed(struct graph *graph, uint64_t record_id, struct natural_key key,
                            const struct keyed_features *keyed, struct err *err)
{
    return put(graph, record_id, key, *keyed, err);
}

void graph_remove(struct graph *graph, uint64_t record_id)
{
    uint32_t slot = entries_by_id(&graph->entries, record_id);
    if (slot == NO_SLOT || !entry_is(&graph->entries, slot, ENTRY_LIVE) || graph->failed)
        return;
    graph_judge_restored(graph, slot);
    unindex_keys(graph, slot);
    entries_remove(&graph->entries, slot);
    mark_dirty(graph, slot);
}

static void touch_decided(struct graph *graph, struct natural_key key)
{
    uint32_t slot = entries_by_key(&graph->entries, key);
    if (slot == NO_SLOT)
        return;
    *entry_flags(&graph->entries, slot) |= ENTRY_DECIDED;
    graph_touch(graph, slot);
}

/* A record about to be decided on, as it stands without the decision. */
static void judge_decided(struct graph *graph, struct natural_key key)
{
    uint32_t slot = entries_by_key(&graph->entries, key);
    if (slot != NO_SLOT && !graph->warming)
        graph_judge_restored(graph, slot);
}

enum status graph_decide(struct graph *graph, uint64_t order, enum decision_kind kind,
                         struct natural_key a, struct natural_key b, struct err *err)
{
    if (graph->failed)
        return graph_out_of_memory(err);
    if (order == 0 || (kind != DECISION_ALWAYS && kind != DECISION_NEVER))
        return err_set(err, RETRY_FATAL, "graph.decision",
                       "decision %llu of kind %d is none; hint: kinds are always and never, ids "
                       "start at 1",
                       (unsigned long long)order, (int)kind);
    graph_undecide(graph, order);
    if (natural_key_eq(a, b))
        return STATUS_OK; /* says nothing: a record is always with itself */
    judge_decided(graph, a);
    judge_decided(graph, b);
    if (decisions_add(&graph->decisions, order, kind, a, b) == NO_VERDICT)
        graph->failed = true;
    touch_decided(graph, a);
    touch_decided(graph, b);
    return graph->failed ? graph_out_of_memory(err) : STATUS_OK;
}

void graph_undecide(struct graph *graph, uint64_t order)
{
    uint32_t verdict = decisions_remove(&graph->decisions, order);
    if (verdict == NO_VERDICT)
        return;
    if (!slots_push(&graph->stale_verdicts, verdict))
        graph->failed = true;
    touch_decided(graph, verdict_at(&graph->decisions, verdict)->low);
    touch_decided(graph, verdict_at(&graph->decisions, verdict)->high);
}

const char *review_reason_name(enum review_reason reason)
{
    static const char *const names[] = {"", "doubtful", "never", "identity", "size", "name"};
    return (size_t)reason < sizeof(names) / sizeof(names[0]) ? names[reason] : "";
}
