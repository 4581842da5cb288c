/*
 * edges.intern.h - the judged pairs at or above the review weight, 32 bytes each.
 *
 * An edge hangs in two lists, one of each end. Its state is what the last settle reported of it.
 */
#ifndef TRIBUTARY_RESOLVE_EDGES_INTERN_H
#define TRIBUTARY_RESOLVE_EDGES_INTERN_H

#include "daemon/resolve/entries.intern.h"

enum edge_flag {
    EDGE_REVIEW_MASK = 7, /* enum review_reason, 0 when it is none */
    EDGE_LINK = 8,        /* in the spanning forest */
    EDGE_CHANGED = 16,    /* weight or evidence are not those that were reported */
    EDGE_GONE = 32,       /* to be skipped; waits to be swept out of both lists */
    EDGE_UNHUNG = 64,     /* gone, and out of one of them */
};
#define EDGE_FLAG_BITS 8

struct edge {
    uint32_t slots[2];
    uint32_t next[2]; /* the next edge of slots[0], of slots[1] */
    double weight;
    uint32_t evidence; /* digest of the match result */
    uint32_t state;    /* edge_flag below, 24 bits of the bridge's digest above */
};
VECTOR(edge_chunks, struct edge *)

struct edges {
    struct edge_chunks chunks;
    uint32_t used, first_free; /* chained by next[0] */
    size_t count;
};

#define EDGE_CHUNK_BITS 12

void edges_init(struct edges *edges);
void edges_free(struct edges *edges);
static inline struct edge *edge_at(const struct edges *edges, uint32_t edge)
{
    return &edges->chunks.items[edge >> EDGE_CHUNK_BITS][edge & ((1u << EDGE_CHUNK_BITS) - 1)];
}
/* 0 or 1: which end the slot is. */
static inline int edge_end(const struct edge *edge, uint32_t slot)
{
    return edge->slots[1] == slot;
}
/* NO_EDGE when out of memory. The pair must not have one. */
uint32_t edges_add(struct edges *edges, const struct entries *entries, uint32_t a, uint32_t b);
/* Marks an edge as gone. Lists are singly linked, and hubs have long ones: so gone edges stay in
 * them until edges_sweep is called once for each of their ends. */
void edges_remove(struct edges *edges, uint32_t edge);
void edges_sweep(struct edges *edges, const struct entries *entries, uint32_t slot);
/* NO_EDGE when the pair has none. Nothing may be gone and not swept. Walks both lists in step: as
 * long as the shorter one. */
uint32_t edges_find(const struct edges *edges, const struct entries *entries, uint32_t a,
                    uint32_t b);
size_t edges_bytes(const struct edges *edges);

#endif
