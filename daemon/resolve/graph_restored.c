/*
 * graph_restored.c - records put back as they were settled: their pairs are judged when it matters.
 *
 * A restored record is UNJUDGED: its customer is known, its edges are not. Whatever is about to
 * change near it (a new edge to it, a key of its changing band, its own going, a decision) first
 * calls graph_judge_restored, which judges the pairs of its whole component as they stood at the
 * last settle: without the records that are dirty by now, with the bands that the last settle saw.
 * From then on nothing tells such a component from one that was never away.
 *
 * Always true between two calls: a component is unjudged as a whole or not at all; an edge of an
 * unjudged record is weak, and was found from its other end; no decision names an unjudged record.
 */
#include "daemon/resolve/graph.intern.h"

/* The record's keys, with the bands of the last settle. */
static void hold_settled_keys(const struct graph *graph, uint32_t slot, struct held_keys *held)
{
    held->count = graph_keys_of(graph, slot, held->keys);
    graph_look_up(graph, held);
    for (size_t i = 0; graph->crossed.count && i < held->count; i++) {
        uint32_t before = u64_map_get(&graph->crossed, held->keys[i].hash);
        if (before == NO_VALUE)
            continue;
        held->bands[i] = (uint8_t)before;
        held->live &= ~(UINT64_C(1) << i);
        held->dead &= ~(UINT64_C(1) << i);
        if (before == DEGREE_DEAD)
            held->dead |= UINT64_C(1) << i;
        else
            held->live |= UINT64_C(1) << i;
    }
}

static void gather_unjudged(struct graph *graph, uint32_t slot, const struct held_keys *held)
{
    struct candidates *candidates = &graph->restored_candidates;
    candidates_clear(candidates);
    for (size_t i = 0; i < held->count; i++) {
        struct holders holders;
        if (!(held->live >> i & 1))
            continue;
        postings_view(&graph->keys.postings, &held->references[i], &holders);
        for (uint32_t j = 0; holders.size.count > 1 && j < holders.span; j++) {
            uint32_t other = holders.slots[j];
            if (other == NO_SLOT || other == slot || !entry_is(&graph->entries, other, ENTRY_UNJUDGED))
                continue;
            size_t at = candidates_at(candidates, other);
            if (at == SIZE_MAX)
                graph->failed = true;
            else
                candidates->list.items[at].mask |= UINT64_C(1) << i;
        }
    }
}

static void join_region(struct graph *graph, uint32_t slot)
{
    uint8_t *flags = entry_flags(&graph->entries, slot);
    if (*flags & ENTRY_REGION)
        return;
    *flags |= ENTRY_REGION;
    if (!slots_push(&graph->region, slot))
        graph->failed = true;
}

/* Judges a record's pairs with all that are unjudged still: with the others it was judged from their side. */
static void judge_one(struct graph *graph, uint32_t slot)
{
    struct held_keys held;
    struct match_result result;
    struct features_room room, other_room;
    struct slice features = entries_features(&graph->entries, slot, &room);
    hold_settled_keys(graph, slot, &held);
    *entry_flags(&graph->entries, slot) &= (uint8_t)~ENTRY_UNJUDGED;
    gather_unjudged(graph, slot, &held);
    for (size_t i = 0; i < graph->restored_candidates.list.count && !graph->failed; i++) {
        const struct candidate *candidate = &graph->restored_candidates.list.items[i];
        struct shared_key shared[MATCH_KEYS_MAX];
        size_t count = graph_shared_keys(graph, &held, candidate->mask, candidate->slot, shared);
        graph->ops->score(graph->matcher, features,
                          entries_features(&graph->entries, candidate->slot, &other_room), shared, count, &result);
        graph->pairs_judged++;
        if (!(result.weight >= graph->review_weight))
            continue;
        uint32_t index = edges_add(&graph->edges, &graph->entries, slot, candidate->slot);
        if (index == NO_EDGE) {
            graph->failed = true;
            return;
        }
        graph_edge_says(edge_at(&graph->edges, index), &result);
        if (result.weight >= graph->link_weight)
            join_region(graph, candidate->slot);
    }
}

