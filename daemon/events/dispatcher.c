/* dispatcher.c - see dispatcher.h. */
#include "daemon/events/dispatcher.h"
#include "daemon/base/log.h"
#include "sql_queries.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define CHANNEL         "tributary_event"
#define HEAD_EVERY_MS   1000 /* how often the head is read unasked */

struct dispatcher {
    struct dispatcher_settings settings;
    struct db *db;
    struct stop abort; /* ends even a wait for the database */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    uint64_t head;     /* under lock */
    uint64_t notified;
};

static enum status notify_head(struct dispatcher *d, uint64_t head, struct err *err)
{
    struct db_result *result = NULL;
    if (db_open(d->db, err) != STATUS_OK)
        return STATUS_FAILED;
    if (db_query(d->db, &sql_event_head, NULL, 0, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    uint64_t committed = db_rows(result) ? (uint64_t)db_int(result, 0, 0) : 0;
    db_result_free(&result);
    head = committed > head ? committed : head;
    if (head <= d->notified)
        return STATUS_OK;
    struct db_param params[] = {DB_P_TEXT(SLICE(CHANNEL)), DB_P_INT8((int64_t)head)};
    if (db_query(d->db, &sql_event_notify, params, 2, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    db_result_free(&result);
    d->notified = head;
    return STATUS_OK;
}

static void wait_for_news(struct dispatcher *d, int64_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    while (!d->stopping && d->head <= d->notified &&
           pthread_cond_timedwait(&d->changed, &d->lock, &until) == 0)
        ;
}

static void *run(void *data)
{
    struct dispatcher *d = data;
    unsigned failures = 0;
    pthread_mutex_lock(&d->lock);
    while (!d->stopping) {
        uint64_t head = d->head;
        struct err err;
        pthread_mutex_unlock(&d->lock);
        enum status status = notify_head(d, head, &err);
        if (status != STATUS_OK && failures++ == 0)
            log_err(LOG_LEVEL_WARN, &err, "events wait");
        if (status != STATUS_OK)
            stop_wait_ms(&d->abort, db_backoff_ms(failures));
        else
            failures = 0;
        pthread_mutex_lock(&d->lock);
        if (status == STATUS_OK)
            wait_for_news(d, HEAD_EVERY_MS);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

struct dispatcher *dispatcher_start(const struct dispatcher_settings *settings, struct err *err)
{
    struct dispatcher *d = calloc(1, sizeof(*d));
    if (d == NULL || stop_init(&d->abort, err) != STATUS_OK) {
        free(d);
        (void)err_set(err, RETRY_LATER, "base.memory", "no room for the dispatcher");
        return NULL;
    }
    d->settings = *settings;
    d->db = db_new(&settings->db, &d->abort);
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&d->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    int failed = d->db ? pthread_create(&d->thread, NULL, run, d) : ENOMEM;
    if (failed) {
        (void)err_set_errno(err, failed, "base.thread", "cannot start the dispatcher");
        db_free(&d->db);
        stop_close(&d->abort);
        free(d);
        return NULL;
    }
    return d;
}

void dispatcher_wake(struct dispatcher *d, uint64_t last_event_seq)
{
    pthread_mutex_lock(&d->lock);
    if (last_event_seq > d->head) {
        d->head = last_event_seq;
        pthread_cond_signal(&d->changed);
    }
    pthread_mutex_unlock(&d->lock);
}

void dispatcher_stop(struct dispatcher **dispatcher, int64_t deadline_ms)
{
    struct dispatcher *d = *dispatcher;
    if (d == NULL)
        return;
    (void)deadline_ms;
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    stop_set(&d->abort);
    pthread_join(d->thread, NULL);
    db_free(&d->db);
    stop_close(&d->abort);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d);
    *dispatcher = NULL;
}

void dispatcher_status_json(struct dispatcher *d, struct buf *out)
{
    (void)d;
    buf_put_str(out, "[]");
}
