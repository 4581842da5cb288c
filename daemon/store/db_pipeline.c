/*
 * db_pipeline.c - many statements, one wait.
 *
 * libpq's pipeline mode. A statement not yet prepared needs an answer before it can be encoded, so the queue is
 * settled first; that happens once per statement and connection.
 */
#include "daemon/store/db_internal.h"

#include <stdlib.h>

static const char queue_name[] = "queued statements";

static void keep_error(struct db *db, const struct err *err)
{
    if (db->queue_failed)
        return;
    db->queue_failed = true;
    db->queue_err = *err;
}

static void take_result(struct db *db, PGresult *result)
{
    struct err err = {0};
    switch (PQresultStatus(result)) {
    case PGRES_PIPELINE_ABORTED:
        db->queue_read++;
        return;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        if (db->queue_read < db->queue_affected_capacity)
            db->queue_affected[db->queue_read] = db_affected(&(struct db_result){result});
        db->queue_read++;
        return;
    default:
        (void)!db_fail_result(db, result, queue_name, &err);
        keep_error(db, &err);
        db->queue_read++;
    }
}

/* Sends everything, reads every reply and leaves pipeline mode. */
static enum status settle(struct db *db, struct err *err)
{
    if (PQpipelineSync(db->conn) != 1)
        return db_fail_connection(db, queue_name, err);
    bool synced = false;
    while (!synced) {
        PGresult *result = NULL;
        enum status status = db_next_result(db, db_deadline_us(db->statement_timeout_ms), queue_name,
                                            &result, err);
        if (status != STATUS_OK)
            return status;
        if (result == NULL) { /* the end of one statement */
            if (!db_is_open(db))
                return db_fail_connection(db, queue_name, err);
            continue;
        }
        synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (!synced)
            take_result(db, result);
        PQclear(result);
        if (!db_is_open(db)) { /* a fatal error closed it; it is kept */
            *err = db->queue_err;
            return STATUS_FAILED;
        }
    }
    if (PQexitPipelineMode(db->conn) != 1)
        return db_fail_connection(db, queue_name, err);
    db->queue_bytes = 0;
    return STATUS_OK;
}

static void end_queue(struct db *db)
{
    db->queue_sent = db->queue_read = 0;
    db->queue_failed = false;
}

static enum status room_for_affected(struct db *db, struct err *err)
{
    if (db->queue_sent < db->queue_affected_capacity)
        return STATUS_OK;
    size_t capacity = db->queue_affected_capacity ? db->queue_affected_capacity * 2 : 256;
    uint64_t *grown = realloc(db->queue_affected, capacity * sizeof(*grown));
    if (grown == NULL)
        return err_set(err, RETRY_LATER, "store.memory", "%s: out of memory", queue_name);
    db->queue_affected = grown;
    db->queue_affected_capacity = capacity;
    return STATUS_OK;
}

static enum status prepare_between(struct db *db, const struct sql_query *query, size_t param_count,
                                   const struct db_prepared **prepared, struct err *err)
{
    if (db->queue_sent == 0 || db_is_prepared(db, query))
        return db_prepare(db, query, param_count, prepared, err);
    enum status status = PQpipelineStatus(db->conn) == PQ_PIPELINE_OFF ? STATUS_OK : settle(db, err);
    if (status != STATUS_OK)
        return status;
    if (db->queue_failed) {
        *err = db->queue_err;
        return STATUS_FAILED; /* the transaction is aborted: nothing more can be prepared in it */
    }
    size_t sent = db->queue_sent;
    db->queue_sent = 0;
    status = db_prepare(db, query, param_count, prepared, err);
    if (db_is_open(db))
        db->queue_sent = sent;
    return status;
}

/* Makes ready for one statement more. */
static enum status queue_next(struct db *db, const struct sql_query *query, size_t param_count,
                              const struct db_prepared **prepared, struct err *err)
{
    enum status status = db_need_open(db, query->name, err);
    if (status == STATUS_OK && db->queue_sent >= DB_QUEUE_MAX)
        status = err_set(err, RETRY_FATAL, "store.queue", "%s: more than %d statements queued",
                         query->name, DB_QUEUE_MAX);
    if (status == STATUS_OK)
        status = room_for_affected(db, err);
    if (status == STATUS_OK)
        status = prepare_between(db, query, param_count, prepared, err);
    if (status != STATUS_OK)
        return status;
    if (PQpipelineStatus(db->conn) == PQ_PIPELINE_OFF && PQenterPipelineMode(db->conn) != 1)
        return db_fail_connection(db, query->name, err);
    return STATUS_OK;
}

/* After it was sent, or could not be. */
static enum status queued(struct db *db, const struct sql_query *query, enum status status, struct err *err)
{
    if (status != STATUS_OK) {
        if (db_is_open(db) && db->queue_sent == 0)
            PQexitPipelineMode(db->conn);
        return status;
    }
    db->queue_sent++;
    if (db->queue_bytes < DB_FLUSH_BYTES)
        return STATUS_OK;
    db->queue_bytes = 0;
    return db_flush(db, db_deadline_us(db->statement_timeout_ms), query->name, err);
}

enum status db_queue(struct db *db, const struct sql_query *query, const struct db_param *params,
                     size_t param_count, struct err *err)
{
    const struct db_prepared *prepared = NULL;
    enum status status = queue_next(db, query, param_count, &prepared, err);
    return status == STATUS_OK ? queued(db, query, db_send(db, prepared, params, err), err) : status;
}

enum status db_queue_binary(struct db *db, const struct sql_query *query, const char *const *values,
                            const int *lengths, size_t param_count, struct err *err)
{
    static const int formats[DB_PARAMS_MAX] = {[0 ... DB_PARAMS_MAX - 1] = 1};
    const struct db_prepared *prepared = NULL;
    enum status status = queue_next(db, query, param_count, &prepared, err);
    if (status != STATUS_OK)
        return status;
    if (PQsendQueryPrepared(db->conn, prepared->name, (int)param_count, values, lengths, formats, 1) != 1)
        status = db_fail_connection(db, query->name, err);
    for (size_t i = 0; i < param_count; i++)
        db->queue_bytes += (size_t)lengths[i];
    return queued(db, query, status, err);
}

enum status db_queue_begin(struct db *db, struct err *err)
{
    static const struct sql_query begin = {.name = "BEGIN", .text = "BEGIN"};
    return db_queue(db, &begin, NULL, 0, err);
}

enum status db_flush_queue(struct db *db, uint64_t *affected, size_t affected_max, struct err *err)
{
    enum status status = db_need_open(db, queue_name, err);
    if (status == STATUS_OK && PQpipelineStatus(db->conn) != PQ_PIPELINE_OFF)
        status = settle(db, err);
    if (status != STATUS_OK)
        return status;
    if (db->queue_failed) {
        *err = db->queue_err;
        status = STATUS_FAILED;
    } else if (db->queue_read != db->queue_sent) {
        size_t sent = db->queue_sent, got = db->queue_read;
        db_close(db);
        return err_set(err, RETRY_RECONNECT, "store.protocol", "%s: %zu sent, %zu answered", queue_name,
                       sent, got);
    }
    for (size_t i = 0; status == STATUS_OK && affected && i < affected_max && i < db->queue_read; i++)
        affected[i] = db->queue_affected[i];
    end_queue(db);
    return status;
}
