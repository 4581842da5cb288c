/* survive_config.c - reads the configuration's golden: section. See survive.h. */
#include "rules/survive_intern.h"

#include <stdlib.h>

#define SURVIVE_VERSION     1 /* raised when survive() itself decides differently */
#define SURVIVE_ARENA_BYTES ((size_t)4 << 20)

static const char *const words[PREFERENCES_MAX] = {"verified", "source",   "recent",
                                                   "frequent", "complete", "first"};

/* What ships. A name or an address is better the more of it there is; where a customer came from is
 * what was said first. */
static const struct {
    const char *name; /* of a group or a type; NULL: all others */
    struct preference_list list;
} defaults[] = {
    {"name",
     {5, {PREFER_VERIFIED, PREFER_SOURCE, PREFER_FREQUENT, PREFER_COMPLETE, PREFER_RECENT}}},
    {"address",
     {5, {PREFER_VERIFIED, PREFER_COMPLETE, PREFER_SOURCE, PREFER_RECENT, PREFER_FREQUENT}}},
    {"attribution", {1, {PREFER_FIRST}}},
    {NULL, {5, {PREFER_VERIFIED, PREFER_SOURCE, PREFER_RECENT, PREFER_FREQUENT, PREFER_COMPLETE}}},
};

static const struct preference_list *default_list(const char *group)
{
    size_t i = 0;
    while (defaults[i].name && strcmp(defaults[i].name, group) != 0)
        i++;
    return &defaults[i].list;
}

static void read_list(const struct yaml_node *node, struct preference_list *list,
                      struct problems *problems)
{
    list->count = 0;
    size_t count = node->kind == YAML_LIST ? node->count : 1;
    if (node->kind == YAML_MAP || count == 0) {
        problems_add(problems, node,
                     "wants a list of preferences; hint: [verified, source, recent]");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *one = node->kind == YAML_LIST ? node->values[i] : node;
        size_t word = 0;
        while (word < PREFERENCES_MAX && !slice_is(one->text, words[word]))
            word++;
        if (word == PREFERENCES_MAX) {
            const char *near = nearest_word(one->text, words, PREFERENCES_MAX);
            problems_add(problems, one, "unknown preference \"" SLICE_FMT "\"; hint: %s",
                         SLICE_ARG(one->text),
                         near ? near : "verified, source, recent, frequent, complete or first");
            continue;
        }
        bool twice = false;
        for (size_t k = 0; k < list->count; k++)
            twice |= list->order[k] == (enum preference)word;
        if (twice)
            problems_add(problems, one, "%s stands twice", words[word]);
        else
            list->order[list->count++] = (enum preference)word;
    }
}

static void read_ranks(struct survivorship *survivorship, const struct yaml_node *node,
                       struct problems *problems)
{
    if (node->kind != YAML_LIST) {
        problems_add(problems, node, "source_rank wants a list of source names, best first");
        return;
    }
    survivorship->ranks = ARENA_ARRAY(survivorship->arena, struct slice, node->count);
    for (size_t i = 0; i < node->count && survivorship->ranks; i++) {
        if (node->values[i]->kind == YAML_SCALAR)
            survivorship->ranks[survivorship->rank_count++] =
                arena_dup(survivorship->arena, node->values[i]->text);
        else
            problems_add(problems, node->values[i], "wants the name of a source");
    }
}

static void set_all(struct survivorship *survivorship, const struct preference_list *list)
{
    for (size_t i = 0; i < survivorship->schema->count; i++)
        survivorship->lists[i] = *list;
}

/* A key is a field, a group, or `default`. A field of a group speaks for its group. */
static void read_key(struct survivorship *survivorship, const struct yaml_node *key,
                     const struct yaml_node *value, struct problems *problems)
{
    const struct schema *schema = survivorship->schema;
    const char *names[FIELDS_MAX + 2] = {"default", "source_rank"};
    struct preference_list list;
    const char *group = NULL;
    bool found = false;
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        names[i + 2] = field->name;
        if (slice_is(key->text, field->name)) {
            found = true;
            group = field->group[0] ? field->group : NULL;
        }
        if (field->group[0] && slice_is(key->text, field->group)) {
            found = true;
            group = field->group;
            break;
        }
    }
    if (!found) {
        const char *near = nearest_word(key->text, names, schema->count + 2);
        problems_add(problems, key, "unknown field \"" SLICE_FMT "\"%s%s", SLICE_ARG(key->text),
                     near ? "; hint: " : "", near ? near : "");
        return;
    }
    read_list(value, &list, problems);
    for (size_t i = 0; i < schema->count; i++)
        if (group ? strcmp(schema->fields[i].group, group) == 0
                  : slice_is(key->text, schema->fields[i].name))
            survivorship->lists[i] = list;
}

