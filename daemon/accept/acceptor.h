/*
 * acceptor.h - the accept thread of all push sources: group commit, and the spool when PostgreSQL is away.
 *
 * HTTP threads hand over a submission each; everything that waits is made durable in one transaction. Nobody waits for
 * the resolver: a batch that finds its lane full is left behind (lanes.h), and when no more may be left, posts go to the
 * spool as if the database were away. A
 * submission's arena is taken over for good (the batch keeps it until it is resolved), so a reply must be made from
 * other memory.
 */
#ifndef TRIBUTARY_ACCEPT_ACCEPTOR_H
#define TRIBUTARY_ACCEPT_ACCEPTOR_H

#include "daemon/accept/accept_tx.h"
#include "daemon/accept/lanes.h"

struct acceptor;

enum submission_outcome {
    SUBMISSION_STORED = 1, /* durable in PostgreSQL */
    SUBMISSION_SPOOLED,    /* durable in the spool */
    SUBMISSION_REFUSED,    /* could not be kept: answer 503 with Retry-After */
};

/* Made by the caller with calloc; freed by whoever `completed` says (the callee of `completed`). */
struct submission {
    struct source *source;
    struct arena *arena;                /* taken */
    struct delivery_batch deliveries;   /* in the arena */
    int64_t received_us;
    bool spooled;                       /* received earlier, kept in the spool since */
    uint64_t suppressed;                /* only counted (honeypot); deliveries may then be empty */
    /* Called once, on the accept thread; must not block. Results are set by then; the arena may be gone. */
    void (*completed)(struct submission *submission);
    void *data;                         /* the caller's */
    enum submission_outcome outcome;
    bool repeat;                        /* nothing in it was new */
    bool *repeats;                      /* NULL, or the caller's: one for each delivery */
};

struct acceptor_settings {
    struct db_settings db;        /* conninfo apart */
    char *const *conninfo;        /* read once intake->ready is set */
    struct intake *intake;
    struct lanes *lanes;
    struct sources *sources;
    size_t waiting_max;           /* submissions; beyond, acceptor_submit refuses */
    const char *spool_path;       /* "" no spool */
    int64_t spool_max_bytes;
};

struct acceptor *acceptor_start(const struct acceptor_settings *settings, struct err *err);
/* False when too many wait or it is stopping: nothing was taken, `completed` is not called. */
bool acceptor_submit(struct acceptor *acceptor, struct submission *submission);
/* Takes over a transaction of somebody else's whose COMMIT was not answered, with the connection that sent it: it is found out
 * about until that is known, and what was committed is resolved. False when too many are undecided: nothing was taken. */
bool acceptor_adopt(struct acceptor *acceptor, struct accept_work **work, struct batch **batch, struct db **db);
/* Completes what waits, then ends. A database that has not answered by the deadline is not waited for any more. */
void acceptor_stop(struct acceptor **acceptor, int64_t deadline_ms);

struct acceptor_state {
    size_t waiting;
    bool database_away;       /* posts go to the spool */
    bool behind;              /* the same, because too much waits to be resolved */
    uint64_t spooled;         /* submissions in the spool */
    int64_t spool_bytes;
    bool spool_full;
};
void acceptor_state(struct acceptor *acceptor, struct acceptor_state *state);

#endif
