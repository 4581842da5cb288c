/*
 * graph_build.c - the keys of many restored records, indexed together.
 *
 * One by one, every key of a record is a walk through memory that is not near: at a start, that is most of the
 * time. Here a thread unpacks the keys of records as they come and throws them on heaps by their hash; at the
 * end each heap is sorted and becomes shards of the key map, front to back. What is found is the same.
 */
#include <pthread.h>

#include "daemon/resolve/graph.intern.h"

#define HEAP_COUNT    KEY_HEAPS
#define CHUNK_RECORDS 1024
#define CHUNK_COUNT   8
#define HOLDERS_MAX   ((size_t)64 << 20) /* 768 MB; what comes behind is indexed one by one */

VECTOR(key_heap, struct key_holder)

struct build_record {
    uint32_t slot;
    struct stored_features stored;
};

struct build_chunk {
    struct build_record records[CHUNK_RECORDS];
    size_t count;
};

struct graph_build {
    const struct graph_matcher_ops *ops;
    const struct matcher *matcher;
    const struct entries *entries; /* for what does not change */
    struct key_heap heaps[HEAP_COUNT];
    struct named_slots places; /* of the records, in the order they came */
    size_t holder_count, holders_told; /* the thread's, and what it last told */
    bool failed;            /* out of memory */

    struct build_chunk chunks[CHUNK_COUNT];
    size_t filled, emptied; /* chunks ever given to the thread, and ever done by it */
    bool ended;
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static void unpack(struct graph_build *build, const struct build_record *record)
{
    struct match_key keys[MATCH_KEYS_MAX];
    struct features_room room;
    struct slice features = entries_unpacked(build->entries, record->stored, &room);
    size_t count = build->ops->keys(build->matcher, features, keys);
    struct named_slot named = {build->ops->name_key(features), record->slot};
    uint32_t place = (uint32_t)build->places.count;
    build->failed |= !named_slots_push(&build->places, named);
    for (size_t i = 0; i < count && !build->failed; i++) {
        struct key_holder holder = key_holder_of(keys[i].hash, place);
        build->failed = !key_heap_push(&build->heaps[key_holder_heap(&holder)], holder);
    }
    build->holder_count += count;
}

static void unpack_chunk(struct graph_build *build, struct build_chunk *chunk)
{
    for (size_t i = 0; i < chunk->count && !build->failed; i++)
        unpack(build, &chunk->records[i]);
    chunk->count = 0;
}


static void *unpack_all(void *data)
{
    struct graph_build *build = data;
    pthread_mutex_lock(&build->lock);
    for (;;) {
        while (build->emptied == build->filled && !build->ended)
            pthread_cond_wait(&build->changed, &build->lock);
        if (build->emptied == build->filled)
            break;
        struct build_chunk *chunk = &build->chunks[build->emptied % CHUNK_COUNT];
        pthread_mutex_unlock(&build->lock);
        unpack_chunk(build, chunk);
        pthread_mutex_lock(&build->lock);
        build->emptied++;
        build->holders_told = build->holder_count;
        pthread_cond_broadcast(&build->changed);
    }
    pthread_mutex_unlock(&build->lock);
    return NULL;
}

static struct graph_build *build_new(const struct graph *graph)
{
    struct graph_build *build = calloc(1, sizeof(*build));
    if (build == NULL)
        return NULL;
    build->ops = graph->ops;
    build->matcher = graph->matcher;
    build->entries = &graph->entries;
    pthread_mutex_init(&build->lock, NULL);
    pthread_cond_init(&build->changed, NULL);
    build->has_thread = pthread_create(&build->thread, NULL, unpack_all, build) == 0;
    return build;
}

/* Gives the chunk being filled to the thread, and waits for room for another one. */
static void give(struct graph_build *build)
{
    if (!build->has_thread) {
        unpack_chunk(build, &build->chunks[build->filled % CHUNK_COUNT]);
        build->holders_told = build->holder_count;
        return;
    }
    pthread_mutex_lock(&build->lock);
    build->filled++;
    pthread_cond_broadcast(&build->changed);
    while (build->filled - build->emptied >= CHUNK_COUNT)
        pthread_cond_wait(&build->changed, &build->lock);
    pthread_mutex_unlock(&build->lock);
}

static void end_thread(struct graph_build *build)
{
    give(build);
    if (!build->has_thread)
        return;
    pthread_mutex_lock(&build->lock);
    build->ended = true;
    pthread_cond_broadcast(&build->changed);
    pthread_mutex_unlock(&build->lock);
    pthread_join(build->thread, NULL);
    build->has_thread = false;
}

void graph_build_free(struct graph *graph)
{
    struct graph_build *build = graph->build;
    if (build == NULL)
        return;
    end_thread(build);
    for (size_t i = 0; i < HEAP_COUNT; i++)
        key_heap_free(&build->heaps[i]);
    named_slots_free(&build->places);
    pthread_mutex_destroy(&build->lock);
    pthread_cond_destroy(&build->changed);
    free(build);
    graph->build = NULL;
}

/* Whether no more fits, but for the chunks on their way. */
static bool is_full(struct graph_build *build)
{
    pthread_mutex_lock(&build->lock);
    bool full = build->holders_told >= HOLDERS_MAX;
    pthread_mutex_unlock(&build->lock);
    return full;
}

void graph_build_add(struct graph *graph, uint32_t slot)
{
    if (graph->build == NULL && graph->keys.key_count == 0)
        graph->build = build_new(graph);
    struct graph_build *build = graph->build;
    if (build == NULL) {
        graph_index_keys(graph, slot);
        return;
    }
    struct build_chunk *chunk = &build->chunks[build->filled % CHUNK_COUNT];
    chunk->records[chunk->count++] = (struct build_record){slot, entries_stored(&graph->entries, slot)};
    if (chunk->count < CHUNK_RECORDS)
        return;
    give(build);
    if (is_full(build))
        graph_build_end(graph);
}

void graph_build_end(struct graph *graph)
{
    struct graph_build *build = graph->build;
    if (build == NULL)
        return;
    end_thread(build);
    for (size_t i = 0; i < HEAP_COUNT && !build->failed; i++) {
        struct key_heap *heap = &build->heaps[i];
        build->failed = !key_map_build(&graph->keys, heap->items, heap->count, build->places.items);
        key_heap_free(heap);
    }
    graph->failed |= build->failed;
    graph_build_free(graph);
}
