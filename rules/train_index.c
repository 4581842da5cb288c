/* train_index.c - the pairs that training looks at: candidates by shared keys, and random ones. */
#include "rules/train_intern.h"

#include <stdlib.h>

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
    return x ^ x >> 31;
}

static uint64_t pair_hash(const struct trained *t, uint32_t a, uint32_t b)
{
    return mix(((uint64_t)a << 32 | b) + t->settings.seed * 0x9E3779B97F4A7C15ULL);
}

/* ---- the index ---- */

static bool read_keys(struct trained *t)
{
    struct train_index *index = &t->index;
    size_t capacity = 0;

    for (size_t row = 0; row < t->count; row++) {
        struct match_key keys[MATCH_KEYS_MAX];
        size_t count = features_keys(&t->work, t->features[row], keys);
        if (index->key_count + count > capacity) {
            capacity = (index->key_count + count) * 2 + 1024;
            struct train_key *grown = realloc(index->keys, capacity * sizeof(*grown));
            if (grown == NULL)
                return false;
            index->keys = grown;
        }
        index->first[row] = (uint32_t)index->key_count;
        for (size_t i = 0; i < count; i++)
            index->keys[index->key_count++] = (struct train_key){
                .hash = keys[i].hash, .kind = keys[i].kind, .is_value = keys[i].is_value};
    }
    index->first[t->count] = (uint32_t)index->key_count;
    return true;
}

struct sort_entry {
    uint64_t hash;
    uint32_t key;
};

static int compare_entries(const void *x, const void *y)
{
    const struct sort_entry *a = x, *b = y;

    return a->hash != b->hash ? (a->hash < b->hash ? -1 : 1) : (a->key > b->key) - (a->key < b->key);
}

#define BUCKET_BITS 14

/* Key numbers by hash: into buckets by the leading bits, then each bucket. */
static bool sort_keys(struct train_index *index)
{
    size_t count = index->key_count, *starts = calloc(((size_t)1 << BUCKET_BITS) + 1, sizeof(*starts));
    struct sort_entry *entries = malloc((count + 1) * sizeof(*entries));

    index->order = malloc((count + 1) * sizeof(*index->order));
    if (starts && entries && index->order) {
        for (size_t i = 0; i < count; i++)
            starts[(index->keys[i].hash >> (64 - BUCKET_BITS)) + 1]++;
        for (size_t i = 0; i < (size_t)1 << BUCKET_BITS; i++)
            starts[i + 1] += starts[i];
        for (size_t i = 0; i < count; i++)
            entries[starts[index->keys[i].hash >> (64 - BUCKET_BITS)]++] =
                (struct sort_entry){index->keys[i].hash, (uint32_t)i};
        for (size_t i = 0, from = 0; i < (size_t)1 << BUCKET_BITS; from = starts[i++])
            qsort(entries + from, starts[i] - from, sizeof(*entries), compare_entries);
        for (size_t i = 0; i < count; i++)
            index->order[i] = entries[i].key;
    }
    bool able = starts && entries && index->order;
    free(starts);
    free(entries);
    return able;
}

/* The end of the group of equal hashes that begins at `from`. */
static size_t group_end(const struct train_index *index, size_t from)
{
    size_t to = from + 1;
    uint64_t hash = index->keys[index->order[from]].hash;

    while (to < index->key_count && index->keys[index->order[to]].hash == hash)
        to++;
    return to;
}

/* Distinct name keys among the records of a group; counts up to 65. */
static uint32_t group_degree(const struct trained *t, size_t from, size_t to)
{
    uint64_t names[65];
    uint32_t count = 0;

    for (size_t i = from; i < to && count < 65; i++) {
        uint64_t name = features_name_key(t->features[t->index.rows[t->index.order[i]]]);
        uint32_t k = 0;
        while (k < count && names[k] != name)
            k++;
        if (k == count)
            names[count++] = name;
    }
    return count;
}

static void find_bands(struct trained *t)
{
    struct train_index *index = &t->index;

    for (size_t from = 0, to; from < index->key_count; from = to) {
        to = group_end(index, from);
        bool dead = to - from > key_records_max(index->keys[index->order[from]].hash);
        uint8_t band = 0;
        if (!dead && index->keys[index->order[from]].is_value && to - from > 1)
            band = degree_band(group_degree(t, from, to));
        for (size_t i = from; (band || dead) && i < to; i++) {
            index->keys[index->order[i]].band = dead ? DEGREE_DEAD : band;
            index->keys[index->order[i]].dead = dead || band == DEGREE_DEAD;
        }
    }
}

