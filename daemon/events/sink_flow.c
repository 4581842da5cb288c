/* sink_flow.c - what a sink delivers next, and what follows from how it went. */
#include "daemon/events/sink.h"
#include "daemon/base/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>

#define DOWN_AFTER_FAILURES 8 /* in a row: the endpoint is down, not one event bad */
#define RECOVERY_SPREAD_US  ((int64_t)2000000) /* parked events come back over this time */

static uint64_t chance(void)
{
    uint64_t value;
    randombytes_buf(&value, sizeof(value));
    return value;
}

struct event_item *item_new(uint64_t seq, struct named *named, struct slice body)
{
    struct event_item *item = calloc(1, sizeof(*item));
    char *copy = malloc(body.len + 1);
    if (item == NULL || copy == NULL) {
        free(item);
        free(copy);
        return NULL;
    }
    if (body.len)
        memcpy(copy, body.ptr, body.len);
    *item = (struct event_item){.seq = seq, .named = *named, .body = slice_of(copy, body.len)};
    *named = (struct named){0};
    return item;
}

void item_free(struct event_item **item)
{
    if (*item) {
        named_free(&(*item)->named);
        free((char *)(uintptr_t)(*item)->body.ptr);
        free(*item);
    }
    *item = NULL;
}

void sink_forget(struct sink *sink)
{
    assert(sink->in_flight == 0);
    for (size_t i = 0; i < sink->window_count; i++)
        item_free(&sink->window[i]);
    for (size_t i = 0; i < sink->retry_count; i++)
        item_free(&sink->retries[i]);
    sink->window_count = sink->retry_count = 0;
    parked_clear(&sink->parked);
}

/* ---- what is next ---- */

bool sink_may_start(const struct sink *sink, int64_t now_us)
{
    if (sink->state != SINK_ACTIVE || sink->reload || sink->stopping || !sink->loaded ||
        now_us < sink->hold_until_us || sink->in_flight >= sink->parallel)
        return false;
    return !sink->is_down || (sink->in_flight == 0 && now_us >= sink->probe_at_us);
}

/* Room for every event in flight to fail. */
static bool may_take_new(const struct sink *sink)
{
    return !sink->more_parked && sink->parked.count + 2 * sink->parallel < PARKED_MAX;
}

