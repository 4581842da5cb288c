/*
 * replay.h - sinks for people: telling one again, its dead letters, pausing and enabling. (The log is read by event_list.sql.)
 *
 * For the API and the command line, on a connection of theirs. The dispatcher hears of changes within a second, or
 * at once after dispatcher_wake(dispatcher, 0). What is told again goes through the sink's parked events, so the
 * order per customer holds: later events of the customer wait for it.
 */
#ifndef TRIBUTARY_EVENTS_REPLAY_H
#define TRIBUTARY_EVENTS_REPLAY_H

#include "daemon/base/buf.h"
#include "daemon/store/db.h"

#define EVENTS_LIST_MAX   1000   /* rows */
#define EVENTS_REPLAY_MAX 100000 /* events told again by one call; the queries hold it too */

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
