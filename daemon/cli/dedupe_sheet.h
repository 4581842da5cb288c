/*
 * dedupe_sheet.h - the sheet that dedupe reads more than once: for its rows, and to write them out with a further column.
 *
 * Rows come out byte for byte as they were (UTF-8 sheets) or as the same characters in UTF-8 (others), quotes, title lines and
 * line ends included; customer_id is put behind the last cell, under its heading: empty cells beyond the header's are taken
 * away first. A row that is not whole (fewer or more cells than the header, a quote that never closes, bytes that are no
 * text) is passed on as it is, without an id.
 */
#ifndef TRIBUTARY_CLI_DEDUPE_SHEET_H
#define TRIBUTARY_CLI_DEDUPE_SHEET_H

#include <stdio.h>

#include "connectors/csv_reader.h"

#define DEDUPE_LINES_TOLD 10

struct dedupe_sheet {
    int fd;
    uint64_t bytes;
    struct arena *arena;
    struct csv_reader *reader;
    struct csv_layout layout;
    uint64_t data_offset; /* of the first row of data */
    bool has_header;
    size_t left_count;                        /* rows that dedupe_sheet_write passed on as they were */
    uint64_t left_lines[DEDUPE_LINES_TOLD];   /* the first of them */
};

/* `known` finds the header row; may be NULL. `path` must name a regular file. */
MUST_CHECK enum status dedupe_sheet_open(const char *path, const struct csv_known_columns *known,
                                         struct dedupe_sheet *sheet, struct err *err);
void dedupe_sheet_close(struct dedupe_sheet *sheet);
/* The next row of data, blank ones left out. STATUS_EMPTY at the end. */
MUST_CHECK enum status dedupe_sheet_next(struct dedupe_sheet *sheet, struct csv_row *row, struct err *err);
/* Back to the first row of data. */
MUST_CHECK enum status dedupe_sheet_rewind(struct dedupe_sheet *sheet, struct err *err);
/* Whether a row has the header's cells: no fault, no fewer, and no more but empty ones. */
bool dedupe_sheet_is_whole(const struct dedupe_sheet *sheet, const struct csv_row *row);

/* Writes the sheet anew; customer_of is asked once for each row that dedupe_sheet_next gave, in order, with its number from
 * 1 on. */
MUST_CHECK enum status dedupe_sheet_write(struct dedupe_sheet *sheet, FILE *out,
                                          uint64_t (*customer_of)(const void *data, uint64_t row),
                                          const void *data, struct err *err);

#endif
