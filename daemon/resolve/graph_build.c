/*
 * graph_build.c - the features and keys of many restored records, packed and indexed together.
 *
 * One by one, every key of a record is a walk through memory that is not near: at a start, that is most of the time.
 * Here threads pack the features of records as they come, unpack their keys and throw these on heaps by their hash; at
 * the end the same threads sort the heaps, and each becomes shards of the key map, front to back, while the next ones
 * are sorted. What is found is the same.
 *
 * Chunks of records go round: filled by the graph's own thread, worked on by any of the others, emptied by the graph's
 * thread again in the order they were filled. Entries, blobs and the key map are touched by that thread alone.
 */
#include <pthread.h>

#include "daemon/resolve/graph.intern.h"

#define WORKERS       2
#define CHUNK_RECORDS 512
#define CHUNK_COUNT   12
#define CHUNK_BYTES   ((size_t)CHUNK_RECORDS * FEATURES_MAX_BYTES * 2)
#define HOLDERS_MAX   ((size_t)64 << 20) /* 768 MB; what comes behind is indexed one by one */

VECTOR(key_heap, struct key_holder)

struct build_record {
    uint32_t slot;
    uint32_t at, len;               /* its features among the chunk's bytes */
    uint32_t packed_at, packed_len; /* packed, among the packed bytes; len 0: they stay as they are */
    uint64_t name;
};

enum chunk_state { CHUNK_EMPTY, CHUNK_FILLED, CHUNK_TAKEN, CHUNK_DONE };

struct build_chunk {
    enum chunk_state state; /* under the lock */
    bool packs;             /* the table of runs was ready before its first record came */
    size_t count, holders;
    struct build_record records[CHUNK_RECORDS];
    struct buf bytes, packed;
};

struct sorted_heap {
    bool taken, done; /* under the lock */
    struct key_holder *holders;
    size_t starts[KEY_HEAP_SHARDS + 1];
};

struct worker {
    struct graph_build *build;
    pthread_t thread;
    bool runs;
    struct key_heap heaps[KEY_HEAPS];
};

struct graph_build {
    const struct graph_matcher_ops *ops;
    const struct matcher *matcher;
    struct entries *entries;
    struct slot_names names; /* name keys of the records whose chunk was emptied */
    struct worker workers[WORKERS];

    struct build_chunk chunks[CHUNK_COUNT];
    size_t filled, emptied; /* chunks ever filled, ever emptied; the graph's thread's */
    struct sorted_heap *sorted;
    size_t holder_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended, failed; /* no chunk comes any more; out of memory. Under the lock */
};

/* ---- a worker ---- */

static bool throw_keys(const struct graph_build *build, struct worker *worker, uint32_t slot, struct slice features,
                       size_t *count)
{
    struct match_key keys[MATCH_KEYS_MAX];
    size_t many = build->ops->keys(build->matcher, features, keys);
    for (size_t i = 0; i < many; i++) {
        struct key_holder holder = key_holder_of(keys[i].hash, slot);
        if (!key_heap_push(&worker->heaps[key_holder_heap(&holder)], holder))
            return false;
    }
    *count += many;
    return true;
}

static bool pack(const struct graph_build *build, struct build_chunk *chunk, struct build_record *record,
                 struct slice features)
{
    struct features_room room;
    struct slice packed = packing_pack(&build->entries->packing, features, &room);
    record->packed_len = (uint32_t)packed.len;
    record->packed_at = (uint32_t)chunk->packed.len;
    buf_put(&chunk->packed, packed.ptr, packed.len);
    return !buf_failed(&chunk->packed);
}

static bool work_on(const struct graph_build *build, struct worker *worker, struct build_chunk *chunk)
{
    bool able = true;
    for (size_t i = 0; i < chunk->count && able; i++) {
        struct build_record *record = &chunk->records[i];
        struct slice features = slice_of(chunk->bytes.data + record->at, record->len);
        record->name = build->ops->name_key(features);
        able = throw_keys(build, worker, record->slot, features, &chunk->holders) &&
               (!chunk->packs || pack(build, chunk, record, features));
    }
    return able;
}

/* All workers' holders of one heap, in order. Those who threw them are done with it. */
static bool sort_heap(struct graph_build *build, size_t heap)
{
    struct key_holder *parts[WORKERS];
    size_t counts[WORKERS];
    for (size_t i = 0; i < WORKERS; i++) {
        parts[i] = build->workers[i].heaps[heap].items;
        counts[i] = build->workers[i].heaps[heap].count;
    }
    struct sorted_heap *sorted = &build->sorted[heap];
    bool able = key_heap_sort(parts, counts, WORKERS, &sorted->holders, sorted->starts);
    for (size_t i = 0; i < WORKERS; i++)
        key_heap_free(&build->workers[i].heaps[heap]);
    return able;
}

