/*
 * lanes.h - accepted batches on their way to the resolver: two lanes and the cleaning pool.
 *
 * Live batches (posts, small polls) go before bulk ones (loads); inside a lane order is kept. A pool of
 * threads cleans ahead; the resolver takes a lane's head once it is clean. Both lanes are bounded: a full
 * lane makes a pull source wait (backpressure). Whoever may not wait offers: a batch without room is left behind, which
 * is to say that only its number is kept, up to LANES_LEFT_MAX, and the resolver reads it back from the database.
 */
#ifndef TRIBUTARY_ACCEPT_LANES_H
#define TRIBUTARY_ACCEPT_LANES_H

#include "daemon/accept/batch.h"

struct lanes;

enum { CLEANING_WAITS = 0, CLEANING_RUNS, CLEANING_DONE }; /* batch.cleaning */

struct lanes *lanes_new(const struct generation *generation, size_t bulk_max, size_t live_max,
                        unsigned cleaners, struct err *err); /* NULL: err says why */
/* From now on records are cleaned by another generation; what is clean already says by which (batch.cleaned_by). */
void lanes_use(struct lanes *lanes, const struct generation *generation);
void lanes_free(struct lanes **lanes); /* after lanes_close; joins the pool, frees what is left */
/* Takes the batch. Waits for room; false when closed or hastened (the batch is freed: it is durable and will be read
 * back at the next start). */
bool lanes_put(struct lanes *lanes, struct batch **batch);
/* Takes the batch and does not wait: without room it is left behind. Freed when closed. Ask lanes_has_room before the
 * batch is made durable; some that did not ask are taken all the same. */
void lanes_offer(struct lanes *lanes, struct batch **batch);
#define LANES_LEFT_MAX 65536
/* Whether another live batch finds room, or may be left behind. */
bool lanes_has_room(struct lanes *lanes);
/* Numbers of batches left behind, oldest first; whoever takes them resolves them. */
size_t lanes_take_left(struct lanes *lanes, uint64_t *batch_ids, size_t max);
size_t lanes_left(struct lanes *lanes);
/* The next clean batch, live before bulk; waits up to wait_ms. NULL: none yet. */
struct batch *lanes_take(struct lanes *lanes, int64_t wait_ms, bool live_only);
/* The next bulk batch if it is clean and nothing live is there; does not wait. */
struct batch *lanes_take_bulk(struct lanes *lanes);
/* From now on a put does not wait: what finds no room is freed (it is durable and read back at the next start). */
void lanes_hasten(struct lanes *lanes);
void lanes_close(struct lanes *lanes); /* no more puts; what is in can be taken */
void lanes_depth(struct lanes *lanes, size_t *live, size_t *bulk);

struct preparing;
/* Cleans all arrivals of a batch with one cleaner, that of `generation`, and prepares them for the resolver (prepare.h).
 * May be done again with another. */
void batch_clean(struct batch *batch, struct cleaner *cleaner, struct preparing *preparing,
                 const struct generation *generation);

#endif
