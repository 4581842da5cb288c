/* db.c - see db.h: the life of a connection, text statements, transactions. */
#include "daemon/store/db_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/base/clock.h"
#include "daemon/base/crash_point.h"
#include "daemon/base/log.h"

#define CONNECT_TIMEOUT_MS   5000
#define STATEMENT_TIMEOUT_MS 30000
#define BACKOFF_BASE_MS      100
#define BACKOFF_CAP_MS       4000

struct db *db_new(const struct db_settings *settings, const struct stop *stop)
{
    struct db *db = calloc(1, sizeof(*db));
    if (db == NULL)
        return NULL;
    db->conninfo_text = strdup(settings->conninfo);
    db->prepared = calloc(DB_PREPARED_MAX, sizeof(*db->prepared));
    if (db->conninfo_text == NULL || db->prepared == NULL) {
        db_free(&db);
        return NULL;
    }
    snprintf(db->application_name, sizeof(db->application_name), "%s",
             settings->application_name ? settings->application_name : "tributary");
    db->connect_timeout_ms =
        settings->connect_timeout_ms > 0 ? settings->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    db->statement_timeout_ms =
        settings->statement_timeout_ms > 0 ? settings->statement_timeout_ms : STATEMENT_TIMEOUT_MS;
    db->stop = stop;
    db->params = BUF_INIT(DB_PARAM_BYTES);
    return db;
}

void db_free(struct db **db)
{
    if (*db == NULL)
        return;
    db_close(*db);
    db_forget_inserts(*db);
    db_conninfo_free(&(*db)->conninfo);
    free((*db)->conninfo_text);
    free((*db)->prepared);
    free((*db)->queue_affected);
    buf_free(&(*db)->params);
    free(*db);
    *db = NULL;
}

bool db_is_open(const struct db *db)
{
    return db->conn != NULL && PQstatus(db->conn) == CONNECTION_OK;
}

void db_close(struct db *db)
{
    PQfinish(db->conn); /* non-blocking: what cannot be sent at once is dropped */
    db->conn = NULL;
    db_forget_prepared(db);
    db->queue_sent = db->queue_read = 0;
    db->queue_bytes = 0;
    db->queue_failed = false;
}

int64_t db_backoff_ms(unsigned attempt)
{
    int64_t wait_ms = BACKOFF_BASE_MS;
    for (unsigned i = 1; i < attempt && wait_ms < BACKOFF_CAP_MS; i++)
        wait_ms *= 2;
    if (wait_ms > BACKOFF_CAP_MS)
        wait_ms = BACKOFF_CAP_MS;
    uint32_t noise = 0;
    if (getrandom(&noise, sizeof(noise), GRND_NONBLOCK) != sizeof(noise))
        noise = (uint32_t)clock_monotonic_us(clock_system());
    return wait_ms / 2 + (int64_t)(noise % (uint32_t)(wait_ms / 2 + 1)); /* half fixed, half jitter */
}

int64_t db_set_deadline_ms(struct db *db, int64_t statement_timeout_ms)
{
    int64_t before = db->statement_timeout_ms;
    db->statement_timeout_ms = statement_timeout_ms;
    return before;
}

/* What a text statement is called in messages: its first words. */
static void name_statement(const char *sql, char out[48])
{
    size_t len = strcspn(sql, "\n;(");
    snprintf(out, 48, "%.*s", (int)(len > 40 ? 40 : len), sql);
}

static enum status send_text(struct db *db, const char *sql, const char *what, struct err *err)
{
    assert(db->queue_sent == 0);
    enum status status = db_need_open(db, what, err);
    if (status != STATUS_OK)
        return status;
    return PQsendQuery(db->conn, sql) == 1 ? STATUS_OK : db_fail_connection(db, what, err);
}

static enum status run_text(struct db *db, const char *sql, const char *what, PGresult **last,
                            struct err *err)
{
    enum status status = send_text(db, sql, what, err);
    if (status != STATUS_OK)
        return status;
    return db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), what, last, err);
}

enum status db_exec(struct db *db, const char *sql, struct err *err)
{
    char what[48];
    name_statement(sql, what);
    return run_text(db, sql, what, NULL, err);
}

enum status db_begin(struct db *db, struct err *err)
{
    return run_text(db, "BEGIN", "BEGIN", NULL, err);
}

enum status db_commit(struct db *db, bool *ambiguous, struct err *err)
{
    *ambiguous = false;
    enum status status = db_need_open(db, "COMMIT", err);
    if (status != STATUS_OK)
        return status; /* it broke earlier: nothing was committed */
    PGresult *result = NULL;
    status = send_text(db, "COMMIT", "COMMIT", err);
    if (status == STATUS_OK) {
        CRASH_POINT("store.commit_sent");
        status = db_finish_statement(db, db_deadline_us(db->statement_timeout_ms), "COMMIT", &result, err);
    }
    if (status != STATUS_OK) {
        /* An error that left the connection standing is an answer; a connection that is gone is none. */
        *ambiguous = !db_is_open(db);
        if (*ambiguous) {
            db->undecided = db->session;
            err->retry = RETRY_RECONNECT;
            return status == STATUS_STOPPED ? status : STATUS_FAILED;
        }
        return status;
    }
    bool committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    if (committed)
        return STATUS_OK;
    /* COMMIT of an aborted transaction succeeds, with the tag ROLLBACK. */
    return err_set(err, RETRY_RECONNECT, "store.rolled_back",
                   "COMMIT: the transaction had failed and was rolled back");
}

void db_rollback(struct db *db)
{
    if (!db_is_open(db))
        return;
    struct err err = {0};
    if (db->queue_sent > 0 && db_flush_queue(db, NULL, 0, &err) != STATUS_OK && !db_is_open(db))
        return;
    if (PQtransactionStatus(db->conn) == PQTRANS_IDLE)
        return;
    if (run_text(db, "ROLLBACK", "ROLLBACK", NULL, &err) != STATUS_OK) {
        log_err(LOG_LEVEL_DEBUG, &err, "rollback failed, closing");
        db_close(db);
    }
}

enum status db_wait_notify(struct db *db, int64_t wait_ms, struct err *err)
{
    enum status status = db_need_open(db, "waiting for a notification", err);
    int64_t deadline_us = db_deadline_us(wait_ms);
    while (status == STATUS_OK) {
        if (PQconsumeInput(db->conn) != 1 || PQstatus(db->conn) != CONNECTION_OK)
            return db_fail_connection(db, "waiting for a notification", err);
        bool came = false;
        for (PGnotify *notify; (notify = PQnotifies(db->conn)) != NULL; came = true)
            PQfreemem(notify);
        if (came)
            return STATUS_OK;
        status = db_wait_idle(db, deadline_us);
    }
    return status;
}
