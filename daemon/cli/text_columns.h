/*
 * text_columns.h - aligned columns in a buffer; characters of East Asia count two, control characters become spaces.
 *
 *     struct text_columns columns = TEXT_COLUMNS(5);
 *     text_columns_cell(&columns, slice); ...        // row after row
 *     text_columns_put(&columns, "  ", &out);        // and forgets them
 */
#ifndef TRIBUTARY_CLI_TEXT_COLUMNS_H
#define TRIBUTARY_CLI_TEXT_COLUMNS_H

#include "daemon/base/buf.h"

#define TEXT_COLUMNS_MAX      12
#define TEXT_COLUMNS_ROWS_MAX 2000 /* further rows are left out and counted */
#define TEXT_COLUMNS_WIDE_MAX 48   /* a longer cell is cut with … */

struct text_cell {
    size_t at, len, width;
};

struct text_columns {
    size_t count;
    unsigned right; /* bit n: column n is aligned to the right */
    size_t cell_count, left_out;
    struct buf text;
    struct text_cell *cells;
};

#define TEXT_COLUMNS(n, right_mask)                                                                \
    ((struct text_columns){.count = (n), .right = (right_mask), .text = BUF_INIT((size_t)16 << 20)})

void text_columns_cell(struct text_columns *columns, struct slice cell);
void text_columns_format(struct text_columns *columns, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Puts the rows, each after `indent`, and frees. */
void text_columns_put(struct text_columns *columns, const char *indent, struct buf *out);
/* Columns a text takes on a terminal. */
size_t text_width(struct slice text);

#endif
