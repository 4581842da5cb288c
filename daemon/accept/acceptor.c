/* acceptor.c - see acceptor.h. */
#include "daemon/accept/acceptor.h"
#include "daemon/accept/spool.h"
#include "daemon/base/log.h"
#include "daemon/base/queue.h"

#include <pthread.h>
#include <stdlib.h>

#define GROUP_MAX      256   /* submissions in one transaction */
#define DRAIN_MAX      256   /* spool entries taken back at a time */
#define PROBE_EVERY_MS 1000  /* while the database is away */
#define SUPPRESSED_MARK "(suppressed)"

struct acceptor {
    struct acceptor_settings settings;
    char *spool_path;
    struct db *db;
    struct spool *spool;
    struct queue *queue;
    struct stop stop;
    pthread_t thread;
    pthread_mutex_t lock; /* state */
    struct acceptor_state state;
    int64_t probe_at_us;  /* monotonic; no attempt at the database before */
};

static void complete(struct submission *submission, enum submission_outcome outcome)
{
    submission->outcome = outcome;
    submission->completed(submission);
}

static void set_away(struct acceptor *a, bool away, const struct err *err)
{
    pthread_mutex_lock(&a->lock);
    bool changed = a->state.database_away != away;
    a->state.database_away = away;
    pthread_mutex_unlock(&a->lock);
    if (changed && away)
        log_err(LOG_LEVEL_WARN, err, "the database is away: posts are kept in the spool");
    else if (changed)
        log_info("accept.database_back", "the database is back: posts are stored there again");
}

static void note_spool(struct acceptor *a, bool full)
{
    pthread_mutex_lock(&a->lock);
    bool newly_full = full && !a->state.spool_full;
    a->state.spool_full = full;
    a->state.spooled = a->spool ? spool_count(a->spool) : 0;
    a->state.spool_bytes = a->spool ? spool_bytes(a->spool) : 0;
    pthread_mutex_unlock(&a->lock);
    if (newly_full)
        log_warn("accept.spool_full", "the spool is full: posts are answered 503 until the database is "
                                      "back; hint: raise limits.spool");
}

/* One transaction for the whole group. The batch keeps the submissions' arenas. */
static enum status store_group(struct acceptor *a, struct submission **group, size_t count,
                               struct err *err)
{
    struct intake *intake = a->settings.intake;
    struct accept_item *items = calloc(count, sizeof(*items));
    struct batch *batch = batch_new();
    if (batch)
        batch->more_arenas = calloc(count, sizeof(*batch->more_arenas));
    if (items == NULL || batch == NULL || batch->more_arenas == NULL) {
        free(items);
        batch_free(&batch);
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for %zu posts", count);
    }
    for (size_t i = 0; i < count; i++)
        items[i] = (struct accept_item){.source = group[i]->source,
                                        .deliveries = &group[i]->deliveries,
                                        .received_us = group[i]->received_us,
                                        .suppressed = group[i]->suppressed,
                                        .repeats = group[i]->repeats};
    struct accept_work *work = accept_prepare(intake, items, count, true, batch, err);
    enum status status = work ? STATUS_OK : STATUS_FAILED;
    for (unsigned attempt = 0; work; attempt++) {
        status = accept_commit(intake, a->db, work, err);
        /* One reconnect is tried at once: it settles an ambiguous commit and a restarted server. */
        if (status == STATUS_OK || (err->retry != RETRY_NOW && attempt >= 1) || attempt >= 5)
            break;
    }
    if (work)
        accept_done(intake, &work, status == STATUS_OK);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            size_t units = 0;
            for (size_t j = 0; j < group[i]->deliveries.count; j++)
                units += group[i]->deliveries.deliveries[j].record_count;
            group[i]->repeat = units > 0 && items[i].repeat_count == units;
            batch->more_arenas[batch->more_arena_count++] = group[i]->arena;
            group[i]->arena = NULL;
            source_went_well(group[i]->source, clock_wall_us(intake->clock), units);
        }
        if (batch->arrival_count > 0)
            (void)lanes_put(a->settings.lanes, &batch);
    }
    batch_free(&batch);
    free(items);
    return status;
}

static size_t entry_total(struct submission *const *group, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += group[i]->deliveries.count + group[i]->suppressed;
    return total;
}

/* Keeps the group in the spool, all or none. A post that is only counted (a honeypot hit) is an entry without
 * bytes, marked by its position. */
