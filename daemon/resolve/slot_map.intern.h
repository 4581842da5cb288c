/*
 * slot_map.intern.h - finds slots by a hash: open addressing, 4 bytes an item.
 *
 * The map keeps only slots (26 bits) and 6 bits of their hash; what a slot stands for is compared
 * by the caller, and a growing map asks `hash_of` for the hash again. Linear probing, deletion by
 * shifting back, so there are no tombstones.
 */
#ifndef TRIBUTARY_RESOLVE_SLOT_MAP_INTERN_H
#define TRIBUTARY_RESOLVE_SLOT_MAP_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOT_BITS 26
#define SLOTS_MAX (((uint32_t)1 << SLOT_BITS) - 2) /* the all-ones item is `empty` */
#define NO_SLOT   UINT32_MAX

struct slot_map {
    uint32_t *items;
    uint32_t capacity, count;
    uint64_t (*hash_of)(const void *owner, uint32_t slot);
    const void *owner;
};

struct slot_probe {
    uint64_t hash;
    uint32_t index;
};

void slot_map_free(struct slot_map *map);
/* False when out of memory. The slot must not be in it. */
bool slot_map_add(struct slot_map *map, uint64_t hash, uint32_t slot);
/* Nothing happens when it is not there. */
void slot_map_remove(struct slot_map *map, uint64_t hash, uint32_t slot);
/* The slots that may have this hash, one after another; NO_SLOT at the end. */
uint32_t slot_map_first(const struct slot_map *map, uint64_t hash, struct slot_probe *probe);
uint32_t slot_map_next(const struct slot_map *map, struct slot_probe *probe);
void slot_map_prefetch(const struct slot_map *map, uint64_t hash);
/* Makes room for so many more at once; when there is no memory, it grows later. */
void slot_map_expect(struct slot_map *map, size_t more);
static inline size_t slot_map_bytes(const struct slot_map *map)
{
    return (size_t)map->capacity * sizeof(uint32_t);
}

#endif
