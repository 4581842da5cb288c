/*
 * graph_found.c - what a settle found, held against what the one before it reported.
 *
 * Edges and verdicts carry what was last reported of them; only differences are noted. When nothing
 * is to be reported (a warm start), the state is kept up all the same.
 */
#include "daemon/resolve/graph.intern.h"

static struct pair_ids ordered(uint64_t a, uint64_t b)
{
    return a < b ? (struct pair_ids){a, b} : (struct pair_ids){b, a};
}

static void push_gone(struct graph *graph, struct found_pairs *list, struct pair_ids pair)
{
    if (graph->reporting && !found_pairs_push(list, pair))
        graph->failed = true;
}

static void push_link(struct graph *graph, struct pair_ids pair, uint32_t edge, uint64_t decision)
{
    struct found_link link = {.a = pair.a, .b = pair.b, .decision = decision, .edge = edge};
    if (graph->reporting && !found_links_push(&graph->findings.links, link))
        graph->failed = true;
}

static void push_review(struct graph *graph, uint64_t a, uint64_t b, enum review_reason reason,
                        uint64_t bridge_a, uint64_t bridge_b, double weight)
{
    struct graph_review review = {
        .a = a,
        .b = b,
        .reason = reason,
        .bridge_a = bridge_a,
        .bridge_b = bridge_b,
        .weight = weight,
    };
    if (a > b) {
        review.a = b;
        review.b = a;
        review.bridge_a = bridge_b;
        review.bridge_b = bridge_a;
    }
    if (graph->reporting && !found_reviews_push(&graph->findings.reviews, review))
        graph->failed = true;
}

/* 24 bits: tells whether the bridge is still the one that was reported. */
static uint32_t bridge_digest(uint64_t bridge_0, uint64_t bridge_1)
{
    uint64_t digest = (bridge_0 * 0x9E3779B97F4A7C15u ^ bridge_1) * 0xD6E8FEB86659FD93u;
    return (uint32_t)(digest >> 40) << EDGE_FLAG_BITS;
}

void graph_found_edge(struct graph *graph, uint32_t index, bool linked, enum review_reason review,
                      uint64_t bridge_0, uint64_t bridge_1)
{
    struct edge *edge = edge_at(&graph->edges, index);
    uint32_t state = (linked ? EDGE_LINK : 0u) | (uint32_t)review |
                     (review ? bridge_digest(bridge_0, bridge_1) : 0);
    uint32_t reported = edge->state;
    edge->state = state;
    if (state == reported)
        return;
    uint64_t id_0 = edge->slots[0], id_1 = edge->slots[1];
    bool changed = reported & EDGE_CHANGED, was_linked = reported & EDGE_LINK;
    if (linked && (changed || !was_linked))
        push_link(graph, ordered(id_0, id_1), index, 0);
    else if (was_linked && !linked)
        push_gone(graph, &graph->findings.gone_links, ordered(id_0, id_1));
    if (review && (changed || (state ^ reported) & ~(uint32_t)EDGE_LINK))
        push_review(graph, id_0, id_1, review, bridge_0, bridge_1, edge->weight);
    else if (!review && reported & EDGE_REVIEW_MASK)
        push_gone(graph, &graph->findings.gone_reviews, ordered(id_0, id_1));
}

void graph_found_edge_gone(struct graph *graph, const struct edge *edge)
{
    struct pair_ids pair = ordered(edge->slots[0], edge->slots[1]);
    if (edge->state & EDGE_LINK)
        push_gone(graph, &graph->findings.gone_links, pair);
    if (edge->state & EDGE_REVIEW_MASK)
        push_gone(graph, &graph->findings.gone_reviews, pair);
}

void graph_found_move(struct graph *graph, uint64_t record_id, uint64_t from, uint64_t to)
{
    struct graph_move move = {.record_id = record_id, .from = from, .to = to};
    graph->differs |= graph->restoring && from != to;
    if (graph->reporting && from != to && !found_moves_push(&graph->findings.moves, move))
        graph->failed = true;
}

static bool same_review(const struct verdict_state *a, const struct verdict_state *b)
{
    return a->review == b->review && a->bridge_a == b->bridge_a && a->bridge_b == b->bridge_b &&
           a->weight == b->weight;
}

void graph_found_verdict(struct graph *graph, uint32_t index)
{
    struct verdict *verdict = verdict_at(&graph->decisions, index);
    if (verdict->found_in != graph->settle_number) {
        verdict->found = (struct verdict_state){0};
        verdict->found_in = graph->settle_number;
    }
    struct verdict_state found = verdict->found, reported = verdict->reported;
    verdict->reported = found;
    struct pair_ids before = ordered(verdict->id_low, verdict->id_high);
    if (found.linked || found.review) {
        verdict->id_low = entries_by_key(&graph->entries, verdict->low);
        verdict->id_high = entries_by_key(&graph->entries, verdict->high);
    }
    struct pair_ids now = ordered(verdict->id_low, verdict->id_high);
    bool moved = before.a != now.a || before.b != now.b;
    if (reported.linked && (!found.linked || moved))
        push_gone(graph, &graph->findings.gone_links, before);
    if (found.linked && (found.linked != reported.linked || moved))
        push_link(graph, now, NO_EDGE, found.linked);
    if (reported.review && (!found.review || moved))
        push_gone(graph, &graph->findings.gone_reviews, before);
    if (found.review && (!same_review(&found, &reported) || moved))
        push_review(graph, verdict->id_low, verdict->id_high, found.review, found.bridge_a,
                    found.bridge_b, found.weight);
}
