/*
 * replay.h - telling a sink again, for the API and the command line, on a connection of theirs.
 *
 * The dispatcher hears of it within a second, or at once after dispatcher_wake(dispatcher, 0). What
 * is told again goes through the sink's parked events, so the order per customer holds: later
 * events of the customer wait for it. The sink's filter applies as it is configured now. At most
 * 100,000 events a call, the oldest of them.
 */
#ifndef TRIBUTARY_EVENTS_REPLAY_H
#define TRIBUTARY_EVENTS_REPLAY_H

#include "daemon/config/config.h"
#include "daemon/store/db.h"

#define REPLAY_MAX 100000

/* Each counts the events that will be told. STATUS_EMPTY: no such sink. */

/* Events the sink's cursor has not passed will be told anyway and are left out. to_seq 0: the last. */
MUST_CHECK enum status events_replay_range(struct db *db, const struct config *config,
                                           const char *sink, uint64_t from_seq, uint64_t to_seq,
                                           uint64_t *count, struct err *err);
/* Dead letters, with all their attempts ahead of them again. */
MUST_CHECK enum status events_replay_dead(struct db *db, const char *sink, uint64_t *count,
                                          struct err *err);

#endif
