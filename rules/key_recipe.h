/*
 * key_recipe.h - learned blocking keys: combinations of one to three parts of a record.
 *
 * The fixed keys of keys.c know what a customer file looks like. A sheet with other columns, or with
 * noise in the usual places, needs others: training measures what a combination costs and which pairs only it
 * finds, and the model's section `keys` lists the chosen ones, such as `[given_name, occupation]`. Private to
 * rules/.
 */
#ifndef TRIBUTARY_RULES_KEY_RECIPE_H
#define TRIBUTARY_RULES_KEY_RECIPE_H

#include "rules/model.h"

/* Parts of a record that a recipe may combine. Own fields follow: three each (enum key_own_part). */
enum key_part {
    PART_GIVEN,
    PART_FAMILY,
    PART_BIRTH_DATE,
    PART_BIRTH_YEAR,
    PART_BIRTH_DAY, /* month and day */
    PART_PHONE,
    PART_PHONE_END,
    PART_EMAIL,
    PART_EMAIL_LOCAL,
    PART_EMAIL_DOMAIN,
    PART_STREET,
    PART_HOUSE_NUMBER,
    PART_POSTAL_CODE,
    PART_CITY,
    PART_DISTRICT,
    PART_COMPANY,
    PART_WEBSITE,
    PART_FIXED_COUNT,
};
enum key_own_part { OWN_PART_VALUE, OWN_PART_START, OWN_PART_WORDS, OWN_PART_COUNT };

#define PARTS_MAX       (PART_FIXED_COUNT + OWN_PART_COUNT * MATCHER_CUSTOMS_MAX)
#define PART_VALUES_MAX 2 /* of one part of one record */

/* The values of a part of a record, hashed; how many there are. */
size_t key_part_values(const struct matcher *matcher, const struct features_view *view, size_t part,
                       uint64_t values[PART_VALUES_MAX]);

/* Which comparison a part belongs to, numbered as match_result does. */
uint8_t key_part_comparison(size_t part);
/* "street", "occupation", "occupation:start"; "" when there is none such. In the arena when it is put together. */
const char *key_part_name(const struct matcher *matcher, size_t part, struct arena *arena);
/* SIZE_MAX when there is none of that name. */
size_t key_part_find(const struct matcher *matcher, struct slice name);

/* The hash of a combination; the kind is KEY_LEARNED_FIRST + the recipe's place. */
uint64_t key_recipe_hash(const struct features_view *view, const struct key_recipe *recipe,
                         const uint64_t *values);

/* The keys of all recipes of the matcher, at most `max`. */
size_t key_recipes_add(const struct matcher *matcher, const struct features_view *view,
                       struct match_key *keys, size_t max);

#endif
