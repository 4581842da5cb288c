/*
 * employer.h - the company a person's record names, as an arrival of its own.
 *
 * For sources with `employers: true`. It is made when the person's record is cleaned and goes with it. All records of a
 * source that say the same of a company name one record: its part is `employer`, its external id a hash of what is said,
 * so it never changes and lives as long as some record names it. It makes no leads, and was not received, so the ledger
 * does not count it.
 */
#ifndef TRIBUTARY_ACCEPT_EMPLOYER_H
#define TRIBUTARY_ACCEPT_EMPLOYER_H

#include "daemon/accept/batch.h"
#include "rules/employer.h"

#define EMPLOYER_PART     "employer"
#define EMPLOYER_ID_START "employer:" /* of its external id */

/* A key no sender may use. */
bool employer_is_key(struct slice external_id, struct slice part);

/* Gives a cleaned arrival its employer, or, when it names none, one with RECORD_DELETE. `ruleset` is the one that
 * cleaned it. False when the arena is full. */
bool employer_attach(const struct ruleset *ruleset, struct arena *arena, struct arrival *arrival);

#endif
