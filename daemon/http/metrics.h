/*
 * metrics.h - what can be counted of the daemon, declared once with a sentence each, as Prometheus text.
 *
 * Whoever knows the values puts them (in any order) into a metric_writer; metrics_render groups them by metric.
 */
#ifndef TRIBUTARY_HTTP_METRICS_H
#define TRIBUTARY_HTTP_METRICS_H

#include "daemon/base/buf.h"
#include "daemon/http/http_server.h"

enum metric {
    METRIC_UP_SECONDS,
    METRIC_READY,
    METRIC_DATABASE_UP,
    METRIC_RECORDS,
    METRIC_CUSTOMERS,
    METRIC_COMPANIES,
    METRIC_LEADS,
    METRIC_EVENTS,
    METRIC_INDEX_BYTES,
    METRIC_LIVE_BATCHES,
    METRIC_BULK_BATCHES,
    METRIC_SPOOL_ENTRIES,
    METRIC_SPOOL_BYTES,
    METRIC_POSTS_WAITING,
    METRIC_SOURCE_RECEIVED,
    METRIC_SOURCE_STORED,
    METRIC_SOURCE_UPDATED,
    METRIC_SOURCE_DELETED,
    METRIC_SOURCE_REPEAT,
    METRIC_SOURCE_REJECTED,
    METRIC_SOURCE_QUARANTINED,
    METRIC_SOURCE_SUPPRESSED,
    METRIC_SOURCE_IN_FLIGHT,
    METRIC_SOURCE_LAST_OK_SECONDS,
    METRIC_SOURCE_FAILING,
    METRIC_SINK_BACKLOG,
    METRIC_SINK_PARKED,
    METRIC_SINK_DEAD,
    METRIC_SINK_DELIVERED,
    METRIC_HTTP_REQUESTS,
    METRIC_HTTP_REPLIES,
    METRIC_HTTP_CUT_SLOW,
    METRIC_HTTP_RATE_LIMITED,
    METRIC_HTTP_REFUSED,
    METRIC_HTTP_CONNECTIONS,
    METRIC_HTTP_SUSPENDED,
    METRIC_HTTP_BODY_BYTES,
    METRIC_COUNT,
};

struct metric_writer {
    struct buf lines[METRIC_COUNT];
};

#define METRIC_LINES_MAX_BYTES ((size_t)1 << 20) /* of one metric */

/* label NULL: none. For a metric with two labels (replies: listener and class) give the second as well. */
struct metric_label {
    const char *name;
    struct slice value;
};
void metric_put(struct metric_writer *writer, enum metric metric, const struct metric_label *labels,
                size_t label_count, double value);
void metric_put_http(struct metric_writer *writer, const char *listener, const struct http_server_state *state);
/* Appends the text of all that was put, and empties the writer. */
void metrics_render(struct metric_writer *writer, struct buf *out);
/* docs/metrics.md: a Markdown table. */
void metrics_document(struct buf *out);

#endif
