/*
 * graph_forget.c - edges of components that nothing has touched for long are forgotten.
 *
 * What is forgotten is a whole component: its records become UNJUDGED, as after a start, and are judged again as they
 * were settled when something near them changes (graph_restored.c says how, and what holds between two calls). So no
 * answer depends on what was forgotten; only the time of the next change near it does.
 *
 * A hand goes round over the places of edges. New edges take places that it has freed, so it meets them when it has come
 * round: the edges it meets are among the oldest. Not forgotten are components that a decision names or that are large,
 * and weak edges to a record that is judged: it has to know them.
 */
#include "daemon/resolve/graph.intern.h"

#define EDGES_KEPT_MIN   32768
#define RECORDS_OF_EDGE  32 /* an edge is kept for so many records */
#define COMPONENT_MAX    32 /* to judge a larger one again would take long */
#define STEPS_MAX        4096 /* in one settle, which makes far fewer edges */

static size_t edges_kept(const struct graph *graph)
{
    size_t kept = graph->entries.live_count / RECORDS_OF_EDGE;
    if (graph->limits.edges_kept)
        return graph->limits.edges_kept;
    return kept > EDGES_KEPT_MIN ? kept : EDGES_KEPT_MIN;
}

static bool visit(struct graph *graph, uint32_t slot)
{
    uint8_t *flags = entry_flags(&graph->entries, slot);
    if (*flags & ENTRY_REGION)
        return true;
    if ((*flags & ENTRY_DECIDED) || graph->region.count == COMPONENT_MAX || !slots_push(&graph->region, slot))
        return false;
    *flags |= ENTRY_REGION;
    return true;
}

/* A record's component as the region. False when it is to be kept. */
static bool gather_component(struct graph *graph, uint32_t slot)
{
    bool forgettable = visit(graph, slot);
    for (size_t i = 0; i < graph->region.count && forgettable; i++) {
        uint32_t member = graph->region.items[i];
        for (uint32_t index = entry_at(&graph->entries, member)->first_edge; index != NO_EDGE && forgettable;) {
            const struct edge *edge = edge_at(&graph->edges, index);
            int end = edge_end(edge, member);
            if (edge->weight >= graph->link_weight)
                forgettable = visit(graph, edge->slots[!end]);
            index = edge->next[end];
        }
    }
    return forgettable;
}

/* Removes what can be found again of a member's edges: those in the component, and those to records that are unjudged
 * themselves. These are put behind the region, to be swept too. */
static void remove_edges(struct graph *graph, uint32_t member)
{
    for (uint32_t index = entry_at(&graph->entries, member)->first_edge; index != NO_EDGE;) {
        const struct edge *edge = edge_at(&graph->edges, index);
        int end = edge_end(edge, member);
        uint32_t other = edge->slots[!end];
        bool unjudged = entry_is(&graph->entries, other, ENTRY_UNJUDGED);
        if (unjudged && !slots_push(&graph->region, other))
            graph->failed = true;
        if (!(edge->state & EDGE_GONE) && (unjudged || entry_is(&graph->entries, other, ENTRY_REGION)))
            edges_remove(&graph->edges, index);
        index = edge->next[end];
    }
}

static void forget_component(struct graph *graph, uint32_t slot)
{
    struct slots *region = &graph->region;
    bool forgettable = gather_component(graph, slot);
    size_t members = region->count, edges = graph->edges.count;
    for (size_t i = 0; i < members && forgettable; i++)
        remove_edges(graph, region->items[i]);
    for (size_t i = 0; i < region->count && forgettable; i++)
        edges_sweep(&graph->edges, &graph->entries, region->items[i]);
    for (size_t i = 0; i < members; i++) {
        uint8_t *flags = entry_flags(&graph->entries, region->items[i]);
        *flags &= (uint8_t)~ENTRY_REGION;
        if (forgettable)
            *flags |= ENTRY_UNJUDGED;
    }
    region->count = 0;
    graph->edges_forgotten += edges - graph->edges.count;
}

void graph_forget_edges(struct graph *graph)
{
    struct edges *edges = &graph->edges;
    size_t kept = edges_kept(graph);
    for (size_t steps = 0; steps < STEPS_MAX && edges->count > kept && !graph->failed; steps++) {
        if (graph->forget_hand >= edges->used)
            graph->forget_hand = 0;
        const struct edge *edge = edge_at(edges, graph->forget_hand++);
        for (int end = 0; end < 2 && !(edge->state & EDGE_GONE); end++)
            if (!entry_is(&graph->entries, edge->slots[end], ENTRY_UNJUDGED))
                forget_component(graph, edge->slots[end]);
    }
}
