/*
 * graph_component.c - the components that touched records are in, each found again whole.
 *
 * A component that gained, lost or changed anything has an end of that change in it, and every
 * piece an old component fell into has one too; so walking from the touched records reaches both
 * what was together before and what is together now.
 */
#include <math.h>

#include "daemon/resolve/graph.intern.h"

/* How much the link weight rises at a time for the pieces of a component that is too large. */
#define THRESHOLD_STEP  2.0
#define THRESHOLD_STEPS 256 /* no weight is that great */

static void visit(struct graph *graph, uint32_t slot)
{
    uint8_t *flags = entry_flags(&graph->entries, slot);
    if (*flags & ENTRY_REGION)
        return;
    *flags |= ENTRY_REGION;
    if (!slots_push(&graph->region, slot))
        graph->failed = true;
}

static const struct decision *standing_always(const struct graph *graph, uint32_t verdict)
{
    const struct decision *decision = verdict_stands(&graph->decisions, verdict);
    return decision && decision->kind == DECISION_ALWAYS ? decision : NULL;
}

static uint32_t other_slot(const struct graph *graph, uint32_t verdict, struct natural_key key)
{
    const struct verdict *v = verdict_at(&graph->decisions, verdict);
    return entries_by_key(&graph->entries, natural_key_eq(v->low, key) ? v->high : v->low);
}

static void visit_decided(struct graph *graph, uint32_t slot)
{
    struct natural_key key = entry_key(&graph->entries, slot);
    for (uint32_t verdict = verdict_first(&graph->decisions, key); verdict != NO_VERDICT;
         verdict = verdict_next(&graph->decisions, key, verdict)) {
        uint32_t other = other_slot(graph, verdict, key);
        if (other != NO_SLOT && standing_always(graph, verdict))
            visit(graph, other);
    }
}

/* Appends a record's component to the region. */
static void walk(struct graph *graph, uint32_t start)
{
    size_t next = graph->region.count;
    for (visit(graph, start); next < graph->region.count; next++) {
        uint32_t slot = graph->region.items[next];
        for (uint32_t index = entry_at(&graph->entries, slot)->first_edge; index != NO_EDGE;) {
            const struct edge *edge = edge_at(&graph->edges, index);
            int end = edge_end(edge, slot);
            if (edge->weight >= graph->link_weight)
                visit(graph, edge->slots[!end]);
            index = edge->next[end];
        }
        if (entry_is(&graph->entries, slot, ENTRY_DECIDED))
            visit_decided(graph, slot);
    }
}

bool graph_edge_is_decided(const struct graph *graph, const struct edge *edge)
{
    const struct entries *entries = &graph->entries;
    if (!entry_is(entries, edge->slots[0], ENTRY_DECIDED) ||
        !entry_is(entries, edge->slots[1], ENTRY_DECIDED))
        return false;
    uint32_t verdict = verdict_of_pair(&graph->decisions, entry_key(entries, edge->slots[0]),
                                       entry_key(entries, edge->slots[1]));
    return verdict != NO_VERDICT && verdict_stands(&graph->decisions, verdict);
}

static uint64_t customer_of(const struct graph *graph, uint32_t slot)
{
    uint32_t root = entry_at(&graph->entries, slot)->root;
    return root == NO_SLOT ? 0 : root;
}

/* The only record of its component. */
static void settle_alone(struct graph *graph, uint32_t slot)
{
    struct entry *entry = entry_at(&graph->entries, slot);
    graph_found_move(graph, slot, customer_of(graph, slot), slot);
    graph->customer_count += entry->root != slot;
    entry->root = entry->next_member = slot;
}

static int by_natural_key(const void *a, const void *b)
{
    return natural_key_cmp(((const struct node *)a)->key, ((const struct node *)b)->key);
}

/* Nodes in the order of natural keys; from here to the end of graph_kruskal an entry's root is the
 * number of its node. */
static void collect_nodes(struct graph *graph, size_t first)
{
    struct nodes *nodes = &graph->component.nodes;
    size_t count = graph->region.count - first;
    nodes->count = 0;
    if (!nodes_reserve(nodes, count)) {
        graph->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t slot = graph->region.items[first + i];
        const struct entry *entry = entry_at(&graph->entries, slot);
        nodes->items[nodes->count++] = (struct node){
            .key = entry_key(&graph->entries, slot),
            .from = customer_of(graph, slot),
            .slot = slot,
            .threshold = graph->link_weight,
        };
        graph->customer_count -= entry->root == slot;
    }
    qsort(nodes->items, count, sizeof(struct node), by_natural_key);
    for (size_t i = 0; i < count; i++)
        entry_at(&graph->entries, nodes->items[i].slot)->root = (uint32_t)i;
}

static void collect_edges(struct graph *graph)
{
    struct component *component = &graph->component;
    component->edges.count = 0;
    for (size_t i = 0; i < component->nodes.count; i++) {
        uint32_t slot = component->nodes.items[i].slot;
        for (uint32_t index = entry_at(&graph->entries, slot)->first_edge; index != NO_EDGE;) {
            const struct edge *edge = edge_at(&graph->edges, index);
            int end = edge_end(edge, slot);
            uint32_t other = edge->slots[!end];
            uint32_t next = edge->next[end];
            if (end == 0 && edge->weight >= graph->link_weight) {
                uint32_t j = entry_at(&graph->entries, other)->root, node = (uint32_t)i;
                struct strong_edge strong = {edge->weight, node < j ? node : j, node < j ? j : node,
                                             index};
                if (!strong_edges_push(&component->edges, strong))
                    graph->failed = true;
            }
            index = next;
        }
    }
}

