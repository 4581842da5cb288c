/* sink_notify.c - NOTIFY on a channel of one's own; the payload is the highest seq only. */
#include "daemon/events/sink.h"
#include "sql_queries.h"

#include <stdio.h>

static enum status open_notify(struct sink *sink, struct err *err)
{
    sink->channel = options_string(sink->options, "channel");
    size_t length = strlen(sink->channel);
    if (length == 0 || length > 63)
        return err_set(err, RETRY_REJECT_CONFIG, "events.channel",
                       "a channel has a name of 1 to 63 bytes");
    return STATUS_OK;
}

static void close_notify(struct sink *sink)
{
    sink->channel = NULL;
}

static enum status pump_notify(struct sink *sink, struct db *db, struct err *err)
{
    struct event_item *taken[2 * SINK_WINDOW_MAX], *item;
    size_t count = 0;
    uint64_t highest = 0;
    while (count < 2 * SINK_WINDOW_MAX && (item = sink_next(sink)) != NULL) {
        highest = item->seq > highest ? item->seq : highest;
        taken[count++] = item;
    }
    if (count == 0)
        return STATUS_OK;
    struct db_param params[] = {DB_P_TEXT(slice_str(sink->channel)), DB_P_INT8((int64_t)highest)};
    struct db_result *result = NULL;
    enum status status = db_query(db, &sql_event_notify, params, 2, &result, err);
    db_result_free(&result);
    struct outcome outcome = {.kind = status == STATUS_OK ? OUTCOME_DELIVERED : OUTCOME_HELD,
                              .retry_after_ms = status == STATUS_OK ? -1 : 0};
    if (status != STATUS_OK)
        snprintf(outcome.error, sizeof(outcome.error), "%s", err->text);
    for (size_t i = 0; i < count; i++)
        sink_settle(sink, taken[i], &outcome);
    return status;
}

const struct sink_driver sink_notify = {.type = "notify",
                                        .open = open_notify,
                                        .pump = pump_notify,
                                        .close = close_notify,
                                        .in_order = true};
