/* db_query.c - named queries: prepared on first use, binary both ways; and streams of rows. */
#include "daemon/store/db_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void db_forget_prepared(struct db *db)
{
    for (size_t i = 0; i < db->prepared_count; i++)
        free(db->prepared[i]);
    db->prepared_count = 0;
}

static const struct db_prepared *find_prepared(const struct db *db, const struct sql_query *query)
{
    for (size_t i = 0; i < db->prepared_count; i++)
        if (db->prepared[i]->query == query)
            return db->prepared[i];
    return NULL;
}

bool db_is_prepared(const struct db *db, const struct sql_query *query)
{
    return find_prepared(db, query) != NULL;
}

/* Lets the server infer the parameters' types and asks for them, so that how a value is encoded never
 * depends on which call came first. */
static enum status prepare_new(struct db *db, const struct sql_query *query,
                               struct db_prepared *prepared, struct err *err)
{
    assert(db->queue_sent == 0);
    snprintf(prepared->name, sizeof(prepared->name), "q%u", db->prepared_serial++);
    prepared->query = query;
    int64_t deadline_us = db_deadline_us(db->statement_timeout_ms);
    if (PQsendPrepare(db->conn, prepared->name, query->text, 0, NULL) != 1)
        return db_fail_connection(db, query->name, err);
    enum status status = db_finish_statement(db, deadline_us, query->name, NULL, err);
    if (status != STATUS_OK)
        return status;
    if (PQsendDescribePrepared(db->conn, prepared->name) != 1)
        return db_fail_connection(db, query->name, err);
    PGresult *result = NULL;
    status = db_finish_statement(db, deadline_us, query->name, &result, err);
    if (status != STATUS_OK)
        return status;
    int count = PQnparams(result);
    if (count <= DB_PARAMS_MAX) {
        prepared->param_count = (size_t)count;
        for (int i = 0; i < count; i++)
            prepared->types[i] = PQparamtype(result, i);
    } else {
        status = err_set(err, RETRY_FATAL, "store.params", "%s: %d parameters, at most %d", query->name,
                         count, DB_PARAMS_MAX);
    }
    PQclear(result);
    return status;
}

enum status db_prepare(struct db *db, const struct sql_query *query, size_t param_count,
                       const struct db_prepared **out, struct err *err)
{
    const struct db_prepared *found = find_prepared(db, query);
    if (found == NULL) {
        assert(db->prepared_count < DB_PREPARED_MAX);
        struct db_prepared *prepared = calloc(1, sizeof(*prepared));
        if (prepared == NULL)
            return err_set(err, RETRY_LATER, "store.memory", "%s: out of memory", query->name);
        enum status status = prepare_new(db, query, prepared, err);
        if (status != STATUS_OK) {
            free(prepared);
            return status;
        }
        db->prepared[db->prepared_count++] = prepared;
        found = prepared;
    }
    if (found->param_count != param_count)
        return err_set(err, RETRY_FATAL, "store.params", "%s: takes %zu parameters, was given %zu",
                       query->name, found->param_count, param_count);
    *out = found;
    return STATUS_OK;
}

enum status db_send(struct db *db, const struct db_prepared *prepared, const struct db_param *params,
                    struct err *err)
{
    const char *name = prepared->query->name;
    size_t offsets[DB_PARAMS_MAX];
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX], formats[DB_PARAMS_MAX];
    buf_reset(&db->params);
    for (size_t i = 0; i < prepared->param_count; i++) {
        offsets[i] = db->params.len;
        enum status status = db_param_encode(&db->params, &params[i], prepared->types[i],
                                             &formats[i], &lengths[i], err);
        if (status != STATUS_OK) {
            err_prefix(err, "%s: parameter %zu", name, i + 1);
            return status;
        }
    }
    if (buf_failed(&db->params)) {
        buf_free(&db->params);
        return err_set(err, RETRY_REJECT_RECORD, "store.too_large",
                       "%s: parameters are larger than %u bytes", name, DB_PARAM_BYTES);
    }
    for (size_t i = 0; i < prepared->param_count; i++)
        values[i] = lengths[i] < 0 ? NULL : (db->params.data ? db->params.data + offsets[i] : "");
    int sent = PQsendQueryPrepared(db->conn, prepared->name, (int)prepared->param_count, values,
                                   lengths, formats, 1);
    db->queue_bytes += db->params.len + 64;
    if (db->params.capacity > DB_FLUSH_BYTES * 16) /* do not keep a giant's scratch */
        buf_free(&db->params);
    return sent == 1 ? STATUS_OK : db_fail_connection(db, name, err);
}

