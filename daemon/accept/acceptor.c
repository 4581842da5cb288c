/* acceptor.c - see acceptor.h. */
#include "daemon/accept/acceptor.h"
#include "daemon/accept/spool.h"
#include "daemon/base/crash_point.h"
#include "daemon/base/latch.h"
#include "daemon/base/log.h"
#include "daemon/base/queue.h"
#include "daemon/base/safe_text.h"

#include <pthread.h>
#include <stdlib.h>

#define GROUP_MAX      256   /* submissions in one transaction */
#define GROUP_MAX_BYTES ((size_t)32 << 20)
#define DRAIN_MAX      256   /* spool entries taken back at a time */
#define ANSWER_MS      5000  /* what a database may take for a group before the spool is used */
#define PROBE_EVERY_MS 1000  /* while the database is away */
#define SLOW_MS        100   /* for each group of posts while a sink that may lose nothing is full */
#define SUPPRESSED_MARK "(suppressed)"
#define ADOPTED_MAX    16
#define ADOPTED_LAST_MS 30000 /* between two attempts to find out */

/* A transaction whose COMMIT was not answered, of somebody who does not wait for it any longer. */
struct adopted {
    struct accept_work *work; /* NULL: a free place */
    struct batch *batch;
    struct db *db;
    int64_t wait_ms, due_us;
};

struct acceptor {
    struct acceptor_settings settings;
    char *spool_path;
    struct db *db;
    struct spool *spool;
    struct queue *queue;
    struct stop stop;
    pthread_t thread;
    struct latch ended;
    pthread_mutex_t lock; /* state */
    struct acceptor_state state;
    int64_t probe_at_us;  /* monotonic; no attempt at the database before */
    /* A group whose COMMIT was not answered; it went to the spool meanwhile. NULL: none. */
    struct accept_work *undecided;
    struct batch *undecided_batch;
    struct adopted adopted[ADOPTED_MAX]; /* a place is taken under the lock; what is in it is the accept thread's */
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

/* Whether what is accepted now can be resolved later; says so when that changes. */
static bool has_room(struct acceptor *a)
{
    bool behind = !lanes_has_room(a->settings.lanes);
    pthread_mutex_lock(&a->lock);
    bool changed = a->state.behind != behind;
    a->state.behind = behind;
    pthread_mutex_unlock(&a->lock);
    if (changed && behind)
        log_warn("accept.behind", "more than %d batches of posts wait to be resolved: posts are kept in the spool; hint: the "
                                  "log says what the resolver or the database waits for", LANES_LEFT_MAX);
    else if (changed)
        log_info("accept.caught_up", "what waited is being resolved: posts are stored in the database again");
    return !behind;
}

static void note_spool(struct acceptor *a, bool full)
{
    pthread_mutex_lock(&a->lock);
    bool newly_full = full && !a->state.spool_full;
    a->state.spool_full = full || a->spool == NULL;
    a->state.spooled = a->spool ? spool_count(a->spool) : 0;
    a->state.spool_bytes = a->spool ? spool_bytes(a->spool) : 0;
    pthread_mutex_unlock(&a->lock);
    if (newly_full)
        log_warn("accept.spool_full", "the spool is full: posts are answered 503 until the database is "
                                      "back; hint: raise limits.spool");
}

/* Finds out about a group whose COMMIT was not answered. What is there goes its way; its copies in the spool will be
 * repeats. */
static enum status decide(struct acceptor *a, struct err *err)
{
    bool committed = false;
    if (a->undecided == NULL)
        return STATUS_OK;
    enum status status = accept_was_committed(a->settings.intake, a->db, a->undecided, &committed, err);
    if (status != STATUS_OK)
        return status;
    accept_done(a->settings.intake, &a->undecided, committed);
    if (committed && a->undecided_batch->arrival_count > 0)
        lanes_offer(a->settings.lanes, &a->undecided_batch);
    batch_free(&a->undecided_batch);
    return STATUS_OK;
}

static void drop_adopted(struct acceptor *a, struct adopted *adopted, bool committed)
{
    accept_done(a->settings.intake, &adopted->work, committed);
    if (committed && adopted->batch->arrival_count > 0)
        lanes_offer(a->settings.lanes, &adopted->batch);
    batch_free(&adopted->batch);
    db_free(&adopted->db);
}

bool acceptor_adopt(struct acceptor *a, struct accept_work **work, struct batch **batch, struct db **db)
{
    struct adopted *place = NULL;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < ADOPTED_MAX && place == NULL; i++)
        place = a->adopted[i].work ? NULL : &a->adopted[i];
    if (place) {
        db_set_deadline_ms(*db, ANSWER_MS);
        *place = (struct adopted){.work = *work, .batch = *batch, .db = *db, .wait_ms = PROBE_EVERY_MS};
        *work = NULL;
        *batch = NULL;
        *db = NULL;
    }
    pthread_mutex_unlock(&a->lock);
    return place != NULL;
}

