/* engine_metrics.c - see engine_metrics.h. */
#include "daemon/engine/engine_metrics.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#include <jansson.h>

static void put(struct metric_writer *writer, enum metric metric, double value)
{
    metric_put(writer, metric, NULL, 0, value);
}

static void put_sources(struct engine *e, struct metric_writer *writer)
{
    struct db_result *ledger = NULL;
    struct err err;
    if (engine_look(e, &sql_ledger_read, NULL, 0, &ledger, &err) != STATUS_OK)
        return;
    for (size_t i = 0; i < db_rows(ledger); i++) {
        struct metric_label label = {"source", db_bytes(ledger, i, 0)};
        for (size_t j = 0; j < 9; j++) /* the metrics stand in the order of the columns */
            metric_put(writer, (enum metric)(METRIC_SOURCE_RECEIVED + j), &label, 1,
                       (double)db_int(ledger, i, j + 1));
    }
    db_result_free(&ledger);
}

static void put_source_health(struct engine *e, struct metric_writer *writer)
{
    for (size_t i = 0; i < e->sources->count; i++) {
        struct source *source = &e->sources->list[i];
        struct metric_label label = {"source", slice_str(source->name)};
        pthread_mutex_lock(&source->lock);
        int64_t last_ok_us = source->health.last_ok_us;
        bool failing = source->health.last_error[0] != '\0';
        pthread_mutex_unlock(&source->lock);
        metric_put(writer, METRIC_SOURCE_LAST_OK_SECONDS, &label, 1, (double)last_ok_us / 1e6);
        metric_put(writer, METRIC_SOURCE_FAILING, &label, 1, failing);
    }
}

static void put_sinks(struct engine *e, struct metric_writer *writer)
{
    struct dispatcher *dispatcher = atomic_load(&e->dispatcher);
    if (dispatcher == NULL)
        return;
    struct buf text = BUF_INIT((size_t)1 << 20);
    dispatcher_status_json(dispatcher, &text);
    json_t *sinks = json_loadb(text.data, text.len, 0, NULL), *sink;
    size_t i;
    json_array_foreach(sinks, i, sink) {
        struct metric_label label = {"sink", slice_str(json_string_value(json_object_get(sink, "name")))};
        metric_put(writer, METRIC_SINK_BACKLOG, &label, 1, json_number_value(json_object_get(sink, "backlog")));
        metric_put(writer, METRIC_SINK_PARKED, &label, 1, json_number_value(json_object_get(sink, "parked")));
        metric_put(writer, METRIC_SINK_DEAD, &label, 1, json_number_value(json_object_get(sink, "dead")));
        metric_put(writer, METRIC_SINK_DELIVERED, &label, 1,
                   json_number_value(json_object_get(sink, "delivered")));
    }
    json_decref(sinks);
    buf_free(&text);
}

void engine_metrics(struct engine *e, const struct http_server_state *public_side,
                    const struct http_server_state *private_side, struct buf *out)
{
    static const struct metric_writer empty;
    struct metric_writer writer = empty;
    struct engine_health health;
    struct resolver_stats stats = {0};
    for (size_t i = 0; i < METRIC_COUNT; i++)
        writer.lines[i].max_bytes = METRIC_LINES_MAX_BYTES;
    engine_health(e, &health);
    struct resolver *resolver = engine_resolver(e);
    if (resolver)
        resolver_stats(resolver, &stats);
    size_t live = 0, bulk = 0;
    lanes_depth(e->lanes, &live, &bulk);
    put(&writer, METRIC_UP_SECONDS, (double)(clock_monotonic_us(e->settings.clock) - e->started_us) / 1e6);
    put(&writer, METRIC_READY, health.ready);
    put(&writer, METRIC_DATABASE_UP,
        atomic_load(&e->intake.ready) && !atomic_load(&e->database_away) && !health.acceptor.database_away);
    put(&writer, METRIC_RECORDS, (double)stats.records);
    put(&writer, METRIC_CUSTOMERS, (double)stats.customers);
    put(&writer, METRIC_COMPANIES, (double)stats.companies);
    put(&writer, METRIC_LEADS, (double)stats.leads);
    put(&writer, METRIC_EVENTS, (double)stats.events);
    put(&writer, METRIC_INDEX_BYTES,
        (double)(stats.graph.bytes + stats.known_bytes + stats.roster_bytes));
    put(&writer, METRIC_LIVE_BATCHES, (double)live);
    put(&writer, METRIC_BULK_BATCHES, (double)bulk);
    put(&writer, METRIC_SPOOL_ENTRIES, (double)health.acceptor.spooled);
    put(&writer, METRIC_SPOOL_BYTES, (double)health.acceptor.spool_bytes);
    put(&writer, METRIC_POSTS_WAITING, (double)health.acceptor.waiting);
    put_sources(e, &writer);
    put_source_health(e, &writer);
    put_sinks(e, &writer);
    metric_put_http(&writer, "public", public_side);
    metric_put_http(&writer, "private", private_side);
    metrics_render(&writer, out);
}
