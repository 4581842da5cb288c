/*
 * db.h - a PostgreSQL connection of ours: non-blocking, with our own deadlines.
 *
 * The only place libpq is called. A connection belongs to one thread. Every wait has a deadline and hears the stop
 * signal. Every failure carries its retry class (see the SQLSTATE table in db_class.c); after
 * RETRY_RECONNECT the connection is closed and the caller replays its whole transaction after db_open.
 * Parameters and results are binary or checked text; a text with a NUL inside is refused before it is sent.
 */
#ifndef TRIBUTARY_STORE_DB_H
#define TRIBUTARY_STORE_DB_H

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "daemon/base/stop.h"

struct db;

struct db_settings {
    const char *conninfo;         /* URL or keywords; copied */
    const char *application_name; /* "tributary resolve" */
    int64_t connect_timeout_ms;   /* 0: 5000 */
    int64_t statement_timeout_ms; /* our own deadline on every wait; 0: 30000 */
};

/* Never touches the network; NULL when out of memory. `stop` may be NULL. */
struct db *db_new(const struct db_settings *settings, const struct stop *stop);
void db_free(struct db **db);
/* Connects if not connected; target is read-write; sets search_path to nothing, UTF8, UTC, and checks that
 * it is so. Does not back off by itself: see db_backoff_ms. */
MUST_CHECK enum status db_open(struct db *db, struct err *err);
bool db_is_open(const struct db *db);
void db_close(struct db *db);
/* Changes our deadline on every wait from now on (a migration needs minutes) and returns the one before. The
 * server's own statement_timeout is not touched: SET LOCAL it where longer statements are meant. */
int64_t db_set_deadline_ms(struct db *db, int64_t statement_timeout_ms);
/* Wait before the n-th attempt in a row: base 100 ms, doubling, cap 4 s, with jitter. */
int64_t db_backoff_ms(unsigned attempt);

/* A parameter. NULL text is SQL NULL. */
struct db_param {
    enum { DB_NULL, DB_INT8, DB_INT4, DB_BOOL, DB_FLOAT8, DB_TEXT, DB_BYTEA, DB_TIMESTAMP /* wall us */,
           DB_JSONB, DB_INT8_ARRAY, DB_TEXT_ARRAY, DB_UUID } type;
    int64_t integer;
    double real;
    struct slice text;          /* TEXT, BYTEA, JSONB; UUID: 16 bytes */
    const int64_t *integers;    /* INT8_ARRAY */
    const struct slice *texts;  /* TEXT_ARRAY; ptr NULL is SQL NULL */
    size_t count;               /* of an array */
};
#define DB_P_NULL()       ((struct db_param){.type = DB_NULL})
#define DB_P_INT8(v)      ((struct db_param){.type = DB_INT8, .integer = (v)})
#define DB_P_INT4(v)      ((struct db_param){.type = DB_INT4, .integer = (v)})
#define DB_P_BOOL(v)      ((struct db_param){.type = DB_BOOL, .integer = (v)})
#define DB_P_FLOAT8(v)    ((struct db_param){.type = DB_FLOAT8, .real = (v)})
#define DB_P_TEXT(v)      ((struct db_param){.type = DB_TEXT, .text = (v)})
#define DB_P_BYTEA(v)     ((struct db_param){.type = DB_BYTEA, .text = (v)})
#define DB_P_TIMESTAMP(v) ((struct db_param){.type = DB_TIMESTAMP, .integer = (v)})
#define DB_P_JSONB(v)     ((struct db_param){.type = DB_JSONB, .text = (v)})
#define DB_P_INT8S(v, n)  ((struct db_param){.type = DB_INT8_ARRAY, .integers = (v), .count = (n)})
#define DB_P_TEXTS(v, n)  ((struct db_param){.type = DB_TEXT_ARRAY, .texts = (v), .count = (n)})

/* A result, binary columns read through accessors. Free with db_result_free. */
struct db_result;
size_t db_rows(const struct db_result *result);
size_t db_columns(const struct db_result *result);
bool db_is_null(const struct db_result *result, size_t row, size_t column);
int64_t db_int(const struct db_result *result, size_t row, size_t column);  /* int2, int4, int8, bool */
double db_real(const struct db_result *result, size_t row, size_t column);  /* float4, float8 */
struct slice db_bytes(const struct db_result *result, size_t row, size_t column); /* text, bytea, jsonb text (version byte taken off) */
int64_t db_timestamp_us(const struct db_result *result, size_t row, size_t column);
uint64_t db_affected(const struct db_result *result); /* rows of an INSERT, UPDATE, DELETE */
void db_result_free(struct db_result **result);

/* Runs a named query of sql/queries/ (see sql.h), prepared on first use. */
struct sql_query;
MUST_CHECK enum status db_query(struct db *db, const struct sql_query *query,
                                const struct db_param *params, size_t param_count,
                                struct db_result **result, struct err *err);
/* The same when no rows are wanted; *affected may be NULL. */
MUST_CHECK enum status db_run(struct db *db, const struct sql_query *query,
                              const struct db_param *params, size_t param_count,
                              uint64_t *affected, struct err *err);