void train_index_free(struct trained *t)
{
    free(t->index.keys);
    free(t->index.first);
    free(t->index.order);
    free(t->index.rows);
    t->index = (struct train_index){0};
}

void train_index_build(struct trained *t)
{
    struct train_index *index = &t->index;

    train_index_free(t);
    index->first = malloc((t->count + 1) * sizeof(*index->first));
    if (index->first == NULL || !read_keys(t) || !sort_keys(index) ||
        (index->rows = malloc((index->key_count + 1) * sizeof(*index->rows))) == NULL) {
        arena_fail(t->arena);
        return;
    }
    for (size_t row = 0; row < t->count; row++)
        for (uint32_t i = index->first[row]; i < index->first[row + 1]; i++)
            index->rows[i] = (uint32_t)row;
    find_bands(t);
}

/* ---- pairs ---- */

struct shared_list {
    struct shared_key keys[MATCH_KEYS_MAX];
    size_t count;
    uint64_t kinds, lowest; /* of live ones; the lowest hash among them */
};

static void find_shared(const struct trained *t, uint32_t a, uint32_t b, struct shared_list *shared)
{
    const struct train_index *index = &t->index;
    uint32_t i = index->first[a], k = index->first[b];

    shared->count = 0;
    shared->kinds = shared->lowest = 0;
    while (i < index->first[a + 1] && k < index->first[b + 1]) {
        const struct train_key *x = &index->keys[i], *y = &index->keys[k];
        if (x->hash != y->hash) {
            if (x->hash < y->hash)
                i++;
            else
                k++;
            continue;
        }
        if (!x->dead) {
            shared->lowest = shared->kinds ? shared->lowest : x->hash;
            shared->kinds |= 1ULL << (x->kind & 63);
        }
        shared->keys[shared->count++] = (struct shared_key){x->hash, x->kind, x->band};
        i++;
        k++;
    }
}

static bool make_room(struct train_pairs *pairs)
{
    if (pairs->count == pairs->capacity) {
        size_t capacity = pairs->capacity ? pairs->capacity * 2 : 4096;
        struct train_pair *list = realloc(pairs->list, capacity * sizeof(*list));
        if (list == NULL)
            return false;
        pairs->list = list;
        pairs->capacity = capacity;
    }
    if (pairs->item_count + COMPARISONS_MAX > pairs->item_capacity) {
        size_t capacity = pairs->item_capacity ? pairs->item_capacity * 2 : 65536;
        struct train_item *items = realloc(pairs->items, capacity * sizeof(*items));
        if (items == NULL)
            return false;
        pairs->items = items;
        pairs->item_capacity = capacity;
    }
    return true;
}

static const struct level_model *work_level(const struct trained *t, const struct comparison_result *r)
{
    if (r->comparison < CMP_FIXED_COUNT)
        return &t->work.comparisons[r->comparison].levels[r->level];
    return &t->work.custom_fields[r->comparison - CMP_FIXED_COUNT].model->levels[r->level];
}

/* The items go where the pair's own were, when it has room for as many, else to the end. */
static void judge(struct trained *t, struct train_pairs *pairs, struct train_pair *pair,
                  const struct shared_list *shared)
{
    struct match_result result;

    match_score(&t->work, t->features[pair->a], t->features[pair->b], shared->keys, shared->count, &result);
    pair->first = (uint32_t)pairs->item_count;
    for (size_t i = 0; i < result.count; i++) {
        const struct comparison_result *r = &result.comparisons[i];
        if (train_is_compared(r->comparison))
            pairs->items[pairs->item_count++] =
                (struct train_item){r->comparison, r->level, r->weight - work_level(t, r)->weight};
    }
    pair->count = (uint32_t)(pairs->item_count - pair->first);
}

static void add_pair(struct trained *t, struct train_pairs *pairs, uint32_t a, uint32_t b,
                     const struct shared_list *shared)
{
    if (!make_room(pairs)) {
        arena_fail(t->arena);
        return;
    }
    struct train_pair *pair = &pairs->list[pairs->count++];
    *pair = (struct train_pair){.a = a, .b = b, .kinds = shared->kinds};
    judge(t, pairs, pair, shared);
}