/* Finds out about one of those that are due. */
static void decide_adopted(struct acceptor *a)
{
    int64_t now_us = clock_monotonic_us(a->settings.intake->clock);
    struct adopted *due = NULL, mine;
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < ADOPTED_MAX && due == NULL; i++)
        due = a->adopted[i].work && a->adopted[i].due_us <= now_us ? &a->adopted[i] : NULL;
    if (due)
        mine = *due;
    pthread_mutex_unlock(&a->lock);
    if (due == NULL)
        return;
    bool committed = false;
    struct err err;
    if (accept_was_committed(a->settings.intake, mine.db, mine.work, &committed, &err) == STATUS_OK) {
        drop_adopted(a, &mine, committed);
    } else {
        mine.due_us = clock_monotonic_us(a->settings.intake->clock) + mine.wait_ms * 1000;
        mine.wait_ms = mine.wait_ms * 2 < ADOPTED_LAST_MS ? mine.wait_ms * 2 : ADOPTED_LAST_MS;
    }
    pthread_mutex_lock(&a->lock);
    *due = mine;
    pthread_mutex_unlock(&a->lock);
}

/* The batch takes the submissions' memory. */
static void take_arenas(struct batch *batch, struct submission **group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        batch->more_arenas[batch->more_arena_count++] = group[i]->arena;
        group[i]->arena = NULL;
    }
}

/* One transaction for the whole group. The batch keeps the submissions' arenas. */
static enum status store_group(struct acceptor *a, struct submission **group, size_t count,
                               struct err *err)
{
    struct intake *intake = a->settings.intake;
    if (decide(a, err) != STATUS_OK)
        return STATUS_FAILED;
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
                                        .fresh = !group[i]->spooled,
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
    if (work && status != STATUS_OK && accept_is_undecided(work)) {
        take_arenas(batch, group, count);
        a->undecided = work;
        a->undecided_batch = batch;
        work = NULL;
        batch = NULL;
    }
    if (work)
        accept_done(intake, &work, status == STATUS_OK);
    if (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            size_t units = 0;
            for (size_t j = 0; j < group[i]->deliveries.count; j++)
                units += group[i]->deliveries.deliveries[j].record_count;
            group[i]->repeat = units > 0 && items[i].repeat_count == units;
            source_went_well(group[i]->source, clock_wall_us(intake->clock), units);
        }
        take_arenas(batch, group, count);
        if (batch->arrival_count > 0)
            lanes_offer(a->settings.lanes, &batch);
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
        if (a->settings.db.statement_timeout_ms > ANSWER_MS)
            a->settings.db.statement_timeout_ms = ANSWER_MS;
        a->db = db_new(&a->settings.db, &a->stop);
    }
    return a->db && clock_monotonic_us(a->settings.intake->clock) >= a->probe_at_us;
}

static size_t body_bytes(const struct submission *submission)
{
    size_t total = 0;
    for (size_t i = 0; i < submission->deliveries.count; i++)
        total += submission->deliveries.deliveries[i].body.len;
    return total;
}

