/* u64_map.intern.h - a small open-addressing map from 64 bits to 32, for scratch and for decisions.
 * NO_VALUE cannot be stored. */
#ifndef TRIBUTARY_RESOLVE_U64_MAP_INTERN_H
#define TRIBUTARY_RESOLVE_U64_MAP_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_VALUE UINT32_MAX

struct u64_item {
    uint64_t key;
    uint32_t value; /* NO_VALUE: empty */
};

struct u64_map {
    struct u64_item *items;
    size_t count, capacity; /* a power of two */
};

void u64_map_free(struct u64_map *map);
/* Forgets all; keeps the memory unless it was much. */
void u64_map_clear(struct u64_map *map);
/* Sets or replaces. False when out of memory. */
bool u64_map_set(struct u64_map *map, uint64_t key, uint32_t value);
uint32_t u64_map_get(const struct u64_map *map, uint64_t key);
void u64_map_remove(struct u64_map *map, uint64_t key);
static inline size_t u64_map_bytes(const struct u64_map *map)
{
    return map->capacity * sizeof(struct u64_item);
}

#endif
