/*
 * csv_dialect.h - what the bytes do not say of a sheet: delimiter, quote, which row is the header.
 *
 * Every pair of delimiter and quote splits the sample; the one that gives the most even rows whose
 * cells look like values (numbers, dates, e-mails, words) wins. The header is the row with most
 * cells of known column names among the first rows; failing that, the first full row unless it
 * looks like data. So titles, blank rows and report preambles above the header are skipped. Pure.
 */
#ifndef TRIBUTARY_CONNECTORS_CSV_DIALECT_H
#define TRIBUTARY_CONNECTORS_CSV_DIALECT_H

#include "connectors/csv_split.h"

/* Is this a column name we have a field for? */
struct csv_known_columns {
    bool (*is_known)(const struct csv_known_columns *known, struct slice name);
};

#define CSV_QUOTE_GUESS ((char)-1)

struct csv_dialect {
    char delimiter; /* 0: to be guessed; ',', ';', '\t', '|' or any other ASCII byte */
    char quote;     /* CSV_QUOTE_GUESS: to be guessed; 0: none */
};

enum csv_header_rule { CSV_HEADER_GUESS, CSV_HEADER_FIRST_ROW, CSV_HEADER_NONE };

struct csv_guess {
    struct csv_dialect dialect;
    size_t
        rows_before; /* rows (blank ones, too) before the header, or before the first row of data */
    bool has_header;
    bool nothing; /* no row but blank ones in the sample */
};

/* `sample` is UTF-8 with CSV_SLACK_BYTES behind it; `whole` when it is all there is. `wanted` fixes
 * what is known already. `known` may be NULL. False only when out of memory. */
bool csv_dialect_guess(struct slice sample, bool whole, struct csv_dialect wanted,
                       enum csv_header_rule rule, const struct csv_known_columns *known,
                       struct csv_guess *guess);

#endif
