/* options_build.c - a YAML map judged against its declaration. See options.h. */
#include "daemon/base/options_internal.h"

#include <assert.h>
#include <stdio.h>

#define KNOWN_KEYS_MAX 256

struct builder {
    struct arena *arena;
    const char *base_dir;
    struct problems *problems;
};

static const struct options *build_section(struct builder *builder, const struct option *table,
                                           const struct option *variant,
                                           const struct yaml_node *node, const char *path,
                                           const char *name, bool any_key);

static const char *join_path(struct builder *builder, const char *path, const char *key)
{
    return path[0] ? arena_printf(builder->arena, "%s.%s", path, key).ptr : key;
}

static const char *kind_word(const struct yaml_node *node)
{
    return node->kind == YAML_LIST ? "a list" : node->kind == YAML_MAP ? "a section" : "one value";
}

static bool expect_scalar(struct builder *builder, const char *path, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR)
        return true;
    problems_add(builder->problems, node, "%s: expected one value, found %s", path,
                 kind_word(node));
    return false;
}

/* ---- bounds ---- */

static bool check_bounds(struct builder *builder, const char *path, const struct option *option,
                         const struct yaml_node *node, int64_t value)
{
    if (option->min == 0 && option->max == 0)
        return true;
    char low[32], high[32];
    option_bound_text(option, option->min, low, sizeof(low));
    option_bound_text(option, option->max, high, sizeof(high));
    if (value >= option->min && value <= option->max)
        return true;
    const char *what = option->type == OPTION_STRINGS ? "number of entries is" : "value is";
    if (option->max == INT64_MAX)
        problems_add(builder->problems, node, "%s: %s too small; hint: at least %s", path, what,
                     low);
    else
        problems_add(builder->problems, node, "%s: %s out of bounds; hint: from %s to %s", path,
                     what, low, high);
    return false;
}

/* ---- one value by type; true when *value holds it ---- */

static bool read_number(struct builder *builder, const char *path, struct option_value *value,
                        const struct yaml_node *node)
{
    const struct option *option = value->option;
    const char *wanted = NULL;
    if (option->type == OPTION_INT)
        wanted = option_read_int(node->text, &value->integer);
    else if (option->type == OPTION_FLOAT)
        wanted = option_read_float(node->text, &value->real);
    else if (option->type == OPTION_BOOL)
        wanted = option_read_bool(node->text, &value->integer);
    else if (option->type == OPTION_DURATION && !duration_parse_ms(node->text, &value->integer))
        wanted = "a duration such as 250ms, 30s, 5m, 2h or 7d";
    else if (option->type == OPTION_SIZE && !size_parse_bytes(node->text, &value->integer))
        wanted = "a size such as 512, 64k, 10M or 1G";
    if (wanted) {
        problems_add(builder->problems, node, "%s: '" SLICE_FMT "' is not %s", path,
                     SLICE_ARG(yaml_shown(node)), wanted);
        return false;
    }
    return option->type == OPTION_FLOAT || option->type == OPTION_BOOL ||
           check_bounds(builder, path, option, node, value->integer);
}

static bool read_choice(struct builder *builder, const char *path, struct option_value *value,
                        const struct yaml_node *node)
{
    const char *words[64];
    size_t count = 0;
    struct slice rest = slice_str(value->option->choices);
    while (rest.len > 0 && count < 64) {
        ptrdiff_t bar = slice_find_byte(rest, '|');
        size_t length = bar < 0 ? rest.len : (size_t)bar;
        words[count] = arena_str(builder->arena, slice_sub(rest, 0, length));
        if (slice_eq_nocase(node->text, slice_str(words[count]))) {
            value->text = slice_str(words[count]);
            return true;
        }
        count++;
        rest = slice_sub(rest, length + 1, rest.len);
    }
    const char *near = nearest_word(node->text, words, count);
    if (near)
        problems_add(builder->problems, node,
                     "%s: unknown value '" SLICE_FMT "'; hint: did you mean '%s'?", path,
                     SLICE_ARG(yaml_shown(node)), near);
    else
        problems_add(builder->problems, node, "%s: unknown value '" SLICE_FMT "'; hint: one of %s",
                     path, SLICE_ARG(yaml_shown(node)), value->option->choices);
    return false;
}

/* A list of scalars, or one scalar. NULL when a problem was added. */
static const struct slice *read_list(struct builder *builder, const char *path,
                                     const struct yaml_node *node, size_t *count)
{
    if (node->kind == YAML_MAP) {
        problems_add(builder->problems, node, "%s: expected a list, found a section", path);
        return NULL;
    }
    *count = node->kind == YAML_LIST ? node->count : 1;
    struct slice *list = ARENA_ARRAY(builder->arena, struct slice, *count);
    for (size_t i = 0; list && i < *count; i++) {
        const struct yaml_node *item = node->kind == YAML_LIST ? node->values[i] : node;
        if (item->kind != YAML_SCALAR || item->text.len == 0) {
            problems_add(builder->problems, item, "%s: entry %zu is %s", path, i + 1,
                         item->kind == YAML_SCALAR ? "empty" : kind_word(item));
            return NULL;
        }
        list[i] = item->text;
    }
    return list;
}

