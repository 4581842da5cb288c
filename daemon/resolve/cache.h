/*
 * cache.h - recently used rows, by id: a bounded map from a number to bytes.
 *
 * Serves the resolver, which must see what it wrote before the database does: an entry put with a write set's
 * number is kept until that set is committed, whatever the bound. Otherwise the least recently used (by a clock
 * hand) goes first. One thread.
 */
#ifndef TRIBUTARY_RESOLVE_CACHE_H
#define TRIBUTARY_RESOLVE_CACHE_H

#include "daemon/base/slice.h"

struct cache;

struct cache *cache_new(size_t max_bytes); /* NULL when out of memory */
void cache_free(struct cache **cache);
/* Copies the bytes. `pinned_by` is the number of the write set that carries them, 0 when they came from the
 * database. False when out of memory. */
bool cache_put(struct cache *cache, uint64_t id, struct slice bytes, uint64_t pinned_by);
/* Keeps an entry that is there until set `pinned_by` is committed; false when it is not there. */
bool cache_pin(struct cache *cache, uint64_t id, uint64_t pinned_by);
/* The bytes, valid until the next put; *found tells. */
struct slice cache_get(struct cache *cache, uint64_t id, bool *found);
/* All sets up to this number are committed: their entries may go. */
void cache_committed(struct cache *cache, uint64_t number);

#endif
