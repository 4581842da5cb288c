/* engine_status.c - the state of everything as JSON; the shape is docs/status.md. */
#include "daemon/base/version.h"
#include "daemon/console/mask.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#define LATEST_LEADS 10

static void put_time(struct buf *out, int64_t wall_us)
{
    char text[40];
    if (wall_us == 0) {
        buf_put_str(out, "null");
        return;
    }
    clock_format_utc(wall_us, text, sizeof(text));
    buf_printf(out, "\"%s\"", text);
}

static void put_health(struct engine *e, const struct source *source, struct buf *out)
{
    struct source_health health;
    pthread_mutex_lock((pthread_mutex_t *)(uintptr_t)&source->lock);
    health = source->health;
    pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)&source->lock);
    int64_t uptime_us = clock_monotonic_us(e->settings.clock) - e->started_us;
    int64_t now_us = clock_wall_us(e->settings.clock);
    buf_printf(out, ",\"enabled\":%s,\"paused\":%s,\"rate_per_s\":%.2f,\"last_ok\":",
               source->enabled ? "true" : "false", source->paused ? "true" : "false",
               uptime_us > 0 ? (double)health.accepted * 1e6 / (double)uptime_us : 0.0);
    put_time(out, health.last_ok_us);
    buf_put_str(out, ",\"last_error\":");
    buf_put_json(out, slice_str(health.last_error));
    buf_printf(out, ",\"lag_s\":%lld",
               health.last_ok_us ? (long long)((now_us - health.last_ok_us) / 1000000) : -1LL);
}

static void put_ledger(const struct db_result *ledger, const char *name, struct buf *out)
{
    static const char *const columns[] = {"received",   "stored",   "updated",     "deleted", "repeat",
                                          "rejected", "quarantined", "suppressed", "in_flight"};
    size_t row = 0, rows = ledger ? db_rows(ledger) : 0;
    while (row < rows && !slice_is(db_bytes(ledger, row, 0), name))
        row++;
    for (size_t i = 0; i < 9; i++)
        buf_printf(out, ",\"%s\":%lld", columns[i],
                   row < rows ? (long long)db_int(ledger, row, i + 1) : 0LL);
}

static void put_sources(struct engine *e, const struct db_result *ledger, struct buf *out)
{
    buf_put_str(out, ",\"sources\":[");
    for (size_t i = 0; i < e->sources->count; i++) {
        const struct source *source = &e->sources->list[i];
        buf_put_str(out, i ? ",{\"name\":" : "{\"name\":");
        buf_put_json(out, slice_str(source->name));
        buf_put_str(out, ",\"type\":");
        buf_put_json(out, slice_str(source->type));
        put_health(e, source, out);
        put_ledger(ledger, source->name, out);
        buf_put_byte(out, '}');
    }
    buf_put_byte(out, ']');
}

static void put_latest_leads(struct engine *e, struct buf *out)
{
    struct db_param count = DB_P_INT4(LATEST_LEADS);
    struct db_result *leads = NULL;
    struct err err;
    buf_put_str(out, ",\"latest_leads\":[");
    if (engine_look(e, &sql_latest_leads, &count, 1, &leads, &err) == STATUS_OK) {
        for (size_t i = 0; i < db_rows(leads); i++) {
            buf_put_str(out, i ? ",{\"at\":" : "{\"at\":");
            put_time(out, db_timestamp_us(leads, i, 0));
            buf_printf(out, ",\"customer_id\":%lld,\"source\":", (long long)db_int(leads, i, 1));
            buf_put_json(out, db_bytes(leads, i, 2));
            struct buf masked = BUF_INIT(1024);
            mask_name(db_bytes(leads, i, 3), &masked);
            buf_put_str(out, ",\"name_masked\":");
            buf_put_json(out, buf_slice(&masked));
            buf_reset(&masked);
            mask_contact(db_bytes(leads, i, 4), &masked);
            buf_put_str(out, ",\"contact_masked\":");
            buf_put_json(out, buf_slice(&masked));
            buf_put_byte(out, '}');
            buf_free(&masked);
        }
        db_result_free(&leads);
    }
    buf_put_byte(out, ']');
}

static int64_t in_flight(const struct db_result *ledger)
{
    int64_t total = 0;
    for (size_t i = 0; ledger && i < db_rows(ledger); i++)
        total += db_int(ledger, i, 9);
    return total;
}

static int64_t count_leads_today(struct engine *e)
{
    struct db_result *result = NULL;
    struct err err;
    if (engine_look(e, &sql_leads_today, NULL, 0, &result, &err) != STATUS_OK)
        return 0;
    int64_t count = db_int(result, 0, 0);
    db_result_free(&result);
    return count;
}

static void put_generation(struct engine *e, struct buf *out)
{
    struct buf difference = BUF_INIT((size_t)1 << 20);
    int32_t pending = engine_pending(e, &difference);
    buf_printf(out, ",\"generation\":{\"in_force\":%d,\"being_applied\":%s,\"pending\":",
               engine_generation(e)->generation_id, atomic_load(&e->generation_changes) ? "true" : "false");
    if (pending)
        buf_printf(out, "%d,\"difference\":%.*s}", pending, (int)difference.len, difference.data);
    else
        buf_put_str(out, "null}");
    buf_free(&difference);
}

void engine_status_json(struct engine *e, struct buf *out)
{
    struct engine_health health;
    struct resolver_stats stats = {0};
    struct db_result *ledger = NULL;
    struct err err;
    engine_health(e, &health);
    struct resolver *resolver = engine_resolver(e);
    if (resolver)
        resolver_stats(resolver, &stats);
    bool up = engine_look(e, &sql_ledger_read, NULL, 0, &ledger, &err) == STATUS_OK;
    int64_t uptime_us = clock_monotonic_us(e->settings.clock) - e->started_us;
    buf_printf(out, "{\"uptime_s\":%lld,\"version\":\"%s\",\"ready\":%s,\"database\":\"%s\",\"trouble\":",
               (long long)(uptime_us / 1000000), TRIBUTARY_VERSION, health.ready ? "true" : "false",
               up ? "up" : "away");
    buf_put_json(out, slice_str(health.trouble));
    buf_printf(out,
               ",\"records\":%llu,\"customers\":%llu,\"companies\":%llu,\"leads\":%llu,\"leads_today\":%lld,\"events\":%llu,"
               "\"in_flight\":%lld,\"spooled\":%llu,\"rate_per_s\":%.2f,\"index_bytes\":%zu",
               (unsigned long long)stats.records, (unsigned long long)stats.customers,
               (unsigned long long)stats.companies,
               (unsigned long long)stats.leads, (long long)(up ? count_leads_today(e) : 0),
               (unsigned long long)stats.events, (long long)in_flight(ledger),
               (unsigned long long)health.acceptor.spooled,
               uptime_us > 0 ? (double)stats.arrivals * 1e6 / (double)uptime_us : 0.0,
               stats.graph.bytes + stats.known_bytes + stats.roster_bytes);
    put_generation(e, out);
    put_sources(e, ledger, out);
    db_result_free(&ledger);
    buf_put_str(out, ",\"sinks\":");
    struct dispatcher *dispatcher = atomic_load(&e->dispatcher);
    if (dispatcher)
        dispatcher_status_json(dispatcher, out);
    else
        buf_put_str(out, "[]");
    put_latest_leads(e, out);
    buf_put_byte(out, '}');
}
