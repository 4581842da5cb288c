/* schema_build.c - reads `fields:` and builds the dictionary of headings. See schema_build.h. */
#include "rules/schema_build.h"

static const char *const field_keys[] = {"type",  "sensitivity", "group",   "multiple", "country",
                                         "label", "label_zh",    "aliases", "prefix",   "suffix"};
#define FIELD_KEYS (sizeof(field_keys) / sizeof(field_keys[0]))
/* A rule test's `expect:` speaks of these beside fields. */
static const char *const reserved[] = {"outcome", "issues", "flags", "extra", "kind"};

struct alias_source { /* one `fields:` entry, whose aliases are read once all fields are known */
    uint16_t field;
    uint8_t layer; /* the file it stands in: a later one may take a word from an earlier */
    const struct yaml_node *node;
};

struct builder {
    struct compiler *compiler;
    struct alias_source *sources;
    size_t source_count;
    uint8_t layer;
    size_t alias_count;
    size_t alias_capacity;
};

static bool name_is_sound(struct slice name)
{
    bool sound =
        name.len > 0 && name.len <= FIELD_NAME_MAX && name.ptr[0] >= 'a' && name.ptr[0] <= 'z';
    for (size_t i = 0; i < name.len && sound; i++) {
        char byte = name.ptr[i];
        sound = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '_';
    }
    return sound;
}

static bool name_is_free(struct slice name)
{
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (slice_is(name, reserved[i]))
            return false;
    return true;
}

static const char *text_of(struct compiler *compiler, const struct yaml_node *node, const char *key,
                           const char *otherwise)
{
    const struct yaml_node *value = yaml_get(node, key);
    if (value && value->kind != YAML_SCALAR)
        problems_add(compiler->problems, value, "%s wants a text", key);
    return value && value->kind == YAML_SCALAR ? arena_str(compiler->ruleset->arena, value->text)
                                               : otherwise;
}

static void read_type(struct compiler *compiler, const struct yaml_node *node, bool known,
                      struct field *field)
{
    const struct yaml_node *type = yaml_get(node, "type");
    const char *names[FIELD_TYPE_COUNT];
    enum field_type parsed;
    if (type == NULL) {
        if (!known)
            problems_add(compiler->problems, node, "field %s wants a `type:`", field->name);
        return;
    }
    if (field_type_parse(type->text, &parsed)) {
        if (known && parsed != field->type)
            problems_add(compiler->problems, type,
                         "field %s is of type %s; hint: a changed type is a new name", field->name,
                         field_type_name(field->type));
        field->type = parsed;
        return;
    }
    for (size_t i = 0; i < FIELD_TYPE_COUNT; i++)
        names[i] = field_type_name((enum field_type)i);
    const char *near = nearest_word(type->text, names, FIELD_TYPE_COUNT);
    problems_add(compiler->problems, type, "unknown type \"" SLICE_FMT "\"%s%s",
                 SLICE_ARG(type->text), near ? "; hint: " : "", near ? near : "");
}

static void read_sensitivity(struct compiler *compiler, const struct yaml_node *node,
                             struct field *field)
{
    const struct yaml_node *sensitivity = yaml_get(node, "sensitivity");
    if (sensitivity == NULL)
        return;
    for (int i = SENSITIVITY_PUBLIC; i <= SENSITIVITY_SENSITIVE; i++) {
        if (slice_is(sensitivity->text, sensitivity_name((enum sensitivity)i))) {
            field->sensitivity = (enum sensitivity)i;
            return;
        }
    }
    problems_add(compiler->problems, sensitivity, "sensitivity is public, personal or sensitive");
}

static void read_field(struct compiler *compiler, const struct yaml_node *node, bool known,
                       struct field *field)
{
    pack_check_keys(compiler, node, "field key", field_keys, FIELD_KEYS);
    if (node->kind != YAML_MAP)
        return;
    read_type(compiler, node, known, field);
    read_sensitivity(compiler, node, field);
    const struct yaml_node *multiple = yaml_get(node, "multiple");
    bool truth;
    if (multiple && pack_bool(compiler, multiple, &truth)) {
        if (known && truth != field->multiple)
            problems_add(compiler->problems, multiple,
                         "whether %s has many values cannot be changed", field->name);
        field->multiple = truth;
    }
    if (!known && field->type == FIELD_TAGS)
        field->multiple = true;
    field->group = text_of(compiler, node, "group", field->group);
    field->country = text_of(compiler, node, "country", field->country);
    field->label = text_of(compiler, node, "label", field->label);
    field->label_zh = text_of(compiler, node, "label_zh", field->label_zh);
    if (field->multiple && field->group[0])
        problems_add(compiler->problems, node,
                     "field %s has many values and a group; hint: a group survives "
                     "as one, so its fields have one value each",
                     field->name);
}

