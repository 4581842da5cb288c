/*
 * key_map.intern.h - from a blocking key's hash to its posting: 10 bytes a key.
 *
 * 65,536 small open-addressing tables, chosen by 16 bits of the (mixed) hash, so that the items
 * need keep only the other 48 and each table grows by itself. The hash is compared whole: nothing
 * here is approximate.
 */
#ifndef TRIBUTARY_RESOLVE_KEY_MAP_INTERN_H
#define TRIBUTARY_RESOLVE_KEY_MAP_INTERN_H

#include "daemon/resolve/postings.intern.h"

struct key_item {
    uint16_t hash[3];
    uint16_t reference[2]; /* NO_POSTING: empty */
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

struct key_change {
    struct posting_size before, after;
};
/* As postings_add and postings_remove. */
bool key_map_add(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                 struct key_change *change);
bool key_map_remove(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                    struct key_change *change);
/* The posting of a key: NO_POSTING when nobody holds it. */
uint32_t key_map_find(const struct key_map *map, uint64_t hash);
/* Brings the memory near that a later call will read. */
void key_map_prefetch_shard(const struct key_map *map, uint64_t hash);
void key_map_prefetch_item(const struct key_map *map, uint64_t hash);
size_t key_map_bytes(const struct key_map *map);

#endif
