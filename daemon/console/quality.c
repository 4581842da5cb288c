/* quality.c - see quality.h. */
#include "daemon/console/quality.h"

#include <math.h>
#include <string.h>

#define Z             1.959963984540054 /* two-sided 95 % of the normal distribution */
#define RARELY_SAME   0.05 /* a band of questions of which surely fewer are the same is not worth asking */
#define OFTEN_SAME    0.30 /* when surely more of the lowest band are the same, there is more below */
#define SAME_PLACE    1e-9 /* bounds nearer to each other are one */

static const double fixed_bounds[] = {0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999};

struct quality_share quality_wilson(uint64_t hits, uint64_t trials)
{
    if (trials == 0)
        return (struct quality_share){(double)NAN, 0, 1};
    double n = (double)trials, share = (double)hits / n, z2 = Z * Z;
    double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
    double half = Z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n));
    return (struct quality_share){share, hits == 0 ? 0 : fmax(0, centre - half),
                                  hits == trials ? 1 : fmin(1, centre + half)};
}

static void add_bound(double *bounds, size_t *count, double bound)
{
    size_t at = 0;
    while (at < *count && bounds[at] < bound - SAME_PLACE)
        at++;
    if (at < *count && bounds[at] < bound + SAME_PLACE) {
        bounds[at] = bound; /* the thresholds exactly */
        return;
    }
    memmove(bounds + at + 1, bounds + at, (*count - at) * sizeof(*bounds));
    bounds[at] = bound;
    (*count)++;
}

void quality_init(struct quality *quality, double link, double review, double wanted)
{
    double bounds[QUALITY_BANDS_MAX + 1];
    size_t count = 0;
    *quality = (struct quality){.link = link, .review = review, .wanted = wanted};
    for (size_t i = 0; i < sizeof(fixed_bounds) / sizeof(fixed_bounds[0]); i++)
        add_bound(bounds, &count, fixed_bounds[i]);
    add_bound(bounds, &count, review);
    add_bound(bounds, &count, link);
    quality->band_count = count;
    for (size_t i = 0; i < count; i++) {
        double low = bounds[i];
        quality->bands[i] = (struct quality_band){.low = low, .high = i + 1 < count ? bounds[i + 1] : 1,
                                                  .links = low >= link, .asks = low >= review && low < link};
    }
}

struct quality_band *quality_band_of(struct quality *quality, double probability)
{
    size_t at = quality->band_count - 1;
    while (at > 0 && probability < quality->bands[at].low)
        at--;
    return &quality->bands[at];
}

void quality_add(struct quality *quality, double probability, bool same, bool by_review)
{
    struct quality_band *band = quality_band_of(quality, probability);
    band->pairs++;
    if (by_review)
        *(same ? &band->same : &band->different) += 1;
    else
        *(same ? &band->merged : &band->split) += 1;
}

void quality_add_pairs(struct quality *quality, double probability, uint64_t count)
{
    quality_band_of(quality, probability)->pairs += count;
}

/* ---- what follows ---- */

static struct quality_share right_of(const struct quality_band *band)
{
    uint64_t wrong = band->different + band->split;
    if (band->links)
        return quality_wilson(band->pairs - (wrong < band->pairs ? wrong : band->pairs), band->pairs);
    if (band->asks)
        return quality_wilson(band->same, band->same + band->different);
    return quality_wilson(0, 0);
}

struct sums { /* of pairs that are the same: as estimated, at least, at most */
    double pairs, value, low, high;
};

static void sum(struct sums *sums, const struct quality_band *band)
{
    double pairs = (double)band->pairs;
    sums->pairs += pairs;
    sums->low += pairs * band->right.low;
    sums->high += pairs * band->right.high;
    /* A band nobody decided anything in counts as the model says: the middle of it. */
    sums->value += pairs * (isnan(band->right.value) ? (band->low + band->high) / 2 : band->right.value);
}

static double ratio(double part, double rest)
{
    return part + rest > 0 ? part / (part + rest) : (double)NAN;
}

