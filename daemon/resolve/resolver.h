/*
 * resolver.h - the one thread that decides: takes clean batches, keeps graph and golden records, hands
 * write sets to the writer.
 *
 * Rebuilt from the database at start. What other threads want of the graph (explain, search, decisions) they ask
 * with resolver_call, which runs a function on the resolver's thread between two batches.
 */
#ifndef TRIBUTARY_RESOLVE_RESOLVER_H
#define TRIBUTARY_RESOLVE_RESOLVER_H

#include "daemon/accept/accept_tx.h"
#include "daemon/accept/lanes.h"
#include "daemon/resolve/graph.h"
#include "daemon/resolve/reread.h"

struct resolver;

struct resolver_settings {
    struct db_settings db;
    struct generation *generation;
    struct sources *sources;
    struct intake *intake;      /* its known versions are filled at start */
    struct lanes *lanes;
    const struct clock *clock;
    struct stop *stop;          /* ends every wait; set by resolver_close when its deadline has passed */
    struct graph_limits limits;
    size_t cache_bytes;
    size_t set_arrivals;        /* live batches are joined up to this many arrivals */
    const char *holder;         /* who we are, for the leader row */
    void (*committed)(void *data, uint64_t last_event_seq); /* on the writer's thread; may be NULL */
    void *data;
};

/* Takes leadership, reads records, decisions and counters, puts what was in flight into the lanes' place, and
 * starts the thread. NULL: err says why (RETRY_RECONNECT and RETRY_LATER may be tried again). */
struct resolver *resolver_start(const struct resolver_settings *settings, struct err *err);
/* Resolves what is in the lanes (they must be closed), commits it, ends the thread. What is not done by the deadline is
 * in flight in the database. From then on resolver_call returns false. */
void resolver_close(struct resolver *resolver, int64_t deadline_ms);
void resolver_free(struct resolver **resolver); /* closes it first, at once */

/* Runs `run` on the resolver's thread and waits for it, however long the resolver is busy: for threads that wait for
 * nothing else. False when the resolver is stopping. */
bool resolver_call(struct resolver *resolver, void (*run)(struct resolver *resolver, void *data),
                   void *data);
/* The same for somebody who waits for an answer: when `run` has not begun after some seconds it is not run at all, and err is
 * RETRY_LATER with id resolve.busy; when the resolver is stopping, with id engine.stopping. */
#define RESOLVER_ASK_MS 10000
MUST_CHECK enum status resolver_ask(struct resolver *resolver, void (*run)(struct resolver *resolver, void *data),
                                    void *data, struct err *err);
/* Only inside resolver_call: */
/* Whether all that was accepted up to now is decided and committed; waits a moment for the latter. */
bool resolver_drained(struct resolver *resolver);
struct graph *resolver_graph(struct resolver *resolver);
const struct generation *resolver_generation(struct resolver *resolver);
/* What a steward says of two records; the number comes from the database and orders it. */
struct steward_decision {
    uint64_t decision_id;
    bool always;  /* else never */
    uint64_t a, b; /* records */
    struct natural_key key_a, key_b;
    double weight; /* as the machine judges them; NAN: not judged */
};
struct steward_decisions {
    const char *actor, *note, *origin;
    size_t count;
    const struct steward_decision *list; /* ascending by number */
    size_t retracted_count;
    const int64_t *retracted; /* decisions taken back instead */
};
/* Decides, settles, and commits the decisions together with what follows from them: all or nothing. Waits until that is
 * done; on RETRY_LATER with id resolve.slow it is not known yet, any other failure means that nothing was decided. */
MUST_CHECK enum status resolver_decide(struct resolver *resolver, const struct steward_decisions *decisions,
                                       struct err *err);

/* From now on another generation, with `changed` set: everything is forgotten, read again and judged by it, and what
 * follows is written and told, in the name of generation->actor. It must outlive the resolver. On failure either nothing
 * was begun (RETRY_LATER with id resolve.slow), or the resolver goes on trying, as after any failure of its own. */
MUST_CHECK enum status resolver_change_generation(struct resolver *resolver, struct generation *generation,
                                                  struct err *err);

/* How many records the generation that is being applied has read so far; and what became of them, only inside
 * resolver_call, once it is applied. */
uint64_t resolver_reread_count(struct resolver *resolver);
const struct reread_counts *resolver_reread_counts(struct resolver *resolver);

/* Only inside resolver_call: these records (ids of living ones, ascending) are looked after by somebody from now on; their
 * customers are written again and told, in the name of `actor`. All of it or nothing, like resolver_decide. */
struct steward_assignment {
    const char *actor, *owner, *team;
    size_t count;
    const uint64_t *records;
};
MUST_CHECK enum status resolver_assign(struct resolver *resolver, const struct steward_assignment *assignment,
                                       struct err *err);

/* Puts an event of no customer into the log (source.silent). */
MUST_CHECK enum status resolver_tell(struct resolver *resolver, const char *type, int32_t source_id,
                                     struct slice data, struct err *err);

struct resolver_stats {
    uint64_t arrivals, records, customers, companies, leads, events; /* records.. are totals, arrivals since start */
    uint64_t committed_sets;
    struct graph_stats graph;
    size_t known_bytes, roster_bytes;
    size_t left_behind;         /* batches whose numbers only are in memory (lanes.h) */
    int64_t stalled_ms;         /* since something was committed, while something waits; 0 when nothing does */
    bool failed;
    char failure[256];
};
void resolver_stats(struct resolver *resolver, struct resolver_stats *stats); /* any thread; as of a moment ago */

#endif
