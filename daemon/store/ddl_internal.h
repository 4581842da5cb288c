/*
 * ddl_internal.h - what ddl.c, ddl_layout.c, ddl_value.c and ddl_view.c share. Nobody else includes it.
 */
#ifndef TRIBUTARY_STORE_DDL_INTERNAL_H
#define TRIBUTARY_STORE_DDL_INTERNAL_H

#include "daemon/store/ddl.h"

#define IDENTIFIER_MAX      63 /* bytes of a name in PostgreSQL */
#define CUSTOMER_FIELDS_MAX (2 * FIELDS_MAX)
#define DDL_TEXT_MAX        (4u << 20)

enum column_type {
    COLUMN_TEXT,
    COLUMN_TEXT_ARRAY,
    COLUMN_DATE,
    COLUMN_NUMERIC,
    COLUMN_MINOR_UNITS,
    COLUMN_CURRENCY,
    COLUMN_TIMESTAMP,
};

struct customer_column { /* of one field; money has two */
    char name[IDENTIFIER_MAX + 1];
    enum column_type type;
    const struct field *field;
};

struct customer_layout {
    size_t column_count;
    struct customer_column *columns; /* by field id */
    struct buf copy_statement;       /* with a NUL at its end */
};

struct fixed_column {
    const char *name;
    const char *comment;    /* NULL: not in the views */
    const char *expression; /* in the views, over customer c; NULL: the column itself */
};
extern const struct fixed_column fixed_columns[];
extern const size_t fixed_column_count;

const char *column_type_sql(enum column_type type); /* as format_type() says it */
const struct customer_column *layout_find(const struct customer_layout *layout, struct slice name);

/* ddl_value.c: one golden value in its column's binary form; false: it is none (nothing was appended). */
bool put_column_value(struct buf *rows, enum column_type type, struct slice value);

/* ddl_view.c */
struct table_column { /* as it is in the database */
    char name[IDENTIFIER_MAX + 1];
    char type[IDENTIFIER_MAX + 1];
};
struct column_list {
    size_t count;
    struct table_column *columns;
};
/* SQL that makes the view and its comments. `table`: the columns of tributary.customer; `view`: those the view has
 * now, in their order (empty when it is not there). The view's own comment ends in "[definition HASH]". */
void put_view(struct buf *out, const struct customer_layout *layout, bool masked,
              const struct column_list *table, const struct column_list *view);
void put_identifier(struct buf *out, const char *name);

#endif