static struct build_chunk *filled_chunk(struct graph_build *build)
{
    for (size_t i = 0; i < CHUNK_COUNT; i++) /* any: they are emptied in order */
        if (build->chunks[i].state == CHUNK_FILLED)
            return &build->chunks[i];
    return NULL;
}

static bool is_worked_on(const struct graph_build *build)
{
    for (size_t i = 0; i < CHUNK_COUNT; i++)
        if (build->chunks[i].state == CHUNK_TAKEN)
            return true;
    return false;
}

static size_t unsorted_heap(const struct graph_build *build)
{
    size_t heap = 0;
    while (build->sorted && heap < KEY_HEAPS && build->sorted[heap].taken)
        heap++;
    return build->sorted ? heap : KEY_HEAPS;
}

/* One job, if there is any: a chunk, or once there are no more, a heap. The lock is held, but for the work. */
static bool do_job(struct graph_build *build, struct worker *worker)
{
    struct build_chunk *chunk = filled_chunk(build);
    size_t heap = chunk || is_worked_on(build) ? KEY_HEAPS : unsorted_heap(build);
    if (chunk)
        chunk->state = CHUNK_TAKEN;
    else if (heap < KEY_HEAPS)
        build->sorted[heap].taken = true;
    else
        return false;
    bool failed = build->failed;
    pthread_mutex_unlock(&build->lock);
    bool able = !failed && (chunk ? work_on(build, worker, chunk) : sort_heap(build, heap));
    pthread_mutex_lock(&build->lock);
    build->failed |= !able;
    if (chunk)
        chunk->state = CHUNK_DONE;
    else
        build->sorted[heap].done = true;
    pthread_cond_broadcast(&build->changed);
    return true;
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct graph_build *build = worker->build;
    pthread_mutex_lock(&build->lock);
    for (;;) {
        if (do_job(build, worker))
            continue;
        if (build->ended && !is_worked_on(build))
            break;
        pthread_cond_wait(&build->changed, &build->lock);
    }
    pthread_mutex_unlock(&build->lock);
    return NULL;
}

/* ---- the graph's thread ---- */

static struct graph_build *build_new(struct graph *graph)
{
    struct graph_build *build = calloc(1, sizeof(*build));
    if (build == NULL)
        return NULL;
    build->ops = graph->ops;
    build->matcher = graph->matcher;
    build->entries = &graph->entries;
    pthread_mutex_init(&build->lock, NULL);
    pthread_cond_init(&build->changed, NULL);
    for (size_t i = 0; i < CHUNK_COUNT; i++)
        build->chunks[i].bytes = build->chunks[i].packed = BUF_INIT(CHUNK_BYTES);
    for (size_t i = 0; i < WORKERS; i++) {
        struct worker *worker = &build->workers[i];
        worker->build = build;
        worker->runs = pthread_create(&worker->thread, NULL, work, worker) == 0;
    }
    return build;
}

/* Waits for a worker to change something; does a job itself where there is no worker. The lock is held. */
static void wait_for_workers(struct graph_build *build)
{
    bool alone = true;
    for (size_t i = 0; i < WORKERS; i++)
        alone = alone && !build->workers[i].runs;
    if (!alone)
        pthread_cond_wait(&build->changed, &build->lock);
    else if (!do_job(build, &build->workers[0]))
        build->failed = true; /* cannot be: there is nobody to wait for */
}

static bool keep_name(struct graph_build *build, uint32_t slot, uint64_t name)
{
    struct slot_names *names = &build->names;
    size_t chunk = slot >> ENTRY_CHUNK_BITS;
    while (names->count <= chunk)
        if (!slot_names_push(names, NULL))
            return false;
    if (names->items[chunk] == NULL)
        names->items[chunk] = calloc((size_t)1 << ENTRY_CHUNK_BITS, sizeof(name));
    if (names->items[chunk] == NULL)
        return false;
    *slot_name(names, slot) = name;
    return true;
}

/* What was made of a chunk's records goes where it belongs. */
static bool keep(struct graph_build *build, struct build_chunk *chunk)
{
    bool able = true;
    for (size_t i = 0; i < chunk->count && able; i++) {
        const struct build_record *record = &chunk->records[i];
        bool packed = record->packed_len > 0;
        struct slice bytes = packed ? slice_of(chunk->packed.data + record->packed_at, record->packed_len)
                                    : slice_of(chunk->bytes.data + record->at, record->len);
        able = entries_put_features(build->entries, record->slot, bytes, packed) &&
               keep_name(build, record->slot, record->name);
    }
    build->holder_count += chunk->holders;
    chunk->count = chunk->holders = 0;
    buf_reset(&chunk->bytes);
    buf_reset(&chunk->packed);
    return able;
}

