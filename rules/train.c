/* train.c - see train.h: the rounds of training and their report. */
#include "rules/train.h"

#include <math.h>
#include <stdlib.h>

#include "rules/own_field.h"
#include "rules/train_intern.h"

#define ARENA_MAX_BYTES  ((size_t)400 << 20)
#define ROUNDS           3
#define ENOUGH_MATCHES   25.0 /* fewer expected pairs of one customer: the base model is the better choice */
#define PASSES_LEAST     2    /* one alone cannot tell what is alike from what is one */
#define MATCHES_A_RECORD 15.0 /* more pairs of one customer than that: the two classes are not what they seem */
#define RANDOM_PAIRS     150000
#define CANDIDATE_PAIRS  250000
#define FEW_PAIRS        50.0
#define COPIES_MAX       2
#define CLUSTER_AT       0.9F /* pairs at or above are one likely customer when values are counted */

/* ---- likely customers ---- */

static uint32_t root_of(uint32_t *cluster, uint32_t row)
{
    while (cluster[row] != row)
        row = cluster[row] = cluster[cluster[row]];
    return row;
}

static void find_clusters(struct trained *t)
{
    for (uint32_t row = 0; row < t->count; row++)
        t->cluster[row] = row;
    for (size_t i = 0; i < t->candidates.count; i++) {
        const struct train_pair *pair = &t->candidates.list[i];
        if (pair->probability < CLUSTER_AT)
            continue;
        uint32_t a = root_of(t->cluster, pair->a), b = root_of(t->cluster, pair->b);
        t->cluster[a > b ? a : b] = a < b ? a : b;
    }
    for (uint32_t row = 0; row < t->count; row++)
        t->cluster[row] = root_of(t->cluster, row);
}

/* ---- the work matcher ---- */

/* A value says as much as it is rare where a list may tell that; elsewhere every value says the same. */
static void prepare_frequency(const struct trained *t, const struct custom_field *field, struct comparison_model *model)
{
    bool listed = own_type_has_frequency(field->type) && train_lists_values(t, field);

    for (unsigned l = OWN_SAME; l <= OWN_SIMILAR; l++) {
        struct level_model *level = &model->levels[l];
        if (listed) {
            level->frequency = FREQUENCY_VALUE;
            level->weight = log2f(level->m);
        } else if (level->frequency != FREQUENCY_NONE) {
            *level = t->base->customs[field->type].levels[l];
        }
    }
}

static void prepare_work(struct trained *t)
{
    t->work = *t->base;
    t->work.arena = t->arena;
    t->work.recipe_count = t->work.recipe_part_count = 0;
    for (size_t i = 0; i < t->work.custom_count; i++) {
        struct custom_field *field = &t->work.custom_fields[i];
        t->own_models[i] = *field->model;
        field->model = &t->own_models[i];
        prepare_frequency(t, field, &t->own_models[i]);
    }
    for (size_t c = 0; c < t->comparisons; c++)
        for (unsigned l = 0; l < train_levels(t, c); l++) {
            t->ceiling[c][l] = train_base_level(t, c, l)->ceiling;
            t->frequency_mean[c][l] = 1;
        }
}

static void set_weights(struct trained *t)
{
    for (size_t c = 0; c < t->comparisons; c++) {
        struct comparison_model *model =
            c < CMP_FIXED_COUNT ? &t->work.comparisons[c] : &t->own_models[c - CMP_FIXED_COUNT];
        for (unsigned l = 0; l < train_levels(t, c); l++)
            model->levels[l].weight = (float)t->weight[c][l];
    }
}

/* ---- the report ---- */

static unsigned weakness_of(const struct trained *t, size_t c)
{
    unsigned weakness = 0;
    bool contrast = false;

    if (!t->learned[c])
        return TRAIN_NO_PASS;
    if (t->m_effective[c] < FEW_PAIRS)
        weakness |= TRAIN_FEW_PAIRS;
    for (unsigned l = 0; l < train_levels(t, c); l++) {
        if (t->m_count[c][l] < 0.5 && t->u_count[c][l] < 0.5)
            weakness |= TRAIN_UNSEEN_LEVEL;
        contrast |= fabs(t->weight[c][l]) > 0.5;
    }
    return contrast ? weakness : weakness | TRAIN_NO_CONTRAST;
}

static bool is_seen(const struct trained *t, size_t c)
{
    double seen = 0;

    for (unsigned l = 0; l < train_levels(t, c); l++)
        seen += t->u_count[c][l] + t->m_count[c][l];
    return seen > 0.5;
}

