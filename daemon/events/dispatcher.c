/*
 * dispatcher.c - see dispatcher.h: the thread that turns the sinks.
 *
 * It waits in curl_multi_poll, for endpoints and for dispatcher_wake alike, and never for longer
 * than POLL_EVERY_MS. The database is asked in between, by short statements on a connection of its
 * own; while it is away nothing new begins and what is known to be delivered is kept until it can
 * be saved.
 */
#include "daemon/events/dispatcher.h"
#include "daemon/base/condition.h"
#include "daemon/events/sink.h"
#include "daemon/events/webhook.h"
#include "daemon/base/log.h"
#include "sql_queries.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CHANNEL          "tributary_event"
#define POLL_EVERY_US    ((int64_t)1000000) /* head and changes made by people, unasked */
#define STATUS_EVERY_US  ((int64_t)50000)
#define STATUS_MAX_BYTES ((size_t)1 << 20)
#define FAILURES_TOLD    20 /* every so many are logged */

struct dispatcher {
    struct dispatcher_settings settings;
    struct db *db;
    struct stop abort; /* ends even a wait for the database */
    CURLM *multi;
    struct sink **sinks;
    size_t sink_count;
    pthread_t thread;
    int wake_fd;
    atomic_bool woken, stopping;
    atomic_uint_fast64_t hint; /* committed, as the writer says */
    atomic_bool is_full;
    /* the thread's own */
    uint64_t head, notified;
    bool notifies; /* no sink has taken over the channel */
    bool poll_now;
    int64_t poll_at_us, open_at_us, status_at_us;
    unsigned failures;
    pthread_mutex_t lock; /* below */
    pthread_cond_t changed;
    bool ended;
    struct buf status;
};

/* ---- the database ---- */

static int64_t now_us(const struct dispatcher *d)
{
    return clock_monotonic_us(d->settings.clock);
}

static void database_failed(struct dispatcher *d, const struct err *err)
{
    if (!atomic_load(&d->stopping) && d->failures % FAILURES_TOLD == 0)
        log_err(LOG_LEVEL_WARN, err, "events wait");
    if (err->retry == RETRY_RECONNECT)
        db_close(d->db);
    d->open_at_us = now_us(d) + db_backoff_ms(d->failures++) * 1000;
}

/* Whether it may be asked now. */
static bool database_is_up(struct dispatcher *d)
{
    struct err err;
    if (now_us(d) < d->open_at_us)
        return false;
    if (db_is_open(d->db))
        return true;
    struct db_result *result = NULL;
    enum status status = db_open(d->db, &err);
    if (status == STATUS_OK)
        status = db_query(d->db, &sql_session_by_index, NULL, 0, &result, &err);
    db_result_free(&result);
    if (status != STATUS_OK) {
        database_failed(d, &err);
        return false;
    }
    d->poll_now = true;
    return true;
}

static struct sink *find_sink(struct dispatcher *d, struct slice name)
{
    for (size_t i = 0; i < d->sink_count; i++)
        if (slice_is(name, d->sinks[i]->name))
            return d->sinks[i];
    return NULL;
}

