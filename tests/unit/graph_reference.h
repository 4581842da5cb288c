/*
 * graph_reference.h - what a graph should say, worked out from scratch by the plainest means.
 *
 * Independent of daemon/resolve: no indexes, no increments, O(n^2) and worse. Works on the features
 * of fake_matcher.h, whose scoring it borrows; degrees, components, decisions, Kruskal and reviews
 * are written here a second time from the definitions in graph.h.
 */
#ifndef TRIBUTARY_TESTS_GRAPH_REFERENCE_H
#define TRIBUTARY_TESTS_GRAPH_REFERENCE_H

#include "tests/unit/fake_matcher.h"

#define REF_RECORDS_MAX   160
#define REF_DECISIONS_MAX 200

struct ref_record {
    bool live;
    uint64_t id;
    struct natural_key key;
    char features[96];
};

struct ref_decision {
    bool present;
    uint64_t order;
    enum decision_kind kind;
    int a, b; /* records */
};

/* What is known of a pair (i < j by record id). */
struct ref_pair {
    bool linked;
    uint64_t decision;
    enum review_reason review;
    uint64_t bridge_a, bridge_b; /* on the sides of the smaller and of the larger record id */
    double weight;               /* of the link or the review */
};

struct ref_state {
    uint64_t customer[REF_RECORDS_MAX];                      /* 0: not live */
    struct ref_pair pairs[REF_RECORDS_MAX][REF_RECORDS_MAX]; /* [i][j], id(i) < id(j) */
    size_t large;
};

struct ref_world {
    struct graph_limits limits;
    int record_count, decision_count;
    struct ref_record records[REF_RECORDS_MAX];
    struct ref_decision decisions[REF_DECISIONS_MAX];
    /* Work space. */
    bool edge[REF_RECORDS_MAX][REF_RECORDS_MAX];
    double weight[REF_RECORDS_MAX][REF_RECORDS_MAX];
    int component[REF_RECORDS_MAX], set[REF_RECORDS_MAX], piece[REF_RECORDS_MAX];
    double threshold[REF_RECORDS_MAX];
    bool active_never[REF_DECISIONS_MAX];
};

static inline struct slice ref_features(const struct ref_world *w, int i)
{
    return slice_str(w->records[i].features);
}

static inline bool ref_holds(const struct ref_world *w, int i, uint64_t hash)
{
    struct match_key keys[MATCH_KEYS_MAX];
    size_t count = fake_keys(NULL, ref_features(w, i), keys);
    for (size_t k = 0; k < count; k++)
        if (keys[k].hash == hash)
            return true;
    return false;
}

static inline uint32_t ref_degree(const struct ref_world *w, uint64_t hash, uint32_t *holders)
{
    uint64_t names[REF_RECORDS_MAX];
    uint32_t count = 0;
    *holders = 0;
    for (int i = 0; i < w->record_count; i++) {
        if (!w->records[i].live || !ref_holds(w, i, hash))
            continue;
        uint64_t name = fake_name_key(ref_features(w, i));
        uint32_t at = 0;
        while (at < count && names[at] != name)
            at++;
        if (at == count)
            names[count++] = name;
        ++*holders;
    }
    return count;
}

static inline uint8_t ref_band(const struct ref_world *w, uint64_t hash)
{
    uint32_t holders, degree = ref_degree(w, hash, &holders);
    static const uint32_t bounds[] = {1, 2, 4, 8, 16, 32, 64};
    if (holders > w->limits.key_records || holders > key_records_max(hash))
        return 7;
    if (key_class_of(hash) != KEY_CLASS_VALUE)
        return 0;
    for (uint8_t band = 0; band < 7; band++)
        if (degree <= bounds[band])
            return band;
    return 7;
}

/* The decision that stands on a pair, or NULL. */
static inline const struct ref_decision *ref_standing(const struct ref_world *w, int a, int b)
{
    const struct ref_decision *best = NULL;
    for (int d = 0; d < w->decision_count; d++) {
        const struct ref_decision *x = &w->decisions[d];
        if (x->present && ((x->a == a && x->b == b) || (x->a == b && x->b == a)) &&
            (best == NULL || best->order < x->order))
            best = x;
    }
    return best;
}

