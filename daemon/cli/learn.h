/*
 * learn.h - a model trained on the rows of a sheet, or on the records of an installation: a sample of them, of bounded
 * size, is given to rules/train.h.
 */
#ifndef TRIBUTARY_CLI_LEARN_H
#define TRIBUTARY_CLI_LEARN_H

#include "daemon/cli/sheet_fields.h"
#include "rules/train.h"

#define LEARNED_BYTES_MAX ((size_t)TRAIN_RECORDS_MAX * FEATURES_MAX_BYTES)

struct learned {
    struct buf features;    /* of the sample, one after the other */
    struct slice *records;
    size_t count, capacity;
    double rows;            /* in the whole sheet, about */
    struct trained *trained;
};

/* Rows in the sheet, about, from the length of the first ones; rewinds it. */
MUST_CHECK enum status learn_guess_rows(struct sheet_fields *fields, double *rows, struct err *err);
/* Reads the sheet (and rewinds it), trains from fields->matcher. `threads` 0: one a processor. `is_kept`: the model goes into
 * a file (rules/train.h). */
MUST_CHECK enum status learn_from_sheet(struct sheet_fields *fields, uint64_t seed, unsigned threads, bool is_kept,
                                        struct learned *learned, struct err *err);
/* Reads live records as they are stored, from the database that fields->config names (or the private one), in a transaction
 * that cannot write; trains from fields->matcher. Rules that were changed since are no concern of it: what is learned
 * is what agreements of cleaned records say. A private database that was never made is refused, not made. */
MUST_CHECK enum status learn_from_database(struct sheet_fields *fields, uint64_t seed, struct learned *learned,
                                           struct err *err);
/* For the two above: one more record's features (false: out of memory), and what follows once all are there. */
bool learned_add(struct learned *learned, struct slice features);
MUST_CHECK enum status learned_train(struct sheet_fields *fields, uint64_t seed, bool is_kept, struct learned *learned,
                                     struct err *err);
void learned_free(struct learned *learned);
/* The model file, into `out`. */
void learned_write(const struct learned *learned, const struct sheet_fields *fields, const char *name,
                   const char *origin, struct buf *out);
/* One line on standard error: what was learned from, or why the base model stays. */
void learned_tell(const struct learned *learned, double seconds);

#endif