static enum status poll_changes(struct dispatcher *d, struct err *err)
{
    struct db_result *rows = NULL;
    if (!d->poll_now && now_us(d) < d->poll_at_us)
        return STATUS_OK;
    if (db_query(d->db, &sql_sink_poll, NULL, 0, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < db_rows(rows); i++) {
        uint64_t head = (uint64_t)db_int(rows, i, 0);
        d->head = head > d->head ? head : d->head;
        struct sink *sink = find_sink(d, db_bytes(rows, i, 1));
        if (sink && sink->loaded && db_timestamp_us(rows, i, 2) != sink->changed_us)
            sink->reload = true;
    }
    db_result_free(&rows);
    d->poll_now = false;
    d->poll_at_us = now_us(d) + POLL_EVERY_US;
    return STATUS_OK;
}

static enum status notify_head(struct dispatcher *d, struct err *err)
{
    if (d->head <= d->notified || !d->notifies)
        return STATUS_OK;
    struct db_param params[] = {DB_P_TEXT(SLICE(CHANNEL)), DB_P_INT8((int64_t)d->head)};
    struct db_result *result = NULL;
    if (db_query(d->db, &sql_event_notify, params, 2, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    db_result_free(&result);
    d->notified = d->head;
    return STATUS_OK;
}

static enum status turn_sinks(struct dispatcher *d, bool *again, struct err *err)
{
    for (size_t i = 0; i < d->sink_count; i++) {
        struct sink *sink = d->sinks[i];
        sink->head = d->head;
        sink->stopping = atomic_load(&d->stopping);
        if (sink_turn(sink, d->db, again, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

/* One round of everything that needs the database; true when there is more to do at once. */
static bool turn(struct dispatcher *d)
{
    struct err err;
    bool again = false;
    uint64_t hint = atomic_load(&d->hint);
    d->head = hint > d->head ? hint : d->head;
    if (!database_is_up(d))
        return false;
    if (poll_changes(d, &err) != STATUS_OK || turn_sinks(d, &again, &err) != STATUS_OK ||
        notify_head(d, &err) != STATUS_OK) {
        database_failed(d, &err);
        return false;
    }
    d->failures = 0;
    return again;
}

/* ---- the thread ---- */

static void publish(struct dispatcher *d, bool is_idle)
{
    bool is_full = false;
    if (!is_idle && now_us(d) < d->status_at_us)
        return;
    d->status_at_us = now_us(d) + STATUS_EVERY_US;
    pthread_mutex_lock(&d->lock);
    buf_reset(&d->status);
    buf_put_byte(&d->status, '[');
    for (size_t i = 0; i < d->sink_count; i++) {
        is_full |= sink_is_full(d->sinks[i]);
        if (i)
            buf_put_byte(&d->status, ',');
        sink_status_json(d->sinks[i], &d->status);
    }
    buf_put_byte(&d->status, ']');
    pthread_mutex_unlock(&d->lock);
    atomic_store(&d->is_full, is_full);
}

static int wait_ms(struct dispatcher *d)
{
    int64_t now = now_us(d), due_us = d->poll_at_us;
    if (now < d->open_at_us || !db_is_open(d->db)) { /* nothing but the database is waited for */
        due_us = d->open_at_us;
    } else {
        for (size_t i = 0; i < d->sink_count; i++) {
            int64_t sink_us = sink_due_us(d->sinks[i]);
            due_us = sink_us < due_us ? sink_us : due_us;
        }
    }
    int64_t left_us = due_us - now;
    if (left_us > POLL_EVERY_US)
        left_us = POLL_EVERY_US;
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

static void wait_for_news(struct dispatcher *d, bool again)
{
    struct curl_waitfd extra = {.fd = d->wake_fd, .events = CURL_WAIT_POLLIN};
    int wait = again ? 0 : wait_ms(d);
    publish(d, wait > 0);
    if (curl_multi_poll(d->multi, &extra, 1, wait, NULL) != CURLM_OK)
        stop_wait_ms(&d->abort, 100);
    if (extra.revents == 0)
        return;
    uint64_t count;
    ssize_t got = read(d->wake_fd, &count, sizeof(count));
    (void)got; /* empty already is as good */
    atomic_store(&d->woken, false);
    if (atomic_load(&d->hint) <= d->head)
        d->poll_now = true; /* somebody changed a sink */
}

/* What is in hand at a stop is finished and saved. */
static bool is_finished(const struct dispatcher *d)
{
    if (!atomic_load(&d->stopping))
        return false;
    if (stop_is_set(&d->abort))
        return true;
    for (size_t i = 0; i < d->sink_count; i++)
        if (d->sinks[i]->in_flight || (d->sinks[i]->unsaved_since_us && db_is_open(d->db)))
            return false;
    return true;
}

static void *run(void *data)
{
    struct dispatcher *d = data;
    while (!is_finished(d)) {
        int running;
        bool again = turn(d);
        if (curl_multi_perform(d->multi, &running) == CURLM_OK)
            again |= webhook_collect(d->multi);
        if (!is_finished(d))
            wait_for_news(d, again);
    }
    publish(d, true);
    pthread_mutex_lock(&d->lock);
    d->ended = true;
    pthread_cond_signal(&d->changed);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* ---- start and stop ---- */

static void dispatcher_free(struct dispatcher **dispatcher)
{
    struct dispatcher *d = *dispatcher;
    for (size_t i = 0; i < d->sink_count; i++)
        sink_free(&d->sinks[i]);
    free(d->sinks);
    if (d->multi)
        curl_multi_cleanup(d->multi);
    db_free(&d->db);
    stop_close(&d->abort);
    if (d->wake_fd >= 0)
        close(d->wake_fd);
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    buf_free(&d->status);
    free(d);
    *dispatcher = NULL;
}

static enum status make_sinks(struct dispatcher *d, struct err *err)
{
    const struct config *config = d->settings.config;
    d->sinks = calloc(config->sink_count + 1, sizeof(*d->sinks));
    if (d->sinks == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for the sinks");
    for (size_t i = 0; i < config->sink_count; i++) {
        struct sink_settings settings = {.config = config,
                                         .options = config->sinks[i],
                                         .clock = d->settings.clock,
                                         .source_uri = d->settings.source_uri,
                                         .multi = d->multi};
        if (!options_bool(config->sinks[i], "enabled"))
            continue;
        if (sink_new(&settings, &d->sinks[d->sink_count], err) != STATUS_OK)
            return STATUS_FAILED;
        const struct sink *sink = d->sinks[d->sink_count++];
        if (sink->channel && strcmp(sink->channel, CHANNEL) == 0)
            d->notifies = false;
    }
    return STATUS_OK;
}

static enum status make_parts(struct dispatcher *d, struct err *err)
{
    if (stop_init(&d->abort, err) != STATUS_OK)
        return STATUS_FAILED;
    d->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (d->wake_fd < 0)
        return err_set_errno(err, errno, "base.eventfd", "cannot make the dispatcher's signal");
    d->db = db_new(&d->settings.db, &d->abort);
    d->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    if (d->db == NULL || d->multi == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for the dispatcher");
    return make_sinks(d, err);
}

struct dispatcher *dispatcher_start(const struct dispatcher_settings *settings, struct err *err)
{
    struct dispatcher *d = calloc(1, sizeof(*d));
    if (d == NULL) {
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for the dispatcher");
        return NULL;
    }
    d->settings = *settings;
    d->wake_fd = d->abort.fd = -1;
    d->notifies = true;
    d->status = BUF_INIT(STATUS_MAX_BYTES);
    pthread_mutex_init(&d->lock, NULL);
    condition_init(&d->changed);
    enum status status = make_parts(d, err);
    int failed = status == STATUS_OK ? pthread_create(&d->thread, NULL, run, d) : 0;
    if (failed)
        status = err_set_errno(err, failed, "base.thread", "cannot start the dispatcher");
    if (status != STATUS_OK)
        dispatcher_free(&d);
    return d;
}

static void signal_thread(struct dispatcher *d)
{
    uint64_t one = 1;
    if (atomic_exchange(&d->woken, true))
        return;
    ssize_t written = write(d->wake_fd, &one, sizeof(one));
    (void)written; /* a full counter is readable all the same */
}

void dispatcher_wake(struct dispatcher *d, uint64_t last_event_seq)
{
    uint_fast64_t known = atomic_load(&d->hint);
    while (last_event_seq > known &&
           !atomic_compare_exchange_weak(&d->hint, &known, last_event_seq))
        ;
    signal_thread(d);
}

void dispatcher_stop(struct dispatcher **dispatcher, int64_t deadline_ms)
{
    struct dispatcher *d = *dispatcher;
    if (d == NULL)
        return;
    atomic_store(&d->stopping, true);
    signal_thread(d);
    struct timespec until = condition_deadline(deadline_ms);
    pthread_mutex_lock(&d->lock);
    while (!d->ended && pthread_cond_timedwait(&d->changed, &d->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&d->lock);
    stop_set(&d->abort);
    pthread_join(d->thread, NULL);
    dispatcher_free(dispatcher);
}

/* ---- the outside ---- */

void dispatcher_status_json(struct dispatcher *d, struct buf *out)
{
    pthread_mutex_lock(&d->lock);
    buf_put_slice(out,
                  d->status.len && !buf_failed(&d->status) ? buf_slice(&d->status) : SLICE("[]"));
    pthread_mutex_unlock(&d->lock);
}

bool dispatcher_is_full(const struct dispatcher *d)
{
    return atomic_load(&((struct dispatcher *)(uintptr_t)d)->is_full);
}
