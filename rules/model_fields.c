/* model_fields.c - the sections `fields` and `keys` of a model: what was learned of fields that no fixed comparison looks at,
 * and which further keys find the pairs. */
#include <math.h>

#include "rules/frequency.h"
#include "rules/key_recipe.h"
#include "rules/model_intern.h"
#include "rules/own_field.h"

static const struct yaml_node *table_of(const struct yaml_node *field)
{
    return yaml_get(field, "per_100000");
}

static const struct yaml_node *words_of(const struct yaml_node *field)
{
    return yaml_get(yaml_get(field, "words"), "per_100000");
}

size_t model_fields_entries(const struct yaml_node *root)
{
    const struct yaml_node *fields = yaml_get(root, "fields");
    size_t entries = 0;

    for (size_t i = 0; fields && fields->kind == YAML_MAP && i < fields->count; i++) {
        const struct yaml_node *table = table_of(fields->values[i]), *words = words_of(fields->values[i]);
        entries += (table ? table->count : 0) + (words ? words->count : 0);
    }
    return entries;
}

/* NULL when there is no room or its type says nothing. */
static struct custom_field *add_field(struct matcher *matcher, const struct field *field)
{
    struct custom_field *custom = &matcher->custom_fields[matcher->custom_count];
    uint16_t hash = (uint16_t)slice_hash(slice_str(field->name), 5);

    if (matcher->custom_count >= MATCHER_CUSTOMS_MAX || !own_type_is_compared(field->type))
        return NULL;
    for (size_t i = 0; i < matcher->custom_count; i++)
        if (matcher->custom_fields[i].name_hash == hash) {
            hash++;
            i = (size_t)-1;
        }
    *custom = (struct custom_field){.field = field->id,
                                    .name_hash = hash,
                                    .type = field->type,
                                    .sensitivity = field->sensitivity,
                                    .name = arena_str(matcher->arena, slice_str(field->name)),
                                    .model = &matcher->customs[field->type]};
    matcher->field_tags[field->id] = TAG_CUSTOM;
    matcher->field_custom[field->id] = (uint8_t)matcher->custom_count++;
    return custom;
}

struct own_table {
    struct frequency_table *table;
    const struct custom_field *field;
    bool token;
};

static void add_own(void *data, struct slice text, float per_100000)
{
    struct own_table *into = data;

    frequency_own_add(into->table, into->field, into->token, text, per_100000);
}

static void read_table(struct model_reader *reader, const struct yaml_node *node, const struct yaml_node *table,
                       struct custom_field *custom, bool token)
{
    struct own_table into = {&reader->matcher->frequencies, custom, token};
    double per = 100;

    if (table == NULL && yaml_get(node, "default") == NULL)
        return;
    model_need_number(reader, node, "default", 0.01, 100000, &per);
    *(token ? &custom->default_token_log2 : &custom->default_log2) = (float)log2(per / 100000);
    model_read_table(reader, table, add_own, &into);
}

static void read_field(struct model_reader *reader, const struct yaml_node *node, struct custom_field *custom)
{
    static const char *const known[] = {"type", "levels", "default", "per_100000", "words"};
    static const char *const known_words[] = {"default", "per_100000"};
    struct comparison_model *model = ARENA_NEW(reader->matcher->arena, struct comparison_model);
    const struct yaml_node *words = yaml_get(node, "words");

    model_check_keys(reader, node, known, sizeof(known) / sizeof(known[0]), "key of a field");
    model_check_keys(reader, words, known_words, 2, "key of words");
    if (!slice_is(yaml_text(node, "type", SLICE("")), field_type_name(custom->type)))
        problems_add(reader->problems, node,
                     "the field %s is of type %s here; hint: train again, or change its type", custom->name,
                     field_type_name(custom->type));
    if (model == NULL)
        return;
    model_read_levels(reader, yaml_get(node, "levels"), node, own_levels, OWN_LEVELS, OWN_CLOSE, model);
    custom->model = model;
    read_table(reader, node, table_of(node), custom, false);
    if (words)
        read_table(reader, words, words_of(node), custom, true);
}

