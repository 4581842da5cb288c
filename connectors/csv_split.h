/*
 * csv_split.h - one row of delimiter-separated text into cells: the innermost loop, a pure
 * function.
 *
 * Text is UTF-8 (or bytes that agree with it below 0x80). Rows end with LF, CR or CRLF. A quote
 * opens a quoted cell only at the beginning of a cell; a doubled quote inside is one quote; text
 * after the closing quote is kept as it stands
 * (`"Big" Bob` is `Big Bob`) unless the quoted part ran over a line end: then the opening quote was
 * an accident and the row is called unclosed. Cost, measured: about 1 GB/s for unquoted cells of
 * ten bytes.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_SPLIT_H
#define TRIBUTARY_CONNECTORS_CSV_SPLIT_H

#include "daemon/base/buf.h"
#include "daemon/base/slice.h"

#define CSV_CELLS_MAX   ((size_t)16384) /* what a spreadsheet can hold */
#define CSV_SLACK_BYTES ((size_t)16)    /* readable (any value) after the end of the text */

/* Memory that is used again from row to row. Zero it, set delimiter and quote; free with
 * csv_split_free. */
struct csv_split {
    char delimiter;
    char quote; /* 0: none */
    struct slice *cells;
    size_t cell_capacity;
    char *scratch; /* cells that had to be put together */
    size_t scratch_capacity;
};

enum csv_split_result {
    CSV_SPLIT_ROW,      /* a whole row */
    CSV_SPLIT_MORE,     /* the text ends inside a row; try again with more of it */
    CSV_SPLIT_UNCLOSED, /* a quote that does not close: text_bytes and consumed are the first line's
                         */
    CSV_SPLIT_TOO_MANY, /* over CSV_CELLS_MAX cells; likewise the first line's */
    CSV_SPLIT_NO_MEMORY,
};

struct csv_split_row {
    size_t cell_count;  /* in split->cells; they point into the text or the scratch */
    size_t text_bytes;  /* of the row without its line end */
    size_t consumed;    /* with it */
    size_t line_breaks; /* inside quoted cells */
    bool blank;         /* every cell is empty */
};

/* `text` starts at a row and is not empty; `ended` says that nothing follows it. */
enum csv_split_result csv_split_next(struct csv_split *split, struct slice text, bool ended,
                                     struct csv_split_row *row);
/* The first line: its length without the line end, and with it; false when the end is not in sight.
 */
bool csv_first_line(struct slice text, bool ended, size_t *text_bytes, size_t *consumed);
void csv_split_free(struct csv_split *split);

#endif
