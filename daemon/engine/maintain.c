/* maintain.c - what the engine does by the clock: partitions, what is past its time, and sources that fell silent. */
#include "daemon/base/log.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#define MINUTE_US ((int64_t)60 * 1000000)
#define ANSWER_MS 5000

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
    bool fresh = !db_is_open(db);
    bool answered = db_open(db, err) == STATUS_OK && db_exec(db, "SELECT 1", err) == STATUS_OK;
    if (answered && fresh) /* retention goes by keys and places, a few thousand rows of any table at a time */
        answered = db_run(db, &sql_session_by_index, NULL, 0, NULL, err) == STATUS_OK;
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
    engine_partitions(e, db);
    engine_expire(e, db);
    if (now_us < e->maintain_at_us)
        return;
    e->maintain_at_us = now_us + MINUTE_US;
    if (db_open(db, &err) != STATUS_OK ||
        db_run(db, &sql_batch_prune, NULL, 0, NULL, &err) != STATUS_OK)
        log_err(LOG_LEVEL_DEBUG, &err, "maintenance is put off");
}
