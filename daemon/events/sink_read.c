/* sink_read.c - from the log into a sink's window. */
#include "daemon/events/sink.h"
#include "daemon/base/log.h"

#include <stdio.h>

#define READ_SPAN  20000              /* seqs looked over by one query */
#define READ_BYTES ((int64_t)8 << 20) /* of bodies, as stored, by one query */

static struct log_event event_at(const struct db_result *rows, size_t row)
{
    return (struct log_event){.seq = (uint64_t)db_int(rows, row, EVENT_SEQ),
                              .at_us = db_timestamp_us(rows, row, EVENT_AT),
                              .customer_id = (uint64_t)db_int(rows, row, EVENT_CUSTOMER),
                              .type = db_bytes(rows, row, EVENT_TYPE),
                              .source = db_bytes(rows, row, EVENT_SOURCE),
                              .data = db_is_null(rows, row, EVENT_DATA)
                                          ? SLICE_EMPTY
                                          : db_bytes(rows, row, EVENT_DATA)};
}

/* NULL and RETRY_LATER when there is no room, NULL and RETRY_REJECT_RECORD when the event cannot be
 * told. */
static struct event_item *make_item(struct sink *sink, const struct log_event *event,
                                    struct slice others, struct err *err)
{
    struct buf body = BUF_INIT(CLOUDEVENT_MAX_BYTES);
    struct named named;
    if (sink->driver->has_body &&
        !cloudevent_put(&body, event, sink->source_uri, sink->fields, sink->field_count)) {
        buf_free(&body);
        (void)err_set(err, RETRY_REJECT_RECORD, "events.body",
                      "event %llu: its body cannot be told", (unsigned long long)event->seq);
        return NULL;
    }
    struct event_item *item = named_parse(&named, event->customer_id, others)
                                  ? item_new(event->seq, &named, buf_slice(&body))
                                  : NULL;
    buf_free(&body);
    if (item == NULL) {
        named_free(&named);
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for events of sink %s",
                      sink->name);
    }
    return item;
}

/* An event no consumer could be told of: it must not stop the log, and it must not be silent. */
static bool bury(struct sink *sink, const struct log_event *event, const struct err *err)
{
    struct parked_row row = {.named = {.subject = event->customer_id}, .seq = event->seq};
    if (!parked_add_dead(&sink->parked, &row, err->text))
        return false;
    sink->dead++;
    log_err(LOG_LEVEL_ERROR, err, "sink %s: a dead letter", sink->name);
    return true;
}

static enum status take_rows(struct sink *sink, const struct db_result *rows, struct err *err)
{
    for (size_t row = 0; row < db_rows(rows); row++) {
        struct log_event event = event_at(rows, row);
        if (event_filter_wants(&sink->filter, rows, row)) {
            struct event_item *item =
                make_item(sink, &event, db_bytes(rows, row, EVENT_OTHERS), err);
            if (item)
                sink->window[sink->window_count++] = item;
            else if (err->retry != RETRY_REJECT_RECORD || !bury(sink, &event, err))
                return STATUS_FAILED;
        }
        sink->read_seq = event.seq;
    }
    return STATUS_OK;
}

enum status sink_read_log(struct sink *sink, struct db *db, bool *again, struct err *err)
{
    size_t room = SINK_WINDOW_MAX - sink->window_count;
    if (sink->read_seq >= sink->head || room < SINK_WINDOW_MAX / 2)
        return STATUS_OK;
    uint64_t up_to =
        sink->head - sink->read_seq > READ_SPAN ? sink->read_seq + READ_SPAN : sink->head;
    struct event_span span = {.after_seq = sink->read_seq,
                              .up_to_seq = up_to,
                              .max_rows = room,
                              .max_bytes = READ_BYTES,
                              .with_bodies = sink->driver->has_body};
    struct db_result *rows = NULL;
    if (event_filter_read(&sink->filter, db, &span, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    size_t count = db_rows(rows);
    bool is_all = count == 0 || ((size_t)db_int(rows, 0, EVENT_TOTAL) == count && count < room);
    enum status status = take_rows(sink, rows, err);
    db_result_free(&rows);
    if (status != STATUS_OK)
        return status;
    if (is_all)
        sink->read_seq = up_to;
    *again |= sink->read_seq < sink->head;
    uint64_t before = sink->cursor;
    sink_advance(sink);
    if (sink->cursor > before)
        sink_touch(sink, clock_monotonic_us(sink->clock));
    return STATUS_OK;
}

/* ---- parked events that are due ---- */

/* The filter was made narrower since it was parked, or it came by a replay of old. */
static enum status drop_due(struct sink *sink, const struct parked_row *due, struct err *err)
{
    int64_t now_us = clock_monotonic_us(sink->clock);
    if (!parked_remove(&sink->parked, due->seq, false, due, "", now_us))
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for events of sink %s",
                       sink->name);
    sink_touch(sink, now_us);
    return STATUS_OK;
}

static enum status take_due(struct sink *sink, const struct db_result *rows,
                            const struct parked_row *due, struct err *err)
{
    size_t row = 0;
    while (row < db_rows(rows) && (uint64_t)db_int(rows, row, EVENT_SEQ) != due->seq)
        row++;
    struct event_item *item = NULL;
    if (row < db_rows(rows) && !event_filter_wants(&sink->filter, rows, row))
        return drop_due(sink, due, err);
    if (row < db_rows(rows)) {
        struct log_event event = event_at(rows, row);
        item = make_item(sink, &event, db_bytes(rows, row, EVENT_OTHERS), err);
        if (item == NULL && err->retry != RETRY_REJECT_RECORD)
            return STATUS_FAILED;
    } else {
        (void)err_set(err, RETRY_REJECT_RECORD, "events.gone", "event %llu is past its retention",
                      (unsigned long long)due->seq);
    }
    if (item) {
        item->is_retry = true;
        item->attempts = due->attempts;
        sink->retries[sink->retry_count++] = item;
        return STATUS_OK;
    }
    int64_t now_us = clock_monotonic_us(sink->clock);
    if (!parked_remove(&sink->parked, due->seq, true, due, err->text, now_us))
        return STATUS_FAILED;
    sink->dead++;
    log_err(LOG_LEVEL_ERROR, err, "sink %s: a dead letter", sink->name);
    sink_touch(sink, now_us);
    return STATUS_OK;
}

enum status sink_read_due(struct sink *sink, struct db *db, struct err *err)
{
    struct parked_row due[SINK_RETRIES_MAX];
    int64_t seqs[SINK_RETRIES_MAX];
    int64_t now_us = clock_monotonic_us(sink->clock);
    size_t room = SINK_RETRIES_MAX - sink->retry_count;
    if (room < SINK_RETRIES_MAX / 2 || parked_next_due_us(&sink->parked) > now_us)
        return STATUS_OK;
    size_t count = parked_take_due(&sink->parked, now_us, due, room);
    for (size_t i = 0; i < count; i++)
        seqs[i] = (int64_t)due[i].seq;
    struct db_result *rows = NULL;
    enum status status = event_filter_find(&sink->filter, db, seqs, count, &rows, err);
    size_t taken = 0;
    while (status == STATUS_OK && taken < count) {
        status = take_due(sink, rows, &due[taken], err);
        taken += status == STATUS_OK;
    }
    for (size_t i = taken; i < count; i++) {
        struct parked_row *row = parked_find(&sink->parked, due[i].seq);
        if (row)
            row->taken = false;
    }
    db_result_free(&rows);
    return status;
}