static bool read_text_map(struct builder *builder, const char *path, struct option_value *value,
                          const struct yaml_node *node)
{
    if (node->kind != YAML_MAP) {
        problems_add(builder->problems, node, "%s: expected names with texts, found %s", path,
                     kind_word(node));
        return false;
    }
    struct option_text *texts = ARENA_ARRAY(builder->arena, struct option_text, node->count);
    bool good = texts != NULL;
    for (size_t i = 0; texts && i < node->count; i++) {
        const char *key = arena_str(builder->arena, node->keys[i]->text);
        texts[i].name = node->keys[i]->text;
        texts[i].values =
            read_list(builder, join_path(builder, path, key), node->values[i], &texts[i].count);
        good = good && texts[i].values != NULL;
    }
    value->count = node->count;
    value->texts = texts;
    return good;
}

static bool read_sections(struct builder *builder, const char *path, struct option_value *value,
                          const struct yaml_node *node)
{
    if (node->kind != YAML_MAP) {
        problems_add(builder->problems, node, "%s: expected named sections, found %s", path,
                     kind_word(node));
        return false;
    }
    const struct options **list = ARENA_ARRAY(builder->arena, const struct options *, node->count);
    for (size_t i = 0; list && i < node->count; i++) {
        const struct option *option = value->option, *variant = NULL;
        const struct yaml_node *section = node->values[i];
        const char *name = arena_str(builder->arena, node->keys[i]->text);
        if (option->variant && section->kind == YAML_MAP)
            variant = option->variant(section, builder->problems);
        bool unknown = option->variant && variant == NULL;
        /* Of a section of unknown type nobody knows which keys it may have. */
        list[i] = build_section(builder, option->children, variant, section,
                                join_path(builder, path, name), name, unknown);
        if (list[i] == NULL)
            return false;
    }
    value->count = node->count;
    value->sections = list;
    return list != NULL;
}

static bool read_value(struct builder *builder, const char *path, struct option_value *value,
                       const struct yaml_node *node)
{
    const struct option *option = value->option;
    value->node = node;
    switch (option->type) {
    case OPTION_INT:
    case OPTION_FLOAT:
    case OPTION_BOOL:
    case OPTION_DURATION:
    case OPTION_SIZE:
        return expect_scalar(builder, path, node) && read_number(builder, path, value, node);
    case OPTION_ENUM:
        return expect_scalar(builder, path, node) && read_choice(builder, path, value, node);
    case OPTION_STRING:
    case OPTION_SECRET:
        value->text = node->text;
        return expect_scalar(builder, path, node);
    case OPTION_STRINGS:
        value->strings = read_list(builder, path, node, &value->count);
        return value->strings && check_bounds(builder, path, option, node, (int64_t)value->count);
    case OPTION_TEXT_MAP:
        return read_text_map(builder, path, value, node);
    case OPTION_SECTION:
        value->section = build_section(builder, option->children, NULL, node, path, "", false);
        return value->section != NULL;
    case OPTION_SECTIONS:
        return read_sections(builder, path, value, node);
    case OPTION_FREE:
        return true;
    }
    return false;
}

/* ---- defaults ---- */

/* The default goes through the same reader, so a default that is not valid is found by the first
 * test. */
static void read_default(struct builder *builder, struct option_value *value)
{
    const struct option *option = value->option;
    const char *text = option->default_text;
    if (text == NULL) {
        if (option->type == OPTION_SECTION)
            value->section = build_section(builder, option->children, NULL, NULL, "", "", false);
        return;
    }
    struct problems problems = {0};
    struct builder own = {builder->arena, builder->base_dir, &problems};
    bool is_tree = option->type == OPTION_FREE || option->type == OPTION_SECTIONS ||
                   option->type == OPTION_TEXT_MAP ||
                   (option->type == OPTION_STRINGS && text[0] == '[');
    struct yaml_node *node;
    if (is_tree) {
        node = yaml_parse(builder->arena, "default", slice_str(text), &problems);
    } else if ((node = ARENA_NEW(builder->arena, struct yaml_node)) != NULL) {
        node->file = "default";
        node->text = slice_str(text);
    }
    if (node && !arena_failed(builder->arena))
        value->present = read_value(&own, option->key, value, node);
    assert(value->present || arena_failed(builder->arena));
    if (option->type != OPTION_FREE)
        value->node = NULL;
    problems_free(&problems);
}

/* ---- secrets ---- */

