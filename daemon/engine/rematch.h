/*
 * rematch.h - another generation, tried or applied, in a thread of the engine's.
 *
 * One at a time. Applying: columns first, then the resolver forgets everything and judges it anew
 * (daemon/resolve/regenerate.c); posts go on being accepted and are resolved after it. Trying: daemon/resolve/preview.h.
 * Any thread may ask.
 */
#ifndef TRIBUTARY_ENGINE_REMATCH_H
#define TRIBUTARY_ENGINE_REMATCH_H

#include "daemon/engine/engine.h"
#include "daemon/resolve/reread.h"

enum rematch_kind { REMATCH_NONE, REMATCH_PREVIEW, REMATCH_APPLY };

/* Begins. generation_id 0: the pending one. RETRY_NONE with id rematch.nothing when none is pending, rematch.in_force when
 * it is the one in force; RETRY_LATER with id rematch.busy while another runs. `samples` of each sort are put to a preview. */
MUST_CHECK enum status rematch_start(struct engine *engine, enum rematch_kind kind, int32_t generation_id,
                                     size_t samples, const char *actor, struct err *err);

struct rematch_report {
    enum rematch_kind kind; /* REMATCH_NONE: nothing was asked since the start */
    int32_t generation_id, from_id; /* from: that was in force */
    bool running, failed;
    uint64_t records_read, records; /* of those there are */
    struct err err;                 /* when failed */
};
/* `result` gets the JSON of what was found or done, once it is over and did not fail. */
void rematch_report(struct engine *engine, struct rematch_report *report, struct buf *result);

#endif