void train_judge_again(struct trained *t, struct train_pairs *pairs)
{
    struct shared_list shared;

    pairs->item_count = 0;
    for (size_t i = 0; i < pairs->count && !arena_failed(t->arena); i++) {
        find_shared(t, pairs->list[i].a, pairs->list[i].b, &shared);
        if (pairs->item_count + COMPARISONS_MAX > pairs->item_capacity && !make_room(pairs))
            arena_fail(t->arena);
        else
            judge(t, pairs, &pairs->list[i], &shared);
    }
}

void train_add_pair(struct trained *t, struct train_pairs *pairs, uint32_t a, uint32_t b)
{
    struct shared_list shared;

    find_shared(t, a, b, &shared);
    add_pair(t, pairs, a, b, &shared);
}

static bool group_counts(const struct train_index *index, size_t from, size_t to)
{
    return to - from > 1 && to - from <= TRAIN_GROUP_MAX && !index->keys[index->order[from]].dead;
}

/* What share of the pairs under one key to look at, so that there are not too many in all. */
static double share_to_take(const struct trained *t)
{
    const struct train_index *index = &t->index;
    double pairs = 0, most = (double)t->settings.candidate_pairs * 3;

    for (size_t from = 0, to; from < index->key_count; from = to) {
        to = group_end(index, from);
        if (group_counts(index, from, to))
            pairs += (double)(to - from) * (double)(to - from - 1) / 2;
    }
    return pairs > most ? most / pairs : 1;
}

static void take_group(struct trained *t, size_t from, size_t to, uint64_t threshold)
{
    const struct train_index *index = &t->index;
    uint64_t hash = index->keys[index->order[from]].hash;
    struct shared_list shared;

    for (size_t i = from; i < to; i++)
        for (size_t k = i + 1; k < to; k++) {
            uint32_t a = index->rows[index->order[i]], b = index->rows[index->order[k]];
            if (a == b || pair_hash(t, a < b ? a : b, a < b ? b : a) > threshold ||
                t->candidates.count >= t->settings.candidate_pairs * 3)
                continue;
            find_shared(t, a < b ? a : b, a < b ? b : a, &shared);
            if (shared.lowest == hash)
                add_pair(t, &t->candidates, a < b ? a : b, a < b ? b : a, &shared);
        }
}

void train_find_candidates(struct trained *t)
{
    const struct train_index *index = &t->index;

    t->candidates.count = t->candidates.item_count = 0;
    t->candidate_share = share_to_take(t);
    uint64_t threshold =
        t->candidate_share < 1 ? (uint64_t)(t->candidate_share * 18446744073709549568.0) : UINT64_MAX;
    for (size_t from = 0, to; from < index->key_count && !arena_failed(t->arena); from = to) {
        to = group_end(index, from);
        if (group_counts(index, from, to))
            take_group(t, from, to, threshold);
    }
}

void train_draw_randoms(struct trained *t)
{
    struct shared_list shared;
    double all = (double)t->count * (double)(t->count - 1) / 2;
    uint64_t state = mix(t->settings.seed + 1);

    t->randoms.count = t->randoms.item_count = 0;
    if (all <= t->settings.random_pairs) {
        for (uint32_t a = 0; a < t->count; a++)
            for (uint32_t b = a + 1; b < t->count && !arena_failed(t->arena); b++) {
                find_shared(t, a, b, &shared);
                add_pair(t, &t->randoms, a, b, &shared);
            }
        return;
    }
    while (t->randoms.count < t->settings.random_pairs && !arena_failed(t->arena)) {
        state += 0x9E3779B97F4A7C15ULL;
        uint64_t draw = mix(state);
        uint32_t a = (uint32_t)((draw >> 32) * t->count >> 32);
        uint32_t b = (uint32_t)((draw & 0xFFFFFFFFU) * t->count >> 32);
        if (a == b)
            continue;
        find_shared(t, a < b ? a : b, a < b ? b : a, &shared);
        add_pair(t, &t->randoms, a < b ? a : b, a < b ? b : a, &shared);
    }
}
