/* known.c - see known.h. Open addressing, linear probing, at most three quarters full. */
#include "daemon/accept/known.h"

#include <pthread.h>
#include <stdlib.h>

struct known {
    pthread_mutex_t lock;
    struct known_entry *slots;
    size_t mask;
    size_t count;
    size_t max_records;
};

int known_version_cmp(const struct known_version *a, const struct known_version *b)
{
    if (a->hash == 0 || b->hash == 0)
        return (a->hash != 0) - (b->hash != 0);
    if (a->effective_us != b->effective_us)
        return a->effective_us < b->effective_us ? -1 : 1;
    return a->hash < b->hash ? -1 : a->hash > b->hash;
}

struct known *known_new(size_t max_records)
{
    struct known *known = calloc(1, sizeof(*known));
    if (known == NULL)
        return NULL;
    known->mask = 1023;
    known->max_records = max_records;
    known->slots = calloc(known->mask + 1, sizeof(*known->slots));
    if (known->slots == NULL) {
        free(known);
        return NULL;
    }
    pthread_mutex_init(&known->lock, NULL);
    return known;
}

void known_free(struct known **known)
{
    if (*known == NULL)
        return;
    pthread_mutex_destroy(&(*known)->lock);
    free((*known)->slots);
    free(*known);
    *known = NULL;
}

void known_lock(struct known *known)
{
    pthread_mutex_lock(&known->lock);
}

void known_unlock(struct known *known)
{
    pthread_mutex_unlock(&known->lock);
}

static bool is_empty(const struct known_entry *entry)
{
    return entry->key.high == 0 && entry->key.low == 0;
}

static struct known_entry *probe(struct known_entry *slots, size_t mask, struct natural_key key)
{
    size_t at = (size_t)key.low & mask;
    while (!is_empty(&slots[at]) && !natural_key_eq(slots[at].key, key))
        at = (at + 1) & mask;
    return &slots[at];
}

struct known_entry *known_find(struct known *known, struct natural_key key)
{
    struct known_entry *entry = probe(known->slots, known->mask, key);
    return is_empty(entry) ? NULL : entry;
}

static bool grow(struct known *known)
{
    size_t mask = known->mask * 2 + 1;
    struct known_entry *slots = calloc(mask + 1, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i <= known->mask; i++) {
        if (!is_empty(&known->slots[i]))
            *probe(slots, mask, known->slots[i].key) = known->slots[i];
    }
    free(known->slots);
    known->slots = slots;
    known->mask = mask;
    return true;
}

struct known_entry *known_add(struct known *known, struct natural_key key)
{
    struct known_entry *entry = probe(known->slots, known->mask, key);
    if (!is_empty(entry))
        return entry;
    if (known->count >= known->max_records)
        return NULL;
    if ((known->count + 1) * 4 > (known->mask + 1) * 3) {
        if (!grow(known))
            return NULL;
        entry = probe(known->slots, known->mask, key);
    }
    entry->key = key;
    known->count++;
    return entry;
}

void known_forget_resolved(struct known *known)
{
    for (size_t i = 0; i <= known->mask; i++) {
        known->slots[i].resolved = (struct known_version){0};
        known->slots[i].record_id = 0;
    }
}

size_t known_count(const struct known *known)
{
    return known->count;
}

size_t known_bytes(const struct known *known)
{
    return (known->mask + 1) * sizeof(*known->slots);
}
