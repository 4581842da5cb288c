/*
 * frequency.h - how common names are: building the table of a matcher. Private to rules/.
 */
#ifndef TRIBUTARY_RULES_FREQUENCY_H
#define TRIBUTARY_RULES_FREQUENCY_H

#include "rules/model.h"

/* Room for that many calls of frequency_table_add. False when the arena is full. */
bool frequency_table_init(struct frequency_table *table, struct arena *arena, size_t entries);
/* Adds all that is in `from`; there must be room. */
void frequency_table_copy(struct frequency_table *table, const struct frequency_table *from);
/* A Chinese surname or character also counts for its reading. */
void frequency_table_add(struct frequency_table *table, struct arena *scratch,
                         enum frequency_kind kind, struct slice text, float per_100000);

/* A value (or, `token`, a word) of an own field, as own_field.h packs it. */
void frequency_own_add(struct frequency_table *table, const struct custom_field *field, bool token,
                       struct slice text, float per_100000);
/* log2 of how common it is; 0 when nothing is known of the field. */
float frequency_own(const struct matcher *matcher, const struct custom_field *field,
                    struct slice payload);
float frequency_own_token(const struct matcher *matcher, const struct custom_field *field,
                          struct slice token);

#endif
