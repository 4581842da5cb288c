/*
 * dedupe_pool.h - the cleaning threads of dedupe: chunks of rows go in, come back cleaned and in order. For dedupe.c.
 *
 * A fixed number of chunks goes round, so memory is bounded. One thread calls these functions.
 */
#ifndef TRIBUTARY_CLI_DEDUPE_POOL_H
#define TRIBUTARY_CLI_DEDUPE_POOL_H

#include "daemon/cli/dedupe.h"

#define DEDUPE_CHUNK_ROWS  1000
#define DEDUPE_CHUNK_BYTES ((size_t)4 << 20) /* of cells; a chunk with more is sent at once */

struct dedupe_cleaned {
    struct keyed_features keyed; /* without features: nothing to compare */
    size_t at, len, keys_at;     /* where they lie in the chunk's buffers, which move while they grow */
    uint64_t hash_high, hash_low; /* of the features */
    bool refused;
};

struct dedupe_chunk {
    struct arena *arena;        /* cells */
    size_t count;
    struct slice *values;       /* column_count for each row */
    bool *readable;
    struct buf features;
    struct buf keys;            /* of struct match_key */
    struct dedupe_cleaned *cleaned;
    bool failed, done;
};

struct dedupe_pool;

struct dedupe_pool *dedupe_pool_new(const struct dedupe_settings *settings, unsigned threads,
                                    struct err *err);
void dedupe_pool_free(struct dedupe_pool **pool);

enum dedupe_added { DEDUPE_ADDED, DEDUPE_CHUNK_SENT, DEDUPE_NO_MEMORY };
enum dedupe_added dedupe_pool_add(struct dedupe_pool *pool, const struct slice *cells);
/* Sends the chunk begun. */
void dedupe_pool_send(struct dedupe_pool *pool);
/* The oldest chunk once it is clean. Waits for it when no chunk is free, or `all`; else NULL when it is not clean yet. NULL when
 * none is out. */
struct dedupe_chunk *dedupe_pool_take(struct dedupe_pool *pool, bool all);
void dedupe_pool_give_back(struct dedupe_pool *pool, struct dedupe_chunk *chunk);

#endif
