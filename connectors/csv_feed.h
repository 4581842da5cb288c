/*
 * csv_feed.h - bytes of a file (or of memory) as a moving window of UTF-8 text that remembers where
 * it came from.
 *
 * UTF-8 is not copied: the window is the read buffer. Other encodings are decoded line by line, so
 * that the original bytes of every line are known exactly. Never maps the file: a file cut short
 * while it is read is an early end, not a SIGBUS. Memory is bounded whatever the file holds.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_FEED_H
#define TRIBUTARY_CONNECTORS_CSV_FEED_H

#include "connectors/text_encoding.h"

#define CSV_ROW_MAX_BYTES ((size_t)1 << 20)  /* of a row's original bytes */
#define CSV_CUT_BYTES     ((size_t)64 << 10) /* kept of a longer line */

struct csv_feed;

/* Borrows the descriptor (read with pread, so its position does not matter) or the memory. NULL:
 * out of memory. */
struct csv_feed *csv_feed_new_fd(int fd);
struct csv_feed *csv_feed_new_memory(struct slice bytes);
void csv_feed_free(struct csv_feed **feed);

/* Reads up to `len` raw bytes at `offset`; fewer only at the end of the input. -1 with err filled.
 */
ptrdiff_t csv_feed_peek(struct csv_feed *feed, uint64_t offset, void *out, size_t len,
                        struct err *err);

/* (Re)starts at a line's first byte. */
MUST_CHECK enum status csv_feed_start(struct csv_feed *feed, enum text_encoding encoding,
                                      uint64_t offset, struct err *err);

/* The text in sight; CSV_SLACK_BYTES after it are readable. Valid until the next call that is not
 * this one. */
struct slice csv_feed_window(const struct csv_feed *feed);
/* Nothing follows the window. */
bool csv_feed_ended(const struct csv_feed *feed);
/* The window holds all that a row may have; more will not be read before something is taken. */
bool csv_feed_full(const struct csv_feed *feed);
/* Puts more text into the window (at least one byte or one line), or finds the end. */
MUST_CHECK enum status csv_feed_more(struct csv_feed *feed, struct err *err);

enum csv_feed_flag { CSV_FEED_NUL = 1, CSV_FEED_BAD = 2, CSV_FEED_CUT = 4 };

struct csv_taken {
    struct slice
        raw;         /* original bytes, line end included; cut to CSV_CUT_BYTES with CSV_FEED_CUT */
    uint64_t offset; /* of the first */
    uint64_t end_offset; /* after the last */
    unsigned flags;
};
/* Takes text off the front of the window: whole lines, or all of it at the end of the input. raw is
 * valid as the window is. */
void csv_feed_take(struct csv_feed *feed, size_t text_bytes, struct csv_taken *taken);
/* Takes a line whose end is not in sight of a full window: reads on to the line's end, keeping only
 * its beginning. */
MUST_CHECK enum status csv_feed_skip_line(struct csv_feed *feed, struct csv_taken *taken,
                                          struct err *err);
/* Where the window begins, in the original bytes. */
uint64_t csv_feed_offset(const struct csv_feed *feed);

#endif
