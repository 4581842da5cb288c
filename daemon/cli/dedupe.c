/*
 * dedupe.c - see dedupe.h.
 *
 * Rows go in chunks of some thousand through the cleaning threads and come back in order (dedupe_pool.h); this thread puts them
 * into the graph and settles it every now and then, so that memory follows the rows and not the pairs.
 */
#include "daemon/cli/dedupe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/cli/dedupe_pool.h"
#include "daemon/resolve/graph.h"

#define SETTLE_EVERY      50000
#define SETTLE_ARENA_MAX  ((size_t)4 << 30)

/* Equal features, by a hash of 128 bits. */
struct same_slot {
    uint64_t high, low;
    uint32_t row; /* 0: empty */
};

/* Pairs that are open reviews; a pair that is none any more stays as a mark. */
struct pair_slot {
    uint64_t pair; /* 0: empty */
    bool open;
};

struct dedupe {
    struct dedupe_settings settings;
    struct dedupe_pool *pool;
    struct graph *graph;
    struct arena *arena; /* of a settling */
    uint32_t *owners;    /* row -> the row it stands with: itself, or the first that says the same */
    size_t owner_capacity;
    struct same_slot *same;
    size_t same_mask, same_count;
    struct pair_slot *pairs;
    size_t pair_mask, pair_count;
    uint64_t rows, put, since_settled;
    struct dedupe_stats stats;
};

static enum status no_memory(struct err *err)
{
    return err_set(err, RETRY_LATER, "base.memory", "out of memory; hint: fewer rows, or a machine with more");
}

/* ---- tables that grow ---- */

static struct same_slot *find_same(struct same_slot *slots, size_t mask, uint64_t high, uint64_t low)
{
    size_t at = (size_t)low & mask;
    while (slots[at].row && (slots[at].high != high || slots[at].low != low))
        at = (at + 1) & mask;
    return &slots[at];
}

static bool grow_same(struct dedupe *d)
{
    size_t mask = d->same_mask * 2 + 1;
    struct same_slot *slots = calloc(mask + 1, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; d->same && i <= d->same_mask; i++) {
        if (d->same[i].row)
            *find_same(slots, mask, d->same[i].high, d->same[i].low) = d->same[i];
    }
    free(d->same);
    d->same = slots;
    d->same_mask = mask;
    return true;
}

static struct pair_slot *find_pair(struct pair_slot *slots, size_t mask, uint64_t pair)
{
    size_t at = (size_t)(pair * 0x9E3779B97F4A7C15ULL >> 20) & mask;
    while (slots[at].pair && slots[at].pair != pair)
        at = (at + 1) & mask;
    return &slots[at];
}

static bool set_review(struct dedupe *d, uint64_t a, uint64_t b, bool open)
{
    uint64_t pair = a << 32 | b;
    if (d->pairs == NULL || (d->pair_count + 1) * 4 > (d->pair_mask + 1) * 3) {
        size_t mask = d->pairs ? d->pair_mask * 2 + 1 : 1023;
        struct pair_slot *slots = calloc(mask + 1, sizeof(*slots));
        if (slots == NULL)
            return false;
        for (size_t i = 0; d->pairs && i <= d->pair_mask; i++) {
            if (d->pairs[i].pair)
                *find_pair(slots, mask, d->pairs[i].pair) = d->pairs[i];
        }
        free(d->pairs);
        d->pairs = slots;
        d->pair_mask = mask;
    }
    struct pair_slot *slot = find_pair(d->pairs, d->pair_mask, pair);
    d->pair_count += slot->pair == 0;
    if (slot->pair && slot->open && !open)
        d->stats.reviews--;
    else if (open && !slot->open)
        d->stats.reviews++;
    *slot = (struct pair_slot){pair, open};
    return true;
}

/* ---- one row ---- */

/* Whether two records with these features are linked by them alone. */
static bool links_itself(const struct dedupe *d, const struct keyed_features *keyed)
{
    struct shared_key shared[MATCH_KEYS_MAX];
    struct match_result result;
    for (size_t i = 0; i < keyed->key_count; i++)
        shared[i] = (struct shared_key){keyed->keys[i].hash, keyed->keys[i].kind, 0};
    if (keyed->key_count == 0)
        return false;
    match_score(d->settings.matcher, keyed->features, keyed->features, shared, keyed->key_count, &result);
    return result.weight >= matcher_link_weight(d->settings.matcher);
}

static enum status settle(struct dedupe *d, struct err *err)
{
    struct graph_changes changes;
    d->since_settled = 0;
    if (graph_settle(d->graph, d->arena, &changes, err) != STATUS_OK)
        return STATUS_FAILED;
    bool kept = true;
    for (size_t i = 0; i < changes.gone_review_count && kept; i++)
        kept = set_review(d, changes.gone_reviews[i].a, changes.gone_reviews[i].b, false);
    for (size_t i = 0; i < changes.new_review_count && kept; i++)
        kept = set_review(d, changes.new_reviews[i].a, changes.new_reviews[i].b, true);
    arena_reset(d->arena);
    return kept ? STATUS_OK : no_memory(err);
}

