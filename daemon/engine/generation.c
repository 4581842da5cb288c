/* generation.c - see generation.h. */
#include "daemon/engine/generation.h"
#include "sql_queries.h"

#include <stdio.h>
#include <stdlib.h>

struct generation *generation_new(const struct config *config, struct problems *problems)
{
    struct generation *g = calloc(1, sizeof(*g));
    if (g == NULL) {
        problems_add(problems, NULL, "out of memory");
        return NULL;
    }
    const struct options *match = options_section(config->root, "match");
    struct match_settings settings = {.link_probability = options_float(match, "link"),
                                      .review_probability = options_float(match, "review")};
    struct err err;
    g->ruleset = ruleset_new(config->packs, config->pack_count, options_node(config->root, "fields"),
                             problems);
    if (g->ruleset)
        g->schema = ruleset_schema(g->ruleset);
    if (g->schema)
        g->matcher = matcher_new(g->schema, config->model_name, config->model, &settings, problems);
    if (g->matcher)
        g->survivorship =
            survivorship_new(g->schema, options_node(config->root, "golden"), problems);
    if (g->survivorship && customer_layout_new(g->schema, &g->layout, &err) != STATUS_OK)
        problems_add(problems, options_node(config->root, "fields"), "%s", err.text);
    if (g->layout == NULL) {
        generation_free(&g);
        return NULL;
    }
    snprintf(g->fingerprint, sizeof(g->fingerprint), "%016llx-%016llx-%016llx",
             (unsigned long long)ruleset_fingerprint(g->ruleset),
             (unsigned long long)matcher_fingerprint(g->matcher),
             (unsigned long long)survivorship_fingerprint(g->survivorship));
    return g;
}

void generation_free(struct generation **generation)
{
    struct generation *g = *generation;
    if (g == NULL)
        return;
    customer_layout_free(&g->layout);
    survivorship_free(&g->survivorship);
    matcher_free(&g->matcher);
    ruleset_free(&g->ruleset);
    free(g);
    *generation = NULL;
}

enum status generation_pin(struct generation *generation, struct db *db, struct err *err)
{
    struct db_param fingerprint = DB_P_TEXT(slice_str(generation->fingerprint));
    struct db_result *result = NULL;
    if (db_query(db, &sql_generation_pin, &fingerprint, 1, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    generation->generation_id = (int32_t)db_int(result, 0, 0);
    generation->changed = db_int(result, 0, 1) != 0;
    db_result_free(&result);
    return STATUS_OK;
}