static bool spool_waits(struct acceptor *a)
{
    return a->spool && spool_count(a->spool) > 0;
}

/* Done once and in the submission's own memory, for a group the database does not take is spooled after the batch,
 * and what was copied for it, is gone. */
static void make_texts_safe(struct submission *submission)
{
    for (size_t i = 0; i < submission->deliveries.count; i++) {
        struct delivery *delivery = &submission->deliveries.deliveries[i];
        delivery->position = safe_text(submission->arena, delivery->position);
        delivery->meta = safe_text(submission->arena, delivery->meta);
    }
}

/* Turns away what brings more new keys than there is room for; the number of those that are left. */
static size_t turn_away_surplus(struct acceptor *a, struct submission **group, size_t count)
{
    struct intake *intake = a->settings.intake;
    size_t room = accept_room(intake), most = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < group[i]->deliveries.count; j++)
            most += group[i]->deliveries.deliveries[j].record_count * 2;
    }
    if (most <= room) {
        accept_note_full(intake, false);
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        size_t needs = accept_needs(intake, group[i]->source, &group[i]->deliveries);
        if (needs <= room) {
            room -= needs;
            group[kept++] = group[i];
            continue;
        }
        accept_note_full(intake, true);
        arena_free(&group[i]->arena);
        complete(group[i], SUBMISSION_REFUSED);
    }
    return kept;
}