/* The edges of a record's component, and the component as the region. */
static void judge_component(struct graph *graph, uint32_t slot)
{
    join_region(graph, slot);
    for (size_t i = 0; i < graph->region.count && !graph->failed; i++)
        judge_one(graph, graph->region.items[i]);
}

static void leave_region(struct graph *graph)
{
    for (size_t i = 0; i < graph->region.count; i++)
        *entry_flags(&graph->entries, graph->region.items[i]) &= (uint8_t)~ENTRY_REGION;
    graph->region.count = 0;
}

/* The rings of all restored customers: each record behind its customer's smallest, the greatest first, so that they
 * ascend in the end. */
static void link_members(struct graph *graph)
{
    const struct entries *entries = &graph->entries;
    for (size_t chunk = entries->chunks.count; chunk-- > 0;) {
        size_t first = chunk << ENTRY_CHUNK_BITS;
        for (size_t slot = first + (1u << ENTRY_CHUNK_BITS); entries->chunks.items[chunk] && slot-- > first;) {
            struct entry *entry = entry_at(entries, (uint32_t)slot);
            if (!entry_is(entries, (uint32_t)slot, ENTRY_UNJUDGED) || entry->root == slot || entry->root == NO_SLOT)
                continue;
            struct entry *root = entry_at(entries, entry->root);
            entry->next_member = root->next_member;
            root->next_member = (uint32_t)slot;
        }
    }
}

/* What decisions made of restored records is in their customers already: their components are found with them. */
void graph_judge_decided(struct graph *graph)
{
    graph_build_end(graph);
    link_members(graph);
    for (size_t i = 0; i < graph->touched.count && !graph->failed; i++) {
        if (!entry_is(&graph->entries, graph->touched.items[i], ENTRY_UNJUDGED))
            continue;
        judge_component(graph, graph->touched.items[i]);
        leave_region(graph);
    }
    graph->warming = false;
}

void graph_judge_restored(struct graph *graph, uint32_t slot)
{
    if (!entry_is(&graph->entries, slot, ENTRY_UNJUDGED) || graph->failed)
        return;
    bool reporting = graph->reporting;
    size_t large = graph->findings.large_components;
    graph->reporting = false;
    graph->restoring = true;
    judge_component(graph, slot);
    if (!graph->failed)
        graph_settle_component(graph, 0);
    for (size_t i = 0; i < graph->region.count && !graph->failed; i++)
        graph_settle_weak_edges(graph, graph->region.items[i]);
    leave_region(graph);
    graph->findings.large_components = large;
    graph->restoring = false;
    graph->reporting = reporting;
}

/* The customer's smallest record comes first. */
static bool join_customer(struct graph *graph, uint32_t slot, uint64_t customer_id)
{
    struct entry *entry = entry_at(&graph->entries, slot);
    uint32_t root = customer_id == slot ? slot : entries_by_id(&graph->entries, customer_id);
    if (root == NO_SLOT || (root != slot && entry_at(&graph->entries, root)->root != root))
        return false;
    entry->root = root;
    graph->customer_count += root == slot;
    return root <= slot;
}

enum status graph_restore(struct graph *graph, uint64_t record_id, struct natural_key key,
                          struct slice features, uint64_t customer_id, struct err *err)
{
    uint32_t slot = entries_by_id(&graph->entries, record_id);
    const struct roster_entry *noted = roster_at(graph->entries.roster, record_id);
    bool checked = noted && natural_key_eq(roster_key(noted), key); /* as when all of a roster is gone through */
    enum status status = checked ? graph_check_features(graph, record_id, features, err)
                                 : graph_check_put(graph, record_id, key, features, slot, err);
    if (status != STATUS_OK)
        return status;
    bool added = slot == NO_SLOT && entries_add(&graph->entries, (uint32_t)record_id, key);
    slot = (uint32_t)record_id;
    if (!added || !graph_build_add(graph, slot, features)) {
        graph->failed = true;
        return graph_out_of_memory(err);
    }
    graph->warming = true;
    *entry_flags(&graph->entries, slot) |= ENTRY_UNJUDGED;
    if (!join_customer(graph, slot, customer_id))
        graph->differs = true;
    return graph->failed ? graph_out_of_memory(err) : STATUS_OK;
}
