/*
 * show.h - JSON results of operations on standard output: as they are with --format=json, else for people.
 */
#ifndef TRIBUTARY_CLI_SHOW_H
#define TRIBUTARY_CLI_SHOW_H

#include <jansson.h>

#include "daemon/base/buf.h"
#include "daemon/cli/cli.h"
#include "daemon/cli/table.h"

struct show_column {
    const char *name; /* of the heading; NULL ends the columns */
    const char *key;  /* in each row's object */
    enum cli_column_kind kind;
};

/* Indented JSON and a line feed. */
void show_json(const json_t *value);
/* A table of an array of objects, or that array as JSON. */
void show_rows(const struct cli *cli, const json_t *rows, const struct show_column *columns);
/* The same; only when text is wanted. */
void show_table(const struct cli *cli, const json_t *rows, const struct show_column *columns);
/* A value as people read it: text as it is, a time to the second, a list with commas, - for null. Control characters become
 * spaces, so that data cannot play with the terminal. */
void show_value(const json_t *value, struct buf *out);
/* What a generation differs in from another: `: other rules, model; new fields a, b ...`. */
void show_difference(const json_t *difference, struct buf *out);
/* A whole number by key; 0 when there is none. */
long long show_int(const json_t *object, const char *key);
/* A value by key, on standard output. */
void show_member(const json_t *object, const char *key);

#endif
