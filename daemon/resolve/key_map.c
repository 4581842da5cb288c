/* key_map.c - see key_map.intern.h. */
#include "daemon/resolve/key_map.intern.h"

#define SHARD_BITS  16
#define SHARD_COUNT ((size_t)1 << SHARD_BITS)
#define SHARDS_PER_HEAP (SHARD_COUNT / KEY_HEAPS)
#define HASH_MASK   (((uint64_t)1 << 48) - 1)

/* A bijection, so that whole hashes are still compared when weak ones come in. */
static uint64_t mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

static uint64_t item_hash(const struct key_item *item)
{
    return (uint64_t)item->hash[2] << 32 | (uint64_t)item->hash[1] << 16 | item->hash[0];
}

static uint32_t item_reference(const struct key_item *item)
{
    return (uint32_t)item->reference[1] << 16 | item->reference[0];
}

static struct key_item make_item(uint64_t hash, uint32_t reference)
{
    return (struct key_item){
        .hash = {(uint16_t)hash, (uint16_t)(hash >> 16), (uint16_t)(hash >> 32)},
        .reference = {(uint16_t)reference, (uint16_t)(reference >> 16)},
    };
}

static struct key_shard *shard_of(const struct key_map *map, uint64_t mixed)
{
    return &map->shards[mixed >> (64 - SHARD_BITS)];
}

bool key_map_init(struct key_map *map, const struct entries *entries,
                  const struct graph_matcher_ops *ops)
{
    *map = (struct key_map){.shards = calloc(SHARD_COUNT, sizeof(struct key_shard))};
    postings_init(&map->postings, entries, ops);
    return map->shards != NULL;
}

void key_map_free(struct key_map *map)
{
    for (size_t i = 0; map->shards && i < SHARD_COUNT; i++)
        free(map->shards[i].items);
    free(map->shards);
    map->shards = NULL;
    postings_free(&map->postings);
}

/* Where in a shard a hash should be, were they spread quite evenly. */
static uint32_t guess(const struct key_shard *shard, uint64_t hash)
{
    return (uint32_t)((hash >> 16) * shard->count >> 32);
}

/* The place of a hash, or the one where it is to be put in. */
static uint32_t place_of(const struct key_shard *shard, uint64_t hash)
{
    uint32_t index = guess(shard, hash);
    while (index > 0 && item_hash(&shard->items[index - 1]) >= hash)
        index--;
    while (index < shard->count && item_hash(&shard->items[index]) < hash)
        index++;
    return index;
}

static bool is_at(const struct key_shard *shard, uint32_t index, uint64_t hash)
{
    return index < shard->count && item_hash(&shard->items[index]) == hash;
}

/* What malloc takes for that many items, on most systems. */
static size_t allocated_bytes(uint32_t capacity)
{
    size_t bytes = (capacity * sizeof(struct key_item) + 8 + 15) & ~(size_t)15;
    return capacity == 0 ? 0 : bytes < 32 ? 32 : bytes;
}

/* Room for a few more items, up to the end of what malloc would take anyway. */
static uint32_t roomy(uint32_t count)
{
    size_t bytes = allocated_bytes(count + 1 + count / 32);
    return (uint32_t)((bytes - 8) / sizeof(struct key_item));
}

static bool resize(struct key_map *map, struct key_shard *shard, uint32_t capacity)
{
    struct key_item *items = realloc(shard->items, capacity * sizeof(*items));
    if (items == NULL)
        return false;
    map->item_bytes += allocated_bytes(capacity) - allocated_bytes(shard->capacity);
    shard->items = items;
    shard->capacity = capacity;
    return true;
}

static bool counts_names(uint64_t hash)
{
    return key_class_of(hash) == KEY_CLASS_VALUE;
}

bool key_map_add(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                 struct key_change *change)
{
    uint64_t mixed = mix(hash), kept = mixed & HASH_MASK;
    struct key_shard *shard = shard_of(map, mixed);
    if (shard->count == shard->capacity &&
        !resize(map, shard, roomy(shard->count)))
        return false;
    uint32_t index = place_of(shard, kept);
    bool is_new = !is_at(shard, index, kept);
    uint32_t reference = is_new ? NO_POSTING : item_reference(&shard->items[index]);
    change->before = postings_size(&map->postings, reference);
    if (!postings_add(&map->postings, &reference, slot, counts_names(hash) ? &name : NULL))
        return false;
    change->after = postings_size(&map->postings, reference);
    map->posting_count++;
    if (is_new) {
        memmove(&shard->items[index + 1], &shard->items[index],
                (shard->count - index) * sizeof(struct key_item));
        shard->count++;
        map->key_count++;
    }
    shard->items[index] = make_item(kept, reference);
    return true;
}

struct key_holder key_holder_of(uint64_t hash, uint32_t place)
{
    uint64_t mixed = mix(hash);
    return (struct key_holder){(uint32_t)(mixed >> 32), (uint32_t)mixed, place << 1 | counts_names(hash)};
}

