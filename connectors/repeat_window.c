/*
 * repeat_window.c - see repeat_window.h.
 *
 * A ring of entries in order of time, and chains through them by hash. An entry is overwritten when the ring
 * comes round; so the oldest go first and nothing needs to be swept.
 */
#include "connectors/repeat_window.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define START_ENTRIES 1024
#define NO_ENTRY      UINT32_MAX

struct entry {
    struct window_hash hash;
    int64_t at_us;
    uint8_t key[WINDOW_KEY_BYTES];
    uint32_t next; /* in its chain */
};

struct repeat_window {
    size_t entries_max;
    int64_t window_us;
    pthread_mutex_t lock;
    struct entry *ring;
    uint32_t *chains; /* as many as the ring has places */
    size_t capacity;  /* of the ring */
    size_t used;      /* places ever filled, up to capacity */
    size_t at;        /* the next place */
};

/* A ring of `capacity` places with what the old one held, in order of time. */
static bool ring_grow(struct repeat_window *window, size_t capacity)
{
    struct entry *ring = calloc(capacity, sizeof(*ring));
    uint32_t *chains = malloc(capacity * sizeof(*chains));
    if (ring == NULL || chains == NULL) {
        free(ring);
        free(chains);
        return false;
    }
    memset(chains, 0xff, capacity * sizeof(*chains));
    size_t oldest = window->used == window->capacity ? window->at : 0;
    for (size_t i = 0; i < window->used; i++) {
        ring[i] = window->ring[(oldest + i) % window->capacity];
        uint32_t *chain = &chains[ring[i].hash.low % capacity];
        ring[i].next = *chain;
        *chain = (uint32_t)i;
    }
    free(window->ring);
    free(window->chains);
    window->ring = ring;
    window->chains = chains;
    window->capacity = capacity;
    window->at = window->used;
    return true;
}

struct repeat_window *repeat_window_new(size_t entries_max, int64_t window_ms)
{
    struct repeat_window *window = calloc(1, sizeof(*window));
    if (window == NULL)
        return NULL;
    window->entries_max = entries_max ? entries_max : 1;
    window->window_us = window_ms * 1000;
    if (!ring_grow(window, entries_max < START_ENTRIES ? window->entries_max : START_ENTRIES)) {
        free(window);
        return NULL;
    }
    pthread_mutex_init(&window->lock, NULL);
    return window;
}

void repeat_window_free(struct repeat_window **window)
{
    if (*window == NULL)
        return;
    pthread_mutex_destroy(&(*window)->lock);
    free((*window)->ring);
    free((*window)->chains);
    free(*window);
    *window = NULL;
}

static struct entry *find_entry(struct repeat_window *window, struct window_hash hash)
{
    for (uint32_t at = window->chains[hash.low % window->capacity]; at != NO_ENTRY; at = window->ring[at].next) {
        struct entry *entry = &window->ring[at];
        if (entry->hash.high == hash.high && entry->hash.low == hash.low)
            return entry;
    }
    return NULL;
}

static void unlink_entry(struct repeat_window *window, uint32_t at)
{
    uint32_t *link = &window->chains[window->ring[at].hash.low % window->capacity];
    while (*link != at)
        link = &window->ring[*link].next;
    *link = window->ring[at].next;
}

static void add_entry(struct repeat_window *window, struct window_hash hash, int64_t now_us,
                      const uint8_t key[WINDOW_KEY_BYTES])
{
    if (window->at == window->capacity)
        window->at = 0;
    bool full = window->used == window->capacity;
    if (full && window->capacity < window->entries_max &&
        now_us - window->ring[window->at].at_us < window->window_us) {
        size_t doubled = window->capacity * 2;
        (void)ring_grow(window, doubled < window->entries_max ? doubled : window->entries_max);
    }
    uint32_t at = (uint32_t)window->at++;
    if (window->used > at)
        unlink_entry(window, at);
    else
        window->used = at + 1;
    struct entry *entry = &window->ring[at];
    uint32_t *chain = &window->chains[hash.low % window->capacity];
    *entry = (struct entry){.hash = hash, .at_us = now_us, .next = *chain};
    memcpy(entry->key, key, WINDOW_KEY_BYTES);
    *chain = at;
}

void repeat_window_key(struct repeat_window *window, struct window_hash hash, int64_t now_us,
                       uint8_t key[WINDOW_KEY_BYTES])
{
    pthread_mutex_lock(&window->lock);
    struct entry *entry = find_entry(window, hash);
    if (entry && now_us - entry->at_us < window->window_us) {
        memcpy(key, entry->key, WINDOW_KEY_BYTES);
    } else if (entry) {
        entry->hash.high = ~entry->hash.high; /* too old: no longer found; its place comes round */
        add_entry(window, hash, now_us, key);
    } else {
        add_entry(window, hash, now_us, key);
    }
    pthread_mutex_unlock(&window->lock);
}
