/*
 * grow.intern.h - growing arrays of the graph, and the bound each allocation is held to.
 *
 * VECTOR(name, type) declares `struct name` and its push; a push that fails leaves the vector as it
 * was. Nothing here shrinks but by NAME_free. All their sizes are bounded by max_records.
 */
#ifndef TRIBUTARY_RESOLVE_GROW_INTERN_H
#define TRIBUTARY_RESOLVE_GROW_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Room for at least `needed` items: the new array and *capacity, or NULL with the old one intact.
 */
static inline void *grow_array(void *old, size_t *capacity, size_t needed, size_t item_bytes)
{
    size_t wanted = *capacity + *capacity / 2;
    if (wanted < 16)
        wanted = 16;
    if (wanted < needed)
        wanted = needed;
    if (wanted > SIZE_MAX / 2 / item_bytes)
        return NULL;
    void *grown = realloc(old, wanted * item_bytes);
    if (grown)
        *capacity = wanted;
    return grown;
}

#define VECTOR(name, type)                                                                         \
    struct name {                                                                                  \
        type *items;                                                                               \
        size_t count, capacity;                                                                    \
    };                                                                                             \
    static inline bool name##_reserve(struct name *vector, size_t more)                            \
    {                                                                                              \
        if (vector->capacity - vector->count >= more)                                              \
            return true;                                                                           \
        void *grown =                                                                              \
            grow_array(vector->items, &vector->capacity, vector->count + more, sizeof(type));      \
        if (grown == NULL)                                                                         \
            return false;                                                                          \
        vector->items = grown;                                                                     \
        return true;                                                                               \
    }                                                                                              \
    static inline bool name##_push(struct name *vector, type item)                                 \
    {                                                                                              \
        if (!name##_reserve(vector, 1))                                                            \
            return false;                                                                          \
        vector->items[vector->count++] = item;                                                     \
        return true;                                                                               \
    }                                                                                              \
    static inline void name##_free(struct name *vector)                                            \
    {                                                                                              \
        free(vector->items);                                                                       \
        *vector = (struct name){0};                                                                \
    }

VECTOR(slots, uint32_t)

#endif
