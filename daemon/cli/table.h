/*
 * table.h - a list on standard output: aligned columns for people, a JSON array of objects with
 * --format=json.
 *
 * Cells are put one after the other; a row is complete with its last column. As text, columns are
 * as wide as the first 1,000 rows need (characters of East Asia count two), and control characters
 * become spaces, so that data cannot play with the terminal. Nothing is printed for an empty list
 * as text but the heading.
 */
#ifndef TRIBUTARY_CLI_TABLE_H
#define TRIBUTARY_CLI_TABLE_H

#include "daemon/cli/cli.h"

enum cli_column_kind {
    CLI_TEXT,   /* a string in JSON */
    CLI_NUMBER, /* as it is in JSON, right-aligned as text */
    CLI_JSON,   /* JSON already: as it is in both */
};

struct cli_column {
    const char *name; /* snake_case; NULL ends the columns */
    enum cli_column_kind kind;
};

#define CLI_COLUMNS_MAX 32

struct cli_table;

/* `columns` must outlive the table. Exits with EXIT_CODE_TEMPORARY when out of memory. */
struct cli_table *cli_table_new(const struct cli *cli, const struct cli_column *columns);
/* ptr NULL is null: - as text. */
void cli_table_cell(struct cli_table *table, struct slice value);
void cli_table_text(struct cli_table *table, const char *value); /* NULL is null */
void cli_table_int(struct cli_table *table, int64_t value);
/* Prints what is left, frees, sets *table to NULL. */
void cli_table_end(struct cli_table **table);

#endif