static inline void ref_edges(struct ref_world *w)
{
    /* A band for every key any live record holds, worked out once. */
    static uint8_t bands[REF_RECORDS_MAX][4];
    static struct match_key keys[REF_RECORDS_MAX][MATCH_KEYS_MAX];
    static size_t counts[REF_RECORDS_MAX];
    for (int i = 0; i < w->record_count; i++) {
        counts[i] = w->records[i].live ? fake_keys(NULL, ref_features(w, i), keys[i]) : 0;
        for (size_t k = 0; k < counts[i]; k++)
            bands[i][k] = ref_band(w, keys[i][k].hash);
    }
    for (int i = 0; i < w->record_count; i++) {
        for (int j = 0; j < w->record_count; j++) {
            struct shared_key shared[MATCH_KEYS_MAX];
            size_t count = 0;
            bool live = false;
            w->edge[i][j] = false;
            for (size_t k = 0; k < counts[i] && i != j && w->records[j].live; k++) {
                for (size_t l = 0; l < counts[j]; l++) {
                    if (keys[i][k].hash != keys[j][l].hash)
                        continue;
                    shared[count++] =
                        (struct shared_key){keys[i][k].hash, keys[i][k].kind, bands[i][k]};
                    live = live || bands[i][k] != 7;
                }
            }
            if (!live)
                continue;
            struct match_result result;
            fake_score(NULL, ref_features(w, i), ref_features(w, j), shared, count, &result);
            w->weight[i][j] = result.weight;
            w->edge[i][j] = result.weight >= FAKE_REVIEW;
        }
    }
}

static inline bool ref_connects(const struct ref_world *w, int i, int j, double threshold)
{
    const struct ref_decision *d = ref_standing(w, i, j);
    return (d && d->kind == DECISION_ALWAYS) || (w->edge[i][j] && w->weight[i][j] >= threshold);
}

/* Labels everything connected to `from` within `inside` (a labelling) at a threshold. */
static inline int ref_flood(const struct ref_world *w, int *labels, const bool *among, int from,
                            int label, double threshold)
{
    int queue[REF_RECORDS_MAX], count = 0;
    queue[count++] = from;
    labels[from] = label;
    for (int at = 0; at < count; at++) {
        for (int j = 0; j < w->record_count; j++) {
            if (!among[j] || labels[j] == label || j == queue[at] ||
                !ref_connects(w, queue[at], j, threshold))
                continue;
            labels[j] = label;
            queue[count++] = j;
        }
    }
    return count;
}

static inline void ref_cut(struct ref_world *w, const bool *among, double threshold,
                           int *next_piece)
{
    int labels[REF_RECORDS_MAX];
    for (int i = 0; i < REF_RECORDS_MAX; i++)
        labels[i] = -1;
    for (int i = 0; i < w->record_count; i++) {
        if (!among[i] || labels[i] >= 0)
            continue;
        int label = (*next_piece)++;
        int size = ref_flood(w, labels, among, i, label, threshold);
        bool piece[REF_RECORDS_MAX] = {false}, held = false;
        for (int j = 0; j < w->record_count; j++) {
            piece[j] = labels[j] == label;
            if (piece[j]) {
                w->piece[j] = label;
                w->threshold[j] = threshold;
            }
        }
        for (int j = 0; j < w->record_count; j++)
            for (int k = 0; k < w->record_count; k++)
                if (piece[j] && piece[k] && w->edge[j][k] && w->weight[j][k] >= threshold)
                    held = true;
        if (size > (int)w->limits.component_records && held)
            ref_cut(w, piece, threshold + 2.0, next_piece);
    }
}

static inline bool ref_key_less(const struct ref_world *w, int a, int b)
{
    struct natural_key x = w->records[a].key, y = w->records[b].key;
    return x.high != y.high ? x.high < y.high : x.low < y.low;
}

static inline bool ref_set_has_identity(const struct ref_world *w, int set, uint64_t identity)
{
    for (int i = 0; i < w->record_count; i++)
        if (w->records[i].live && w->set[i] == set &&
            fake_kind(ref_features(w, i)) == KIND_PERSON &&
            fake_identity(ref_features(w, i)) == identity)
            return true;
    return false;
}

/* The record of smallest natural key in set a whose identity set b lacks; -1 for none. */
static inline int ref_identity_only_in(const struct ref_world *w, int a, int b)
{
    int found = -1;
    for (int i = 0; i < w->record_count; i++) {
        if (!w->records[i].live || w->set[i] != a || fake_kind(ref_features(w, i)) != KIND_PERSON ||
            fake_identity(ref_features(w, i)) == 0 ||
            ref_set_has_identity(w, b, fake_identity(ref_features(w, i))))
            continue;
        if (found < 0 || ref_key_less(w, i, found))
            found = i;
    }
    return found;
}

static inline int ref_set_size(const struct ref_world *w, int set)
{
    int size = 0;
    for (int i = 0; i < w->record_count; i++)
        size += w->records[i].live && w->set[i] == set;
    return size;
}

