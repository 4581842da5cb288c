/* pull.c - see pull.h. */
#include "daemon/accept/pull.h"
#include "daemon/base/log.h"

#include <stdlib.h>

#define PAUSED_LOOK_MS 100
#define SLOW_MS     1000 /* between two batches while a sink is full */
#define SMALL_BATCH 64 /* arrivals; at most this many go the live lane */
#define ROOM_LOOK_MS 1000

struct puller {
    const struct pull_settings *s;
    struct source *source;
    struct pull_source *pull;
    struct db *db;
    uint64_t received, repeats;
    bool complaining;
};

/* Makes one batch durable, however often it takes. False when stopped. */
static bool make_durable(struct puller *p, struct accept_work *work, struct err *err)
{
    for (unsigned attempt = 0; !stop_is_set(p->s->stop); attempt++) {
        if (accept_commit(p->s->intake, p->db, work, err) == STATUS_OK) {
            if (p->complaining)
                log_info("accept.resumed", "source %s: the database takes records again", p->source->name);
            p->complaining = false;
            return true;
        }
        if (err->retry == RETRY_NOW && attempt < 10)
            continue;
        if (stop_is_set(p->s->stop))
            break;
        if (!p->complaining) {
            log_err(LOG_LEVEL_WARN, err, "source %s: an accept transaction failed and is tried again",
                    p->source->name);
            p->complaining = true;
        }
        source_went_wrong(p->source, clock_wall_us(p->s->intake->clock), err);
        stop_wait_ms(p->s->stop, db_backoff_ms(attempt));
    }
    return false;
}

static char *copy_cursor(struct slice cursor)
{
    return strndup(cursor.ptr, cursor.len);
}

/* Waits while limits.records has no room for the new keys in it; a load ends. False when stopped or ended. */
static bool wait_for_room(struct puller *p, const struct delivery_batch *deliveries, struct err *err)
{
    struct intake *intake = p->s->intake;
    bool waited = false;
    while (!stop_is_set(p->s->stop)) {
        size_t room = accept_room(intake);
        if (deliveries->count * 2 * DELIVERY_RECORDS_MAX <= room ||
            accept_needs(intake, p->source, deliveries) <= room) {
            if (waited)
                accept_note_full(intake, false);
            return true;
        }
        waited = true;
        accept_note_full(intake, true);
        (void)accept_no_room(err);
        if (p->s->once)
            return false;
        source_went_wrong(p->source, clock_wall_us(intake->clock), err);
        stop_wait_ms(p->s->stop, ROOM_LOOK_MS);
    }
    return false;
}

/* Takes one batch through accept. False when stopped, out of memory, or a load finds no room. */
static bool take_batch(struct puller *p, struct batch **batch, struct delivery_batch *deliveries,
                       struct err *err)
{
    if (!wait_for_room(p, deliveries, err))
        return false;
    int64_t now_us = clock_wall_us(p->s->intake->clock);
    struct accept_item item = {.source = p->source, .deliveries = deliveries, .received_us = now_us,
                               .fresh = true, .backfill = p->s->backfill, .set_cursor = p->s->opened == NULL};
    bool live = deliveries->count <= SMALL_BATCH && p->s->opened == NULL;
    struct accept_work *work = accept_prepare(p->s->intake, &item, 1, live, *batch, err);
    if (work == NULL)
        return false;
    bool durable = make_durable(p, work, err);
    accept_done(p->s->intake, &work, durable);
    if (!durable)
        return false;
    char *cursor = copy_cursor(deliveries->cursor);
    if (cursor && p->s->opened == NULL) {
        free(p->source->cursor);
        p->source->cursor = cursor;
    } else {
        free(cursor);
    }
    p->received += (*batch)->arrival_count + item.repeat_count;
    p->repeats += item.repeat_count;
    source_went_well(p->source, now_us, (*batch)->arrival_count + item.repeat_count);
    if ((*batch)->arrival_count > 0)
        (void)lanes_put(p->s->lanes, batch); /* closed: it is durable and read back at the next start */
    else
        batch_free(batch);
    if (p->s->progress)
        p->s->progress(p->s->progress_data, p->received, p->repeats);
    return true;
}

static bool open_source(struct puller *p, struct err *err)
{
    if (p->pull)
        return true;
    p->pull = p->s->opened ? p->s->opened
                           : p->source->pull->open(&p->source->context,
                                                   slice_str(p->source->cursor), err);
    return p->pull != NULL;
}

enum turn { TURN_AGAIN, TURN_WAIT, TURN_EMPTY, TURN_STOP, TURN_FAILED };

static enum turn take_turn(struct puller *p, int64_t *wait_ms, struct err *err)
{
    if (!open_source(p, err)) {
        *wait_ms = 5000;
        return TURN_FAILED;
    }
    struct batch *batch = batch_new();
    if (batch == NULL) {
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for a batch");
        *wait_ms = 1000;
        return TURN_FAILED;
    }
    struct delivery_batch deliveries = {.cursor = SLICE_EMPTY, .layout = SLICE_EMPTY};
    enum status status = p->source->pull->next(p->pull, p->s->batch_records, batch->arena,
                                               &deliveries, wait_ms, err);
    enum turn turn = TURN_STOP;
    switch (status) {
    case STATUS_OK:
        turn = take_batch(p, &batch, &deliveries, err) ? TURN_AGAIN
               : stop_is_set(p->s->stop)               ? TURN_STOP
                                                       : TURN_FAILED;
        if (turn == TURN_FAILED && p->s->opened == NULL)
            p->source->pull->close(&p->pull); /* another next() would say the batch is durable */
        break;
    case STATUS_EMPTY:
        source_went_well(p->source, clock_wall_us(p->s->intake->clock), 0);
        turn = TURN_EMPTY;
        break;
    case STATUS_FAILED:
    case STATUS_TIMEOUT:
        turn = TURN_FAILED;
        break;
    case STATUS_STOPPED:
        break;
    }
    batch_free(&batch);
    return turn;
}

enum status pull_run(const struct pull_settings *settings, struct err *err)
{
    struct puller p = {.s = settings, .source = settings->source};
    p.db = db_new(&settings->db, settings->stop);
    if (p.db == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a connection");
    enum status result = STATUS_OK;
    char last_text[sizeof(err->text)] = "";
    while (!stop_is_set(settings->stop)) {
        if (atomic_load(&settings->intake->slow))
            stop_wait_ms(settings->stop, SLOW_MS);
        int64_t wait_ms = 1000;
        if (settings->opened == NULL && atomic_load(&p.source->paused)) {
            stop_wait_ms(settings->stop, PAUSED_LOOK_MS);
            continue;
        }
        enum turn turn = take_turn(&p, &wait_ms, err);
        if (turn == TURN_STOP || (turn == TURN_EMPTY && settings->once))
            break;
        if (turn == TURN_FAILED) {
            source_went_wrong(p.source, clock_wall_us(settings->intake->clock), err);
            if (settings->once) {
                result = STATUS_FAILED;
                break;
            }
            if (strcmp(last_text, err->text) != 0) /* one line per change, not per attempt */
                log_err(LOG_LEVEL_WARN, err, "source %s", p.source->name);
            memcpy(last_text, err->text, sizeof(last_text));
        } else {
            last_text[0] = '\0';
        }
        if (turn != TURN_AGAIN)
            stop_wait_ms(settings->stop, wait_ms > 0 ? wait_ms : 1);
    }
    if (p.pull)
        p.source->pull->close(&p.pull);
    db_free(&p.db);
    return result;
}
