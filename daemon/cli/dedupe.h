/*
 * dedupe.h - rows of one sheet clustered in memory: cleaned by a few threads, judged and grouped as the daemon does it.
 *
 * Rows are numbered from 1 in the order they are added; a customer's id is its smallest row. Rows that say exactly the same of
 * somebody, and enough of him to be linked by that alone, are one record, however many there are. One thread
 * calls these functions; the cleaning threads are inside.
 */
#ifndef TRIBUTARY_CLI_DEDUPE_H
#define TRIBUTARY_CLI_DEDUPE_H

#include "daemon/base/err.h"
#include "rules/match.h"
#include "rules/ruleset.h"

#define DEDUPE_ROWS_MAX ((size_t)50000000)

struct dedupe;

struct dedupe_settings {
    const struct ruleset *ruleset;
    const struct matcher *matcher;
    const struct source_rules *rules; /* country, kind, explicit map */
    const struct columns *columns;    /* of every row */
    unsigned threads;                 /* for cleaning; 0: one a processor */
};

/* Everything in the settings must outlive it. NULL: err says why. */
struct dedupe *dedupe_new(const struct dedupe_settings *settings, struct err *err);
void dedupe_free(struct dedupe **dedupe);

/* Adds a row: as many cells as there are columns (copied). cells NULL: a row that cannot be read; it gets a number and
 * no customer but itself. */
MUST_CHECK enum status dedupe_add(struct dedupe *dedupe, const struct slice *cells, struct err *err);
/* All rows are there: groups them. */
MUST_CHECK enum status dedupe_finish(struct dedupe *dedupe, struct err *err);
/* After dedupe_finish. */
uint64_t dedupe_customer(const struct dedupe *dedupe, uint64_t row);

struct dedupe_stats {
    uint64_t rows;       /* added */
    uint64_t resolved;   /* of them, so far */
    uint64_t customers;  /* after dedupe_finish, as is all below */
    uint64_t largest, largest_rows; /* its id, its rows */
    uint64_t duplicates; /* rows that are not the first of their customer */
    uint64_t reviews;    /* pairs a person should look at */
    uint64_t refused;    /* rows the rules would refuse in a load */
    size_t index_bytes;
};
void dedupe_stats(const struct dedupe *dedupe, struct dedupe_stats *stats);

#endif
