/*
 * csv_file.h - one sheet read in batches, resumable at any row.
 *
 * A cursor says which file (its name, and hashes of its first bytes and of those just before the
 * offset), where the next row begins, and how to read it. A file that does not carry the same bytes
 * before the offset is another file and is read from its start: what was read of it already is a
 * repeat. Used by one thread.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_FILE_H
#define TRIBUTARY_CONNECTORS_CSV_FILE_H

#include "connectors/csv_record.h"

enum csv_file_state {
    CSV_FILE_READING,
    CSV_FILE_FINISHED, /* every row was given */
    CSV_FILE_REFUSED,  /* no sheet, or not one this source can read; `reason` says why */
};

struct csv_cursor {
    struct slice file; /* its name as claimed; "" when there is no cursor */
    enum csv_file_state state;
    uint64_t device, inode, size, offset, line, rows;
    struct slice prefix; /* hash, 16 hex digits */
    struct slice reason; /* of CSV_FILE_REFUSED */
    struct slice layout; /* JSON; "" before it is known */
};

/* Text that is no cursor of ours gives an empty one. Memory of `arena`. */
void csv_cursor_read(struct slice json, struct arena *arena, struct csv_cursor *cursor);

struct csv_file;

/* Opens `path` with further flags of open(2), such as O_NOFOLLOW. `name` is what the cursor calls it, `shown` what people do. `resume` may be empty
 * or of another file. The file is read in place. NULL with err filled when it cannot be opened or
 * read. */
struct csv_file *csv_file_open(const struct source_context *context, const char *path,
                               int open_flags, struct slice name, struct slice shown,
                               const struct csv_cursor *resume, struct err *err);
void csv_file_close(struct csv_file **file);

/* The next rows. STATUS_OK: a batch, perhaps only its cursor; STATUS_EMPTY: all was given;
 * STATUS_FAILED: I/O or memory, open again with the last durable cursor. */
MUST_CHECK enum status csv_file_next(struct csv_file *file, size_t max, struct arena *arena,
                                     struct delivery_batch *batch, struct err *err);

enum csv_file_state csv_file_state(const struct csv_file *file);
const char *csv_file_reason(const struct csv_file *file); /* why it was refused; "" */
void csv_file_tell(const struct csv_file *file, struct buf *out); /* see csv_file_understood */
uint64_t csv_file_rows(const struct csv_file *file);      /* given so far, blank ones not */
uint64_t csv_file_position_bytes(const struct csv_file *file);
uint64_t csv_file_total_bytes(const struct csv_file *file);

#endif
