/* rematch.c - see rematch.h. */
#include "daemon/engine/rematch.h"
#include "daemon/base/log.h"
#include "daemon/engine/engine.intern.h"
#include "daemon/resolve/preview.h"
#include "sql_queries.h"

#include <stdio.h>
#include <stdlib.h>

#define RESULT_MAX_BYTES ((size_t)64 << 20)
#define SLOW_TRIES       30 /* 1 s apart: for what was decided to be committed */
#define SLOW_WAIT_MS     1000

struct rematch {
    struct engine *engine;
    pthread_t thread;
    bool joinable;
    char actor[128];
    size_t samples;
    pthread_mutex_t lock; /* below */
    struct rematch_report report;
    struct buf result;
    atomic_uint_fast64_t records_read; /* of a preview */
};

struct rematch *rematch_new(struct engine *engine)
{
    struct rematch *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return NULL;
    m->engine = engine;
    m->result = BUF_INIT(RESULT_MAX_BYTES);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void rematch_free(struct rematch **rematch)
{
    struct rematch *m = *rematch;
    if (m == NULL)
        return;
    if (m->joinable)
        pthread_join(m->thread, NULL);
    buf_free(&m->result);
    pthread_mutex_destroy(&m->lock);
    free(m);
    *rematch = NULL;
}

/* ---- applying ---- */

struct applying {
    struct generation *generation;
    uint64_t events_before, events_after, customers_before, customers_after;
    struct reread_counts counts;
    enum status status;
    struct err err;
};

/* On the resolver's thread. */
static void change(struct resolver *resolver, void *data)
{
    struct applying *a = data;
    struct resolver_stats stats;
    resolver_stats(resolver, &stats);
    a->events_before = stats.events;
    a->customers_before = stats.customers;
    a->status = resolver_change_generation(resolver, a->generation, &a->err);
}

/* On the resolver's thread, which after a failure runs it only when it is itself again. */
static void look_after(struct resolver *resolver, void *data)
{
    struct applying *a = data;
    struct resolver_stats stats;
    (void)resolver_drained(resolver); /* publishes its numbers */
    resolver_stats(resolver, &stats);
    a->events_after = stats.events;
    a->customers_after = stats.customers;
    a->counts = *resolver_reread_counts(resolver);
    a->status = STATUS_OK;
}

static enum status stopping(struct err *err)
{
    return err_set(err, RETRY_LATER, "engine.stopping", "the daemon is stopping; what was begun goes on at its next start");
}

static enum status change_resolver(struct engine *e, struct applying *a, struct err *err)
{
    struct resolver *resolver = engine_resolver(e);
    for (int tries = 0; tries < SLOW_TRIES; tries++) {
        if (!resolver_call(resolver, change, a))
            return stopping(err);
        if (a->status == STATUS_OK || strcmp(a->err.id, "resolve.slow") != 0)
            break;
        if (stop_wait_ms(&e->stop, SLOW_WAIT_MS))
            return stopping(err);
    }
    if (a->status != STATUS_OK && strcmp(a->err.id, "resolve.slow") == 0) {
        *err = a->err;
        return STATUS_FAILED;
    }
    /* From here on the resolver is bound to it, if it takes several attempts. */
    return resolver_call(resolver, look_after, a) ? STATUS_OK : stopping(err);
}

static void put_events(struct engine *e, const struct applying *a, struct buf *out)
{
    struct db_param range[] = {DB_P_INT8((int64_t)a->events_before), DB_P_INT8((int64_t)a->events_after)};
    struct db_result *rows = NULL;
    struct err err;
    buf_put_str(out, ",\"events\":{");
    if (engine_query(e, &sql_events_counted, range, 2, &rows, &err) == STATUS_OK) {
        for (size_t i = 0; i < db_rows(rows); i++) {
            if (i)
                buf_put_byte(out, ',');
            buf_put_json(out, db_bytes(rows, i, 0));
            buf_printf(out, ":%lld", (long long)db_int(rows, i, 1));
        }
        db_result_free(&rows);
    }
    buf_put_byte(out, '}');
}

/* What the configuration asks for is pending again, or no longer. */
static void renew_pending(struct engine *e, struct db *db)
{
    struct generation *asked = NULL;
    struct err err = {0};
    pthread_mutex_lock(&e->lock);
    int32_t asked_id = e->asked_id;
    pthread_mutex_unlock(&e->lock);
    const struct generation *in_force = engine_generation(e);
    if (asked_id == in_force->generation_id) {
        engine_set_pending(e, in_force);
    } else if (generations_read(db, asked_id, in_force, &asked, &err) == STATUS_OK) {
        engine_set_pending(e, asked);
        generation_free(&asked);
    } else {
        log_err(LOG_LEVEL_WARN, &err, "which generation is pending is not known");
    }
}

static enum status apply(struct rematch *m, struct db *db, struct generation *generation, bool recleans,
                         struct err *err)
{
    struct engine *e = m->engine;
    struct applying a = {.generation = generation};
    snprintf(generation->actor, sizeof(generation->actor), "%s", m->actor);
    if (ddl_golden(db, generation->layout, err) != STATUS_OK)
        return STATUS_FAILED;
    log_info("rematch.begins", "generation %d is being applied by %s; what comes in is resolved after it",
             generation->generation_id, m->actor);
    atomic_store(&e->generation_changes, true);
    enum status status = change_resolver(e, &a, err);
    if (status == STATUS_OK)
        atomic_store(&e->generation, generation);
    atomic_store(&e->generation_changes, false);
    if (status != STATUS_OK)
        return status;
    renew_pending(e, db);
    pthread_mutex_lock(&m->lock);
    buf_printf(&m->result, "{\"generation\":%d,\"from\":%d", generation->generation_id,
               m->report.from_id);
    buf_printf(&m->result, ",\"customers\":{\"before\":%llu,\"after\":%llu}",
               (unsigned long long)a.customers_before, (unsigned long long)a.customers_after);
    reread_put_counts(&a.counts, recleans, &m->result);
    put_events(e, &a, &m->result);
    buf_put_byte(&m->result, '}');
    pthread_mutex_unlock(&m->lock);
    log_info("rematch.applied", "generation %d is in force", generation->generation_id);
    return STATUS_OK;
}

/* ---- trying ---- */

static enum status preview(struct rematch *m, struct db *db, const struct generation *generation, struct err *err)
{
    struct buf result = BUF_INIT(RESULT_MAX_BYTES);
    struct preview_settings settings = {
        .db = db, .generation = generation, .in_force = engine_generation(m->engine),
        .sources = m->engine->sources, .limits = engine_graph_limits(m->engine), .stop = &m->engine->stop,
        .samples = m->samples, .records_read = &m->records_read};
    enum status status = preview_run(&settings, &result, err);
    if (status == STATUS_OK && buf_failed(&result))
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory for a preview; hint: fewer samples");
    pthread_mutex_lock(&m->lock);
    if (status == STATUS_OK)
        buf_put_slice(&m->result, buf_slice(&result));
    pthread_mutex_unlock(&m->lock);
    buf_free(&result);
    return status;
}

/* ---- the thread ---- */

static enum status run_with(struct rematch *m, struct db *db, struct err *err)
{
    struct engine *e = m->engine;
    struct generation *generation = NULL, *kept;
    if (db_open(db, err) != STATUS_OK ||
        generations_read(db, m->report.generation_id, engine_generation(e), &generation, err) != STATUS_OK)
        return STATUS_FAILED;
    if (strcmp(generation->fingerprint, engine_generation(e)->fingerprint) == 0) {
        int32_t id = generation->generation_id;
        generation_free(&generation);
        return err_set(err, RETRY_NONE, "rematch.in_force", "generation %d is the one in force", id);
    }
    if (m->report.kind == REMATCH_PREVIEW) {
        enum status status = preview(m, db, generation, err);
        generation_free(&generation);
        return status;
    }
    kept = generation;
    bool recleans = generation->recleans;
    if (engine_keep_generation(e, &generation, err) != STATUS_OK)
        return STATUS_FAILED;
    return apply(m, db, kept, recleans, err);
}

static void *run(void *data)
{
    struct rematch *m = data;
    struct err err = {0};
    struct db_settings settings = engine_db_settings(m->engine, "tributary rematch");
    struct db *db = db_new(&settings, &m->engine->stop);
    enum status status = db ? run_with(m, db, &err)
                            : err_set(&err, RETRY_LATER, "base.memory", "out of memory for a connection");
    db_free(&db);
    if (status != STATUS_OK)
        log_err(LOG_LEVEL_WARN, &err, "generation %d", m->report.generation_id);
    pthread_mutex_lock(&m->lock);
    m->report.running = false;
    m->report.failed = status != STATUS_OK;
    m->report.err = err;
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

static enum status begin(struct rematch *m, const struct rematch_report *report, size_t samples,
                         const char *actor, struct err *err)
{
    pthread_mutex_lock(&m->lock);
    enum status status = STATUS_OK;
    if (m->report.running)
        status = err_set(err, RETRY_LATER, "rematch.busy", "another generation is just being %s; hint: wait for it",
                         m->report.kind == REMATCH_PREVIEW ? "tried" : "applied");
    if (status == STATUS_OK && m->joinable)
        pthread_join(m->thread, NULL); /* it is over */
    if (status == STATUS_OK) {
        m->joinable = false;
        m->report = *report;
        buf_reset(&m->result);
        atomic_store(&m->records_read, 0);
        m->samples = samples < PREVIEW_SAMPLES_MAX ? samples : PREVIEW_SAMPLES_MAX;
        snprintf(m->actor, sizeof(m->actor), "%s", actor);
        int failed = pthread_create(&m->thread, NULL, run, m);
        m->joinable = m->report.running = failed == 0;
        if (failed)
            status = err_set_errno(err, failed, "base.thread", "cannot start a thread for the generation");
    }
    pthread_mutex_unlock(&m->lock);
    return status;
}

enum status rematch_start(struct engine *e, enum rematch_kind kind, int32_t generation_id,
                          size_t samples, const char *actor, struct err *err)
{
    struct rematch_report report = {.kind = kind, .generation_id = generation_id,
                                    .from_id = engine_generation(e)->generation_id};
    pthread_mutex_lock(&e->lock);
    int32_t pending = e->pending_id;
    pthread_mutex_unlock(&e->lock);
    if (generation_id == 0)
        report.generation_id = pending;
    if (report.generation_id == 0)
        return err_set(err, RETRY_NONE, "rematch.nothing",
                       "nothing is pending: the configuration asks for what is in force; hint: tributary rematch --list");
    if (report.generation_id == report.from_id)
        return err_set(err, RETRY_NONE, "rematch.in_force", "generation %d is the one in force",
                       report.from_id);
    if (engine_resolver(e) == NULL)
        return err_set(err, RETRY_LATER, "engine.not_ready", "the database is not up yet");
    return begin(e->rematch, &report, samples, actor, err);
}

void rematch_report(struct engine *e, struct rematch_report *report, struct buf *result)
{
    struct rematch *m = e->rematch;
    struct resolver *resolver = engine_resolver(e);
    struct resolver_stats stats = {0};
    if (resolver)
        resolver_stats(resolver, &stats);
    pthread_mutex_lock(&m->lock);
    *report = m->report;
    if (report->kind != REMATCH_NONE && !report->running && !report->failed)
        buf_put_slice(result, buf_slice(&m->result));
    pthread_mutex_unlock(&m->lock);
    report->records = stats.records;
    report->records_read = report->kind == REMATCH_PREVIEW ? atomic_load(&m->records_read)
                           : resolver ? resolver_reread_count(resolver) : 0;
}
