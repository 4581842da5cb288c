/* metrics.c - see metrics.h: the table. */
#include "daemon/http/metrics.h"

static const struct {
    const char *name; /* after tributary_; counters end in _total */
    const char *labels;
    const char *help;
} table[METRIC_COUNT] = {
    [METRIC_UP_SECONDS] = {"up_seconds", "", "Seconds since the daemon started."},
    [METRIC_READY] = {"ready", "", "1 when records are accepted and resolved, 0 when degraded."},
    [METRIC_DATABASE_UP] = {"database_up", "", "1 when PostgreSQL answers."},
    [METRIC_RECORDS] = {"records", "", "Living records."},
    [METRIC_CUSTOMERS] = {"customers", "", "Living customers."},
    [METRIC_COMPANIES] = {"companies", "", "Living customers that are companies."},
    [METRIC_LEADS] = {"leads", "", "Customers that are leads."},
    [METRIC_EVENTS] = {"events_total", "", "Events written to the event log."},
    [METRIC_INDEX_BYTES] = {"index_bytes", "", "Memory of the candidate index."},
    [METRIC_LIVE_BATCHES] = {"live_batches", "", "Accepted batches of posts waiting to be resolved."},
    [METRIC_BULK_BATCHES] = {"bulk_batches", "", "Accepted batches of loads waiting to be resolved."},
    [METRIC_SPOOL_ENTRIES] = {"spool_entries", "", "Posts kept in the spool until PostgreSQL is back."},
    [METRIC_SPOOL_BYTES] = {"spool_bytes", "", "Bytes of those posts."},
    [METRIC_POSTS_WAITING] = {"posts_waiting", "", "Posts waiting to be made durable."},
    [METRIC_SOURCE_RECEIVED] = {"source_received_total", "source", "Record arrivals; the sum of the next eight."},
    [METRIC_SOURCE_STORED] = {"source_stored_total", "source", "Arrivals stored as new records."},
    [METRIC_SOURCE_UPDATED] = {"source_updated_total", "source", "Arrivals that were a new version of a record."},
    [METRIC_SOURCE_DELETED] = {"source_deleted_total", "source", "Arrivals that deleted a record."},
    [METRIC_SOURCE_REPEAT] = {"source_repeat_total", "source", "Arrivals equal to what was known."},
    [METRIC_SOURCE_REJECTED] = {"source_rejected_total", "source", "Arrivals the rules refused."},
    [METRIC_SOURCE_QUARANTINED] = {"source_quarantined_total", "source", "Arrivals held for a person."},
    [METRIC_SOURCE_SUPPRESSED] = {"source_suppressed_total", "source", "Arrivals thrown away on purpose, as of robots."},
    [METRIC_SOURCE_IN_FLIGHT] = {"source_in_flight", "source", "Arrivals accepted and not resolved yet."},
    [METRIC_SOURCE_LAST_OK_SECONDS] = {"source_last_ok_timestamp_seconds", "source",
                                       "When the source last went well, in seconds since 1970; 0 never."},
    [METRIC_SOURCE_FAILING] = {"source_failing", "source", "1 when the source's last turn failed."},
    [METRIC_SINK_BACKLOG] = {"sink_backlog", "sink", "Events the sink has not had yet."},
    [METRIC_SINK_PARKED] = {"sink_parked", "sink", "Events waiting for another attempt."},
    [METRIC_SINK_DEAD] = {"sink_dead_total", "sink", "Events given up."},
    [METRIC_SINK_DELIVERED] = {"sink_last_delivered_timestamp_seconds", "sink",
                               "When the sink last took an event, in seconds since 1970; 0 never."},
    [METRIC_HTTP_REQUESTS] = {"http_requests_total", "listener", "Requests begun."},
    [METRIC_HTTP_REPLIES] = {"http_replies_total", "listener, class", "Replies by class of status."},
    [METRIC_HTTP_CUT_SLOW] = {"http_cut_slow_total", "listener", "Connections cut at a deadline."},
    [METRIC_HTTP_RATE_LIMITED] = {"http_rate_limited_total", "listener", "Requests answered 429."},
    [METRIC_HTTP_REFUSED] = {"http_refused_connections_total", "listener", "Connections over the limits."},
    [METRIC_HTTP_CONNECTIONS] = {"http_connections", "listener", "Connections open."},
    [METRIC_HTTP_SUSPENDED] = {"http_waiting", "listener", "Requests whose reply is being made."},
    [METRIC_HTTP_BODY_BYTES] = {"http_body_bytes", "listener", "Bytes of request bodies held."},
};

