/*
 * writer.h - the one thread that commits write sets, in order.
 *
 * Whole transactions are retried until they are in: lost connections, deadlocks, a full disk. An ambiguous commit is
 * settled by looking for the set's number. A set PostgreSQL refuses for its data, or a lost leadership, stops the
 * writer: from then on writer_put fails and the resolver has to rebuild itself from the database.
 */
#ifndef TRIBUTARY_RESOLVE_WRITER_H
#define TRIBUTARY_RESOLVE_WRITER_H

#include "daemon/resolve/write_set.h"

struct writer;

struct writer_settings {
    struct db_settings db;
    const struct customer_layout *layout;
    int64_t epoch;                /* ours; a set is committed only while it stands */
    size_t depth;                 /* sets waiting at most */
    void (*committed)(void *data, const struct write_set *set); /* on the writer's thread; may be NULL */
    void *data;
};

struct writer *writer_start(const struct writer_settings *settings, struct err *err); /* NULL: err */
/* Takes the set; waits for room. False when the writer has stopped (the set is freed). */
bool writer_put(struct writer *writer, struct write_set **set);
/* Waits until all that was put is committed, up to wait_ms; false when not, or stopped. */
bool writer_drain(struct writer *writer, int64_t wait_ms);
/* Whether the next set will not wait; waits for that up to wait_ms. True when it has stopped. */
bool writer_has_room(struct writer *writer, int64_t wait_ms);
/* Sets put and neither committed nor given up: waiting, or being written. */
size_t writer_pending(struct writer *writer);
uint64_t writer_committed(const struct writer *writer); /* number of the newest committed set */
/* True when it stopped by itself; *err says why. */
bool writer_failed(struct writer *writer, struct err *err);
/* Of the set it stopped at: its lowest and highest batch, 0 when it had none. */
void writer_refused_batches(struct writer *writer, uint64_t *first, uint64_t *last);
/* Gives up the transaction in hand: no wait for the database or for room outlasts this. */
void writer_abort(struct writer *writer);
/* Ends the thread after the set in hand; what waits is dropped (it is still in flight in the database). */
void writer_stop(struct writer **writer);

/* Writes the rows of a set inside the caller's transaction: records, links, customers and what belongs to them, but
 * none of the bookkeeping. The last of it is only queued: db_flush_queue. */
MUST_CHECK enum status write_set_rows(struct db *db, const struct customer_layout *layout,
                                      const struct write_set *set, struct err *err);

#endif
