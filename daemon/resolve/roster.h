/*
 * roster.h - every record there is, by record id: its natural key, the version that stands, where it
 * is from. 32 bytes a record, and some 6 to find it by its key.
 *
 * Record ids are given out one by one, so it is an array in chunks: an entry never moves. Entries are
 * never removed: a deleted record's key stays known. One thread (the resolver) changes it. What other
 * threads read of it (keys and versions, through accept/known.h) it changes under the lock of known;
 * flags and source are its own.
 */
#ifndef TRIBUTARY_RESOLVE_ROSTER_H
#define TRIBUTARY_RESOLVE_ROSTER_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/resolve/grow.intern.h"
#include "daemon/resolve/natural_key.h"
#include "daemon/resolve/slot_map.intern.h"

enum roster_flag { /* the low byte is stored in tributary.record.flags */
    ROSTER_DELETED = 1,
    ROSTER_LEAD_MAKING = 2,
    ROSTER_BACKFILL = 4,
    ROSTER_TEST = 8,
    ROSTER_VERIFIED = 16,
    ROSTER_EMPLOYER = 32,   /* a company that a person's record names (daemon/accept/employer.h) */
    ROSTER_ASSIGNED = 64,   /* somebody looks after it: tributary.record.assignment_id, not a stored flag */
    ROSTER_LEAD = 256,      /* this record made a lead */
    ROSTER_CUSTOMER = 512,  /* a customer row of this id stands in the database (or is on its way) */
    ROSTER_STORED = 1024,   /* a record row of this id stands there (or is on its way) */
    ROSTER_RECLEANED = 2048, /* another generation cleaned it otherwise: its customer is written again */
    ROSTER_COMPANY = 4096,  /* that customer is a company */
};
#define ROSTER_STORED_FLAGS (255 & ~ROSTER_ASSIGNED)

#define ROSTER_IDS_MAX SLOTS_MAX /* greater record ids are refused: 67 million */

struct roster_entry {
    uint64_t key_high;
    uint32_t key_low;
    uint16_t source; /* place in the registry of sources */
    uint16_t flags;
    int64_t effective_us;
    uint64_t hash;   /* of the content; 0: no version stands */
};

struct roster_chunk;
VECTOR(roster_chunks, struct roster_chunk *)

struct roster {
    struct roster_chunks chunks; /* NULL where no id was given out */
    struct slot_map by_key;
    size_t chunk_count;          /* those that are there */
};

void roster_init(struct roster *roster); /* must not move afterwards */
void roster_free(struct roster *roster); /* it is as after roster_init */
/* The entry of an id; NULL when there is none. */
struct roster_entry *roster_at(const struct roster *roster, uint64_t record_id);
/* The entry of an id, made when needed; NULL when out of memory, or when id and key are not each other's. */
struct roster_entry *roster_add(struct roster *roster, uint64_t record_id, struct natural_key key);
/* The record id of a key; 0 when it has none. */
uint64_t roster_find(const struct roster *roster, struct natural_key key);
/* Brings near what looking for this key will read. */
void roster_prefetch(const struct roster *roster, struct natural_key key);
/* Makes room for so many more at once. A hint: nothing is lost when there is no memory. */
void roster_expect(struct roster *roster, size_t more);
/* One past the highest id that may be there. */
uint64_t roster_end(const struct roster *roster);
size_t roster_count(const struct roster *roster);
size_t roster_bytes(const struct roster *roster);

static inline struct natural_key roster_key(const struct roster_entry *entry)
{
    return (struct natural_key){.high = entry->key_high, .low = entry->key_low};
}

/* A record that may make a lead. */
static inline bool roster_makes_lead(const struct roster_entry *entry)
{
    return (entry->flags & ROSTER_LEAD_MAKING) &&
           !(entry->flags & (ROSTER_BACKFILL | ROSTER_TEST | ROSTER_DELETED));
}

#endif
