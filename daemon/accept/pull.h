/*
 * pull.h - the thread of one pull source: ask, make durable, hand on, ask again.
 */
#ifndef TRIBUTARY_ACCEPT_PULL_H
#define TRIBUTARY_ACCEPT_PULL_H

#include "daemon/accept/accept_tx.h"
#include "daemon/accept/lanes.h"

struct pull_settings {
    struct db_settings db;
    struct intake *intake;
    struct lanes *lanes;
    struct source *source;
    size_t batch_records;
    bool backfill;             /* customers without leads */
    /* A source opened by the caller (a load of one file), or NULL: the connector's open with the stored cursor. */
    struct pull_source *opened;
    bool once;                 /* ends at the first STATUS_EMPTY */
    const struct stop *stop;
    /* After every durable batch, on this thread; may be NULL. */
    void (*progress)(void *data, uint64_t received, uint64_t repeats);
    void *progress_data;
};

/* While source->paused is set it asks nothing (a file opened by the caller is read all the same).
 * Runs until stopped (or, with `once`, until the source is empty). STATUS_FAILED only with `once`. */
enum status pull_run(const struct pull_settings *settings, struct err *err);

#endif