/* Text without parameters: BEGIN, generated DDL, migrations (several statements allowed). */
MUST_CHECK enum status db_exec(struct db *db, const char *sql, struct err *err);

MUST_CHECK enum status db_begin(struct db *db, struct err *err);
/* BEGIN as the first statement of a queue: one answer. */
MUST_CHECK enum status db_queue_begin(struct db *db, struct err *err);
/* An ambiguous commit (connection lost after COMMIT was sent) is STATUS_FAILED, RETRY_RECONNECT, and *ambiguous
 * true: the caller settles it by looking for its batch id. The next db_open of the same db first ends the session that
 * did not answer, so that what is found then is final; while that session cannot be ended (frozen) db_open fails. */
MUST_CHECK enum status db_commit(struct db *db, bool *ambiguous, struct err *err);
void db_rollback(struct db *db); /* closes the connection if that fails */

/* Pipelining: queue any number of db_queue calls, then one db_flush_queue sends all, waits once, and fails on the
 * first error (the transaction is then to be rolled back). affected[i] may be NULL. */
MUST_CHECK enum status db_queue(struct db *db, const struct sql_query *query,
                                const struct db_param *params, size_t param_count, struct err *err);
MUST_CHECK enum status db_flush_queue(struct db *db, uint64_t *affected, size_t affected_max,
                                      struct err *err);

/* Binary COPY. `rows` holds tuples as copy_row/copy_* wrote them (no header, no trailer).
 * `statement` is "COPY schema.table (columns) FROM STDIN (FORMAT binary)". The row count is asserted. */
MUST_CHECK enum status db_copy_in(struct db *db, const char *statement, struct slice rows,
                                  uint64_t row_count, struct err *err);
/* Several, one after the other, sent as one query: the server goes from one to the next without being asked again. */
struct db_copy {
    const char *statement;
    struct slice rows;
    uint64_t row_count;
};
MUST_CHECK enum status db_copy_all(struct db *db, const struct db_copy *copies, size_t count, struct err *err);
/* The same for however few rows, behind what is queued: a handful is queued as INSERTs (whose counts db_flush_queue tells
 * like any other's), what has more is copied once the queue is flushed. No table of them may need another's rows. */
MUST_CHECK enum status db_put_all(struct db *db, const struct db_copy *copies, size_t count, struct err *err);
MUST_CHECK enum status db_put_rows(struct db *db, const char *copy_statement, struct slice rows,
                                   uint64_t row_count, struct err *err);
void copy_row(struct buf *rows, uint16_t column_count);
void copy_null(struct buf *rows);
void copy_int8(struct buf *rows, int64_t value);
void copy_int4(struct buf *rows, int32_t value);
void copy_int2(struct buf *rows, int16_t value);
void copy_bool(struct buf *rows, bool value);
void copy_float4(struct buf *rows, float value);
void copy_text(struct buf *rows, struct slice value);  /* the caller has checked UTF-8 and NUL */
void copy_bytea(struct buf *rows, struct slice value);
void copy_json(struct buf *rows, struct slice json);
void copy_jsonb(struct buf *rows, struct slice json);
void copy_timestamp(struct buf *rows, int64_t wall_us);
void copy_date(struct buf *rows, int32_t days_since_1970);
void copy_uuid(struct buf *rows, uint64_t high, uint64_t low);
void copy_int4_array(struct buf *rows, const int32_t *values, size_t count);
void copy_text_array(struct buf *rows, const struct slice *values, size_t count);

/* The rows of a fixed COPY (query) TO STDOUT (FORMAT binary), some at a time, to `each`: a third of the work that
 * db_stream makes of a row. They are valid during the call. False ends it, and closes the connection. Values are read
 * by their length in the wire form: an integer of 8 bytes as one of 4, a bool as 0 or 1. */
#define COPIED_COLUMNS_MAX 16
#define COPIED_ROWS_MAX    128
struct copied_row {
    size_t count;
    struct slice cells[COPIED_COLUMNS_MAX]; /* ptr NULL: NULL */
};
MUST_CHECK enum status db_copy_out(struct db *db, const struct sql_query *query,
                                   bool (*each)(const struct copied_row *rows, size_t count, void *data), void *data,
                                   struct err *err);
bool copied_is_null(const struct copied_row *row, size_t column);
int64_t copied_int(const struct copied_row *row, size_t column); /* 0 for NULL */
struct slice copied_bytes(const struct copied_row *row, size_t column);
int64_t copied_timestamp_us(const struct copied_row *row, size_t column);

/* Streams a query's rows (single-row mode) to `each`, which returns false to stop early. */
MUST_CHECK enum status db_stream(struct db *db, const struct sql_query *query,
                                 const struct db_param *params, size_t param_count,
                                 bool (*each)(const struct db_result *row, void *data), void *data,
                                 struct err *err);

/* Waits for a NOTIFY on the channels LISTENed to, up to wait_ms. STATUS_TIMEOUT when none came. */
MUST_CHECK enum status db_wait_notify(struct db *db, int64_t wait_ms, struct err *err);

#endif
