/*
 * progress.h - how far a long command is: a bar on a terminal, a plain line every few seconds otherwise.
 *
 * Written to standard error. One thread.
 */
#ifndef TRIBUTARY_CLI_PROGRESS_H
#define TRIBUTARY_CLI_PROGRESS_H

#include "daemon/base/clock.h"

struct progress;

struct progress *progress_new(const struct clock *clock); /* NULL when out of memory; that is harmless */
/* Bytes read of how many, records done of how many received so far. */
void progress_show(struct progress *progress, uint64_t bytes_done, uint64_t bytes_total,
                   uint64_t records_done, uint64_t records_received);
/* Leaves the last state on the screen. */
void progress_free(struct progress **progress);

#endif