/* Were the link threshold the low bound of band `first`. */
static void look_at(const struct quality *quality, size_t first, struct quality_share *precision,
                    struct quality_share *recall)
{
    struct sums linked = {0}, asked = {0};
    uint64_t missed = quality->unjudged_same;
    for (size_t i = 0; i < quality->band_count; i++) {
        const struct quality_band *band = &quality->bands[i];
        if (band->links || band->asks)
            sum(i >= first ? &linked : &asked, band);
        else
            missed += band->same + band->merged;
    }
    *precision = *recall = (struct quality_share){(double)NAN, 0, 1};
    if (linked.pairs <= 0)
        return;
    *precision = (struct quality_share){linked.value / linked.pairs, linked.low / linked.pairs,
                                        linked.high / linked.pairs};
    *recall = (struct quality_share){ratio(linked.value, asked.value + (double)missed),
                                     ratio(linked.low, asked.high + (double)missed),
                                     ratio(linked.high, asked.low + (double)missed)};
}

static uint64_t decided_between(const struct quality *quality, size_t from, size_t to)
{
    uint64_t decided = 0;
    for (size_t i = from; i < to; i++)
        decided += quality->bands[i].same + quality->bands[i].different;
    return decided;
}

/* Down from the top, band by band, as long as what is linked there is right often enough: above link that is as far as
 * mistakes were found, below it that enough decided questions surely were the same. */
static void suggest_link(struct quality *quality)
{
    uint64_t same = 0, decided = 0;
    quality->suggested_link = (double)NAN;
    for (size_t i = quality->band_count; i-- > 0;) {
        const struct quality_band *band = &quality->bands[i];
        bool found_wrong = band->different + band->split > 0;
        if (!band->links && !band->asks)
            break;
        if (band->links && found_wrong && band->right.value < quality->wanted)
            break;
        same += band->links ? 0 : band->same;
        decided += band->links ? 0 : band->same + band->different;
        if (band->asks && (decided < QUALITY_DECIDED_MIN || quality_wilson(same, decided).low < quality->wanted))
            break;
        quality->suggested_link = band->low;
    }
}

static void suggest_review(struct quality *quality, size_t first_asking, size_t first_linking)
{
    uint64_t same = 0, decided = 0;
    quality->suggested_review = (double)NAN;
    if (first_asking >= first_linking)
        return;
    const struct quality_band *lowest = &quality->bands[first_asking];
    if (lowest->same + lowest->different >= QUALITY_DECIDED_MIN && lowest->right.low > OFTEN_SAME && first_asking > 0) {
        quality->suggested_review = quality->bands[first_asking - 1].low;
        return;
    }
    for (size_t i = first_asking; i < first_linking; i++) {
        same += quality->bands[i].same;
        decided += quality->bands[i].same + quality->bands[i].different;
        if (decided < QUALITY_DECIDED_MIN)
            continue;
        if (quality_wilson(same, decided).high > RARELY_SAME)
            break;
        quality->suggested_review = quality->bands[i].high;
    }
    if (isnan(quality->suggested_review) && decided >= QUALITY_DECIDED_MIN)
        quality->suggested_review = quality->review;
}

void quality_finish(struct quality *quality)
{
    size_t first_asking = quality->band_count, first_linking = quality->band_count;
    for (size_t i = quality->band_count; i-- > 0;) {
        struct quality_band *band = &quality->bands[i];
        band->right = right_of(band);
        if (band->links)
            first_linking = i;
        if (band->links || band->asks)
            first_asking = i;
    }
    quality->decided_reviews = decided_between(quality, 0, quality->band_count);
    look_at(quality, first_linking, &quality->precision, &quality->recall);
    quality->at_count = 0;
    for (size_t i = first_asking; i < quality->band_count; i++) {
        struct quality_at *at = &quality->at[quality->at_count++];
        *at = (struct quality_at){.link = quality->bands[i].low,
                                  .decided = i < first_linking ? decided_between(quality, i, first_linking) : 0};
        look_at(quality, i, &at->precision, &at->recall);
    }
    suggest_link(quality);
    suggest_review(quality, first_asking, first_linking);
}
