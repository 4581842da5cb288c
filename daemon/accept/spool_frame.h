/*
 * spool_frame.h - one spool entry as bytes that prove themselves. For spool*.c only.
 *
 *   "TRBSPOOL"  u64 spool_id  i64 received_us  u32 x 5 lengths  source layout meta position body  u64 xxh3
 *
 * Big-endian. A damaged spool is searched for such frames without SQLite's help.
 */
#ifndef TRIBUTARY_ACCEPT_SPOOL_FRAME_H
#define TRIBUTARY_ACCEPT_SPOOL_FRAME_H

#include "daemon/accept/spool.h"
#include "daemon/base/buf.h"

#define SPOOL_FRAME_MAX_BYTES ((size_t)8 << 20)
#define SPOOL_FRAME_MAGIC     "TRBSPOOL"

/* Appends the frame; out fails when it is too large. */
void spool_frame_put(struct buf *out, int64_t spool_id, const struct spool_entry *entry);
/* Reads the frame the bytes begin with; slices point into them. *length is how long it is. False: it is not whole. */
bool spool_frame_read(struct slice bytes, struct spool_entry *entry, size_t *length);

#endif
