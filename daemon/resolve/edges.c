/* edges.c - see edges.intern.h. */
#include "daemon/resolve/edges.intern.h"

#define CHUNK_EDGES (1u << EDGE_CHUNK_BITS)

void edges_init(struct edges *edges)
{
    *edges = (struct edges){.first_free = NO_EDGE};
}

void edges_free(struct edges *edges)
{
    for (size_t i = 0; i < edges->chunks.count; i++)
        free(edges->chunks.items[i]);
    edge_chunks_free(&edges->chunks);
}

static uint32_t take_edge(struct edges *edges)
{
    if (edges->first_free != NO_EDGE) {
        uint32_t edge = edges->first_free;
        edges->first_free = edge_at(edges, edge)->next[0];
        return edge;
    }
    if (edges->used == edges->chunks.count << EDGE_CHUNK_BITS) {
        if (edges->used > NO_EDGE - CHUNK_EDGES)
            return NO_EDGE;
        struct edge *chunk = malloc(CHUNK_EDGES * sizeof(*chunk));
        if (chunk == NULL || !edge_chunks_push(&edges->chunks, chunk)) {
            free(chunk);
            return NO_EDGE;
        }
    }
    return edges->used++;
}

uint32_t edges_add(struct edges *edges, const struct entries *entries, uint32_t a, uint32_t b)
{
    uint32_t edge = take_edge(edges);
    if (edge == NO_EDGE)
        return NO_EDGE;
    struct entry *end_a = entry_at(entries, a), *end_b = entry_at(entries, b);
    *edge_at(edges, edge) = (struct edge){
        .slots = {a, b},
        .next = {end_a->first_edge, end_b->first_edge},
    };
    end_a->first_edge = end_b->first_edge = edge;
    edges->count++;
    return edge;
}

void edges_remove(struct edges *edges, uint32_t edge)
{
    edge_at(edges, edge)->state |= EDGE_GONE;
    edges->count--;
}

void edges_sweep(struct edges *edges, const struct entries *entries, uint32_t slot)
{
    uint32_t *link = &entry_at(entries, slot)->first_edge;
    while (*link != NO_EDGE) {
        uint32_t index = *link;
        struct edge *edge = edge_at(edges, index);
        int end = edge_end(edge, slot);
        if (!(edge->state & EDGE_GONE)) {
            link = &edge->next[end];
            continue;
        }
        *link = edge->next[end];
        if (edge->state & EDGE_UNHUNG) {
            edge->next[0] = edges->first_free;
            edges->first_free = index;
        } else {
            edge->state |= EDGE_UNHUNG;
        }
    }
}

uint32_t edges_find(const struct edges *edges, const struct entries *entries, uint32_t a,
                    uint32_t b)
{
    uint32_t of_a = entry_at(entries, a)->first_edge, of_b = entry_at(entries, b)->first_edge;
    while (of_a != NO_EDGE && of_b != NO_EDGE) {
        const struct edge *edge_a = edge_at(edges, of_a), *edge_b = edge_at(edges, of_b);
        int end_a = edge_end(edge_a, a), end_b = edge_end(edge_b, b);
        if (edge_a->slots[!end_a] == b)
            return of_a;
        if (edge_b->slots[!end_b] == a)
            return of_b;
        of_a = edge_a->next[end_a];
        of_b = edge_b->next[end_b];
    }
    return NO_EDGE;
}

size_t edges_bytes(const struct edges *edges)
{
    return edges->chunks.count * CHUNK_EDGES * sizeof(struct edge) +
           edges->chunks.capacity * sizeof(struct edge *);
}