static void bind_section(struct model_reader *reader, const struct yaml_node *name, const struct yaml_node *node)
{
    struct matcher *matcher = reader->matcher;
    char text[FIELD_NAME_MAX + 1] = {0};

    if (name->text.len <= FIELD_NAME_MAX)
        memcpy(text, name->text.ptr, name->text.len);
    const struct field *field = schema_find(reader->schema, text);
    if (node->kind != YAML_MAP) {
        problems_add(reader->problems, node, "a field must be a map such as {type: text, levels: {...}}");
        return;
    }
    if (field == NULL) {
        problems_add(reader->problems, name,
                     "there is no field " SLICE_FMT "; hint: declare it under `fields`, or take it out of the model",
                     SLICE_ARG(name->text));
        return;
    }
    struct custom_field *custom = NULL;
    if (matcher->field_tags[field->id] == TAG_CUSTOM)
        custom = &matcher->custom_fields[matcher->field_custom[field->id]];
    else if (matcher->field_tags[field->id] == TAG_NONE)
        custom = add_field(matcher, field);
    if (custom)
        read_field(reader, node, custom);
    else
        problems_add(reader->problems, name, "the field " SLICE_FMT " has a comparison of its own or cannot be compared",
                     SLICE_ARG(name->text));
}

/* Canonical fields that no fixed comparison looks at and that may tell customers apart; the rest of them is how a
 * record came in. */
static bool is_learnable(const struct field *field)
{
    static const char *const names[] = {"job_title", "province", "country", "industry"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(field->name, names[i]) == 0)
            return true;
    return false;
}

void model_read_fields(struct model_reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *fields = yaml_get(root, "fields");

    for (size_t i = 0; i < reader->schema->count; i++)
        if (reader->schema->fields[i].custom || (reader->for_training && is_learnable(&reader->schema->fields[i])))
            (void)add_field(reader->matcher, &reader->schema->fields[i]);
    if (fields == NULL || fields->is_null)
        return;
    if (fields->kind != YAML_MAP) {
        problems_add(reader->problems, fields, "`fields` must be a map of fields");
        return;
    }
    for (size_t i = 0; i < fields->count; i++)
        bind_section(reader, fields->keys[i], fields->values[i]);
}

static bool add_part(struct matcher *matcher, struct key_recipe *recipe, size_t part)
{
    size_t slot = 0;

    while (slot < matcher->recipe_part_count && matcher->recipe_parts[slot] != part)
        slot++;
    for (size_t i = 0; i < recipe->count; i++)
        if (recipe->slots[i] == slot)
            return false;
    if (slot == matcher->recipe_part_count)
        matcher->recipe_parts[matcher->recipe_part_count++] = (uint16_t)part;
    recipe->slots[recipe->count++] = (uint8_t)slot;
    return true;
}

bool matcher_add_recipe(struct matcher *matcher, const size_t *parts, size_t count)
{
    struct key_recipe *recipe = &matcher->recipes[matcher->recipe_count];
    struct slice name = SLICE_EMPTY;

    if (matcher->recipe_count >= RECIPES_MAX || count == 0 || count > RECIPE_PARTS_MAX)
        return false;
    *recipe = (struct key_recipe){.count = 0};
    for (size_t i = 0; i < count; i++) {
        const char *part = key_part_name(matcher, parts[i], matcher->arena);
        if (!add_part(matcher, recipe, parts[i]))
            return false;
        name = arena_printf(matcher->arena, SLICE_FMT "%s%s", SLICE_ARG(name), i ? ", " : "", part);
    }
    recipe->name = arena_str(matcher->arena, name);
    recipe->seed = slice_hash(name, 11);
    matcher->recipe_count++;
    return true;
}

