/*
 * graph_judge.c - which pairs are judged in a settle, each once, and what becomes of their edges.
 *
 * A pair is judged again when one of its records is dirty, or when both hold a key whose band
 * changed. It is judged from one of its records, the *centre*: a dirty one (of two dirty ones the
 * lower slot), else the lower slot of two that hold a changed key. From a centre's keys come the
 * candidates, and with each of them which live keys are shared, so that nobody's keys are unpacked
 * to be compared. An edge of the centre whose other end is no longer among the candidates has lost
 * its last live key and goes.
 *
 * A combination is no evidence: when one dies, nothing is judged again, and of its holders only those that have
 * edges are looked at, whether each of them still has a live key (*fading*).
 */
#include "daemon/resolve/graph.intern.h"

void candidates_free(struct candidates *candidates)
{
    candidate_list_free(&candidates->list);
    free(candidates->index);
    *candidates = (struct candidates){0};
}

static uint32_t index_home(const struct candidates *candidates, uint32_t slot)
{
    return (slot * 0x9E3779B1u >> 7) & (candidates->index_capacity - 1);
}

void candidates_clear(struct candidates *candidates)
{
    if (candidates->list.count * 8 > candidates->index_capacity) {
        memset(candidates->index, 0xFF, candidates->index_capacity * sizeof(uint32_t));
    } else {
        /* Few in a large table: every item's own run of probes is emptied. */
        for (size_t i = 0; i < candidates->list.count; i++) {
            uint32_t at = index_home(candidates, candidates->list.items[i].slot);
            while (candidates->index[at] != UINT32_MAX) {
                candidates->index[at] = UINT32_MAX;
                at = (at + 1) & (candidates->index_capacity - 1);
            }
        }
    }
    candidates->list.count = 0;
}

static bool grow_index(struct candidates *candidates)
{
    uint32_t capacity = candidates->index_capacity ? candidates->index_capacity * 2 : 64;
    uint32_t *index = malloc((size_t)capacity * sizeof(*index));
    if (index == NULL)
        return false;
    free(candidates->index);
    candidates->index = index;
    candidates->index_capacity = capacity;
    memset(index, 0xFF, (size_t)capacity * sizeof(*index));
    for (size_t i = 0; i < candidates->list.count; i++) {
        uint32_t at = index_home(candidates, candidates->list.items[i].slot);
        while (index[at] != UINT32_MAX)
            at = (at + 1) & (capacity - 1);
        index[at] = (uint32_t)i;
    }
    return true;
}

size_t candidates_at(struct candidates *candidates, uint32_t slot)
{
    if (candidates->list.count * 2 >= candidates->index_capacity && !grow_index(candidates))
        return SIZE_MAX;
    uint32_t at = index_home(candidates, slot);
    while (candidates->index[at] != UINT32_MAX) {
        if (candidates->list.items[candidates->index[at]].slot == slot)
            return candidates->index[at];
        at = (at + 1) & (candidates->index_capacity - 1);
    }
    struct candidate candidate = {.slot = slot, .edge = NO_EDGE};
    if (!candidate_list_push(&candidates->list, candidate))
        return SIZE_MAX;
    candidates->index[at] = (uint32_t)candidates->list.count - 1;
    return candidates->list.count - 1;
}

void graph_look_up(const struct graph *graph, struct held_keys *held)
{
    held->live = held->dead = 0;
    key_map_prefetch(&graph->keys, held->keys, held->count);
    for (size_t i = 0; i < held->count; i++) {
        held->references[i] = key_map_find(&graph->keys, held->keys[i].hash);
        held->bands[i] =
            graph_band(graph, held->keys[i].hash, postings_size(&graph->keys.postings, held->references[i]));
        if (held->bands[i] == DEGREE_DEAD)
            held->dead |= UINT64_C(1) << i;
        else
            held->live |= UINT64_C(1) << i;
    }
}

void graph_hold_keys(const struct graph *graph, struct slice features, struct held_keys *held)
{
    held->count = graph->ops->keys(graph->matcher, features, held->keys);
    graph_look_up(graph, held);
}

