/*
 * culprit.h - which records of a batch PostgreSQL refuses.
 *
 * Whatever can be refused is refused before, by the rules; this is for what nobody foresaw. Subsets of the batch are
 * written in transactions that are rolled back: the record, what belongs to it, and the customer it would be alone.
 * A refused subset is halved until one record is left.
 */
#ifndef TRIBUTARY_RESOLVE_CULPRIT_H
#define TRIBUTARY_RESOLVE_CULPRIT_H

#include "daemon/resolve/resolver.intern.h"

/* Makes every clean record of the batch that is refused one to be quarantined (store.refused). The memory must be that
 * of the database: nothing of the batch is resolved yet. One culprit of n costs at most 2 log2 n + 2 transactions.
 * *found counts them. */
MUST_CHECK enum status culprits_find(struct resolver *r, struct batch *batch, size_t *found, struct err *err);
/* The last resort, when a batch is refused though no record of it is: all are quarantined, to be retried one by one. */
void culprits_all(struct batch *batch);

#endif
