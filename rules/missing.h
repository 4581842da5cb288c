/*
 * missing.h - the evidence two records do not give: comparisons for which one side, or both, has no value.
 *
 * Missing is no evidence, so it stands in no sum; it is told to people who ask why two records are apart. A pure
 * function of the matcher and the two records' features.
 */
#ifndef TRIBUTARY_RULES_MISSING_H
#define TRIBUTARY_RULES_MISSING_H

#include "rules/match.h"

struct missing_evidence {
    uint8_t comparison;
    bool in_a, in_b; /* which side has a value; never both */
    float weight;    /* what the same value on both sides would say, alone; 0: that depends on the value */
};

/* Comparisons of the records' kind, in the model's order; returns how many (<= max). None when the two are of different
 * kinds or spaces. What only supplements another comparison (email_name, suffix, gender) is left out. */
size_t match_missing(const struct matcher *matcher, struct slice features_a, struct slice features_b,
                     struct missing_evidence *list, size_t max);

#endif
