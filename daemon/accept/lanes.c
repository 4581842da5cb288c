/* lanes.c - see lanes.h. */
#include "daemon/accept/lanes.h"
#include "daemon/base/condition.h"
#include "daemon/accept/employer.h"
#include "daemon/accept/prepare.h"
#include "daemon/base/log.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define CLEANERS_MAX 16
#define LEFT_SLACK   64 /* for those that did not ask whether there is room */

struct lane {
    struct batch *head, *tail;
    size_t count;
    size_t max;
};

struct lanes {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lane live, bulk;
    bool closed, hastened;
    uint64_t *left; /* numbers of batches left behind: a ring of LANES_LEFT_MAX + LEFT_SLACK */
    size_t left_first, left_count;
    const struct generation *generation; /* under lock */
    unsigned cleaner_count;
    pthread_t cleaners[CLEANERS_MAX];
};

static bool clean_arrival(struct arrival *arrival, struct arena *arena, struct cleaner *cleaner,
                          const struct generation *generation)
{
    struct err err;
    arrival->prepared = (struct prepared){0}; /* by another generation, and not an employer's */
    if (arrival->raw->op != RECORD_DELETE &&
        ruleset_clean(cleaner, &arrival->source->rules, arrival->raw, arena, &arrival->clean, &err) != STATUS_OK)
        return false;
    return !arrival->source->employers || employer_attach(generation->ruleset, arena, arrival);
}

void batch_clean(struct batch *batch, struct cleaner *cleaner, struct preparing *preparing,
                 const struct generation *generation)
{
    batch->cleaned_by = generation;
    for (size_t i = 0; i < batch->arrival_count; i++) {
        struct arrival *arrival = &batch->arrivals[i];
        if (arrival->raw && !clean_arrival(arrival, batch->arena, cleaner, generation)) {
            /* Only a record beyond all bounds gets here: it is held for a person, never lost. */
            static const struct issue too_large = {ISSUE_QUARANTINE, "record.too_large", FIELD_NONE,
                                                   {"", 0}};
            arrival->clean = (struct clean_record){
                .outcome = CLEAN_QUARANTINE, .issue_count = 1, .issues = &too_large};
        }
    }
    prepare_batch(preparing, generation, batch); /* last: should memory run out here, all are clean */
}

/* The first batch nobody cleans yet, live first. The lock is held. */
static struct batch *uncleaned(struct lanes *lanes)
{
    struct batch *heads[] = {lanes->live.head, lanes->bulk.head};
    for (size_t i = 0; i < 2; i++) {
        for (struct batch *batch = heads[i]; batch; batch = batch->next) {
            if (batch->cleaning == CLEANING_WAITS)
                return batch;
        }
    }
    return NULL;
}

static void *clean_loop(void *data)
{
    struct lanes *lanes = data;
    const struct generation *generation = NULL;
    struct cleaner *cleaner = NULL;
    struct preparing preparing;
    preparing_init(&preparing);
    pthread_mutex_lock(&lanes->lock);
    for (;;) {
        if (generation != lanes->generation) {
            generation = lanes->generation;
            cleaner_free(&cleaner);
            cleaner = cleaner_new(generation->ruleset);
        }
        if (cleaner == NULL) {
            log_error("accept.cleaner", "no memory for a cleaning thread; hint: give the service more");
            break;
        }
        struct batch *batch = uncleaned(lanes);
        if (batch == NULL) {
            if (lanes->closed)
                break;
            pthread_cond_wait(&lanes->changed, &lanes->lock);
            continue;
        }
        batch->cleaning = CLEANING_RUNS;
        pthread_mutex_unlock(&lanes->lock);
        batch_clean(batch, cleaner, &preparing, generation);
        pthread_mutex_lock(&lanes->lock);
        batch->cleaning = CLEANING_DONE;
        pthread_cond_broadcast(&lanes->changed);
    }
    pthread_mutex_unlock(&lanes->lock);
    cleaner_free(&cleaner);
    preparing_free(&preparing);
    return NULL;
}

struct lanes *lanes_new(const struct generation *generation, size_t bulk_max, size_t live_max,
                        unsigned cleaners, struct err *err)
{
    struct lanes *lanes = calloc(1, sizeof(*lanes));
    if (lanes)
        lanes->left = calloc(LANES_LEFT_MAX + LEFT_SLACK, sizeof(*lanes->left));
    if (lanes == NULL || lanes->left == NULL) {
        free(lanes);
        (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for the batch queue");
        return NULL;
    }
    pthread_mutex_init(&lanes->lock, NULL);
    condition_init(&lanes->changed);
    lanes->generation = generation;
    lanes->bulk.max = bulk_max;
    lanes->live.max = live_max;
    while (lanes->cleaner_count < cleaners && lanes->cleaner_count < CLEANERS_MAX) {
        int failed = pthread_create(&lanes->cleaners[lanes->cleaner_count], NULL, clean_loop, lanes);
        if (failed) {
            (void)err_set_errno(err, failed, "base.thread", "cannot start a cleaning thread");
            lanes_close(lanes);
            lanes_free(&lanes);
            return NULL;
        }
        lanes->cleaner_count++;
    }
    return lanes;
}

void lanes_use(struct lanes *lanes, const struct generation *generation)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->generation = generation;
    pthread_mutex_unlock(&lanes->lock);
}

