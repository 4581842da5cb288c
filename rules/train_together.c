/* train_together.c - comparisons that travel together: city and province, a street and its postal code. */
#include <math.h>
#include <stdlib.h>

#include "rules/train_intern.h"

#define SAMPLE_GROUPS  1200 /* values of one part whose holders are held against each other */
#define GROUP_PAIRS    4    /* of one value */
#define OTHER_AT_MOST  0.2  /* j apart, hardly one customer */
#define MATCH_AT_LEAST 0.9  /* j apart, hardly two */
#define AGREES_BITS    0.5  /* more than that speaks for one customer, less than minus that against */
#define PAIRS_LEAST    30.0
#define BOTH_LEAST     8.0
#define LIFT_LEAST     1.0
#define LIFT_MOST      12.0
#define RELATED_BITS   2.0F

struct holder {
    uint64_t hash;
    uint32_t row;
};

static int compare_holders(const void *x, const void *y)
{
    const struct holder *a = x, *b = y;

    return a->hash != b->hash ? (a->hash < b->hash ? -1 : 1) : (a->row > b->row) - (a->row < b->row);
}

/* Who holds which value of a part; of the name the whole. */
static size_t list_holders(const struct trained *t, size_t part, struct holder *holders)
{
    struct features_view view;
    uint64_t values[PART_VALUES_MAX], family[PART_VALUES_MAX];
    size_t count = 0;

    for (uint32_t row = 0; row < t->count; row++) {
        if (!features_read(t->features[row], &view) ||
            key_part_values(&t->work, &view, part, values) == 0)
            continue;
        if (part == PART_GIVEN) {
            if (key_part_values(&t->work, &view, PART_FAMILY, family) == 0)
                continue;
            values[0] = hash_mix(values[0], family[0]);
        }
        holders[count++] = (struct holder){values[0], row};
    }
    qsort(holders, count, sizeof(*holders), compare_holders);
    return count;
}

static size_t group_end(const struct holder *holders, size_t count, size_t from)
{
    size_t to = from + 1;

    while (to < count && holders[to].hash == holders[from].hash)
        to++;
    return to;
}

/* Pairs that share a value, a few of each. */
static void draw_pairs(struct trained *t, const struct holder *holders, size_t count, struct train_pairs *pairs)
{
    size_t groups = 0, seen = 0;

    for (size_t from = 0, to; from < count; from = to) {
        to = group_end(holders, count, from);
        groups += to - from > 1;
    }
    size_t step = groups / SAMPLE_GROUPS + 1;
    for (size_t from = 0, to; from < count && !arena_failed(t->arena); from = to) {
        to = group_end(holders, count, from);
        if (to - from < 2 || seen++ % step != 0)
            continue;
        for (size_t i = 0; i < GROUP_PAIRS && i + 1 < to - from; i++) {
            size_t other = (i + 1) * (to - from - 1) / GROUP_PAIRS;
            uint32_t a = holders[from].row, b = holders[from + (other ? other : 1)].row;
            if (a != b)
                train_add_pair(t, pairs, a < b ? a : b, a < b ? b : a);
        }
    }
}

static double item_weight(const struct trained *t, const struct train_item *item)
{
    return t->weight[item->comparison][item->level] + (double)item->bits;
}

/* How likely the pair is one customer, j apart. */
static double without(const struct trained *t, const struct train_pair *pair, const struct train_item *item)
{
    return 1 / (1 + exp2(-(t->prior_weight + (double)pair->score - item_weight(t, item))));
}

static const struct train_item *find_item(const struct train_pairs *pairs, const struct train_pair *pair,
                                          size_t comparison)
{
    for (uint32_t k = pair->first; k < pair->first + pair->count; k++)
        if (pairs->items[k].comparison == comparison)
            return &pairs->items[k];
    return NULL;
}

/* Among pairs of two customers that share the part's value: how much oftener than usual the others agree too. */
static void learn_agreement(struct trained *t, const struct train_pairs *pairs, size_t i)
{
    double present[TRAIN_COMPARISONS_MAX] = {0}, both[TRAIN_COMPARISONS_MAX] = {0};

    for (size_t n = 0; n < pairs->count; n++) {
        const struct train_pair *pair = &pairs->list[n];
        const struct train_item *own = find_item(pairs, pair, i);
        if (own == NULL || item_weight(t, own) < AGREES_BITS)
            continue;
        for (uint32_t k = pair->first; k < pair->first + pair->count; k++) {
            const struct train_item *item = &pairs->items[k];
            if (item->comparison == i || without(t, pair, item) > OTHER_AT_MOST)
                continue;
            present[item->comparison]++;
            both[item->comparison] += item_weight(t, item) > AGREES_BITS;
        }
    }
    for (size_t j = 0; j < t->comparisons; j++) {
        double usual = 0;
        for (unsigned l = 0; l < train_levels(t, j); l++)
            usual += t->weight[j][l] > 0 || t->frequency_mean[j][l] < 0.9 ? t->u[j][l] : 0;
        if (present[j] < PAIRS_LEAST || both[j] < BOTH_LEAST || usual <= 0)
            continue;
        double lift = log2(both[j] / present[j] / usual);
        lift = lift > LIFT_MOST ? LIFT_MOST : lift;
        /* What the fixed comparisons say twice the base model's `together` knows. */
        if (lift < LIFT_LEAST || lift <= (double)t->agree[i][j] || (i < CMP_FIXED_COUNT && j < CMP_FIXED_COUNT))
            continue;
        t->agree[i][j] = t->agree[j][i] = (float)lift;
    }
}