static enum status spool_group(struct acceptor *a, struct submission *const *group, size_t count,
                               struct err *err)
{
    size_t total = entry_total(group, count), at = 0;
    if (a->spool == NULL)
        return err_set(err, RETRY_LATER, "accept.no_spool", "the database is away and there is no spool");
    if (total == 0)
        return STATUS_OK;
    struct spool_entry *entries = calloc(total, sizeof(*entries));
    if (entries == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for the spool");
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < group[i]->deliveries.count; j++) {
            const struct delivery *delivery = &group[i]->deliveries.deliveries[j];
            entries[at++] = (struct spool_entry){
                .source = slice_str(group[i]->source->name), .received_us = group[i]->received_us,
                .layout = group[i]->deliveries.layout, .meta = delivery->meta,
                .position = delivery->position, .body = delivery->body};
        }
        for (uint64_t j = 0; j < group[i]->suppressed; j++)
            entries[at++] = (struct spool_entry){.source = slice_str(group[i]->source->name),
                                                 .received_us = group[i]->received_us,
                                                 .layout = SLICE_EMPTY, .meta = SLICE_EMPTY,
                                                 .position = SLICE(SUPPRESSED_MARK),
                                                 .body = SLICE_EMPTY};
    }
    enum status status = spool_put(a->spool, entries, total, err);
    free(entries);
    note_spool(a, status != STATUS_OK);
    return status;
}

/* Whether the database may be tried; makes the connection the first time. */
static bool database_due(struct acceptor *a)
{
    if (a->db == NULL && atomic_load(&a->settings.intake->ready)) {
        a->settings.db.conninfo = *a->settings.conninfo;
        a->db = db_new(&a->settings.db, &a->stop);
    }
    return a->db && clock_monotonic_us(a->settings.intake->clock) >= a->probe_at_us;
}

static bool spool_waits(struct acceptor *a)
{
    return a->spool && spool_count(a->spool) > 0;
}

static void take_group(struct acceptor *a, struct submission **group, size_t count)
{
    struct err err = {.id = "accept.starting", .text = "the database is not up yet"};
    /* Posts behind a spool that is being drained may overtake it: order does not matter. */
    enum status status = STATUS_FAILED;
    if (database_due(a)) {
        status = store_group(a, group, count, &err);
        if (status != STATUS_OK && err.retry != RETRY_NOW)
            a->probe_at_us = clock_monotonic_us(a->settings.intake->clock) + PROBE_EVERY_MS * 1000;
        set_away(a, status != STATUS_OK, &err);
    }
    enum submission_outcome outcome = SUBMISSION_STORED;
    if (status != STATUS_OK) {
        outcome = SUBMISSION_SPOOLED;
        struct err spool_err = {0};
        if (spool_group(a, group, count, &spool_err) != STATUS_OK) {
            outcome = SUBMISSION_REFUSED;
            if (strcmp(spool_err.id, "accept.spool_full") != 0)
                log_err(LOG_LEVEL_ERROR, &spool_err, "%zu posts could not be kept", count);
        }
    }
    for (size_t i = 0; i < count; i++) {
        arena_free(&group[i]->arena);
        complete(group[i], outcome);
    }
}

/* ---- the way back from the spool ---- */

/* Remakes one delivery as its connector made it. */
static bool parse_entry(struct acceptor *a, const struct spool_entry *entry,
                        struct submission *submission, struct arena *arena)
{
    struct source *source =
        sources_by_name(a->settings.sources, arena_str(arena, entry->source));
    if (source == NULL || source->push == NULL) {
        log_warn("accept.spool_source", "the spool holds posts of source " SLICE_FMT ", which is not "
                 "configured any more; hint: put it back to take them in", SLICE_ARG(entry->source));
        return false;
    }
    if (entry->body.len == 0 && slice_is(entry->position, SUPPRESSED_MARK)) {
        *submission = (struct submission){.source = source, .received_us = entry->received_us,
                                          .suppressed = 1};
        return true;
    }
    struct delivery *delivery = ARENA_NEW(arena, struct delivery);
    struct err err;
    if (delivery == NULL || source->push->parse(&source->context, entry->layout, entry->meta,
                                                entry->body, arena, delivery, &err) != STATUS_OK)
        return false;
    delivery->body = entry->body;
    delivery->meta = entry->meta;
    delivery->position = entry->position;
    *submission = (struct submission){
        .source = source, .received_us = entry->received_us,
        .deliveries = {.count = 1, .deliveries = delivery, .layout = entry->layout}};
    return true;
}