static void collect_verdicts(struct graph *graph)
{
    struct component *component = &graph->component;
    component->verdicts.count = 0;
    for (size_t i = 0; i < component->nodes.count; i++) {
        const struct node *node = &component->nodes.items[i];
        if (!entry_is(&graph->entries, node->slot, ENTRY_DECIDED))
            continue;
        for (uint32_t verdict = verdict_first(&graph->decisions, node->key); verdict != NO_VERDICT;
             verdict = verdict_next(&graph->decisions, node->key, verdict)) {
            const struct decision *decision = verdict_stands(&graph->decisions, verdict);
            uint32_t other = other_slot(graph, verdict, node->key);
            if (decision == NULL || other == NO_SLOT)
                continue;
            /* In this component, and seen from its low end. */
            uint32_t j = entry_at(&graph->entries, other)->root;
            if (j <= i || j >= component->nodes.count || component->nodes.items[j].slot != other)
                continue;
            struct strong_verdict strong = {decision->order, (uint32_t)i, j, verdict,
                                            decision->kind};
            if (!strong_verdicts_push(&component->verdicts, strong))
                graph->failed = true;
        }
    }
}

static void join(struct component *component, uint32_t a, uint32_t b)
{
    a = component_find(component, a);
    b = component_find(component, b);
    if (a == b)
        return;
    struct node *nodes = component->nodes.items;
    uint32_t root = nodes[a].size >= nodes[b].size ? a : b, leaf = root == a ? b : a;
    nodes[leaf].parent = root;
    nodes[root].size += nodes[leaf].size;
    if (nodes[root].greatest < nodes[leaf].greatest)
        nodes[root].greatest = nodes[leaf].greatest;
}

/* Cuts what is still open at a threshold. Closes the pieces that are small enough or that no edge
 * holds together any more; returns how many records stay open. */
static size_t cut(struct graph *graph, double threshold)
{
    struct component *component = &graph->component;
    struct node *nodes = component->nodes.items;
    for (size_t i = 0; i < component->nodes.count; i++) {
        if (!nodes[i].open)
            continue;
        nodes[i].parent = (uint32_t)i;
        nodes[i].size = 1;
        nodes[i].greatest = -INFINITY;
        nodes[i].threshold = threshold;
    }
    for (size_t i = 0; i < component->verdicts.count; i++) {
        const struct strong_verdict *verdict = &component->verdicts.items[i];
        if (verdict->kind == DECISION_ALWAYS && nodes[verdict->a].open && nodes[verdict->b].open)
            join(component, verdict->a, verdict->b);
    }
    for (size_t i = 0; i < component->edges.count; i++) {
        const struct strong_edge *edge = &component->edges.items[i];
        if (edge->weight < threshold || !nodes[edge->low].open || !nodes[edge->high].open)
            continue;
        join(component, edge->low, edge->high);
        struct node *root = &nodes[component_find(component, edge->low)];
        if (root->greatest < edge->weight)
            root->greatest = edge->weight;
    }
    size_t open = 0;
    for (size_t i = 0; i < component->nodes.count; i++)
        if (nodes[i].open)
            nodes[i].piece = component_find(component, (uint32_t)i);
    for (size_t i = 0; i < component->nodes.count; i++) {
        if (!nodes[i].open)
            continue;
        const struct node *root = &nodes[nodes[i].piece];
        nodes[i].open = root->size > graph->limits.component_records && root->greatest >= threshold;
        open += nodes[i].open;
    }
    return open;
}

static void cut_large(struct graph *graph)
{
    struct nodes *nodes = &graph->component.nodes;
    for (size_t i = 0; i < nodes->count; i++)
        nodes->items[i].open = true;
    size_t open = nodes->count;
    for (int step = 1; open && step <= THRESHOLD_STEPS; step++)
        open = cut(graph, graph->link_weight + THRESHOLD_STEP * step);
}

void graph_settle_component(struct graph *graph, size_t first)
{
    size_t count = graph->region.count - first;
    if (count == 1) {
        settle_alone(graph, graph->region.items[first]);
        return;
    }
    collect_nodes(graph, first);
    if (graph->failed)
        return;
    collect_edges(graph);
    collect_verdicts(graph);
    if (graph->failed)
        return;
    if (count > graph->limits.component_records) {
        graph->findings.large_components++;
        cut_large(graph);
    }
    graph_kruskal(graph);
}

void graph_find_components(struct graph *graph)
{
    for (size_t i = 0; i < graph->touched.count && !graph->failed; i++) {
        uint32_t slot = graph->touched.items[i];
        if (!entry_is(&graph->entries, slot, ENTRY_LIVE) ||
            entry_is(&graph->entries, slot, ENTRY_REGION))
            continue;
        size_t first = graph->region.count;
        walk(graph, slot);
        if (!graph->failed)
            graph_settle_component(graph, first);
    }
}
