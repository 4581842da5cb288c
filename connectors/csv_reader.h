/*
 * csv_reader.h - rows of a delimited text file, whatever its encoding and dialect, with their exact
 * original bytes.
 *
 * Used by the csv source, `load`, `dedupe` and `score`. Typical use:
 *
 *     struct csv_reader *reader = csv_reader_new_fd(fd);         // or csv_reader_new_memory(bytes)
 *     status = csv_reader_begin(reader, &settings, &layout, &err);   // encoding, dialect, header;
 * or status = csv_reader_resume(reader, layout, offset, line, &err); // what an earlier reader
 * stopped at while ((status = csv_reader_next(reader, &row, &err)) == STATUS_OK) ...
 *
 * Memory is bounded (a few MiB) whatever the file holds. A row that cannot be read is given with
 * its fault and the rows after it go on: a quote that never closes spoils its own line only. One
 * thread at a time. Measured on one core, 200,000 rows of ten cells: plain UTF-8 1.1 GB/s, quoted
 * 0.8 GB/s, GB18030 0.3 GB/s, UTF-16 0.12 GB/s.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_READER_H
#define TRIBUTARY_CONNECTORS_CSV_READER_H

#include "connectors/csv_dialect.h"
#include "connectors/csv_feed.h"
#include "daemon/base/arena.h"
#include "daemon/base/err.h"

enum csv_fault {
    CSV_FAULT_NONE,
    CSV_FAULT_NUL,            /* "csv.nul" */
    CSV_FAULT_BAD_ENCODING,   /* "csv.bad_encoding" */
    CSV_FAULT_UNCLOSED_QUOTE, /* "csv.unclosed_quote": the row is its first line only */
    CSV_FAULT_ROW_TOO_LONG,   /* "csv.row_too_long": over CSV_ROW_MAX_BYTES, raw is its beginning */
    CSV_FAULT_TOO_MANY_CELLS, /* "csv.too_many_cells": over CSV_CELLS_MAX */
};
const char *csv_fault_code(enum csv_fault fault); /* NULL for none */

/* How to read the rest of a file; also what is stored so that a row can be read again by itself. */
struct csv_layout {
    enum text_encoding encoding;
    char delimiter;
    char quote;                  /* 0: none */
    size_t column_count;         /* 0: no header; cells have no names */
    const struct slice *columns; /* unique, never empty: "phone", "phone#2", "column 3" */
};

struct csv_settings {
    bool encoding_given;
    enum text_encoding encoding;
    struct csv_dialect dialect; /* zero delimiter and CSV_QUOTE_GUESS: found by looking */
    enum csv_header_rule header;
    const struct csv_known_columns *known; /* to find the header row; may be NULL */
};
#define CSV_SETTINGS_GUESS ((struct csv_settings){.dialect = {.quote = CSV_QUOTE_GUESS}})

struct csv_row {
    struct slice raw;    /* original bytes without the line end */
    uint64_t offset;     /* of the first byte in the file */
    uint64_t end_offset; /* of the next row */
    uint64_t line;       /* from 1; of its first line */
    struct slice text;   /* the same in UTF-8; most cells point into it */
    struct slice line_end; /* what followed it, in UTF-8: "\n", "\r\n", "\r", or nothing at the end of the file */
    size_t cell_count;
    const struct slice *cells; /* UTF-8, unquoted */
    enum csv_fault fault;
    bool blank; /* every cell is empty */
};

struct csv_reader;

struct csv_reader *csv_reader_new_fd(int fd);                 /* borrows fd; NULL: out of memory */
struct csv_reader *csv_reader_new_memory(struct slice bytes); /* borrows bytes */
void csv_reader_free(struct csv_reader **reader);

/* Finds out encoding, dialect and header from the beginning of the input and stands before the
 * first row of data. The layout's memory is `arena`'s. STATUS_EMPTY: there is nothing in the file
 * at all. An input that is no text is CSV's to read; ask csv_not_text first. */
MUST_CHECK enum status csv_reader_begin(struct csv_reader *reader,
                                        const struct csv_settings *settings, struct arena *arena,
                                        struct csv_layout *layout, struct err *err);
/* Goes on at a row's first byte. `layout` is borrowed until the next begin or resume. */
MUST_CHECK enum status csv_reader_resume(struct csv_reader *reader, const struct csv_layout *layout,
                                         uint64_t offset, uint64_t line, struct err *err);
/* The next row; its memory is good until the next call. STATUS_EMPTY at the end; STATUS_FAILED for
 * I/O and memory. */
MUST_CHECK enum status csv_reader_next(struct csv_reader *reader, struct csv_row *row,
                                       struct err *err);
/* Where the next row begins. */
uint64_t csv_reader_offset(const struct csv_reader *reader);
uint64_t csv_reader_line(const struct csv_reader *reader);

/* What the first bytes are when they are surely no delimited text: "gzip", "zip (xlsx?)", "html"
 * ...; NULL for text. */
const char *csv_not_text(struct slice head);

/* {"encoding":"gb18030","delimiter":",","quote":"\"","columns":["姓名", ...]} and back. */
void csv_layout_write(const struct csv_layout *layout, struct buf *out);
MUST_CHECK enum status csv_layout_read(struct slice json, struct arena *arena,
                                       struct csv_layout *layout, struct err *err);

#endif