static void read_golden(struct survivorship *survivorship, const struct yaml_node *golden,
                        struct problems *problems)
{
    if (golden->kind != YAML_MAP) {
        problems_add(problems, golden, "golden wants `field: [preferences]` pairs");
        return;
    }
    const struct yaml_node *otherwise = yaml_get(golden, "default");
    struct preference_list list;
    if (otherwise) {
        read_list(otherwise, &list, problems);
        set_all(survivorship, &list);
    }
    for (size_t i = 0; i < golden->count; i++) {
        if (slice_is(golden->keys[i]->text, "source_rank"))
            read_ranks(survivorship, golden->values[i], problems);
        else if (!slice_is(golden->keys[i]->text, "default"))
            read_key(survivorship, golden->keys[i], golden->values[i], problems);
    }
}

static uint64_t fingerprint(const struct survivorship *survivorship)
{
    uint64_t hash = SURVIVE_VERSION;
    for (size_t i = 0; i < survivorship->schema->count; i++) {
        const struct field *field = &survivorship->schema->fields[i];
        const struct preference_list *list = &survivorship->lists[i];
        hash = slice_hash(slice_str(field->name), hash);
        hash = slice_hash(slice_str(field->group), hash + field->multiple);
        for (size_t k = 0; k < list->count; k++)
            hash = slice_hash(slice_str(words[list->order[k]]), hash);
    }
    for (size_t i = 0; i < survivorship->rank_count; i++)
        hash = slice_hash(survivorship->ranks[i], hash);
    return hash;
}

static void find_groups(struct survivorship *survivorship)
{
    const struct schema *schema = survivorship->schema;
    for (size_t i = 0; i < schema->count; i++) {
        survivorship->group_of[i] = FIELD_NONE;
        if (schema->fields[i].group[0] == '\0' || schema->fields[i].multiple)
            continue;
        for (size_t k = 0; k <= i && survivorship->group_of[i] == FIELD_NONE; k++)
            if (!schema->fields[k].multiple &&
                strcmp(schema->fields[k].group, schema->fields[i].group) == 0)
                survivorship->group_of[i] = (uint16_t)k;
    }
}

struct survivorship *survivorship_new(const struct schema *schema, const struct yaml_node *golden,
                                      struct problems *problems)
{
    struct survivorship *survivorship = calloc(1, sizeof(*survivorship));
    size_t before = problems->count + problems->dropped;
    if (survivorship) {
        survivorship->schema = schema;
        survivorship->arena = arena_new(SURVIVE_ARENA_BYTES);
    }
    if (survivorship && survivorship->arena) {
        survivorship->lists =
            ARENA_ARRAY(survivorship->arena, struct preference_list, schema->count);
        survivorship->group_of = ARENA_ARRAY(survivorship->arena, uint16_t, schema->count);
    }
    if (survivorship == NULL || survivorship->arena == NULL || arena_failed(survivorship->arena)) {
        problems_add(problems, NULL, "out of memory while reading golden:");
        survivorship_free(&survivorship);
        return NULL;
    }
    for (size_t i = 0; i < schema->count; i++)
        survivorship->lists[i] = *default_list(schema->fields[i].group);
    find_groups(survivorship);
    if (golden && !golden->is_null)
        read_golden(survivorship, golden, problems);
    survivorship->fingerprint = fingerprint(survivorship);
    if (arena_failed(survivorship->arena))
        problems_add(problems, golden, "golden: is too long");
    if (problems->count + problems->dropped != before)
        survivorship_free(&survivorship);
    return survivorship;
}

void survivorship_free(struct survivorship **survivorship)
{
    if (*survivorship == NULL)
        return;
    arena_free(&(*survivorship)->arena);
    free(*survivorship);
    *survivorship = NULL;
}

uint64_t survivorship_fingerprint(const struct survivorship *survivorship)
{
    return survivorship->fingerprint;
}

unsigned survivorship_source_rank(const struct survivorship *survivorship, const char *source)
{
    for (size_t i = 0; i < survivorship->rank_count; i++)
        if (slice_is(survivorship->ranks[i], source))
            return (unsigned)i;
    return (unsigned)survivorship->rank_count;
}
