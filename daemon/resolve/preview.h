/*
 * preview.h - what another generation would make of everything stored, found out beside the running service.
 *
 * Reads the records a page at a time on a connection of its own, builds a second graph, and compares. Nothing is
 * written and the resolver is not asked. Needs about the memory of the candidate index once more, and the processor time of
 * a start that judges all records. What comes in meanwhile is seen or not.
 */
#ifndef TRIBUTARY_RESOLVE_PREVIEW_H
#define TRIBUTARY_RESOLVE_PREVIEW_H

#include <stdatomic.h>

#include "daemon/resolve/graph.h"
#include "daemon/resolve/reread.h"

#define PREVIEW_SAMPLES_MAX 1000

struct preview_settings {
    struct db *db;                       /* open, and nobody else's */
    const struct generation *generation; /* the other one */
    const struct generation *in_force;
    struct sources *sources;
    struct graph_limits limits;
    const struct stop *stop;
    size_t samples;                      /* of each sort */
    atomic_uint_fast64_t *records_read;
};

/* Puts one JSON object, described in docs/rematch.md. */
MUST_CHECK enum status preview_run(const struct preview_settings *settings, struct buf *out,
                                   struct err *err);

#endif
