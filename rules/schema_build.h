/*
 * schema_build.h - the fields of a generation and the headings they go by. Private to rules/.
 */
#ifndef TRIBUTARY_RULES_SCHEMA_BUILD_H
#define TRIBUTARY_RULES_SCHEMA_BUILD_H

#include "rules/pack.h"

/* Fills the ruleset's schema, aliases and ignored columns. Fields of a shipped pack are canonical;
 * those of a user's own pack or of the configuration are custom. */
void schema_build(struct compiler *compiler, struct yaml_node *const *packs,
                  const char *const *names, size_t count, const struct yaml_node *user_fields);

/* "people" and "rules/packs/people.yaml" ship; anything else with a path or an ending is the
 * user's. */
bool pack_is_shipped(const char *name);

/* By heading, also without what people put around one ("您的手机（必填）"); NULL when unknown. */
const struct alias *alias_find(const struct ruleset *ruleset, struct slice heading);

#endif
