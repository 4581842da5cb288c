/* db_copy.c - binary COPY: the stream, and the encoders of its rows. */
#include "daemon/store/db_internal.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/store/db_types.h"

#define COPY_CHUNK_BYTES (128u << 10)
#define STATEMENTS_MAX_BYTES ((size_t)1 << 20)

static const char copies_name[] = "COPY";

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

/* An error result ends the whole query: what is left of it is read. */
static enum status refused(struct db *db, PGresult *result, const char *what, struct err *err)
{
    enum status status = db_fail_result(db, result, what, err);
    PQclear(result);
    if (db_is_open(db)) {
        struct err rest = {0};
        (void)!db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), what, NULL, &rest);
    }
    return status;
}

/* The next reply must be of this kind; it is left in *result. */
static enum status expect(struct db *db, ExecStatusType kind, const char *what, PGresult **result, struct err *err)
{
    enum status status = db_next_result(db, db_deadline_us(db->statement_timeout_ms), what, result, err);
    if (status != STATUS_OK)
        return status;
    if (*result == NULL)
        return db_fail_connection(db, what, err);
    if (PQresultStatus(*result) == kind)
        return STATUS_OK;
    if (PQresultStatus(*result) == PGRES_FATAL_ERROR)
        return refused(db, *result, what, err);
    (void)err_set(err, RETRY_FATAL, "store.protocol", "%s: unexpected reply %s", what, PQresStatus(PQresultStatus(*result)));
    PQclear(*result);
    db_close(db);
    return STATUS_FAILED;
}

static void name_copy(const char *statement, char out[80])
{
    size_t len = strcspn(statement, "(");
    while (len > 0 && statement[len - 1] == ' ')
        len--;
    snprintf(out, 80, "%.*s", (int)(len > 70 ? 70 : len), statement);
}

/* One COPY of the query under way, from the server's word that it takes rows to the number it has stored. */
static enum status copy_one(struct db *db, const struct db_copy *copy, struct err *err)
{
    char what[80];
    name_copy(copy->statement, what);
    PGresult *result = NULL;
    enum status status = expect(db, PGRES_COPY_IN, what, &result, err);
    if (status != STATUS_OK)
        return status;
    PQclear(result);
    const struct slice parts[] = {slice_of(copy_header, COPY_HEADER_BYTES), copy->rows, slice_of(copy_trailer, 2)};
    for (size_t i = 0; status == STATUS_OK && i < 3; i++)
        status = send_bytes(db, parts[i], what, err);
    if (status != STATUS_OK)
        return status;
    if (PQstatus(db->conn) == CONNECTION_OK && PQputCopyEnd(db->conn, NULL) < 0)
        return db_fail_connection(db, what, err);
    status = expect(db, PGRES_COMMAND_OK, what, &result, err);
    if (status != STATUS_OK)
        return status;
    uint64_t stored = db_affected(&(struct db_result){result});
    PQclear(result);
    if (stored == copy->row_count)
        return STATUS_OK;
    (void)err_set(err, RETRY_FATAL, "store.copy_count", "%s: %llu rows sent, %llu stored", what,
                  (unsigned long long)copy->row_count, (unsigned long long)stored);
    return STATUS_FAILED;
}

static enum status send_statements(struct db *db, const struct db_copy *copies, size_t count, struct err *err)
{
    struct buf text = BUF_INIT(STATEMENTS_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        buf_put_str(&text, copies[i].statement);
        buf_put_byte(&text, i + 1 < count ? ';' : '\0');
    }
    enum status status = STATUS_OK;
    if (buf_failed(&text))
        status = err_set(err, RETRY_LATER, "store.memory", "%s: out of memory", copies_name);
    else if (PQsendQuery(db->conn, text.data) != 1)
        status = db_fail_connection(db, copies_name, err);
    buf_free(&text);
    return status;
}

enum status db_copy_all(struct db *db, const struct db_copy *copies, size_t count, struct err *err)
{
    assert(db->queue_sent == 0);
    if (count == 0)
        return STATUS_OK;
    enum status status = db_need_open(db, copies_name, err);
    if (status == STATUS_OK)
        status = send_statements(db, copies, count, err);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = copy_one(db, &copies[i], err);
        /* A wrong number of rows is told by the server at the end of one COPY, when it is about to begin the next. */
        if (status == STATUS_FAILED && db_is_open(db) && PQtransactionStatus(db->conn) == PQTRANS_ACTIVE) {
            struct err rest = {0};
            if (i + 1 < count)
                db_close(db);
            else
                (void)!db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), copies_name, NULL, &rest);
        }
    }
    return status == STATUS_OK
               ? db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), copies_name, NULL, err)
               : status;
}

enum status db_copy_in(struct db *db, const char *statement, struct slice rows, uint64_t row_count,
                       struct err *err)
{
    struct db_copy copy = {statement, rows, row_count};
    return db_copy_all(db, &copy, 1, err);
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
