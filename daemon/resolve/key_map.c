/* key_map.c - see key_map.intern.h. */
#include "daemon/resolve/key_map.intern.h"

#define SHARD_BITS          16
#define SHARD_COUNT         ((size_t)1 << SHARD_BITS)
#define HASH_MASK           (((uint64_t)1 << 48) - 1)
#define MALLOC_HEADER_BYTES 16 /* what an allocation costs on top, told in key_map_bytes */

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

static uint32_t home_of(uint64_t hash, uint32_t capacity)
{
    return (uint32_t)(((hash & HASH_MASK) >> 16) * capacity >> 32);
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

/* Where the hash is, or the empty place where it would be. The shard is never full. */
static struct key_item *find(const struct key_shard *shard, uint64_t mixed)
{
    uint64_t hash = mixed & HASH_MASK;
    uint32_t index = home_of(hash, shard->capacity);
    for (;;) {
        struct key_item *item = &shard->items[index];
        if (item_reference(item) == NO_POSTING || item_hash(item) == hash)
            return item;
        if (++index == shard->capacity)
            index = 0;
    }
}

/* Load stays between 0.65 and 0.85: these tables are short, so long runs cost little. */
static bool grow(struct key_map *map, struct key_shard *shard)
{
    struct key_shard bigger = {.count = shard->count};
    if (shard->capacity > UINT32_MAX / 2)
        return false;
    bigger.capacity = shard->capacity < 4 ? 4 : shard->capacity + shard->capacity / 4 + 1;
    bigger.items = malloc(bigger.capacity * sizeof(struct key_item));
    if (bigger.items == NULL)
        return false;
    memset(bigger.items, 0xFF, bigger.capacity * sizeof(struct key_item));
    for (uint32_t i = 0; i < shard->capacity; i++)
        if (item_reference(&shard->items[i]) != NO_POSTING)
            *find(&bigger, item_hash(&shard->items[i])) = shard->items[i];
    map->item_bytes += (bigger.capacity - shard->capacity) * sizeof(struct key_item) +
                       (shard->items ? 0 : MALLOC_HEADER_BYTES);
    free(shard->items);
    *shard = bigger;
    return true;
}

bool key_map_add(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                 struct key_change *change)
{
    uint64_t mixed = mix(hash);
    struct key_shard *shard = shard_of(map, mixed);
    if ((uint64_t)(shard->count + 1) * 20 > (uint64_t)shard->capacity * 17 && !grow(map, shard))
        return false;
    struct key_item *item = find(shard, mixed);
    uint32_t reference = item_reference(item);
    bool is_new = reference == NO_POSTING;
    change->before = postings_size(&map->postings, reference);
    if (!postings_add(&map->postings, &reference, slot, name))
        return false;
    change->after = postings_size(&map->postings, reference);
    *item = make_item(mixed, reference);
    shard->count += is_new;
    map->key_count += is_new;
    map->posting_count++;
    return true;
}

/* Shifts back what may stand in the place of the item that went. */
static void close_hole(struct key_shard *shard, uint32_t hole)
{
    for (uint32_t index = hole;;) {
        if (++index == shard->capacity)
            index = 0;
        const struct key_item *item = &shard->items[index];
        if (item_reference(item) == NO_POSTING)
            break;
        uint32_t home = home_of(item_hash(item), shard->capacity);
        bool stays = hole <= index ? hole < home && home <= index : hole < home || home <= index;
        if (!stays) {
            shard->items[hole] = *item;
            hole = index;
        }
    }
    shard->items[hole] = make_item(HASH_MASK, NO_POSTING);
    shard->count--;
}

bool key_map_remove(struct key_map *map, uint64_t hash, uint32_t slot, uint64_t name,
                    struct key_change *change)
{
    uint64_t mixed = mix(hash);
    struct key_shard *shard = shard_of(map, mixed);
    if (shard->capacity == 0)
        return false;
    struct key_item *item = find(shard, mixed);
    uint32_t reference = item_reference(item);
    change->before = postings_size(&map->postings, reference);
    if (!postings_remove(&map->postings, &reference, slot, name))
        return false;
    change->after = postings_size(&map->postings, reference);
    map->posting_count--;
    if (reference != NO_POSTING) {
        *item = make_item(mixed, reference);
        return true;
    }
    close_hole(shard, (uint32_t)(item - shard->items));
    map->key_count--;
    return true;
}

uint32_t key_map_find(const struct key_map *map, uint64_t hash)
{
    uint64_t mixed = mix(hash);
    const struct key_shard *shard = shard_of(map, mixed);
    return shard->capacity ? item_reference(find(shard, mixed)) : NO_POSTING;
}

void key_map_prefetch_shard(const struct key_map *map, uint64_t hash)
{
    __builtin_prefetch(shard_of(map, mix(hash)));
}

void key_map_prefetch_item(const struct key_map *map, uint64_t hash)
{
    uint64_t mixed = mix(hash);
    const struct key_shard *shard = shard_of(map, mixed);
    if (shard->capacity)
        __builtin_prefetch(&shard->items[home_of(mixed, shard->capacity)]);
}

size_t key_map_bytes(const struct key_map *map)
{
    return SHARD_COUNT * sizeof(struct key_shard) + map->item_bytes +
           postings_bytes(&map->postings);
}