size_t graph_shared_keys(const struct graph *graph, const struct held_keys *held, uint64_t mask,
                         uint32_t other, struct shared_key shared[MATCH_KEYS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (key_class_of(held->keys[i].hash) != KEY_CLASS_VALUE)
            continue;
        bool is_shared = mask >> i & 1;
        if (held->dead >> i & 1)
            is_shared = postings_hold(&graph->keys.postings, held->references[i], other);
        if (is_shared)
            shared[count++] = (struct shared_key){
                .hash = held->keys[i].hash,
                .kind = held->keys[i].kind,
                .band = held->bands[i],
            };
    }
    return count;
}

static uint32_t digest_of(const struct match_result *result)
{
    uint64_t digest = 0;
    for (size_t i = 0; i < result->count; i++) {
        const struct comparison_result *comparison = &result->comparisons[i];
        uint32_t weight;
        memcpy(&weight, &comparison->weight, sizeof(weight));
        uint64_t word = (uint64_t)weight << 24 | (uint64_t)comparison->comparison << 16 |
                        (uint64_t)comparison->level << 8 | comparison->band;
        digest = (digest ^ word) * 0x9E3779B97F4A7C15u;
        digest ^= digest >> 32;
    }
    return (uint32_t)digest;
}

void graph_edge_says(struct edge *edge, const struct match_result *result)
{
    edge->weight = result->weight;
    edge->evidence = digest_of(result);
    edge->state |= EDGE_CHANGED;
}

static void keep_result(struct graph *graph, uint32_t edge, const struct match_result *result)
{
    struct evidence *evidence = &graph->evidence;
    if (!graph->reporting || result->weight < graph->link_weight)
        return;
    struct kept_result kept = {result->weight, evidence->comparisons.count, result->count};
    if (!kept_comparisons_reserve(&evidence->comparisons, result->count) ||
        !kept_results_push(&evidence->results, kept) ||
        !u64_map_set(&evidence->by_edge, edge, (uint32_t)evidence->results.count - 1)) {
        graph->failed = true;
        return;
    }
    if (result->count > 0)
        memcpy(evidence->comparisons.items + kept.first, result->comparisons,
               result->count * sizeof(struct comparison_result));
    evidence->comparisons.count += result->count;
}

void graph_remove_edge(struct graph *graph, uint32_t index)
{
    struct edge *edge = edge_at(&graph->edges, index);
    graph_judge_restored(graph, edge->slots[0]);
    graph_judge_restored(graph, edge->slots[1]);
    graph_touch(graph, edge->slots[0]);
    graph_touch(graph, edge->slots[1]);
    graph_found_edge_gone(graph, edge);
    edges_remove(&graph->edges, index);
    graph->edges_gone = true;
}

static void set_edge(struct graph *graph, uint32_t centre, const struct candidate *candidate,
                     const struct match_result *result)
{
    uint32_t index = candidate->edge;
    if (!(result->weight >= graph->review_weight)) {
        if (index != NO_EDGE)
            graph_remove_edge(graph, index);
        return;
    }
    graph_judge_restored(graph, candidate->slot);
    if (index == NO_EDGE)
        index = edges_add(&graph->edges, &graph->entries, centre, candidate->slot);
    else if (edge_at(&graph->edges, index)->weight == result->weight &&
             edge_at(&graph->edges, index)->evidence == digest_of(result))
        return;
    if (index == NO_EDGE) {
        graph->failed = true;
        return;
    }
    graph_edge_says(edge_at(&graph->edges, index), result);
    graph_touch(graph, centre);
    graph_touch(graph, candidate->slot);
    keep_result(graph, index, result);
}

/* Whether the pair of a centre and another record is judged from this centre. */
static bool is_mine(const struct graph *graph, uint32_t centre, bool dirty, uint32_t other)
{
    uint8_t flags = *entry_flags(&graph->entries, other);
    if (dirty)
        return other != centre && (!(flags & ENTRY_DIRTY) || other > centre);
    return other > centre && (flags & (ENTRY_DIRTY | ENTRY_BAND)) == ENTRY_BAND;
}

