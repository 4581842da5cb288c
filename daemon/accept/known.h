/*
 * known.h - what has been seen of every record: the newest version accepted and the version resolved.
 *
 * Accept asks it whether an arrival is a repeat; the resolver asks it for the record id and whether a
 * version is newer than the one that stands. What stands is in the roster (daemon/resolve/roster.h),
 * which belongs to it; only what was accepted and does not stand (yet) takes memory of its own. Rebuilt
 * at start. Thread safe: known_lock once a batch, then the functions below. Nothing is ever forgotten: a
 * deleted record's key stays known.
 *
 * Versions are ordered by (effective time, content hash): a total order that does not depend on arrival.
 */
#ifndef TRIBUTARY_ACCEPT_KNOWN_H
#define TRIBUTARY_ACCEPT_KNOWN_H

#include "daemon/base/err.h"
#include "daemon/resolve/roster.h"

struct known;

struct known_version {
    int64_t effective_us;
    uint64_t hash; /* low half of the content hash; 0 stands for "none" */
};

struct known_state {
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
/* Nothing but zeros for a key never seen. */
struct known_state known_get(const struct known *known, struct natural_key key);
/* Sets what was accepted, and by which batch that is not durable yet. False when the key is new and there is no room,
 * or out of memory: nothing is changed then. */
bool known_accept(struct known *known, struct natural_key key, struct known_version accepted,
                  uint64_t provisional_batch);

/* For the resolver, its only user. The roster is another one after known_forget_resolved. */
struct roster *known_roster(struct known *known);
/* The entry of a record in the roster, made when needed; NULL when full or out of memory. */
struct roster_entry *known_add(struct known *known, uint64_t record_id, struct natural_key key);
/* To be called once a record's entry says another version. */
void known_resolved(struct known *known, struct natural_key key);
/* Forgets what is resolved and the record ids, before the resolver reads them again; what was accepted stays known. */
void known_forget_resolved(struct known *known);
/* They are read again. */
void known_restored(struct known *known);

size_t known_count(const struct known *known);
/* How many records with keys never seen find room; and whether a key takes of that. */
size_t known_room(const struct known *known);
bool known_is_new(const struct known *known, struct natural_key key);
size_t known_bytes(const struct known *known); /* without the roster */

#endif
