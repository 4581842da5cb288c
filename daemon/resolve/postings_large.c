/* postings_large.c - postings of more than a few holders: a set of slots and a count per name. Both
 * are open-addressing tables of a power of two, at most three quarters full, without tombstones. */
#include <assert.h>

#include "daemon/resolve/postings.intern.h"

#define FIRST_CAPACITY 64u

static uint32_t home_of_slot(uint32_t slot, uint32_t capacity)
{
    return (slot * 0x9E3779B1u >> 7) & (capacity - 1);
}

static uint32_t home_of_name(uint64_t name, uint32_t capacity)
{
    return (uint32_t)(name * 0x9E3779B97F4A7C15u >> 33) & (capacity - 1);
}

/* True when an item at `index` whose home is `home` may not move into the hole. */
static bool stays(uint32_t hole, uint32_t home, uint32_t index)
{
    return hole <= index ? hole < home && home <= index : hole < home || home <= index;
}

static uint32_t find_slot(const struct large_posting *large, uint32_t slot)
{
    uint32_t index = home_of_slot(slot, large->slot_capacity);
    while (large->slots[index] != NO_SLOT && large->slots[index] != slot)
        index = (index + 1) & (large->slot_capacity - 1);
    return index;
}

static uint32_t find_name(const struct large_posting *large, uint64_t name)
{
    uint32_t index = home_of_name(name, large->name_capacity);
    while (large->names[index].count && large->names[index].name != name)
        index = (index + 1) & (large->name_capacity - 1);
    return index;
}

static bool resize_slots(struct postings *postings, struct large_posting *large, uint32_t capacity)
{
    struct large_posting bigger = *large;
    bigger.slot_capacity = capacity;
    bigger.slots = malloc((size_t)capacity * sizeof(uint32_t));
    if (bigger.slots == NULL)
        return false;
    memset(bigger.slots, 0xFF, (size_t)capacity * sizeof(uint32_t));
    for (uint32_t i = 0; i < large->slot_capacity; i++)
        if (large->slots[i] != NO_SLOT)
            bigger.slots[find_slot(&bigger, large->slots[i])] = large->slots[i];
    postings->large_bytes += (size_t)capacity * sizeof(uint32_t);
    postings->large_bytes -= (size_t)large->slot_capacity * sizeof(uint32_t);
    free(large->slots);
    *large = bigger;
    return true;
}

static bool resize_names(struct postings *postings, struct large_posting *large, uint32_t capacity)
{
    struct large_posting bigger = *large;
    bigger.name_capacity = capacity;
    bigger.names = calloc(capacity, sizeof(*bigger.names));
    if (bigger.names == NULL)
        return false;
    for (uint32_t i = 0; i < large->name_capacity; i++)
        if (large->names[i].count)
            bigger.names[find_name(&bigger, large->names[i].name)] = large->names[i];
    postings->large_bytes += (size_t)capacity * sizeof(*bigger.names);
    postings->large_bytes -= (size_t)large->name_capacity * sizeof(*bigger.names);
    free(large->names);
    *large = bigger;
    return true;
}

static bool full(uint32_t count, uint32_t capacity)
{
    return (uint64_t)count * 4 >= (uint64_t)capacity * 3;
}

bool large_posting_add(struct postings *postings, struct large_posting *large, uint32_t slot,
                       const uint64_t *name)
{
    if (full(large->count, large->slot_capacity) &&
        !resize_slots(postings, large,
                      large->slot_capacity ? large->slot_capacity * 2 : FIRST_CAPACITY))
        return false;
    if (name && full(large->degree, large->name_capacity) &&
        !resize_names(postings, large,
                      large->name_capacity ? large->name_capacity * 2 : FIRST_CAPACITY))
        return false;
    large->slots[find_slot(large, slot)] = slot;
    large->count++;
    if (name) {
        struct name_count *counted = &large->names[find_name(large, *name)];
        large->degree += counted->count++ == 0;
        counted->name = *name;
    }
    return true;
}

static void forget_slot(struct large_posting *large, uint32_t hole)
{
    uint32_t mask = large->slot_capacity - 1;
    for (uint32_t i = (hole + 1) & mask; large->slots[i] != NO_SLOT; i = (i + 1) & mask) {
        if (stays(hole, home_of_slot(large->slots[i], large->slot_capacity), i))
            continue;
        large->slots[hole] = large->slots[i];
        hole = i;
    }
    large->slots[hole] = NO_SLOT;
}

static void forget_name(struct large_posting *large, uint32_t hole)
{
    uint32_t mask = large->name_capacity - 1;
    for (uint32_t i = (hole + 1) & mask; large->names[i].count; i = (i + 1) & mask) {
        if (stays(hole, home_of_name(large->names[i].name, large->name_capacity), i))
            continue;
        large->names[hole] = large->names[i];
        hole = i;
    }
    large->names[hole].count = 0;
}

static void take_name(struct large_posting *large, uint64_t name)
{
    uint32_t counted = find_name(large, name);
    assert(large->names[counted].count); /* the name it was added with */
    if (--large->names[counted].count == 0) {
        large->names[counted].count = 1; /* keeps its place while the hole is closed */
        forget_name(large, counted);
        large->degree--;
    }
}

bool large_posting_remove(struct postings *postings, struct large_posting *large, uint32_t slot,
                          const uint64_t *name)
{
    uint32_t at = find_slot(large, slot);
    if (large->slots[at] == NO_SLOT)
        return false;
    forget_slot(large, at);
    large->count--;
    if (name)
        take_name(large, *name);
    /* Giving memory back is a favour: when there is none for the smaller table, the larger stays.
     */
    if (large->slot_capacity > FIRST_CAPACITY && large->count < large->slot_capacity / 8)
        (void)resize_slots(postings, large, large->slot_capacity / 2);
    if (large->name_capacity > FIRST_CAPACITY && large->degree < large->name_capacity / 8)
        (void)resize_names(postings, large, large->name_capacity / 2);
    return true;
}

bool large_posting_has(const struct large_posting *large, uint32_t slot)
{
    return large->slots[find_slot(large, slot)] == slot;
}

void large_posting_free(struct postings *postings, struct large_posting *large)
{
    postings->large_bytes -= (size_t)large->slot_capacity * sizeof(uint32_t) +
                             (size_t)large->name_capacity * sizeof(struct name_count);
    free(large->slots);
    free(large->names);
    *large = (struct large_posting){0};
}
