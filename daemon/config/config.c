/* config.c - see config.h. */
#include "daemon/config/config.h"
#include "daemon/config/check.h"
#include "daemon/config/config_tables.h"
#include "daemon/config/files.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define ARENA_MAX_BYTES ((size_t)256 << 20)

const char *config_find_path(const char *given)
{
    if (given)
        return given;
    const char *from_environment = getenv(CONFIG_PATH_VARIABLE);
    return from_environment && from_environment[0] ? from_environment : CONFIG_DEFAULT_PATH;
}

/* ---- the parts of the tree others want at hand ---- */

static void fill_rules(struct arena *arena, struct config_source *source)
{
    const struct options *options = source->options;
    struct source_rules *rules = &source->rules;
    rules->name = source->name;
    rules->country = options_string(options, "country");
    rules->time_zone = options_string(options, "time_zone");
    rules->kind =
        strcmp(options_string(options, "kind"), "company") == 0 ? KIND_COMPANY : KIND_PERSON;
    rules->day_first = options_bool(options, "day_first");
    const struct option_text *texts;
    size_t count = options_text_map(options, "map", &texts);
    struct source_map *map = ARENA_ARRAY(arena, struct source_map, count);
    for (size_t i = 0; map && i < count; i++)
        map[i] = (struct source_map){
            .field = texts[i].name, .column_count = texts[i].count, .columns = texts[i].values};
    rules->map_count = map ? count : 0;
    rules->map = map;
}

static bool fill_sources(struct config *config, struct problems *problems)
{
    const struct options *const *list;
    size_t count = options_sections(config->root, "sources", &list);
    if (count > CONFIG_SOURCES_MAX) {
        problems_add(problems, options_where(config->root), "more than %d sources",
                     CONFIG_SOURCES_MAX);
        count = CONFIG_SOURCES_MAX;
    }
    struct config_source *sources = ARENA_ARRAY(config->arena, struct config_source, count);
    if (sources == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *type = options_string(list[i], "type");
        sources[i].name = options_name(list[i]);
        sources[i].options = list[i];
        sources[i].pull = type ? pull_connector_find(type) : NULL;
        sources[i].push = type && !sources[i].pull ? push_connector_find(type) : NULL;
        fill_rules(config->arena, &sources[i]);
    }
    config->sources = sources;
    config->source_count = count;
    return true;
}

static void fill_sinks(struct config *config, struct problems *problems)
{
    config->sink_count = options_sections(config->root, "sinks", &config->sinks);
    if (config->sink_count > CONFIG_SINKS_MAX) {
        problems_add(problems, options_where(config->root), "more than %d sinks", CONFIG_SINKS_MAX);
        config->sink_count = CONFIG_SINKS_MAX;
    }
}

static const struct yaml_node *entry_node(const struct yaml_node *list, size_t index)
{
    return list && list->kind == YAML_LIST ? list->values[index] : list;
}

static bool fill_packs(struct config *config, const struct yaml_node *root,
                       struct problems *problems)
{
    const struct slice *names;
    size_t count = options_strings(config->root, "rules", &names);
    bool given = options_has(config->root, "rules");
    struct pack_text *packs = ARENA_ARRAY(config->arena, struct pack_text, count);
    if (packs == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *where = given ? entry_node(yaml_get(root, "rules"), i) : root;
        packs[i].text = SLICE_EMPTY;
        config_read_named(config->arena, "rules/packs/", "rule pack", where, names[i],
                          &packs[i].name, &packs[i].text, problems);
    }
    config->packs = packs;
    config->pack_count = count;
    return true;
}

static void fill_model(struct config *config, const struct yaml_node *root,
                       struct problems *problems)
{
    const struct yaml_node *node = yaml_get(yaml_get(root, "match"), "model");
    const char *name = options_string(options_section(config->root, "match"), "model");
    config->model = SLICE_EMPTY;
    config_read_named(config->arena, "rules/models/", "model", node ? node : root, slice_str(name),
                      &config->model_name, &config->model, problems);
}

/* state_dir, absolute: relative to the main file, which may itself be named relative to the working
 * directory. */
static bool fill_state_dir(struct config *config)
{
    const char *dir = options_string(config->root, "state_dir");
    if (dir[0] == '/') {
        config->state_dir = dir;
        return true;
    }
    char here[PATH_MAX] = "";
    if (config->dir[0] != '/' && getcwd(here, sizeof(here)) == NULL)
        return false;
    config->state_dir =
        arena_printf(config->arena, "%s%s%s/%s", here, here[0] ? "/" : "", config->dir, dir).ptr;
    return true;
}

static bool fill(struct config *config, struct problems *problems)
{
    struct yaml_node *root = config_read_files(config->arena, config->path, problems);
    if (root == NULL)
        return true; /* the problems say why */
    if (root->kind == YAML_MAP)
        config_merge_presets(config->arena, root, problems);
    config->root = options_build(config->arena, config_root_options, root, NULL, problems);
    if (config->root == NULL || !fill_sources(config, problems) || !fill_state_dir(config))
        return false;
    fill_sinks(config, problems);
    if (!fill_packs(config, root, problems))
        return false;
    fill_model(config, root, problems);
    config_check(config, problems);
    return options_fingerprint(config->root, &config->hash) && !arena_failed(config->arena);
}

static const char *directory_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return ".";
    return slash == path ? "/" : arena_str(arena, slice_of(path, (size_t)(slash - path)));
}

enum status config_load(const char *path, struct config **out, struct problems *problems)
{
    *out = NULL;
    size_t problems_before = problems->count + problems->dropped;
    struct arena *arena = arena_new(ARENA_MAX_BYTES);
    struct config *config = arena ? ARENA_NEW(arena, struct config) : NULL;
    if (config == NULL) {
        problems_add(problems, NULL, "out of memory");
        arena_free(&arena);
        return STATUS_FAILED;
    }
    config->arena = arena;
    config->path = arena_str(arena, slice_str(path));
    config->dir = directory_of(arena, config->path);
    *out = config;
    if (!fill(config, problems))
        problems_add(problems, NULL, "out of memory while reading the configuration");
    return problems->count + problems->dropped == problems_before ? STATUS_OK : STATUS_FAILED;
}

void config_free(struct config **config)
{
    if (*config) {
        struct arena *arena = (*config)->arena;
        arena_free(&arena);
    }
    *config = NULL;
}

const struct config_source *config_source_find(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->source_count; i++) {
        if (strcmp(config->sources[i].name, name) == 0)
            return &config->sources[i];
    }
    return NULL;
}

struct slice config_postgres_url(const struct config *config)
{
    return options_secret(options_section(config->root, "postgres"), "url");
}

void config_print(const struct config *config, struct buf *out)
{
    options_print(config->root, 0, out);
}
