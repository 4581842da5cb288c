/*
 * graph_kruskal.c - the customers of one component, by constrained Kruskal.
 *
 * 1. Decisions, newest first. A `never` whose ends are not together by then is active from then
 *    on; one whose ends newer `always` have already joined is overruled. An `always` joins its
 *    ends, whatever their identities, unless that would join an active (so: newer) `never` or
 *    exceed the size cap; then it is refused and becomes a review. An `always` between a person
 *    and a company joins nothing.
 * 2. Edges, by weight descending, then by the lower and the higher natural key. A union is refused
 *    when it would join an active `never`, two different identities of persons, or exceed the size
 *    cap (tested in this order; the bridge of a `never` is the newest that forbids it). A pair with
 * a decision of its own is not an edge here: the decision has spoken for it.
 *
 * An identity conflict is one that the union would bring about: a set joined by decision across two
 * identities goes on taking in records of both. In a component that had to be cut, edges below the
 * raised threshold of their piece, or between pieces, join nothing; when they end between two
 * customers they count as refused for size, after all that were refused in their turn.
 *
 * Of all refusals between the same two customers the first becomes a review: it is one question,
 * and two customers that may not be joined can be held apart against thousands of edges.
 *
 * Sets only grow, so what is refused once stays refused, and ends of a refused union are never
 * together.
 */
#include "daemon/resolve/graph.intern.h"

#define NO_NODE  UINT32_MAX
#define NO_NEVER UINT32_MAX

struct refusal {
    enum review_reason reason; /* 0: none */
    uint64_t bridge_a, bridge_b;
};

uint32_t component_find(struct component *component, uint32_t node)
{
    struct node *nodes = component->nodes.items;
    while (nodes[node].parent != node) {
        nodes[node].parent = nodes[nodes[node].parent].parent;
        node = nodes[node].parent;
    }
    return node;
}

static uint64_t record_of(const struct graph *graph, uint32_t node)
{
    uint32_t slot = graph->component.nodes.items[node].slot;
    return slot;
}

static void start_sets(struct graph *graph)
{
    struct nodes *nodes = &graph->component.nodes;
    graph->component.nevers.count = 0;
    for (size_t i = 0; i < nodes->count; i++) {
        struct node *node = &nodes->items[i];
        struct features_room room;
        struct slice features = entries_features(&graph->entries, node->slot, &room);
        node->parent = (uint32_t)i;
        node->size = 1;
        node->never_first = node->never_last = NO_NEVER;
        node->never_count = 0;
        node->facts[FACT_IDENTITY].value =
            graph->ops->kind(features) == KIND_PERSON ? graph->ops->identity(features) : 0;
        node->facts[FACT_NAME].value = graph->ops->name_key(features);
        for (int kind = 0; kind < FACT_KINDS; kind++) {
            struct node_fact *fact = &node->facts[kind];
            fact->first = fact->last = fact->value ? (uint32_t)i : NO_NODE;
            fact->next = NO_NODE;
            fact->holder = (uint32_t)i;
        }
    }
}

static uint32_t find_fact(const struct node *nodes, enum fact_kind kind, uint32_t root, uint64_t value)
{
    uint32_t at = nodes[root].facts[kind].first;
    while (at != NO_NODE && nodes[at].facts[kind].value != value)
        at = nodes[at].facts[kind].next;
    return at;
}

/* An identity or name of set a that set b lacks; of several the one whose record has the smallest
 * natural key (nodes are numbered in that order). NO_NODE when b has them all. */
static uint32_t fact_missing(const struct node *nodes, enum fact_kind kind, uint32_t a, uint32_t b)
{
    uint32_t found = NO_NODE;
    for (uint32_t at = nodes[a].facts[kind].first; at != NO_NODE; at = nodes[at].facts[kind].next) {
        const struct node_fact *fact = &nodes[at].facts[kind];
        if (find_fact(nodes, kind, b, fact->value) == NO_NODE && (found == NO_NODE || fact->holder < found))
            found = fact->holder;
    }
    return found;
}

/* Whether both sets have such facts and none in common. */
static bool facts_are_apart(const struct node *nodes, enum fact_kind kind, uint32_t a, uint32_t b)
{
    uint32_t at = nodes[a].facts[kind].first;
    if (at == NO_NODE || nodes[b].facts[kind].first == NO_NODE)
        return false;
    while (at != NO_NODE && find_fact(nodes, kind, b, nodes[at].facts[kind].value) == NO_NODE)
        at = nodes[at].facts[kind].next;
    return at == NO_NODE;
}

