/* mapping.c - which column is which field, remembered per set of columns and source. */
#include "rules/cleaner.h"

#include "rules/schema_build.h"

#include <stdlib.h>

#define MAPPING_MAX_BYTES    ((size_t)16 << 20)
#define MAPPING_EXPLICIT_MAX 1024 /* further ones stay extras */

/* Where a column goes, while the mapping is made. */
struct column_plan {
    struct slice key; /* folded heading; ptr NULL when it is too long */
    bool used;
};

static uint64_t hash_source(const struct source_rules *source)
{
    uint64_t hash = source->map_count;
    for (size_t i = 0; i < source->map_count; i++) {
        hash = slice_hash(source->map[i].field, hash);
        for (size_t k = 0; k < source->map[i].column_count; k++)
            hash = slice_hash(source->map[i].columns[k], hash);
    }
    return hash;
}

static bool is_same(const struct mapping *mapping, const struct columns *columns, uint64_t source)
{
    if (mapping->columns_id != columns->id || mapping->source_hash != source ||
        mapping->column_count != columns->count)
        return false;
    size_t count = columns->count < MAPPING_COLUMNS_MAX ? columns->count : MAPPING_COLUMNS_MAX;
    for (size_t i = 0; i < count; i++) /* ids are hashes, and headings of a form are anybody's */
        if (!slice_eq(mapping->names[i], columns->names[i]))
            return false;
    return true;
}

static uint16_t map_field(const struct ruleset *ruleset, struct slice name)
{
    for (size_t i = 0; i < ruleset->schema.count; i++)
        if (slice_is(name, ruleset->fields[i].name))
            return (uint16_t)i;
    const struct alias *alias = alias_find(ruleset, name);
    return alias ? alias->field : FIELD_NONE;
}

static bool is_ignore(struct slice name)
{
    return slice_is(name, "-") || slice_is(name, "ignore");
}

static bool names_column(struct slice written, const struct column_plan *plan, struct slice name)
{
    if (slice_eq(written, name))
        return true;
    char folded[FOLDED_MAX];
    struct slice key = fold_heading(written, folded);
    return key.len > 0 && plan->key.ptr && slice_eq(key, plan->key);
}

/* Targets that the configuration names; `explicit_fields` then take no headings by alias. */
static void add_explicit(const struct ruleset *ruleset, const struct source_rules *source,
                         size_t count, struct mapping *mapping, struct column_plan *plans,
                         bool explicit_fields[FIELDS_MAX])
{
    for (size_t i = 0; i < source->map_count; i++) {
        const struct source_map *map = &source->map[i];
        bool ignore = is_ignore(map->field);
        uint16_t field = ignore ? FIELD_NONE : map_field(ruleset, map->field);
        if (field == FIELD_NONE && !ignore)
            continue;
        if (!ignore)
            explicit_fields[field] = true;
        for (size_t k = 0; k < map->column_count; k++) {
            for (size_t c = 0; c < count; c++) {
                if (!names_column(map->columns[k], &plans[c], mapping->names[c]))
                    continue;
                if (!ignore && mapping->target_count == MAPPING_EXPLICIT_MAX)
                    return;
                plans[c].used = true;
                if (!ignore)
                    mapping->targets[mapping->target_count++] =
                        (struct column_target){(uint16_t)c, field, (uint16_t)k, COLUMN_VALUE};
            }
        }
    }
}

static int compare_targets(const void *a, const void *b)
{
    const struct column_target *x = a, *y = b;
    if (x->field != y->field)
        return x->field < y->field ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column;
}

static int compare_extras(const void *a, const void *b, void *names)
{
    const struct extra_column *x = a, *y = b;
    const struct slice *list = names;
    int order = slice_cmp(list[x->column], list[y->column]);
    return order ? order : x->column < y->column ? -1 : x->column > y->column;
}

static void fill(const struct ruleset *ruleset, const struct source_rules *source, size_t count,
                 struct mapping *mapping, struct column_plan *plans)
{
    bool explicit_fields[FIELDS_MAX] = {false};
    for (size_t c = 0; c < count; c++) {
        char folded[FOLDED_MAX];
        struct slice key = fold_heading(mapping->names[c], folded);
        plans[c].key = key.ptr ? arena_dup(mapping->arena, key) : key;
    }
    add_explicit(ruleset, source, count, mapping, plans, explicit_fields);
    for (size_t c = 0; c < count; c++) {
        if (plans[c].used)
            continue;
        const struct alias *alias = alias_find(ruleset, mapping->names[c]);
        if (alias && !explicit_fields[alias->field]) {
            mapping->targets[mapping->target_count++] =
                (struct column_target){(uint16_t)c, alias->field, alias->order, alias->role};
        } else if (lookup_find(&ruleset->ignored, plans[c].key) == NULL) {
            mapping->extras[mapping->extra_count++] =
                (struct extra_column){(uint16_t)c, plans[c].key};
        }
    }
    qsort(mapping->targets, mapping->target_count, sizeof(mapping->targets[0]), compare_targets);
    qsort_r(mapping->extras, mapping->extra_count, sizeof(mapping->extras[0]), compare_extras,
            mapping->names);
}

static struct mapping *mapping_new(const struct ruleset *ruleset, const struct source_rules *source,
                                   const struct columns *columns, uint64_t source_hash)
{
    struct arena *arena = arena_new(MAPPING_MAX_BYTES);
    struct mapping *mapping = arena ? ARENA_NEW(arena, struct mapping) : NULL;
    if (mapping == NULL) {
        arena_free(&arena);
        return NULL;
    }
    size_t count = columns->count < MAPPING_COLUMNS_MAX ? columns->count : MAPPING_COLUMNS_MAX;
    *mapping = (struct mapping){.arena = arena,
                                .columns_id = columns->id,
                                .source_hash = source_hash,
                                .column_count = columns->count,
                                .names = ARENA_ARRAY(arena, struct slice, count),
                                .extras = ARENA_ARRAY(arena, struct extra_column, count)};
    /* Explicit maps may name a column more than once. */
    mapping->targets = ARENA_ARRAY(arena, struct column_target, count + MAPPING_EXPLICIT_MAX);
    struct column_plan *plans = ARENA_ARRAY(arena, struct column_plan, count);
    for (size_t c = 0; c < count && !arena_failed(arena); c++)
        mapping->names[c] = arena_dup(arena, columns->names[c]);
    if (!arena_failed(arena))
        fill(ruleset, source, count, mapping, plans);
    if (arena_failed(arena))
        mapping_free(&mapping);
    return mapping;
}

void mapping_free(struct mapping **mapping)
{
    if (*mapping == NULL)
        return;
    struct arena *arena = (*mapping)->arena;
    *mapping = NULL;
    arena_free(&arena);
}

const struct mapping *mapping_of(struct cleaner *cleaner, const struct source_rules *source,
                                 const struct columns *columns)
{
    uint64_t source_hash = hash_source(source);
    uint64_t key = columns->id ^ (source_hash * 0x9e3779b97f4a7c15u);
    struct mapping **slot = &cleaner->mappings[(key ^ key >> 32) % MAPPING_SLOTS];
    if (*slot && is_same(*slot, columns, source_hash))
        return *slot;
    mapping_free(slot);
    *slot = mapping_new(cleaner->ruleset, source, columns, source_hash);
    return *slot;
}
