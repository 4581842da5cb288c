/*
 * sql.h - the fixed SQL, by name.
 *
 * Every file sql/queries/NAME.sql becomes `extern const struct sql_query sql_NAME` in the generated header
 * build/gen/sql_queries.h (tools/embed.c at build time), and so does sql/spool/NAME.sql, which is SQLite's; every sql/migrations/NNNN_name.sql an entry of
 * sql_migrations. C code never contains SQL text but BEGIN, COMMIT, ROLLBACK and COPY
 * (of which db_insert.c makes the INSERT of one row: the list of columns is written once).
 */
#ifndef TRIBUTARY_STORE_SQL_H
#define TRIBUTARY_STORE_SQL_H

#include <stddef.h>

struct sql_query {
    const char *name;
    const char *text;
};

struct sql_migration {
    int number;
    const char *name;
    const char *text;
};

extern const struct sql_migration sql_migrations[];
extern const size_t sql_migration_count;

#endif