/* Moves b's facts of a kind into a's list. Almost always there is one, or none. */
static void join_facts(struct node *nodes, enum fact_kind kind, uint32_t a, uint32_t b)
{
    struct node_fact *into = &nodes[a].facts[kind];
    for (uint32_t at = nodes[b].facts[kind].first; at != NO_NODE;) {
        struct node_fact *fact = &nodes[at].facts[kind];
        uint32_t next = fact->next, same = find_fact(nodes, kind, a, fact->value);
        fact->next = NO_NODE;
        if (same != NO_NODE) {
            if (fact->holder < nodes[same].facts[kind].holder)
                nodes[same].facts[kind].holder = fact->holder;
        } else if (into->first == NO_NODE) {
            into->first = into->last = at;
        } else {
            nodes[into->last].facts[kind].next = at;
            into->last = at;
        }
        at = next;
    }
}

static void join_nevers(struct component *component, uint32_t a, uint32_t b)
{
    struct node *nodes = component->nodes.items;
    if (nodes[b].never_first == NO_NEVER)
        return;
    if (nodes[a].never_first == NO_NEVER)
        nodes[a].never_first = nodes[b].never_first;
    else
        component->nevers.items[nodes[a].never_last].next = nodes[b].never_first;
    nodes[a].never_last = nodes[b].never_last;
    nodes[a].never_count += nodes[b].never_count;
}

static void unite(struct component *component, uint32_t a, uint32_t b)
{
    struct node *nodes = component->nodes.items;
    if (nodes[a].size < nodes[b].size) {
        uint32_t swap = a;
        a = b;
        b = swap;
    }
    nodes[b].parent = a;
    nodes[a].size += nodes[b].size;
    for (int kind = 0; kind < FACT_KINDS; kind++)
        join_facts(nodes, (enum fact_kind)kind, a, b);
    join_nevers(component, a, b);
}

/* The newest active never between two sets, or NULL; *turned when its `here` is in b. */
static const struct never *never_between(struct component *component, uint32_t a, uint32_t b,
                                         bool *turned)
{
    struct node *nodes = component->nodes.items;
    const struct never *found = NULL;
    *turned = nodes[b].never_count < nodes[a].never_count;
    uint32_t from = *turned ? b : a, to = *turned ? a : b;
    for (uint32_t at = nodes[from].never_first; at != NO_NEVER;) {
        const struct never *never = &component->nevers.items[at];
        if (component_find(component, never->there) == to &&
            (found == NULL || found->order < never->order))
            found = never;
        at = never->next;
    }
    return found;
}

/* Two sets that a record of each holds apart; nothing when one has all that the other has. */
static struct refusal refuse_facts(const struct graph *graph, enum fact_kind kind, enum review_reason reason,
                                   uint32_t a, uint32_t b)
{
    const struct node *nodes = graph->component.nodes.items;
    uint32_t only_a = fact_missing(nodes, kind, a, b), only_b = fact_missing(nodes, kind, b, a);
    if (only_a == NO_NODE || only_b == NO_NODE)
        return (struct refusal){0};
    return (struct refusal){
        .reason = reason,
        .bridge_a = record_of(graph, only_a),
        .bridge_b = record_of(graph, only_b),
    };
}

/* `edge` is what would join the sets; NULL: a decision. */
static struct refusal refuse(struct graph *graph, uint32_t a, uint32_t b, const struct strong_edge *edge)
{
    struct component *component = &graph->component;
    const struct node *nodes = component->nodes.items;
    bool turned;
    const struct never *never = never_between(component, a, b, &turned);
    if (never)
        return (struct refusal){
            .reason = REVIEW_NEVER,
            .bridge_a = record_of(graph, turned ? never->there : never->here),
            .bridge_b = record_of(graph, turned ? never->here : never->there),
        };
    if (edge && nodes[a].facts[FACT_IDENTITY].first != NO_NODE) {
        struct refusal refusal = refuse_facts(graph, FACT_IDENTITY, REVIEW_IDENTITY, a, b);
        if (refusal.reason)
            return refusal;
    }
    if (edge && edge->weight < graph->link_weight + GRAPH_CERTAIN_BITS &&
        (nodes[edge->low].facts[FACT_NAME].value == 0 || nodes[edge->high].facts[FACT_NAME].value == 0) &&
        facts_are_apart(nodes, FACT_NAME, a, b))
        return refuse_facts(graph, FACT_NAME, REVIEW_NAME, a, b);
    if ((uint64_t)nodes[a].size + nodes[b].size > graph->limits.customer_records)
        return (struct refusal){.reason = REVIEW_SIZE};
    return (struct refusal){0};
}

