/*
 * model_intern.h - what the files that read a model share. Private to model*.c.
 */
#ifndef TRIBUTARY_RULES_MODEL_INTERN_H
#define TRIBUTARY_RULES_MODEL_INTERN_H

#include "rules/model.h"

#define FREQUENCIES_MAX 200000 /* entries of all tables of a model */

struct model_reader {
    struct matcher *matcher;
    const struct schema *schema;
    struct problems *problems;
    size_t before;     /* problems there were before ours */
    bool for_training; /* see matcher_new_for_training */
};

/* Every key of the map must be one of `known`. */
void model_check_keys(struct model_reader *reader, const struct yaml_node *map,
                      const char *const *known, size_t count, const char *what);
bool model_read_number(struct model_reader *reader, const struct yaml_node *map, const char *key,
                       double low, double high, double *value);
void model_need_number(struct model_reader *reader, const struct yaml_node *map, const char *key,
                       double low, double high, double *value);
/* A map of levels. Those from `needed` on may be left out and are worth what `else` is. */
void model_read_levels(struct model_reader *reader, const struct yaml_node *levels,
                       const struct yaml_node *where, const char *const *names, size_t count,
                       size_t needed, struct comparison_model *comparison);
/* Each (name, frequency per 100,000) of a map to `add`. */
void model_read_table(struct model_reader *reader, const struct yaml_node *table,
                      void (*add)(void *data, struct slice name, float per_100000), void *data);

/* ---- model_fields.c: the section `fields` ---- */

size_t model_fields_entries(const struct yaml_node *root); /* frequencies in it */
/* Binds the schema's own fields and those of the section to custom_fields; call after the frequency table has room. */
void model_read_fields(struct model_reader *reader, const struct yaml_node *root);

/* The section `keys`; after the fields. */
void model_read_recipes(struct model_reader *reader, const struct yaml_node *root);

/* What the section `together` says of pairs of comparisons; after the fields. */
void model_read_twice(struct model_reader *reader, const struct yaml_node *root);

#endif
