/* graph_settle.c - the steps of a settle, and its report. */
#include "daemon/resolve/graph.intern.h"

/* A record that went: its edges go, and whoever it held together is looked at again. */
static void settle_removed(struct graph *graph, uint32_t slot)
{
    struct entry *entry = entry_at(&graph->entries, slot);
    for (uint32_t index = entry->first_edge; index != NO_EDGE;) {
        const struct edge *edge = edge_at(&graph->edges, index);
        if (!(edge->state & EDGE_GONE)) /* the other end may have gone before */
            graph_remove_edge(graph, index);
        index = edge->next[edge_end(edge, slot)];
    }
    if (entry_is(&graph->entries, slot, ENTRY_DECIDED)) {
        struct natural_key key = entry_key(&graph->entries, slot);
        for (uint32_t verdict = verdict_first(&graph->decisions, key); verdict != NO_VERDICT;
             verdict = verdict_next(&graph->decisions, key, verdict)) {
            const struct verdict *v = verdict_at(&graph->decisions, verdict);
            uint32_t other = entries_by_key(&graph->entries,
                                            natural_key_eq(v->low, key) ? v->high : v->low);
            if (other != NO_SLOT)
                graph_touch(graph, other);
        }
    }
    if (entry->root == NO_SLOT)
        return;
    graph_found_move(graph, slot, entry->root, 0);
    graph->customer_count -= entry->root == slot;
}

/* Edges too weak to link, at the records whose customers were found again. */
void graph_settle_weak_edges(struct graph *graph, uint32_t slot)
{
    const struct entry *entry = entry_at(&graph->entries, slot);
    for (uint32_t index = entry->first_edge; index != NO_EDGE;) {
        const struct edge *edge = edge_at(&graph->edges, index);
        int end = edge_end(edge, slot);
        if (edge->weight < graph->link_weight) {
            bool apart = entry_at(&graph->entries, edge->slots[!end])->root != entry->root;
            bool doubtful = apart && !graph_edge_is_decided(graph, edge);
            graph_found_edge(graph, index, false, doubtful ? REVIEW_DOUBTFUL : 0, 0, 0);
        }
        index = edge->next[end];
    }
}

static void settle_verdicts(struct graph *graph, uint32_t slot)
{
    if (!entry_is(&graph->entries, slot, ENTRY_DECIDED))
        return;
    struct natural_key key = entry_key(&graph->entries, slot);
    for (uint32_t verdict = verdict_first(&graph->decisions, key); verdict != NO_VERDICT;
         verdict = verdict_next(&graph->decisions, key, verdict))
        graph_found_verdict(graph, verdict);
}

static void find_all(struct graph *graph)
{
    if (graph->warming)
        graph_judge_decided(graph);
    for (size_t i = 0; i < graph->dirty.count; i++)
        if (!entry_is(&graph->entries, graph->dirty.items[i], ENTRY_LIVE))
            settle_removed(graph, graph->dirty.items[i]);
    graph_judge_dirty(graph);
    graph_find_components(graph);
    for (size_t i = 0; i < graph->region.count && !graph->failed; i++)
        graph_settle_weak_edges(graph, graph->region.items[i]);
    for (size_t i = 0; i < graph->region.count && !graph->failed; i++)
        settle_verdicts(graph, graph->region.items[i]);
    for (size_t i = 0; i < graph->dirty.count && !graph->failed; i++)
        if (!entry_is(&graph->entries, graph->dirty.items[i], ENTRY_LIVE))
            settle_verdicts(graph, graph->dirty.items[i]);
}

static int by_pair(const void *a, const void *b)
{
    const struct pair_ids *x = a, *y = b;
    return graph_pair_cmp(x->a, x->b, y->a, y->b);
}

static int links_by_pair(const void *a, const void *b)
{
    const struct found_link *x = a, *y = b;
    return graph_pair_cmp(x->a, x->b, y->a, y->b);
}

static int reviews_by_pair(const void *a, const void *b)
{
    const struct graph_review *x = a, *y = b;
    return graph_pair_cmp(x->a, x->b, y->a, y->b);
}