static void take_group(struct acceptor *a, struct submission **group, size_t count)
{
    count = turn_away_surplus(a, group, count);
    if (count == 0)
        return;
    struct err err = {.id = "accept.starting", .text = "the database is not up yet"};
    bool room = has_room(a);
    /* Posts behind a spool that is being drained may overtake it: order does not matter. */
    enum status status = STATUS_FAILED;
    for (size_t i = 0; i < count; i++)
        make_texts_safe(group[i]);
    if (atomic_load(&a->settings.intake->slow))
        stop_wait_ms(&a->stop, SLOW_MS);
    if (room && database_due(a)) {
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
    if (outcome == SUBMISSION_SPOOLED)
        CRASH_POINT("spool.kept");
    CRASH_POINT("accept.before_reply");
    for (size_t i = 0; i < count; i++) {
        arena_free(&group[i]->arena);
        complete(group[i], outcome);
    }
}

/* ---- the way back from the spool ---- */

/* The source of an entry; that of pushed records when nobody knows the name any more. */
static struct source *entry_source(struct acceptor *a, const struct spool_entry *entry, struct arena *arena)
{
    struct source *source = sources_by_name(a->settings.sources, arena_str(arena, entry->source));
    return source ? source : sources_by_name(a->settings.sources, "api");
}

/* Remakes one delivery as its connector made it. What cannot be remade is refused with its bytes, so that it neither
 * holds up what came after it nor is lost. False when out of memory. */
static bool parse_entry(struct acceptor *a, const struct spool_entry *entry,
                        struct submission *submission, struct arena *arena)
{
    struct source *source = entry_source(a, entry, arena);
    if (source && entry->body.len == 0 && slice_is(entry->position, SUPPRESSED_MARK)) {
        *submission = (struct submission){.source = source, .received_us = entry->received_us,
                                          .suppressed = 1};
        return true;
    }
    struct delivery *delivery = ARENA_NEW(arena, struct delivery);
    struct err err;
    if (source == NULL || delivery == NULL)
        return false;
    bool known = source->push && slice_is(entry->source, source->name);
    if (!known || source->push->parse(&source->context, entry->layout, entry->meta, entry->body,
                                      arena, delivery, &err) != STATUS_OK)
        *delivery = (struct delivery){.refusal = known ? "delivery.unreadable" : "delivery.source_gone",
                                      .refusal_param = entry->source};
    delivery->body = entry->body;
    delivery->meta = entry->meta;
    delivery->position = entry->position;
    *submission = (struct submission){
        .source = source, .received_us = entry->received_us, .spooled = true,
        .deliveries = {.count = 1, .deliveries = delivery, .layout = entry->layout}};
    return !arena_failed(arena);
}

static void put_off(struct acceptor *a)
{
    a->probe_at_us = clock_monotonic_us(a->settings.intake->clock) + PROBE_EVERY_MS * 1000;
}

static void drain_spool(struct acceptor *a)
{
    struct arena *arena = arena_new(BATCH_ARENA_MAX_BYTES);
    struct spool_entry *entries = NULL;
    size_t count = 0, used = 0;
    struct err err = {0};
    static struct submission submissions[DRAIN_MAX];
    struct submission *group[DRAIN_MAX];
    if (arena == NULL || spool_read(a->spool, DRAIN_MAX, arena, &entries, &count, &err) != STATUS_OK) {
        log_err(LOG_LEVEL_WARN, &err, "the spool cannot be read");
        put_off(a);
        arena_free(&arena);
        return;
    }
    while (used < count && parse_entry(a, &entries[used], &submissions[used], arena)) {
        group[used] = &submissions[used];
        used++;
    }
    if (used == 0) {
        put_off(a);
        arena_free(&arena);
        return;
    }
    int64_t last_id = entries[used - 1].spool_id; /* the entries go with the arena */
    group[0]->arena = arena;
    enum status status = store_group(a, group, used, &err);
    set_away(a, status != STATUS_OK, &err);
    if (status == STATUS_OK) {
        CRASH_POINT("spool.stored");
        if (spool_forget(a->spool, last_id, &err) != STATUS_OK) {
            log_err(LOG_LEVEL_WARN, &err, "stored posts stay in the spool (they will be repeats)");
            put_off(a);
        }
    } else {
        put_off(a);
    }
    arena_free(&group[0]->arena); /* unless a batch has it now */
    note_spool(a, false);
}

/* While the database is said to be away and nothing waits that would find it back. */
static void look_for_database(struct acceptor *a)
{
    struct err err;
    if (db_open(a->db, &err) == STATUS_OK && decide(a, &err) == STATUS_OK)
        set_away(a, false, NULL);
    else
        put_off(a);
}

static void *accept_loop(void *data)
{
    struct acceptor *a = data;
    struct submission *group[GROUP_MAX];
    for (;;) {
        int64_t wait_ms = spool_waits(a) ? (database_due(a) && has_room(a) ? 0 : 100) : 500;
        void *item = NULL;
        enum status status = queue_take(a->queue, wait_ms, &item);
        if (status == STATUS_EMPTY)
            break;
        size_t count = 0, bytes = 0;
        while (status == STATUS_OK) {
            group[count++] = item;
            bytes += body_bytes(item);
            if (count == GROUP_MAX || bytes >= GROUP_MAX_BYTES)
                break;
            status = queue_take(a->queue, 0, &item);
        }
        if (count > 0)
            take_group(a, group, count);
        decide_adopted(a);
        bool away = a->state.database_away; /* written by this thread alone */
        if (spool_waits(a) && database_due(a) && has_room(a))
            drain_spool(a);
        else if (away && count == 0 && database_due(a))
            look_for_database(a);
    }
    latch_set(&a->ended);
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
    latch_init(&a->ended);
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

void acceptor_stop(struct acceptor **acceptor, int64_t deadline_ms)
{
    struct acceptor *a = *acceptor;
    if (a == NULL)
        return;
    queue_close(a->queue);
    (void)latch_wait_ms(&a->ended, deadline_ms);
    stop_set(&a->stop); /* a database that does not answer is not waited for: the spool takes the rest */
    pthread_join(a->thread, NULL);
    if (a->undecided) /* read back at the next start, if it is there */
        accept_done(a->settings.intake, &a->undecided, false);
    batch_free(&a->undecided_batch);
    for (size_t i = 0; i < ADOPTED_MAX; i++) {
        if (a->adopted[i].work)
            drop_adopted(a, &a->adopted[i], false);
    }
    spool_close(&a->spool);
    db_free(&a->db);
    queue_free(&a->queue);
    stop_close(&a->stop);
    latch_close(&a->ended);
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
