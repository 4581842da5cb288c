/* graph_read.c - questions to a settled graph. */
#include "daemon/resolve/graph.intern.h"

uint64_t graph_customer(const struct graph *graph, uint64_t record_id)
{
    uint32_t slot = entries_by_id(&graph->entries, record_id);
    if (slot == NO_SLOT || entry_at(&graph->entries, slot)->root == NO_SLOT)
        return 0;
    return entry_at(&graph->entries, slot)->root;
}

/* The slot of a customer, or NO_SLOT when the id is none of a living customer. */
static uint32_t root_of(const struct graph *graph, uint64_t customer_id)
{
    uint32_t slot = entries_by_id(&graph->entries, customer_id);
    return slot != NO_SLOT && entry_at(&graph->entries, slot)->root == slot ? slot : NO_SLOT;
}

static size_t walk_members(const struct graph *graph, uint64_t customer_id, uint64_t *ids,
                           size_t max)
{
    uint32_t root = root_of(graph, customer_id), slot = root;
    size_t count = 0;
    if (root == NO_SLOT)
        return 0;
    do {
        const struct entry *entry = entry_at(&graph->entries, slot);
        if (ids)
            ids[count] = slot;
        count++;
        slot = entry->next_member;
    } while (slot != root && count < max);
    return count;
}

size_t graph_member_count(const struct graph *graph, uint64_t customer_id)
{
    return walk_members(graph, customer_id, NULL, SIZE_MAX);
}

size_t graph_members(const struct graph *graph, uint64_t customer_id, uint64_t *ids, size_t max)
{
    return max ? walk_members(graph, customer_id, ids, max) : 0;
}

uint64_t graph_record(const struct graph *graph, struct natural_key key)
{
    uint32_t slot = entries_by_key(&graph->entries, key);
    return slot == NO_SLOT ? 0 : slot;
}

struct slice graph_features(const struct graph *graph, uint64_t record_id)
{
    uint32_t slot = entries_by_id(&graph->entries, record_id);
    struct features_room *room = &graph->handed_out->rooms[graph->handed_out->next++ % HANDED_OUT];
    return slot == NO_SLOT ? SLICE_EMPTY : entries_features(&graph->entries, slot, room);
}

/* Combinations too. */
static size_t all_shared_keys(const struct graph *graph, const struct held_keys *held, uint32_t other,
                              struct shared_key shared[MATCH_KEYS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < held->count; i++)
        if (postings_hold(&graph->keys.postings, held->references[i], other))
            shared[count++] = (struct shared_key){held->keys[i].hash, held->keys[i].kind, held->bands[i]};
    return count;
}

bool graph_judge(const struct graph *graph, uint64_t a, uint64_t b, struct match_result *result,
                 bool *shares_live_key, struct shared_key shared[MATCH_KEYS_MAX],
                 size_t *shared_count)
{
    uint32_t slot_a = entries_by_id(&graph->entries, a);
    uint32_t slot_b = entries_by_id(&graph->entries, b);
    if (slot_a == NO_SLOT || slot_b == NO_SLOT || !entry_is(&graph->entries, slot_a, ENTRY_LIVE) ||
        !entry_is(&graph->entries, slot_b, ENTRY_LIVE))
        return false;
    struct held_keys held;
    uint64_t mask = 0;
    struct features_room room_a, room_b;
    struct slice of_a = entries_features(&graph->entries, slot_a, &room_a);
    graph_hold_keys(graph, of_a, &held);
    for (size_t i = 0; i < held.count; i++)
        if (held.live >> i & 1 && postings_hold(&graph->keys.postings, held.references[i], slot_b))
            mask |= UINT64_C(1) << i;
    *shares_live_key = mask != 0;
    *shared_count = graph_shared_keys(graph, &held, mask, slot_b, shared);
    graph->ops->score(graph->matcher, of_a, entries_features(&graph->entries, slot_b, &room_b), shared,
                      *shared_count, result);
    *shared_count = all_shared_keys(graph, &held, slot_b, shared);
    return true;
}

struct best {
    uint64_t *ids;
    double *weights;
    size_t count, max;
};

/* Keeps the best, by weight and then by record id. */
static void keep_best(struct best *best, uint64_t id, double weight)
{
    size_t at = best->count;
    while (at > 0 && (best->weights[at - 1] < weight ||
                      (best->weights[at - 1] == weight && best->ids[at - 1] > id)))
        at--;
    if (at >= best->max)
        return;
    if (best->count < best->max)
        best->count++;
    for (size_t i = best->count - 1; i > at; i--) {
        best->ids[i] = best->ids[i - 1];
        best->weights[i] = best->weights[i - 1];
    }
    best->ids[at] = id;
    best->weights[at] = weight;
}

