/* db_wait.c - every wait for PostgreSQL: a deadline of ours, and the stop signal heard. */
#include "daemon/store/db_internal.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/store/db_class.h"

int64_t db_deadline_us(int64_t timeout_ms)
{
    return clock_monotonic_us(clock_system()) + timeout_ms * 1000;
}

enum status db_need_open(const struct db *db, const char *what, struct err *err)
{
    if (db_is_open(db))
        return STATUS_OK;
    return err_set(err, RETRY_RECONNECT, "store.closed", "%s: the database connection is closed",
                   what);
}

enum status db_fail_connection(struct db *db, const char *what, struct err *err)
{
    char text[300];
    snprintf(text, sizeof(text), "%s", db->conn ? PQerrorMessage(db->conn) : "closed");
    for (size_t len = strlen(text); len > 0 && text[len - 1] == '\n'; len--)
        text[len - 1] = '\0';
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    db_close(db);
    return err_set(err, RETRY_RECONNECT, "store.connection_lost",
                   "%s: the connection to the database broke: %s", what,
                   text[0] ? text : "no reason given");
}

enum status db_fail_result(struct db *db, const PGresult *result, const char *what, struct err *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (state == NULL || state[0] == '\0')
        return db_fail_connection(db, what, err);
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    bool fatal = severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0);
    enum retry_class retry = fatal ? db_class_of_fatal(state) : db_class_of(state);
    /* "cached plan must not change result type": a table changed under a prepared statement. */
    if (strcmp(state, "0A000") == 0 && function && strcmp(function, "RevalidateCachedQuery") == 0)
        retry = RETRY_RECONNECT;
    char text[400], sqlstate[6];
    snprintf(sqlstate, sizeof(sqlstate), "%s", state);
    db_class_safe_text(state, message ? message : "", text, sizeof(text));
    enum status status = err_set(err, retry, "store.sql", "%s: %s", what, text);
    memcpy(err->sqlstate, sqlstate, sizeof(sqlstate));
    if (fatal || retry == RETRY_RECONNECT)
        db_close(db);
    return status;
}

enum status db_wait_io(struct db *db, bool write, int64_t deadline_us, const char *what,
                       struct err *err)
{
    for (;;) {
        if (db->stop && stop_is_set(db->stop)) {
            db_close(db);
            return STATUS_STOPPED;
        }
        int64_t left_us = deadline_us - clock_monotonic_us(clock_system());
        if (left_us <= 0) {
            db_close(db);
            err_set(err, RETRY_RECONNECT, "store.deadline",
                    "%s: the database did not answer in time; hint: it is overloaded, frozen or "
                    "waiting for a lock", what);
            return STATUS_TIMEOUT;
        }
        struct pollfd fds[2] = {
            {.fd = PQsocket(db->conn), .events = (short)(POLLIN | (write ? POLLOUT : 0))},
            {.fd = db->stop ? db->stop->fd : -1, .events = POLLIN},
        };
        int64_t left_ms = (left_us + 999) / 1000;
        int ready = poll(fds, 2, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
        if (ready < 0 && errno != EINTR) {
            err_set_errno(err, errno, "store.poll", "%s: cannot wait for the database", what);
            db_close(db);
            return STATUS_FAILED;
        }
        if (ready > 0 && fds[0].revents != 0)
            return STATUS_OK;
    }
}

enum status db_wait_idle(struct db *db, int64_t deadline_us)
{
    if (db->stop && stop_is_set(db->stop))
        return STATUS_STOPPED;
    int64_t left_us = deadline_us - clock_monotonic_us(clock_system());
    if (left_us <= 0)
        return STATUS_TIMEOUT;
    struct pollfd fds[2] = {
        {.fd = PQsocket(db->conn), .events = POLLIN},
        {.fd = db->stop ? db->stop->fd : -1, .events = POLLIN},
    };
    int64_t left_ms = (left_us + 999) / 1000;
    (void)poll(fds, 2, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
    return STATUS_OK; /* the caller looks and comes again */
}

/* Reads what has arrived. A broken connection still yields the server's last words through PQgetResult. */
static bool read_input(struct db *db)
{
    return PQconsumeInput(db->conn) == 1;
}

enum status db_flush(struct db *db, int64_t deadline_us, const char *what, struct err *err)
{
    for (;;) {
        int left = PQflush(db->conn);
        if (left == 0)
            return STATUS_OK;
        if (left < 0) {
            /* The server may have said why before it closed: leave that to the reader of results. */
            if (read_input(db) || PQstatus(db->conn) == CONNECTION_BAD)
                return STATUS_OK;
            return db_fail_connection(db, what, err);
        }
        enum status status = db_wait_io(db, true, deadline_us, what, err);
        if (status != STATUS_OK)
            return status;
        if (!read_input(db))
            return STATUS_OK; /* the reader of results tells why */
    }
}

enum status db_next_result(struct db *db, int64_t deadline_us, const char *what, PGresult **result,
                           struct err *err)
{
    *result = NULL;
    enum status status = db_flush(db, deadline_us, what, err);
    if (status != STATUS_OK)
        return status;
    while (PQisBusy(db->conn)) {
        status = db_wait_io(db, PQflush(db->conn) == 1, deadline_us, what, err);
        if (status != STATUS_OK)
            return status;
        if (!read_input(db) && PQstatus(db->conn) != CONNECTION_BAD)
            return db_fail_connection(db, what, err);
        if (PQstatus(db->conn) == CONNECTION_BAD)
            break; /* PQgetResult does not wait now */
    }
    *result = PQgetResult(db->conn);
    return STATUS_OK;
}

enum status db_finish_statement(struct db *db, int64_t deadline_us, const char *what,
                                PGresult **last, struct err *err)
{
    enum status outcome = STATUS_OK;
    PGresult *kept = NULL;
    for (;;) {
        PGresult *result = NULL;
        struct err later = {0}; /* the first error is the one told */
        enum status status =
            db_next_result(db, deadline_us, what, &result, outcome == STATUS_OK ? err : &later);
        if (status != STATUS_OK) {
            PQclear(kept);
            return outcome == STATUS_OK ? status : outcome;
        }
        if (result == NULL)
            break;
        ExecStatusType kind = PQresultStatus(result);
        bool good = kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK || kind == PGRES_EMPTY_QUERY;
        if (good) {
            PQclear(kept);
            kept = result;
            continue;
        }
        if (outcome == STATUS_OK && kind == PGRES_FATAL_ERROR)
            outcome = db_fail_result(db, result, what, err);
        else if (outcome == STATUS_OK) {
            outcome = err_set(err, RETRY_FATAL, "store.protocol", "%s: unexpected reply %s", what,
                              PQresStatus(kind));
            db_close(db);
        }
        PQclear(result);
        if (!db_is_open(db))
            break;
    }
    if (outcome == STATUS_OK && !db_is_open(db))
        outcome = db_fail_connection(db, what, err);
    if (last && outcome == STATUS_OK)
        *last = kept;
    else
        PQclear(kept);
    return outcome;
}
