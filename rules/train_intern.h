/*
 * train_intern.h - what the files of training share. Private to train*.c.
 */
#ifndef TRIBUTARY_RULES_TRAIN_INTERN_H
#define TRIBUTARY_RULES_TRAIN_INTERN_H

#include "rules/key_recipe.h"
#include "rules/train.h"

#define TRAIN_COMPARISONS_MAX (CMP_FIXED_COUNT + MATCHER_CUSTOMS_MAX)
#define TRAIN_PASSES_MAX      64
#define TRAIN_GROUP_MAX       400 /* records under one key; larger groups teach nothing new and cost much */

/* ---- pairs and what their comparisons gave ---- */

struct train_item {
    uint8_t comparison, level;
    float bits; /* rarity, less what the degree band took */
};
struct train_pair {
    uint32_t a, b, first; /* first of its items */
    uint32_t count;
    uint64_t kinds; /* of the live keys both hold, by kind */
    float score;    /* sum of the comparisons, log2 */
    float probability;
};
struct train_pairs {
    struct train_pair *list;
    size_t count, capacity;
    struct train_item *items;
    size_t item_count, item_capacity;
};

/* ---- the records' keys ---- */

struct train_key {
    uint64_t hash;
    uint8_t kind, band;
    bool is_value, dead;
};
struct train_index {
    struct train_key *keys; /* those of a row together, by hash */
    uint32_t *first;        /* by row; count + 1 of them */
    uint32_t *order;        /* key numbers by hash */
    uint32_t *rows;         /* of key numbers */
    size_t key_count;
};

/* ---- numbers per comparison and level ---- */

typedef double train_table[TRAIN_COMPARISONS_MAX][LEVELS_MAX];

struct train_mask { /* a set of comparisons */
    uint64_t fixed, own;
};

/* How common the values of one field are, counted over likely customers. */
struct train_term {
    struct slice text; /* a payload or a word */
    float count;
};
struct train_terms {
    struct train_term *values, *words; /* the commonest, by count */
    size_t value_count, word_count;
    float total;                       /* customers with a value */
    float default_value, default_word; /* count of one that is not listed */
};

/* What one pass says of a level: log2(m / u) among the pairs it looked at. */
struct train_estimate {
    float weight, variance; /* 0: nothing */
};

struct trained {
    struct arena *arena;
    const struct matcher *base;
    struct matcher work; /* the base with what was learned so far put in */
    struct comparison_model own_models[MATCHER_CUSTOMS_MAX];
    struct slice *features; /* of identical ones two at most */
    size_t count, comparisons; /* rows; comparisons in use */
    struct train_settings settings;
    struct train_index index;
    struct train_pairs candidates, randoms;
    double candidate_share; /* of all candidates that are in `candidates` */
    double prior_weight;
    uint32_t *cluster; /* by row: the likely customer, as its smallest row */

    /* What random pairs and passes said. */
    train_table u, u_count;     /* share of each level; effective non-matching pairs seen there */
    train_table m, m_count;     /* likewise of matching pairs */
    train_table frequency_mean; /* mean of 2^-bits among matching pairs at a level */
    train_table beside_match, beside_other; /* pairs in passes that leave the comparison out */
    float agree[TRAIN_COMPARISONS_MAX][TRAIN_COMPARISONS_MAX];  /* bits that two say twice when both agree */
    float differ[TRAIN_COMPARISONS_MAX][TRAIN_COMPARISONS_MAX]; /* ... when both differ */
    struct train_estimate *estimates; /* of each pass that was used, by comparison and level */
    size_t estimate_passes;
    double m_effective[TRAIN_COMPARISONS_MAX];
    bool learned[TRAIN_COMPARISONS_MAX];
    train_table weight; /* log2(m / u), frequency apart */
    float ceiling[TRAIN_COMPARISONS_MAX][LEVELS_MAX];

    struct train_terms own_terms[MATCHER_CUSTOMS_MAX];
    double recipe_cost[RECIPES_MAX]; /* pairs a record, in the whole file */
    bool recipe_kept[RECIPES_MAX];

    struct train_pass passes[TRAIN_PASSES_MAX];
    struct train_comparison reported[TRAIN_COMPARISONS_MAX];
    struct train_report report;
};

static inline bool train_is_compared(size_t comparison)
{
    return comparison != CMP_TOGETHER && comparison != CMP_CEILING;
}
/* Whether the model may list how common the values of a field are. A list is readable: it names values. */
static inline bool train_lists_values(const struct trained *t, const struct custom_field *field)
{
    return !t->settings.is_kept || field->sensitivity == SENSITIVITY_PUBLIC;
}
/* 0 for what is no comparison. */
static inline unsigned train_levels(const struct trained *t, size_t comparison)
{
    (void)t;
    if (!train_is_compared(comparison))
        return 0;
    return comparison < CMP_FIXED_COUNT ? comparison_level_counts[comparison] : OWN_LEVELS;
}
static inline bool train_mask_has(const struct train_mask *mask, size_t comparison)
{
    return comparison < CMP_FIXED_COUNT ? mask->fixed >> comparison & 1
                                        : mask->own >> (comparison - CMP_FIXED_COUNT) & 1;
}
static inline const struct level_model *train_base_level(const struct trained *t, size_t comparison, size_t level)
{
    return comparison < CMP_FIXED_COUNT ? &t->base->comparisons[comparison].levels[level]
                                        : &t->base->custom_fields[comparison - CMP_FIXED_COUNT].model->levels[level];
}

/* train_index.c. Both fail the arena when out of memory. */
void train_index_build(struct trained *t);
void train_index_free(struct trained *t);
void train_find_candidates(struct trained *t);
void train_draw_randoms(struct trained *t);
/* Judges all pairs anew, as the work matcher is now. */
void train_judge_again(struct trained *t, struct train_pairs *pairs);

/* One more pair, judged. */
void train_add_pair(struct trained *t, struct train_pairs *pairs, uint32_t a, uint32_t b);

/* train_together.c: what travels together, from t->weight as it is; and what a pair's items say twice (to be added). */
void train_learn_together(struct trained *t);
double train_together(const struct trained *t, const struct train_item *items, size_t count);

/* train_confidence.c: report.doubt_bits, from the weights and the prior as they are. */
void train_learn_confidence(struct trained *t);

/* train_recipes.c: which learned keys to try, and which to keep. */
void train_try_recipes(struct trained *t);
void train_keep_recipes(struct trained *t);
/* The comparisons that a kind of key looks at. */
struct train_mask train_kind_mask(const struct trained *t, uint8_t kind);

/* train_terms.c */
void train_count_terms(struct trained *t);

/* train_em.c */
void train_learn_u(struct trained *t);
void train_learn_m(struct trained *t);
/* Scores of all pairs and the prior they make expect; fills probabilities. */
void train_weigh(struct trained *t);
void train_add_up(const struct trained *t, struct train_pairs *pairs); /* scores only */
/* Blends what was learned with the base into t->weight. */
void train_blend(struct trained *t);
void train_learn_ceilings(struct trained *t);

#endif
