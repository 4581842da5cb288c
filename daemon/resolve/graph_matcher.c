/* graph_matcher.c - the graph's table of matcher functions, filled with rules/match.h. */
#include "daemon/resolve/graph_matcher.intern.h"

const struct graph_matcher_ops graph_matcher_default = {
    .link_weight = matcher_link_weight,
    .review_weight = matcher_review_weight,
    .keys = features_keys,
    .name_key = features_name_key,
    .identity = features_identity,
    .kind = features_kind,
    .score = match_score,
};

struct graph *graph_new(const struct matcher *matcher, const struct graph_limits *limits)
{
    return graph_new_with(&graph_matcher_default, matcher, limits);
}
