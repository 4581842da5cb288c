/*
 * pg.h - for tests that want a real PostgreSQL: tests/unit/with_postgres.sh gives its conninfo in TRIBUTARY_TEST_DB.
 *
 * Include after cmocka.h. A main begins with `if (pg_missing()) return 0;`.
 */
#ifndef TRIBUTARY_TESTS_PG_H
#define TRIBUTARY_TESTS_PG_H

#include <stdio.h>
#include <stdlib.h>

#include "daemon/store/db.h"
#include "daemon/store/sql.h"

static inline bool pg_missing(void)
{
    if (getenv("TRIBUTARY_TEST_DB") != NULL)
        return false;
    printf("SKIPPED: TRIBUTARY_TEST_DB is not set; hint: tests/unit/with_postgres.sh %s\n",
           "build/tests/...");
    return true;
}

#define assert_ok(err, call) pg_assert_ok((call), &(err), #call, __FILE__, __LINE__)
static inline void pg_assert_ok(enum status status, const struct err *err, const char *call,
                                const char *file, int line)
{
    if (status != STATUS_OK)
        print_error("%s: status %d, %s [%s] %s %s\n", call, (int)status, err->text, err->id,
                    err->sqlstate, retry_class_name(err->retry));
    _assert_int_equal(status, STATUS_OK, file, line);
}

static inline struct db *pg_open(const char *conninfo, int64_t statement_timeout_ms)
{
    struct err err = {0};
    struct db *db = db_new(&(struct db_settings){.conninfo = conninfo,
                                                 .application_name = "tributary test",
                                                 .connect_timeout_ms = 5000,
                                                 .statement_timeout_ms = statement_timeout_ms},
                           NULL);
    assert_non_null(db);
    assert_ok(err, db_open(db, &err));
    return db;
}

/* One integer by a query without parameters. */
static inline int64_t pg_int(struct db *db, const char *sql)
{
    struct err err = {0};
    static struct sql_query kept[300]; /* prepared statements go by address */
    static size_t count;
    assert_true(count < sizeof(kept) / sizeof(kept[0]));
    struct sql_query *query = &kept[count++];
    *query = (struct sql_query){"pg_int", sql};
    struct db_result *result = NULL;
    assert_ok(err, db_query(db, query, NULL, 0, &result, &err));
    assert_int_equal(db_rows(result), 1);
    int64_t value = db_int(result, 0, 0);
    db_result_free(&result);
    return value;
}

#endif
