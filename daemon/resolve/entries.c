/* entries.c - see entries.intern.h. */
#include "daemon/resolve/entries.intern.h"

void entries_init(struct entries *entries)
{
    *entries = (struct entries){.roster = &entries->own_roster};
    roster_init(&entries->own_roster);
    blobs_init(&entries->blobs);
}

void entries_free(struct entries *entries)
{
    for (size_t i = 0; i < entries->chunks.count; i++)
        free(entries->chunks.items[i]);
    entry_chunks_free(&entries->chunks);
    roster_free(&entries->own_roster);
    blobs_free(&entries->blobs);
    packing_free(&entries->packing);
}

uint32_t entries_by_id(const struct entries *entries, uint64_t record_id)
{
    uint64_t chunk = record_id >> ENTRY_CHUNK_BITS;
    if (chunk >= entries->chunks.count || entries->chunks.items[chunk] == NULL)
        return NO_SLOT;
    return entry_is(entries, (uint32_t)record_id, ENTRY_LIVE | ENTRY_DIRTY) ? (uint32_t)record_id : NO_SLOT;
}

uint32_t entries_by_key(const struct entries *entries, struct natural_key key)
{
    uint32_t slot = entries_by_id(entries, roster_find(entries->roster, key));
    return slot != NO_SLOT && entry_is(entries, slot, ENTRY_LIVE) ? slot : NO_SLOT;
}

struct slice entries_features(const struct entries *entries, uint32_t slot, struct features_room *room)
{
    uint32_t blob = entry_at(entries, slot)->blob;
    bool packed;
    if (blob == NO_BLOB)
        return SLICE_EMPTY;
    struct slice bytes = blobs_get(&entries->blobs, blob, &packed);
    return packed ? packing_unpack(&entries->packing, bytes, room) : bytes;
}

static bool make_chunk(struct entries *entries, uint32_t slot)
{
    size_t chunk = slot >> ENTRY_CHUNK_BITS;
    while (entries->chunks.count <= chunk) {
        if (!entry_chunks_push(&entries->chunks, NULL))
            return false;
    }
    if (entries->chunks.items[chunk] == NULL) {
        entries->chunks.items[chunk] = calloc(1, sizeof(struct entry_chunk));
        entries->chunk_count += entries->chunks.items[chunk] != NULL;
    }
    return entries->chunks.items[chunk] != NULL;
}

bool entries_add(struct entries *entries, uint32_t slot, struct natural_key key)
{
    if (roster_add(entries->roster, slot, key) == NULL || !make_chunk(entries, slot))
        return false;
    *entry_at(entries, slot) =
        (struct entry){.blob = NO_BLOB, .first_edge = NO_EDGE, .root = NO_SLOT, .next_member = slot};
    *entry_flags(entries, slot) = 0;
    entries_revive(entries, slot);
    return true;
}

void entries_revive(struct entries *entries, uint32_t slot)
{
    *entry_flags(entries, slot) |= ENTRY_LIVE;
    entries->live_count++;
}

/* Moves what lives in a chunk that is mostly holes, and frees it. Out of memory: later, then. */
static void empty_chunk(struct entries *entries, uint32_t chunk)
{
    uint32_t offset = 0, address, slot;
    while (blobs_walk(&entries->blobs, chunk, &offset, &address, &slot)) {
        struct entry *entry = entry_at(entries, slot);
        if (entry->blob != address)
            continue;
        bool packed;
        struct slice bytes = blobs_get(&entries->blobs, address, &packed);
        uint32_t moved = blobs_put(&entries->blobs, slot, bytes, packed);
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
    struct features_room room;
    packing_learn(&entries->packing, features);
    struct slice packed = packing_pack(&entries->packing, features, &room);
    uint32_t blob = packed.len ? blobs_put(&entries->blobs, slot, packed, true)
                               : blobs_put(&entries->blobs, slot, features, false);
    entry_at(entries, slot)->blob = blob;
    /* A chunk may have become mostly holes while it was still being filled. */
    if (filled != NO_CHUNK && blobs_sparse(&entries->blobs, filled))
        empty_chunk(entries, filled);
    return blob != NO_BLOB;
}

bool entries_put_features(struct entries *entries, uint32_t slot, struct slice bytes, bool packed)
{
    uint32_t blob = blobs_put(&entries->blobs, slot, bytes, packed);
    entry_at(entries, slot)->blob = blob;
    return blob != NO_BLOB;
}

void entries_remove(struct entries *entries, uint32_t slot)
{
    drop_features(entries, slot);
    *entry_flags(entries, slot) &= (uint8_t)~ENTRY_LIVE;
    entries->live_count--;
}

void entries_release(struct entries *entries, uint32_t slot)
{
    *entry_flags(entries, slot) = 0;
}

size_t entries_bytes(const struct entries *entries)
{
    return entries->chunk_count * sizeof(struct entry_chunk) +
           entries->chunks.capacity * sizeof(struct entry_chunk *) + roster_bytes(&entries->own_roster);
}
