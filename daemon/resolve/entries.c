/* entries.c - see entries.intern.h. */
#include "daemon/resolve/entries.intern.h"

static uint64_t hash_of_id(uint64_t record_id)
{
    uint64_t hash = record_id * 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio: spreads runs of ids */
    return hash ^ hash >> 29;
}

static uint64_t hash_of_slot_id(const void *owner, uint32_t slot)
{
    return hash_of_id(entry_at(owner, slot)->record_id);
}

static uint64_t hash_of_key(struct natural_key key)
{
    return hash_of_id(key.low ^ key.high * 0xD6E8FEB86659FD93u);
}

static uint64_t hash_of_slot_key(const void *owner, uint32_t slot)
{
    return hash_of_key(entry_at(owner, slot)->key);
}

void entries_init(struct entries *entries)
{
    *entries = (struct entries){
        .first_free = NO_SLOT,
        .by_id = {.hash_of = hash_of_slot_id, .owner = entries},
        .by_key = {.hash_of = hash_of_slot_key, .owner = entries},
    };
    blobs_init(&entries->blobs);
}

void entries_free(struct entries *entries)
{
    for (size_t i = 0; i < entries->chunks.count; i++)
        free(entries->chunks.items[i]);
    entry_chunks_free(&entries->chunks);
    slot_map_free(&entries->by_id);
    slot_map_free(&entries->by_key);
    blobs_free(&entries->blobs);
}

uint32_t entries_by_id(const struct entries *entries, uint64_t record_id)
{
    struct slot_probe probe;
    uint32_t slot = slot_map_first(&entries->by_id, hash_of_id(record_id), &probe);
    while (slot != NO_SLOT && entry_at(entries, slot)->record_id != record_id)
        slot = slot_map_next(&entries->by_id, &probe);
    return slot;
}

uint32_t entries_by_key(const struct entries *entries, struct natural_key key)
{
    struct slot_probe probe;
    uint32_t slot = slot_map_first(&entries->by_key, hash_of_key(key), &probe);
    while (slot != NO_SLOT && !natural_key_eq(entry_at(entries, slot)->key, key))
        slot = slot_map_next(&entries->by_key, &probe);
    return slot;
}

void entries_prefetch(const struct entries *entries, uint64_t record_id, struct natural_key key)
{
    slot_map_prefetch(&entries->by_id, hash_of_id(record_id));
    slot_map_prefetch(&entries->by_key, hash_of_key(key));
}

struct slice entries_features(const struct entries *entries, uint32_t slot)
{
    uint32_t blob = entry_at(entries, slot)->blob;
    return blob == NO_BLOB ? SLICE_EMPTY : blobs_get(&entries->blobs, blob);
}

static uint32_t take_slot(struct entries *entries)
{
    if (entries->first_free != NO_SLOT) {
        uint32_t slot = entries->first_free;
        entries->first_free = entry_at(entries, slot)->root;
        return slot;
    }
    if (entries->used >= SLOTS_MAX)
        return NO_SLOT;
    if (entries->used == entries->chunks.count << ENTRY_CHUNK_BITS) {
        struct entry_chunk *chunk = malloc(sizeof(*chunk));
        if (chunk == NULL || !entry_chunks_push(&entries->chunks, chunk)) {
            free(chunk);
            return NO_SLOT;
        }
    }
    return entries->used++;
}

uint32_t entries_add(struct entries *entries, uint64_t record_id, struct natural_key key)
{
    uint32_t slot = take_slot(entries);
    if (slot == NO_SLOT)
        return NO_SLOT;
    *entry_at(entries, slot) = (struct entry){
        .record_id = record_id,
        .key = key,
        .blob = NO_BLOB,
        .first_edge = NO_EDGE,
        .root = NO_SLOT,
        .next_member = slot,
    };
    *entry_flags(entries, slot) = 0;
    if (slot_map_add(&entries->by_id, hash_of_id(record_id), slot)) {
        if (entries_revive(entries, slot))
            return slot;
        slot_map_remove(&entries->by_id, hash_of_id(record_id), slot);
    }
    entry_at(entries, slot)->root = entries->first_free;
    entries->first_free = slot;
    return NO_SLOT;
}

bool entries_revive(struct entries *entries, uint32_t slot)
{
    if (!slot_map_add(&entries->by_key, hash_of_slot_key(entries, slot), slot))
        return false;
    *entry_flags(entries, slot) |= ENTRY_LIVE;
    entries->live_count++;
    return true;
}

/* Moves what lives in a chunk that is mostly holes, and frees it. Out of memory: later, then. */
static void empty_chunk(struct entries *entries, uint32_t chunk)
{
    uint32_t offset = 0, address, slot;
    while (blobs_walk(&entries->blobs, chunk, &offset, &address, &slot)) {
        struct entry *entry = entry_at(entries, slot);
        if (entry->blob != address)
            continue;
        uint32_t moved = blobs_put(&entries->blobs, slot, blobs_get(&entries->blobs, address));
        if (moved == NO_BLOB)
            return;
        entry->blob = moved;
        blobs_drop(&entries->blobs, address);
    }
    blobs_free_chunk(&entries->blobs, chunk);
}

static void drop_features(struct entries *entries, uint32_t slot)
{
    struct entry *entry = entry_at(entries, slot);
    if (entry->blob == NO_BLOB)
        return;
    uint32_t chunk = blobs_chunk_of(entry->blob);
    blobs_drop(&entries->blobs, entry->blob);
    entry->blob = NO_BLOB;
    if (blobs_sparse(&entries->blobs, chunk))
        empty_chunk(entries, chunk);
}

bool entries_set_features(struct entries *entries, uint32_t slot, struct slice features)
{
    drop_features(entries, slot);
    uint32_t filled = entries->blobs.current;
    uint32_t blob = blobs_put(&entries->blobs, slot, features);
    entry_at(entries, slot)->blob = blob;
    /* A chunk may have become mostly holes while it was still being filled. */
    if (filled != NO_CHUNK && blobs_sparse(&entries->blobs, filled))
        empty_chunk(entries, filled);
    return blob != NO_BLOB;
}

void entries_remove(struct entries *entries, uint32_t slot)
{
    slot_map_remove(&entries->by_key, hash_of_slot_key(entries, slot), slot);
    drop_features(entries, slot);
    *entry_flags(entries, slot) &= (uint8_t)~ENTRY_LIVE;
    entries->live_count--;
}

void entries_release(struct entries *entries, uint32_t slot)
{
    slot_map_remove(&entries->by_id, hash_of_slot_id(entries, slot), slot);
    *entry_flags(entries, slot) = 0;
    entry_at(entries, slot)->root = entries->first_free;
    entries->first_free = slot;
}

size_t entries_bytes(const struct entries *entries)
{
    return entries->chunks.count * sizeof(struct entry_chunk) +
           entries->chunks.capacity * sizeof(struct entry_chunk *) + blobs_bytes(&entries->blobs) +
           slot_map_bytes(&entries->by_id) + slot_map_bytes(&entries->by_key);
}
