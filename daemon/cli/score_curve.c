/* score_curve.c - see score_curve.h. */
#include "daemon/cli/score_curve.h"

#include <math.h>
#include <stdlib.h>

bool score_curve_add(struct score_curve *curve, double score, bool same)
{
    if (curve->count == curve->capacity) {
        size_t capacity = curve->capacity ? curve->capacity * 2 : 1024;
        struct score_pair *pairs = capacity <= 2 * SCORE_CURVE_MAX
                                       ? realloc(curve->pairs, capacity * sizeof(*pairs))
                                       : NULL;
        if (pairs == NULL)
            return false;
        curve->pairs = pairs;
        curve->capacity = capacity;
    }
    if (curve->count >= SCORE_CURVE_MAX)
        return false;
    curve->pairs[curve->count++] = (struct score_pair){(float)score, same};
    return true;
}

void score_curve_free(struct score_curve *curve)
{
    free(curve->pairs);
    *curve = (struct score_curve){0};
}

static void count_pair(struct score_counts *counts, bool said, bool same)
{
    if (said)
        same ? counts->true_positive++ : counts->false_positive++;
    else
        same ? counts->false_negative++ : counts->true_negative++;
}

struct score_counts score_curve_at(const struct score_curve *curve, double threshold)
{
    struct score_counts counts = {.threshold = threshold};

    for (size_t i = 0; i < curve->count; i++)
        count_pair(&counts, curve->pairs[i].score >= (float)threshold, curve->pairs[i].same);
    return counts;
}

static int by_score(const void *a, const void *b)
{
    float x = ((const struct score_pair *)a)->score, y = ((const struct score_pair *)b)->score;

    return x < y ? -1 : x > y;
}

struct score_counts score_curve_best(struct score_curve *curve)
{
    struct score_counts best = score_curve_at(curve, 0), now = best;

    if (curve->count)
        qsort(curve->pairs, curve->count, sizeof(*curve->pairs), by_score);
    for (size_t from = 0, to; from < curve->count; from = to) {
        now.threshold = (double)curve->pairs[from].score;
        if (score_mcc(&now) > score_mcc(&best))
            best = now;
        for (to = from; to < curve->count && curve->pairs[to].score <= curve->pairs[from].score;
             to++)
            if (curve->pairs[to].same) {
                now.true_positive--;
                now.false_negative++;
            } else {
                now.false_positive--;
                now.true_negative++;
            }
    }
    return best;
}

double score_mcc(const struct score_counts *c)
{
    double tp = (double)c->true_positive, fp = (double)c->false_positive;
    double tn = (double)c->true_negative, fn = (double)c->false_negative;
    double product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);

    return product > 0 ? (tp * tn - fp * fn) / sqrt(product) : 0;
}

static double share(size_t part, size_t rest)
{
    return part + rest ? (double)part / (double)(part + rest) : 0;
}

double score_precision(const struct score_counts *c)
{
    return share(c->true_positive, c->false_positive);
}

double score_recall(const struct score_counts *c)
{
    return share(c->true_positive, c->false_negative);
}

double score_f1(const struct score_counts *c)
{
    return share(2 * c->true_positive, c->false_positive + c->false_negative);
}

double score_specificity(const struct score_counts *c)
{
    return share(c->true_negative, c->false_positive);
}
