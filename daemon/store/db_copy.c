/* db_copy.c - binary COPY: the stream, and the encoders of its rows. */
#include "daemon/store/db_internal.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/store/db_types.h"

#define COPY_CHUNK_BYTES (128u << 10)

static const char copy_header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* no flags, no extension */
#define COPY_HEADER_BYTES 19
static const char copy_trailer[] = "\377\377";

/* Everything is sent while replies are read, so a server that refuses early cannot block us. */
static enum status send_bytes(struct db *db, struct slice bytes, const char *what, struct err *err)
{
    while (bytes.len > 0) {
        size_t chunk = bytes.len < COPY_CHUNK_BYTES ? bytes.len : COPY_CHUNK_BYTES;
        int sent = PQputCopyData(db->conn, bytes.ptr, (int)chunk);
        if (sent < 0)
            return db_fail_connection(db, what, err);
        if (sent == 1)
            bytes = slice_sub(bytes, chunk, bytes.len);
        enum status status =
            db_flush(db, db_deadline_us(db->statement_timeout_ms), what, err);
        if (status != STATUS_OK)
            return status;
        if (PQstatus(db->conn) != CONNECTION_OK)
            return STATUS_OK; /* the reader of results tells why */
    }
    return STATUS_OK;
}

static enum status begin_copy(struct db *db, const char *statement, const char *what,
                              struct err *err)
{
    if (PQsendQuery(db->conn, statement) != 1)
        return db_fail_connection(db, what, err);
    int64_t deadline_us = db_deadline_us(db->statement_timeout_ms);
    PGresult *result = NULL;
    enum status status = db_next_result(db, deadline_us, what, &result, err);
    if (status != STATUS_OK)
        return status;
    ExecStatusType kind = result ? PQresultStatus(result) : PGRES_FATAL_ERROR;
    if (kind == PGRES_COPY_IN) {
        PQclear(result);
        return STATUS_OK;
    }
    if (result == NULL)
        return db_fail_connection(db, what, err);
    status = db_fail_result(db, result, what, err);
    PQclear(result);
    if (db_is_open(db)) {
        struct err rest = {0};
        (void)!db_finish_statement(db, deadline_us, what, NULL, &rest);
    }
    return status;
}

static void name_copy(const char *statement, char out[80])
{
    size_t len = strcspn(statement, "(");
    while (len > 0 && statement[len - 1] == ' ')
        len--;
    snprintf(out, 80, "%.*s", (int)(len > 70 ? 70 : len), statement);
}

enum status db_copy_in(struct db *db, const char *statement, struct slice rows, uint64_t row_count,
                       struct err *err)
{
    assert(db->queue_sent == 0);
    char what[80];
    name_copy(statement, what);
    enum status status = db_need_open(db, what, err);
    if (status == STATUS_OK)
        status = begin_copy(db, statement, what, err);
    if (status == STATUS_OK)
        status = send_bytes(db, slice_of(copy_header, COPY_HEADER_BYTES), what, err);
    if (status == STATUS_OK)
        status = send_bytes(db, rows, what, err);
    if (status == STATUS_OK)
        status = send_bytes(db, slice_of(copy_trailer, 2), what, err);
    if (status != STATUS_OK)
        return status;
    if (PQstatus(db->conn) == CONNECTION_OK && PQputCopyEnd(db->conn, NULL) < 0)
        return db_fail_connection(db, what, err);
    PGresult *result = NULL;
    status = db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), what, &result, err);
    if (status != STATUS_OK)
        return status;
    uint64_t stored = db_affected(&(struct db_result){result});
    PQclear(result);
    if (stored == row_count)
        return STATUS_OK;
    return err_set(err, RETRY_FATAL, "store.copy_count", "%s: %llu rows sent, %llu stored", what,
                   (unsigned long long)row_count, (unsigned long long)stored);
}

void copy_row(struct buf *rows, uint16_t column_count)
{
    buf_put_u16(rows, column_count);
}

void copy_null(struct buf *rows)
{
    buf_put_u32(rows, UINT32_MAX);
}

