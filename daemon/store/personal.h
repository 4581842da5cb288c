/*
 * personal.h - the one register of what every column of the database may say of a person.
 *
 * Every column that could hold a text, bytes, JSON, a date or an amount stands here, also those that say nothing of
 * anybody; tests/unit/test_personal.c holds the register against the catalog, so that a new column
 * cannot be forgotten. Erasure, retention and the support bundle go by it. Columns of the configured fields are
 * classed by the field's sensitivity. Partitions go by their parent's name.
 */
#ifndef TRIBUTARY_STORE_PERSONAL_H
#define TRIBUTARY_STORE_PERSONAL_H

#include "rules/field.h"

enum personal_class {
    PERSONAL_NEVER,      /* our own words and numbers: states, codes, names in the configuration */
    PERSONAL_CONTENT,    /* what was told of a customer: values, bodies, free text */
    PERSONAL_IDENTIFIER, /* by which one could be found again: foreign keys, addresses, keyed hashes */
    PERSONAL_STAFF,      /* names of those who work here */
    PERSONAL_SECRET,     /* keys of ours: of nobody, and never shown or bundled */
    PERSONAL_UNKNOWN,    /* not in the register: treat as content */
};

struct personal_column {
    const char *schema;
    const char *table;
    const char *column;
    enum personal_class class;
};

extern const struct personal_column personal_columns[];
extern const size_t personal_column_count;

/* `fields` (may be NULL) tells the columns of golden fields in customer and customer_masked. */
enum personal_class personal_class_of(const char *schema, const char *table, const char *column,
                                      const struct schema *fields);

#endif
