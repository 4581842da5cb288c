/*
 * entries.intern.h - the records of the graph, packed. A record's *slot* is its record id.
 *
 * A removed record keeps its slot (not LIVE, but DIRTY) until the settle that reports it has ended. Its
 * natural key is in the roster, which never forgets one. What graph_features hands out points into the
 * blob store and is valid until the next put or remove.
 */
#ifndef TRIBUTARY_RESOLVE_ENTRIES_INTERN_H
#define TRIBUTARY_RESOLVE_ENTRIES_INTERN_H

#include "daemon/resolve/blobs.intern.h"
#include "daemon/resolve/graph.h"
#include "daemon/resolve/packing.intern.h"
#include "daemon/resolve/roster.h"

#define NO_EDGE UINT32_MAX

struct entry {
    uint32_t blob;        /* NO_BLOB once removed */
    uint32_t first_edge;  /* NO_EDGE when there is none */
    uint32_t root;        /* slot of the customer's smallest record id; NO_SLOT until settled */
    uint32_t next_member; /* ring of the customer's records, ascending by record id from the root */
};

enum entry_flag {
    ENTRY_LIVE = 1,
    ENTRY_DIRTY = 2,    /* put, replaced or removed since the last settle */
    ENTRY_BAND = 4,     /* holds a key whose band changed, and is not dirty itself */
    ENTRY_DYING = 8,    /* holds a key that died */
    ENTRY_TOUCHED = 16, /* its component is to be found again */
    ENTRY_REGION = 32,  /* its component was found again in this settle */
    ENTRY_DECIDED = 64, /* some decision names it, or once did */
    ENTRY_UNJUDGED = 128, /* restored: its customer is known, its edges are not (graph_restored.c) */
};

#define ENTRY_CHUNK_BITS 12
struct entry_chunk {
    struct entry entries[1 << ENTRY_CHUNK_BITS];
    uint8_t flags[1 << ENTRY_CHUNK_BITS];
};
VECTOR(entry_chunks, struct entry_chunk *)

struct entries {
    struct entry_chunks chunks; /* NULL where there is no record */
    size_t chunk_count;         /* those that are there */
    size_t live_count;
    struct blobs blobs;
    struct packing packing;
    struct roster *roster; /* own_roster, or one that others use too */
    struct roster own_roster;
};

/* Must not move afterwards. */
void entries_init(struct entries *entries);
void entries_free(struct entries *entries);

static inline struct entry *entry_at(const struct entries *entries, uint32_t slot)
{
    return &entries->chunks.items[slot >> ENTRY_CHUNK_BITS]
                ->entries[slot & ((1u << ENTRY_CHUNK_BITS) - 1)];
}
static inline uint8_t *entry_flags(const struct entries *entries, uint32_t slot)
{
    return &entries->chunks.items[slot >> ENTRY_CHUNK_BITS]
                ->flags[slot & ((1u << ENTRY_CHUNK_BITS) - 1)];
}
static inline bool entry_is(const struct entries *entries, uint32_t slot, uint8_t flags)
{
    return (*entry_flags(entries, slot) & flags) != 0;
}
static inline struct natural_key entry_key(const struct entries *entries, uint32_t slot)
{
    return roster_key(roster_at(entries->roster, slot));
}

uint32_t entries_by_id(const struct entries *entries, uint64_t record_id);
/* Of live records only. */
uint32_t entries_by_key(const struct entries *entries, struct natural_key key);
/* They lie in the room or in the entries: valid as long as both are, and until the next put or remove. */
struct slice entries_features(const struct entries *entries, uint32_t slot, struct features_room *room);
/* Makes a record live that is not there, without features. False when out of memory, or when the roster has another
 * key for the id, or another id for the key. */
bool entries_add(struct entries *entries, uint32_t slot, struct natural_key key);
/* A removed record that comes back before it was reported. */
void entries_revive(struct entries *entries, uint32_t slot);
/* Replaces the features. False when out of memory. */
bool entries_set_features(struct entries *entries, uint32_t slot, struct slice features);
/* The first features of a record, as they are or `packed` by entries->packing on whatever thread. */
bool entries_put_features(struct entries *entries, uint32_t slot, struct slice bytes, bool packed);
/* No longer live: features are forgotten. It must be made DIRTY next. */
void entries_remove(struct entries *entries, uint32_t slot);
/* A removed record is forgotten. */
void entries_release(struct entries *entries, uint32_t slot);
size_t entries_bytes(const struct entries *entries);

#endif
