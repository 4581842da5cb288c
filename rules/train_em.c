/* train_em.c - u from random pairs, m from blocking passes by EM, and both blended with the base model. */
#include <math.h>
#include <stdlib.h>

#include "rules/own_field.h"
#include "rules/train_intern.h"

#define ITERATIONS_MAX   60
#define CONVERGED        1e-4  /* greatest change of an m */
#define PASS_PAIRS_MIN   40
#define PASS_PAIRS_MAX   40000
#define PASS_MATCHES_MIN 8.0
#define M_PSEUDO         4.0   /* pairs that the start of a pass counts for */
#define U_PSEUDO         12.0
#define BITS_LEAST       (-3.0) /* of what a degree band took, for means */
#define BASE_VARIANCE    1.5    /* of a base weight, in bits squared */
#define OWN_VARIANCE     16.0   /* of the weight of a type, which hardly knows the field */
#define OVERDISPERSION   4.0    /* pairs of one customer are not independent of each other */
#define CEILING_PSEUDO   6.0
#define CEILING_LIFTED   0.95   /* a share below that leaves the base's ceiling where it is */
#define STRONG_BITS      3.2    /* of the rest of the evidence, for a ceiling to matter */
#define NO_CEILING       1000 /* above any: INFINITY, with room */
#define PRIOR_MAX        (-5.0)  /* log2 odds: no file has more than one pair in 33 of one customer */
#define COMPANION_BITS   1.5F
#define WEIGHT_MAX       24.0
#define LEAST            1e-9

static double probability_of(double log2_odds)
{
    return 1 / (1 + exp2(-log2_odds));
}

/* ---- scores and the prior ---- */

/* Of the evidence above a ceiling nothing counts here. */
static double held(const struct trained *t, const struct train_pairs *pairs, const struct train_pair *pair)
{
    double score = t->prior_weight + (double)pair->score, ceiling = (double)INFINITY;
    bool lifted = false;

    for (uint32_t i = pair->first; i < pair->first + pair->count; i++) {
        const struct train_item *item = &pairs->items[i];
        lifted |= train_base_level(t, item->comparison, item->level)->lifts;
        if ((double)t->ceiling[item->comparison][item->level] < ceiling)
            ceiling = (double)t->ceiling[item->comparison][item->level];
    }
    return !lifted && score > ceiling ? ceiling : score;
}

void train_add_up(const struct trained *t, struct train_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        struct train_pair *pair = &pairs->list[i];
        double score = 0;
        for (uint32_t k = pair->first; k < pair->first + pair->count; k++)
            score += t->weight[pairs->items[k].comparison][pairs->items[k].level] +
                     (double)pairs->items[k].bits;
        pair->score = (float)(score + train_together(t, &pairs->items[pair->first], pair->count));
    }
}

static double expect(const struct trained *t, struct train_pairs *pairs)
{
    double total = 0;

    for (size_t i = 0; i < pairs->count; i++) {
        double probability = probability_of(held(t, pairs, &pairs->list[i]));
        pairs->list[i].probability = (float)probability;
        total += probability;
    }
    return total;
}

void train_weigh(struct trained *t)
{
    double all = (double)t->count * (double)(t->count - 1) / 2, matches = 0;

    train_add_up(t, &t->candidates);
    train_add_up(t, &t->randoms);
    for (int round = 0; round < 30 && all > 0; round++) {
        matches = expect(t, &t->candidates) / t->candidate_share;
        /* One pair as the base has it, so that nothing found is not never. */
        double share = (matches + 1) / (all + 1 / exp2(t->base->prior_weight));
        double weight = log2(share / (1 - share > 0.5 ? 1 - share : 0.5));
        weight = weight > PRIOR_MAX ? PRIOR_MAX : weight;
        bool settled = fabs(weight - t->prior_weight) < 0.001;
        t->prior_weight = weight;
        if (settled)
            break;
    }
    t->report.expected_matches = matches;
    (void)expect(t, &t->randoms);
}

/* ---- u ---- */

