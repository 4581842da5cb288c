/*
 * roster.h - what the resolver must know of every record besides its features: 48 bytes by record id.
 *
 * Record ids are given out one by one, so this is an array. One thread (the resolver).
 */
#ifndef TRIBUTARY_RESOLVE_ROSTER_H
#define TRIBUTARY_RESOLVE_ROSTER_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

enum roster_flag { /* the low byte is stored in tributary.record.flags */
    ROSTER_DELETED = 1,
    ROSTER_LEAD_MAKING = 2,
    ROSTER_BACKFILL = 4,
    ROSTER_TEST = 8,
    ROSTER_VERIFIED = 16,
    ROSTER_EMPLOYER = 32,   /* a company that a person's record names (daemon/accept/employer.h) */
    ROSTER_LEAD = 256,      /* this record made a lead */
    ROSTER_CUSTOMER = 512,  /* a customer row of this id stands in the database (or is on its way) */
    ROSTER_STORED = 1024,   /* a record row of this id stands there (or is on its way) */
    ROSTER_RECLEANED = 2048, /* another generation cleaned it otherwise: its customer is written again */
    ROSTER_COMPANY = 4096,  /* that customer is a company */
};
#define ROSTER_STORED_FLAGS 255

struct roster_entry {
    int64_t effective_us;
    uint64_t hash;
    uint64_t customer;   /* 0 none (deleted, or not settled yet) */
    uint32_t staged;     /* place in the write set being made, from 1; 0 not in it */
    uint16_t source;     /* place in the registry of sources */
    uint16_t flags;
};

struct roster {
    struct roster_entry *entries; /* by record id; entry 0 is unused */
    size_t capacity;
};

void roster_free(struct roster *roster);
/* The entry of an id, made when needed; NULL when out of memory. Valid until the next call with a new id. */
struct roster_entry *roster_at(struct roster *roster, uint64_t record_id);

/* A record that may make a lead. */
static inline bool roster_makes_lead(const struct roster_entry *entry)
{
    return (entry->flags & ROSTER_LEAD_MAKING) &&
           !(entry->flags & (ROSTER_BACKFILL | ROSTER_TEST | ROSTER_DELETED));
}

#endif
