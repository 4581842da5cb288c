/* dedupe_pool.c - see dedupe_pool.h. */
#include "daemon/cli/dedupe_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "daemon/base/queue.h"

#define THREADS_MAX       16
#define CHUNKS_MAX        (THREADS_MAX * 2 + 2)
#define CELLS_MAX_BYTES   ((size_t)64 << 20) /* of one chunk: a row may have 1 MiB */
#define SCRATCH_MAX_BYTES ((size_t)64 << 20) /* of one record's cleaning */

struct worker {
    struct dedupe_pool *pool;
    pthread_t thread;
    struct cleaner *cleaner;
    struct arena *scratch;
};

struct dedupe_pool {
    const struct dedupe_settings *settings;
    struct queue *queue;
    pthread_mutex_t lock; /* `done` of chunks */
    pthread_cond_t done_changed;
    size_t chunk_count;
    struct dedupe_chunk chunks[CHUNKS_MAX]; /* a ring: sent from `oldest` up to `filling` */
    size_t oldest, filling, out;
    unsigned worker_count;
    struct worker workers[THREADS_MAX];
};

/* ---- a worker ---- */

static void make_keys(const struct matcher *matcher, struct dedupe_chunk *chunk, struct dedupe_cleaned *cleaned)
{
    struct match_key keys[MATCH_KEYS_MAX];
    struct slice features = slice_of(chunk->features.data + cleaned->at, cleaned->len);
    if (cleaned->len == 0 || buf_failed(&chunk->features))
        return;
    cleaned->keyed.key_count = features_keys(matcher, features, keys);
    cleaned->keyed.name_key = features_name_key(features);
    cleaned->keys_at = chunk->keys.len;
    buf_put(&chunk->keys, keys, cleaned->keyed.key_count * sizeof(*keys));
}

static void clean_row(struct worker *worker, struct dedupe_chunk *chunk, size_t row)
{
    const struct dedupe_settings *settings = worker->pool->settings;
    struct clean_record clean;
    struct err err;
    struct raw_record raw = {.external_id = SLICE("row"), .part = SLICE("main"), .op = RECORD_UPSERT,
                             .columns = settings->columns,
                             .values = chunk->values + row * settings->columns->count};
    struct dedupe_cleaned *cleaned = &chunk->cleaned[row];
    *cleaned = (struct dedupe_cleaned){0};
    if (!chunk->readable[row])
        return;
    arena_reset(worker->scratch);
    if (ruleset_clean(worker->cleaner, settings->rules, &raw, worker->scratch, &clean, &err) != STATUS_OK) {
        chunk->failed = true;
        return;
    }
    size_t at = chunk->features.len;
    features_pack_using(settings->matcher, &clean, 0, worker->scratch, &chunk->features);
    cleaned->refused = clean.outcome != CLEAN_OK;
    cleaned->at = at;
    cleaned->len = chunk->features.len - at;
    make_keys(settings->matcher, chunk, cleaned);
}

static void clean_chunk(struct worker *worker, struct dedupe_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count; i++)
        clean_row(worker, chunk, i);
    chunk->failed = chunk->failed || buf_failed(&chunk->features) || buf_failed(&chunk->keys);
    for (size_t i = 0; i < chunk->count && !chunk->failed; i++) {
        struct dedupe_cleaned *cleaned = &chunk->cleaned[i];
        if (cleaned->len == 0)
            continue;
        struct keyed_features *keyed = &cleaned->keyed;
        keyed->features = slice_of(chunk->features.data + cleaned->at, cleaned->len);
        if (keyed->key_count)
            keyed->keys = (const struct match_key *)(const void *)(chunk->keys.data + cleaned->keys_at);
        cleaned->hash_high = slice_hash(keyed->features, 1);
        cleaned->hash_low = slice_hash(keyed->features, 2);
    }
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct dedupe_pool *pool = worker->pool;
    void *item;
    while (queue_take(pool->queue, -1, &item) == STATUS_OK) {
        struct dedupe_chunk *chunk = item;
        clean_chunk(worker, chunk);
        pthread_mutex_lock(&pool->lock);
        chunk->done = true;
        pthread_cond_signal(&pool->done_changed);
        pthread_mutex_unlock(&pool->lock);
    }
    return NULL;
}

/* ---- start and end ---- */

static bool make_chunk(struct dedupe_chunk *chunk, size_t column_count)
{
    chunk->arena = arena_new(CELLS_MAX_BYTES);
    chunk->values = calloc(DEDUPE_CHUNK_ROWS * column_count + 1, sizeof(*chunk->values));
    chunk->readable = calloc(DEDUPE_CHUNK_ROWS, sizeof(*chunk->readable));
    chunk->cleaned = calloc(DEDUPE_CHUNK_ROWS, sizeof(*chunk->cleaned));
    chunk->features = BUF_INIT(DEDUPE_CHUNK_ROWS * (size_t)FEATURES_MAX_BYTES * 2);
    chunk->keys = BUF_INIT(DEDUPE_CHUNK_ROWS * MATCH_KEYS_MAX * sizeof(struct match_key) * 2);
    return chunk->arena && chunk->values && chunk->readable && chunk->cleaned;
}