static enum status run(struct db *db, const struct sql_query *query, const struct db_param *params,
                       size_t param_count, PGresult **result, struct err *err)
{
    assert(db->queue_sent == 0);
    const struct db_prepared *prepared = NULL;
    enum status status = db_need_open(db, query->name, err);
    if (status == STATUS_OK)
        status = db_prepare(db, query, param_count, &prepared, err);
    if (status == STATUS_OK)
        status = db_send(db, prepared, params, err);
    if (status == STATUS_OK)
        status = db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), query->name,
                                     result, err);
    return status;
}

enum status db_query(struct db *db, const struct sql_query *query, const struct db_param *params,
                     size_t param_count, struct db_result **result, struct err *err)
{
    *result = NULL;
    PGresult *raw = NULL;
    enum status status = run(db, query, params, param_count, &raw, err);
    if (status != STATUS_OK)
        return status;
    struct db_result *wrapped = malloc(sizeof(*wrapped));
    if (wrapped == NULL) {
        PQclear(raw);
        db_close(db); /* the statement ran: the caller must not go on with this transaction */
        return err_set(err, RETRY_RECONNECT, "store.memory", "%s: out of memory", query->name);
    }
    wrapped->result = raw;
    *result = wrapped;
    return STATUS_OK;
}

enum status db_run(struct db *db, const struct sql_query *query, const struct db_param *params,
                   size_t param_count, uint64_t *affected, struct err *err)
{
    PGresult *raw = NULL;
    enum status status = run(db, query, params, param_count, &raw, err);
    if (status != STATUS_OK)
        return status;
    if (affected)
        *affected = db_affected(&(struct db_result){raw});
    PQclear(raw);
    return STATUS_OK;
}

static enum status read_stream(struct db *db, const char *what,
                               bool (*each)(const struct db_result *row, void *data), void *data,
                               struct err *err)
{
    enum status outcome = STATUS_OK;
    for (bool wanted = true;;) {
        PGresult *raw = NULL;
        struct err later = {0};
        enum status status = db_next_result(db, db_deadline_us(db->statement_timeout_ms), what, &raw,
                                            outcome == STATUS_OK ? err : &later);
        if (status != STATUS_OK)
            return outcome == STATUS_OK ? status : outcome;
        if (raw == NULL)
            break;
        ExecStatusType kind = PQresultStatus(raw);
        if (kind == PGRES_SINGLE_TUPLE) {
            if (wanted)
                wanted = each(&(struct db_result){raw}, data);
        } else if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK && outcome == STATUS_OK) {
            outcome = db_fail_result(db, raw, what, err);
        }
        PQclear(raw);
        if (!db_is_open(db))
            break;
    }
    if (outcome == STATUS_OK && !db_is_open(db))
        outcome = db_fail_connection(db, what, err);
    return outcome;
}

enum status db_stream(struct db *db, const struct sql_query *query, const struct db_param *params,
                      size_t param_count, bool (*each)(const struct db_result *row, void *data),
                      void *data, struct err *err)
{
    assert(db->queue_sent == 0);
    /* The server's statement_timeout would count the time we take for the rows. */
    enum status status = db_exec(db, "SET statement_timeout = 0", err);
    const struct db_prepared *prepared = NULL;
    if (status == STATUS_OK)
        status = db_prepare(db, query, param_count, &prepared, err);
    if (status == STATUS_OK)
        status = db_send(db, prepared, params, err);
    if (status == STATUS_OK && PQsetSingleRowMode(db->conn) != 1)
        status = db_fail_connection(db, query->name, err);
    if (status == STATUS_OK)
        status = read_stream(db, query->name, each, data, err);
    if (!db_is_open(db) || PQtransactionStatus(db->conn) == PQTRANS_INERROR)
        return status; /* the rollback restores the setting */
    struct err reset_err = {0};
    enum status reset = db_exec(db, "RESET statement_timeout", status == STATUS_OK ? err : &reset_err);
    return status == STATUS_OK ? reset : status;
}