void train_learn_u(struct trained *t)
{
    memset(t->u_count, 0, sizeof(t->u_count));
    for (size_t i = 0; i < t->randoms.count; i++) {
        const struct train_pair *pair = &t->randoms.list[i];
        double other = 1 - (double)pair->probability;
        for (uint32_t k = pair->first; k < pair->first + pair->count; k++)
            t->u_count[t->randoms.items[k].comparison][t->randoms.items[k].level] += other;
    }
    for (size_t c = 0; c < t->comparisons; c++) {
        unsigned levels = train_levels(t, c);
        double total = 0;
        for (unsigned l = 0; l < levels; l++)
            total += t->u_count[c][l] + 0.5;
        for (unsigned l = 0; l < levels; l++)
            t->u[c][l] = (t->u_count[c][l] + 0.5) / total;
    }
}

/* ---- one pass ---- */

struct pass {
    struct train_mask mask; /* what its keys look at: left out */
    uint64_t kinds;
    uint32_t *pairs; /* into candidates */
    size_t count;
    double share;    /* of its pairs that are in `pairs` */
    double prior;    /* log2 odds */
    double *probability;
    train_table m, u, m_start, u_start;
    train_table match, other; /* sums of an E step */
};

static bool left_out(const struct pass *pass, size_t comparison)
{
    return train_mask_has(&pass->mask, comparison);
}

/* Who shares a postal code shares the province: what travels with a part of the key is left out, too. */
static void leave_out_companions(const struct trained *t, struct train_mask *mask)
{
    struct train_mask wider = *mask;

    for (size_t i = 0; i < t->comparisons; i++)
        for (size_t j = 0; j < t->comparisons && train_mask_has(mask, i); j++) {
            if (t->agree[i][j] < COMPANION_BITS)
                continue;
            if (j < CMP_FIXED_COUNT)
                wider.fixed |= 1ULL << j;
            else
                wider.own |= 1ULL << (j - CMP_FIXED_COUNT);
        }
    *mask = wider;
}

/* How much rarer than usual at its level. */
static double rarity(const struct trained *t, const struct train_item *item)
{
    double bits = (double)item->bits + log2(t->frequency_mean[item->comparison][item->level]);

    return bits > 12 ? 12 : bits < -12 ? -12 : bits;
}

static double evidence(const struct trained *t, const struct pass *pass, const struct train_item *item)
{
    return log2(pass->m[item->comparison][item->level] / pass->u[item->comparison][item->level]) +
           rarity(t, item);
}

/* One E step; returns the log-likelihood a pair, log2, beside that of the rarities. */
static double expectation(const struct trained *t, struct pass *pass)
{
    double likelihood = 0, prior = probability_of(pass->prior);

    memset(pass->match, 0, sizeof(pass->match));
    memset(pass->other, 0, sizeof(pass->other));
    for (size_t i = 0; i < pass->count; i++) {
        const struct train_pair *pair = &t->candidates.list[pass->pairs[i]];
        const struct train_item *items = &t->candidates.items[pair->first];
        double ratio = 0, base = 0;
        for (uint32_t k = 0; k < pair->count; k++)
            if (!left_out(pass, items[k].comparison)) {
                ratio += evidence(t, pass, &items[k]);
                base += log2(pass->u[items[k].comparison][items[k].level]);
            }
        double p = probability_of(pass->prior + ratio);
        /* log2(prior * 2^ratio + 1 - prior), without overflow */
        likelihood += base + (ratio > 60 ? ratio + log2(prior) : log2(prior * exp2(ratio) + 1 - prior));
        pass->probability[i] = p;
        for (uint32_t k = 0; k < pair->count; k++) {
            pass->match[items[k].comparison][items[k].level] += p;
            pass->other[items[k].comparison][items[k].level] += 1 - p;
        }
    }
    return likelihood / (double)pass->count;
}