static void add_field(struct builder *builder, const struct yaml_node *name,
                      const struct yaml_node *node, bool custom)
{
    struct compiler *compiler = builder->compiler;
    struct ruleset *ruleset = compiler->ruleset;
    struct field *field = NULL;
    for (size_t i = 0; i < ruleset->schema.count; i++)
        if (slice_is(name->text, ruleset->fields[i].name))
            field = &ruleset->fields[i];
    bool known = field != NULL;
    if (!known) {
        if (!name_is_sound(name->text) || !name_is_free(name->text)) {
            problems_add(
                compiler->problems, name,
                "\"" SLICE_FMT "\" is not a field name; hint: lower case letters, "
                "digits and _, at most %d, and none of outcome, issues, flags, extra, kind",
                SLICE_ARG(name->text), FIELD_NAME_MAX);
            return;
        }
        if (ruleset->schema.count == FIELDS_MAX) {
            problems_add(compiler->problems, name, "more than %d fields", FIELDS_MAX);
            return;
        }
        const char *text = arena_str(ruleset->arena, name->text);
        field = &ruleset->fields[ruleset->schema.count];
        *field = (struct field){.id = (uint16_t)ruleset->schema.count++,
                                .name = text,
                                .group = "",
                                .sensitivity = SENSITIVITY_PERSONAL,
                                .custom = custom,
                                .country = "",
                                .label = text,
                                .label_zh = ""};
    }
    read_field(compiler, node, known, field);
    builder->sources[builder->source_count++] =
        (struct alias_source){field->id, builder->layer, node};
    builder->alias_capacity += 3;
    for (size_t i = 7; i < FIELD_KEYS; i++) {
        const struct yaml_node *list = yaml_get(node, field_keys[i]);
        builder->alias_capacity += list ? list->count + 1 : 0;
    }
}

static void add_fields(struct builder *builder, const struct yaml_node *fields, bool custom)
{
    if (fields == NULL)
        return;
    if (fields->kind != YAML_MAP) {
        problems_add(builder->compiler->problems, fields, "fields wants `name: {type: ...}` pairs");
        return;
    }
    for (size_t i = 0; i < fields->count; i++)
        add_field(builder, fields->keys[i], fields->values[i], custom);
}

/* `where` NULL: a label or name, which gives way silently. */
static void add_alias(struct builder *builder, const struct yaml_node *where, struct slice heading,
                      struct alias alias)
{
    struct ruleset *ruleset = builder->compiler->ruleset;
    char folded[FOLDED_MAX];
    struct slice key = fold_heading(heading, folded);
    if (key.ptr == NULL || key.len == 0) {
        if (where)
            problems_add(builder->compiler->problems, where,
                         "an alias wants letters or digits, at most %d bytes", FOLDED_MAX);
        return;
    }
    const struct lookup_entry *other = lookup_add(&ruleset->aliases, arena_dup(ruleset->arena, key),
                                                  SLICE_EMPTY, (uint32_t)builder->alias_count);
    if (other == NULL)
        ruleset->alias_list[builder->alias_count++] = alias;
    else if (where && ruleset->alias_list[other->number].field != alias.field &&
             ruleset->alias_list[other->number].layer == alias.layer)
        problems_add(builder->compiler->problems, where, "\"" SLICE_FMT "\" already stands for %s",
                     SLICE_ARG(heading),
                     ruleset->fields[ruleset->alias_list[other->number].field].name);
}

static void add_alias_list(struct builder *builder, const struct alias_source *source,
                           const char *key, enum column_role role)
{
    const struct yaml_node *list = yaml_get(source->node, key);
    size_t count;
    struct yaml_node *const *nodes;
    if (list == NULL || !pack_scalars(builder->compiler, list, &count, &nodes))
        return;
    for (size_t i = 0; i < count; i++)
        add_alias(builder, nodes[i], nodes[i]->text,
                  (struct alias){source->field, (uint8_t)role, source->layer, (uint16_t)(i + 1)});
}

static void add_aliases(struct builder *builder, bool custom)
{
    const struct ruleset *ruleset = builder->compiler->ruleset;
    for (size_t i = builder->source_count; i-- > 0;) { /* the latest file first */
        const struct alias_source *source = &builder->sources[i];
        const struct field *field = &ruleset->fields[source->field];
        if (field->custom != custom)
            continue;
        add_alias(builder, NULL, slice_str(field->name),
                  (struct alias){field->id, COLUMN_VALUE, source->layer, 0});
        add_alias_list(builder, source, "aliases", COLUMN_VALUE);
        add_alias_list(builder, source, "prefix", COLUMN_PREFIX);
        add_alias_list(builder, source, "suffix", COLUMN_SUFFIX);
    }
}

