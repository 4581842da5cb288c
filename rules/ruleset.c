/* ruleset.c - puts packs and users' fields together into one generation. See ruleset.h, pack.h. */
#include "rules/pack.h"

#include "rules/schema_build.h"

#include <stdlib.h>

#define CLEANING_VERSION 2 /* raised when the code cleans differently with the same packs */

static const char *const pack_keys[] = {"pack",   "note",   "fields", "ignore_columns",
                                        "tables", "nobody", "rules",  "tests"};

static uint64_t hash_node(const struct yaml_node *node, uint64_t seed)
{
    if (node == NULL)
        return slice_hash(SLICE("-"), seed);
    uint64_t shape[2] = {(uint64_t)node->kind, node->count};
    seed = slice_hash(slice_of((const char *)shape, sizeof(shape)), seed);
    if (node->kind == YAML_SCALAR)
        return slice_hash(node->text, seed);
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == YAML_MAP)
            seed = slice_hash(node->keys[i]->text, seed);
        seed = hash_node(node->values[i], seed);
    }
    return seed;
}

/* What decides the cleaning; tests and notes may change without a new generation. */
static uint64_t hash_pack(const struct yaml_node *pack, uint64_t seed)
{
    for (size_t i = 2; i < 7; i++)
        seed = hash_node(yaml_get(pack, pack_keys[i]), seed);
    return seed;
}

static size_t count_of(const struct yaml_node *node)
{
    return node ? node->count : 0;
}

/* canonical: [aliases], or a plain list of words. */
static bool add_table(struct compiler *compiler, const struct yaml_node *name,
                      const struct yaml_node *node)
{
    struct arena *arena = compiler->ruleset->arena;
    struct table *table = &compiler->tables[compiler->table_count++];
    *table = (struct table){.name = name->text};
    if (node->kind != YAML_MAP)
        return pack_value_list(compiler, node, &table->list);
    size_t total = node->count;
    for (size_t i = 0; i < node->count; i++)
        total += node->values[i]->kind == YAML_LIST ? node->values[i]->count : 1;
    if (!lookup_init(&table->list, total, arena))
        return false;
    bool ok = true;
    for (size_t i = 0; i < node->count; i++) {
        size_t count = 0;
        struct yaml_node *const *nodes = NULL;
        char folded[FOLDED_MAX];
        struct slice canonical = node->keys[i]->text, key = fold_value(canonical, folded);
        if (key.ptr)
            lookup_add(&table->list, arena_dup(arena, key), canonical, 0);
        ok &= pack_scalars(compiler, node->values[i], &count, &nodes);
        for (size_t k = 0; k < count; k++) {
            key = fold_value(nodes[k]->text, folded);
            if (key.ptr == NULL || key.len == 0)
                continue;
            const struct lookup_entry *other =
                lookup_add(&table->list, arena_dup(arena, key), canonical, 0);
            if (other && !slice_eq(other->text, canonical)) {
                problems_add(compiler->problems, nodes[k],
                             "\"" SLICE_FMT "\" already stands for \"" SLICE_FMT "\"",
                             SLICE_ARG(nodes[k]->text), SLICE_ARG(other->text));
                ok = false;
            }
        }
    }
    return ok;
}

static void add_tables(struct compiler *compiler, struct yaml_node *const *packs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        compiler->table_capacity += count_of(yaml_get(packs[i], "tables"));
    compiler->tables =
        ARENA_ARRAY(compiler->ruleset->arena, struct table, compiler->table_capacity);
    for (size_t i = 0; i < count && compiler->tables; i++) {
        const struct yaml_node *tables = yaml_get(packs[i], "tables");
        if (tables && tables->kind != YAML_MAP) {
            problems_add(compiler->problems, tables, "tables wants `name: table` pairs");
            continue;
        }
        for (size_t k = 0; k < count_of(tables); k++)
            add_table(compiler, tables->keys[k], tables->values[k]);
    }
}

/* field: [values], or {values: [...], patterns: [...]}. */
static void add_nobody(struct compiler *compiler, const struct yaml_node *name,
                       const struct yaml_node *node)
{
    static const char *const keys[] = {"values", "patterns"};
    struct ruleset *ruleset = compiler->ruleset;
    uint16_t field = pack_field(compiler, name);
    if (field == FIELD_NONE)
        return;
    struct nobody *nobody = ARENA_NEW(ruleset->arena, struct nobody);
    if (nobody == NULL)
        return;
    const struct yaml_node *values = node, *patterns = NULL;
    if (node->kind == YAML_MAP) {
        pack_check_keys(compiler, node, "key", keys, 2);
        values = yaml_get(node, "values");
        patterns = yaml_get(node, "patterns");
    }
    if (values)
        pack_value_list(compiler, values, &nobody->list);
    size_t count = 0;
    struct yaml_node *const *nodes = NULL;
    if (patterns && pack_scalars(compiler, patterns, &count, &nodes)) {
        nobody->patterns = ARENA_ARRAY(ruleset->arena, const struct pattern *, count);
        for (size_t i = 0; i < count && nobody->patterns; i++)
            nobody->patterns[nobody->pattern_count++] = pack_pattern(compiler, nodes[i]);
    }
    ruleset->nobody[field] = nobody;
}