/* One M step; returns the greatest change of an m. */
static double maximisation(const struct trained *t, struct pass *pass)
{
    double most = 0, matches = 0;

    for (size_t i = 0; i < pass->count; i++)
        matches += pass->probability[i];
    pass->prior = log2((matches + 0.5) / ((double)pass->count - matches + 0.5));
    for (size_t c = 0; c < t->comparisons; c++) {
        unsigned levels = train_levels(t, c);
        double match = 0, other = 0;
        if (left_out(pass, c))
            continue;
        for (unsigned l = 0; l < levels; l++) {
            match += pass->match[c][l];
            other += pass->other[c][l];
        }
        for (unsigned l = 0; l < levels; l++) {
            double m = (pass->match[c][l] + M_PSEUDO * pass->m_start[c][l]) / (match + M_PSEUDO);
            double u = (pass->other[c][l] + U_PSEUDO * pass->u_start[c][l]) / (other + U_PSEUDO);
            double change = fabs(m - pass->m[c][l]);
            most = change > most && match > 1 ? change : most;
            pass->m[c][l] = m > LEAST ? m : LEAST;
            pass->u[c][l] = u > LEAST ? u : LEAST;
        }
    }
    return most;
}

/* m as the weights now have it, beside the u of random pairs. */
static void start_pass(const struct trained *t, struct pass *pass)
{
    double matches = 0;

    for (size_t c = 0; c < t->comparisons; c++) {
        unsigned levels = train_levels(t, c);
        double total = 0;
        for (unsigned l = 0; l < levels; l++) {
            double m = exp2(t->weight[c][l]) * t->u[c][l] / t->frequency_mean[c][l];
            pass->m_start[c][l] = m < 1e-4 ? 1e-4 : m > 0.97 ? 0.97 : m;
            total += pass->m_start[c][l];
        }
        for (unsigned l = 0; l < levels; l++) {
            pass->m[c][l] = pass->m_start[c][l] = pass->m_start[c][l] / total;
            pass->u[c][l] = pass->u_start[c][l] = t->u[c][l];
        }
    }
    for (size_t i = 0; i < pass->count; i++)
        matches += (double)t->candidates.list[pass->pairs[i]].probability;
    pass->prior = log2((matches + 0.5) / ((double)pass->count - matches + 0.5));
}

/* A date of birth or a number of the person's own: what a household does not share. */
static bool is_personal(const struct trained *t, size_t comparison)
{
    if (comparison < CMP_FIXED_COUNT)
        return comparison == CMP_BIRTH || comparison == CMP_NATIONAL_ID;
    enum field_type type = t->work.custom_fields[comparison - CMP_FIXED_COUNT].type;
    return type == FIELD_DATE || type == FIELD_ID_NUMBER;
}

/* What of that sort two records say of each other; false: nothing. */
static bool personal_evidence(const struct trained *t, const struct pass *pass, const struct train_pair *pair,
                              double *bits)
{
    bool any = false;

    *bits = 0;
    for (uint32_t i = pair->first; i < pair->first + pair->count; i++) {
        const struct train_item *item = &t->candidates.items[i];
        if (!is_personal(t, item->comparison))
            continue;
        any = true;
        *bits += left_out(pass, item->comparison) ? 0 : evidence(t, pass, item);
    }
    return any;
}

/* Whether the rest speaks for one customer, the level of c apart: there a ceiling matters. Who has another name at the same
 * address is told by what is personal, or not at all. */
static void note_ceilings(struct trained *t, const struct pass *pass)
{
    for (size_t i = 0; i < pass->count; i++) {
        const struct train_pair *pair = &t->candidates.list[pass->pairs[i]];
        const struct train_item *items = &t->candidates.items[pair->first];
        double p = pass->probability[i], odds = log2((p + 1e-12) / (1 - p + 1e-12));
        double told;
        bool personal = personal_evidence(t, pass, pair, &told);
        for (uint32_t k = 0; k < pair->count; k++) {
            size_t c = items[k].comparison;
            if (left_out(pass, c) || (c == CMP_NAME && !personal) ||
                train_base_level(t, c, items[k].level)->ceiling > NO_CEILING ||
                odds - evidence(t, pass, &items[k]) - (c == CMP_NAME ? told : 0) < STRONG_BITS)
                continue;
            t->beside_match[c][items[k].level] += p;
            t->beside_other[c][items[k].level] += 1 - p;
        }
    }
}

/* Pairs of one customer are not independent of each other. */
static double variance_of(double matches, double others)
{
    return 2.08 * (OVERDISPERSION / (matches + 0.3) + 1 / (others + 0.5));
}