/* Whether both sets have names and none in common; the record of smallest key with a name in each. */
static inline bool ref_names_apart(const struct ref_world *w, int a, int b, int *first_a, int *first_b)
{
    int found_a = -1, found_b = -1;
    for (int i = 0; i < w->record_count; i++) {
        if (!w->records[i].live || (w->set[i] != a && w->set[i] != b) || fake_name_key(ref_features(w, i)) == 0)
            continue;
        int *found = w->set[i] == a ? &found_a : &found_b;
        if (*found < 0 || ref_key_less(w, i, *found))
            *found = i;
        for (int j = 0; j < w->record_count; j++)
            if (w->records[j].live && w->set[j] != w->set[i] && (w->set[j] == a || w->set[j] == b) &&
                fake_name_key(ref_features(w, i)) == fake_name_key(ref_features(w, j)))
                return false;
    }
    if (found_a < 0 || found_b < 0)
        return false;
    *first_a = found_a;
    *first_b = found_b;
    return true;
}

/* 0 when the sets of i and j may be joined; bridges on the sides of i and j. */
static inline enum review_reason ref_refuses(const struct ref_world *w, int i, int j, bool decided,
                                             double weight, int *bridge_i, int *bridge_j)
{
    const struct ref_decision *newest = NULL;
    *bridge_i = *bridge_j = -1;
    for (int d = 0; d < w->decision_count; d++) {
        const struct ref_decision *x = &w->decisions[d];
        if (!w->active_never[d] || (newest && newest->order > x->order))
            continue;
        if (w->set[x->a] == w->set[i] && w->set[x->b] == w->set[j]) {
            newest = x;
            *bridge_i = x->a;
            *bridge_j = x->b;
        } else if (w->set[x->b] == w->set[i] && w->set[x->a] == w->set[j]) {
            newest = x;
            *bridge_i = x->b;
            *bridge_j = x->a;
        }
    }
    if (newest)
        return REVIEW_NEVER;
    if (!decided) {
        int only_i = ref_identity_only_in(w, w->set[i], w->set[j]);
        int only_j = ref_identity_only_in(w, w->set[j], w->set[i]);
        if (only_i >= 0 && only_j >= 0) {
            *bridge_i = only_i;
            *bridge_j = only_j;
            return REVIEW_IDENTITY;
        }
    }
    if (!decided && weight < FAKE_LINK + GRAPH_CERTAIN_BITS &&
        (fake_name_key(ref_features(w, i)) == 0 || fake_name_key(ref_features(w, j)) == 0) &&
        ref_names_apart(w, w->set[i], w->set[j], bridge_i, bridge_j))
        return REVIEW_NAME;
    if (ref_set_size(w, w->set[i]) + ref_set_size(w, w->set[j]) > (int)w->limits.customer_records)
        return REVIEW_SIZE;
    return 0;
}

static inline struct ref_pair *ref_pair_at(const struct ref_world *w, struct ref_state *s, int i,
                                           int j)
{
    return w->records[i].id < w->records[j].id ? &s->pairs[i][j] : &s->pairs[j][i];
}

static inline void ref_try(struct ref_world *w, struct ref_state *s, int i, int j,
                           uint64_t decision, double weight)
{
    int bridge_i, bridge_j;
    if (w->set[i] == w->set[j])
        return;
    struct ref_pair *pair = ref_pair_at(w, s, i, j);
    enum review_reason reason = ref_refuses(w, i, j, decision != 0, weight, &bridge_i, &bridge_j);
    if (reason) {
        bool turned = w->records[i].id > w->records[j].id;
        uint64_t id_i = bridge_i < 0 ? 0 : w->records[bridge_i].id;
        uint64_t id_j = bridge_j < 0 ? 0 : w->records[bridge_j].id;
        pair->review = reason;
        pair->weight = weight;
        pair->bridge_a = turned ? id_j : id_i;
        pair->bridge_b = turned ? id_i : id_j;
        return;
    }
    int from = w->set[j], to = w->set[i];
    for (int k = 0; k < w->record_count; k++)
        if (w->set[k] == from)
            w->set[k] = to;
    pair->linked = true;
    pair->decision = decision;
    pair->weight = decision ? 0 : weight;
}

static inline void ref_decisions(struct ref_world *w, struct ref_state *s)
{
    bool done[REF_DECISIONS_MAX] = {false};
    for (;;) {
        int next = -1;
        for (int d = 0; d < w->decision_count; d++)
            if (w->decisions[d].present && !done[d] &&
                (next < 0 || w->decisions[d].order > w->decisions[next].order))
                next = d;
        if (next < 0)
            return;
        const struct ref_decision *x = &w->decisions[next];
        done[next] = true;
        if (x->a == x->b || !w->records[x->a].live || !w->records[x->b].live ||
            ref_standing(w, x->a, x->b) != x)
            continue;
        if (x->kind == DECISION_NEVER)
            w->active_never[next] = w->set[x->a] != w->set[x->b];
        else if (fake_kind(ref_features(w, x->a)) == fake_kind(ref_features(w, x->b)))
            ref_try(w, s, x->a, x->b, x->order, w->edge[x->a][x->b] ? w->weight[x->a][x->b] : 0.0);
    }
}

