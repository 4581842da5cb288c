/* db_copy_out.c - reading a COPY ... TO STDOUT (FORMAT binary): its rows, several at a time. */
#include <assert.h>
#include <stdlib.h>

#include "daemon/store/db_internal.h"
#include "daemon/store/db_types.h"

#define HEADER_BYTES 19 /* signature 11, flags 4, length of the extension 4 */
static const char signature[] = "PGCOPY\n\377\r\n";

struct reading {
    struct db *db;
    const char *what;
    struct err *err;
    int64_t deadline_us;
    bool begun, ended; /* the header, the trailer have been seen */
    size_t row_count, message_count;
    char *messages[COPIED_ROWS_MAX]; /* libpq's, in which the rows lie */
    struct copied_row rows[COPIED_ROWS_MAX];
};

static enum status torn(struct reading *reading)
{
    enum status status = err_set(reading->err, RETRY_FATAL, "store.protocol", "%s: a row of COPY cannot be read; hint: "
                                 "please report this with the log", reading->what);
    db_close(reading->db);
    return status;
}

static uint32_t wire_u32(const char *at)
{
    uint32_t wire;
    memcpy(&wire, at, sizeof(wire));
    return __builtin_bswap32(wire);
}

/* One row off the front of the bytes. */
static bool take_row(struct slice *bytes, struct copied_row *row)
{
    uint16_t wire;
    memcpy(&wire, bytes->ptr, sizeof(wire));
    row->count = __builtin_bswap16(wire);
    *bytes = slice_sub(*bytes, 2, bytes->len);
    if (row->count > COPIED_COLUMNS_MAX)
        return false;
    for (size_t i = 0; i < row->count; i++) {
        if (bytes->len < 4)
            return false;
        uint32_t len = wire_u32(bytes->ptr);
        *bytes = slice_sub(*bytes, 4, bytes->len);
        bool is_null = len == UINT32_MAX;
        if (!is_null && len > bytes->len)
            return false;
        row->cells[i] = is_null ? (struct slice){.ptr = NULL, .len = 0} : slice_sub(*bytes, 0, len);
        *bytes = slice_sub(*bytes, is_null ? 0 : len, bytes->len);
    }
    return true;
}

/* The rows of a message: the server sends each row in one, the first behind the header. */
static enum status take_message(struct reading *reading, struct slice bytes)
{
    if (!reading->begun) {
        if (bytes.len < HEADER_BYTES || memcmp(bytes.ptr, signature, sizeof(signature)) != 0 ||
            wire_u32(bytes.ptr + HEADER_BYTES - 4) > bytes.len - HEADER_BYTES)
            return torn(reading);
        bytes = slice_sub(bytes, HEADER_BYTES + wire_u32(bytes.ptr + HEADER_BYTES - 4), bytes.len);
        reading->begun = true;
    }
    while (bytes.len > 0) {
        if (bytes.len < 2 || reading->ended)
            return torn(reading);
        if (bytes.len == 2 && (unsigned char)bytes.ptr[0] == 0xFF && (unsigned char)bytes.ptr[1] == 0xFF) {
            reading->ended = true;
            return STATUS_OK;
        }
        if (reading->row_count == COPIED_ROWS_MAX || !take_row(&bytes, &reading->rows[reading->row_count]))
            return torn(reading);
        reading->row_count++;
    }
    return STATUS_OK;
}

static void let_go(struct reading *reading)
{
    for (size_t i = 0; i < reading->message_count; i++)
        PQfreemem(reading->messages[i]);
    reading->message_count = reading->row_count = 0;
}

/* The next message. *len: its bytes, 0 none is there yet, -1 the end, -2 an error. */
static enum status next_message(struct reading *reading, bool wait, char **message, int *len)
{
    struct db *db = reading->db;
    while ((*len = PQgetCopyData(db->conn, message, 1)) == 0 && wait) {
        enum status status = db_wait_io(db, false, reading->deadline_us, reading->what, reading->err);
        if (status != STATUS_OK)
            return status;
        if (PQconsumeInput(db->conn) != 1)
            return db_fail_connection(db, reading->what, reading->err);
    }
    return STATUS_OK;
}