static void add_never(struct graph *graph, uint32_t here, uint32_t there, uint64_t order)
{
    struct component *component = &graph->component;
    struct never never = {.here = here, .there = there, .next = NO_NEVER, .order = order};
    if (!nevers_push(&component->nevers, never)) {
        graph->failed = true;
        return;
    }
    uint32_t at = (uint32_t)component->nevers.count - 1;
    struct node *root = &component->nodes.items[component_find(component, here)];
    if (root->never_first == NO_NEVER)
        root->never_first = at;
    else
        component->nevers.items[root->never_last].next = at;
    root->never_last = at;
    root->never_count++;
}

static enum record_kind kind_of(const struct graph *graph, uint32_t node)
{
    uint32_t slot = graph->component.nodes.items[node].slot;
    struct features_room room;
    return graph->ops->kind(entries_features(&graph->entries, slot, &room));
}

static void apply_verdict(struct graph *graph, const struct strong_verdict *strong)
{
    struct component *component = &graph->component;
    struct verdict *verdict = verdict_at(&graph->decisions, strong->verdict);
    uint32_t a = component_find(component, strong->a), b = component_find(component, strong->b);
    verdict->found = (struct verdict_state){0};
    verdict->found_in = graph->settle_number;
    if (a == b)
        return;
    if (strong->kind == DECISION_NEVER) {
        add_never(graph, strong->a, strong->b, strong->order);
        add_never(graph, strong->b, strong->a, strong->order);
        return;
    }
    if (kind_of(graph, strong->a) != kind_of(graph, strong->b))
        return;
    struct refusal refusal = refuse(graph, a, b, NULL);
    if (refusal.reason == 0) {
        unite(component, a, b);
        verdict->found.linked = strong->order;
        return;
    }
    uint32_t edge =
        edges_find(&graph->edges, &graph->entries, component->nodes.items[strong->a].slot,
                   component->nodes.items[strong->b].slot);
    verdict->found.review = refusal.reason;
    verdict->found.bridge_a = refusal.bridge_a; /* on the side of the low key */
    verdict->found.bridge_b = refusal.bridge_b;
    verdict->found.weight = edge == NO_EDGE ? 0.0 : edge_at(&graph->edges, edge)->weight;
}

static int by_order_descending(const void *a, const void *b)
{
    uint64_t order_a = ((const struct strong_verdict *)a)->order;
    uint64_t order_b = ((const struct strong_verdict *)b)->order;
    return order_a > order_b ? -1 : order_a < order_b;
}

static int by_weight_descending(const void *a, const void *b)
{
    const struct strong_edge *edge_a = a, *edge_b = b;
    if (edge_a->weight != edge_b->weight)
        return edge_a->weight > edge_b->weight ? -1 : 1;
    if (edge_a->low != edge_b->low)
        return edge_a->low < edge_b->low ? -1 : 1;
    return edge_a->high < edge_b->high ? -1 : edge_a->high > edge_b->high;
}

/* Tells what became of an edge; bridges come on the sides of low and high. */
static void found(struct graph *graph, const struct refused_edge *refused, bool linked)
{
    const struct edge *edge = edge_at(&graph->edges, refused->edge.edge);
    bool turned = graph->component.nodes.items[refused->edge.low].slot != edge->slots[0];
    graph_found_edge(graph, refused->edge.edge, linked, refused->reason,
                     turned ? refused->bridge_high : refused->bridge_low,
                     turned ? refused->bridge_low : refused->bridge_high);
}

/* Whether this is the first review between two customers. */
static bool first_between(struct graph *graph, uint32_t node_a, uint32_t node_b)
{
    struct component *component = &graph->component;
    uint32_t a = component_find(component, node_a), b = component_find(component, node_b);
    uint64_t pair = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
    if (u64_map_get(&component->reviewed, pair) != NO_VALUE)
        return false;
    if (!u64_map_set(&component->reviewed, pair, 1))
        graph->failed = true;
    return true;
}

/* Once all unions are made: which refusals become reviews. */
static void find_reviews(struct graph *graph)
{
    struct component *component = &graph->component;
    u64_map_clear(&component->reviewed);
    for (size_t i = 0; i < component->verdicts.count; i++) {
        const struct strong_verdict *strong = &component->verdicts.items[i];
        if (verdict_at(&graph->decisions, strong->verdict)->found.review)
            (void)first_between(graph, strong->a, strong->b); /* told in any case */
    }
    for (size_t i = 0; i < component->refused.count; i++) {
        struct refused_edge *refused = &component->refused.items[i];
        if (!first_between(graph, refused->edge.low, refused->edge.high))
            *refused = (struct refused_edge){.edge = refused->edge};
        found(graph, refused, false);
    }
}

