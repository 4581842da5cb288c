/*
 * graph_matcher.intern.h - the functions of rules/match.h that the graph calls, as a table.
 *
 * Production uses graph_matcher_default (rules/match.h itself). Tests give the graph a matcher of
 * their own, small enough to be written a second time in a reference implementation.
 */
#ifndef TRIBUTARY_RESOLVE_GRAPH_MATCHER_INTERN_H
#define TRIBUTARY_RESOLVE_GRAPH_MATCHER_INTERN_H

#include "daemon/resolve/graph.h"

struct graph_matcher_ops {
    double (*link_weight)(const struct matcher *matcher);
    double (*review_weight)(const struct matcher *matcher);
    size_t (*keys)(const struct matcher *matcher, struct slice features,
                   struct match_key keys[MATCH_KEYS_MAX]);
    uint64_t (*name_key)(struct slice features);
    uint64_t (*identity)(struct slice features);
    enum record_kind (*kind)(struct slice features);
    void (*score)(const struct matcher *matcher, struct slice features_a, struct slice features_b,
                  const struct shared_key *shared, size_t shared_count,
                  struct match_result *result);
};

extern const struct graph_matcher_ops graph_matcher_default;

/* graph_new with another matcher behind it. `ops` must outlive the graph. */
struct graph *graph_new_with(const struct graph_matcher_ops *ops, const struct matcher *matcher,
                             const struct graph_limits *limits);

#endif