static void drain_spool(struct acceptor *a)
{
    struct arena *arena = arena_new(BATCH_ARENA_MAX_BYTES);
    struct spool_entry *entries = NULL;
    size_t count = 0, used = 0;
    struct err err = {0};
    static struct submission submissions[DRAIN_MAX];
    struct submission *group[DRAIN_MAX];
    if (arena == NULL || spool_read(a->spool, DRAIN_MAX, arena, &entries, &count, &err) != STATUS_OK ||
        count == 0) {
        arena_free(&arena);
        return;
    }
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        if (parse_entry(a, &entries[i], &submissions[used], arena)) {
            group[used] = &submissions[used];
            used++;
        } else {
            all = false; /* stays in the spool until somebody configures its source again */
            count = i;
        }
    }
    if (used > 0) {
        group[0]->arena = arena;
        arena = NULL;
        enum status status = store_group(a, group, used, &err);
        set_away(a, status != STATUS_OK, &err);
        if (status == STATUS_OK) {
            if (spool_forget(a->spool, entries[count - 1].spool_id, &err) != STATUS_OK)
                log_err(LOG_LEVEL_WARN, &err, "stored posts stay in the spool (they will be repeats)");
        }
        arena = status == STATUS_OK ? NULL : group[0]->arena;
        if (status != STATUS_OK)
            all = false;
    }
    if (!all)
        a->probe_at_us = clock_monotonic_us(a->settings.intake->clock) + PROBE_EVERY_MS * 1000;
    arena_free(&arena);
    note_spool(a, false);
}

static void *accept_loop(void *data)
{
    struct acceptor *a = data;
    struct submission *group[GROUP_MAX];
    for (;;) {
        int64_t wait_ms = spool_waits(a) ? (database_due(a) ? 0 : 100) : 500;
        void *item = NULL;
        enum status status = queue_take(a->queue, wait_ms, &item);
        if (status == STATUS_EMPTY)
            break;
        size_t count = 0;
        while (status == STATUS_OK) {
            group[count++] = item;
            if (count == GROUP_MAX)
                break;
            status = queue_take(a->queue, 0, &item);
        }
        if (count > 0)
            take_group(a, group, count);
        if (spool_waits(a) && database_due(a))
            drain_spool(a);
    }
    return NULL;
}

struct acceptor *acceptor_start(const struct acceptor_settings *settings, struct err *err)
{
    struct acceptor *a = calloc(1, sizeof(*a));
    if (a == NULL) {
        (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for the acceptor");
        return NULL;
    }
    a->settings = *settings;
    pthread_mutex_init(&a->lock, NULL);
    a->queue = queue_new(settings->waiting_max);
    if (a->queue == NULL || stop_init(&a->stop, err) != STATUS_OK) {
        free(a);
        return NULL;
    }
    if (settings->spool_path && settings->spool_path[0]) {
        a->spool = spool_open(settings->spool_path, settings->spool_max_bytes, err);
        if (a->spool == NULL)
            log_err(LOG_LEVEL_ERROR, err, "no spool: while PostgreSQL is away posts are answered 503");
    }
    note_spool(a, false);
    int failed = pthread_create(&a->thread, NULL, accept_loop, a);
    if (failed) {
        (void)err_set_errno(err, failed, "base.thread", "cannot start the accept thread");
        spool_close(&a->spool);
        db_free(&a->db);
        queue_free(&a->queue);
        free(a);
        return NULL;
    }
    return a;
}

bool acceptor_submit(struct acceptor *acceptor, struct submission *submission)
{
    return queue_put(acceptor->queue, submission, 0) == STATUS_OK;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t done_changed;
    bool done;
};

static void wake_waiter(struct submission *submission)
{
    struct waiter *waiter = submission->data;
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->done_changed);
    pthread_mutex_unlock(&waiter->lock);
}

enum submission_outcome acceptor_submit_wait(struct acceptor *acceptor, struct submission *submission)
{
    struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER, .done_changed = PTHREAD_COND_INITIALIZER};
    submission->data = &waiter;
    submission->completed = wake_waiter;
    if (!acceptor_submit(acceptor, submission))
        return SUBMISSION_REFUSED;
    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        pthread_cond_wait(&waiter.done_changed, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    return submission->outcome;
}

void acceptor_stop(struct acceptor **acceptor)
{
    struct acceptor *a = *acceptor;
    if (a == NULL)
        return;
    queue_close(a->queue);
    pthread_join(a->thread, NULL);
    spool_close(&a->spool);
    db_free(&a->db);
    queue_free(&a->queue);
    stop_close(&a->stop);
    pthread_mutex_destroy(&a->lock);
    free(a);
    *acceptor = NULL;
}

void acceptor_state(struct acceptor *acceptor, struct acceptor_state *state)
{
    pthread_mutex_lock(&acceptor->lock);
    *state = acceptor->state;
    state->waiting = queue_depth(acceptor->queue);
    pthread_mutex_unlock(&acceptor->lock);
}