static bool start_worker(struct dedupe_pool *pool)
{
    struct worker *worker = &pool->workers[pool->worker_count];
    *worker = (struct worker){.pool = pool, .cleaner = cleaner_new(pool->settings->ruleset),
                              .scratch = arena_new(SCRATCH_MAX_BYTES)};
    bool able = worker->cleaner && worker->scratch &&
                pthread_create(&worker->thread, NULL, work, worker) == 0;
    if (able) {
        pool->worker_count++;
    } else {
        cleaner_free(&worker->cleaner);
        arena_free(&worker->scratch);
    }
    return able;
}

struct dedupe_pool *dedupe_pool_new(const struct dedupe_settings *settings, unsigned threads,
                                    struct err *err)
{
    struct dedupe_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL) {
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for the cleaning threads");
        return NULL;
    }
    threads = threads > THREADS_MAX ? THREADS_MAX : threads;
    pool->settings = settings;
    pool->chunk_count = threads * 2 + 2;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->done_changed, NULL);
    pool->queue = queue_new(CHUNKS_MAX);
    bool able = pool->queue != NULL;
    for (size_t i = 0; i < pool->chunk_count && able; i++)
        able = make_chunk(&pool->chunks[i], settings->columns->count);
    for (unsigned i = 0; i < threads && able; i++)
        able = start_worker(pool);
    if (!able) {
        (void)err_set(err, RETRY_LATER, "base.memory", "cannot start %u cleaning threads", threads);
        dedupe_pool_free(&pool);
    }
    return pool;
}

void dedupe_pool_free(struct dedupe_pool **place)
{
    struct dedupe_pool *pool = *place;
    if (pool == NULL)
        return;
    if (pool->queue)
        queue_close(pool->queue);
    for (unsigned i = 0; i < pool->worker_count; i++) {
        pthread_join(pool->workers[i].thread, NULL);
        cleaner_free(&pool->workers[i].cleaner);
        arena_free(&pool->workers[i].scratch);
    }
    for (size_t i = 0; i < pool->chunk_count; i++) {
        arena_free(&pool->chunks[i].arena);
        buf_free(&pool->chunks[i].features);
        buf_free(&pool->chunks[i].keys);
        free(pool->chunks[i].values);
        free(pool->chunks[i].readable);
        free(pool->chunks[i].cleaned);
    }
    if (pool->queue)
        queue_free(&pool->queue);
    pthread_cond_destroy(&pool->done_changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
    *place = NULL;
}

/* ---- going round ---- */

void dedupe_pool_send(struct dedupe_pool *pool)
{
    struct dedupe_chunk *chunk = &pool->chunks[pool->filling];
    if (chunk->count == 0)
        return;
    chunk->done = false;
    pool->filling = (pool->filling + 1) % pool->chunk_count;
    pool->out++;
    if (queue_put(pool->queue, chunk, -1) != STATUS_OK) /* closed: only when all ends */
        chunk->failed = chunk->done = true;
}

enum dedupe_added dedupe_pool_add(struct dedupe_pool *pool, const struct slice *cells)
{
    struct dedupe_chunk *chunk = &pool->chunks[pool->filling];
    size_t count = pool->settings->columns->count;
    struct slice *values = chunk->values + chunk->count * count;
    chunk->readable[chunk->count] = cells != NULL;
    for (size_t i = 0; i < count; i++)
        values[i] = cells && cells[i].len ? arena_dup(chunk->arena, cells[i]) : SLICE_EMPTY;
    if (arena_failed(chunk->arena))
        return DEDUPE_NO_MEMORY;
    chunk->count++;
    if (chunk->count < DEDUPE_CHUNK_ROWS && arena_used_bytes(chunk->arena) < DEDUPE_CHUNK_BYTES)
        return DEDUPE_ADDED;
    dedupe_pool_send(pool);
    return DEDUPE_CHUNK_SENT;
}

struct dedupe_chunk *dedupe_pool_take(struct dedupe_pool *pool, bool all)
{
    struct dedupe_chunk *chunk = &pool->chunks[pool->oldest];
    if (pool->out == 0)
        return NULL;
    bool wait = all || pool->out == pool->chunk_count;
    pthread_mutex_lock(&pool->lock);
    while (wait && !chunk->done)
        pthread_cond_wait(&pool->done_changed, &pool->lock);
    bool done = chunk->done;
    pthread_mutex_unlock(&pool->lock);
    return done ? chunk : NULL;
}

void dedupe_pool_give_back(struct dedupe_pool *pool, struct dedupe_chunk *chunk)
{
    arena_reset(chunk->arena);
    buf_reset(&chunk->features);
    buf_reset(&chunk->keys);
    chunk->count = 0;
    chunk->done = false;
    pool->oldest = (pool->oldest + 1) % pool->chunk_count;
    pool->out--;
}
