/* train_confidence.c - how sure a model may be of itself: measured by what contradicts where it would link. */
#include <math.h>

#include "rules/train_intern.h"

#define CONTRADICTS_BITS 2.0  /* against, at least */
#define CERTAIN_BITS     16.0 /* of everything else: hardly one pair of them is two customers */
#define CERTAIN_LEAST    25.0 /* such pairs, for a comparison to be a witness */
#define SLIPS_MOST       0.10 /* of such pairs that contradict all the same: more, and it is no witness */
#define CONTRAST_LEAST   0.40
#define DOUBT_STEPS      33   /* of a quarter of a bit: to 8 bits */
#define DOUBT_STEP       0.25
#define BINS             96 /* of a quarter of a bit */
#define BIN_BITS         0.25

struct witness {
    double slips, usual; /* share that contradicts: of one customer, of two */
    double missing;      /* share of likely links that are made without it */
    double agree[BINS], against[BINS]; /* pairs by what the rest says */
};

static bool contradicts(const struct trained *t, const struct train_item *item)
{
    return t->weight[item->comparison][item->level] + (double)item->bits < -CONTRADICTS_BITS;
}

/* What the rest of a pair's comparisons says, the prior included; ceilings hold nobody back here. */
static double rest_of(const struct trained *t, const struct train_pair *pair, const struct train_item *but)
{
    struct train_item items[COMPARISONS_MAX];
    double score = t->prior_weight;
    size_t count = 0;

    for (uint32_t k = pair->first; k < pair->first + pair->count && count < COMPARISONS_MAX; k++) {
        const struct train_item *item = &t->candidates.items[k];
        if (item == but)
            continue;
        score += t->weight[item->comparison][item->level] + (double)item->bits;
        items[count++] = *item;
    }
    return score + train_together(t, items, count);
}

/* Fills the witness of one comparison; false: it is none. */
static bool hear(const struct trained *t, size_t c, struct witness *w)
{
    double certain = 0, slips = 0, links = 0, with = 0;

    *w = (struct witness){0};
    for (size_t i = 0; i < t->candidates.count; i++) {
        const struct train_pair *pair = &t->candidates.list[i];
        bool likely = t->prior_weight + (double)pair->score >= t->base->link_weight;
        links += likely;
        for (uint32_t k = pair->first; k < pair->first + pair->count; k++) {
            const struct train_item *item = &t->candidates.items[k];
            if (item->comparison != c)
                continue;
            with += likely;
            double rest = rest_of(t, pair, item);
            bool against = contradicts(t, item);
            if (rest >= CERTAIN_BITS) {
                certain++;
                slips += against;
            } else if (rest >= t->base->link_weight && rest < BINS * BIN_BITS) {
                (against ? w->against : w->agree)[(size_t)(rest / BIN_BITS)]++;
            }
        }
    }
    for (unsigned l = 0; l < train_levels(t, c); l++)
        w->usual += t->weight[c][l] < -CONTRADICTS_BITS ? t->u[c][l] : 0;
    w->slips = (slips + 0.5) / (certain + 1);
    w->missing = links > 0 ? 1 - with / links : 0;
    return certain >= CERTAIN_LEAST && w->slips <= SLIPS_MOST && w->usual - w->slips >= CONTRAST_LEAST;
}

static double likelihood(const struct witness *w, double doubt)
{
    double sum = 0;

    for (size_t i = 0; i < BINS; i++) {
        double one = 1 / (1 + exp2(doubt - ((double)i + 0.5) * BIN_BITS));
        double against = one * w->slips + (1 - one) * w->usual;
        sum += w->against[i] * log2(against) + w->agree[i] * log2(1 - against);
    }
    return sum;
}

/* Comparisons that hang together make a model surer than it may be. A witness is a comparison that hardly ever contradicts
 * where all the rest is certain: left out, how often it contradicts at each score tells how many pairs of that score are
 * two customers. The bits by which all witnesses together find the model too sure are taken off the prior, as far as links
 * are made without them: where everybody's date of birth is known, no link leans on what the rest would say alone. */
void train_learn_confidence(struct trained *t)
{
    double sums[DOUBT_STEPS] = {0}, missing = 0;
    size_t best = 0;
    struct witness witness;

    for (size_t c = 0; c < t->comparisons; c++) {
        if (!train_is_compared(c) || !t->learned[c] || !hear(t, c, &witness))
            continue;
        missing = witness.missing > missing ? witness.missing : missing;
        for (size_t i = 0; i < DOUBT_STEPS; i++)
            sums[i] += likelihood(&witness, (double)i * DOUBT_STEP);
    }
    for (size_t i = 1; i < DOUBT_STEPS; i++)
        best = sums[i] > sums[best] ? i : best;
    t->report.doubt_bits = (double)best * DOUBT_STEP * missing;
}
