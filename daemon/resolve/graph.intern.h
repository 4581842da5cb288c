/*
 * graph.intern.h - the parts of a graph, and how a settle goes through them.
 *
 *   graph.c            put, remove, decide: change entries, keys and verdicts; mark what is dirty
 *   graph_judge.c      dirty records and keys whose band changed -> edges
 *   graph_component.c  touched records -> components, found again whole
 *   graph_kruskal.c    one component -> customers, links, refused unions
 *   graph_build.c      the keys of restored records, indexed together
 *   graph_restored.c   records put back as they were settled, judged only once something near changes
 *   graph_forget.c     components long settled become as if restored: their edges are forgotten
 *   graph_found.c      what was found, compared with what was reported -> struct findings
 *   graph_settle.c     the order of these, and the report in the caller's arena
 *
 * Running out of memory anywhere sets `failed`, which is never cleared: the index may be behind its
 * records then, so every later put and settle fails too and the owner builds a new graph.
 */
#ifndef TRIBUTARY_RESOLVE_GRAPH_INTERN_H
#define TRIBUTARY_RESOLVE_GRAPH_INTERN_H

#include "daemon/resolve/decisions.intern.h"
#include "daemon/resolve/edges.intern.h"
#include "daemon/resolve/key_map.intern.h"

/* The records that share a live key with one record: `mask` says which of its keys. */
struct candidate {
    uint64_t mask;
    uint32_t slot, edge;
};
VECTOR(candidate_list, struct candidate)
struct candidates {
    struct candidate_list list;
    uint32_t *index; /* hash table of positions in the list */
    uint32_t index_capacity;
};
/* The position of a slot, added when it is new; SIZE_MAX when out of memory. */
size_t candidates_at(struct candidates *candidates, uint32_t slot);
void candidates_clear(struct candidates *candidates);
void candidates_free(struct candidates *candidates);

_Static_assert(MATCH_KEYS_MAX <= 64, "sets of a record's keys are kept in 64 bits");

/* A record's keys with their postings. `live` and `dead` are masks over them. */
struct held_keys {
    size_t count;
    struct match_key keys[MATCH_KEYS_MAX];
    uint32_t references[MATCH_KEYS_MAX];
    uint8_t bands[MATCH_KEYS_MAX];
    uint64_t live, dead;
};

/* Keys lately unpacked, by slot: a record's keys are needed when it is put and again when its pairs
 * are judged, and a matcher takes its time over them. There are more of them when more is put between two settles. */
#define KNOWN_KEYS       2048
#define KNOWN_KEYS_MAX   65536
#define KNOWN_KEYS_COUNT 14 /* records with more are unpacked again */
struct known_keys {
    uint32_t slot; /* NO_SLOT: none */
    uint8_t count;
    uint8_t kinds[KNOWN_KEYS_COUNT];
    uint64_t hashes[KNOWN_KEYS_COUNT];
};

/* Findings: what this settle will report, in no order yet. */
struct found_link {
    uint64_t a, b;
    uint64_t decision; /* 0: a score */
    uint32_t edge;
};
struct pair_ids {
    uint64_t a, b;
};
VECTOR(found_links, struct found_link)
VECTOR(found_pairs, struct pair_ids)
VECTOR(found_reviews, struct graph_review)
VECTOR(found_moves, struct graph_move)
struct findings {
    struct found_moves moves;
    struct found_links links;
    struct found_pairs gone_links;
    struct found_reviews reviews;
    struct found_pairs gone_reviews;
    size_t large_components;
};

/* Match results of the edges made or changed in this settle, kept so that a link need not be scored
 * a second time to be reported. */
struct kept_result {
    double weight;
    size_t first, count;
};
VECTOR(kept_results, struct kept_result)
VECTOR(kept_comparisons, struct comparison_result)
struct evidence {
    struct kept_results results;
    struct kept_comparisons comparisons;
    struct u64_map by_edge;
};

