/* test_db.c - the connection, against a real PostgreSQL: types, refusals, pipelines, copies, losses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>

#include "daemon/base/clock.h"
#include "tests/unit/pg.h"
#include "tests/unit/proxy.h"

static const char *conninfo;

static const struct sql_query echo_query = {
    "echo", "select $1::int8, $2::int4, $3::bool, $4::float8, $5::text, $6::bytea, $7::timestamptz, "
            "$8::jsonb, $9::int8[], $10::text[], $11::uuid, $12::int2, $13::float4, $14::text"};

static void test_types_come_back_as_they_went(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    int64_t integers[] = {INT64_MIN, 0, INT64_MAX};
    struct slice texts[] = {SLICE("a,\"b\"{}\\"), SLICE(""), {NULL, 0}, SLICE("\xE5\xBC\xA0")};
    struct slice bytes = slice_of("\0\xFF\\x00", 6);
    struct slice uuid = slice_of("0123456789abcdef", 16);
    struct db_param params[] = {
        DB_P_INT8(INT64_MIN), DB_P_INT4(-7), DB_P_BOOL(true), DB_P_FLOAT8(-0.1),
        DB_P_TEXT(SLICE("\xE5\xBC\xA0\xE4\xB8\x89 \xF0\x9F\x98\x80")), DB_P_BYTEA(bytes),
        DB_P_TIMESTAMP(1763798400123456), DB_P_JSONB(SLICE("{\"a\": [1, null]}")),
        DB_P_INT8S(integers, 3), DB_P_TEXTS(texts, 4),
        {.type = DB_UUID, .text = uuid}, DB_P_INT4(-32768), DB_P_FLOAT8(1.5), DB_P_NULL()};
    for (int round = 0; round < 2; round++) { /* the second is the prepared statement again */
        struct db_result *result = NULL;
        assert_ok(err, db_query(db, &echo_query, params, 14, &result, &err));
        assert_int_equal(db_rows(result), 1);
        assert_int_equal(db_columns(result), 14);
        assert_true(db_int(result, 0, 0) == INT64_MIN);
        assert_int_equal(db_int(result, 0, 1), -7);
        assert_int_equal(db_int(result, 0, 2), 1);
        assert_true(db_real(result, 0, 3) == -0.1);
        assert_true(slice_eq(db_bytes(result, 0, 4), params[4].text));
        assert_true(slice_eq(db_bytes(result, 0, 5), bytes));
        assert_true(db_timestamp_us(result, 0, 6) == 1763798400123456);
        assert_true(slice_is(db_bytes(result, 0, 7), "{\"a\": [1, null]}"));
        assert_true(slice_eq(db_bytes(result, 0, 10), uuid));
        assert_int_equal(db_int(result, 0, 11), -32768);
        assert_true(db_real(result, 0, 12) == 1.5);
        assert_true(db_is_null(result, 0, 13));
        db_result_free(&result);
    }
    static const struct sql_query unnest = {
        "unnest", "select (select sum(x) = -1 from unnest($1::int8[]) x), array_to_string($2::text[], '|', 'NULL'), "
                  "cardinality($3::text[]), cardinality($4::int8[])"};
    struct db_result *result = NULL;
    assert_ok(err, db_query(db, &unnest, (struct db_param[]){params[8], params[9], DB_P_TEXTS(NULL, 0), DB_P_INT8S(NULL, 0)},
                            4, &result, &err));
    assert_int_equal(db_int(result, 0, 0), 1);
    assert_true(slice_is(db_bytes(result, 0, 1), "a,\"b\"{}\\||NULL|\xE5\xBC\xA0"));
    assert_int_equal(db_int(result, 0, 2), 0);
    assert_int_equal(db_int(result, 0, 3), 0);
    db_result_free(&result);
    db_free(&db);
    assert_null(db);
}

static void test_the_session_is_set_as_we_rely_on(void **state)
{
    (void)state;
    struct db *db = pg_open(conninfo, 5000);
    assert_int_equal(pg_int(db, "select (current_setting('search_path') = '' and current_setting('TimeZone') = 'UTC' "
                                "and current_setting('client_encoding') = 'UTF8' and "
                                "current_setting('statement_timeout') = '10s' and "
                                "current_setting('idle_in_transaction_session_timeout') = '20s' and "
                                "current_setting('application_name') = 'tributary test')"),
                     1);
    db_free(&db);
}

static const struct sql_query text_query = {"text", "select length($1::text)"};

