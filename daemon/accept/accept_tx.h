/*
 * accept_tx.h - the accept transaction: raw bytes, cursor and ledger, durable together.
 *
 * prepare (numbers, keys, hashes, repeats) -> commit (one attempt; may be repeated whole) -> done. Between prepare and
 * done the versions taken are provisional: another batch that meets one does not call its own arrival a repeat.
 */
#ifndef TRIBUTARY_ACCEPT_ACCEPT_TX_H
#define TRIBUTARY_ACCEPT_ACCEPT_TX_H

#include <stdatomic.h>

#include "daemon/accept/batch.h"
#include "daemon/base/buf.h"
#include "daemon/store/db.h"

/* What all accepting threads share. */
struct intake {
    struct known *known;
    struct refused *refused; /* under known_lock */
    const struct clock *clock;
    atomic_uint_fast64_t next_batch_id;
    atomic_uint_fast64_t next_accept_seq;
    uint64_t token; /* random; tells our batches from another process's */
    atomic_bool ready; /* sources have their ids and the numbers are read: the database may be used */
    atomic_bool full; /* limits.records is reached: only what has a known key is accepted */
    atomic_bool slow; /* a sink that may not lose events is full: taking in slows down until it is not */
};

/* Of limits.records: how many records with keys never seen may still come, and how many of them these deliveries bring (with the
 * companies they may name). To be asked before anything new is accepted; what slips through in between is quarantined when
 * it is resolved. */
size_t accept_room(struct intake *intake);
size_t accept_needs(struct intake *intake, const struct source *source, const struct delivery_batch *deliveries);
/* Notes whether something was turned away for lack of room, and says so when that changes. */
void accept_note_full(struct intake *intake, bool full);
/* The error of what is turned away: RETRY_LATER, id accept.records_max. */
enum status accept_no_room(struct err *err);

/* Deliveries of one source that go into a batch. */
struct accept_item {
    struct source *source;
    struct delivery_batch *deliveries;
    int64_t received_us;
    int64_t effective_us;  /* of records without a time of their own; 0: when they were received */
    bool fresh;            /* received just now: such a record is newer than what its key has, whatever the wall clock says */
    bool backfill;
    bool set_cursor;       /* store deliveries->cursor with it */
    uint64_t suppressed;   /* arrivals only to be counted (honeypot hits) */
    /* A reject taken in again (0: none): never a repeat, and settled (state `retried`) by the same transaction. */
    int64_t reject_id;
    uint32_t only_parts;   /* 0: all; else bit n set: record n of each delivery is taken, the others are not */
    size_t repeat_count;   /* out: of its arrivals */
    bool *repeats;         /* NULL, or out: one for each delivery, whether all of it was */
};

#define ACCEPT_ITEMS_MAX 512

struct accept_work;

/* Numbers the deliveries and fills batch->arrivals with what is to be resolved. Changes raw_record.columns to
 * copies in the batch's arena. NULL: err says why, nothing was changed. */
struct accept_work *accept_prepare(struct intake *intake, struct accept_item *items, size_t count,
                                   bool live, struct batch *batch, struct err *err);
/* One attempt. After RETRY_RECONNECT call it again: an attempt whose commit was ambiguous is looked up first. */
MUST_CHECK enum status accept_commit(struct intake *intake, struct db *db, struct accept_work *work,
                                     struct err *err);
/* A source's time when PostgreSQL can hold it (years 1 to 9999), else 0: not given. */
int64_t accept_storable_time(int64_t time_us);
/* After a failure: whether it may have been committed all the same. */
bool accept_is_undecided(const struct accept_work *work);
/* Finds out. */
MUST_CHECK enum status accept_was_committed(struct intake *intake, struct db *db, struct accept_work *work,
                                            bool *committed, struct err *err);
/* Ends the provisional state, or takes the versions back. Frees the work. */
void accept_done(struct intake *intake, struct accept_work **work, bool durable);

#endif
