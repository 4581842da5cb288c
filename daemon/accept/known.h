/*
 * known.h - what has been seen of every record: the newest version accepted and the version resolved.
 *
 * Accept asks it whether an arrival is a repeat; the resolver asks it for the record id and whether a
 * version is newer than the one that stands. In memory (some 72 bytes a record), rebuilt at start. Thread
 * safe: known_lock once a batch, then the functions below. Entries are never removed: a deleted record's
 * key stays known.
 *
 * Versions are ordered by (effective time, content hash): a total order that does not depend on arrival.
 */
#ifndef TRIBUTARY_ACCEPT_KNOWN_H
#define TRIBUTARY_ACCEPT_KNOWN_H

#include "daemon/base/err.h"
#include "daemon/resolve/graph.h"

struct known;

struct known_version {
    int64_t effective_us;
    uint64_t hash; /* low half of the content hash; 0 stands for "none" */
};

struct known_entry {
    struct natural_key key;
    struct known_version accepted; /* newest version made durable (or about to be) */
    struct known_version resolved; /* version that stands in tributary.record */
    uint64_t record_id;            /* 0 until first resolved */
    uint64_t provisional_batch;    /* accepted by this batch, which is not durable yet; 0 none */
};

/* <0, 0, >0 as a is older than, the same as, newer than b. "None" is older than any. */
int known_version_cmp(const struct known_version *a, const struct known_version *b);

struct known *known_new(size_t max_records);
void known_free(struct known **known);
void known_lock(struct known *known);
void known_unlock(struct known *known);
/* The entry of a key, or NULL. The pointer is valid until the next known_add. */
struct known_entry *known_find(struct known *known, struct natural_key key);
/* The entry of a key, made empty when there was none; NULL when full or out of memory. */
struct known_entry *known_add(struct known *known, struct natural_key key);
/* Forgets what is resolved and the record ids, before the resolver reads them again. */
void known_forget_resolved(struct known *known);
size_t known_count(const struct known *known);
size_t known_bytes(const struct known *known);

#endif
