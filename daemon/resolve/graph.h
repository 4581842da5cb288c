/*
 * graph.h - the candidate index and the customers found in it.
 *
 * Holds, packed in memory, the features, keys and natural keys of all live records; the judged
 * pairs at or above the review weight (edges); the decisions; and the customer of each record. It
 * is a function of the *set* of live records, the matcher and the decisions: any order of puts,
 * removes and decisions, in any batches, settles to the same partition (record ids apart).
 *
 * Definitions (docs/architecture.md, "Resolve"):
 *  - degree(value) = distinct name keys among the live records that hold the value key; bands are
 *    powers of two; above 64 the key is dead: no candidate, no evidence. When a band changes, the
 *    pairs that share the value are judged again. A key that more records hold than its class allows
 *    (key_records_max in rules/match.h; key_records at most) is dead too: of a value, it could only make
 *    customers too large, of a combination, it brings strangers together, each time at the price of judging all
 *    its pairs. A combination has no bands: it is live or dead, and no evidence.
 *    A dead value that both records of a judged pair hold is passed to match_score with the band
 *    DEGREE_DEAD.
 *  - a pair is judged if and only if it shares a live key.
 *  - a component is connected by edges at or above the link weight and by `always`; inside it a
 *    constrained Kruskal: decisions first, newest first (of several on a pair only the newest
 *    stands), then edges by weight descending, then by natural keys. A `never` forbids from its
 *    turn on that its ends be joined, unless newer `always` have joined them by then; so an
 *    `always` overrules older `never`s, and one that would join a newer `never` is refused. An
 *    edge's union is refused when it would join a `never`, two different identities of persons,
 *    two sets with names and none in common through a record without a name (of several people
 *    who share a phone it may be anybody's; beyond GRAPH_CERTAIN_BITS above the link weight there
 *    is more than that), or exceed the size cap; `always` heeds no identities, but the size cap, and joins no
 *    person with a company. A pair with a
 *    decision of its own is no edge here: the decision has spoken for it.
 *  - a component above component_records is cut: the link weight of its pieces rises by 2 bits
 *    (in log2 odds) at a time until each is at or below that size or held together by `always`
 *    alone. It is counted.
 *  - customer = smallest record id of its records.
 *  - reviews: edges between review and link weight whose ends lie in different customers; refused
 *    unions of `always`; and of strong edges, one between two customers: the first refused (with
 *    the reason and, for a never, an identity or a name, the pair of records that forbade it). Strong
 *    edges that the cutting of a large component left out count as refused for size, last. A pair
 *    that a steward has decided is never a doubtful one again.
 *
 * One thread (the resolver) owns it. Not a function of time; no I/O. When memory runs out, every
 * later put, decide and settle fails with `graph.memory` and the owner builds a new graph.
 */
#ifndef TRIBUTARY_RESOLVE_GRAPH_H
#define TRIBUTARY_RESOLVE_GRAPH_H

#include "daemon/base/arena.h"
#include "daemon/base/err.h"
#include "daemon/resolve/natural_key.h"
#include "rules/match.h"

struct graph;
struct roster;

#define GRAPH_CERTAIN_BITS 6.0

struct graph_limits {
    size_t max_records;         /* refuse beyond (default 50,000,000) */
    uint32_t component_records; /* above this the threshold rises (2,000) */
    uint32_t customer_records;  /* size cap of one customer (1,000) */
    uint32_t key_records;       /* a key held by more is dead whatever its degree and class (1,000) */
    size_t edges_kept;          /* of more, those of components long settled are forgotten, to be found again when
                                 * something near them changes (one for 32 records, at least 32,768) */
}; /* 0 stands for the default, NULL for all defaults */

struct graph *graph_new(const struct matcher *matcher, const struct graph_limits *limits);
/* Record ids and natural keys are kept in a roster: its own, or from now on this one, which must outlive it (both
 * still empty). */
void graph_use_roster(struct graph *graph, struct roster *roster);
void graph_free(struct graph **graph);

/* Puts a live record or replaces its features (nothing happens when they are the same). record_id
 * never changes for a natural key; record ids start at 1 and are at most 67,108,862 (26 bits). `features` must not point into the
 * graph. */
MUST_CHECK enum status graph_put(struct graph *graph, uint64_t record_id, struct natural_key key,
                                 struct slice features, struct err *err);
/* The same with keys and name key made by the graph's matcher before, which is where most of the time goes. */
MUST_CHECK enum status graph_put_keyed(struct graph *graph, uint64_t record_id, struct natural_key key,
                                       const struct keyed_features *keyed, struct err *err);
/* Puts back a record that was settled before, with the customer it was in. All of them, in the order of
 * their ids, come first, then the decisions, then graph_settle without a report. Their pairs are judged
 * only when something near them changes; if they say another customer then, that settle fails with
 * `graph.differs`, and so does every later one. */