static void add_labels(struct builder *builder)
{
    const struct ruleset *ruleset = builder->compiler->ruleset;
    for (size_t i = 0; i < ruleset->schema.count; i++) {
        const struct field *field = &ruleset->fields[i];
        struct alias alias = {field->id, COLUMN_VALUE, 0, UINT16_MAX};
        add_alias(builder, NULL, slice_str(field->label), alias);
        add_alias(builder, NULL, slice_str(field->label_zh), alias);
    }
}

static void add_ignored(struct compiler *compiler, struct yaml_node *const *packs, size_t count)
{
    struct ruleset *ruleset = compiler->ruleset;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *list = yaml_get(packs[i], "ignore_columns");
        total += list ? list->count + 1 : 0;
    }
    if (!lookup_init(&ruleset->ignored, total, ruleset->arena))
        return;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *list = yaml_get(packs[i], "ignore_columns");
        size_t names;
        struct yaml_node *const *nodes;
        if (list == NULL || !pack_scalars(compiler, list, &names, &nodes))
            continue;
        for (size_t k = 0; k < names; k++) {
            char folded[FOLDED_MAX];
            struct slice key = fold_heading(nodes[k]->text, folded);
            if (key.ptr && key.len)
                lookup_add(&ruleset->ignored, arena_dup(ruleset->arena, key), nodes[k]->text, 0);
        }
    }
}

bool pack_is_shipped(const char *name)
{
    return strncmp(name, "rules/packs/", 12) == 0 ||
           (strchr(name, '/') == NULL && strchr(name, '.') == NULL);
}

void schema_build(struct compiler *compiler, struct yaml_node *const *packs,
                  const char *const *names, size_t count, const struct yaml_node *user_fields)
{
    struct arena *arena = compiler->ruleset->arena;
    struct builder builder = {.compiler = compiler};
    size_t entries = user_fields ? user_fields->count : 0;
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *fields = yaml_get(packs[i], "fields");
        entries += fields ? fields->count : 0;
    }
    builder.sources = ARENA_ARRAY(arena, struct alias_source, entries);
    if (builder.sources == NULL)
        return;
    for (int custom = 0; custom <= 1; custom++) {
        for (size_t i = 0; i < count; i++) {
            builder.layer = (uint8_t)(i < 255 ? i : 255);
            if (pack_is_shipped(names[i]) != (bool)custom)
                add_fields(&builder, yaml_get(packs[i], "fields"), custom);
        }
    }
    builder.layer = UINT8_MAX;
    add_fields(&builder, user_fields, true);
    size_t capacity = builder.alias_capacity + 2 * compiler->ruleset->schema.count;
    compiler->ruleset->alias_list = ARENA_ARRAY(arena, struct alias, capacity);
    if (compiler->ruleset->alias_list == NULL ||
        !lookup_init(&compiler->ruleset->aliases, capacity, arena))
        return;
    add_aliases(&builder, true); /* the user's own words go first */
    add_aliases(&builder, false);
    add_labels(&builder);
    add_ignored(compiler, packs, count);
}

static struct slice without(struct slice key, struct slice end, bool at_front)
{
    if (key.len <= end.len)
        return key;
    if (at_front)
        return slice_starts(key, end) ? slice_sub(key, end.len, key.len) : key;
    return slice_ends(key, end) ? slice_sub(key, 0, key.len - end.len) : key;
}

const struct alias *alias_find(const struct ruleset *ruleset, struct slice heading)
{
    static const struct slice fronts[] = {SLICE("请输入"),    SLICE("请填写"), SLICE("请留下"),
                                          SLICE("您的"),      SLICE("你的"),   SLICE("whatisyour"),
                                          SLICE("enteryour"), SLICE("your")};
    static const struct slice ends[] = {SLICE("必填"), SLICE("选填"), SLICE("required"),
                                        SLICE("optional")};
    char folded[FOLDED_MAX];
    struct slice key = fold_heading(heading, folded);
    const struct lookup_entry *found = lookup_find(&ruleset->aliases, key);
    if (found == NULL && key.ptr) {
        struct slice bare = key;
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
            bare = without(bare, ends[i], false);
        for (size_t i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++)
            bare = without(bare, fronts[i], true);
        if (bare.len != key.len)
            found = lookup_find(&ruleset->aliases, bare);
    }
    return found ? &ruleset->alias_list[found->number] : NULL;
}
