/* slot_map.c - see slot_map.intern.h. The home of a hash is its upper half scaled to the capacity.
 */
#include "daemon/resolve/slot_map.intern.h"

#include <stdlib.h>
#include <string.h>

#define EMPTY     UINT32_MAX
#define SLOT_MASK (((uint32_t)1 << SLOT_BITS) - 1)

static uint32_t home_of(const struct slot_map *map, uint64_t hash)
{
    return (uint32_t)(((hash >> 32) * map->capacity) >> 32);
}

static uint32_t item_of(uint64_t hash, uint32_t slot)
{
    return (uint32_t)(hash & 0x3F) << SLOT_BITS | slot;
}

void slot_map_free(struct slot_map *map)
{
    free(map->items);
    map->items = NULL;
    map->capacity = map->count = 0;
}

static void place(struct slot_map *map, uint64_t hash, uint32_t slot)
{
    uint32_t index = home_of(map, hash);
    while (map->items[index] != EMPTY)
        index = index + 1 == map->capacity ? 0 : index + 1;
    map->items[index] = item_of(hash, slot);
}

static bool resize(struct slot_map *map, uint64_t capacity)
{
    struct slot_map bigger = *map;
    if (capacity > UINT32_MAX)
        return false;
    bigger.capacity = (uint32_t)capacity;
    bigger.items = malloc((size_t)capacity * sizeof(uint32_t));
    if (bigger.items == NULL)
        return false;
    memset(bigger.items, 0xFF, (size_t)capacity * sizeof(uint32_t));
    for (uint32_t i = 0; i < map->capacity; i++) {
        if (map->items[i] == EMPTY)
            continue;
        uint32_t slot = map->items[i] & SLOT_MASK;
        place(&bigger, map->hash_of(map->owner, slot), slot);
    }
    free(map->items);
    *map = bigger;
    return true;
}

static bool grow(struct slot_map *map)
{
    return resize(map, map->capacity < 64 ? 64 : (uint64_t)map->capacity * 5 / 4);
}

void slot_map_expect(struct slot_map *map, size_t more)
{
    uint64_t wanted = ((uint64_t)map->count + more) * 5 / 4 + 1;
    if (wanted > map->capacity)
        (void)resize(map, wanted);
}

bool slot_map_add(struct slot_map *map, uint64_t hash, uint32_t slot)
{
    if ((uint64_t)(map->count + 1) * 5 > (uint64_t)map->capacity * 4 && !grow(map))
        return false;
    place(map, hash, slot);
    map->count++;
    return true;
}

static uint32_t probe_on(const struct slot_map *map, struct slot_probe *probe)
{
    uint32_t tag = (uint32_t)(probe->hash & 0x3F);
    for (;;) {
        uint32_t item = map->items[probe->index];
        if (item == EMPTY)
            return NO_SLOT;
        if (item >> SLOT_BITS == tag)
            return item & SLOT_MASK;
        probe->index = probe->index + 1 == map->capacity ? 0 : probe->index + 1;
    }
}

void slot_map_prefetch(const struct slot_map *map, uint64_t hash)
{
    if (map->items)
        __builtin_prefetch(&map->items[home_of(map, hash)]);
}

uint32_t slot_map_first(const struct slot_map *map, uint64_t hash, struct slot_probe *probe)
{
    if (map->count == 0)
        return NO_SLOT;
    probe->hash = hash;
    probe->index = home_of(map, hash);
    return probe_on(map, probe);
}

uint32_t slot_map_next(const struct slot_map *map, struct slot_probe *probe)
{
    probe->index = probe->index + 1 == map->capacity ? 0 : probe->index + 1;
    return probe_on(map, probe);
}

void slot_map_remove(struct slot_map *map, uint64_t hash, uint32_t slot)
{
    if (map->count == 0)
        return;
    uint32_t hole = home_of(map, hash);
    while (map->items[hole] != item_of(hash, slot)) {
        if (map->items[hole] == EMPTY)
            return;
        hole = hole + 1 == map->capacity ? 0 : hole + 1;
    }
    /* Whatever stands behind the hole and whose home is not behind it moves into it. */
    for (uint32_t index = hole;;) {
        index = index + 1 == map->capacity ? 0 : index + 1;
        uint32_t item = map->items[index];
        if (item == EMPTY)
            break;
        uint32_t home = home_of(map, map->hash_of(map->owner, item & SLOT_MASK));
        bool stays = hole <= index ? hole < home && home <= index : hole < home || home <= index;
        if (!stays) {
            map->items[hole] = item;
            hole = index;
        }
    }
    map->items[hole] = EMPTY;
    map->count--;
}
