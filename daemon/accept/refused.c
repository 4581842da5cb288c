/* refused.c - see refused.h. Two tables: the young one takes what is new; when it is half full it becomes the old one, and the old
 * one is forgotten. */
#include "daemon/accept/refused.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SLOTS (REFUSED_MAX * 2) /* a power of two */

struct entry {
    struct refused_key key; /* 0, 0: free */
    uint64_t provisional_batch;
};

struct refused {
    struct entry *young, *old; /* old: NULL at first */
    size_t young_count;
};

#define FORGOTTEN UINT64_MAX /* as provisional_batch: its batch did not become durable */

struct refused *refused_new(void)
{
    struct refused *refused = calloc(1, sizeof(*refused));
    if (refused)
        refused->young = calloc(SLOTS, sizeof(*refused->young));
    if (refused && refused->young == NULL) {
        free(refused);
        return NULL;
    }
    return refused;
}

void refused_free(struct refused **refused)
{
    if (*refused == NULL)
        return;
    free((*refused)->young);
    free((*refused)->old);
    free(*refused);
    *refused = NULL;
}

struct refused_key refused_key_of(const char *source, bool pulled, struct slice layout, const struct delivery *delivery)
{
    bool cut = pulled && slice_find(delivery->meta, SLICE("\"bytes\":")) >= 0;
    const struct slice parts[] = {slice_str(source), slice_str(delivery->refusal), layout, delivery->body,
                                  pulled ? delivery->meta : SLICE_EMPTY, cut ? delivery->position : SLICE_EMPTY};
    XXH128_canonical_t digests[sizeof(parts) / sizeof(parts[0])];
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        XXH128_canonicalFromHash(&digests[i], XXH3_128bits_withSeed(parts[i].ptr, parts[i].len, parts[i].len));
    XXH128_hash_t hash = XXH3_128bits(digests, sizeof(digests));
    return (struct refused_key){hash.high64, hash.low64 | 1};
}

static struct entry *place_of(struct entry *table, struct refused_key key)
{
    size_t at = (size_t)key.high & (SLOTS - 1);
    while (table[at].key.low != 0 && (table[at].key.high != key.high || table[at].key.low != key.low))
        at = (at + 1) & (SLOTS - 1);
    return &table[at];
}

static struct entry *find(struct refused *refused, struct refused_key key)
{
    struct entry *entry = place_of(refused->young, key);
    if (entry->key.low == 0 && refused->old)
        entry = place_of(refused->old, key);
    return entry->key.low ? entry : NULL;
}

bool refused_note(struct refused *refused, struct refused_key key, uint64_t provisional_batch)
{
    struct entry *entry = find(refused, key);
    if (entry && entry->provisional_batch != FORGOTTEN) {
        bool durable = entry->provisional_batch == 0;
        if (provisional_batch == 0)
            entry->provisional_batch = 0;
        return durable || entry->provisional_batch == provisional_batch;
    }
    if (entry == NULL && refused->young_count >= REFUSED_MAX) {
        struct entry *fresh = calloc(SLOTS, sizeof(*fresh));
        if (fresh == NULL)
            return false;
        free(refused->old);
        refused->old = refused->young;
        refused->young = fresh;
        refused->young_count = 0;
    }
    if (entry == NULL) {
        entry = place_of(refused->young, key);
        entry->key = key;
        refused->young_count++;
    }
    entry->provisional_batch = provisional_batch;
    return false;
}

void refused_done(struct refused *refused, struct refused_key key, uint64_t provisional_batch, bool durable)
{
    struct entry *entry = find(refused, key);
    if (entry && entry->provisional_batch == provisional_batch)
        entry->provisional_batch = durable ? 0 : FORGOTTEN;
}