static struct train_estimate *estimate_of(const struct trained *t, size_t pass, size_t c, unsigned l)
{
    return &t->estimates[(pass * TRAIN_COMPARISONS_MAX + c) * LEVELS_MAX + l];
}

static void note_estimates(struct trained *t, const struct pass *pass)
{
    if (t->estimate_passes == TRAIN_PASSES_MAX)
        return;
    for (size_t c = 0; c < t->comparisons; c++)
        for (unsigned l = 0; l < train_levels(t, c); l++) {
            struct train_estimate *estimate = estimate_of(t, t->estimate_passes, c, l);
            *estimate = (struct train_estimate){0};
            if (!left_out(pass, c) && pass->match[c][l] + pass->other[c][l] > 0.5) {
                estimate->weight = (float)log2(pass->m[c][l] / pass->u[c][l] * t->frequency_mean[c][l]);
                estimate->variance = (float)variance_of(pass->match[c][l], pass->other[c][l]);
            }
        }
    t->estimate_passes++;
}

static void take_over(struct trained *t, const struct pass *pass)
{
    note_estimates(t, pass);
    for (size_t c = 0; c < t->comparisons; c++) {
        double total = 0;
        unsigned levels = train_levels(t, c);
        if (left_out(pass, c) || !train_is_compared(c))
            continue;
        for (unsigned l = 0; l < levels; l++) {
            t->m_count[c][l] += pass->match[c][l] / pass->share;
            total += pass->match[c][l] / pass->share;
        }
        t->m_effective[c] = total > t->m_effective[c] ? total : t->m_effective[c];
        t->learned[c] |= total > 0;
    }
    note_ceilings(t, pass);
}

static void run_pass(struct trained *t, struct pass *pass, struct train_pass *report)
{
    double matches = 0;

    start_pass(t, pass);
    for (report->iterations = 0; report->iterations < ITERATIONS_MAX;) {
        report->log_likelihood = expectation(t, pass);
        if (report->iterations == 0)
            report->log_likelihood_first = report->log_likelihood;
        report->last_change = maximisation(t, pass);
        report->iterations++;
        if (report->last_change < CONVERGED)
            break;
    }
    report->log_likelihood = expectation(t, pass);
    for (size_t i = 0; i < pass->count; i++)
        matches += pass->probability[i];
    report->matches = matches / pass->share;
    report->used = matches >= PASS_MATCHES_MIN;
    if (report->used)
        take_over(t, pass);
}

/* ---- the passes ---- */

static bool same_mask(const struct train_mask *a, const struct train_mask *b)
{
    return a->fixed == b->fixed && a->own == b->own;
}

static size_t list_passes(const struct trained *t, struct train_mask masks[TRAIN_PASSES_MAX],
                          uint64_t kinds[TRAIN_PASSES_MAX])
{
    size_t count = 0, last = t->work.first_recipe_kind + t->work.recipe_count;

    for (uint8_t kind = 0; kind < last && kind < 64; kind++) {
        struct train_mask mask = train_kind_mask(t, kind);
        if (mask.fixed == 0 && mask.own == 0)
            continue;
        size_t i = 0;
        while (i < count && !same_mask(&masks[i], &mask))
            i++;
        if (i == count && count < TRAIN_PASSES_MAX) {
            masks[count] = mask;
            kinds[count++] = 0;
        }
        if (i < TRAIN_PASSES_MAX)
            kinds[i] |= 1ULL << kind;
    }
    return count;
}

static const char *name_pass(const struct trained *t, uint64_t kinds)
{
    struct slice name = SLICE_EMPTY;

    for (uint8_t kind = 0; kind < 64; kind++)
        if (kinds >> kind & 1) {
            bool recipe = kind >= t->work.first_recipe_kind;
            name = arena_printf(t->arena, SLICE_FMT "%s%s%s%s", SLICE_ARG(name), name.len ? ", " : "",
                                recipe ? "[" : "", matcher_key_name(&t->work, kind), recipe ? "]" : "");
        }
    return name.len ? name.ptr : "";
}

