/*
 * generation.h - everything that decides how a record is understood: rules, model, survivorship, columns.
 *
 * Compiled from texts: those of the configuration, or those a generation was compiled from earlier, which
 * tributary.generation keeps so that it can be applied again. Immutable once in use (but for `changed`, which is the
 * resolver's), shared by all threads. Which one is in force: generations.h.
 */
#ifndef TRIBUTARY_ENGINE_GENERATION_H
#define TRIBUTARY_ENGINE_GENERATION_H

#include "daemon/config/config.h"
#include "daemon/store/ddl.h"
#include "rules/match.h"
#include "rules/ruleset.h"
#include "rules/survive.h"

#define GENERATION_DETAIL_MAX ((size_t)64 << 20)

struct generation {
    struct ruleset *ruleset;
    const struct schema *schema; /* the ruleset's */
    struct matcher *matcher;
    struct survivorship *survivorship;
    struct customer_layout *layout;
    int32_t generation_id; /* of tributary.generation; 0 until pinned */
    bool changed;          /* what stands was made by another: everything is to be judged again */
    bool recleans;         /* ... by other rules, too: records are to be cleaned again, from their raw bytes */
    char actor[128];       /* who applies it, while changed; "" the daemon itself */
    char fingerprint[64];  /* rules-model-survivorship */
    struct buf detail;     /* the texts it was compiled from, as JSON */
    struct arena *arena;   /* of texts read back; NULL when they are a configuration's */
};

/* Compiles. On failure problems say why and NULL is returned. The configuration must outlive it. */
struct generation *generation_new(const struct config *config, struct problems *problems);
/* The same from the detail of an earlier one. A program of another version may understand the same texts otherwise:
 * then the fingerprint differs. */
struct generation *generation_again(struct slice detail, struct problems *problems);
void generation_free(struct generation **generation);

/* Whether the rules of two differ, by their fingerprints. */
bool generation_rules_differ(const char *fingerprint, const char *other);
/* What `to` has otherwise than `from`, as JSON: {"differs": ["rules", "model", "thresholds", "survivorship"],
 * "columns": {"added": [...], "removed": [...], "retyped": [...]}}. */
void generation_difference(const struct generation *from, const struct generation *to, struct buf *out);

#endif
