/* key_map.c - see key_map.intern.h. */
#include "daemon/resolve/key_map.intern.h"

#define SHARD_BITS  16
#define SHARD_COUNT ((size_t)1 << SHARD_BITS)
_Static_assert(SHARD_COUNT == KEY_HEAPS * KEY_HEAP_SHARDS, "a heap is so many shards");
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

struct key_holder key_holder_of(uint64_t hash, uint32_t slot)
{
    uint64_t mixed = mix(hash);
    return (struct key_holder){(uint32_t)(mixed >> 32), (uint32_t)mixed, slot << 1 | counts_names(hash)};
}

static int holder_cmp(const struct key_holder *x, const struct key_holder *y)
{
    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return x->holder < y->holder ? -1 : x->holder > y->holder;
}

static int by_hash(const void *a, const void *b)
{
    return holder_cmp(a, b);
}

/* Holders dealt out by 8 bits of their hash, in the order they come. */
static void deal(struct key_holder *const *parts, const size_t *counts, size_t part_count, unsigned shift,
                 struct key_holder *dealt, size_t starts[KEY_HEAP_SHARDS + 1])
{
    size_t next[KEY_HEAP_SHARDS];
    memset(starts, 0, (KEY_HEAP_SHARDS + 1) * sizeof(*starts));
    for (size_t part = 0; part < part_count; part++)
        for (size_t i = 0; i < counts[part]; i++)
            starts[(parts[part][i].high >> shift & 0xFF) + 1]++;
    for (size_t i = 0; i < KEY_HEAP_SHARDS; i++)
        starts[i + 1] += starts[i];
    memcpy(next, starts, sizeof(next));
    for (size_t part = 0; part < part_count; part++)
        for (size_t i = 0; i < counts[part]; i++)
            dealt[next[parts[part][i].high >> shift & 0xFF]++] = parts[part][i];
}

#define NEARLY_SORTED_MAX 2048 /* more in a shard: one key may have them all, in any order */

static void sort_shard(struct key_holder *holders, size_t count)
{
    if (count > NEARLY_SORTED_MAX) {
        qsort(holders, count, sizeof(*holders), by_hash);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct key_holder holder = holders[i];
        size_t at = i;
        for (; at > 0 && holder_cmp(&holder, &holders[at - 1]) < 0; at--)
            holders[at] = holders[at - 1];
        holders[at] = holder;
    }
}

bool key_heap_sort(struct key_holder *const *parts, const size_t *counts, size_t part_count, struct key_holder **sorted,
                   size_t starts[KEY_HEAP_SHARDS + 1])
{
    size_t count = 0;
    for (size_t part = 0; part < part_count; part++)
        count += counts[part];
    struct key_holder *half = malloc((count + 1) * sizeof(*half)), *whole = malloc((count + 1) * sizeof(*whole));
    if (half && whole) {
        /* By the bits below those of the shard, then by the shard: a shard is nearly sorted then. */
        deal(parts, counts, part_count, 8, half, starts);
        deal(&half, &count, 1, 16, whole, starts);
        for (size_t i = 0; i < KEY_HEAP_SHARDS; i++)
            sort_shard(whole + starts[i], starts[i + 1] - starts[i]);
    }
    free(half);
    *sorted = whole;
    return half && whole;
}

static bool is_same_key(const struct key_holder *a, const struct key_holder *b)
{
    return a->high == b->high && a->low == b->low;
}

/* How many keys; the names that will be looked at are brought near. */
static uint32_t count_keys(const struct key_holder *holders, size_t count, const struct slot_names *names)
{
    uint32_t keys = 0;
    for (size_t i = 0; i < count; i++) {
        bool another = i == 0 || !is_same_key(&holders[i - 1], &holders[i]);
        keys += another;
        if (another || !(holders[i].holder & 1))
            continue;
        __builtin_prefetch(slot_name(names, key_holder_slot(&holders[i - 1])));
        __builtin_prefetch(slot_name(names, key_holder_slot(&holders[i])));
    }
    return keys;
}

/* One shard, from its holders in order. */
static bool build_shard(struct key_map *map, struct key_shard *shard, const struct key_holder *holders, size_t count,
                        const struct slot_names *names, struct named_slots *group)
{
    uint32_t keys = count_keys(holders, count, names);
    if (!resize(map, shard, roomy(keys)))
        return false;
    for (size_t i = 0, end; i < count; i = end) {
        group->count = 0;
        bool counts_names = holders[i].holder & 1;
        for (end = i + 1; end < count && is_same_key(&holders[i], &holders[end]); end++)
            ;
        for (size_t k = i; k < end; k++) {
            uint32_t slot = key_holder_slot(&holders[k]);
            uint64_t name = counts_names && end - i > 1 ? *slot_name(names, slot) : 0; /* else nobody asks */
            if (!named_slots_push(group, (struct named_slot){name, slot}))
                return false;
        }
        uint32_t reference =
            postings_build(&map->postings, group->items, (uint32_t)group->count, counts_names);
        if (reference == NO_POSTING)
            return false;
        uint64_t kept = ((uint64_t)holders[i].high << 32 | holders[i].low) & HASH_MASK;
        shard->items[shard->count++] = make_item(kept, reference);
    }
    map->key_count += keys;
    map->posting_count += count;
    return true;
}

bool key_map_build(struct key_map *map, size_t heap, const struct key_holder *sorted,
                   const size_t starts[KEY_HEAP_SHARDS + 1], const struct slot_names *names)
{
    struct named_slots group = {0};
    bool built = true;
    for (size_t i = 0; i < KEY_HEAP_SHARDS && built; i++) {
        size_t many = starts[i + 1] - starts[i];
        if (many > 0)
            built = build_shard(map, &map->shards[heap * KEY_HEAP_SHARDS + i], sorted + starts[i], many, names, &group);
    }
    named_slots_free(&group);
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
