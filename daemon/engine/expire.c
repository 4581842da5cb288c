/*
 * expire.c - retention: once an hour everything that is past its time goes, however much it is.
 *
 * In slices of a few thousand rows, each its own transaction, for at most a fifth of a second in each second: nobody else
 * is kept waiting, and a day's million is gone in a few minutes. What fails is tried again a minute later, from where it was.
 */
#include "daemon/base/log.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#include <stdlib.h>

#define MINUTE_US   ((int64_t)60 * 1000000)
#define TURN_US     ((int64_t)200000)
#define REST_FACTOR 4 /* a slice that took longer is followed by a rest of so many times that */
#define SLICE_ROWS  5000

enum step { STEP_RAW, STEP_REJECTS, STEP_EVENTS, STEP_HISTORY, STEP_ACTIVITIES, STEPS };

/* ---- slices: each removes some rows and says whether there may be more ---- */

static bool is_leader(const struct sources *sources, size_t which)
{
    int64_t retention_ms = sources->list[which].retention_ms;
    for (size_t i = 0; i < which; i++)
        if (sources->list[i].retention_ms == retention_ms)
            return false;
    return retention_ms > 0;
}

/* The sources that keep raw bytes as long as this one are done together, and the others of them passed over later. */
static enum status expire_raw(struct engine *e, struct db *db, uint64_t *gone, bool *more, struct err *err)
{
    const struct sources *sources = e->sources;
    struct expiry *expiry = &e->expiry;
    while (expiry->source < sources->count && !is_leader(sources, expiry->source))
        expiry->source++;
    *more = expiry->source < sources->count;
    if (!*more)
        return STATUS_OK;
    int64_t retention_ms = sources->list[expiry->source].retention_ms;
    int64_t *ids = calloc(sources->count, sizeof(*ids));
    size_t count = 0;
    if (ids == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for retention");
    for (size_t i = 0; i < sources->count; i++)
        if (sources->list[i].retention_ms == retention_ms)
            ids[count++] = sources->list[i].source_id;
    struct db_param params[] = {DB_P_INT8(expiry->after_seq), DB_P_INT4(SLICE_ROWS),
                                DB_P_INT8S(ids, count), DB_P_INT8(retention_ms)};
    struct db_result *rows = NULL;
    enum status status = db_query(db, &sql_expire_raw, params, 4, &rows, err);
    free(ids);
    if (status != STATUS_OK)
        return status;
    *gone = (uint64_t)db_int(rows, 0, 0);
    expiry->after_seq = db_int(rows, 0, 1);
    if (!db_int(rows, 0, 2)) { /* the next retention, from the beginning */
        expiry->source++;
        expiry->after_seq = 0;
    }
    db_result_free(&rows);
    return STATUS_OK;
}

/* Which sinks hold events back is said by the configuration: a row of one that is gone stays, at work as it was. */
static enum status expire_events(struct engine *e, struct db *db, int64_t retention_ms, uint64_t *gone,
                                 struct err *err)
{
    const struct config *config = e->settings.config;
    const struct options *limits = options_section(config->root, "limits");
    struct slice *names = calloc(2 * config->sink_count + 1, sizeof(*names));
    size_t enabled_count = 0;
    if (names == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for the names of the sinks");
    struct slice *enabled = names + config->sink_count;
    for (size_t i = 0; i < config->sink_count; i++) {
        names[i] = slice_str(options_name(config->sinks[i]));
        if (options_bool(config->sinks[i], "enabled"))
            enabled[enabled_count++] = names[i];
    }
    struct db_param params[] = {DB_P_INT8(retention_ms), DB_P_TEXTS(names, config->sink_count),
                                DB_P_TEXTS(enabled, enabled_count),
                                DB_P_INT8(options_int(limits, "events")), DB_P_INT4(SLICE_ROWS)};
    enum status status = db_run(db, &sql_expire_events, params, 5, gone, err);
    free(names);
    return status;
}

static enum status expire_by(struct db *db, const struct sql_query *query, int64_t retention_ms,
                             uint64_t *gone, struct err *err)
{
    struct db_param params[] = {DB_P_INT8(retention_ms), DB_P_INT4(SLICE_ROWS)};
    return db_run(db, query, params, 2, gone, err);
}

static enum status expire_slice(struct engine *e, struct db *db, uint64_t *gone, bool *more, struct err *err)
{
    static const char *const options_of[STEPS] = {"", "rejects", "events", "history", "activities"};
    static const struct sql_query *const queries[STEPS] = {
        [STEP_REJECTS] = &sql_expire_rejects, [STEP_HISTORY] = &sql_expire_history,
        [STEP_ACTIVITIES] = &sql_expire_activities};
    *gone = 0;
    if (e->expiry.step == STEP_RAW)
        return expire_raw(e, db, gone, more, err);
    const struct options *retention = options_section(e->settings.config->root, "retention");
    int64_t retention_ms = options_int(retention, options_of[e->expiry.step]);
    *more = false;
    if (retention_ms <= 0) /* for ever */
        return STATUS_OK;
    enum status status = e->expiry.step == STEP_EVENTS
                             ? expire_events(e, db, retention_ms, gone, err)
                             : expire_by(db, queries[e->expiry.step], retention_ms, gone, err);
    *more = *gone == SLICE_ROWS;
    return status;
}

/* ---- all of it ---- */

static void begin(struct expiry *expiry, int64_t now_us)
{
    *expiry = (struct expiry){.running = true, .due_us = now_us + 60 * MINUTE_US};
}

static void end(struct expiry *expiry)
{
    expiry->running = false;
    if (expiry->gone)
        log_info("engine.expired", "%llu rows were past their retention and are gone",
                 (unsigned long long)expiry->gone);
}

void engine_expire(struct engine *e, struct db *db)
{
    struct expiry *expiry = &e->expiry;
    int64_t started_us = clock_monotonic_us(e->settings.clock), now_us = started_us;
    if (now_us < expiry->next_us || (!expiry->running && now_us < expiry->due_us))
        return;
    if (!expiry->running)
        begin(expiry, now_us);
    while (expiry->running && now_us < started_us + TURN_US && !stop_is_set(&e->stop)) {
        struct err err;
        uint64_t gone = 0;
        bool more = false;
        if (expire_slice(e, db, &gone, &more, &err) != STATUS_OK) {
            log_err(LOG_LEVEL_DEBUG, &err, "retention is put off");
            expiry->next_us = now_us + MINUTE_US;
            return;
        }
        expiry->gone += gone;
        expiry->step += !more;
        if (expiry->step == STEPS)
            end(expiry);
        now_us = clock_monotonic_us(e->settings.clock);
    }
    expiry->next_us = now_us + (now_us - started_us > TURN_US ? REST_FACTOR * (now_us - started_us) : 0);
}