static void test_text_postgres_would_cut_or_refuse_is_refused_before_it_is_sent(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    struct db_result *result = NULL;
    const struct slice bad[] = {slice_of("a\0b", 3), SLICE("\xED\xA0\x80"), SLICE("caf\xE9"), SLICE("\xC0\x80")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        err_clear(&err);
        assert_int_equal(db_query(db, &text_query, (struct db_param[]){DB_P_TEXT(bad[i])}, 1, &result, &err),
                         STATUS_FAILED);
        assert_int_equal(err.retry, RETRY_REJECT_RECORD);
        assert_null(result);
        assert_true(db_is_open(db));
        static const struct sql_query array_query = {"array", "select cardinality($1::text[])"};
        assert_int_equal(db_query(db, &array_query, (struct db_param[]){DB_P_TEXTS(&bad[i], 1)}, 1, &result, &err),
                         STATUS_FAILED);
        assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    }
    static const struct sql_query json_query = {"json", "select $1::jsonb is null"};
    assert_int_equal(db_query(db, &json_query, (struct db_param[]){DB_P_JSONB(SLICE("{\"a\":\"\\u0000\"}"))}, 1,
                              &result, &err),
                     STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    assert_string_equal(err.sqlstate, "22P05");
    db_free(&db);
}

static void test_errors_carry_their_class_and_no_values(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    assert_int_equal(db_exec(db, "select 1/0", &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    assert_string_equal(err.sqlstate, "22012");
    assert_int_equal(db_exec(db, "select 'secret@example.com'::int4", &err), STATUS_FAILED);
    assert_string_equal(err.text, "select 'secret@example.com'::int4: invalid input syntax for type integer");
    assert_int_equal(db_exec(db, "select * from no_such_table", &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    struct db_result *result = NULL;
    static const struct sql_query two = {"two", "select $1::int4 + $2::int4"};
    assert_int_equal(db_query(db, &two, (struct db_param[]){DB_P_INT4(1)}, 1, &result, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_FATAL);
    assert_int_equal(db_query(db, &two, (struct db_param[]){DB_P_INT8(1LL << 40), DB_P_INT8(1)}, 2, &result, &err),
                     STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    assert_true(db_is_open(db));
    db_free(&db);
}

static void make_table(struct db *db)
{
    struct err err = {0};
    assert_ok(err, db_exec(db, "create schema if not exists t; drop table if exists t.row; "
                               "create table t.row (id int8 primary key, name text not null)", &err));
}

static const struct sql_query insert_query = {"insert", "insert into t.row values ($1, $2)"};
static const struct sql_query update_query = {"update", "update t.row set name = $2 where id <= $1"};

static void test_queued_statements_run_in_order_and_tell_their_counts(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 10000);
    make_table(db);
    assert_ok(err, db_begin(db, &err));
    enum { COUNT = 3000 };
    static char long_name[1000];
    memset(long_name, 'x', sizeof(long_name));
    for (int64_t i = 0; i < COUNT; i++)
        assert_ok(err, db_queue(db, &insert_query,
                                (struct db_param[]){DB_P_INT8(i), DB_P_TEXT(slice_of(long_name, 1000))}, 2, &err));
    assert_ok(err, db_queue(db, &update_query, (struct db_param[]){DB_P_INT8(9), DB_P_TEXT(SLICE("y"))}, 2, &err));
    static uint64_t affected[COUNT + 1];
    assert_ok(err, db_flush_queue(db, affected, COUNT + 1, &err));
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(affected[i], 1);
    assert_int_equal(affected[COUNT], 10);
    bool ambiguous = true;
    assert_ok(err, db_commit(db, &ambiguous, &err));
    assert_false(ambiguous);
    assert_int_equal(pg_int(db, "select count(*) from t.row"), COUNT);
    db_free(&db);
}

static void test_a_failed_queue_tells_the_first_error_and_leaves_nothing(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    make_table(db);
    for (int with_unprepared = 0; with_unprepared < 2; with_unprepared++) {
        assert_ok(err, db_begin(db, &err));
        for (int64_t i = 0; i < 10; i++)
            assert_ok(err, db_queue(db, &insert_query,
                                    (struct db_param[]){DB_P_INT8(i % 7), DB_P_TEXT(SLICE("a"))}, 2, &err));
        static const struct sql_query other = {"other", "delete from t.row where id = $1"};
        if (with_unprepared)
            assert_int_equal(db_queue(db, &other, (struct db_param[]){DB_P_INT8(1)}, 1, &err), STATUS_FAILED);
        else
            assert_int_equal(db_flush_queue(db, NULL, 0, &err), STATUS_FAILED);
        assert_string_equal(err.sqlstate, "23505");
        assert_true(db_is_open(db));
        db_rollback(db);
        assert_true(db_is_open(db));
        assert_int_equal(pg_int(db, "select count(*) from t.row"), 0);
    }
    /* A parameter refused before it was sent leaves what was queued to the rollback. */
    assert_ok(err, db_begin(db, &err));
    assert_ok(err, db_queue(db, &insert_query, (struct db_param[]){DB_P_INT8(1), DB_P_TEXT(SLICE("a"))}, 2, &err));
    assert_int_equal(db_queue(db, &insert_query, (struct db_param[]){DB_P_INT8(2), DB_P_TEXT(slice_of("\0", 1))}, 2, &err),
                     STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    db_rollback(db);
    assert_int_equal(pg_int(db, "select count(*) from t.row"), 0);
    db_free(&db);
}

static void put_two(struct db *db, int64_t from, size_t count, struct err *err)
{
    struct buf rows = BUF_INIT(1 << 20);
    for (size_t i = 0; i < count; i++) {
        copy_row(&rows, 2);
        copy_int8(&rows, from + (int64_t)i);
        copy_text(&rows, i % 2 ? SLICE("o'dd") : SLICE(""));
    }
    assert_ok(*err, db_put_rows(db, "COPY t.row (id, name) FROM STDIN (FORMAT binary)", buf_slice(&rows), count, err));
    buf_free(&rows);
}

static void test_rows_are_put_behind_what_is_queued_however_many(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 10000);
    make_table(db);
    assert_ok(err, db_queue_begin(db, &err));
    put_two(db, 1, 2, &err); /* queued */
    assert_ok(err, db_queue(db, &update_query, (struct db_param[]){DB_P_INT8(1), DB_P_TEXT(SLICE("y"))}, 2, &err));
    put_two(db, 100, 500, &err); /* copied, behind the update */
    put_two(db, 10, 1, &err);
    uint64_t affected[1] = {0};
    assert_ok(err, db_flush_queue(db, affected, 1, &err));
    assert_int_equal(affected[0], 1);
    bool ambiguous = true;
    assert_ok(err, db_commit(db, &ambiguous, &err));
    assert_int_equal(pg_int(db, "select count(*) from t.row"), 503);
    assert_int_equal(pg_int(db, "select count(*) from t.row where (id, name) in ((1, 'y'), (2, 'o''dd'), (10, ''))"), 3);

    assert_ok(err, db_queue_begin(db, &err));
    put_two(db, 2, 1, &err); /* there already: told when the queue is flushed */
    assert_int_equal(db_flush_queue(db, NULL, 0, &err), STATUS_FAILED);
    assert_string_equal(err.sqlstate, "23505");
    db_rollback(db);
    static const char wrong[] = "\0\3";
    assert_int_equal(db_put_rows(db, "COPY t.row (id, name) FROM STDIN (FORMAT binary)", slice_of(wrong, 2), 1, &err),
                     STATUS_FAILED);
    assert_string_equal(err.id, "store.columns");
    db_free(&db);
}

static void test_commit_of_a_failed_transaction_is_no_success(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    bool ambiguous = true;
    assert_ok(err, db_begin(db, &err));
    assert_int_equal(db_exec(db, "select 1/0", &err), STATUS_FAILED);
    assert_int_equal(db_commit(db, &ambiguous, &err), STATUS_FAILED);
    assert_false(ambiguous);
    db_free(&db);
}

static void test_copy_stores_every_type_and_counts_rows(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 10000);
    assert_ok(err, db_exec(db, "create schema if not exists t; drop table if exists t.copied; create table t.copied ("
                               "a int8, b int4, c int2, d bool, e float4, f text, g bytea, h jsonb, "
                               "i timestamptz, j date, k uuid, l text[], m text)", &err));
    struct buf rows = BUF_INIT(64u << 20);
    struct slice words[] = {SLICE("x"), SLICE(""), SLICE("y,z")};
    enum { COUNT = 20000 };
    for (int i = 0; i < COUNT; i++) {
        copy_row(&rows, 13);
        copy_int8(&rows, i);
        copy_int4(&rows, -i);
        copy_int2(&rows, (int16_t)(i % 100));
        copy_bool(&rows, i % 2);
        copy_float4(&rows, 0.5f);
        copy_text(&rows, SLICE("\xE5\xBC\xA0"));
        copy_bytea(&rows, slice_of("\0\1", 2));
        copy_jsonb(&rows, SLICE("{\"k\": 1}"));
        copy_timestamp(&rows, 1763798400123456);
        copy_date(&rows, 20414);
        copy_uuid(&rows, 0x0123456789abcdefULL, 0xfedcba9876543210ULL);
        copy_text_array(&rows, words, i % 4);
        copy_null(&rows);
    }
    assert_false(buf_failed(&rows));
    static const char statement[] =
        "COPY t.copied (a, b, c, d, e, f, g, h, i, j, k, l, m) FROM STDIN (FORMAT binary)";
    assert_ok(err, db_copy_in(db, statement, buf_slice(&rows), COUNT, &err));
    assert_int_equal(
        pg_int(db, "select count(*) from t.copied where b = -a and c = a % 100 and d = (a % 2 = 1) and e = 0.5 "
                   "and f = '\xE5\xBC\xA0' and g = '\\x0001' and h = '{\"k\":1}' and "
                   "i = '2025-11-22 08:00:00.123456+00' and j = '2025-11-22' and "
                   "k = '01234567-89ab-cdef-fedc-ba9876543210' and l = (array['x','','y,z'])[1:a % 4] and m is null"),
        COUNT);
    assert_int_equal(db_copy_in(db, statement, buf_slice(&rows), COUNT + 1, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_FATAL);
    /* A bad row in a large copy: the server refuses while we still send. */
    rows.data[2 + 3] = 7;
    assert_int_equal(db_copy_in(db, statement, buf_slice(&rows), COUNT, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_FATAL); /* a row we encoded wrongly is our bug */
    assert_ok(err, db_exec(db, "truncate t.copied; alter table t.copied add check (a <> 7)", &err));
    rows.data[2 + 3] = 8;
    assert_int_equal(db_copy_in(db, statement, buf_slice(&rows), COUNT, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    assert_string_equal(err.sqlstate, "23514");
    assert_int_equal(db_copy_in(db, "COPY t.no_such (a) FROM STDIN (FORMAT binary)", SLICE_EMPTY, 0, &err),
                     STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    assert_int_equal(pg_int(db, "select 1"), 1);
    buf_free(&rows);
    db_free(&db);
}

static void test_several_copies_are_one_query_and_the_first_error_ends_it(void **state)
{
    (void)state;
    struct err err;
    struct db *db = pg_open(conninfo, 5000);
    assert_ok(err, db_exec(db, "create schema if not exists t; drop table if exists t.one, t.two; "
                               "create table t.one (a int8); create table t.two (a int8 check (a < 100))", &err));
    struct buf rows = BUF_INIT(1 << 20), refused = BUF_INIT(1 << 20);
    for (int64_t i = 0; i < 50; i++) {
        copy_row(&rows, 1);
        copy_int8(&rows, i);
        copy_row(&refused, 1);
        copy_int8(&refused, i + 60);
    }
    const char *one = "COPY t.one (a) FROM STDIN (FORMAT binary)", *two = "COPY t.two (a) FROM STDIN (FORMAT binary)";
    struct db_copy both[] = {{one, buf_slice(&rows), 50}, {two, buf_slice(&rows), 50}, {one, SLICE_EMPTY, 0}};
    assert_ok(err, db_copy_all(db, both, 3, &err));
    assert_ok(err, db_copy_all(db, both, 0, &err));
    assert_int_equal(pg_int(db, "select (select count(*) from t.one) * 100 + (select count(*) from t.two)"), 5050);
    /* Refused in the middle: nothing of the query stands, and the connection goes on. */
    both[1].rows = buf_slice(&refused);
    assert_int_equal(db_copy_all(db, both, 3, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    assert_string_equal(err.sqlstate, "23514");
    assert_int_equal(pg_int(db, "select (select count(*) from t.one) * 100 + (select count(*) from t.two)"), 5050);
    /* Counted wrongly: our bug, whichever it is; the transaction is not to go on. */
    for (size_t wrong = 0; wrong < 3; wrong++) {
        struct db_copy counted[] = {{one, buf_slice(&rows), 50}, {two, buf_slice(&rows), 50}, {one, buf_slice(&rows), 50}};
        counted[wrong].row_count++;
        assert_ok(err, db_open(db, &err));
        assert_ok(err, db_begin(db, &err));
        assert_int_equal(db_copy_all(db, counted, 3, &err), STATUS_FAILED);
        assert_int_equal(err.retry, RETRY_FATAL);
        assert_string_equal(err.id, "store.copy_count");
        db_rollback(db);
    }
    assert_ok(err, db_open(db, &err));
    assert_int_equal(pg_int(db, "select (select count(*) from t.one) * 100 + (select count(*) from t.two)"), 5050);
    buf_free(&rows);
    buf_free(&refused);
    db_free(&db);
}

static bool sum_row(const struct db_result *row, void *data)
{
    int64_t *sum = data;
    assert_int_equal(db_rows(row), 1);
    *sum += db_int(row, 0, 0);
    return *sum < 1000000000;
}

static void test_streams_give_row_by_row_and_may_be_left_early(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    static const struct sql_query series = {"series", "select g::int8 from generate_series(1, $1::int8) g"};
    int64_t sum = 0;
    assert_ok(err, db_stream(db, &series, (struct db_param[]){DB_P_INT8(1000)}, 1, sum_row, &sum, &err));
    assert_int_equal(sum, 500500);
    sum = 999999999;
    assert_ok(err, db_stream(db, &series, (struct db_param[]){DB_P_INT8(5000)}, 1, sum_row, &sum, &err));
    assert_int_equal(sum, 1000000000);
    static const struct sql_query fails = {"fails", "select 100 / (3 - g::int8) from generate_series(1, $1::int8) g"};
    sum = 0;
    assert_int_equal(db_stream(db, &fails, (struct db_param[]){DB_P_INT8(5)}, 1, sum_row, &sum, &err), STATUS_FAILED);
    assert_int_equal(sum, 150);
    assert_string_equal(err.sqlstate, "22012");
    assert_int_equal(pg_int(db, "select (current_setting('statement_timeout') = '10s')"), 1);
    db_free(&db);
}

struct copied_sums {
    int64_t whole, narrow, seconds, nulls, rows, batches, stop_at;
};

static bool sum_copied(const struct copied_row *rows, size_t count, void *data)
{
    struct copied_sums *sums = data;
    assert_true(count > 0 && count <= COPIED_ROWS_MAX);
    sums->batches++;
    for (size_t i = 0; i < count; i++) {
        const struct copied_row *row = &rows[i];
        assert_int_equal(row->count, 6);
        int64_t whole = copied_int(row, 0);
        char text[32];
        snprintf(text, sizeof(text), "row %lld", (long long)whole);
        sums->rows++;
        sums->whole += whole;
        sums->narrow += copied_int(row, 1) + copied_int(row, 2);
        sums->nulls += copied_is_null(row, 3);
        if (!copied_is_null(row, 3))
            assert_true(slice_is(copied_bytes(row, 3), text));
        else
            assert_int_equal(copied_bytes(row, 3).len, 0);
        sums->seconds += copied_timestamp_us(row, 4) / 1000000;
        assert_int_equal(copied_bytes(row, 5).len, whole == 7 ? 100000 : 0);
    }
    return sums->stop_at == 0 || sums->rows < sums->stop_at;
}

static void test_a_copy_out_gives_rows_by_the_batch_and_may_be_left_early(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    static const struct sql_query copy = {
        "copy", "COPY (SELECT g::int8, -1::int4, (g % 2 = 0), CASE WHEN g % 3 <> 0 THEN 'row ' || g END, "
                "to_timestamp(g), repeat('x', CASE WHEN g = 7 THEN 100000 ELSE 0 END)::bytea "
                "FROM generate_series(1, 3000) g) TO STDOUT (FORMAT binary)"};
    struct copied_sums sums = {0};
    assert_ok(err, db_copy_out(db, &copy, sum_copied, &sums, &err));
    assert_int_equal(sums.rows, 3000);
    assert_int_equal(sums.whole, 4501500);
    assert_int_equal(sums.narrow, -3000 + 1500);
    assert_int_equal(sums.nulls, 1000);
    assert_int_equal(sums.seconds, 4501500);
    assert_true(sums.batches >= 3000 / COPIED_ROWS_MAX);
    assert_int_equal(pg_int(db, "select (current_setting('statement_timeout') = '10s')"), 1);
    static const struct sql_query none = {"none", "COPY (SELECT 1 WHERE false) TO STDOUT (FORMAT binary)"};
    sums = (struct copied_sums){0};
    assert_ok(err, db_copy_out(db, &none, sum_copied, &sums, &err));
    assert_int_equal(sums.rows, 0);
    static const struct sql_query fails = {
        "fails", "COPY (SELECT g::int8, 100 / (300 - g), true, 'row ' || g, now(), ''::bytea FROM generate_series(100, 500) g) "
                 "TO STDOUT (FORMAT binary)"};
    assert_int_equal(db_copy_out(db, &fails, sum_copied, &sums, &err), STATUS_FAILED);
    assert_string_equal(err.sqlstate, "22012");
    assert_int_equal(pg_int(db, "select 1"), 1);
    static const struct sql_query wrong = {"wrong", "COPY (SELECT no_such_column) TO STDOUT (FORMAT binary)"};
    assert_int_equal(db_copy_out(db, &wrong, sum_copied, &sums, &err), STATUS_FAILED);
    assert_int_equal(pg_int(db, "select 1"), 1);
    sums = (struct copied_sums){.stop_at = 1};
    assert_ok(err, db_copy_out(db, &copy, sum_copied, &sums, &err));
    assert_true(sums.rows < 3000);
    assert_false(db_is_open(db)); /* what was not read is not waited for */
    db_free(&db);
}

static void test_notifications_are_waited_for(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *listener = pg_open(conninfo, 5000), *speaker = pg_open(conninfo, 5000);
    assert_ok(err, db_exec(listener, "LISTEN tributary_test", &err));
    assert_int_equal(db_wait_notify(listener, 10, &err), STATUS_TIMEOUT);
    assert_true(db_is_open(listener));
    assert_ok(err, db_exec(speaker, "NOTIFY tributary_test, '5'", &err));
    assert_ok(err, db_wait_notify(listener, 5000, &err));
    db_free(&listener);
    db_free(&speaker);
}

static void test_a_lost_answer_to_commit_is_ambiguous_and_settled_by_looking(void **state)
{
    (void)state;
    struct err err = {0};
    struct proxy proxy;
    char through[256];
    proxy_start(&proxy, conninfo, through, sizeof(through));
    struct db *direct = pg_open(conninfo, 5000);
    make_table(direct);
    struct db *db = pg_open(through, 5000);
    for (int64_t i = 0; i < 20; i++) {
        bool ambiguous = false;
        assert_ok(err, db_open(db, &err));
        assert_ok(err, db_begin(db, &err));
        assert_ok(err, db_run(db, &insert_query, (struct db_param[]){DB_P_INT8(i), DB_P_TEXT(SLICE("x"))}, 2, NULL, &err));
        atomic_store(&proxy.armed, true);
        assert_int_equal(db_commit(db, &ambiguous, &err), STATUS_FAILED);
        assert_true(ambiguous);
        assert_int_equal(err.retry, RETRY_RECONNECT);
        assert_false(db_is_open(db));
    }
    assert_int_equal(atomic_load(&proxy.dropped), 20);
    assert_int_equal(pg_int(direct, "select count(*) from t.row"), 20);
    db_free(&db);
    db_free(&direct);
    proxy_stop(&proxy);
}

static void test_after_an_ambiguous_commit_what_is_found_is_final(void **state)
{
    (void)state;
    struct err err = {0};
    bool ambiguous = false;
    struct db *db = pg_open(conninfo, 400), *other = pg_open(conninfo, 5000);
    make_table(other);
    assert_ok(err, db_begin(db, &err));
    assert_ok(err, db_run(db, &insert_query, (struct db_param[]){DB_P_INT8(1), DB_P_TEXT(SLICE("x"))}, 2, NULL, &err));
    int64_t backend = pg_int(db, "select pg_backend_pid()");
    assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
    assert_int_equal(db_commit(db, &ambiguous, &err), STATUS_FAILED);
    assert_true(ambiguous);
    /* It may still commit when it thaws: nobody may look before it is gone. */
    assert_int_not_equal(db_open(db, &err), STATUS_OK);
    assert_int_equal(err.retry, RETRY_RECONNECT);
    assert_int_equal(kill((pid_t)backend, SIGCONT), 0);
    assert_ok(err, db_open(db, &err));
    static const struct sql_query living = {"living", "select count(*) from pg_stat_activity where pid = $1::int4"};
    struct db_result *result = NULL;
    assert_ok(err, db_query(db, &living, (struct db_param[]){DB_P_INT8(backend)}, 1, &result, &err));
    assert_int_equal(db_int(result, 0, 0), 0);
    db_result_free(&result);
    db_free(&db);
    db_free(&other);
}

static void test_a_frozen_backend_meets_our_deadline(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 400);
    int64_t backend = pg_int(db, "select pg_backend_pid()");
    assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
    int64_t begun_us = clock_monotonic_us(clock_system());
    assert_int_equal(db_exec(db, "select 1", &err), STATUS_TIMEOUT);
    int64_t took_ms = (clock_monotonic_us(clock_system()) - begun_us) / 1000;
    assert_int_equal(err.retry, RETRY_RECONNECT);
    assert_false(db_is_open(db));
    kill((pid_t)backend, SIGCONT);
    assert_in_range(took_ms, 395, 2000);
    assert_ok(err, db_open(db, &err));
    db_free(&db);
}

static void test_a_frozen_backend_meets_our_deadline_in_a_copy_too(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 400);
    make_table(db);
    struct buf rows = BUF_INIT(64u << 20);
    for (int64_t i = 0; i < 100000; i++) {
        copy_row(&rows, 2);
        copy_int8(&rows, i);
        copy_text(&rows, SLICE("a name long enough to fill the buffers of a socket soon"));
    }
    int64_t backend = pg_int(db, "select pg_backend_pid()");
    assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
    assert_int_equal(db_copy_in(db, "COPY t.row (id, name) FROM STDIN (FORMAT binary)", buf_slice(&rows), 100000, &err),
                     STATUS_TIMEOUT);
    kill((pid_t)backend, SIGCONT);
    assert_false(db_is_open(db));
    buf_free(&rows);
    db_free(&db);
}

static void *stop_soon(void *data)
{
    stop_wait_ms(data, 100);
    stop_set(data);
    return NULL;
}

static void test_the_stop_signal_ends_a_wait(void **state)
{
    (void)state;
    struct err err = {0};
    struct stop stop;
    assert_ok(err, stop_init(&stop, &err));
    struct db *db = db_new(&(struct db_settings){.conninfo = conninfo}, &stop);
    assert_ok(err, db_open(db, &err));
    pthread_t thread;
    pthread_create(&thread, NULL, stop_soon, &stop);
    assert_int_equal(db_exec(db, "select pg_sleep(20)", &err), STATUS_STOPPED);
    pthread_join(thread, NULL);
    assert_int_equal(db_open(db, &err), STATUS_STOPPED);
    db_free(&db);
    stop_close(&stop);
}

static void test_a_terminated_backend_is_a_reconnect(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000), *killer = pg_open(conninfo, 5000);
    static const struct sql_query end = {"end", "select pg_terminate_backend($1::int4, 5000)"};
    struct db_result *result = NULL;
    int64_t backend = pg_int(db, "select pg_backend_pid()");
    assert_ok(err, db_query(killer, &end, (struct db_param[]){DB_P_INT8(backend)}, 1, &result, &err));
    db_result_free(&result);
    assert_int_equal(db_exec(db, "select 1", &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_RECONNECT);
    assert_string_equal(err.sqlstate, "57P01");
    assert_false(db_is_open(db));
    assert_ok(err, db_open(db, &err));
    assert_int_equal(pg_int(db, "select 1"), 1);
    db_free(&db);
    db_free(&killer);
}

static void expect_connect(const char *bad, enum retry_class retry, const char *sqlstate)
{
    struct err err = {0};
    struct db *db = db_new(&(struct db_settings){.conninfo = bad, .connect_timeout_ms = 500}, NULL);
    assert_int_not_equal(db_open(db, &err), STATUS_OK);
    if (err.retry != retry || strcmp(err.sqlstate, sqlstate) != 0)
        print_error("%s: %s %s %s\n", bad, retry_class_name(err.retry), err.sqlstate, err.text);
    assert_int_equal(err.retry, retry);
    assert_string_equal(err.sqlstate, sqlstate);
    assert_null(strstr(err.text, "hunter2"));
    db_free(&db);
}

static void test_failed_connects_carry_their_class(void **state)
{
    (void)state;
    char text[300];
    struct err err = {0};
    struct db *db = pg_open(conninfo, 5000);
    assert_ok(err, db_exec(db, "drop role if exists nologin; create role nologin", &err));
    snprintf(text, sizeof(text), "%s dbname=no_such", conninfo);
    expect_connect(text, RETRY_REJECT_CONFIG, "3D000");
    snprintf(text, sizeof(text), "%s user=nologin", conninfo);
    expect_connect(text, RETRY_REJECT_CONFIG, "28000");
    expect_connect("host=/tmp/no-such-directory", RETRY_RECONNECT, "");
    expect_connect("host=127.0.0.1 port=1", RETRY_RECONNECT, "");
    expect_connect("postgres://user:hunter2@[::1/", RETRY_REJECT_CONFIG, "");
    expect_connect("postgres://user:hunter2@host:port/", RETRY_REJECT_CONFIG, "");
    expect_connect("host=a,b port=1,2,3", RETRY_REJECT_CONFIG, "");
    assert_ok(err, db_exec(db, "alter role nologin login connection limit 0", &err));
    expect_connect(text, RETRY_LATER, "53300");
    assert_ok(err, db_exec(db, "alter role nologin connection limit -1; "
                               "alter role nologin set default_transaction_read_only = on", &err));
    expect_connect(text, RETRY_RECONNECT, "");
    assert_ok(err, db_exec(db, "drop role nologin", &err));
    db_free(&db);
}

static void test_a_host_that_swallows_packets_does_not_use_up_the_next_ones_time(void **state)
{
    (void)state;
    struct err err = {0};
    char hole[64] = "/tmp/tributary-hole.XXXXXX", text[300], path[108];
    assert_non_null(mkdtemp(hole));
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", hole);
    struct sockaddr_un address;
    proxy_address(&address, path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0); /* never accepts */
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 8), 0);
    const char *rest = strchr(conninfo, ' ');
    snprintf(text, sizeof(text), "host=%s,%.*s%s", hole, (int)(rest - conninfo - 5), conninfo + 5, rest);
    struct db *db = db_new(&(struct db_settings){.conninfo = text, .connect_timeout_ms = 300}, NULL);
    assert_ok(err, db_open(db, &err));
    db_close(db);
    close(listener);
    unlink(path);
    rmdir(hole);
    assert_ok(err, db_open(db, &err)); /* begins with the one that worked */
    db_free(&db);
}

static void test_backoff_grows_to_its_cap_with_jitter(void **state)
{
    (void)state;
    for (unsigned attempt = 1; attempt < 40; attempt++) {
        int64_t full_ms = attempt > 6 ? 4000 : 100LL << (attempt - 1);
        for (int i = 0; i < 20; i++)
            assert_in_range(db_backoff_ms(attempt), full_ms / 2, full_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_come_back_as_they_went),
        cmocka_unit_test(test_the_session_is_set_as_we_rely_on),
        cmocka_unit_test(test_text_postgres_would_cut_or_refuse_is_refused_before_it_is_sent),
        cmocka_unit_test(test_errors_carry_their_class_and_no_values),
        cmocka_unit_test(test_queued_statements_run_in_order_and_tell_their_counts),
        cmocka_unit_test(test_a_failed_queue_tells_the_first_error_and_leaves_nothing),
        cmocka_unit_test(test_rows_are_put_behind_what_is_queued_however_many),
        cmocka_unit_test(test_commit_of_a_failed_transaction_is_no_success),
        cmocka_unit_test(test_copy_stores_every_type_and_counts_rows),
        cmocka_unit_test(test_several_copies_are_one_query_and_the_first_error_ends_it),
        cmocka_unit_test(test_streams_give_row_by_row_and_may_be_left_early),
        cmocka_unit_test(test_a_copy_out_gives_rows_by_the_batch_and_may_be_left_early),
        cmocka_unit_test(test_notifications_are_waited_for),
        cmocka_unit_test(test_a_lost_answer_to_commit_is_ambiguous_and_settled_by_looking),
        cmocka_unit_test(test_after_an_ambiguous_commit_what_is_found_is_final),
        cmocka_unit_test(test_a_frozen_backend_meets_our_deadline),
        cmocka_unit_test(test_a_frozen_backend_meets_our_deadline_in_a_copy_too),
        cmocka_unit_test(test_the_stop_signal_ends_a_wait),
        cmocka_unit_test(test_a_terminated_backend_is_a_reconnect),
        cmocka_unit_test(test_failed_connects_carry_their_class),
        cmocka_unit_test(test_a_host_that_swallows_packets_does_not_use_up_the_next_ones_time),
        cmocka_unit_test(test_backoff_grows_to_its_cap_with_jitter),
    };
    if (pg_missing())
        return 0;
    conninfo = getenv("TRIBUTARY_TEST_DB");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
