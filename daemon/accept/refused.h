/*
 * refused.h - which bytes a connector could make no record of, and were kept as a reject already.
 *
 * What has no key of its own is known by its bytes: refused again they are a repeat, so that a list holding one bad item
 * does not add a reject each time it is read. In memory, bounded: the newest REFUSED_MAX are remembered at least, some 24
 * bytes each; filled from the rejects at start. Not locked: whoever uses it holds known_lock.
 */
#ifndef TRIBUTARY_ACCEPT_REFUSED_H
#define TRIBUTARY_ACCEPT_REFUSED_H

#include "connectors/connector.h"

#define REFUSED_MAX 131072

struct refused_key {
    uint64_t high, low;
}; /* 0, 0: none */

struct refused;

struct refused *refused_new(void); /* NULL when out of memory */
void refused_free(struct refused **refused);
/* The key of a refused delivery. Of bytes that were cut (their meta tells the full length in `bytes`) the position is part of
 * it, and of what was pulled the meta: a push's says who sent it and when, which is no other content. */
struct refused_key refused_key_of(const char *source, bool pulled, struct slice layout, const struct delivery *delivery);
/* Whether it is a repeat: known, and not only from another batch that is not durable yet. Otherwise noted as of this batch (0: it is
 * durable). What there is no memory for is no repeat. */
bool refused_note(struct refused *refused, struct refused_key key, uint64_t provisional_batch);
/* The batch that noted it is durable, or is not: then it is forgotten. */
void refused_done(struct refused *refused, struct refused_key key, uint64_t provisional_batch, bool durable);

#endif
