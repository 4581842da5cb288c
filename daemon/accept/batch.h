/*
 * batch.h - what one accept transaction took in, on its way through cleaning to the resolver.
 *
 * Owned by one stage at a time: accept makes it, the cleaning pool fills `clean`, the resolver consumes
 * and frees it. Its arenas hold everything its arrivals point at.
 */
#ifndef TRIBUTARY_ACCEPT_BATCH_H
#define TRIBUTARY_ACCEPT_BATCH_H

#include "connectors/connector.h"
#include "daemon/accept/known.h"
#include "daemon/accept/refused.h"
#include "daemon/accept/source.h"

#define BATCH_ARENA_MAX_BYTES ((size_t)256 << 20)

/* What follows from a clean record alone (prepare.h), in the batch's memory. */
struct prepared {
    bool done;
    struct slice json; /* the clean record */
    struct keyed_features keyed;
};

/* One record on its way, or one delivery that could not be made into a record (raw NULL). */
struct arrival {
    struct source *source;
    const struct delivery *delivery;
    const struct raw_record *raw;
    uint64_t accept_seq;
    int32_t layout_id;
    uint16_t record_no;
    bool backfill;
    struct natural_key key;
    uint64_t hash;
    int64_t effective_us;
    struct refused_key refused; /* of a delivery no record could be made of */
    struct clean_record clean; /* by the cleaning pool */
    struct prepared prepared;  /* by the cleaning pool; not done: the resolver makes it when it needs it */
    struct arrival *employer;  /* by the cleaning pool: the company it names (employer.h); NULL none is looked for */
    bool is_employer;          /* is such a one itself */
};

struct batch {
    uint64_t batch_id;
    bool live;
    int64_t accepted_us;
    struct arena *arena;        /* arrivals, and for a pull batch all its deliveries */
    struct arena **more_arenas; /* of the posts taken into a live batch */
    size_t more_arena_count;
    size_t arrival_count;
    struct arrival *arrivals;
    struct batch *next;         /* in a lane */
    int cleaning;               /* of lanes.c */
    const struct generation *cleaned_by;
};

struct batch *batch_new(void); /* NULL when out of memory */
void batch_free(struct batch **batch);

#endif
