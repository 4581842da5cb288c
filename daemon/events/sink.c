/* sink.c - see sink.h: life, turns and state of a sink. */
#include "daemon/events/sink.h"
#include "daemon/base/log.h"

#include <stdio.h>
#include <stdlib.h>

#define SAVE_AFTER_US      ((int64_t)100000)  /* deliveries a crash may repeat */
#define SAVE_CURSOR_US     ((int64_t)1000000) /* when events were only passed over */
#define SAVE_AFTER_SETTLED 128
#define SAVE_AFTER_CHANGES 1000

static const struct sink_driver *const drivers[] = {&sink_webhook, &sink_file, &sink_notify};

enum status sink_new(const struct sink_settings *settings, struct sink **out, struct err *err)
{
    struct sink *sink = *out = calloc(1, sizeof(*sink));
    const struct options *options = settings->options;
    if (sink == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a sink");
    const struct options *limits = options_section(settings->config->root, "limits");
    sink->name = options_name(options);
    sink->options = options;
    sink->config = settings->config;
    sink->clock = settings->clock;
    sink->source_uri = settings->source_uri;
    sink->multi = settings->multi;
    sink->backlog_max = (uint64_t)options_int(limits, "events");
    sink->slow_when_full = strcmp(options_string(options, "when_full"), "slow") == 0;
    sink->field_count = options_strings(options, "fields", &sink->fields);
    sink->max_attempts = 1;
    sink->parallel = 2 * SINK_WINDOW_MAX; /* all there are; a webhook has its own */
    retry_schedule_default(&sink->schedule);
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (strcmp(options_string(options, "type"), drivers[i]->type) == 0)
            sink->driver = drivers[i];
    enum status status = STATUS_OK;
    if (sink->driver == NULL)
        status = err_set(err, RETRY_REJECT_CONFIG, "events.sink_type", "unknown type '%s'",
                         options_string(options, "type"));
    else if (!event_filter_init(&sink->filter, settings->config, options))
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory");
    else
        status = sink->driver->open(sink, err);
    if (status != STATUS_OK) {
        err_prefix(err, "sink %s", sink->name);
        sink_free(out);
    }
    return status;
}

void sink_free(struct sink **out)
{
    struct sink *sink = *out;
    if (sink == NULL)
        return;
    if (sink->driver)
        sink->driver->close(sink);
    sink->in_flight = sink->retries_in_flight = 0;
    sink_forget(sink);
    parked_free(&sink->parked);
    event_filter_free(&sink->filter);
    free(sink);
    *out = NULL;
}

void sink_disable(struct sink *sink, const char *reason)
{
    if (sink->state == SINK_DISABLED)
        return;
    sink->state = SINK_DISABLED;
    sink->state_dirty = true;
    snprintf(sink->reason, sizeof(sink->reason), "%s", reason);
    sink_touch(sink, clock_monotonic_us(sink->clock));
    log_error("events.sink_disabled",
              "sink %s is disabled: %s; nothing is delivered to it until it is enabled; its cursor "
              "stays at "
              "%llu; hint: tributary sinks enable %s",
              sink->name, reason, (unsigned long long)sink->cursor, sink->name);
}

static uint64_t backlog(const struct sink *sink)
{
    return sink->head > sink->cursor ? sink->head - sink->cursor : 0;
}

bool sink_is_full(const struct sink *sink)
{
    return sink->state == SINK_ACTIVE && sink->slow_when_full && backlog(sink) >= sink->backlog_max;
}

/* ---- turns ---- */

static enum status load_again(struct sink *sink, struct db *db, struct err *err)
{
    if (sink->loaded && sink->unsaved_since_us && sink_save(sink, db, err) != STATUS_OK)
        return STATUS_FAILED;
    return sink_load(sink, db, err);
}

static bool save_is_urgent(const struct sink *sink)
{
    bool idle = sink->in_flight == 0 && sink->window_count == 0 && sink->retry_count == 0;
    return sink->state_dirty || sink->unsaved >= SAVE_AFTER_SETTLED ||
           (sink->unsaved > 0 && idle) || sink->parked.change_count >= SAVE_AFTER_CHANGES ||
           (sink->stopping && sink->in_flight == 0);
}

static int64_t save_due_us(const struct sink *sink)
{
    if (sink->unsaved_since_us == 0)
        return INT64_MAX;
    if (save_is_urgent(sink))
        return sink->unsaved_since_us;
    return sink->unsaved_since_us + (sink->unsaved ? SAVE_AFTER_US : SAVE_CURSOR_US);
}

/* Also while it is paused: what it has not been told is not kept for ever. */
static bool is_overdue(struct sink *sink)
{
    if (backlog(sink) < sink->backlog_max)
        sink->backlog_most = sink->backlog_max;
    bool waits = sink->state == SINK_ACTIVE && sink->slow_when_full;
    if (sink->state == SINK_DISABLED || waits || backlog(sink) < sink->backlog_most)
        return false;
    char reason[128];
    snprintf(reason, sizeof(reason), "%llu events wait for it, which is limits.events",
             (unsigned long long)backlog(sink));
    sink_disable(sink, reason);
    return true;
}

static enum status deliver(struct sink *sink, struct db *db, bool *again, struct err *err)
{
    /* An endpoint that is down needs only what a probe can be made of. */
    if (!(sink->is_down && sink->window_count > 0) &&
        sink_read_log(sink, db, again, err) != STATUS_OK)
        return STATUS_FAILED;
    if (sink_may_start(sink, clock_monotonic_us(sink->clock)) &&
        sink_read_due(sink, db, err) != STATUS_OK)
        return STATUS_FAILED;
    if (sink->driver->pump(sink, db, err) != STATUS_OK)
        return STATUS_FAILED;
    sink_advance(sink);
    if (sink->more_parked && sink->parked.count < PARKED_MAX / 2)
        sink->reload = true;
    return STATUS_OK;
}

enum status sink_turn(struct sink *sink, struct db *db, bool *again, struct err *err)
{
    if (!sink->loaded || (sink->reload && sink->in_flight == 0)) {
        if (load_again(sink, db, err) != STATUS_OK)
            return STATUS_FAILED;
        *again = true;
    }
    if (!sink->reload && !is_overdue(sink) && sink->state == SINK_ACTIVE && !sink->stopping &&
        deliver(sink, db, again, err) != STATUS_OK)
        return STATUS_FAILED;
    if (clock_monotonic_us(sink->clock) < save_due_us(sink))
        return STATUS_OK;
    return sink_save(sink, db, err);
}

int64_t sink_due_us(const struct sink *sink)
{
    int64_t now_us = clock_monotonic_us(sink->clock), due_us = save_due_us(sink);
    if (!sink->loaded || (sink->reload && sink->in_flight == 0))
        return now_us;
    bool is_full = sink->in_flight >= sink->parallel || (sink->is_down && sink->in_flight > 0);
    if (sink->state != SINK_ACTIVE || sink->reload || sink->stopping || is_full)
        return due_us;
    int64_t gate_us = sink->hold_until_us;
    if (sink->is_down && sink->probe_at_us > gate_us)
        gate_us = sink->probe_at_us;
    if (gate_us > now_us && gate_us < due_us && sink->window_count + sink->retry_count > 0)
        due_us = gate_us;
    if (sink->retry_count <= SINK_RETRIES_MAX / 2) {
        int64_t next_us = parked_next_due_us(&sink->parked);
        next_us = next_us < gate_us ? gate_us : next_us;
        due_us = next_us < due_us ? next_us : due_us;
    }
    return due_us;
}

/* ---- what is told of it ---- */

static const char *state_name(const struct sink *sink)
{
    static const char *const names[] = {"active", "paused", "disabled"};
    return sink->state == SINK_ACTIVE && sink->is_down ? "failing" : names[sink->state];
}

void sink_status_json(const struct sink *sink, struct buf *out)
{
    buf_put_str(out, "{\"name\":");
    buf_put_json(out, slice_str(sink->name));
    buf_printf(out,
               ",\"type\":\"%s\",\"state\":\"%s\",\"backlog\":%llu,\"parked\":%zu,\"dead\":%llu,"
               "\"delivered\":%llu,\"last_delivered_at\":",
               sink->driver->type, state_name(sink), (unsigned long long)backlog(sink),
               sink->parked.count, (unsigned long long)sink->dead,
               (unsigned long long)sink->delivered);
    if (sink->last_delivered_us) {
        char at[40];
        clock_format_utc(sink->last_delivered_us, at, sizeof(at));
        buf_printf(out, "\"%s\"", at);
    } else {
        buf_put_str(out, "null");
    }
    buf_put_str(out, ",\"reason\":");
    buf_put_json(out, slice_str(sink->state == SINK_ACTIVE ? sink->trouble : sink->reason));
    buf_put_byte(out, '}');
}
