/*
 * prepare.h - what the resolver needs of a clean record and what follows from the record alone: made where the record was
 * cleaned, so that the resolver's one thread only stages and judges.
 *
 * Pure functions of the clean record, its source's space and the generation that cleaned it. Whoever cleans again with
 * another generation prepares again (batch_clean does); what is not prepared, the resolver makes itself: a record derived
 * from a stored one, a company first named, one that found no memory here.
 */
#ifndef TRIBUTARY_ACCEPT_PREPARE_H
#define TRIBUTARY_ACCEPT_PREPARE_H

#include "daemon/accept/batch.h"

struct preparing { /* one thread's */
    struct arena *scratch;
    struct buf text;
};

void preparing_init(struct preparing *preparing);
void preparing_free(struct preparing *preparing);

/* The record's JSON, features, keys and name key, in the arena. False when the record is beyond all bounds, or, the arena
 * has failed then, there is no memory. */
bool prepare_record(struct preparing *preparing, const struct generation *generation, const struct clean_record *clean,
                    uint32_t space_key, struct arena *arena, struct prepared *prepared);
/* Of all arrivals of a cleaned batch that will be stored, employers apart: one of many is. */
void prepare_batch(struct preparing *preparing, const struct generation *generation, struct batch *batch);

#endif