/* Length and value in one reservation: these run several times per record. */
static void put_fixed(struct buf *rows, uint32_t len, const void *wire)
{
    char *room = buf_reserve(rows, 4 + len);
    if (room == NULL)
        return;
    uint32_t wire_len = __builtin_bswap32(len);
    memcpy(room, &wire_len, 4);
    if (len > 0) /* an empty slice may point nowhere */
        memcpy(room + 4, wire, len);
    rows->len += 4 + len;
}

void copy_int8(struct buf *rows, int64_t value)
{
    uint64_t wire = __builtin_bswap64((uint64_t)value);
    put_fixed(rows, 8, &wire);
}

void copy_int4(struct buf *rows, int32_t value)
{
    uint32_t wire = __builtin_bswap32((uint32_t)value);
    put_fixed(rows, 4, &wire);
}

void copy_int2(struct buf *rows, int16_t value)
{
    uint16_t wire = __builtin_bswap16((uint16_t)value);
    put_fixed(rows, 2, &wire);
}

void copy_bool(struct buf *rows, bool value)
{
    uint8_t wire = value;
    put_fixed(rows, 1, &wire);
}

void copy_float4(struct buf *rows, float value)
{
    uint32_t raw = 0;
    memcpy(&raw, &value, sizeof(raw));
    copy_int4(rows, (int32_t)raw);
}

void copy_text(struct buf *rows, struct slice value)
{
    if (value.len > INT32_MAX) {
        rows->failed = true;
        return;
    }
    put_fixed(rows, (uint32_t)value.len, value.ptr);
}

void copy_bytea(struct buf *rows, struct slice value)
{
    copy_text(rows, value);
}

void copy_json(struct buf *rows, struct slice json)
{
    copy_text(rows, json);
}

void copy_jsonb(struct buf *rows, struct slice json)
{
    if (json.len >= INT32_MAX) {
        rows->failed = true;
        return;
    }
    buf_put_u32(rows, (uint32_t)json.len + 1);
    buf_put_byte(rows, 1); /* version of the format */
    buf_put_slice(rows, json);
}

void copy_timestamp(struct buf *rows, int64_t wall_us)
{
    int64_t value = 0;
    /* Below the epoch's reach PostgreSQL has no time either: 4713 BC is its first. */
    if (__builtin_sub_overflow(wall_us, PG_EPOCH_US, &value))
        value = INT64_MIN; /* -infinity */
    copy_int8(rows, value);
}

void copy_date(struct buf *rows, int32_t days_since_1970)
{
    int32_t value = 0;
    if (__builtin_sub_overflow(days_since_1970, PG_EPOCH_DAYS, &value))
        value = INT32_MIN; /* -infinity */
    copy_int4(rows, value);
}

void copy_uuid(struct buf *rows, uint64_t high, uint64_t low)
{
    uint64_t wire[2] = {__builtin_bswap64(high), __builtin_bswap64(low)};
    put_fixed(rows, 16, wire);
}

/* Begins an array; its length is told by end_array. */
static size_t begin_array(struct buf *rows, uint32_t type, size_t count)
{
    size_t at = rows->len;
    buf_put_u32(rows, 0);
    buf_put_u32(rows, count > 0); /* dimensions */
    buf_put_u32(rows, 0);         /* no NULLs */
    buf_put_u32(rows, type);
    if (count > 0) {
        buf_put_u32(rows, (uint32_t)count);
        buf_put_u32(rows, 1); /* lower bound */
    }
    return at;
}

static void end_array(struct buf *rows, size_t at)
{
    if (buf_failed(rows) || rows->len - at - 4 > INT32_MAX) {
        rows->failed = true;
        return;
    }
    uint32_t wire = __builtin_bswap32((uint32_t)(rows->len - at - 4));
    memcpy(rows->data + at, &wire, sizeof(wire));
}

void copy_int4_array(struct buf *rows, const int32_t *values, size_t count)
{
    size_t at = begin_array(rows, TYPE_INT4, count);
    for (size_t i = 0; i < count; i++)
        copy_int4(rows, values[i]);
    end_array(rows, at);
}

void copy_text_array(struct buf *rows, const struct slice *values, size_t count)
{
    size_t at = begin_array(rows, TYPE_TEXT, count);
    for (size_t i = 0; i < count; i++)
        copy_text(rows, values[i]);
    end_array(rows, at);
}