static int moves_by_record(const void *a, const void *b)
{
    uint64_t x = ((const struct graph_move *)a)->record_id;
    uint64_t y = ((const struct graph_move *)b)->record_id;
    return x < y ? -1 : x > y;
}

static void sort(void *items, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(items, count, size, compare);
}

/* Gone pairs that have come back in the same settle, as an edge for a decision or the other way
 * round, are not gone. Both lists are sorted. */
static void drop_returned(struct found_pairs *gone, const void *present, size_t count, size_t size)
{
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < gone->count; i++) {
        struct pair_ids pair = gone->items[i], other = {0, 0};
        int order = -1;
        for (; at < count; at++) {
            memcpy(&other, (const char *)present + at * size,
                   sizeof(other)); /* a and b come first */
            order = graph_pair_cmp(pair.a, pair.b, other.a, other.b);
            if (order <= 0)
                break;
        }
        if (at == count || order < 0)
            gone->items[kept++] = pair;
    }
    gone->count = kept;
}

_Static_assert(offsetof(struct found_link, a) == 0 && offsetof(struct found_link, b) == 8 &&
                   offsetof(struct graph_review, a) == 0 && offsetof(struct graph_review, b) == 8,
               "drop_returned reads them there");

/* A move of a record that went and one of its coming back cannot both stand: a revived record is
 * moved once, so record ids are unique among the moves. */
static void sort_findings(struct findings *findings)
{
    sort(findings->moves.items, findings->moves.count, sizeof(struct graph_move), moves_by_record);
    sort(findings->links.items, findings->links.count, sizeof(struct found_link), links_by_pair);
    sort(findings->gone_links.items, findings->gone_links.count, sizeof(struct pair_ids), by_pair);
    sort(findings->reviews.items, findings->reviews.count, sizeof(struct graph_review),
         reviews_by_pair);
    sort(findings->gone_reviews.items, findings->gone_reviews.count, sizeof(struct pair_ids),
         by_pair);
    drop_returned(&findings->gone_links, findings->links.items, findings->links.count,
                  sizeof(struct found_link));
    drop_returned(&findings->gone_reviews, findings->reviews.items, findings->reviews.count,
                  sizeof(struct graph_review));
}

static void report_links(struct graph *graph, struct graph_changes *changes)
{
    const struct findings *findings = &graph->findings;
    for (size_t i = 0; i < findings->links.count; i++) {
        const struct found_link *found = &findings->links.items[i];
        struct graph_link *link = &changes->new_links[i];
        link->a = found->a;
        link->b = found->b;
        link->reason = found->decision ? LINK_DECISION : LINK_SCORE;
        link->decision = found->decision;
        if (found->decision == 0)
            graph_edge_result(graph, found->edge, &link->result);
    }
    for (size_t i = 0; i < findings->gone_links.count; i++) {
        changes->gone_links[i].a = findings->gone_links.items[i].a;
        changes->gone_links[i].b = findings->gone_links.items[i].b;
    }
}

static bool report(struct graph *graph, struct arena *arena, struct graph_changes *changes)
{
    struct findings *findings = &graph->findings;
    sort_findings(findings);
    *changes = (struct graph_changes){
        .move_count = findings->moves.count,
        .moves = ARENA_ARRAY(arena, struct graph_move, findings->moves.count),
        .new_link_count = findings->links.count,
        .gone_link_count = findings->gone_links.count,
        .new_links = ARENA_ARRAY(arena, struct graph_link, findings->links.count),
        .gone_links = ARENA_ARRAY(arena, struct graph_link, findings->gone_links.count),
        .new_review_count = findings->reviews.count,
        .gone_review_count = findings->gone_reviews.count,
        .new_reviews = ARENA_ARRAY(arena, struct graph_review, findings->reviews.count),
        .gone_reviews = ARENA_ARRAY(arena, struct graph_review, findings->gone_reviews.count),
        .large_component_count = findings->large_components,
    };
    if (arena_failed(arena))
        return false;
    if (findings->moves.count)
        memcpy(changes->moves, findings->moves.items,
               findings->moves.count * sizeof(struct graph_move));
    if (findings->reviews.count)
        memcpy(changes->new_reviews, findings->reviews.items,
               findings->reviews.count * sizeof(struct graph_review));
    for (size_t i = 0; i < findings->gone_reviews.count; i++) {
        changes->gone_reviews[i].a = findings->gone_reviews.items[i].a;
        changes->gone_reviews[i].b = findings->gone_reviews.items[i].b;
    }
    report_links(graph, changes);
    return true;
}

