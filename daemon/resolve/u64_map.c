/* u64_map.c - see u64_map.intern.h. */
#include "daemon/resolve/u64_map.intern.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_CAPACITY ((size_t)1 << 16)

static size_t home_of(const struct u64_map *map, uint64_t key)
{
    key ^= key >> 32;
    return (size_t)(key * 0x9E3779B97F4A7C15u >> 20) & (map->capacity - 1);
}

void u64_map_free(struct u64_map *map)
{
    free(map->items);
    *map = (struct u64_map){0};
}

void u64_map_clear(struct u64_map *map)
{
    if (map->count == 0)
        return;
    if (map->capacity > KEPT_CAPACITY) {
        u64_map_free(map);
        return;
    }
    memset(map->items, 0xFF, map->capacity * sizeof(*map->items));
    map->count = 0;
}

static struct u64_item *find(const struct u64_map *map, uint64_t key)
{
    size_t index = home_of(map, key);
    while (map->items[index].value != NO_VALUE && map->items[index].key != key)
        index = (index + 1) & (map->capacity - 1);
    return &map->items[index];
}

static bool grow(struct u64_map *map)
{
    struct u64_map bigger = {.count = map->count,
                             .capacity = map->capacity ? map->capacity * 2 : 32};
    bigger.items = malloc(bigger.capacity * sizeof(*bigger.items));
    if (bigger.items == NULL)
        return false;
    memset(bigger.items, 0xFF, bigger.capacity * sizeof(*bigger.items));
    for (size_t i = 0; i < map->capacity; i++)
        if (map->items[i].value != NO_VALUE)
            *find(&bigger, map->items[i].key) = map->items[i];
    free(map->items);
    *map = bigger;
    return true;
}

bool u64_map_set(struct u64_map *map, uint64_t key, uint32_t value)
{
    struct u64_item *item = map->capacity ? find(map, key) : NULL;
    if (item && item->value != NO_VALUE) {
        item->value = value; /* replacing needs no memory */
        return true;
    }
    if (map->count * 3 >= map->capacity * 2) {
        if (!grow(map))
            return false;
        item = find(map, key);
    }
    map->count++;
    *item = (struct u64_item){key, value};
    return true;
}

uint32_t u64_map_get(const struct u64_map *map, uint64_t key)
{
    return map->count ? find(map, key)->value : NO_VALUE;
}

void u64_map_remove(struct u64_map *map, uint64_t key)
{
    if (map->count == 0)
        return;
    size_t hole = (size_t)(find(map, key) - map->items), mask = map->capacity - 1;
    if (map->items[hole].value == NO_VALUE)
        return;
    for (size_t i = (hole + 1) & mask; map->items[i].value != NO_VALUE; i = (i + 1) & mask) {
        size_t home = home_of(map, map->items[i].key);
        bool stays = hole <= i ? hole < home && home <= i : hole < home || home <= i;
        if (stays)
            continue;
        map->items[hole] = map->items[i];
        hole = i;
    }
    map->items[hole].value = NO_VALUE;
    map->count--;
}