/* Puts the next row, in order. */
static enum status put_row(struct dedupe *d, const struct dedupe_cleaned *row, struct err *err)
{
    uint32_t number = (uint32_t)++d->put;
    d->owners[number] = number;
    d->stats.refused += row->refused;
    if (row->keyed.features.len == 0)
        return STATUS_OK;
    if ((d->same_count + 1) * 4 > (d->same_mask + 1) * 3 && !grow_same(d))
        return no_memory(err);
    struct same_slot *same = find_same(d->same, d->same_mask, row->hash_high, row->hash_low);
    if (same->row && links_itself(d, &row->keyed)) {
        d->owners[number] = same->row;
        return STATUS_OK;
    }
    if (same->row == 0) {
        *same = (struct same_slot){row->hash_high, row->hash_low, number};
        d->same_count++;
    }
    struct natural_key key = natural_key_of(SLICE("row"), slice_of((const char *)&number, sizeof(number)),
                                            SLICE("main"));
    if (graph_put_keyed(d->graph, number, key, &row->keyed, err) != STATUS_OK)
        return STATUS_FAILED;
    return ++d->since_settled >= SETTLE_EVERY ? settle(d, err) : STATUS_OK;
}

static enum status put_chunk(struct dedupe *d, const struct dedupe_chunk *chunk, struct err *err)
{
    if (chunk->failed)
        return no_memory(err);
    for (size_t i = 0; i < chunk->count; i++) {
        if (put_row(d, &chunk->cleaned[i], err) != STATUS_OK)
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

/* ---- the outside ---- */

struct dedupe *dedupe_new(const struct dedupe_settings *settings, struct err *err)
{
    struct dedupe *d = calloc(1, sizeof(*d));
    if (d) {
        d->settings = *settings;
        d->graph = graph_new(settings->matcher, &(struct graph_limits){.edges_kept = SIZE_MAX}); /* it is gone in a minute */
        d->arena = arena_new(SETTLE_ARENA_MAX);
        d->same_mask = 32767;
    }
    if (d == NULL || d->graph == NULL || d->arena == NULL || !grow_same(d)) {
        (void)no_memory(err);
        dedupe_free(&d);
        return NULL;
    }
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned threads = settings->threads ? settings->threads : processors > 0 ? (unsigned)processors : 1;
    d->pool = dedupe_pool_new(settings, threads, err);
    if (d->pool == NULL)
        dedupe_free(&d);
    return d;
}

void dedupe_free(struct dedupe **dedupe)
{
    struct dedupe *d = *dedupe;
    if (d == NULL)
        return;
    dedupe_pool_free(&d->pool);
    graph_free(&d->graph);
    arena_free(&d->arena);
    free(d->owners);
    free(d->same);
    free(d->pairs);
    free(d);
    *dedupe = NULL;
}

/* Takes back what is clean; waits for it when there is no room for more, or `all`. */
static enum status take_back(struct dedupe *d, bool all, struct err *err)
{
    struct dedupe_chunk *chunk;
    while ((chunk = dedupe_pool_take(d->pool, all)) != NULL) {
        enum status status = put_chunk(d, chunk, err);
        dedupe_pool_give_back(d->pool, chunk);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

enum status dedupe_add(struct dedupe *d, const struct slice *cells, struct err *err)
{
    if (d->rows >= DEDUPE_ROWS_MAX)
        return err_set(err, RETRY_NONE, "dedupe.rows_max", "more than %zu rows", DEDUPE_ROWS_MAX);
    d->rows++;
    if (d->rows >= d->owner_capacity) {
        size_t capacity = d->owner_capacity ? d->owner_capacity * 2 : 65536;
        uint32_t *owners = realloc(d->owners, capacity * sizeof(*owners));
        if (owners == NULL)
            return no_memory(err);
        d->owners = owners;
        d->owner_capacity = capacity;
    }
    switch (dedupe_pool_add(d->pool, cells)) {
    case DEDUPE_ADDED:
        return STATUS_OK;
    case DEDUPE_CHUNK_SENT:
        return take_back(d, false, err);
    case DEDUPE_NO_MEMORY:
        break;
    }
    return no_memory(err);
}

/* Every row's owner becomes its customer. */
static enum status count_customers(struct dedupe *d, struct err *err)
{
    uint32_t *sizes = calloc(d->rows + 1, sizeof(*sizes));
    if (sizes == NULL)
        return no_memory(err);
    for (uint64_t row = 1; row <= d->rows; row++) {
        uint64_t customer = graph_customer(d->graph, d->owners[row]);
        d->owners[row] = customer ? (uint32_t)customer : d->owners[row];
        uint32_t size = ++sizes[d->owners[row]];
        d->stats.customers += size == 1;
        d->stats.duplicates += size > 1;
        if (size > d->stats.largest_rows) {
            d->stats.largest_rows = size;
            d->stats.largest = d->owners[row];
        }
    }
    free(sizes);
    return STATUS_OK;
}

enum status dedupe_finish(struct dedupe *d, struct err *err)
{
    struct graph_stats stats;
    dedupe_pool_send(d->pool);
    if (take_back(d, true, err) != STATUS_OK || settle(d, err) != STATUS_OK)
        return STATUS_FAILED;
    graph_stats(d->graph, &stats);
    d->stats.index_bytes = stats.bytes;
    return count_customers(d, err);
}

uint64_t dedupe_customer(const struct dedupe *d, uint64_t row)
{
    return d->owners[row];
}

void dedupe_stats(const struct dedupe *d, struct dedupe_stats *stats)
{
    *stats = d->stats;
    stats->rows = d->rows;
    stats->resolved = d->put;
}