/* A component's scratch; see graph_kruskal.c. Facts: what a set keeps a list of, each value once. */
enum fact_kind { FACT_IDENTITY, FACT_NAME, FACT_KINDS };
struct node_fact {
    uint64_t value;       /* of the node's own record; 0: none */
    uint32_t first, last; /* of a root: its list */
    uint32_t next;        /* of a node in such a list */
    uint32_t holder;      /* ... the record of smallest natural key that has it */
};
struct node {
    struct natural_key key;
    uint64_t from; /* customer before */
    uint32_t slot;
    uint32_t parent, size;            /* disjoint sets; size counts at roots */
    uint32_t never_first, never_last; /* of a root: its list of active nevers */
    uint32_t never_count;
    uint32_t piece; /* of a large component */
    struct node_fact facts[FACT_KINDS];
    double threshold; /* the link weight of its piece */
    double greatest;  /* of a piece's root while it is cut: the greatest weight in it */
    bool open;
};
struct strong_edge {
    double weight;
    uint32_t low, high; /* nodes, low < high: nodes are in the order of natural keys */
    uint32_t edge;
};
struct strong_verdict {
    uint64_t order;
    uint32_t a, b; /* nodes */
    uint32_t verdict;
    enum decision_kind kind;
};
struct never {
    uint32_t here, there; /* nodes */
    uint32_t next;
    uint64_t order;
};
struct refused_edge {
    struct strong_edge edge;
    enum review_reason reason;
    uint64_t bridge_low, bridge_high;
};
struct ordered_id {
    uint64_t record_id;
    uint32_t node;
};
VECTOR(nodes, struct node)
VECTOR(strong_edges, struct strong_edge)
VECTOR(strong_verdicts, struct strong_verdict)
VECTOR(nevers, struct never)
VECTOR(ordered_ids, struct ordered_id)
VECTOR(refused_edges, struct refused_edge)
struct component {
    struct nodes nodes;
    struct strong_edges edges;
    struct strong_verdicts verdicts;
    struct nevers nevers;
    struct ordered_ids ids;
    struct refused_edges refused;
    struct u64_map reviewed; /* pairs of sets between which there is a review */
};

struct graph_build;
#define HANDED_OUT 5
struct handed_out {
    struct features_room rooms[HANDED_OUT];
    unsigned next;
};

struct graph {
    const struct graph_matcher_ops *ops;
    const struct matcher *matcher;
    struct graph_limits limits;
    double link_weight, review_weight;
    struct entries entries;
    struct key_map keys;
    struct edges edges;
    struct decisions decisions;
    uint64_t pairs_judged;
    uint64_t settle_number;
    size_t customer_count;
    bool failed;
    struct graph_build *build; /* keys of restored records that are not in the index yet; NULL: all are */
    struct handed_out *handed_out; /* features that graph_features handed out lately */
    bool warming; /* being restored: until the first settle */
    uint32_t forget_hand; /* the place of an edge: which is to be forgotten next */
    uint64_t edges_forgotten;
    bool differs; /* what was restored is not what its pairs say */

    /* Since the last settle. */
    struct slots dirty;          /* flagged ENTRY_DIRTY */
    struct slots touched;        /* flagged ENTRY_TOUCHED */
    struct slots stale_verdicts; /* a decision of theirs was taken back */
    struct u64_map crossed;      /* key hash -> its band at the last settle */
    struct known_keys *known_keys;
    size_t known_keys_capacity; /* a power of two */

    /* Scratch of a settle. */
    bool reporting;
    bool edges_gone;     /* some edges wait to be swept */
    struct slots banded; /* flagged ENTRY_BAND */
    struct slots fading; /* hold a combination that died, and have edges; some twice */
    struct slots region; /* flagged ENTRY_REGION, component after component */
    struct candidates candidates;
    struct candidates restored_candidates;
    bool restoring; /* a restored component is being judged, as it was settled */
    struct component component;
    struct findings findings;
    struct evidence evidence;
};

