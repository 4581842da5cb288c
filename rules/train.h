/*
 * train.h - a model learned from records without labels (Fellegi and Sunter, 1969; EM after Winkler, 1988).
 *
 * u: how often records of different customers come out at a level: random pairs, each weighted with the probability
 * that it is none of one customer, are where every pass starts. m and the u of pairs that are hard to tell apart: for
 * each blocking pass (the pairs that one kind of key brings together) two classes are told apart by EM, the comparisons
 * that the key looks at left out; a weight is the random-effects mean of the passes. The prior is the share of all pairs
 * that the candidates make expect, less what contradictions show the model to be too sure of (train_confidence.c). Term
 * frequencies count a likely customer once. What data say little of stays near the base model: log2(m / u) is the mean
 * of the learned and the base value, each weighted with its precision; `at_most`, `lifts` and `band_loss` are the base
 * model's, save that a ceiling gives way where the passes show most pairs at its level to be one customer.
 *
 * Pure: no I/O, no clock; the same records in the same order with the same seed give the same bytes. Memory and
 * time are bounded by the settings, whatever the count of records; the caller takes a sample of a large file.
 */
#ifndef TRIBUTARY_RULES_TRAIN_H
#define TRIBUTARY_RULES_TRAIN_H

#include "daemon/base/buf.h"
#include "daemon/base/err.h"
#include "rules/match.h"

#define TRAIN_RECORDS_MAX 100000 /* a larger file gives a sample of that many */

struct train_settings {
    uint64_t seed;
    uint32_t random_pairs;    /* 0: 150,000 */
    uint32_t candidate_pairs; /* 0: 250,000 */
    double scale;             /* records in the whole file by records given; 1 when all are given */
    bool is_kept;             /* the model outlives this process: it names values and words of public fields only, and of
                                 those what 20 likely customers or more bear; learned is what such a model can use */
};

enum train_weakness {
    TRAIN_FEW_PAIRS = 1,    /* fewer than 50 effective pairs of one customer had both values */
    TRAIN_UNSEEN_LEVEL = 2, /* a level that no random and no matching pair reached */
    TRAIN_NO_PASS = 4,      /* no pass leaves it out of the blocking: the base value stands */
    TRAIN_NO_CONTRAST = 8,  /* both classes look the same: it says nothing here */
};

struct train_pass { /* one pass of EM */
    const char *keys; /* the kinds of key, "name_birth, name_birthday" */
    size_t pairs;
    double matches; /* effective pairs of one customer among them */
    unsigned iterations;
    double last_change; /* greatest change of an m in the last iteration */
    double log_likelihood_first, log_likelihood; /* per pair, log2 */
    bool used;
};

struct train_comparison {
    uint8_t comparison;
    double matches; /* effective pairs it was learned from */
    unsigned weakness;
};

struct train_report {
    size_t records, candidates, random_pairs;
    double expected_matches; /* pairs of one customer among the records */
    double prior;
    double doubt_bits; /* taken off the prior: by how much contradictions show the rest to be too sure */
    size_t pass_count;
    const struct train_pass *passes;
    size_t comparison_count;
    const struct train_comparison *comparisons;
    bool enough; /* false: the base model is the better choice */
};

struct trained;

/* `features` are those of the records, packed by `base`. NULL: err says why (memory only; too few records give a
 * report that says so). Free with trained_free; base must outlive it. */
struct trained *train_new(const struct matcher *base, const struct slice *features, size_t count,
                          const struct train_settings *settings, struct err *err);
void trained_free(struct trained **trained);
const struct train_report *trained_report(const struct trained *trained);

/* The model file. `base_text` is the text `base` was made of (its frequency tables are taken over); `name` and `origin`
 * (one line: where the records came from) go into the head. */
void trained_write(const struct trained *trained, struct slice base_text, const char *name, const char *origin,
                   struct buf *out);

#endif