static bool is_counter(enum metric metric)
{
    return slice_ends(slice_str(table[metric].name), SLICE("_total"));
}

static void put_label_value(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\n')
            buf_put_str(out, "\\n");
        else if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else
            buf_put_byte(out, (uint8_t)c);
    }
}

void metric_put(struct metric_writer *writer, enum metric metric, const struct metric_label *labels,
                size_t label_count, double value)
{
    struct buf *out = &writer->lines[metric];
    out->max_bytes = METRIC_LINES_MAX_BYTES;
    buf_printf(out, "tributary_%s", table[metric].name);
    for (size_t i = 0; i < label_count; i++) {
        buf_printf(out, "%s%s=\"", i ? "," : "{", labels[i].name);
        put_label_value(out, labels[i].value);
        buf_put_byte(out, '"');
    }
    buf_printf(out, "%s %.17g\n", label_count ? "}" : "", value);
}

void metric_put_http(struct metric_writer *writer, const char *listener, const struct http_server_state *state)
{
    struct metric_label labels[2] = {{"listener", slice_str(listener)}, {"class", SLICE_EMPTY}};
    const struct {
        enum metric metric;
        uint64_t value;
    } values[] = {
        {METRIC_HTTP_REQUESTS, state->requests},
        {METRIC_HTTP_CUT_SLOW, state->cut_slow},
        {METRIC_HTTP_RATE_LIMITED, state->rate_limited},
        {METRIC_HTTP_REFUSED, state->refused_connections},
        {METRIC_HTTP_CONNECTIONS, state->connections},
        {METRIC_HTTP_SUSPENDED, state->suspended},
        {METRIC_HTTP_BODY_BYTES, state->body_bytes},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        metric_put(writer, values[i].metric, labels, 1, (double)values[i].value);
    const uint64_t classes[] = {state->replies_2xx, state->replies_3xx, state->replies_4xx, state->replies_5xx};
    static const char *const names[] = {"2xx", "3xx", "4xx", "5xx"};
    for (size_t i = 0; i < 4; i++) {
        labels[1].value = slice_str(names[i]);
        metric_put(writer, METRIC_HTTP_REPLIES, labels, 2, (double)classes[i]);
    }
}

void metrics_render(struct metric_writer *writer, struct buf *out)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        struct buf *lines = &writer->lines[i];
        if (lines->len > 0 && !buf_failed(lines)) {
            buf_printf(out, "# HELP tributary_%s %s\n# TYPE tributary_%s %s\n", table[i].name, table[i].help,
                       table[i].name, is_counter((enum metric)i) ? "counter" : "gauge");
            buf_put_slice(out, buf_slice(lines));
        }
        buf_free(lines);
    }
}

void metrics_document(struct buf *out)
{
    buf_put_str(out, "# Metrics\n\nWhat `GET /metrics` of the private listener tells, for Prometheus (with the token: `Authorization: Bearer TOKEN`). "
                     "Written by `make docs`\nfrom daemon/http/metrics.c.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n");
    for (int i = 0; i < METRIC_COUNT; i++)
        buf_printf(out, "| `tributary_%s` | %s | %s | %s |\n", table[i].name,
                   is_counter((enum metric)i) ? "counter" : "gauge", table[i].labels, table[i].help);
}