void lanes_free(struct lanes **lanes)
{
    struct lanes *mine = *lanes;
    if (mine == NULL)
        return;
    for (unsigned i = 0; i < mine->cleaner_count; i++)
        pthread_join(mine->cleaners[i], NULL);
    struct batch *heads[] = {mine->live.head, mine->bulk.head};
    for (size_t i = 0; i < 2; i++) {
        for (struct batch *batch = heads[i]; batch;) {
            struct batch *next = batch->next;
            batch_free(&batch);
            batch = next;
        }
    }
    pthread_cond_destroy(&mine->changed);
    pthread_mutex_destroy(&mine->lock);
    free(mine->left);
    free(mine);
    *lanes = NULL;
}

/* The lock is held. */
static void append(struct lanes *lanes, struct lane *lane, struct batch **batch)
{
    (*batch)->next = NULL;
    if (lane->tail)
        lane->tail->next = *batch;
    else
        lane->head = *batch;
    lane->tail = *batch;
    lane->count++;
    *batch = NULL;
    pthread_cond_broadcast(&lanes->changed);
}

bool lanes_put(struct lanes *lanes, struct batch **batch)
{
    struct lane *lane = (*batch)->live ? &lanes->live : &lanes->bulk;
    pthread_mutex_lock(&lanes->lock);
    while (!lanes->closed && !lanes->hastened && lane->count >= lane->max)
        pthread_cond_wait(&lanes->changed, &lanes->lock);
    bool taken = !lanes->closed && lane->count < lane->max;
    if (taken)
        append(lanes, lane, batch);
    pthread_mutex_unlock(&lanes->lock);
    if (!taken)
        batch_free(batch);
    return taken;
}

void lanes_offer(struct lanes *lanes, struct batch **batch)
{
    struct lane *lane = (*batch)->live ? &lanes->live : &lanes->bulk;
    const size_t places = LANES_LEFT_MAX + LEFT_SLACK;
    pthread_mutex_lock(&lanes->lock);
    while (!lanes->closed && lane->count >= lane->max && lanes->left_count == places) /* nobody asked: see LEFT_SLACK */
        pthread_cond_wait(&lanes->changed, &lanes->lock);
    if (!lanes->closed && lane->count < lane->max) {
        append(lanes, lane, batch);
    } else if (!lanes->closed) {
        lanes->left[(lanes->left_first + lanes->left_count++) % places] = (*batch)->batch_id;
        pthread_cond_broadcast(&lanes->changed);
    }
    pthread_mutex_unlock(&lanes->lock);
    batch_free(batch);
}

bool lanes_has_room(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    bool room = lanes->live.count < lanes->live.max || lanes->left_count < LANES_LEFT_MAX;
    pthread_mutex_unlock(&lanes->lock);
    return room;
}

size_t lanes_take_left(struct lanes *lanes, uint64_t *batch_ids, size_t max)
{
    size_t count = 0;
    pthread_mutex_lock(&lanes->lock);
    while (count < max && lanes->left_count > 0) {
        batch_ids[count++] = lanes->left[lanes->left_first];
        lanes->left_first = (lanes->left_first + 1) % (LANES_LEFT_MAX + LEFT_SLACK);
        lanes->left_count--;
    }
    if (count > 0)
        pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
    return count;
}

size_t lanes_left(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    size_t count = lanes->left_count;
    pthread_mutex_unlock(&lanes->lock);
    return count;
}

static struct batch *pop_clean(struct lane *lane)
{
    struct batch *batch = lane->head;
    if (batch == NULL || batch->cleaning != CLEANING_DONE)
        return NULL;
    lane->head = batch->next;
    if (lane->head == NULL)
        lane->tail = NULL;
    lane->count--;
    batch->next = NULL;
    return batch;
}

struct batch *lanes_take(struct lanes *lanes, int64_t wait_ms, bool live_only)
{
    struct timespec until = condition_deadline(wait_ms);
    struct batch *batch = NULL;
    pthread_mutex_lock(&lanes->lock);
    for (;;) {
        batch = pop_clean(&lanes->live);
        if (batch == NULL && !live_only)
            batch = pop_clean(&lanes->bulk);
        if (batch || wait_ms == 0)
            break;
        if (pthread_cond_timedwait(&lanes->changed, &lanes->lock, &until) != 0)
            break;
    }
    if (batch)
        pthread_cond_broadcast(&lanes->changed); /* room */
    pthread_mutex_unlock(&lanes->lock);
    return batch;
}

struct batch *lanes_take_bulk(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    struct batch *batch = lanes->live.head ? NULL : pop_clean(&lanes->bulk);
    if (batch)
        pthread_cond_broadcast(&lanes->changed); /* room */
    pthread_mutex_unlock(&lanes->lock);
    return batch;
}

void lanes_hasten(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->hastened = true;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
}

void lanes_close(struct lanes *lanes)
{
    pthread_mutex_lock(&lanes->lock);
    lanes->closed = true;
    pthread_cond_broadcast(&lanes->changed);
    pthread_mutex_unlock(&lanes->lock);
}

void lanes_depth(struct lanes *lanes, size_t *live, size_t *bulk)
{
    pthread_mutex_lock(&lanes->lock);
    *live = lanes->live.count;
    *bulk = lanes->bulk.count;
    pthread_mutex_unlock(&lanes->lock);
}