static bool is_usable(const struct graph *graph, const struct strong_edge *strong)
{
    const struct node *low = &graph->component.nodes.items[strong->low];
    return low->piece == graph->component.nodes.items[strong->high].piece &&
           strong->weight >= low->threshold;
}

static void push_refused(struct graph *graph, const struct strong_edge *strong,
                         const struct refusal *refusal)
{
    struct refused_edge refused = {*strong, refusal->reason, refusal->bridge_a, refusal->bridge_b};
    if (!refused_edges_push(&graph->component.refused, refused))
        graph->failed = true;
}

static void apply_edge(struct graph *graph, const struct strong_edge *strong)
{
    struct component *component = &graph->component;
    const struct refused_edge nothing = {.edge = *strong};
    uint32_t a = component_find(component, strong->low);
    uint32_t b = component_find(component, strong->high);
    if (a == b || graph_edge_is_decided(graph, edge_at(&graph->edges, strong->edge))) {
        found(graph, &nothing, false);
        return;
    }
    struct refusal refusal = refuse(graph, a, b, strong);
    if (refusal.reason) {
        push_refused(graph, strong, &refusal);
        return;
    }
    unite(component, a, b);
    found(graph, &nothing, true);
}

/* An edge that a raised threshold left out. */
static void apply_left_out(struct graph *graph, const struct strong_edge *strong)
{
    struct component *component = &graph->component;
    const struct refused_edge nothing = {.edge = *strong};
    const struct refusal refusal = {.reason = REVIEW_SIZE};
    if (component_find(component, strong->low) == component_find(component, strong->high) ||
        graph_edge_is_decided(graph, edge_at(&graph->edges, strong->edge)))
        found(graph, &nothing, false);
    else
        push_refused(graph, strong, &refusal);
}

static int by_record_id(const void *a, const void *b)
{
    uint64_t id_a = ((const struct ordered_id *)a)->record_id;
    uint64_t id_b = ((const struct ordered_id *)b)->record_id;
    return id_a < id_b ? -1 : id_a > id_b;
}

/* Writes the customers into the entries: root, ring of members, moves. */
static void finish(struct graph *graph)
{
    struct component *component = &graph->component;
    struct node *nodes = component->nodes.items;
    size_t count = component->nodes.count;
    component->ids.count = 0;
    if (!ordered_ids_reserve(&component->ids, count)) {
        graph->failed = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        component->ids.items[component->ids.count++] = (struct ordered_id){record_of(graph, i), i};
        nodes[i].piece = NO_SLOT; /* from here on, of a set's root: its last member so far */
    }
    qsort(component->ids.items, count, sizeof(struct ordered_id), by_record_id);
    for (size_t i = 0; i < count; i++) {
        struct node *node = &nodes[component->ids.items[i].node];
        struct node *set = &nodes[component_find(component, component->ids.items[i].node)];
        struct entry *entry = entry_at(&graph->entries, node->slot);
        if (set->piece == NO_SLOT) {
            entry->root = entry->next_member = node->slot;
            graph->customer_count++;
        } else {
            struct entry *last = entry_at(&graph->entries, set->piece);
            entry->root = last->root;
            entry->next_member = last->next_member;
            last->next_member = node->slot;
        }
        set->piece = node->slot;
        graph_found_move(graph, node->slot, node->from, entry->root);
    }
}

void graph_kruskal(struct graph *graph)
{
    struct component *component = &graph->component;
    component->refused.count = 0;
    start_sets(graph);
    if (component->verdicts.count > 1)
        qsort(component->verdicts.items, component->verdicts.count, sizeof(struct strong_verdict),
              by_order_descending);
    if (component->edges.count > 1)
        qsort(component->edges.items, component->edges.count, sizeof(struct strong_edge),
              by_weight_descending);
    for (size_t i = 0; i < component->verdicts.count; i++)
        apply_verdict(graph, &component->verdicts.items[i]);
    for (size_t i = 0; i < component->edges.count; i++)
        if (is_usable(graph, &component->edges.items[i]))
            apply_edge(graph, &component->edges.items[i]);
    for (size_t i = 0; i < component->edges.count; i++)
        if (!is_usable(graph, &component->edges.items[i]))
            apply_left_out(graph, &component->edges.items[i]);
    find_reviews(graph);
    finish(graph);
}
