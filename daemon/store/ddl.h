/*
 * ddl.h - what in the database depends on the configured fields: the columns of tributary.customer,
 * the views of the golden contract, and how a customer's row is written.
 *
 * The migration creates tributary.customer with the fixed columns (struct customer_row, in that order). Each field of
 * the schema adds one column behind them (money: two), named by the field, x_NAME for a user's own:
 *
 *   DATE date · NUMBER numeric · MONEY bigint (minor units) and NAME_currency text · TIMESTAMP timestamptz ·
 *   multiple fields and TAGS text[] · everything else text
 *
 * Columns are only ever appended, and nullable. A field whose type changed is refused by name; a field that is gone
 * keeps its column, which reads NULL in the views.
 */
#ifndef TRIBUTARY_STORE_DDL_H
#define TRIBUTARY_STORE_DDL_H

#include "daemon/base/buf.h"
#include "daemon/store/db.h"
#include "rules/survive.h"

/* How the rows of one schema are written: immutable, made once per generation, any thread may read it.
 * Refused (RETRY_REJECT_CONFIG, naming the field): two columns of one name, a name too long for PostgreSQL. The schema
 * must outlive it. */
struct customer_layout;
MUST_CHECK enum status customer_layout_new(const struct schema *schema,
                                           struct customer_layout **layout, struct err *err);
void customer_layout_free(struct customer_layout **layout);

/* Makes the database fit the layout: appends missing columns, then (re)creates golden.customer and
 * golden.customer_masked with comments, in one transaction of its own under a short lock_timeout: when readers hold
 * the lock it fails with RETRY_LATER and nothing has changed. Does nothing at all when everything is as it should be.
 * Call it before the layout is used for writing. */
MUST_CHECK enum status ddl_golden(struct db *db, const struct customer_layout *layout,
                                  struct err *err);

/* One row of tributary.customer; the fixed columns in the order of sql/migrations/0001_core.sql. Times are wall
 * microseconds. */
struct customer_row {
    int64_t customer_id;
    enum record_kind kind;
    struct slice space;             /* "" is stored as such */
    int32_t version;
    int32_t record_count;
    int64_t created_at_us;
    int64_t updated_at_us;
    int64_t first_seen_at_us;
    int64_t last_seen_at_us;
    int64_t lead_at_us;             /* 0 is NULL */
    struct slice lead_source;       /* empty is NULL */
    int32_t lead_count;
    struct slice owner;             /* empty is NULL */
    struct slice team;              /* empty is NULL */
    struct slice provenance;        /* JSON; empty is [] */
    size_t value_count;             /* as in golden_record: ordered by field id */
    const struct survivor_value *values;
};

/* "COPY tributary.customer (...) FROM STDIN (FORMAT binary)", for db_put_rows. Lives as long as the layout. */
const char *customer_layout_copy_statement(const struct customer_layout *layout);
/* Appends the row as one binary COPY tuple. A changed customer's row is deleted before: measured against
 * INSERT ... ON CONFLICT in docs/architecture.md. A value its column cannot hold (a partial date, a number that is none)
 * is written as NULL and counted into *unfit_count (may be NULL); its text stays in provenance. Values are UTF-8
 * without NUL, as cleaning leaves them. */
void customer_layout_put(const struct customer_layout *layout, const struct customer_row *row,
                         struct buf *rows, size_t *unfit_count);

#endif
