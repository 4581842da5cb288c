/*
 * quality.h - what stewards' decisions say of the machine's judgements: precision, recall, thresholds. Pure arithmetic.
 *
 * Pairs lie in bands of probability. What may be concluded differs by band, and is said so:
 *  - between review and link the machine asks: decided reviews are a sample of its questions. The share that was the same
 *    is measured, with Wilson's interval (E. B. Wilson, JASA 22, 1927, 209-212; 95 %, z = 1.96).
 *  - at or above link it links by itself. Nobody is asked, so what is known are the mistakes somebody found: the share that
 *    is right is at most what is left without them.
 *  - below review nothing is kept: what stewards merged by hand is known to be missed, what nobody found is not.
 * So precision is an upper bound, and recall is of pairs at or above review, and an upper bound too.
 */
#ifndef TRIBUTARY_CONSOLE_QUALITY_H
#define TRIBUTARY_CONSOLE_QUALITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUALITY_BANDS_MAX   16
#define QUALITY_DECIDED_MIN 30 /* fewer decisions in a band suggest nothing */

struct quality_share {   /* of something, with its interval */
    double value, low, high; /* value NAN: unknown, then the interval is 0 to 1 */
};

struct quality_band {
    double low, high;    /* probabilities: low <= p < high; the last holds 1, too */
    bool links, asks;    /* at or above link; between review and link */
    uint64_t pairs;      /* that the machine judged so: links, open reviews, decided ones */
    uint64_t same, different; /* decided reviews */
    uint64_t merged, split;   /* by hand */
    struct quality_share right; /* of the pairs here, that are the same */
};

struct quality_at { /* what a link threshold there would do */
    double link;
    struct quality_share precision, recall;
    uint64_t decided;    /* reviews between it and the present one */
};

struct quality {
    double link, review;
    double wanted;       /* the least share that is to be right in any band that is linked */
    size_t band_count;
    struct quality_band bands[QUALITY_BANDS_MAX];
    uint64_t unjudged_same, unjudged_different; /* decided pairs that shared no live key */
    /* After quality_finish: */
    struct quality_share precision, recall; /* at the present thresholds */
    size_t at_count;
    struct quality_at at[QUALITY_BANDS_MAX];
    double suggested_link, suggested_review; /* NAN: none; may be the present one */
    uint64_t decided_reviews;
};

struct quality_share quality_wilson(uint64_t hits, uint64_t trials);

/* Bands: fixed bounds, and the two thresholds. wanted: 0.95 for instance. */
void quality_init(struct quality *quality, double link, double review, double wanted);
struct quality_band *quality_band_of(struct quality *quality, double probability);
/* A decided pair. It counts among the pairs of its band. */
void quality_add(struct quality *quality, double probability, bool same, bool by_review);
/* Pairs that nobody decided, judged by the machine. */
void quality_add_pairs(struct quality *quality, double probability, uint64_t count);
void quality_finish(struct quality *quality);

#endif