/* Empties the oldest chunk that is filled. */
static void empty_oldest(struct graph_build *build)
{
    struct build_chunk *chunk = &build->chunks[build->emptied % CHUNK_COUNT];
    pthread_mutex_lock(&build->lock);
    while (chunk->state != CHUNK_DONE)
        wait_for_workers(build);
    bool able = !build->failed;
    pthread_mutex_unlock(&build->lock);
    able = able && keep(build, chunk);
    pthread_mutex_lock(&build->lock);
    chunk->state = CHUNK_EMPTY;
    build->failed |= !able;
    pthread_mutex_unlock(&build->lock);
    build->emptied++;
}

/* The chunk being filled goes to the workers; room is made for the next. */
static void give(struct graph_build *build)
{
    pthread_mutex_lock(&build->lock);
    build->chunks[build->filled % CHUNK_COUNT].state = CHUNK_FILLED;
    pthread_cond_broadcast(&build->changed);
    pthread_mutex_unlock(&build->lock);
    build->filled++;
    while (build->filled - build->emptied >= CHUNK_COUNT)
        empty_oldest(build);
}

static void end_workers(struct graph_build *build)
{
    pthread_mutex_lock(&build->lock);
    build->ended = true;
    pthread_cond_broadcast(&build->changed);
    pthread_mutex_unlock(&build->lock);
    for (size_t i = 0; i < WORKERS; i++) {
        if (build->workers[i].runs)
            pthread_join(build->workers[i].thread, NULL);
        build->workers[i].runs = false;
    }
}

void graph_build_free(struct graph *graph)
{
    struct graph_build *build = graph->build;
    if (build == NULL)
        return;
    end_workers(build);
    for (size_t i = 0; i < WORKERS; i++)
        for (size_t heap = 0; heap < KEY_HEAPS; heap++)
            key_heap_free(&build->workers[i].heaps[heap]);
    for (size_t heap = 0; build->sorted && heap < KEY_HEAPS; heap++)
        free(build->sorted[heap].holders);
    for (size_t i = 0; i < CHUNK_COUNT; i++) {
        buf_free(&build->chunks[i].bytes);
        buf_free(&build->chunks[i].packed);
    }
    for (size_t i = 0; i < build->names.count; i++)
        free(build->names.items[i]);
    free(build->sorted);
    slot_names_free(&build->names);
    pthread_mutex_destroy(&build->lock);
    pthread_cond_destroy(&build->changed);
    free(build);
    graph->build = NULL;
}

static bool add_to_chunk(struct graph_build *build, uint32_t slot, struct slice features)
{
    struct build_chunk *chunk = &build->chunks[build->filled % CHUNK_COUNT];
    if (chunk->count == 0)
        chunk->packs = packing_is_ready(&build->entries->packing);
    chunk->records[chunk->count++] =
        (struct build_record){.slot = slot, .at = (uint32_t)chunk->bytes.len, .len = (uint32_t)features.len};
    buf_put(&chunk->bytes, features.ptr, features.len);
    if (buf_failed(&chunk->bytes))
        return false;
    packing_learn(&build->entries->packing, features);
    if (chunk->count == CHUNK_RECORDS)
        give(build);
    return true;
}

bool graph_build_add(struct graph *graph, uint32_t slot, struct slice features)
{
    if (graph->build == NULL && graph->keys.key_count == 0)
        graph->build = build_new(graph);
    struct graph_build *build = graph->build;
    if (build == NULL) {
        if (!entries_set_features(&graph->entries, slot, features))
            return false;
        graph_index_keys(graph, slot);
        return !graph->failed;
    }
    if (!add_to_chunk(build, slot, features))
        return false;
    if (build->holder_count >= HOLDERS_MAX)
        graph_build_end(graph);
    return !graph->failed;
}

/* The heaps one by one, as they come sorted. */
static bool index_heaps(struct graph *graph, struct graph_build *build)
{
    pthread_mutex_lock(&build->lock);
    build->sorted = calloc(KEY_HEAPS, sizeof(*build->sorted));
    bool able = build->sorted != NULL && !build->failed;
    pthread_cond_broadcast(&build->changed);
    for (size_t heap = 0; heap < KEY_HEAPS && able; heap++) {
        struct sorted_heap *sorted = &build->sorted[heap];
        while (!sorted->done)
            wait_for_workers(build);
        able = !build->failed;
        pthread_mutex_unlock(&build->lock);
        able = able && key_map_build(&graph->keys, heap, sorted->holders, sorted->starts, &build->names);
        free(sorted->holders);
        sorted->holders = NULL;
        pthread_mutex_lock(&build->lock);
    }
    build->failed |= !able; /* whoever is sorting stops at it */
    pthread_mutex_unlock(&build->lock);
    return able;
}

void graph_build_end(struct graph *graph)
{
    struct graph_build *build = graph->build;
    if (build == NULL)
        return;
    if (build->chunks[build->filled % CHUNK_COUNT].count > 0)
        give(build);
    while (build->emptied < build->filled)
        empty_oldest(build);
    if (!index_heaps(graph, build))
        graph->failed = true;
    graph_build_free(graph);
}