static void gather(const struct trained *t, struct pass *pass)
{
    size_t total = 0;

    for (size_t i = 0; i < t->candidates.count; i++)
        total += (t->candidates.list[i].kinds & pass->kinds) != 0;
    /* Every n-th, so that the passes cost alike. */
    size_t step = total / PASS_PAIRS_MAX + 1, seen = 0;
    pass->count = 0;
    for (size_t i = 0; i < t->candidates.count; i++)
        if ((t->candidates.list[i].kinds & pass->kinds) && seen++ % step == 0)
            pass->pairs[pass->count++] = (uint32_t)i;
    pass->share = t->candidate_share * (total ? (double)pass->count / (double)total : 1);
}

static void learn_frequency_means(struct trained *t)
{
    static train_table none; /* all zero */
    train_table weight, sum;

    memcpy(weight, none, sizeof(weight));
    memcpy(sum, none, sizeof(sum));
    for (size_t i = 0; i < t->candidates.count; i++) {
        const struct train_pair *pair = &t->candidates.list[i];
        for (uint32_t k = pair->first; k < pair->first + pair->count; k++) {
            const struct train_item *item = &t->candidates.items[k];
            double bits = (double)item->bits < BITS_LEAST ? BITS_LEAST : (double)item->bits;
            double p = (double)pair->probability + 1e-6;
            weight[item->comparison][item->level] += p;
            sum[item->comparison][item->level] += p * exp2(-bits);
        }
    }
    for (size_t c = 0; c < t->comparisons; c++)
        for (unsigned l = 0; l < train_levels(t, c); l++)
            t->frequency_mean[c][l] = weight[c][l] > 0 ? sum[c][l] / weight[c][l] : 1;
}

static void finish_m(struct trained *t)
{
    for (size_t c = 0; c < t->comparisons; c++) {
        unsigned levels = train_levels(t, c);
        double total = 0;
        for (unsigned l = 0; l < levels; l++)
            total += t->m_count[c][l];
        for (unsigned l = 0; l < levels; l++) {
            /* Passes overlap: the widest one tells how many pairs there really were. */
            t->m_count[c][l] = total > 0 ? t->m_count[c][l] / total * t->m_effective[c] : 0;
            t->m[c][l] = (t->m_count[c][l] + 0.3) / (t->m_effective[c] + 0.3 * levels);
        }
    }
}

void train_learn_m(struct trained *t)
{
    struct train_mask masks[TRAIN_PASSES_MAX];
    uint64_t kinds[TRAIN_PASSES_MAX];
    size_t count = list_passes(t, masks, kinds);
    struct pass *pass = malloc(sizeof(*pass));
    uint32_t *pairs = malloc((PASS_PAIRS_MAX * 2 + 2) * sizeof(*pairs));
    double *probability = malloc((PASS_PAIRS_MAX * 2 + 2) * sizeof(*probability));

    memset(t->m_count, 0, sizeof(t->m_count));
    memset(t->m_effective, 0, sizeof(t->m_effective));
    memset(t->learned, 0, sizeof(t->learned));
    memset(t->beside_match, 0, sizeof(t->beside_match));
    memset(t->beside_other, 0, sizeof(t->beside_other));
    learn_frequency_means(t);
    t->report.pass_count = t->estimate_passes = 0;
    for (size_t i = 0; pass && pairs && probability && i < count; i++) {
        *pass = (struct pass){.mask = masks[i], .kinds = kinds[i], .pairs = pairs, .probability = probability};
        leave_out_companions(t, &pass->mask);
        gather(t, pass);
        if (pass->count < PASS_PAIRS_MIN)
            continue;
        struct train_pass *report = &t->passes[t->report.pass_count++];
        *report = (struct train_pass){.keys = name_pass(t, kinds[i]), .pairs = pass->count};
        run_pass(t, pass, report);
    }
    if (pass == NULL || pairs == NULL || probability == NULL)
        arena_fail(t->arena);
    free(pass);
    free(pairs);
    free(probability);
    finish_m(t);
}

/* ---- with the base ---- */