size_t graph_candidates(const struct graph *graph, struct slice features, uint64_t *ids,
                        double *weights, size_t max)
{
    struct candidates candidates = {0};
    struct held_keys held;
    struct best best = {.ids = ids, .weights = weights, .max = max};
    graph_hold_keys(graph, features, &held);
    for (size_t i = 0; i < held.count; i++) {
        struct holders holders;
        if (!(held.live >> i & 1))
            continue;
        postings_view(&graph->keys.postings, &held.references[i], &holders);
        for (uint32_t j = 0; j < holders.span; j++) {
            size_t at = holders.slots[j] == NO_SLOT ? SIZE_MAX
                                                    : candidates_at(&candidates, holders.slots[j]);
            if (at != SIZE_MAX)
                candidates.list.items[at].mask |= UINT64_C(1) << i;
        }
    }
    for (size_t i = 0; i < candidates.list.count; i++) {
        const struct candidate *candidate = &candidates.list.items[i];
        struct shared_key shared[MATCH_KEYS_MAX];
        struct match_result result;
        struct features_room room;
        size_t count = graph_shared_keys(graph, &held, candidate->mask, candidate->slot, shared);
        graph->ops->score(graph->matcher, features,
                          entries_features(&graph->entries, candidate->slot, &room), shared, count,
                          &result);
        keep_best(&best, candidate->slot, result.weight);
    }
    candidates_free(&candidates);
    return best.count;
}

uint32_t graph_degree(const struct graph *graph, uint64_t key_hash)
{
    struct posting_size size = postings_size(&graph->keys.postings, key_map_find(&graph->keys, key_hash));
    return key_class_of(key_hash) == KEY_CLASS_VALUE ? size.degree : 0;
}

uint32_t graph_holders(const struct graph *graph, uint64_t key_hash)
{
    return postings_size(&graph->keys.postings, key_map_find(&graph->keys, key_hash)).count;
}

static size_t scratch_bytes(const struct graph *graph)
{
    const struct component *component = &graph->component;
    const struct findings *findings = &graph->findings;
    size_t slots = graph->dirty.capacity + graph->touched.capacity + graph->banded.capacity + graph->fading.capacity +
                   graph->region.capacity + graph->stale_verdicts.capacity +
                   graph->candidates.index_capacity + graph->restored_candidates.index_capacity;
    return slots * sizeof(uint32_t) + u64_map_bytes(&graph->crossed) +
           graph->known_keys_capacity * sizeof(struct known_keys) + sizeof(struct handed_out) + u64_map_bytes(&graph->evidence.by_edge) +
           (graph->candidates.list.capacity + graph->restored_candidates.list.capacity) *
               sizeof(struct candidate) +
           component->nodes.capacity * sizeof(struct node) +
           component->edges.capacity * sizeof(struct strong_edge) +
           component->verdicts.capacity * sizeof(struct strong_verdict) +
           component->nevers.capacity * sizeof(struct never) +
           component->ids.capacity * sizeof(struct ordered_id) +
           component->refused.capacity * sizeof(struct refused_edge) +
           u64_map_bytes(&component->reviewed) +
           findings->moves.capacity * sizeof(struct graph_move) +
           findings->links.capacity * sizeof(struct found_link) +
           findings->reviews.capacity * sizeof(struct graph_review) +
           (findings->gone_links.capacity + findings->gone_reviews.capacity) *
               sizeof(struct pair_ids) +
           graph->evidence.results.capacity * sizeof(struct kept_result) +
           graph->evidence.comparisons.capacity * sizeof(struct comparison_result);
}

void graph_stats(const struct graph *graph, struct graph_stats *stats)
{
    *stats = (struct graph_stats){
        .records = graph->entries.live_count,
        .keys = graph->keys.key_count,
        .postings = graph->keys.posting_count,
        .edges = graph->edges.count,
        .customers = graph->customer_count,
        .pairs_judged = graph->pairs_judged,
        .edges_forgotten = graph->edges_forgotten,
        .parts = {.entries = entries_bytes(&graph->entries),
                  .features = blobs_bytes(&graph->entries.blobs) + packing_bytes(&graph->entries.packing),
                  .keys = key_map_bytes(&graph->keys),
                  .postings = postings_bytes(&graph->keys.postings),
                  .edges = edges_bytes(&graph->edges),
                  .scratch = sizeof(*graph) + decisions_bytes(&graph->decisions) + scratch_bytes(graph)},
    };
    const struct graph_bytes *parts = &stats->parts;
    stats->bytes = parts->entries + parts->features + parts->keys + parts->postings + parts->edges + parts->scratch;
}