/* Whether one of the first `count` of the window, not yet settled, names a customer of the item. */
static bool is_preceded(const struct sink *sink, size_t count, const struct event_item *item)
{
    if (sink->driver->in_order || named_count(&item->named) == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (sink->window[i]->state != ITEM_SETTLED &&
            named_meet(&sink->window[i]->named, &item->named))
            return true;
    return false;
}

/* Behind an event that failed and names one of its customers. False when there is no room: then it waits where it
 * is. */
static bool park_behind(struct sink *sink, struct event_item *item)
{
    struct parked_row row = {.named = item->named, .seq = item->seq, .due_us = INT64_MAX};
    if (!parked_add(&sink->parked, &row, ""))
        return false;
    item->state = ITEM_SETTLED;
    sink->unsaved++;
    sink_touch(sink, clock_monotonic_us(sink->clock));
    return true;
}

static struct event_item *next_new(struct sink *sink)
{
    if (!may_take_new(sink))
        return NULL;
    for (size_t i = 0; i < sink->window_count; i++) {
        struct event_item *item = sink->window[i];
        if (item->state != ITEM_WAITING)
            continue;
        if (is_preceded(sink, i, item))
            continue;
        if (!parked_holds(&sink->parked, &item->named))
            return item;
        if (!may_take_new(sink) || !park_behind(sink, item))
            return NULL;
    }
    return NULL;
}

/* Those at hand are heads. No event of the window under way names a customer of theirs: it would stand behind them, and
 * nothing is parked that has one in the window before it. */
static struct event_item *next_retry(struct sink *sink)
{
    for (size_t i = 0; i < sink->retry_count; i++)
        if (sink->retries[i]->state == ITEM_WAITING)
            return sink->retries[i];
    return NULL;
}

struct event_item *sink_next(struct sink *sink)
{
    if (!sink_may_start(sink, clock_monotonic_us(sink->clock)))
        return NULL;
    /* Retries take at most half of the places, and a probe is rather an event that has not failed
     * before. */
    bool retry_first = !sink->is_down && sink->retries_in_flight < (sink->parallel + 1) / 2;
    struct event_item *item = retry_first ? next_retry(sink) : next_new(sink);
    if (item == NULL)
        item = retry_first ? next_new(sink) : next_retry(sink);
    if (item == NULL)
        return NULL;
    item->state = ITEM_IN_FLIGHT;
    sink->in_flight++;
    sink->retries_in_flight += item->is_retry;
    return item;
}

/* ---- the endpoint as a whole ---- */

static void endpoint_works(struct sink *sink, int64_t now_us)
{
    sink->failures = 0;
    sink->holds = 0;
    sink->trouble[0] = '\0';
    if (!sink->is_down)
        return;
    sink->is_down = false;
    sink->probes = 0;
    parked_all_due(&sink->parked, now_us, RECOVERY_SPREAD_US);
    log_info("events.sink_up", "sink %s: the endpoint works again; %zu event%s parked",
             sink->name, sink->parked.count, sink->parked.count == 1 ? " is" : "s are");
}

static void endpoint_fails(struct sink *sink, const struct outcome *outcome, int64_t now_us)
{
    snprintf(sink->trouble, sizeof(sink->trouble), "%s", outcome->error);
    if (++sink->failures < DOWN_AFTER_FAILURES)
        return;
    int64_t wait_ms = retry_probe_ms(&sink->schedule, sink->probes, chance());
    if (outcome->retry_after_ms > wait_ms)
        wait_ms = outcome->retry_after_ms;
    sink->probe_at_us = now_us + wait_ms * 1000;
    if (sink->is_down) {
        sink->probes++;
        return;
    }
    sink->is_down = true;
    sink->probes = 1;
    log_warn("events.sink_down",
             "sink %s: %u deliveries in a row failed, the last with: %s; the cursor stays at %llu "
             "and one event at a time is tried; hint: see whether the endpoint is up",
             sink->name, sink->failures, outcome->error, (unsigned long long)sink->cursor);
}

/* ---- outcomes ---- */

static void drop_retry(struct sink *sink, struct event_item *item)
{
    for (size_t i = 0; i < sink->retry_count; i++) {
        if (sink->retries[i] != item)
            continue;
        sink->retry_count--;
        memmove(&sink->retries[i], &sink->retries[i + 1],
                (sink->retry_count - i) * sizeof(sink->retries[0]));
        break;
    }
    item_free(&item);
}

static void settle_delivered(struct sink *sink, struct event_item *item, int64_t now_us)
{
    sink->delivered++;
    sink->last_delivered_us = clock_wall_us(sink->clock);
    if (!item->is_retry) {
        item->state = ITEM_SETTLED;
        return;
    }
    struct parked_row *row = parked_find(&sink->parked, item->seq);
    /* Without room for the change the row stays and is delivered again after it was saved: at least
     * once. */
    if (row && !parked_remove(&sink->parked, item->seq, false,
                              &(struct parked_row){.seq = item->seq, .named = item->named}, "",
                              now_us))
        row->taken = false;
    drop_retry(sink, item);
}

static void settle_failed(struct sink *sink, struct event_item *item, const struct outcome *outcome,
                          int64_t now_us)
{
    unsigned attempts = item->attempts + 1;
    bool dead = attempts >= sink->max_attempts;
    int64_t wait_ms = retry_wait_ms(&sink->schedule, attempts, chance());
    if (outcome->retry_after_ms > wait_ms)
        wait_ms = outcome->retry_after_ms;
    struct parked_row row = {.named = item->named,
                             .seq = item->seq,
                             .attempts = attempts,
                             .status = outcome->status,
                             .due_us = now_us + wait_ms * 1000};
    row.due_wall_us = dead ? 0 : clock_wall_us(sink->clock) + wait_ms * 1000;
    bool noted;
    if (!item->is_retry) {
        noted = dead ? parked_add_dead(&sink->parked, &row, outcome->error)
                     : parked_add(&sink->parked, &row, outcome->error);
        item->state = noted ? ITEM_SETTLED : ITEM_WAITING;
    } else if (dead) {
        noted = parked_remove(&sink->parked, item->seq, true, &row, outcome->error, now_us);
        if (!noted) /* it stays, due later */
            (void)parked_failed(&sink->parked, &row, outcome->error);
    } else {
        noted = parked_failed(&sink->parked, &row, outcome->error);
    }
    if (item->is_retry)
        drop_retry(sink, item);
    if (!noted) /* no room to note it: a save comes first */
        sink->hold_until_us = now_us + 1000000;
    if (dead && noted) {
        sink->dead++;
        log_warn("events.dead_letter",
                 "sink %s: event %llu is a dead letter after %u attempts, the last with: %s; hint: "
                 "tributary events replay %s --dead",
                 sink->name, (unsigned long long)row.seq, attempts, outcome->error, sink->name);
    }
}

/* All wait: the event goes back to where it was. */
static void settle_held(struct sink *sink, struct event_item *item, const struct outcome *outcome,
                        int64_t now_us)
{
    item->state = ITEM_WAITING;
    int64_t wait_ms = outcome->retry_after_ms;
    if (wait_ms < 0 && now_us >= sink->hold_until_us)
        wait_ms = retry_probe_ms(&sink->schedule, sink->holds++, chance());
    if (wait_ms >= 0 && now_us + wait_ms * 1000 > sink->hold_until_us)
        sink->hold_until_us = now_us + wait_ms * 1000;
    snprintf(sink->trouble, sizeof(sink->trouble), "%s", outcome->error);
}

void sink_settle(struct sink *sink, struct event_item *item, const struct outcome *outcome)
{
    int64_t now_us = clock_monotonic_us(sink->clock);
    assert(item->state == ITEM_IN_FLIGHT && sink->in_flight > 0);
    sink->in_flight--;
    sink->retries_in_flight -= item->is_retry;
    switch (outcome->kind) {
    case OUTCOME_DELIVERED:
        endpoint_works(sink, now_us);
        settle_delivered(sink, item, now_us);
        break;
    case OUTCOME_FAILED:
        endpoint_fails(sink, outcome, now_us);
        settle_failed(sink, item, outcome, now_us);
        break;
    case OUTCOME_SLOW_DOWN:
    case OUTCOME_HELD:
        settle_held(sink, item, outcome, now_us);
        return;
    case OUTCOME_GONE:
        item->state = ITEM_WAITING;
        sink_disable(sink, outcome->error);
        return;
    }
    sink->unsaved++;
    sink_touch(sink, now_us);
    sink_advance(sink);
}

void sink_advance(struct sink *sink)
{
    size_t done = 0;
    while (done < sink->window_count && sink->window[done]->state == ITEM_SETTLED) {
        sink->cursor = sink->window[done]->seq;
        item_free(&sink->window[done]);
        done++;
    }
    sink->window_count -= done;
    memmove(&sink->window[0], &sink->window[done], sink->window_count * sizeof(sink->window[0]));
    if (sink->window_count == 0 && sink->read_seq > sink->cursor)
        sink->cursor = sink->read_seq;
}
