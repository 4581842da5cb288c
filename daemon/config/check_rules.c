/* check_rules.c - what only the compiled rules can judge. See config.h. */
#include "daemon/config/config.h"
#include "rules/match.h"
#include "rules/survive.h"

#define FIELD_NAMES_MAX FIELDS_MAX

struct field_names {
    size_t count;
    const char *names[FIELD_NAMES_MAX];
};

static void refuse_field(const struct field_names *fields, const struct yaml_node *where,
                         const char *what, struct slice name, struct problems *problems)
{
    const char *near = nearest_word(name, fields->names, fields->count);
    if (near)
        problems_add(problems, where, "%s: unknown field '" SLICE_FMT "'; hint: did you mean '%s'?",
                     what, SLICE_ARG(name), near);
    else
        problems_add(problems, where,
                     "%s: unknown field '" SLICE_FMT "'; hint: declare your own under fields:",
                     what, SLICE_ARG(name));
}

static bool is_field(const struct field_names *fields, struct slice name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (slice_is(name, fields->names[i]))
            return true;
    }
    return false;
}

/* A map names a field, by name or alias, or "-" (ignore) for columns to leave out. */
static void check_maps(const struct config *config, const struct ruleset *ruleset,
                       const struct field_names *fields, struct problems *problems)
{
    for (size_t i = 0; i < config->source_count; i++) {
        const struct config_source *source = &config->sources[i];
        const struct yaml_node *map = yaml_get(options_where(source->options), "map");
        for (size_t k = 0; map && map->kind == YAML_MAP && k < map->count; k++) {
            struct slice name = map->keys[k]->text;
            if (!is_field(fields, name) && ruleset_alias(ruleset, name) == NULL &&
                !slice_is(name, "-") && !slice_is(name, "ignore"))
                refuse_field(fields, map->keys[k], "map", name, problems);
        }
    }
}

static void check_projections(const struct config *config, const struct field_names *fields,
                              struct problems *problems)
{
    for (size_t i = 0; i < config->sink_count; i++) {
        const struct options *sink = config->sinks[i];
        const struct yaml_node *node = yaml_get(options_where(sink), "fields");
        const struct slice *names;
        size_t count = options_strings(sink, "fields", &names);
        for (size_t k = 0; node && k < count; k++) {
            if (!slice_is(names[k], "*") && !is_field(fields, names[k]))
                refuse_field(fields, node->kind == YAML_LIST ? node->values[k] : node, "fields",
                             names[k], problems);
        }
    }
}

void config_check_fields(const struct config *config, const struct ruleset *ruleset, struct problems *problems)
{
    const struct schema *schema = ruleset_schema(ruleset);
    struct field_names fields = {.count = schema->count};
    for (size_t i = 0; i < schema->count && i < FIELD_NAMES_MAX; i++)
        fields.names[i] = schema->fields[i].name;
    check_maps(config, ruleset, &fields, problems);
    check_projections(config, &fields, problems);
}

void config_check_rules(const struct config *config, struct problems *problems)
{
    struct ruleset *ruleset = ruleset_new(config->packs, config->pack_count,
                                          options_node(config->root, "fields"), problems);
    if (ruleset == NULL)
        return;
    const struct schema *schema = ruleset_schema(ruleset);
    config_check_fields(config, ruleset, problems);
    const struct options *match = options_section(config->root, "match");
    struct match_settings settings = {.link_probability = options_float(match, "link"),
                                      .review_probability = options_float(match, "review")};
    struct matcher *matcher =
        matcher_new(schema, config->model_name, config->model, &settings, problems);
    struct survivorship *survivorship =
        survivorship_new(schema, options_node(config->root, "golden"), problems);
    survivorship_free(&survivorship);
    matcher_free(&matcher);
    ruleset_free(&ruleset);
}