static void gather(struct graph *graph, uint32_t centre, bool dirty, const struct held_keys *held)
{
    struct candidates *candidates = &graph->candidates;
    candidates_clear(candidates);
    for (uint32_t index = entry_at(&graph->entries, centre)->first_edge; index != NO_EDGE;) {
        const struct edge *edge = edge_at(&graph->edges, index);
        int end = edge_end(edge, centre);
        if (!(edge->state & EDGE_GONE) && is_mine(graph, centre, dirty, edge->slots[!end])) {
            size_t at = candidates_at(candidates, edge->slots[!end]);
            if (at == SIZE_MAX)
                graph->failed = true;
            else
                candidates->list.items[at].edge = index;
        }
        index = edge->next[end];
    }
    for (size_t i = 0; i < held->count; i++) {
        struct holders holders;
        if (!(held->live >> i & 1))
            continue;
        postings_view(&graph->keys.postings, &held->references[i], &holders);
        for (uint32_t j = 0; holders.size.count > 1 && j < holders.span; j++) {
            uint32_t other = holders.slots[j];
            if (other == NO_SLOT || !is_mine(graph, centre, dirty, other))
                continue;
            size_t at = candidates_at(candidates, other);
            if (at == SIZE_MAX)
                graph->failed = true;
            else
                candidates->list.items[at].mask |= UINT64_C(1) << i;
        }
    }
}

/* The keys of a record whose band is not what it was at the last settle. */
static uint64_t changed_keys(const struct graph *graph, const struct held_keys *held)
{
    uint64_t changed = 0;
    for (size_t i = 0; i < held->count; i++) {
        uint32_t before = u64_map_get(&graph->crossed, held->keys[i].hash);
        if (before != NO_VALUE && before != held->bands[i])
            changed |= UINT64_C(1) << i;
    }
    return changed;
}

static void judge_from(struct graph *graph, uint32_t centre, bool dirty)
{
    struct held_keys held;
    struct match_result result;
    struct features_room room, other_room;
    struct slice features = entries_features(&graph->entries, centre, &room);
    held.count = graph_keys_of(graph, centre, held.keys);
    graph_look_up(graph, &held);
    uint64_t changed = dirty ? UINT64_MAX : changed_keys(graph, &held);
    bool dying = entry_is(&graph->entries, centre, ENTRY_DYING);
    gather(graph, centre, dirty, &held);
    for (size_t i = 0; i < graph->candidates.list.count; i++) {
        struct candidate candidate = graph->candidates.list.items[i];
        if (candidate.mask == 0) {
            graph_remove_edge(graph, candidate.edge);
            continue;
        }
        if (!(candidate.mask & changed) &&
            !(dying && entry_is(&graph->entries, candidate.slot, ENTRY_DYING)))
            continue;
        struct shared_key shared[MATCH_KEYS_MAX];
        size_t count = graph_shared_keys(graph, &held, candidate.mask, candidate.slot, shared);
        graph->ops->score(graph->matcher, features,
                          entries_features(&graph->entries, candidate.slot, &other_room), shared, count,
                          &result);
        graph->pairs_judged++;
        set_edge(graph, centre, &candidate, &result);
    }
}

/* Notes the holders of a combination that died that have edges: these may have lost their last live key. */
static void mark_fading(struct graph *graph, const struct holders *holders)
{
    for (uint32_t i = 0; i < holders->span; i++)
        if (holders->slots[i] != NO_SLOT && !entry_is(&graph->entries, holders->slots[i], ENTRY_DIRTY))
            graph_judge_restored(graph, holders->slots[i]);
    for (uint32_t i = 0; i < holders->span; i++) {
        uint32_t slot = holders->slots[i];
        if (slot != NO_SLOT && !entry_is(&graph->entries, slot, ENTRY_DIRTY) &&
            entry_at(&graph->entries, slot)->first_edge != NO_EDGE && !slots_push(&graph->fading, slot))
            graph->failed = true;
    }
}

