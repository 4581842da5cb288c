/*
 * survive_intern.h - the compiled preference lists, shared by survive_config.c (reading them) and
 * survive.c (using them).
 */
#ifndef TRIBUTARY_RULES_SURVIVE_INTERN_H
#define TRIBUTARY_RULES_SURVIVE_INTERN_H

#include "rules/survive.h"

enum preference {
    PREFER_VERIFIED,
    PREFER_SOURCE,
    PREFER_RECENT,
    PREFER_FREQUENT,
    PREFER_COMPLETE,
    PREFER_FIRST
};
#define PREFERENCES_MAX 6

struct preference_list {
    size_t count;
    enum preference order[PREFERENCES_MAX];
};

struct survivorship {
    struct arena *arena;
    const struct schema *schema;
    uint64_t fingerprint;
    struct preference_list *lists; /* by field id; the fields of a group share one */
    uint16_t *group_of; /* by field id: the id of the group's first field, or FIELD_NONE */
    size_t rank_count;
    struct slice *ranks; /* source names, best first */
};

#endif
