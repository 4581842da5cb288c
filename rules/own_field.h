/*
 * own_field.h - fields that the people pack knows nothing of: packing, comparing, tokens.
 *
 * A field of the user's own, an unmapped column that training found useful, or a canonical field that
 * no fixed comparison looks at. Only its type is known, so the levels are graded by type and what each is
 * worth is left to the model: `same`; `similar` (a slip of the keyboard); `close` (most of the words, the
 * neighbouring number, a part exchanged); `loose` (some of it); `elsewhere` (it stands in another field of the other
 * record). Private to rules/.
 */
#ifndef TRIBUTARY_RULES_OWN_FIELD_H
#define TRIBUTARY_RULES_OWN_FIELD_H

#include "rules/compare.h"

#define OWN_TEXT_MAX   120 /* bytes of a value kept for comparing */
#define OWN_TOKENS_MAX 24  /* words of one value that are looked at */

/* The comparison value of a clean value: text for most types, eight bytes for a phone. Empty: it says
 * nothing. Lies in the arena or is part of `value`. */
struct slice own_field_payload(enum field_type type, struct slice value, struct arena *arena);

/* Whether a record's value stands in another field of the other record: columns exchanged by hand. */
bool own_field_stands_elsewhere(const struct feature_custom *custom, const struct features_view *b);

/* False when a type says nothing. `field` is where words and values have their frequencies. */
bool compare_own(const struct matcher *matcher, const struct custom_field *field, struct slice a, struct slice b,
                 struct compared *out);

/* The words of a payload: runs of letters and digits; Chinese characters one by one. */
size_t own_field_tokens(struct slice payload, struct slice tokens[OWN_TOKENS_MAX]);

/* Whether values of this type are compared at all (text, category, number ...). */
bool own_type_is_compared(enum field_type type);
/* ... and whether how common a value is may be learned. */
bool own_type_has_frequency(enum field_type type);

#endif
