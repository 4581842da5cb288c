/*
 * db_internal.h - what the db_*.c files share. Nobody else includes it.
 *
 * db.c life and transactions · db_connect.c · db_wait.c every wait · db_query.c statements and streams ·
 * db_pipeline.c · db_copy.c, db_copy_out.c, db_insert.c · db_param.c values to the wire · db_result.c values from it ·
 * db_class.c errors
 */
#ifndef TRIBUTARY_STORE_DB_INTERNAL_H
#define TRIBUTARY_STORE_DB_INTERNAL_H

#include <libpq-fe.h>

#include "daemon/base/buf.h"
#include "daemon/store/db.h"
#include "daemon/store/sql.h"

#define DB_PARAMS_MAX    64               /* of one statement */
#define DB_PARAM_BYTES   (256u << 20)     /* all parameters of one statement, encoded */
#define DB_PREPARED_MAX  512              /* statements of one connection */
#define DB_QUEUE_MAX     100000           /* statements between two flushes */
#define DB_FLUSH_BYTES   (256u << 10)     /* the socket is flushed when that much is queued */
#define DB_INSERTS_MAX   64               /* different COPY statements whose rows were put in one by one */

struct db_prepared { /* a statement prepared on this connection */
    const struct sql_query *query;
    char name[24];
    size_t param_count;
    Oid types[DB_PARAMS_MAX]; /* as the server inferred them */
};

struct db_session { /* a server process; its number alone may be given again */
    int32_t pid;
    int64_t start_us;
};

struct db_conninfo; /* see db_connect.c */
struct db_insert;   /* see db_insert.c */

struct db {
    char *conninfo_text;
    struct db_conninfo *conninfo; /* parsed at the first db_open */
    char application_name[64];
    int64_t connect_timeout_ms;
    int64_t statement_timeout_ms;
    const struct stop *stop;
    PGconn *conn;            /* NULL when closed */
    struct db_session session;   /* the present one */
    struct db_session undecided; /* one whose COMMIT was not answered; pid 0: none */
    bool no_startup_options; /* the server (a pooler) refuses them: settings come by query only */
    struct db_prepared **prepared;
    size_t prepared_count;
    unsigned prepared_serial;
    struct db_insert *inserts[DB_INSERTS_MAX]; /* outlive the connection */
    size_t insert_count;
    struct buf params;       /* scratch of encoding; empty between calls */
    uint64_t *queue_affected; /* of the statements queued whose reply has been read */
    size_t queue_affected_capacity;
    size_t queue_sent, queue_read;
    size_t queue_bytes;      /* since the socket was last flushed */
    bool queue_failed;
    struct err queue_err;    /* the first error of the queue */
};

struct db_result {
    PGresult *result;
};

/* db_wait.c. Deadlines are monotonic microseconds. A failure that leaves the connection unusable closes it. */
int64_t db_deadline_us(int64_t timeout_ms);
enum status db_wait_io(struct db *db, bool write, int64_t deadline_us, const char *what,
                       struct err *err);
/* Waits for input without judging a deadline: STATUS_OK, STATUS_TIMEOUT or STATUS_STOPPED; nothing is closed. */
enum status db_wait_idle(struct db *db, int64_t deadline_us);
/* Sends what is buffered, reading along so that neither side blocks the other. */
enum status db_flush(struct db *db, int64_t deadline_us, const char *what, struct err *err);
/* The next result; *result NULL at the end of a statement. */
enum status db_next_result(struct db *db, int64_t deadline_us, const char *what, PGresult **result,
                           struct err *err);
/* Reads to the end of the statement; keeps the last result in *last (may be NULL to drop it) and fails on the first
 * error result. */
enum status db_finish_statement(struct db *db, int64_t deadline_us, const char *what,
                                PGresult **last, struct err *err);
/* Fills err from an error result; closes the connection when it was fatal. */
enum status db_fail_result(struct db *db, const PGresult *result, const char *what, struct err *err);
/* The connection broke: fills err, closes it. */
enum status db_fail_connection(struct db *db, const char *what, struct err *err);
enum status db_need_open(const struct db *db, const char *what, struct err *err);

/* db_query.c */
enum status db_prepare(struct db *db, const struct sql_query *query, size_t param_count,
                       const struct db_prepared **prepared, struct err *err);
/* Encodes the parameters and sends the statement (buffered). */
enum status db_send(struct db *db, const struct db_prepared *prepared, const struct db_param *params,
                    struct err *err);
bool db_is_prepared(const struct db *db, const struct sql_query *query);
void db_forget_prepared(struct db *db);

/* db_pipeline.c: queues a statement whose parameters are encoded already; a value NULL is SQL NULL. */
enum status db_queue_binary(struct db *db, const struct sql_query *query, const char *const *values,
                            const int *lengths, size_t param_count, struct err *err);

/* db_insert.c */
void db_forget_inserts(struct db *db);

/* db_param.c: appends the value of `param` for a server type and tells its format (0 text, 1 binary) and length
 * (-1 for NULL). Fails without sending: RETRY_REJECT_RECORD for what PostgreSQL would refuse or cut. */
enum status db_param_encode(struct buf *out, const struct db_param *param, Oid type, int *format,
                            int *length, struct err *err);

/* db_connect.c */
void db_conninfo_free(struct db_conninfo **conninfo);

#endif