/* The best edge not yet tried: weight, then smaller natural key, then the larger. */
static inline bool ref_better(const struct ref_world *w, int i, int j, int bi, int bj)
{
    if (bi < 0 || w->weight[i][j] != w->weight[bi][bj])
        return bi < 0 || w->weight[i][j] > w->weight[bi][bj];
    if (i != bi)
        return ref_key_less(w, i, bi);
    return ref_key_less(w, j, bj);
}

/* Takes an edge's review back when there is one already between the customers it lies between. */
static inline void ref_one_question(const struct ref_world *w, struct ref_state *s,
                                    bool asked[REF_RECORDS_MAX][REF_RECORDS_MAX], int i, int j)
{
    struct ref_pair *pair = ref_pair_at(w, s, i, j);
    int a = w->set[i], b = w->set[j];
    if (pair->review == 0)
        return;
    if (asked[a][b] && ref_standing(w, i, j) == NULL) {
        pair->review = 0;
        pair->weight = 0;
        pair->bridge_a = pair->bridge_b = 0;
    }
    asked[a][b] = asked[b][a] = true;
}

static inline void ref_kruskal(struct ref_world *w, struct ref_state *s)
{
    static bool tried[REF_RECORDS_MAX][REF_RECORDS_MAX], asked[REF_RECORDS_MAX][REF_RECORDS_MAX];
    static int order[REF_RECORDS_MAX * REF_RECORDS_MAX][2];
    int count = 0, usable = 0;
    memset(tried, 0, sizeof(tried));
    memset(asked, 0, sizeof(asked));
    /* All strong edges in their order: those that may join first, then those left out. */
    for (int left_out = 0; left_out < 2; left_out++) {
        for (;;) {
            int bi = -1, bj = -1;
            for (int i = 0; i < w->record_count; i++)
                for (int j = 0; j < w->record_count; j++)
                    if (w->edge[i][j] && !tried[i][j] && ref_key_less(w, i, j) &&
                        w->weight[i][j] >= FAKE_LINK &&
                        (left_out ||
                         (w->weight[i][j] >= w->threshold[i] && w->piece[i] == w->piece[j])) &&
                        ref_better(w, i, j, bi, bj)) {
                        bi = i;
                        bj = j;
                    }
            if (bi < 0)
                break;
            tried[bi][bj] = true;
            order[count][0] = bi;
            order[count++][1] = bj;
        }
        usable = left_out ? usable : count;
    }
    for (int k = 0; k < count; k++) {
        int i = order[k][0], j = order[k][1];
        if (ref_standing(w, i, j) == NULL && k < usable)
            ref_try(w, s, i, j, 0, w->weight[i][j]);
    }
    for (int i = 0; i < w->record_count; i++) {
        for (int j = 0; j < w->record_count; j++) {
            if (!w->edge[i][j] || !ref_key_less(w, i, j) || w->set[i] == w->set[j] ||
                ref_standing(w, i, j))
                continue;
            struct ref_pair *pair = ref_pair_at(w, s, i, j);
            if (pair->review == 0) {
                pair->review = w->weight[i][j] < FAKE_LINK ? REVIEW_DOUBTFUL : REVIEW_SIZE;
                pair->weight = w->weight[i][j];
            }
        }
    }
    for (int i = 0; i < w->record_count; i++)
        for (int j = 0; j < i; j++)
            if (ref_standing(w, i, j))
                ref_one_question(w, s, asked, i, j);
    for (int k = 0; k < count; k++)
        ref_one_question(w, s, asked, order[k][0], order[k][1]);
}

/* Fills `s` from the records, decisions and limits of the world. */
static inline void ref_settle(struct ref_world *w, struct ref_state *s)
{
    bool live[REF_RECORDS_MAX];
    int next_piece = 0;
    memset(s, 0, sizeof(*s));
    memset(w->active_never, 0, sizeof(w->active_never));
    ref_edges(w);
    for (int i = 0; i < w->record_count; i++) {
        live[i] = w->records[i].live;
        w->set[i] = live[i] ? i : -1;
        w->component[i] = -1;
    }
    for (int i = 0; i < w->record_count; i++)
        if (live[i] && w->component[i] < 0)
            s->large += ref_flood(w, w->component, live, i, i, FAKE_LINK) >
                        (int)w->limits.component_records;
    ref_cut(w, live, FAKE_LINK, &next_piece);
    ref_decisions(w, s);
    ref_kruskal(w, s);
    for (int i = 0; i < w->record_count; i++)
        for (int j = 0; live[i] && j < w->record_count; j++)
            if (live[j] && w->set[j] == w->set[i] &&
                (s->customer[i] == 0 || w->records[j].id < s->customer[i]))
                s->customer[i] = w->records[j].id;
}

#endif
