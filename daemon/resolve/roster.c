/* roster.c - see roster.h. */
#include "daemon/resolve/roster.h"

#define CHUNK_BITS 12
#define CHUNK_IDS  (1u << CHUNK_BITS)

_Static_assert(sizeof(struct roster_entry) == 32, "32 bytes a record");

struct roster_chunk {
    struct roster_entry entries[CHUNK_IDS];
};

static uint64_t hash_of_slot(const void *owner, uint32_t slot)
{
    return natural_key_mix(roster_key(roster_at(owner, slot)));
}

void roster_init(struct roster *roster)
{
    *roster = (struct roster){.by_key = {.hash_of = hash_of_slot, .owner = roster}};
}

void roster_free(struct roster *roster)
{
    for (size_t i = 0; i < roster->chunks.count; i++)
        free(roster->chunks.items[i]);
    roster_chunks_free(&roster->chunks);
    slot_map_free(&roster->by_key);
    roster_init(roster);
}

static bool is_none(const struct roster_entry *entry)
{
    return entry->key_high == 0 && entry->key_low == 0;
}

/* The place of an id, whether there is a record or not. */
static struct roster_entry *place_of(const struct roster *roster, uint64_t record_id)
{
    size_t chunk = (size_t)(record_id >> CHUNK_BITS);
    if (chunk >= roster->chunks.count || roster->chunks.items[chunk] == NULL)
        return NULL;
    return &roster->chunks.items[chunk]->entries[record_id & (CHUNK_IDS - 1)];
}

struct roster_entry *roster_at(const struct roster *roster, uint64_t record_id)
{
    struct roster_entry *entry = place_of(roster, record_id);
    return entry && !is_none(entry) ? entry : NULL;
}

static struct roster_entry *make_place(struct roster *roster, uint64_t record_id)
{
    size_t chunk = (size_t)(record_id >> CHUNK_BITS);
    while (roster->chunks.count <= chunk) {
        if (!roster_chunks_push(&roster->chunks, NULL))
            return NULL;
    }
    if (roster->chunks.items[chunk] == NULL) {
        roster->chunks.items[chunk] = calloc(1, sizeof(struct roster_chunk));
        if (roster->chunks.items[chunk] == NULL)
            return NULL;
        roster->chunk_count++;
    }
    return place_of(roster, record_id);
}

struct roster_entry *roster_add(struct roster *roster, uint64_t record_id, struct natural_key key)
{
    struct roster_entry *entry = roster_at(roster, record_id);
    if (entry)
        return natural_key_eq(roster_key(entry), key) ? entry : NULL;
    if (record_id == 0 || record_id > ROSTER_IDS_MAX || (key.high == 0 && key.low == 0) ||
        roster_find(roster, key) != 0)
        return NULL;
    entry = make_place(roster, record_id);
    if (entry == NULL)
        return NULL;
    *entry = (struct roster_entry){.key_high = key.high, .key_low = key.low};
    if (slot_map_add(&roster->by_key, natural_key_mix(key), (uint32_t)record_id))
        return entry;
    *entry = (struct roster_entry){0};
    return NULL;
}

uint64_t roster_find(const struct roster *roster, struct natural_key key)
{
    struct slot_probe probe;
    uint32_t slot = slot_map_first(&roster->by_key, natural_key_mix(key), &probe);
    while (slot != NO_SLOT && !natural_key_eq(roster_key(place_of(roster, slot)), key))
        slot = slot_map_next(&roster->by_key, &probe);
    return slot == NO_SLOT ? 0 : slot;
}

void roster_prefetch(const struct roster *roster, struct natural_key key)
{
    slot_map_prefetch(&roster->by_key, natural_key_mix(key));
}

void roster_expect(struct roster *roster, size_t more)
{
    slot_map_expect(&roster->by_key, more);
}

uint64_t roster_end(const struct roster *roster)
{
    return (uint64_t)roster->chunks.count << CHUNK_BITS;
}

size_t roster_count(const struct roster *roster)
{
    return roster->by_key.count;
}

size_t roster_bytes(const struct roster *roster)
{
    return roster->chunk_count * sizeof(struct roster_chunk) +
           roster->chunks.capacity * sizeof(struct roster_chunk *) + slot_map_bytes(&roster->by_key);
}
