/*
 * spool.h - where posts are kept while PostgreSQL is away: one SQLite file under state_dir.
 *
 * WAL, synchronous=FULL; one transaction per group of posts. Bounded in bytes. A damaged file is moved aside
 * (spool.db.damaged-TIME), what can be read of it is taken over, and a warning says how many were. One
 * thread (the acceptor) uses it.
 */
#ifndef TRIBUTARY_ACCEPT_SPOOL_H
#define TRIBUTARY_ACCEPT_SPOOL_H

#include "daemon/base/arena.h"
#include "daemon/base/err.h"

struct spool;

struct spool_entry { /* one delivery */
    int64_t spool_id;        /* set by spool_read */
    struct slice source;     /* name in the configuration */
    int64_t received_us;
    struct slice layout, meta, position, body;
};

struct spool *spool_open(const char *path, int64_t max_bytes, struct err *err); /* NULL: err */
void spool_close(struct spool **spool);
/* Durable when STATUS_OK; all or none. RETRY_LATER with id accept.spool_full when over its bound. */
MUST_CHECK enum status spool_put(struct spool *spool, const struct spool_entry *entries, size_t count,
                                 struct err *err);
/* The oldest entries, up to max (and some 32 MiB), in order. */
MUST_CHECK enum status spool_read(struct spool *spool, size_t max, struct arena *arena,
                                  struct spool_entry **entries, size_t *count, struct err *err);
/* Forgets all entries up to and including this id: they are in PostgreSQL. */
MUST_CHECK enum status spool_forget(struct spool *spool, int64_t up_to_spool_id, struct err *err);
uint64_t spool_count(const struct spool *spool);
int64_t spool_bytes(const struct spool *spool);

#endif