/* Marks the records that hold a key whose band changed. */
static void mark_banded(struct graph *graph, uint64_t hash, uint8_t before)
{
    struct holders holders;
    uint32_t reference = key_map_find(&graph->keys, hash);
    postings_view(&graph->keys.postings, &reference, &holders);
    uint8_t band = graph_band(graph, hash, holders.size);
    if (band == before || holders.size.count < 2)
        return;
    if (band == DEGREE_DEAD && key_class_of(hash) != KEY_CLASS_VALUE) {
        mark_fading(graph, &holders);
        return;
    }
    for (uint32_t i = 0; i < holders.span; i++) {
        if (holders.slots[i] == NO_SLOT)
            continue;
        uint8_t *flags = entry_flags(&graph->entries, holders.slots[i]);
        if (*flags & ENTRY_DIRTY)
            continue;
        graph_judge_restored(graph, holders.slots[i]);
        if (!(*flags & ENTRY_BAND) && !slots_push(&graph->banded, holders.slots[i]))
            graph->failed = true;
        *flags |= band == DEGREE_DEAD ? ENTRY_BAND | ENTRY_DYING : ENTRY_BAND;
    }
}

/* Takes away what edges of a record have no live key any more. */
static void fade(struct graph *graph, uint32_t slot)
{
    struct held_keys held;
    held.count = graph_keys_of(graph, slot, held.keys);
    graph_look_up(graph, &held);
    for (uint32_t index = entry_at(&graph->entries, slot)->first_edge; index != NO_EDGE;) {
        const struct edge *edge = edge_at(&graph->edges, index);
        int end = edge_end(edge, slot);
        bool stays = edge->state & EDGE_GONE;
        for (size_t i = 0; i < held.count && !stays; i++)
            stays = held.live >> i & 1 &&
                    postings_hold(&graph->keys.postings, held.references[i], edge->slots[!end]);
        if (!stays)
            graph_remove_edge(graph, index);
        index = edge->next[end];
    }
}

void graph_judge_dirty(struct graph *graph)
{
    for (size_t i = 0; graph->crossed.count && i < graph->crossed.capacity; i++) {
        const struct u64_item *item = &graph->crossed.items[i];
        if (item->value != NO_VALUE)
            mark_banded(graph, item->key, (uint8_t)item->value);
    }
    for (size_t i = 0; i < graph->dirty.count && !graph->failed; i++)
        if (entry_is(&graph->entries, graph->dirty.items[i], ENTRY_LIVE))
            judge_from(graph, graph->dirty.items[i], true);
    for (size_t i = 0; i < graph->banded.count && !graph->failed; i++)
        judge_from(graph, graph->banded.items[i], false);
    for (size_t i = 0; i < graph->fading.count && !graph->failed; i++)
        fade(graph, graph->fading.items[i]);
    graph->fading.count = 0;
    /* Both ends of a gone edge are touched. */
    for (size_t i = 0; graph->edges_gone && i < graph->touched.count; i++)
        edges_sweep(&graph->edges, &graph->entries, graph->touched.items[i]);
    graph->edges_gone = false;
}

void graph_edge_result(struct graph *graph, uint32_t index, struct match_result *result)
{
    uint32_t kept_at = u64_map_get(&graph->evidence.by_edge, index);
    if (kept_at != NO_VALUE) {
        const struct kept_result *kept = &graph->evidence.results.items[kept_at];
        result->weight = kept->weight;
        result->count = kept->count;
        if (kept->count > 0)
            memcpy(result->comparisons, graph->evidence.comparisons.items + kept->first,
                   kept->count * sizeof(struct comparison_result));
        return;
    }
    const struct edge *edge = edge_at(&graph->edges, index);
    struct held_keys held;
    struct shared_key shared[MATCH_KEYS_MAX];
    struct features_room room, other_room;
    struct slice features = entries_features(&graph->entries, edge->slots[0], &room);
    graph_hold_keys(graph, features, &held);
    uint64_t mask = 0;
    for (size_t i = 0; i < held.count; i++)
        if (postings_hold(&graph->keys.postings, held.references[i], edge->slots[1]))
            mask |= UINT64_C(1) << i;
    size_t count = graph_shared_keys(graph, &held, mask, edge->slots[1], shared);
    graph->ops->score(graph->matcher, features, entries_features(&graph->entries, edge->slots[1], &other_room),
                      shared, count, result);
}
