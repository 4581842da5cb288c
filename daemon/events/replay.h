/*
 * replay.h - the event log for people: reading it, telling a sink again, pausing and enabling sinks.
 *
 * For the API and the command line, on a connection of theirs. The dispatcher hears of changes within a second, or
 * at once after dispatcher_wake(dispatcher, 0). What is told again goes through the sink's parked events, so the
 * order per customer holds: later events of the customer wait for it.
 */
#ifndef TRIBUTARY_EVENTS_REPLAY_H
#define TRIBUTARY_EVENTS_REPLAY_H

#include "daemon/base/buf.h"
#include "daemon/store/db.h"

#define EVENTS_LIST_MAX   1000
#define EVENTS_REPLAY_MAX 100000 /* events told again by one call; the queries hold it too */

struct events_filter {
    uint64_t after_seq;   /* events after this one */
    uint64_t customer_id; /* 0: all */
    struct slice type;    /* "lead.created", "lead.*"; empty or "*": all */
    int64_t limit;        /* 1 to EVENTS_LIST_MAX */
    bool newest_first;    /* after_seq is then an upper bound, 0: none */
};

/* Appends a JSON array of {"seq","at","type","customer_id","source","data"}; data null once erased. */
MUST_CHECK enum status events_list_json(struct db *db, const struct events_filter *filter,
                                        struct buf *out, struct err *err);

/* Each tells the sink again and counts what will be. STATUS_EMPTY: no such sink. A sink that has its cursor before an event will
 * be told it anyway: such events are left out. to_seq 0: the last. The sink's filter on types, sources and spaces does not apply. */
MUST_CHECK enum status events_replay_range(struct db *db, struct slice sink, uint64_t from_seq,
                                           uint64_t to_seq, uint64_t *count, struct err *err);
MUST_CHECK enum status events_replay_list(struct db *db, struct slice sink, const int64_t *seqs,
                                          size_t seq_count, uint64_t *count, struct err *err);
/* Dead letters, with all their attempts ahead of them again. */
MUST_CHECK enum status events_replay_dead(struct db *db, struct slice sink, uint64_t *count,
                                          struct err *err);
/* Forgets dead letters. */
MUST_CHECK enum status events_drop_dead(struct db *db, struct slice sink, uint64_t *count,
                                        struct err *err);
/* Appends a JSON array of the dead letters, oldest first: {"seq","at","type","customer_id","attempts","status","error"}. */
MUST_CHECK enum status events_dead_json(struct db *db, struct slice sink, int64_t limit,
                                        struct buf *out, struct err *err);

/* Paused: nothing is delivered and the cursor stays. Not paused also enables a sink that was disabled. STATUS_EMPTY: no
 * such sink. */
MUST_CHECK enum status sink_set_paused(struct db *db, struct slice sink, bool paused, struct err *err);
/* Appends a JSON array of the sinks as the database knows them, the shape of dispatcher_status_json. */
MUST_CHECK enum status sinks_list_json(struct db *db, struct buf *out, struct err *err);

#endif