static void read_secret(struct builder *builder, const char *path, struct option_value *value,
                        const struct yaml_node *map)
{
    char file_key[128];
    snprintf(file_key, sizeof(file_key), "%s_file", value->option->key);
    const struct yaml_node *file = yaml_get(map, file_key);
    if (file == NULL || (file->kind == YAML_SCALAR && file->text.len == 0))
        return;
    if (value->given) {
        problems_add(builder->problems, file, "%s and %s_file are both given; hint: keep one", path,
                     path);
        return;
    }
    value->given = true;
    value->present = expect_scalar(builder, path, file) &&
                     option_read_secret_file(builder->arena, builder->base_dir, path, file,
                                             &value->text, builder->problems);
    value->node = file;
}

/* ---- a section ---- */

static bool has_key(const struct option *table, struct slice key)
{
    for (; table && table->key; table++) {
        if (slice_is(key, table->key))
            return true;
        size_t length = strlen(table->key);
        if (table->type == OPTION_SECRET && key.len == length + 5 &&
            memcmp(key.ptr, table->key, length) == 0 && slice_ends(key, SLICE("_file")))
            return true;
    }
    return false;
}

static size_t list_keys(const struct option *table, const char *keys[], size_t count)
{
    for (; table && table->key && count < KNOWN_KEYS_MAX; table++)
        keys[count++] = table->key;
    return count;
}

static void refuse_unknown_key(struct builder *builder, const struct option *table,
                               const struct option *variant, const struct yaml_node *key,
                               const char *path)
{
    const char *keys[KNOWN_KEYS_MAX];
    size_t count = list_keys(variant, keys, list_keys(table, keys, 0));
    const char *in = path[0] ? path : "the top level";
    const char *near = nearest_word(key->text, keys, count);
    if (near) {
        problems_add(builder->problems, key,
                     "unknown key '" SLICE_FMT "' in %s; hint: did you mean '%s'?",
                     SLICE_ARG(key->text), in, near);
        return;
    }
    char known[240];
    size_t used = 0;
    known[0] = '\0';
    for (size_t i = 0; i < count && used < sizeof(known) - 32; i++) {
        int length = snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", keys[i]);
        used += length > 0 ? (size_t)length : 0;
    }
    problems_add(builder->problems, key,
                 "unknown key '" SLICE_FMT "' in %s; hint: known keys are %s%s",
                 SLICE_ARG(key->text), in, known, used >= sizeof(known) - 32 ? " ..." : "");
}

static void read_option(struct builder *builder, struct option_value *value,
                        const struct yaml_node *map, const char *section_path)
{
    const struct option *option = value->option;
    const char *path = join_path(builder, section_path, option->key);
    const struct yaml_node *node = yaml_get(map, option->key);
    if (node && !(node->kind == YAML_SCALAR && node->is_null)) {
        value->given = true;
        value->present = read_value(builder, path, value, node);
    }
    if (option->type == OPTION_SECRET)
        read_secret(builder, path, value, map);
    /* An option got wrong reads as its default, so that later checks do not complain of it again.
     */
    if (!value->present)
        read_default(builder, value);
    if ((option->flags & OPTION_REQUIRED) && !value->given && map)
        problems_add(builder->problems, map, "%s is missing; hint: %s%s", path, option->help,
                     option->type == OPTION_SECRET ? " (or give its _file)" : "");
}

static const struct options *build_section(struct builder *builder, const struct option *table,
                                           const struct option *variant,
                                           const struct yaml_node *node, const char *path,
                                           const char *name, bool any_key)
{
    struct options *options = ARENA_NEW(builder->arena, struct options);
    const char *keys[KNOWN_KEYS_MAX];
    size_t most = list_keys(variant, keys, list_keys(table, keys, 0));
    struct option_value *values = ARENA_ARRAY(builder->arena, struct option_value, most);
    if (options == NULL || values == NULL)
        return NULL;
    assert(most < KNOWN_KEYS_MAX);
    *options = (struct options){.name = name, .where = node, .values = values};
    bool is_map = node && node->kind == YAML_MAP;
    if (node && !is_map && !node->is_null)
        problems_add(builder->problems, node, "%s: expected a section, found %s",
                     path[0] ? path : "configuration", kind_word(node));
    for (size_t i = 0; is_map && !any_key && i < node->count; i++) {
        if (!has_key(table, node->keys[i]->text) && !has_key(variant, node->keys[i]->text))
            refuse_unknown_key(builder, table, variant, node->keys[i], path);
    }
    for (const struct option *option = table; option && option->key; option++) {
        if (!has_key(variant,
                     slice_str(option->key))) /* a variant's key stands for the common one */
            values[options->count++].option = option;
    }
    for (const struct option *option = variant; option && option->key; option++)
        values[options->count++].option = option;
    for (size_t i = 0; i < options->count; i++)
        read_option(builder, &values[i], is_map ? node : NULL, path);
    return arena_failed(builder->arena) ? NULL : options;
}

const struct options *options_build(struct arena *arena, const struct option *table,
                                    const struct yaml_node *node, const char *base_dir,
                                    struct problems *problems)
{
    struct builder builder = {.arena = arena, .base_dir = base_dir, .problems = problems};
    return build_section(&builder, table, NULL, node, "", "", false);
}
