/* options_read.c - the typed accessors. See options.h. */
#include "daemon/base/options_internal.h"

#include <assert.h>

static const struct option_value *find(const struct options *options, const char *key)
{
    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->values[i].option->key, key) == 0)
            return &options->values[i];
    }
    assert(false && "an option that was not declared");
    return NULL;
}

static const struct option_value *find_typed(const struct options *options, const char *key,
                                             enum option_type type)
{
    const struct option_value *value = find(options, key);
    assert(value->option->type == type);
    return value;
}

bool options_has(const struct options *options, const char *key)
{
    return find(options, key)->given;
}

const char *options_string(const struct options *options, const char *key)
{
    const struct option_value *value = find(options, key);
    assert(value->option->type == OPTION_STRING || value->option->type == OPTION_ENUM);
    return value->present ? value->text.ptr : NULL;
}

int64_t options_int(const struct options *options, const char *key)
{
    const struct option_value *value = find(options, key);
    assert(value->option->type == OPTION_INT || value->option->type == OPTION_DURATION ||
           value->option->type == OPTION_SIZE);
    return value->present ? value->integer : 0;
}

double options_float(const struct options *options, const char *key)
{
    const struct option_value *value = find_typed(options, key, OPTION_FLOAT);
    return value->present ? value->real : 0;
}

bool options_bool(const struct options *options, const char *key)
{
    const struct option_value *value = find_typed(options, key, OPTION_BOOL);
    return value->present && value->integer != 0;
}

struct slice options_secret(const struct options *options, const char *key)
{
    const struct option_value *value = find_typed(options, key, OPTION_SECRET);
    return value->present ? value->text : SLICE_EMPTY;
}

size_t options_strings(const struct options *options, const char *key, const struct slice **list)
{
    const struct option_value *value = find_typed(options, key, OPTION_STRINGS);
    *list = value->present ? value->strings : NULL;
    return value->present ? value->count : 0;
}

size_t options_text_map(const struct options *options, const char *key,
                        const struct option_text **list)
{
    const struct option_value *value = find_typed(options, key, OPTION_TEXT_MAP);
    *list = value->present ? value->texts : NULL;
    return value->present ? value->count : 0;
}

const struct options *options_section(const struct options *options, const char *key)
{
    const struct option_value *value = find_typed(options, key, OPTION_SECTION);
    assert(value->section);
    return value->section;
}

size_t options_sections(const struct options *options, const char *key,
                        const struct options *const **list)
{
    const struct option_value *value = find_typed(options, key, OPTION_SECTIONS);
    *list = value->present ? value->sections : NULL;
    return value->present ? value->count : 0;
}

const char *options_name(const struct options *options)
{
    return options->name;
}

const struct yaml_node *options_node(const struct options *options, const char *key)
{
    const struct option_value *value = find_typed(options, key, OPTION_FREE);
    return value->present ? value->node : NULL;
}

const struct yaml_node *options_where(const struct options *options)
{
    return options->where;
}