/* All rows, each batch of what has come given on before the next is waited for. */
static enum status read_rows(struct reading *reading, bool (*each)(const struct copied_row *rows, size_t count, void *data),
                             void *data)
{
    for (;;) {
        char *message = NULL;
        int len = 0;
        reading->deadline_us = db_deadline_us(reading->db->statement_timeout_ms);
        enum status status = next_message(reading, reading->row_count == 0, &message, &len);
        if (status != STATUS_OK)
            return status;
        if (len > 0) {
            reading->messages[reading->message_count++] = message;
            status = take_message(reading, slice_of(message, (size_t)len));
            if (status != STATUS_OK)
                return status;
        }
        if (reading->message_count == COPIED_ROWS_MAX || (len <= 0 && reading->row_count > 0)) {
            bool wanted = reading->row_count == 0 || each(reading->rows, reading->row_count, data);
            let_go(reading);
            if (!wanted) {
                db_close(reading->db); /* the rest is not read */
                return STATUS_OK;
            }
        }
        if (len < 0)
            return STATUS_OK; /* or an error, which the results tell */
    }
}

static enum status begin(struct reading *reading, const char *statement)
{
    struct db *db = reading->db;
    PGresult *result = NULL;
    if (PQsendQuery(db->conn, statement) != 1)
        return db_fail_connection(db, reading->what, reading->err);
    enum status status = db_next_result(db, db_deadline_us(db->statement_timeout_ms), reading->what, &result, reading->err);
    if (status != STATUS_OK)
        return status;
    if (result == NULL)
        return db_fail_connection(db, reading->what, reading->err);
    if (PQresultStatus(result) != PGRES_COPY_OUT || PQbinaryTuples(result) != 1)
        status = db_fail_result(db, result, reading->what, reading->err);
    PQclear(result);
    struct err later = {0};
    if (status != STATUS_OK && db_is_open(db))
        (void)!db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), reading->what, NULL, &later);
    return status;
}

static enum status copy_out(struct db *db, const struct sql_query *query,
                            bool (*each)(const struct copied_row *rows, size_t count, void *data), void *data,
                            struct err *err)
{
    struct reading *reading = malloc(sizeof(*reading));
    if (reading == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for %s", query->name);
    reading->db = db;
    reading->what = query->name;
    reading->err = err;
    reading->begun = reading->ended = false;
    reading->row_count = reading->message_count = 0;
    enum status status = begin(reading, query->text);
    if (status == STATUS_OK)
        status = read_rows(reading, each, data);
    let_go(reading);
    bool ended = reading->ended;
    free(reading);
    if (status != STATUS_OK || !db_is_open(db))
        return status;
    status = db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), query->name, NULL, err);
    if (status == STATUS_OK && !ended)
        status = err_set(err, RETRY_RECONNECT, "store.protocol", "%s: COPY ended before its rows did", query->name);
    return status;
}

enum status db_copy_out(struct db *db, const struct sql_query *query,
                        bool (*each)(const struct copied_row *rows, size_t count, void *data), void *data,
                        struct err *err)
{
    assert(db->queue_sent == 0);
    /* The server's statement_timeout would count the time we take for the rows. */
    enum status status = db_exec(db, "SET statement_timeout = 0", err);
    if (status == STATUS_OK)
        status = copy_out(db, query, each, data, err);
    if (!db_is_open(db) || PQtransactionStatus(db->conn) == PQTRANS_INERROR)
        return status; /* the rollback restores the setting */
    struct err reset_err = {0};
    enum status reset = db_exec(db, "RESET statement_timeout", status == STATUS_OK ? err : &reset_err);
    return status == STATUS_OK ? reset : status;
}

bool copied_is_null(const struct copied_row *row, size_t column)
{
    assert(column < row->count);
    return row->cells[column].ptr == NULL;
}

int64_t copied_int(const struct copied_row *row, size_t column)
{
    assert(column < row->count);
    struct slice cell = row->cells[column];
    uint64_t wide;
    uint16_t narrow;
    switch (cell.len) {
    case 8:
        memcpy(&wide, cell.ptr, sizeof(wide));
        return (int64_t)__builtin_bswap64(wide);
    case 4:
        return (int32_t)wire_u32(cell.ptr);
    case 2:
        memcpy(&narrow, cell.ptr, sizeof(narrow));
        return (int16_t)__builtin_bswap16(narrow);
    case 1: /* bool */
        return cell.ptr[0] != 0;
    default:
        assert(cell.len == 0); /* NULL; else the column is no integer */
        return 0;
    }
}

struct slice copied_bytes(const struct copied_row *row, size_t column)
{
    assert(column < row->count);
    return row->cells[column].ptr ? row->cells[column] : SLICE_EMPTY;
}

int64_t copied_timestamp_us(const struct copied_row *row, size_t column)
{
    int64_t value = copied_int(row, column), wall_us = 0;
    if (copied_is_null(row, column))
        return 0;
    if (value == INT64_MAX || value == INT64_MIN) /* infinity */
        return value;
    return __builtin_add_overflow(value, PG_EPOCH_US, &wall_us) ? INT64_MAX : wall_us;
}