/* Among pairs of one customer: how much oftener than usual j speaks against it when i does. */
static void learn_difference(struct trained *t)
{
    static const size_t all = TRAIN_COMPARISONS_MAX;
    double *match = calloc(all * all * 2, sizeof(*match)), *against = match ? match + all * all : NULL;
    double present[TRAIN_COMPARISONS_MAX] = {0}, usual[TRAIN_COMPARISONS_MAX] = {0};

    if (match == NULL) {
        arena_fail(t->arena);
        return;
    }
    for (size_t n = 0; n < t->candidates.count; n++) {
        const struct train_pair *pair = &t->candidates.list[n];
        const struct train_item *items = &t->candidates.items[pair->first];
        for (uint32_t k = 0; k < pair->count; k++) {
            size_t j = items[k].comparison;
            if (without(t, pair, &items[k]) < MATCH_AT_LEAST)
                continue;
            bool differs = item_weight(t, &items[k]) < -AGREES_BITS;
            present[j]++;
            usual[j] += differs;
            for (uint32_t n2 = 0; n2 < pair->count; n2++)
                if (n2 != k && item_weight(t, &items[n2]) < -AGREES_BITS) {
                    match[items[n2].comparison * all + j]++;
                    against[items[n2].comparison * all + j] += differs;
                }
        }
    }
    for (size_t i = 0; i < t->comparisons; i++)
        for (size_t j = 0; j < t->comparisons; j++) {
            double seen = match[i * all + j], both = against[i * all + j];
            if (seen < PAIRS_LEAST || both < BOTH_LEAST || usual[j] < 1)
                continue;
            double lift = log2(both / seen / (usual[j] / present[j]));
            /* Only of what agrees together, too: a name and a birthday that both differ are somebody else's. */
            if (lift > LIFT_LEAST && lift > (double)t->differ[i][j] && t->agree[i][j] >= RELATED_BITS)
                t->differ[i][j] = t->differ[j][i] = (float)(lift > LIFT_MOST ? LIFT_MOST : lift);
        }
    free(match);
}

void train_learn_together(struct trained *t)
{
    static const uint8_t fixed[] = {PART_GIVEN, PART_BIRTH_DATE, PART_PHONE,   PART_EMAIL,
                                    PART_CITY,  PART_POSTAL_CODE, PART_STREET, PART_COMPANY};
    struct train_pairs pairs = {0};
    struct holder *holders = malloc((t->count + 1) * sizeof(*holders));
    size_t own = t->work.custom_count;

    memset(t->agree, 0, sizeof(t->agree));
    memset(t->differ, 0, sizeof(t->differ));
    for (size_t n = 0; holders && n < sizeof(fixed) + own && !arena_failed(t->arena); n++) {
        size_t part = n < sizeof(fixed) ? fixed[n] : PART_FIXED_COUNT + (n - sizeof(fixed)) * OWN_PART_COUNT;
        pairs.count = pairs.item_count = 0;
        draw_pairs(t, holders, list_holders(t, part, holders), &pairs);
        train_add_up(t, &pairs);
        learn_agreement(t, &pairs, key_part_comparison(part));
    }
    if (holders == NULL)
        arena_fail(t->arena);
    free(holders);
    free(pairs.list);
    free(pairs.items);
    learn_difference(t);
}

double train_together(const struct trained *t, const struct train_item *items, size_t count)
{
    double total = 0;

    for (size_t k = 1; k < count; k++) {
        double weight = item_weight(t, &items[k]), most = 0;
        for (size_t i = 0; i < k; i++) {
            double other = item_weight(t, &items[i]);
            if (weight * other <= 0)
                continue;
            double bits = (double)(weight > 0 ? t->agree : t->differ)[items[i].comparison][items[k].comparison];
            double least = fabs(weight) < fabs(other) ? fabs(weight) : fabs(other);
            bits = bits < least ? bits : least;
            most = bits > most ? bits : most;
        }
        total += weight > 0 ? -most : most;
    }
    return total;
}
