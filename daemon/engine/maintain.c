/*
 * maintain.c - what the engine does by the clock: partitions, retention, and sources that fell silent.
 *
 * Retention removes in bounded steps, so that a first run over old data does not hold locks for long; what is left is
 * taken at the next round.
 */
#include "daemon/base/log.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#include <stdlib.h>

#define MINUTE_US ((int64_t)60 * 1000000)
#define ANSWER_MS 5000
#define EVENTS_AT_ONCE 20000

static enum status expire(struct db *db, const struct sql_query *query, int64_t retention_ms,
                          struct err *err)
{
    struct db_param age = DB_P_INT8(retention_ms);
    return retention_ms > 0 ? db_run(db, query, &age, 1, NULL, err) : STATUS_OK;
}

/* Which sinks hold events back is said by the configuration: a row of one that is gone stays, at work as it was. */
static enum status expire_events(struct engine *e, struct db *db, int64_t retention_ms, struct err *err)
{
    const struct config *config = e->settings.config;
    const struct options *limits = options_section(config->root, "limits");
    struct slice *names = calloc(2 * config->sink_count + 1, sizeof(*names));
    struct slice *enabled = names + config->sink_count;
    size_t enabled_count = 0;
    if (names == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for the names of the sinks");
    for (size_t i = 0; i < config->sink_count; i++) {
        names[i] = slice_str(options_name(config->sinks[i]));
        if (options_bool(config->sinks[i], "enabled"))
            enabled[enabled_count++] = names[i];
    }
    struct db_param params[] = {DB_P_INT8(retention_ms), DB_P_TEXTS(names, config->sink_count),
                                DB_P_TEXTS(enabled, enabled_count),
                                DB_P_INT8(options_int(limits, "events")), DB_P_INT4(EVENTS_AT_ONCE)};
    enum status status = db_run(db, &sql_expire_events, params, 5, NULL, err);
    free(names);
    return status;
}

static enum status expire_all(struct engine *e, struct db *db, struct err *err)
{
    const struct options *retention = options_section(e->settings.config->root, "retention");
    for (size_t i = 0; i < e->sources->count; i++) {
        const struct source *source = &e->sources->list[i];
        struct db_param params[] = {DB_P_INT4(source->source_id), DB_P_INT8(source->retention_ms)};
        if (source->retention_ms > 0 &&
            db_run(db, &sql_expire_raw, params, 2, NULL, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    if (expire(db, &sql_expire_rejects, options_int(retention, "rejects"), err) != STATUS_OK ||
        expire_events(e, db, options_int(retention, "events"), err) != STATUS_OK ||
        expire(db, &sql_expire_history, options_int(retention, "history"), err) != STATUS_OK)
        return STATUS_FAILED;
    return expire(db, &sql_expire_activities, options_int(retention, "activities"), err);
}

struct silence {
    const struct source *source;
    int64_t silent_s;
    enum status status;
};

/* On the resolver's thread. */
static void tell_silence(struct resolver *resolver, void *data)
{
    struct silence *silence = data;
    struct buf body = BUF_INIT(4096);
    struct err err;
    buf_put_str(&body, "{\"source\":");
    buf_put_json(&body, slice_str(silence->source->name));
    buf_printf(&body, ",\"silent_s\":%lld}", (long long)silence->silent_s);
    silence->status = resolver_tell(resolver, "source.silent", silence->source->source_id,
                                    buf_slice(&body), &err);
    buf_free(&body);
}

/* A source is heard when it brings an arrival; it is told once a silence. */
static void listen_to(struct engine *e, struct source *source, int64_t now_us)
{
    pthread_mutex_lock(&source->lock);
    uint64_t count = source->health.accepted;
    pthread_mutex_unlock(&source->lock);
    if (count != source->heard_count || source->heard_us == 0) {
        source->heard_count = count;
        source->heard_us = now_us;
        source->silent = false;
        return;
    }
    int64_t silent_us = now_us - source->heard_us;
    if (source->silent || source->silent_after_ms == 0 || silent_us < source->silent_after_ms * 1000)
        return;
    struct silence silence = {source, silent_us / 1000000, STATUS_FAILED};
    struct resolver *resolver = engine_resolver(e);
    struct err err;
    if (resolver && resolver_ask(resolver, tell_silence, &silence, &err) == STATUS_OK &&
        silence.status == STATUS_OK) {
        source->silent = true;
        log_warn("engine.source_silent", "source %s has brought nothing for %lld seconds", source->name,
                 (long long)silence.silent_s);
    }
}

/* So that readiness is honest though nothing comes in: a question a second, with a deadline of its own. */
static bool answers(struct db *db, struct err *err)
{
    int64_t before_ms = db_set_deadline_ms(db, ANSWER_MS);
    bool answered = db_open(db, err) == STATUS_OK && db_exec(db, "SELECT 1", err) == STATUS_OK;
    db_set_deadline_ms(db, before_ms);
    return answered;
}

void engine_maintain(struct engine *e, struct db *db)
{
    int64_t now_us = clock_monotonic_us(e->settings.clock);
    struct err err;
    struct dispatcher *dispatcher = atomic_load(&e->dispatcher);
    atomic_store(&e->intake.slow, dispatcher && dispatcher_is_full(dispatcher));
    bool away = !answers(db, &err);
    atomic_store(&e->database_away, away);
    if (away)
        return;
    for (size_t i = 0; i < e->sources->count; i++)
        listen_to(e, &e->sources->list[i], now_us);
    if (now_us < e->maintain_at_us)
        return;
    e->maintain_at_us = now_us + MINUTE_US;
    bool hourly = now_us >= e->expire_at_us;
    if (hourly)
        e->expire_at_us = now_us + 60 * MINUTE_US;
    if (db_open(db, &err) != STATUS_OK ||
        db_run(db, &sql_partitions_ensure, NULL, 0, NULL, &err) != STATUS_OK ||
        db_run(db, &sql_batch_prune, NULL, 0, NULL, &err) != STATUS_OK ||
        (hourly && expire_all(e, db, &err) != STATUS_OK))
        log_err(LOG_LEVEL_DEBUG, &err, "maintenance is put off");
}
