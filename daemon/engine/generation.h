/*
 * generation.h - everything that decides how a record is understood: rules, model, survivorship, columns.
 *
 * Compiled from the configuration, immutable, shared by all threads. Its fingerprint is pinned in the
 * database (tributary.generation).
 */
#ifndef TRIBUTARY_ENGINE_GENERATION_H
#define TRIBUTARY_ENGINE_GENERATION_H

#include "daemon/config/config.h"
#include "daemon/store/ddl.h"
#include "rules/match.h"
#include "rules/ruleset.h"
#include "rules/survive.h"

struct generation {
    struct ruleset *ruleset;
    const struct schema *schema; /* the ruleset's */
    struct matcher *matcher;
    struct survivorship *survivorship;
    struct customer_layout *layout;
    int32_t generation_id; /* of tributary.generation; 0 until pinned */
    bool changed;          /* another generation was applied last: everything is to be judged again */
    char fingerprint[64];
};

/* Compiles. On failure problems say why and NULL is returned. The configuration must outlive it. */
struct generation *generation_new(const struct config *config, struct problems *problems);
void generation_free(struct generation **generation);

/* Finds or makes its row in tributary.generation. */
MUST_CHECK enum status generation_pin(struct generation *generation, struct db *db, struct err *err);

#endif
