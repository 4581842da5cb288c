/*
 * frequency.h - how common names are: building the table of a matcher. Private to rules/.
 */
#ifndef TRIBUTARY_RULES_FREQUENCY_H
#define TRIBUTARY_RULES_FREQUENCY_H

#include "rules/model.h"

/* Room for that many calls of frequency_table_add. False when the arena is full. */
bool frequency_table_init(struct frequency_table *table, struct arena *arena, size_t entries);
/* A Chinese surname or character also counts for its reading. */
void frequency_table_add(struct frequency_table *table, struct arena *scratch,
                         enum frequency_kind kind, struct slice text, float per_100000);

#endif
