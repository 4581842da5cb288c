/*
 * spool_salvage.h - what can be read of a damaged spool. For spool*.c only.
 *
 * First row by row through SQLite, then by searching the files (the write-ahead log, too) for whole frames, which
 * may bring back an entry that was forgotten already: it is a repeat then. Entries come once each, by ascending id.
 */
#ifndef TRIBUTARY_ACCEPT_SPOOL_SALVAGE_H
#define TRIBUTARY_ACCEPT_SPOOL_SALVAGE_H

#include "daemon/accept/spool.h"

struct spool_salvage {
    struct arena *arena;
    size_t count, capacity;
    struct spool_entry *entries;
    size_t damaged; /* rows seen that were not whole */
};

/* Reads the files at `path` (and path-wal). False only when out of memory. Free the arena and entries. */
bool spool_salvage(const char *path, size_t max_bytes, struct spool_salvage *salvage);
void spool_salvage_free(struct spool_salvage *salvage);

#endif