static int by_hash(const void *a, const void *b)
{
    const struct key_holder *x = a, *y = b;
    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static bool is_same_key(const struct key_holder *a, const struct key_holder *b)
{
    return a->high == b->high && a->low == b->low;
}

/* One shard, from its holders in order. */
static bool build_shard(struct key_map *map, struct key_shard *shard, const struct key_holder *holders, size_t count,
                        const struct named_slot *places, struct named_slots *group)
{
    uint32_t keys = 0;
    for (size_t i = 0; i < count; i++)
        keys += i == 0 || !is_same_key(&holders[i - 1], &holders[i]);
    if (!resize(map, shard, roomy(keys)))
        return false;
    for (size_t i = 0, end; i < count; i = end) {
        group->count = 0;
        for (end = i; end < count && is_same_key(&holders[i], &holders[end]); end++) {
            if (!named_slots_push(group, places[holders[end].place >> 1]))
                return false;
        }
        uint32_t reference =
            postings_build(&map->postings, group->items, (uint32_t)group->count, holders[i].place & 1);
        if (reference == NO_POSTING)
            return false;
        uint64_t kept = ((uint64_t)holders[i].high << 32 | holders[i].low) & HASH_MASK;
        shard->items[shard->count++] = make_item(kept, reference);
    }
    map->key_count += keys;
    map->posting_count += count;
    return true;
}

/* Holders by shard: a heap is so many shards that they are first dealt out and then sorted, each by itself. */
static void deal(const struct key_holder *holders, size_t count, struct key_holder *dealt,
                 size_t starts[SHARDS_PER_HEAP + 1])
{
    size_t next[SHARDS_PER_HEAP];
    memset(starts, 0, (SHARDS_PER_HEAP + 1) * sizeof(*starts));
    for (size_t i = 0; i < count; i++)
        starts[(holders[i].high >> 16) % SHARDS_PER_HEAP + 1]++;
    for (size_t i = 0; i < SHARDS_PER_HEAP; i++)
        starts[i + 1] += starts[i];
    memcpy(next, starts, sizeof(next));
    for (size_t i = 0; i < count; i++)
        dealt[next[(holders[i].high >> 16) % SHARDS_PER_HEAP]++] = holders[i];
}

bool key_map_build(struct key_map *map, const struct key_holder *holders, size_t count,
                   const struct named_slot *places)
{
    if (count == 0)
        return true;
    size_t starts[SHARDS_PER_HEAP + 1];
    struct named_slots group = {0};
    struct key_holder *dealt = malloc(count * sizeof(*dealt));
    bool built = dealt != NULL;
    if (built)
        deal(holders, count, dealt, starts);
    struct key_shard *shards = &map->shards[key_holder_heap(&holders[0]) * SHARDS_PER_HEAP];
    for (size_t i = 0; i < SHARDS_PER_HEAP && built; i++) {
        size_t many = starts[i + 1] - starts[i];
        if (many == 0)
            continue;
        qsort(dealt + starts[i], many, sizeof(*dealt), by_hash);
        built = build_shard(map, &shards[i], dealt + starts[i], many, places, &group);
    }
    named_slots_free(&group);
    free(dealt);
    return built;
}

bool key_map_remove(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                    struct key_change *change)
{
    uint64_t mixed = mix(hash), kept = mixed & HASH_MASK;
    struct key_shard *shard = shard_of(map, mixed);
    uint32_t index = place_of(shard, kept);
    if (!is_at(shard, index, kept))
        return false;
    uint32_t reference = item_reference(&shard->items[index]);
    change->before = postings_size(&map->postings, reference);
    if (!postings_remove(&map->postings, &reference, slot, counts_names(hash) ? &name : NULL))
        return false;
    change->after = postings_size(&map->postings, reference);
    map->posting_count--;
    if (reference != NO_POSTING) {
        shard->items[index] = make_item(kept, reference);
        return true;
    }
    shard->count--;
    map->key_count--;
    memmove(&shard->items[index], &shard->items[index + 1],
            (shard->count - index) * sizeof(struct key_item));
    /* Giving memory back may fail; then the array stays as long as it was. */
    if (shard->count + shard->count / 4 + 16 < shard->capacity)
        (void)resize(map, shard, roomy(shard->count));
    return true;
}

uint32_t key_map_find(const struct key_map *map, uint64_t hash)
{
    uint64_t mixed = mix(hash), kept = mixed & HASH_MASK;
    const struct key_shard *shard = shard_of(map, mixed);
    uint32_t index = place_of(shard, kept);
    return is_at(shard, index, kept) ? item_reference(&shard->items[index]) : NO_POSTING;
}

void key_map_prefetch(const struct key_map *map, const struct match_key *keys, size_t count)
{
    uint32_t references[MATCH_KEYS_MAX];
    const struct entries *entries = map->postings.entries;
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(shard_of(map, mix(keys[i].hash)));
    for (size_t i = 0; i < count; i++) {
        uint64_t mixed = mix(keys[i].hash);
        const struct key_shard *shard = shard_of(map, mixed);
        if (shard->count)
            __builtin_prefetch(&shard->items[guess(shard, mixed & HASH_MASK)]);
    }
    for (size_t i = 0; i < count; i++) {
        references[i] = key_map_find(map, keys[i].hash);
        postings_prefetch(&map->postings, references[i]);
    }
    for (size_t i = 0; i < count; i++) {
        references[i] = postings_any(&map->postings, references[i]);
        if (references[i] != NO_SLOT)
            __builtin_prefetch(entry_at(entries, references[i]));
    }
    for (size_t i = 0; i < count; i++)
        if (references[i] != NO_SLOT)
            blobs_prefetch(&entries->blobs, entry_at(entries, references[i])->blob);
}

size_t key_map_bytes(const struct key_map *map)
{
    return SHARD_COUNT * sizeof(struct key_shard) + map->item_bytes;
}
