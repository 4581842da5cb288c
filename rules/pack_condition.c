/* pack_condition.c - compiles a rule's `when:`. See pack.h and docs/rules.md. */
#include "rules/pack.h"

static const char *const keys[] = {
    "all",     "any",     "not",         "source", "kind",    "part",
    "test",    "present", "present_any", "absent", "usable",  "unusable",
    "matches", "equals",  "usable_any",  "in",     "flagged", "issue",
};

bool pack_subject(struct compiler *compiler, const struct yaml_node *node, struct subject *subject)
{
    static const struct slice prefix = {"extra.", 6};
    if (node->kind == YAML_SCALAR && slice_starts(node->text, prefix)) {
        char folded[FOLDED_MAX];
        struct slice key = fold_heading(slice_sub(node->text, prefix.len, node->text.len), folded);
        if (key.ptr == NULL || key.len == 0) {
            problems_add(compiler->problems, node, "`extra.` wants a column heading after it");
            return false;
        }
        subject->field = FIELD_NONE;
        subject->extra_key = arena_dup(compiler->ruleset->arena, key);
        return true;
    }
    subject->extra_key = (struct slice){NULL, 0};
    subject->field = pack_field(compiler, node);
    return subject->field != FIELD_NONE;
}

static bool compile_subjects(struct compiler *compiler, const struct yaml_node *node,
                             struct condition *condition)
{
    size_t count;
    struct yaml_node *const *nodes;
    if (!pack_scalars(compiler, node, &count, &nodes))
        return false;
    condition->subjects = ARENA_ARRAY(compiler->ruleset->arena, struct subject, count);
    if (condition->subjects == NULL)
        return false;
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok &= pack_subject(compiler, nodes[i], &condition->subjects[i]);
    condition->subject_count = count;
    return ok;
}