static void read_recipe(struct model_reader *reader, const struct yaml_node *node)
{
    size_t parts[RECIPE_PARTS_MAX], count = 0;

    if (node->kind != YAML_LIST || node->count == 0 || node->count > RECIPE_PARTS_MAX) {
        problems_add(reader->problems, node, "a key must be a list of one to %d parts such as [given_name, city]",
                     RECIPE_PARTS_MAX);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        struct slice name = node->values[i]->kind == YAML_SCALAR ? node->values[i]->text : SLICE_EMPTY;
        size_t part = key_part_find(reader->matcher, name);
        if (part == SIZE_MAX) {
            problems_add(reader->problems, node->values[i], "there is no part `" SLICE_FMT "` of a record to make a key of",
                         SLICE_ARG(name));
            return;
        }
        parts[count++] = part;
    }
    if (!matcher_add_recipe(reader->matcher, parts, count))
        problems_add(reader->problems, node, "the same part twice in a key, or more than %d keys", RECIPES_MAX);
}

void model_read_recipes(struct model_reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *keys = yaml_get(root, "keys");

    reader->matcher->first_recipe_kind = key_kind_count();
    if (keys == NULL || keys->is_null)
        return;
    if (keys->kind != YAML_LIST) {
        problems_add(reader->problems, keys, "`keys` must be a list of keys such as [given_name, city]");
        return;
    }
    for (size_t i = 0; i < keys->count; i++)
        read_recipe(reader, keys->values[i]);
}

/* ---- what travels together ---- */

static size_t comparison_named(const struct matcher *matcher, struct slice name)
{
    size_t count = matcher_comparison_count(matcher);

    for (size_t i = 0; i < count; i++)
        if (i != CMP_TOGETHER && i != CMP_CEILING && slice_is(name, matcher_comparison_name(matcher, (uint8_t)i)))
            return i;
    return SIZE_MAX;
}

static void read_twice(struct model_reader *reader, const struct yaml_node *node)
{
    static const char *const known[] = {"fields", "agree", "differ"};
    struct matcher *matcher = reader->matcher;
    const struct yaml_node *fields = yaml_get(node, "fields");
    size_t n = matcher_comparison_count(matcher), found[2] = {SIZE_MAX, SIZE_MAX};
    double agree = 0, differ = 0;

    model_check_keys(reader, node, known, 3, "key of what travels together");
    for (size_t i = 0; i < 2 && fields && fields->kind == YAML_LIST && fields->count == 2; i++)
        if (fields->values[i]->kind == YAML_SCALAR)
            found[i] = comparison_named(matcher, fields->values[i]->text);
    if (found[0] == SIZE_MAX || found[1] == SIZE_MAX || found[0] == found[1]) {
        problems_add(reader->problems, node, "what travels together must be two comparisons, such as {fields: [address, province], agree: 4}");
        return;
    }
    (void)model_read_number(reader, node, "agree", 0, 40, &agree);
    (void)model_read_number(reader, node, "differ", 0, 40, &differ);
    matcher->both_agree[found[0] * n + found[1]] = matcher->both_agree[found[1] * n + found[0]] = (float)agree;
    matcher->both_differ[found[0] * n + found[1]] = matcher->both_differ[found[1] * n + found[0]] = (float)differ;
}

void model_read_twice(struct model_reader *reader, const struct yaml_node *root)
{
    const struct yaml_node *list = yaml_get(yaml_get(root, "together"), "twice");
    struct matcher *matcher = reader->matcher;
    size_t n = matcher_comparison_count(matcher);

    if (list == NULL || list->is_null)
        return;
    if (list->kind != YAML_LIST) {
        problems_add(reader->problems, list, "`twice` must be a list of what travels together");
        return;
    }
    matcher->both_agree = ARENA_ARRAY(matcher->arena, float, n * n);
    matcher->both_differ = ARENA_ARRAY(matcher->arena, float, n * n);
    for (size_t i = 0; matcher->both_agree && matcher->both_differ && i < list->count; i++)
        read_twice(reader, list->values[i]);
}
