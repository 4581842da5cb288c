/*
 * fake_matcher.h - a matcher small enough to be understood whole, for tests of the graph.
 *
 * Features are text: "n=3;p=7;q=9;e=2;c=5;i=1;k=1;" with numbers as values. n name, p and q phones
 * (one key space), e e-mail, c a combination (its key is no value, and weak), i identity, k kind (1 person, 2
 * company). Evidence comes from shared values that are not dead, from the names, and from what
 * makes up the combination. The e-mail weighs *more* in a higher band, so that nothing in the graph can lean on
 * weights falling with degree.
 */
#ifndef TRIBUTARY_TESTS_FAKE_MATCHER_H
#define TRIBUTARY_TESTS_FAKE_MATCHER_H

#include <stdio.h>
#include <stdlib.h>

#include "daemon/resolve/graph_matcher.intern.h"

enum fake_key { FAKE_PHONE = 1, FAKE_EMAIL = 2, FAKE_COMBINATION = 3 };

/* The value of a field, or -1. */
static inline int fake_field(struct slice features, char field)
{
    for (size_t i = 0; i + 2 < features.len; i++) {
        if (features.ptr[i] != field || features.ptr[i + 1] != '=')
            continue;
        int value = 0;
        for (i += 2; i < features.len && features.ptr[i] != ';'; i++)
            value = value * 10 + (features.ptr[i] - '0');
        return value;
    }
    return -1;
}

static inline uint64_t fake_hash(enum fake_key kind, int value)
{
    return key_hash_of_class(((uint64_t)kind * 1000000 + (uint64_t)value) << KEY_CLASS_BITS,
                             kind == FAKE_COMBINATION ? KEY_CLASS_WEAK : KEY_CLASS_VALUE);
}

static inline size_t fake_keys(const struct matcher *matcher, struct slice features,
                               struct match_key keys[MATCH_KEYS_MAX])
{
    static const struct {
        char field;
        enum fake_key kind;
    } fields[] = {{'p', FAKE_PHONE}, {'q', FAKE_PHONE}, {'e', FAKE_EMAIL}, {'c', FAKE_COMBINATION}};
    size_t count = 0;
    (void)matcher;
    for (size_t i = 0; i < 4; i++) {
        int value = fake_field(features, fields[i].field);
        if (value < 0)
            continue;
        struct match_key key = {.hash = fake_hash(fields[i].kind, value),
                                .kind = (uint8_t)fields[i].kind,
                                .is_value = fields[i].kind != FAKE_COMBINATION};
        size_t at = count;
        while (at > 0 && keys[at - 1].hash > key.hash)
            at--;
        if (at > 0 && keys[at - 1].hash == key.hash)
            continue;
        memmove(keys + at + 1, keys + at, (count - at) * sizeof(*keys));
        keys[at] = key;
        count++;
    }
    return count;
}

static inline uint64_t fake_name_key(struct slice features)
{
    int name = fake_field(features, 'n');
    return name < 0 ? 0 : (uint64_t)name + 1;
}

static inline uint64_t fake_identity(struct slice features)
{
    int identity = fake_field(features, 'i');
    return identity < 0 ? 0 : (uint64_t)identity + 1;
}

static inline enum record_kind fake_kind(struct slice features)
{
    return fake_field(features, 'k') == 2 ? KIND_COMPANY : KIND_PERSON;
}

#define FAKE_LINK   6.0
#define FAKE_REVIEW 3.0

static inline double fake_link_weight(const struct matcher *matcher)
{
    (void)matcher;
    return FAKE_LINK;
}

static inline double fake_review_weight(const struct matcher *matcher)
{
    (void)matcher;
    return FAKE_REVIEW;
}

static inline void fake_score(const struct matcher *matcher, struct slice a, struct slice b,
                              const struct shared_key *shared, size_t shared_count,
                              struct match_result *result)
{
    (void)matcher;
    result->weight = -2.0;
    result->count = 0;
    for (size_t i = 0; i < shared_count; i++) {
        if (shared[i].band == DEGREE_DEAD || shared[i].kind == FAKE_COMBINATION)
            continue;
        double weight =
            shared[i].kind == FAKE_PHONE ? 9.0 - 1.25 * shared[i].band : 6.5 + 0.5 * shared[i].band;
        result->weight += weight;
        result->comparisons[result->count++] = (struct comparison_result){
            .comparison = shared[i].kind,
            .level = 1,
            .band = shared[i].band,
            .weight = (float)weight,
        };
    }
    int made_a = fake_field(a, 'c'), made_b = fake_field(b, 'c');
    if (made_a >= 0 && made_a == made_b) {
        result->weight += 3.5;
        result->comparisons[result->count++] =
            (struct comparison_result){.comparison = FAKE_COMBINATION, .level = 1, .weight = 3.5F};
    }
    int name_a = fake_field(a, 'n'), name_b = fake_field(b, 'n');
    if (name_a >= 0 && name_b >= 0) {
        double weight = name_a == name_b ? 2.5 : -1.5;
        result->weight += weight;
        result->comparisons[result->count++] = (struct comparison_result){
            .comparison = 0, .level = name_a == name_b, .weight = (float)weight};
    }
}

static const struct graph_matcher_ops fake_matcher = {
    .link_weight = fake_link_weight,
    .review_weight = fake_review_weight,
    .keys = fake_keys,
    .name_key = fake_name_key,
    .identity = fake_identity,
    .kind = fake_kind,
    .score = fake_score,
};

#endif
