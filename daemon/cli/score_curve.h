/*
 * score_curve.h - how well a score tells labelled pairs that are the same from those that are not.
 *
 * Collects (score, label) and counts at a threshold: score >= threshold says "the same". Bounded at
 * SCORE_CURVE_MAX pairs.
 */
#ifndef TRIBUTARY_CLI_SCORE_CURVE_H
#define TRIBUTARY_CLI_SCORE_CURVE_H

#include <stdbool.h>
#include <stddef.h>

#define SCORE_CURVE_MAX ((size_t)20000000)

struct score_pair {
    float score;
    bool same;
};

struct score_curve {
    size_t count, capacity;
    struct score_pair *pairs;
};

struct score_counts {
    double threshold;
    size_t true_positive, false_positive, true_negative, false_negative;
};

/* False when out of memory or over the maximum. */
bool score_curve_add(struct score_curve *curve, double score, bool same);
void score_curve_free(struct score_curve *curve);
struct score_counts score_curve_at(const struct score_curve *curve, double threshold);
/* The threshold with the greatest MCC (the lowest of equals). Sorts the pairs. */
struct score_counts score_curve_best(struct score_curve *curve);

/* Matthews' correlation coefficient, -1 to 1; 0 when a row or column of the table is empty. */
double score_mcc(const struct score_counts *counts);
double
score_precision(const struct score_counts *counts); /* 0 when nothing was said to be the same */
double score_recall(const struct score_counts *counts);
double score_f1(const struct score_counts *counts);
double score_specificity(
    const struct score_counts *counts); /* of those that differ, how many were told apart */

#endif
