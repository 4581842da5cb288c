/*
 * csv_drop.h - a drop folder: finds files that are finished being written, claims them by renaming,
 * and puts them away.
 *
 *     DIR/orders.csv --claim--> DIR/work/TOKEN~orders.csv --> DIR/done/orders.csv
 *                                                      \-> DIR/failed/orders.csv and
 * orders.csv.reason.txt
 *
 * A file is claimed when its size and time have not changed for `settle`, its writer has closed it
 * (inotify saw the close, or a read lease can be had, which the kernel grants only when nobody
 * writes), and it is a regular file whose name does not begin with '.' or end like an unfinished
 * download. The token makes every claim's name unique for ever. Folders are made when missing. One
 * thread.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_DROP_H
#define TRIBUTARY_CONNECTORS_CSV_DROP_H

#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"
#include "daemon/base/stop.h"

#define CSV_DROP_NAME_MAX 256 /* bytes with the NUL */

struct csv_drop;

/* NULL with err filled when the folders cannot be made or watched. */
struct csv_drop *csv_drop_new(const char *dir, int64_t settle_ms, const struct clock *clock,
                              struct err *err);
void csv_drop_free(struct csv_drop **drop);

/* A file already in work/ (of a claim that a crash cut short), oldest first, whose name comes after
 * `after` ("" to begin). STATUS_EMPTY when there is no more. */
MUST_CHECK enum status csv_drop_leftover(struct csv_drop *drop, const char *after,
                                         char name[CSV_DROP_NAME_MAX], struct err *err);
/* Claims the oldest file that is ready; `name` is its name in work/. STATUS_EMPTY when none is
 * ready now. */
MUST_CHECK enum status csv_drop_claim(struct csv_drop *drop, char name[CSV_DROP_NAME_MAX],
                                      struct err *err);
/* Waits until the folder changes, something may have settled, wait_ms have passed, or the stop is
 * set. */
void csv_drop_wait(struct csv_drop *drop, const struct stop *stop, int64_t wait_ms);

/* Moves work/NAME to done/; a name already taken there gets a suffix. A file that is gone is no
 * failure. */
MUST_CHECK enum status csv_drop_done(struct csv_drop *drop, const char *name, struct err *err);
/* Moves work/NAME to failed/ and writes `reason` beside it. */
MUST_CHECK enum status csv_drop_failed(struct csv_drop *drop, const char *name, const char *reason,
                                       struct err *err);
/* Deletes files put away longer ago than keep_ms (0: keeps all); at most once an hour. */
void csv_drop_expire(struct csv_drop *drop, int64_t keep_ms);

/* DIR/work/NAME into `out`. */
void csv_drop_path(const struct csv_drop *drop, const char *name, struct buf *out);
/* The name it was dropped with: what follows the token. */
struct slice csv_drop_shown(struct slice name);

#endif