static void add_all_nobody(struct compiler *compiler, const struct yaml_node *pack)
{
    const struct yaml_node *nobody = yaml_get(pack, "nobody");
    if (nobody && nobody->kind != YAML_MAP)
        problems_add(compiler->problems, nobody, "nobody wants `field: [values]` pairs");
    else
        for (size_t i = 0; i < count_of(nobody); i++)
            add_nobody(compiler, nobody->keys[i], nobody->values[i]);
}

/* A rule takes the place of an earlier pack's rule of the same id. */
static struct rule *place_for(struct compiler *compiler, const struct yaml_node *id,
                              size_t pack_start)
{
    struct ruleset *ruleset = compiler->ruleset;
    for (size_t i = 0; i < ruleset->rule_count; i++) {
        if (!slice_is(id->text, ruleset->rules[i].id))
            continue;
        if (i < pack_start)
            return &ruleset->rules[i];
        problems_add(compiler->problems, id, "a second rule with the id \"" SLICE_FMT "\"",
                     SLICE_ARG(id->text));
        return NULL;
    }
    if (ruleset->rule_count == PACK_RULES_MAX) {
        problems_add(compiler->problems, id, "more than %d rules", PACK_RULES_MAX);
        return NULL;
    }
    return &ruleset->rules[ruleset->rule_count++];
}

static void add_rules(struct compiler *compiler, const struct yaml_node *pack)
{
    const struct yaml_node *rules = yaml_get(pack, "rules");
    size_t pack_start = compiler->ruleset->rule_count;
    if (rules && rules->kind != YAML_LIST) {
        problems_add(compiler->problems, rules, "rules wants a list");
        return;
    }
    for (size_t i = 0; i < count_of(rules); i++) {
        const struct yaml_node *node = rules->values[i], *id = yaml_get(node, "id");
        if (id == NULL || id->kind != YAML_SCALAR || id->text.len == 0) {
            problems_add(compiler->problems, node, "a rule wants an `id:`");
            continue;
        }
        struct rule *place = place_for(compiler, id, pack_start);
        if (place == NULL)
            continue;
        struct rule rule = {.id = arena_str(compiler->ruleset->arena, id->text)};
        if (pack_rule(compiler, node, &rule))
            *place = rule;
        else
            *place = (struct rule){.id = rule.id, .off = true};
    }
}

static void add_tests(struct compiler *compiler, const struct yaml_node *pack)
{
    static const char *const keys[] = {"name", "given", "source", "expect"};
    struct ruleset *ruleset = compiler->ruleset;
    const struct yaml_node *tests = yaml_get(pack, "tests");
    if (tests && tests->kind != YAML_LIST) {
        problems_add(compiler->problems, tests, "tests wants a list");
        return;
    }
    for (size_t i = 0; i < count_of(tests); i++) {
        const struct yaml_node *node = tests->values[i];
        pack_check_keys(compiler, node, "test key", keys, 4);
        const struct yaml_node *given = yaml_get(node, "given"), *expect = yaml_get(node, "expect");
        if (given == NULL || given->kind != YAML_MAP || expect == NULL ||
            expect->kind != YAML_MAP) {
            problems_add(compiler->problems, node,
                         "a test wants `given: {column: value}` and `expect: {field: value}`");
            continue;
        }
        ruleset->tests[ruleset->test_count++] =
            (struct pack_test){.node = node,
                               .name = yaml_text(node, "name", SLICE_EMPTY),
                               .given = given,
                               .source = yaml_get(node, "source"),
                               .expect = expect};
    }
}

static void find_known(struct ruleset *ruleset)
{
    const struct {
        const char *name;
        uint16_t *id;
    } known[] = {
        {"full_name", &ruleset->known.full_name},
        {"given_name", &ruleset->known.given_name},
        {"family_name", &ruleset->known.family_name},
        {"name_title", &ruleset->known.name_title},
        {"name_suffix", &ruleset->known.name_suffix},
        {"name_note", &ruleset->known.name_note},
        {"email", &ruleset->known.email},
        {"phone", &ruleset->known.phone},
        {"address_line", &ruleset->known.address_line},
        {"district", &ruleset->known.district},
        {"city", &ruleset->known.city},
        {"province", &ruleset->known.province},
        {"postal_code", &ruleset->known.postal_code},
        {"country", &ruleset->known.country},
        {"birth_date", &ruleset->known.birth_date},
        {"gender", &ruleset->known.gender},
        {"national_id", &ruleset->known.national_id},
        {"tags", &ruleset->known.tags},
        {"company", &ruleset->known.company},
        {"credit_code", &ruleset->known.credit_code},
        {"industry", &ruleset->known.industry},
        {"website", &ruleset->known.website},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const struct field *field = schema_find(&ruleset->schema, known[i].name);
        *known[i].id = field ? field->id : FIELD_NONE;
    }
}