/* The band that counts: DEGREE_DEAD too for a key that more records hold than may. A combination has none but that
 * and 0. */
uint8_t graph_band(const struct graph *graph, uint64_t hash, struct posting_size size);
void graph_touch(struct graph *graph, uint32_t slot);
/* What graph_put refuses; `slot` is the record's, or NO_SLOT. */
MUST_CHECK enum status graph_check_put(const struct graph *graph, uint64_t record_id,
                                       struct natural_key key, struct slice features, uint32_t slot,
                                       struct err *err);
MUST_CHECK enum status graph_check_features(const struct graph *graph, uint64_t record_id,
                                            struct slice features, struct err *err);
enum status graph_out_of_memory(struct err *err);
/* Notes the keys of a restored record: no band changes for it. */
void graph_index_keys(struct graph *graph, uint32_t slot);
/* A record's keys, from memory when they were unpacked lately. */
size_t graph_keys_of(const struct graph *graph, uint32_t slot,
                     struct match_key keys[MATCH_KEYS_MAX]);
/* Looks up some keys, held->keys and held->count. */
void graph_look_up(const struct graph *graph, struct held_keys *held);
void graph_hold_keys(const struct graph *graph, struct slice features, struct held_keys *held);
/* The values of `held` that a candidate shares: those of its mask, and those dead ones it holds too. */
size_t graph_shared_keys(const struct graph *graph, const struct held_keys *held, uint64_t mask,
                         uint32_t other, struct shared_key shared[MATCH_KEYS_MAX]);

void graph_judge_dirty(struct graph *graph);
/* Judges the component of a restored record if that was not done yet: to be called before anything that touches it. */
void graph_judge_restored(struct graph *graph, uint32_t slot);
/* Takes a restored record's features; graph_build_end puts them and their keys into the index (graph_build.c). False when
 * out of memory. */
MUST_CHECK bool graph_build_add(struct graph *graph, uint32_t slot, struct slice features);
void graph_build_end(struct graph *graph);
void graph_build_free(struct graph *graph);
/* At the end of a settle: forgets edges beyond those that are kept. */
void graph_forget_edges(struct graph *graph);
/* In the first settle after a restore: the components of decided records. */
void graph_judge_decided(struct graph *graph);
void graph_remove_edge(struct graph *graph, uint32_t edge);
/* The match result of an edge, kept or judged again. */
void graph_edge_result(struct graph *graph, uint32_t edge, struct match_result *result);

/* An edge's weight and evidence; no longer what was reported. */
void graph_edge_says(struct edge *edge, const struct match_result *result);

void graph_find_components(struct graph *graph);
/* Finds the customers of one component, graph->region from `first` on. */
void graph_settle_component(struct graph *graph, size_t first);
/* The edges of the region from `first` on that are too weak to link: which are reviews. */
void graph_settle_weak_edges(struct graph *graph, uint32_t slot);
/* Whether the pair of an edge has a decision that stands. */
bool graph_edge_is_decided(const struct graph *graph, const struct edge *edge);
/* Finds the customers of graph->component. */
void graph_kruskal(struct graph *graph);
uint32_t component_find(struct component *component, uint32_t node);

/* bridge_0 lies on the side of the edge's slots[0]. */
void graph_found_edge(struct graph *graph, uint32_t edge, bool linked, enum review_reason review,
                      uint64_t bridge_0, uint64_t bridge_1);
/* An edge that is going away: whatever was reported of it is gone. */
void graph_found_edge_gone(struct graph *graph, const struct edge *edge);
void graph_found_move(struct graph *graph, uint64_t record_id, uint64_t from, uint64_t to);
/* Compares what this settle found of a verdict with what was reported. */
void graph_found_verdict(struct graph *graph, uint32_t verdict);

#endif
