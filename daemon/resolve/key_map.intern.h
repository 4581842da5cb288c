/*
 * key_map.intern.h - from a blocking key's hash to its posting: 10 bytes a key and little more.
 *
 * 65,536 short arrays, chosen by 16 bits of the (mixed) hash, so that an item need keep only the
 * other 48. Each is sorted by hash and packed; as hashes are spread evenly, an item is looked for
 * near where it should be, and is found within a cache line or two. The hash is compared whole:
 * nothing here is approximate.
 */
#ifndef TRIBUTARY_RESOLVE_KEY_MAP_INTERN_H
#define TRIBUTARY_RESOLVE_KEY_MAP_INTERN_H

#include "daemon/resolve/postings.intern.h"

struct key_item {
    uint16_t hash[3];
    uint16_t reference[2];
};

struct key_shard {
    struct key_item *items;
    uint32_t count, capacity;
};

struct key_map {
    struct key_shard *shards;
    struct postings postings;
    size_t key_count, posting_count; /* postings: pairs of key and holder */
    size_t item_bytes;
};

/* False when out of memory. */
bool key_map_init(struct key_map *map, const struct entries *entries,
                  const struct graph_matcher_ops *ops);
void key_map_free(struct key_map *map);

/* A pair of a key and a holder, for key_map_build. The hash is mixed; the heaps are in the order of the shards. */
struct key_holder {
    uint32_t high, low;
    uint32_t holder; /* its slot, and in the lowest bit whether names are counted */
};
#define KEY_HEAPS       256
#define KEY_HEAP_SHARDS 256
struct key_holder key_holder_of(uint64_t hash, uint32_t slot);
static inline uint32_t key_holder_slot(const struct key_holder *holder)
{
    return holder->holder >> 1;
}
static inline size_t key_holder_heap(const struct key_holder *holder)
{
    return holder->high >> 24;
}
/* The holders of one heap, which came in parts, in order: *sorted (to be freed, whatever comes out), a shard from
 * starts[i] to starts[i + 1]. Any thread. False when out of memory. */
bool key_heap_sort(struct key_holder *const *parts, const size_t *counts, size_t part_count, struct key_holder **sorted,
                   size_t starts[KEY_HEAP_SHARDS + 1]);
/* Name keys by slot, in chunks like those of the entries. */
VECTOR(slot_names, uint64_t *)
static inline uint64_t *slot_name(const struct slot_names *names, uint32_t slot)
{
    return &names->items[slot >> ENTRY_CHUNK_BITS][slot & ((1u << ENTRY_CHUNK_BITS) - 1)];
}
/* Puts in all holders of one heap, of which nothing is in the map yet. False when out of memory: the map is of no use
 * then. */
bool key_map_build(struct key_map *map, size_t heap, const struct key_holder *sorted,
                   const size_t starts[KEY_HEAP_SHARDS + 1], const struct slot_names *names);

struct key_change {
    struct posting_size before, after;
};
/* As postings_add and postings_remove; the name matters to values only. */
bool key_map_add(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                 struct key_change *change);
bool key_map_remove(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                    struct key_change *change);
/* The posting of a key: NO_POSTING when nobody holds it. */
uint32_t key_map_find(const struct key_map *map, uint64_t hash);
/* Brings near what adding, removing or finding these keys will read: the items, the postings, and
 * one holder of each with its features. Several keys at a time, for their waits overlap. */
void key_map_prefetch(const struct key_map *map, const struct match_key *keys, size_t count);
size_t key_map_bytes(const struct key_map *map); /* without postings */

#endif
