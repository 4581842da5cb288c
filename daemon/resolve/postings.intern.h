/*
 * postings.intern.h - who holds a key, and how many distinct names they bear.
 *
 * Names are counted of values only: of a combination it counts how many hold it (rules/match.h, key_class).
 *
 * A reference (32 bits) is one of: a slot (a single holder costs nothing more), a small block of up
 * to 32 holders in a pool of words, or a large posting: a hash set of holders and a table that
 * counts them by name, so that adding to and removing from a hundred thousand holders is O(1) and
 * exact.
 */
#ifndef TRIBUTARY_RESOLVE_POSTINGS_INTERN_H
#define TRIBUTARY_RESOLVE_POSTINGS_INTERN_H

#include "daemon/resolve/entries.intern.h"
#include "daemon/resolve/graph_matcher.intern.h"

#define NO_POSTING          UINT32_MAX
#define POSTING_CLASS_COUNT 9

VECTOR(word_chunks, uint32_t *)

struct name_count {
    uint64_t name;
    uint64_t count; /* 0: empty */
};

struct large_posting {
    uint32_t *slots; /* a hash set: slots and NO_SLOT */
    struct name_count *names; /* none when names are not counted */
    uint32_t slot_capacity, name_capacity; /* powers of two */
    uint32_t count, degree;
};
VECTOR(large_postings, struct large_posting)

#define KNOWN_NAMES 512

/* Names lately unpacked, by slot. A matcher takes its time over a name, and the records that share
 * one key with a new one mostly share several. */
struct known_name {
    uint64_t name;
    uint32_t slot; /* NO_SLOT: none */
};

struct postings {
    const struct entries *entries;
    const struct graph_matcher_ops *ops;
    struct word_chunks chunks;
    uint32_t used_words; /* of the last chunk */
    uint32_t first_free[POSTING_CLASS_COUNT];
    struct large_postings large;
    struct slots free_large;
    size_t large_bytes;
    struct known_name known_names[KNOWN_NAMES];
};

struct named_slot {
    uint64_t name;
    uint32_t slot;
};
VECTOR(named_slots, struct named_slot)
/* The reference of a posting with these holders (at least one, all distinct) at once. NO_POSTING when out of memory. */
uint32_t postings_build(struct postings *postings, const struct named_slot *holders, uint32_t count,
                        bool counts_names);

struct posting_size {
    uint32_t count;  /* holders */
    uint32_t degree; /* distinct names among them; not known when they are not counted */
};

/* The holders, for iteration: `span` items, those equal to NO_SLOT are to be skipped. Borrowed from
 * the posting (and from *reference), valid until the next change. */
struct holders {
    const uint32_t *slots;
    uint32_t span;
    struct posting_size size;
};

void postings_init(struct postings *postings, const struct entries *entries,
                   const struct graph_matcher_ops *ops);
void postings_free(struct postings *postings);
/* Changes *reference in place. The holder's features must be those in the entries; it must not hold
 * the key yet. `name` NULL, always for one posting or never: names are not counted. False when out of memory, nothing
 * changed. */
bool postings_add(struct postings *postings, uint32_t *reference, uint32_t slot, const uint64_t *name);
/* The holder's features must still be those it was added with. *reference becomes NO_POSTING with
 * the last one. False when out of memory or when it does not hold the key. */
bool postings_remove(struct postings *postings, uint32_t *reference, uint32_t slot, const uint64_t *name);
struct posting_size postings_size(const struct postings *postings, uint32_t reference);
void postings_view(const struct postings *postings, const uint32_t *reference,
                   struct holders *holders);
/* One holder of a posting that is not large, else NO_SLOT. */
uint32_t postings_any(const struct postings *postings, uint32_t reference);
void postings_prefetch(const struct postings *postings, uint32_t reference);
/* Tells the name of a record whose features were just set, so that it need not be unpacked when
 * others come to hold its keys. Must be called whenever a record's features change. */
void postings_know_name(struct postings *postings, uint32_t slot, uint64_t name);
bool postings_hold(const struct postings *postings, uint32_t reference, uint32_t slot);
size_t postings_bytes(const struct postings *postings);

/* postings_large.c */
bool large_posting_add(struct postings *postings, struct large_posting *large, uint32_t slot,
                       const uint64_t *name);
bool large_posting_remove(struct postings *postings, struct large_posting *large, uint32_t slot,
                          const uint64_t *name);
bool large_posting_has(const struct large_posting *large, uint32_t slot);
void large_posting_free(struct postings *postings, struct large_posting *large);

#endif