static bool compile_texts(struct compiler *compiler, const struct yaml_node *node,
                          struct condition *condition)
{
    size_t count;
    struct yaml_node *const *nodes;
    if (!pack_scalars(compiler, node, &count, &nodes))
        return false;
    condition->texts = ARENA_ARRAY(compiler->ruleset->arena, struct slice, count);
    if (condition->texts == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        condition->texts[i] = nodes[i]->text;
    condition->text_count = count;
    return true;
}

/* One `field: test` pair of matches, equals, in, flagged. */
static bool compile_test(struct compiler *compiler, enum condition_kind kind, bool is_equals,
                         const struct yaml_node *name, const struct yaml_node *value,
                         struct condition *condition)
{
    struct arena *arena = compiler->ruleset->arena;
    condition->kind = kind;
    condition->subject_count = 1;
    condition->subjects = ARENA_NEW(arena, struct subject);
    if (condition->subjects == NULL || !pack_subject(compiler, name, condition->subjects))
        return false;
    if (kind == CONDITION_MATCHES)
        return (condition->pattern = pack_pattern(compiler, value)) != NULL;
    if (kind == CONDITION_FLAGGED)
        return pack_flags(compiler, value, &condition->flags);
    if (!is_equals && value->kind == YAML_SCALAR)
        return (condition->list = pack_table(compiler, value)) != NULL;
    struct lookup *list = ARENA_NEW(arena, struct lookup);
    condition->list = list;
    return list != NULL && pack_value_list(compiler, value, list);
}

static bool compile_tests(struct compiler *compiler, enum condition_kind kind, bool is_equals,
                          const struct yaml_node *map, struct condition *condition)
{
    if (map->kind != YAML_MAP || map->count == 0) {
        problems_add(compiler->problems, map, "wants `field: ...` pairs");
        return false;
    }
    condition->kind = CONDITION_ALL;
    condition->children = ARENA_ARRAY(compiler->ruleset->arena, struct condition, map->count);
    if (condition->children == NULL)
        return false;
    condition->child_count = map->count;
    bool ok = true;
    for (size_t i = 0; i < map->count; i++)
        ok &= compile_test(compiler, kind, is_equals, map->keys[i], map->values[i],
                           &condition->children[i]);
    return ok;
}

/* all, any: a list of maps; not: a map or a list. */
static bool compile_group(struct compiler *compiler, enum condition_kind kind,
                          const struct yaml_node *node, int depth, struct condition *condition)
{
    condition->kind = kind;
    bool is_list = node->kind == YAML_LIST;
    size_t count = is_list ? node->count : 1;
    if ((!is_list && kind != CONDITION_NONE) || count == 0) {
        problems_add(compiler->problems, node, "wants a list of conditions");
        return false;
    }
    condition->children = ARENA_ARRAY(compiler->ruleset->arena, struct condition, count);
    if (condition->children == NULL)
        return false;
    condition->child_count = count;
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok &= pack_condition(compiler, is_list ? node->values[i] : node, depth + 1,
                             &condition->children[i]);
    return ok;
}

static const struct {
    const char *key;
    enum condition_kind kind;
} subject_keys[] = {
    {"present", CONDITION_PRESENT},   {"present_any", CONDITION_PRESENT_ANY},
    {"absent", CONDITION_ABSENT},     {"usable", CONDITION_USABLE},
    {"unusable", CONDITION_UNUSABLE}, {"usable_any", CONDITION_USABLE_ANY},
};

static const struct {
    const char *key;
    enum condition_kind kind;
} text_keys[] = {
    {"source", CONDITION_SOURCE}, {"part", CONDITION_PART}, {"issue", CONDITION_ISSUE}};

static bool compile_key(struct compiler *compiler, struct slice key, const struct yaml_node *value,
                        int depth, struct condition *condition)
{
    for (size_t i = 0; i < sizeof(subject_keys) / sizeof(subject_keys[0]); i++) {
        if (slice_is(key, subject_keys[i].key)) {
            condition->kind = subject_keys[i].kind;
            return compile_subjects(compiler, value, condition);
        }
    }
    for (size_t i = 0; i < sizeof(text_keys) / sizeof(text_keys[0]); i++) {
        if (slice_is(key, text_keys[i].key)) {
            condition->kind = text_keys[i].kind;
            return compile_texts(compiler, value, condition);
        }
    }
    if (slice_is(key, "matches"))
        return compile_tests(compiler, CONDITION_MATCHES, false, value, condition);
    if (slice_is(key, "equals"))
        return compile_tests(compiler, CONDITION_IN, true, value, condition);
    if (slice_is(key, "in"))
        return compile_tests(compiler, CONDITION_IN, false, value, condition);
    if (slice_is(key, "flagged"))
        return compile_tests(compiler, CONDITION_FLAGGED, false, value, condition);
    if (slice_is(key, "all"))
        return compile_group(compiler, CONDITION_ALL, value, depth, condition);
    if (slice_is(key, "any"))
        return compile_group(compiler, CONDITION_ANY, value, depth, condition);
    if (slice_is(key, "not"))
        return compile_group(compiler, CONDITION_NONE, value, depth, condition);
    if (slice_is(key, "kind")) {
        condition->kind = CONDITION_KIND;
        return pack_kind(compiler, value, &condition->record_kind);
    }
    condition->kind = CONDITION_TEST;
    return pack_bool(compiler, value, &condition->truth);
}

bool pack_condition(struct compiler *compiler, const struct yaml_node *node, int depth,
                    struct condition *condition)
{
    *condition = (struct condition){.kind = CONDITION_ALL};
    if (node->kind != YAML_MAP || node->count == 0) {
        problems_add(compiler->problems, node, "a condition is a map such as `{absent: email}`");
        return false;
    }
    if (depth > PACK_CONDITION_DEPTH) {
        problems_add(compiler->problems, node, "conditions are nested more than %d deep",
                     PACK_CONDITION_DEPTH);
        return false;
    }
    size_t before = compiler->problems->count + compiler->problems->dropped;
    pack_check_keys(compiler, node, "condition", keys, sizeof(keys) / sizeof(keys[0]));
    if (compiler->problems->count + compiler->problems->dropped != before)
        return false;
    condition->children = ARENA_ARRAY(compiler->ruleset->arena, struct condition, node->count);
    if (condition->children == NULL)
        return false;
    condition->child_count = node->count;
    bool ok = true;
    for (size_t i = 0; i < node->count; i++)
        ok &= compile_key(compiler, node->keys[i]->text, node->values[i], depth,
                          &condition->children[i]);
    return ok;
}
