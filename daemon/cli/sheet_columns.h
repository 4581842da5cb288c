/*
 * sheet_columns.h - columns that nothing knows by name: whether they look like evidence, and of what type.
 *
 * A look at the first rows decides: how full a column is, how many values it has, what they look like, and whether they are
 * only what another column says already. What such a column is worth is left to training.
 */
#ifndef TRIBUTARY_CLI_SHEET_COLUMNS_H
#define TRIBUTARY_CLI_SHEET_COLUMNS_H

#include "daemon/base/arena.h"
#include "rules/field.h"

#define SHEET_LOOK_ROWS 32000

struct column_look;

/* `known`: by column, whether a field takes it already; its words count when another column repeats them. */
struct column_look *column_look_new(struct arena *arena, size_t columns, const struct slice *names, const bool *known);
void column_look_add(struct column_look *look, const struct slice *cells);

enum column_use {
    COLUMN_USED,
    COLUMN_KNOWN,
    COLUMN_EMPTY,    /* hardly any row has it */
    COLUMN_CONSTANT, /* one value only */
    COLUMN_UNIQUE,   /* numbers the rows: no value twice, and in order or called an id */
    COLUMN_MOMENT,   /* times of day */
    COLUMN_REPEATS,  /* says what another column says */
    COLUMN_TOO_MANY,
};
/* After all rows. *type is set when it is used. */
enum column_use column_look_use(struct column_look *look, size_t column, enum field_type *type);

/* "Program Name" as program_name; of other letters column_7. At most FIELD_NAME_MAX bytes. */
void column_field_name(struct slice heading, size_t column, char name[FIELD_NAME_MAX + 1]);

#endif