/* What the base would have the level weigh, beside the frequency that training gave it. */
static double base_weight(const struct trained *t, size_t c, unsigned l)
{
    const struct level_model *base = train_base_level(t, c, l);
    bool frequency = c >= CMP_FIXED_COUNT && t->own_models[c - CMP_FIXED_COUNT].levels[l].frequency;

    if (frequency && base->frequency == FREQUENCY_NONE)
        return log2((double)base->m);
    if (!frequency && c >= CMP_FIXED_COUNT && base->frequency != FREQUENCY_NONE) /* its u is what remains beside a list */
        return (double)t->base->customs[t->work.custom_fields[c - CMP_FIXED_COUNT].type].levels[l].weight;
    return (double)base->weight;
}

/* The mean of the passes, and how far another set of evidence may lie from it: passes look at pairs that share other things,
 * and where comparisons hang together they disagree (the moment estimate of DerSimonian and Laird, 1986). */
static bool mean_of_passes(const struct trained *t, size_t c, unsigned l, double *mean, double *variance)
{
    double weights = 0, sum = 0, squares = 0, distance = 0;
    size_t count = 0;

    for (size_t i = 0; i < t->estimate_passes; i++) {
        const struct train_estimate *e = estimate_of(t, i, c, l);
        if (e->variance > 0) {
            double w = 1 / (double)e->variance;
            weights += w;
            sum += w * (double)e->weight;
            squares += w * w;
            count++;
        }
    }
    if (count == 0)
        return false;
    for (size_t i = 0; i < t->estimate_passes; i++) {
        const struct train_estimate *e = estimate_of(t, i, c, l);
        double off = (double)e->weight - sum / weights;
        distance += e->variance > 0 ? off * off / (double)e->variance : 0;
    }
    double between = count > 1 ? (distance - (double)(count - 1)) / (weights - squares / weights) : 0;
    between = between > 0 ? between : 0;
    weights = sum = 0;
    for (size_t i = 0; i < t->estimate_passes; i++) {
        const struct train_estimate *e = estimate_of(t, i, c, l);
        if (e->variance > 0) {
            weights += 1 / ((double)e->variance + between);
            sum += (double)e->weight / ((double)e->variance + between);
        }
    }
    *mean = sum / weights;
    *variance = between + 1 / weights;
    return true;
}

void train_blend(struct trained *t)
{
    for (size_t c = 0; c < t->comparisons; c++) {
        double prior = c < CMP_FIXED_COUNT ? BASE_VARIANCE : OWN_VARIANCE;
        for (unsigned l = 0; l < train_levels(t, c); l++) {
            double base = base_weight(t, c, l), weight = base;
            if (t->learned[c]) {
                double learned, variance;
                if (mean_of_passes(t, c, l, &learned, &variance))
                    weight = (learned / variance + base / prior) / (1 / variance + 1 / prior);
            }
            t->weight[c][l] = weight > WEIGHT_MAX ? WEIGHT_MAX : weight < -WEIGHT_MAX ? -WEIGHT_MAX : weight;
        }
    }
}

/* Where people of one household share a phone and an address, many pairs at the levels with a ceiling are two people; where
 * nobody shares anything, they are slips. All such levels together tell what kind of file this is, and each by itself
 * the rest. */
void train_learn_ceilings(struct trained *t)
{
    double match = 0, seen = 0;

    for (size_t c = 0; c < t->comparisons; c++)
        for (unsigned l = 0; l < train_levels(t, c); l++)
            if (train_base_level(t, c, l)->ceiling < NO_CEILING) {
                match += t->beside_match[c][l];
                seen += t->beside_match[c][l] + t->beside_other[c][l];
            }
    double usual = (match + CEILING_PSEUDO / 2) / (seen + CEILING_PSEUDO);
    for (size_t c = 0; c < t->comparisons; c++)
        for (unsigned l = 0; l < train_levels(t, c); l++) {
            const struct level_model *base = train_base_level(t, c, l);
            t->ceiling[c][l] = base->ceiling;
            if (base->ceiling > NO_CEILING)
                continue;
            double most = probability_of((double)base->ceiling);
            double share = (t->beside_match[c][l] + CEILING_PSEUDO * usual) /
                           (t->beside_match[c][l] + t->beside_other[c][l] + CEILING_PSEUDO);
            share = share > 0.999 ? 0.999 : share;
            if (share > most && share >= CEILING_LIFTED)
                t->ceiling[c][l] = (float)log2(share / (1 - share));
        }
}
