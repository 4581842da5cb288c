/*
 * employer.h - the company a person's record names, as an arrival of its own.
 *
 * For sources with `employers: true`. It is made when the person's record is cleaned and goes with it: of its source,
 * external id and version, of part PART/employer, without leads, activities and consents. It was not received, so
 * the ledger does not count it.
 */
#ifndef TRIBUTARY_ACCEPT_EMPLOYER_H
#define TRIBUTARY_ACCEPT_EMPLOYER_H

#include "daemon/accept/batch.h"
#include "rules/employer.h"

/* A part no sender may use. */
bool employer_is_part(struct slice part);

/* Gives a cleaned arrival its employer: its company, or the deletion of one that may stand, when it names none.
 * False when the arena is full. */
bool employer_attach(struct arena *arena, struct arrival *arrival);

#endif
