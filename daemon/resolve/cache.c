/* cache.c - see cache.h. Open addressing over entries that own their bytes; deletion shifts back. */
#include "daemon/resolve/cache.h"

#include <stdlib.h>

struct entry {
    uint64_t id; /* 0 empty */
    uint64_t pinned_by;
    char *bytes;
    uint32_t len;
    bool used; /* since the hand last came by */
};

struct cache {
    struct entry *slots;
    size_t mask;
    size_t count;
    size_t bytes;
    size_t max_bytes;
    size_t hand;
    uint64_t committed;
    bool all_pinned; /* nothing could go, and nothing was committed since */
};

struct cache *cache_new(size_t max_bytes)
{
    struct cache *cache = calloc(1, sizeof(*cache));
    if (cache == NULL)
        return NULL;
    cache->mask = 4095;
    cache->max_bytes = max_bytes;
    cache->slots = calloc(cache->mask + 1, sizeof(*cache->slots));
    if (cache->slots == NULL) {
        free(cache);
        return NULL;
    }
    return cache;
}

void cache_free(struct cache **cache)
{
    if (*cache == NULL)
        return;
    for (size_t i = 0; i <= (*cache)->mask; i++)
        free((*cache)->slots[i].bytes);
    free((*cache)->slots);
    free(*cache);
    *cache = NULL;
}

static size_t home(const struct cache *cache, uint64_t id)
{
    return (size_t)(id * 0x9E3779B97F4A7C15u >> 20) & cache->mask;
}

static size_t find(const struct cache *cache, uint64_t id)
{
    size_t at = home(cache, id);
    while (cache->slots[at].id != 0 && cache->slots[at].id != id)
        at = (at + 1) & cache->mask;
    return at;
}

static void remove_at(struct cache *cache, size_t at)
{
    cache->bytes -= cache->slots[at].len + sizeof(struct entry);
    cache->count--;
    free(cache->slots[at].bytes);
    cache->slots[at] = (struct entry){0};
    for (size_t next = (at + 1) & cache->mask; cache->slots[next].id; next = (next + 1) & cache->mask) {
        size_t wanted = home(cache, cache->slots[next].id);
        if (((next - wanted) & cache->mask) >= ((next - at) & cache->mask)) {
            cache->slots[at] = cache->slots[next];
            cache->slots[next] = (struct entry){0};
            at = next;
        }
    }
}

/* Lets entries go until the bound holds, or the hand has been round twice. */
static void shrink(struct cache *cache)
{
    if (cache->bytes <= cache->max_bytes || cache->all_pinned)
        return;
    for (size_t steps = 0; cache->bytes > cache->max_bytes && steps <= 2 * cache->mask + 1; steps++) {
        struct entry *entry = &cache->slots[cache->hand];
        if (entry->id && entry->pinned_by <= cache->committed && !entry->used) {
            remove_at(cache, cache->hand); /* another may have come to this place: look again */
            continue;
        }
        entry->used = false;
        cache->hand = (cache->hand + 1) & cache->mask;
    }
    cache->all_pinned = cache->bytes > cache->max_bytes;
}

static bool grow(struct cache *cache)
{
    if ((cache->count + 1) * 4 <= (cache->mask + 1) * 3)
        return true;
    size_t old_count = cache->mask + 1;
    struct entry *old = cache->slots;
    struct entry *slots = calloc(old_count * 2, sizeof(*slots));
    if (slots == NULL)
        return false;
    cache->slots = slots;
    cache->mask = old_count * 2 - 1;
    cache->hand = 0;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].id)
            slots[find(cache, old[i].id)] = old[i];
    }
    free(old);
    return true;
}

bool cache_put(struct cache *cache, uint64_t id, struct slice bytes, uint64_t pinned_by)
{
    shrink(cache);
    char *copy = malloc(bytes.len + 1);
    if (copy == NULL || bytes.len > UINT32_MAX || !grow(cache)) {
        free(copy);
        return false;
    }
    memcpy(copy, bytes.ptr, bytes.len);
    size_t at = find(cache, id);
    struct entry *entry = &cache->slots[at];
    if (entry->id) {
        cache->bytes -= entry->len + sizeof(struct entry);
        free(entry->bytes);
    } else {
        cache->count++;
    }
    *entry = (struct entry){id, pinned_by, copy, (uint32_t)bytes.len, true};
    cache->bytes += bytes.len + sizeof(struct entry);
    return true;
}

bool cache_pin(struct cache *cache, uint64_t id, uint64_t pinned_by)
{
    struct entry *entry = &cache->slots[find(cache, id)];
    if (entry->id == 0)
        return false;
    entry->used = true;
    if (entry->pinned_by < pinned_by)
        entry->pinned_by = pinned_by;
    return true;
}

struct slice cache_get(struct cache *cache, uint64_t id, bool *found)
{
    struct entry *entry = &cache->slots[find(cache, id)];
    *found = entry->id != 0;
    entry->used = *found;
    return slice_of(entry->bytes, entry->len);
}

void cache_committed(struct cache *cache, uint64_t number)
{
    if (number > cache->committed)
        cache->all_pinned = false;
    cache->committed = number;
}
