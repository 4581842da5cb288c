/*
 * generation.h - everything that decides how a record is understood: rules, model, survivorship, columns.
 *
 * Compiled from the configuration, immutable, shared by all threads. Its fingerprint is pinned in the
 * database (tributary.generation).
 */
#ifndef TRIBUTARY_ENGINE_GENERATION_H
#define TRIBUTARY_ENGINE_GENERATION_H

#include "daemon/base/options.h"
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
    char fingerprint[40];
};

/* Compiles. Pack files named by path in `rules:` are read relative to base_dir. On failure problems say
 * why and NULL is returned. */
struct generation *generation_new(const struct options *root, const char *base_dir,
                                  struct problems *problems);
void generation_free(struct generation **generation);

#endif