static void clear_flags(struct graph *graph, struct slots *list, uint8_t flags)
{
    for (size_t i = 0; i < list->count; i++)
        *entry_flags(&graph->entries, list->items[i]) &= (uint8_t)~flags;
    list->count = 0;
}

static void clean_up(struct graph *graph)
{
    for (size_t i = 0; i < graph->stale_verdicts.count; i++)
        decisions_tidy(&graph->decisions, graph->stale_verdicts.items[i]);
    graph->stale_verdicts.count = 0;
    clear_flags(graph, &graph->touched, ENTRY_TOUCHED);
    clear_flags(graph, &graph->region, ENTRY_REGION);
    clear_flags(graph, &graph->banded, ENTRY_BAND | ENTRY_DYING);
    for (size_t i = 0; i < graph->dirty.count; i++) {
        uint32_t slot = graph->dirty.items[i];
        *entry_flags(&graph->entries, slot) &= (uint8_t)~ENTRY_DIRTY;
        if (!entry_is(&graph->entries, slot, ENTRY_LIVE))
            entries_release(&graph->entries, slot);
    }
    graph->dirty.count = 0;
    u64_map_clear(&graph->crossed);
    u64_map_clear(&graph->evidence.by_edge);
    graph->evidence.results.count = graph->evidence.comparisons.count = 0;
    graph->findings.moves.count = graph->findings.links.count = 0;
    graph->findings.gone_links.count = graph->findings.reviews.count = 0;
    graph->findings.gone_reviews.count = graph->findings.large_components = 0;
}

#define SCRATCH_ITEMS_KEPT 65536

/* What a settle of everything took (another generation) is not kept for the small ones that follow. */
static void free_large(struct graph *graph)
{
    struct slots *const slots[] = {&graph->dirty, &graph->touched, &graph->banded, &graph->fading, &graph->region};
    struct findings *findings = &graph->findings;
    struct evidence *evidence = &graph->evidence;
    for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
        if (slots[i]->capacity > SCRATCH_ITEMS_KEPT)
            slots_free(slots[i]);
#define FREE_LARGE(vector, free_it)                 \
    do {                                            \
        if ((vector).capacity > SCRATCH_ITEMS_KEPT) \
            free_it(&(vector));                     \
    } while (0)
    FREE_LARGE(findings->moves, found_moves_free);
    FREE_LARGE(findings->links, found_links_free);
    FREE_LARGE(findings->reviews, found_reviews_free);
    FREE_LARGE(evidence->results, kept_results_free);
    FREE_LARGE(evidence->comparisons, kept_comparisons_free);
    FREE_LARGE(evidence->by_edge, u64_map_free);
    FREE_LARGE(graph->crossed, u64_map_free);
#undef FREE_LARGE
}

enum status graph_settle(struct graph *graph, struct arena *arena, struct graph_changes *changes,
                         struct err *err)
{
    graph->settle_number++;
    graph->reporting = changes != NULL;
    if (!graph->failed)
        find_all(graph);
    if (graph->failed)
        return graph_out_of_memory(err);
    if (graph->differs)
        return err_set(err, RETRY_FATAL, "graph.differs",
                       "customers as they were restored are not what their records say; hint: the "
                       "index must be built again, judging every pair");
    if (graph->reporting && !report(graph, arena, changes)) {
        graph->failed = true;
        return err_set(err, RETRY_FATAL, "graph.report",
                       "the changes of one settle do not fit their arena; hint: settle smaller "
                       "batches; the index must be rebuilt");
    }
    clean_up(graph);
    free_large(graph);
    graph_forget_edges(graph);
    return graph->failed ? graph_out_of_memory(err) : STATUS_OK;
}
