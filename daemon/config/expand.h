/*
 * expand.h - ${VAR} from the environment into scalar values. For daemon/config only.
 */
#ifndef TRIBUTARY_CONFIG_EXPAND_H
#define TRIBUTARY_CONFIG_EXPAND_H

#include "daemon/base/yaml.h"

/* Puts ${VAR} and ${VAR:-default} into every scalar value below `node`; $${ becomes ${. The default
 * is taken when the variable is unset or empty. An unset variable without a default is a problem.
 * What was written stays in node->written. */
void config_expand(struct arena *arena, struct yaml_node *node, struct problems *problems);

#endif