static bool make_room(struct ruleset *ruleset, struct yaml_node *const *packs, size_t count)
{
    size_t rules = 0, tests = 0;
    for (size_t i = 0; i < count; i++) {
        rules += count_of(yaml_get(packs[i], "rules"));
        tests += count_of(yaml_get(packs[i], "tests"));
    }
    ruleset->rules = ARENA_ARRAY(ruleset->arena, struct rule, rules);
    ruleset->tests = ARENA_ARRAY(ruleset->arena, struct pack_test, tests);
    ruleset->fields = ARENA_ARRAY(ruleset->arena, struct field, FIELDS_MAX);
    ruleset->nobody = ARENA_ARRAY(ruleset->arena, struct nobody *, FIELDS_MAX);
    ruleset->schema.fields = ruleset->fields;
    return !arena_failed(ruleset->arena);
}

static void compile(struct ruleset *ruleset, struct yaml_node *const *packs,
                    const char *const *names, size_t count, const struct yaml_node *user_fields,
                    struct problems *problems)
{
    struct compiler compiler = {.ruleset = ruleset, .problems = problems};
    if (!make_room(ruleset, packs, count))
        return;
    ruleset->fingerprint = CLEANING_VERSION;
    for (size_t i = 0; i < count; i++) {
        pack_check_keys(&compiler, packs[i], "pack key", pack_keys,
                        sizeof(pack_keys) / sizeof(pack_keys[0]));
        ruleset->fingerprint = hash_pack(packs[i], ruleset->fingerprint);
    }
    ruleset->fingerprint = hash_node(user_fields, ruleset->fingerprint);
    schema_build(&compiler, packs, names, count, user_fields);
    find_known(ruleset);
    add_tables(&compiler, packs, count);
    bool changed = false; /* by packs of the user's own */
    for (size_t i = 0; i < count; i++)
        changed |= !pack_is_shipped(names[i]);
    for (size_t i = 0; i < count; i++) {
        add_all_nobody(&compiler, packs[i]);
        add_rules(&compiler, packs[i]);
        if (!changed || !pack_is_shipped(names[i]))
            add_tests(&compiler, packs[i]);
    }
}

struct ruleset *ruleset_new(const struct pack_text *packs, size_t pack_count,
                            const struct yaml_node *user_fields, struct problems *problems)
{
    struct ruleset *ruleset = calloc(1, sizeof(*ruleset));
    if (ruleset)
        ruleset->arena = arena_new(PACK_ARENA_MAX_BYTES);
    if (ruleset == NULL || ruleset->arena == NULL) {
        problems_add(problems, NULL, "out of memory while reading the rules");
        ruleset_free(&ruleset);
        return NULL;
    }
    size_t before = problems->count + problems->dropped;
    struct yaml_node **nodes = ARENA_ARRAY(ruleset->arena, struct yaml_node *, pack_count);
    const char **names = ARENA_ARRAY(ruleset->arena, const char *, pack_count);
    size_t count = 0;
    for (size_t i = 0; i < pack_count && nodes && names; i++) {
        nodes[count] = yaml_parse(ruleset->arena, packs[i].name, packs[i].text, problems);
        names[count] = packs[i].name;
        count += nodes[count] != NULL;
    }
    if (nodes && names)
        compile(ruleset, nodes, names, count, user_fields, problems);
    if (arena_failed(ruleset->arena))
        problems_add(problems, NULL, "the rules need more than %zu MB of memory",
                     PACK_ARENA_MAX_BYTES >> 20);
    if (problems->count + problems->dropped != before)
        ruleset_free(&ruleset);
    return ruleset;
}

void ruleset_free(struct ruleset **ruleset)
{
    if (*ruleset == NULL)
        return;
    for (struct pattern *pattern = (*ruleset)->patterns; pattern; pattern = pattern->next)
        pcre2_code_free(pattern->code);
    arena_free(&(*ruleset)->arena);
    free(*ruleset);
    *ruleset = NULL;
}

const struct schema *ruleset_schema(const struct ruleset *ruleset)
{
    return &ruleset->schema;
}

uint64_t ruleset_fingerprint(const struct ruleset *ruleset)
{
    return ruleset->fingerprint;
}

const struct field *ruleset_alias(const struct ruleset *ruleset, struct slice name)
{
    const struct alias *alias = alias_find(ruleset, name);
    return alias && alias->role == COLUMN_VALUE ? &ruleset->fields[alias->field] : NULL;
}
