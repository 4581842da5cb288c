/*
 * db_insert.c - rows as COPY takes them, put in by what is cheaper.
 *
 * A COPY costs two waits for the server, however few its rows. The few rows that follow from one form post are queued
 * as prepared INSERTs instead, made from the very text of the COPY statement, so that a whole transaction of them is
 * sent at once. The values are the same bytes: both go through the binary input of the column's type.
 */
#include "daemon/store/db_internal.h"

#include <stdlib.h>
#include <string.h>

#define INSERT_ROWS_MAX 8 /* of one table; from some dozen rows on a COPY is cheaper */

struct db_insert {
    char *copy; /* the statement it stands for */
    struct sql_query query;
    size_t column_count;
};

static void free_insert(struct db_insert *insert)
{
    free(insert->copy);
    free((char *)(uintptr_t)insert->query.name);
    free((char *)(uintptr_t)insert->query.text);
    free(insert);
}

void db_forget_inserts(struct db *db)
{
    for (size_t i = 0; i < db->insert_count; i++)
        free_insert(db->inserts[i]);
    db->insert_count = 0;
}

/* "COPY schema.table (a, b) FROM STDIN (FORMAT binary)" as an INSERT of one row; false without memory. */
static bool make_texts(struct db_insert *insert, const char *copy, size_t column_count)
{
    const char *table = copy + strlen("COPY "), *columns_end = strstr(copy, " FROM STDIN");
    struct buf text = BUF_INIT(1 << 20);
    buf_put_str(&text, "INSERT INTO ");
    buf_put(&text, table, (size_t)(columns_end - table));
    buf_put_str(&text, " VALUES (");
    for (size_t i = 0; i < column_count; i++)
        buf_printf(&text, "%s$%zu", i > 0 ? ", " : "", i + 1);
    buf_put(&text, ")", sizeof(")"));
    insert->column_count = column_count;
    insert->copy = strdup(copy);
    insert->query.name = strndup(copy, strcspn(copy, "("));
    insert->query.text = buf_failed(&text) ? NULL : strdup(text.data);
    buf_free(&text);
    return insert->copy && insert->query.name && insert->query.text;
}

/* Statements are few and live as long as the program, but for a customer's: its columns may change. */
static const struct db_insert *insert_for(struct db *db, const char *copy, size_t column_count)
{
    for (size_t i = 0; i < db->insert_count; i++) {
        if (strcmp(db->inserts[i]->copy, copy) == 0)
            return db->inserts[i];
    }
    if (db->insert_count == DB_INSERTS_MAX)
        return NULL;
    struct db_insert *insert = calloc(1, sizeof(*insert));
    if (insert == NULL)
        return NULL;
    if (!make_texts(insert, copy, column_count)) {
        free_insert(insert);
        return NULL;
    }
    db->inserts[db->insert_count++] = insert;
    return insert;
}

static size_t column_count_of(struct slice rows)
{
    return rows.len < 2 ? 0 : (size_t)((uint8_t)rows.ptr[0] << 8 | (uint8_t)rows.ptr[1]);
}

static enum status queue_row(struct db *db, const struct db_insert *insert, struct slice *rows,
                             struct err *err)
{
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX];
    if (column_count_of(*rows) != insert->column_count)
        return err_set(err, RETRY_FATAL, "store.columns", "%s: a row has %zu columns, not %zu",
                       insert->query.name, column_count_of(*rows), insert->column_count);
    *rows = slice_sub(*rows, 2, rows->len);
    for (size_t i = 0; i < insert->column_count; i++) {
        uint32_t wire = 0;
        memcpy(&wire, rows->ptr, 4); /* our own encoders wrote it */
        uint32_t length = __builtin_bswap32(wire);
        *rows = slice_sub(*rows, 4, rows->len);
        values[i] = length == UINT32_MAX ? NULL : rows->ptr;
        lengths[i] = length == UINT32_MAX ? 0 : (int)length;
        *rows = slice_sub(*rows, (size_t)lengths[i], rows->len);
    }
    return db_queue_binary(db, &insert->query, values, lengths, insert->column_count, err);
}

/* The INSERT for so few rows; NULL: copy them. */
static const struct db_insert *insert_of(struct db *db, const struct db_copy *copy)
{
    size_t column_count = column_count_of(copy->rows);
    if (copy->row_count > INSERT_ROWS_MAX || copy->rows.len > DB_FLUSH_BYTES || column_count > DB_PARAMS_MAX)
        return NULL;
    return insert_for(db, copy->statement, column_count);
}

enum status db_put_all(struct db *db, const struct db_copy *copies, size_t count, struct err *err)
{
    struct db_copy many[DB_INSERTS_MAX];
    size_t many_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct db_insert *insert = insert_of(db, &copies[i]);
        struct slice rows = copies[i].rows;
        if (insert == NULL && many_count == DB_INSERTS_MAX)
            return err_set(err, RETRY_FATAL, "store.queue", "more than %d tables to be copied", DB_INSERTS_MAX);
        if (insert == NULL)
            many[many_count++] = copies[i];
        for (uint64_t j = 0; insert && j < copies[i].row_count; j++) {
            if (queue_row(db, insert, &rows, err) != STATUS_OK)
                return STATUS_FAILED;
        }
    }
    if (many_count == 0)
        return STATUS_OK;
    enum status status = db_flush_queue(db, NULL, 0, err);
    return status == STATUS_OK ? db_copy_all(db, many, many_count, err) : status;
}

enum status db_put_rows(struct db *db, const char *copy_statement, struct slice rows,
                        uint64_t row_count, struct err *err)
{
    struct db_copy copy = {copy_statement, rows, row_count};
    return db_put_all(db, &copy, 1, err);
}
