/*
 * compare.h - what single values of two records say of each other: a level per comparison.
 *
 * Missing is no evidence: a comparison then returns false. All take the two sides in the one order
 * that match_score has fixed, so that nothing here needs to be symmetric by itself. Private to
 * rules/.
 */
#ifndef TRIBUTARY_RULES_COMPARE_H
#define TRIBUTARY_RULES_COMPARE_H

#include "rules/model.h"

struct compared {
    uint8_t level;
    float rarity_bits; /* -log2 of how common what agrees is; 0 or more */
    uint64_t key;      /* value key whose degree weakens it; 0 none */
};

bool compare_name(const struct matcher *matcher, const struct features_view *a,
                  const struct features_view *b, struct compared *out);
bool compare_birth(struct feature_date a, struct feature_date b, struct compared *out);
bool compare_phone(const struct features_view *a, const struct features_view *b,
                   const struct comparison_model *model, struct compared *out);
bool compare_email(const struct features_view *a, const struct features_view *b,
                   const struct comparison_model *model, struct compared *out);
/* The local part of an address resembles a name the other record does not have an equal of, or is somebody else's of
 * the other's family. */
bool compare_email_name(const struct matcher *matcher, const struct features_view *a,
                        const struct features_view *b, struct compared *out);
bool compare_company(const struct features_view *a, const struct features_view *b,
                     struct compared *out);
bool compare_address(const struct features_view *a, const struct features_view *b,
                     struct compared *out);
bool compare_website(const struct features_view *a, const struct features_view *b,
                     struct compared *out);

/* Edits (insert, delete, replace, exchange neighbours) between two short texts, by bytes for ASCII
 * and by code points else; `limit` + 1 when there are more. Texts over 64 characters are cut there.
 */
unsigned edit_distance(struct slice a, struct slice b, unsigned limit);
/* One digit wrong, or two neighbours exchanged, in numbers of the same length. */
bool one_digit_slip(uint64_t a, uint64_t b);
/* Two company cores: COMPANY_SAME, COMPANY_CONTAINED, COMPANY_SIMILAR, COMPANY_WORDS or COMPANY_ELSE. */
enum company_level compare_cores(struct slice a, struct slice b);
/* Two in Latin letters by their words alone: COMPANY_CONTAINED, COMPANY_SIMILAR (the same words, in whatever order),
 * COMPANY_WORDS (half of the words that not every second company bears) or COMPANY_ELSE. */
enum company_level company_words_level(struct slice a, struct slice b);
/* Of those words, two or more and in whatever order; 0 when there are fewer. */
uint64_t company_words_hash(struct slice core);

#endif