static void make_report(struct trained *t)
{
    struct train_report *report = &t->report;

    report->records = t->count;
    report->candidates = t->candidates.count;
    report->random_pairs = t->randoms.count;
    report->prior = weight_to_probability(t->prior_weight);
    report->passes = t->passes;
    report->comparisons = t->reported;
    report->comparison_count = 0;
    for (size_t c = 0; c < t->comparisons; c++)
        if (train_is_compared(c) && is_seen(t, c))
            t->reported[report->comparison_count++] =
                (struct train_comparison){(uint8_t)c, t->m_effective[c], weakness_of(t, c)};
    size_t used = 0;
    for (size_t i = 0; i < report->pass_count; i++)
        used += t->passes[i].used;
    report->enough = used >= PASSES_LEAST && report->expected_matches >= ENOUGH_MATCHES &&
                     report->expected_matches <= MATCHES_A_RECORD * (double)t->count;
}

/* ---- the rounds ---- */

static void learn(struct trained *t)
{
    find_clusters(t); /* nothing is judged yet: every row by itself */
    train_count_terms(t);
    train_try_recipes(t);
    train_index_build(t);
    if (arena_failed(t->arena))
        return;
    train_find_candidates(t);
    train_draw_randoms(t);
    for (int round = 0; round < ROUNDS && !arena_failed(t->arena); round++) {
        if (round == 0) {
            train_blend(t); /* nothing is learned yet: the base's weights */
            train_learn_u(t);
        } else if (round == 1) {
            find_clusters(t);
            train_count_terms(t);
            set_weights(t); /* of several phones the best pair is the one that counts */
            train_judge_again(t, &t->candidates);
        }
        train_weigh(t);
        train_learn_u(t);
        train_learn_m(t);
        train_blend(t);
        train_learn_ceilings(t);
        train_learn_together(t);
    }
    train_weigh(t);
    train_keep_recipes(t);
    train_learn_confidence(t);
    t->prior_weight -= t->report.doubt_bits;
}

/* Copies of one record, however many, are two to us: more would teach nothing but that copies are equal. */
static bool take_features(struct trained *t, const struct slice *features, size_t count)
{
    size_t mask = 1023;

    count = count < TRAIN_RECORDS_MAX ? count : TRAIN_RECORDS_MAX;
    while (mask < count * 2)
        mask = mask * 2 + 1;
    struct copies {
        uint64_t hash;
        uint32_t count;
    } *seen = calloc(mask + 1, sizeof(*seen));
    t->features = arena_array(t->arena, count + 1, sizeof(*t->features));
    for (size_t i = 0; seen && t->features && i < count; i++) {
        uint64_t hash = slice_hash(features[i], 21);
        size_t at = hash & mask;
        while (seen[at].count && seen[at].hash != hash)
            at = (at + 1) & mask;
        seen[at].hash = hash;
        if (seen[at].count++ < COPIES_MAX)
            t->features[t->count++] = features[i];
    }
    bool able = seen && t->features;
    free(seen);
    if (!able)
        arena_fail(t->arena);
    return able;
}

struct trained *train_new(const struct matcher *base, const struct slice *features, size_t count,
                          const struct train_settings *settings, struct err *err)
{
    struct trained *t = calloc(1, sizeof(*t));

    if (t) {
        t->arena = arena_new(ARENA_MAX_BYTES);
        t->base = base;
        t->settings = *settings;
        t->settings.random_pairs = settings->random_pairs ? settings->random_pairs : RANDOM_PAIRS;
        t->settings.candidate_pairs = settings->candidate_pairs ? settings->candidate_pairs : CANDIDATE_PAIRS;
        t->settings.scale = settings->scale >= 1 ? settings->scale : 1;
        t->comparisons = CMP_FIXED_COUNT + base->custom_count;
        t->candidate_share = 1;
        t->prior_weight = base->prior_weight;
        t->estimates = t->arena ? arena_array(t->arena, (size_t)TRAIN_PASSES_MAX * TRAIN_COMPARISONS_MAX * LEVELS_MAX,
                                              sizeof(*t->estimates))
                                : NULL;
        t->cluster = t->arena ? arena_array(t->arena, count + 1, sizeof(*t->cluster)) : NULL;
    }
    if (t && t->cluster && take_features(t, features, count)) {
        prepare_work(t);
        if (t->count > 1)
            learn(t);
        make_report(t);
    }
    if (t == NULL || t->cluster == NULL || arena_failed(t->arena)) {
        (void)err_set(err, RETRY_LATER, "train.memory", "out of memory while training on %zu records", count);
        trained_free(&t);
        return NULL;
    }
    /* What only learning needed. */
    train_index_free(t);
    return t;
}

void trained_free(struct trained **trained)
{
    struct trained *t = *trained;

    if (t == NULL)
        return;
    train_index_free(t);
    free(t->candidates.list);
    free(t->candidates.items);
    free(t->randoms.list);
    free(t->randoms.items);
    arena_free(&t->arena);
    free(t);
    *trained = NULL;
}

const struct train_report *trained_report(const struct trained *trained)
{
    return &trained->report;
}