MUST_CHECK enum status graph_restore(struct graph *graph, uint64_t record_id, struct natural_key key,
                                     struct slice features, uint64_t customer_id, struct err *err);
/* Takes a record out (deleted upstream). Unknown ids are ignored. */
void graph_remove(struct graph *graph, uint64_t record_id);

enum decision_kind { DECISION_ALWAYS = 1, DECISION_NEVER = 2 };
/* `order` is the decision's id (from 1): the greater is the newer. An order that is there already
 * is replaced. The records need not be present. A pair of one record with itself is ignored. */
MUST_CHECK enum status graph_decide(struct graph *graph, uint64_t order, enum decision_kind kind,
                                    struct natural_key a, struct natural_key b, struct err *err);
void graph_undecide(struct graph *graph, uint64_t order);

/* Order of pairs: by a, then by b. */
static inline int graph_pair_cmp(uint64_t a1, uint64_t b1, uint64_t a2, uint64_t b2)
{
    if (a1 != a2)
        return a1 < a2 ? -1 : 1;
    return b1 < b2 ? -1 : b1 > b2;
}

/* What settling changed since the last one. Moves by record id, pairs by (a, b); lives in the arena given. */
struct graph_move {             /* a record whose customer is another now */
    uint64_t record_id;
    uint64_t from;              /* 0: it was not there */
    uint64_t to;                /* 0: it is gone */
};
enum link_reason { LINK_SCORE = 1, LINK_DECISION = 2 };
struct graph_link {             /* an edge of the spanning forest that makes a customer */
    uint64_t a, b;              /* record ids, a < b */
    enum link_reason reason;
    uint64_t decision;          /* when LINK_DECISION */
    struct match_result result; /* when LINK_SCORE */
};
enum review_reason { REVIEW_DOUBTFUL = 1, REVIEW_NEVER, REVIEW_IDENTITY, REVIEW_SIZE, REVIEW_NAME };
const char *review_reason_name(enum review_reason reason); /* doubtful, never, identity, size, name; "" for another */
struct graph_review {
    uint64_t a, b;              /* a < b */
    enum review_reason reason;
    uint64_t bridge_a, bridge_b; /* the pair that forbade the union, on a's and b's side; 0: none */
    double weight;               /* of the edge; 0 for a refused `always` without one */
};
struct graph_changes {
    size_t move_count;
    struct graph_move *moves;
    size_t new_link_count, gone_link_count;
    struct graph_link *new_links;      /* also links whose evidence changed: replace by (a, b) */
    struct graph_link *gone_links;     /* only a and b are set */
    size_t new_review_count, gone_review_count;
    struct graph_review *new_reviews;  /* also changed ones: replace by (a, b) */
    struct graph_review *gone_reviews; /* only a and b are set */
    size_t large_component_count;      /* components above component_records met */
};
/* Recomputes what is dirty, at a cost that follows what changed. On STATUS_FAILED (arena full) the
 * graph must be rebuilt. changes == NULL (arena too, then): nothing is reported, as for a warm
 * start whose outcome is stored already; a reported new link takes some 300 bytes of the arena. */
MUST_CHECK enum status graph_settle(struct graph *graph, struct arena *arena,
                                    struct graph_changes *changes, struct err *err);

/* Reading. 0 when unknown. Valid after graph_settle. */
uint64_t graph_customer(const struct graph *graph, uint64_t record_id);
size_t graph_member_count(const struct graph *graph, uint64_t customer_id);
/* The record ids of a customer, ascending, at most `max`; returns how many were written. */
size_t graph_members(const struct graph *graph, uint64_t customer_id, uint64_t *ids, size_t max);
uint64_t graph_record(const struct graph *graph, struct natural_key key);
/* Empty when unknown. Valid until the next put or remove, and until it was called four times more. */
struct slice graph_features(const struct graph *graph, uint64_t record_id);
/* Judges a pair as it stands, live keys or not; *shares_live_key tells whether it would be judged.
 * False when a record is unknown. */
bool graph_judge(const struct graph *graph, uint64_t a, uint64_t b, struct match_result *result,
                 bool *shares_live_key, struct shared_key shared[MATCH_KEYS_MAX],
                 size_t *shared_count);
/* Live records that hold any of the given keys, best score first. */
size_t graph_candidates(const struct graph *graph, struct slice features, uint64_t *ids,
                        double *weights, size_t max);
/* Distinct names of a value; 0 of a combination, whose are not counted. */
uint32_t graph_degree(const struct graph *graph, uint64_t key_hash);
uint32_t graph_holders(const struct graph *graph, uint64_t key_hash);

struct graph_stats {
    size_t records, keys, postings, edges, customers;
    uint64_t pairs_judged, edges_forgotten;
    size_t bytes;               /* all told, but for a roster that is not its own */
    struct graph_bytes {        /* of these: */
        size_t entries, features, keys, postings, edges, scratch;
    } parts;
};
void graph_stats(const struct graph *graph, struct graph_stats *stats);

#endif
