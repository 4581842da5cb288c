/* pack_parts.c - the small parts packs are written in: names, lists, patterns, flags. See pack.h.
 */
#include "rules/pack.h"

void pack_check_keys(struct compiler *compiler, const struct yaml_node *map, const char *what,
                     const char *const *keys, size_t count)
{
    if (map->kind != YAML_MAP) {
        problems_add(compiler->problems, map, "wants a map of `key: value`");
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        struct slice key = map->keys[i]->text;
        bool known = false;
        for (size_t k = 0; k < count && !known; k++)
            known = slice_is(key, keys[k]);
        if (known)
            continue;
        const char *near = nearest_word(key, keys, count);
        problems_add(compiler->problems, map->keys[i], "unknown %s \"" SLICE_FMT "\"%s%s", what,
                     SLICE_ARG(key), near ? "; hint: " : "", near ? near : "");
    }
}

uint16_t pack_field(struct compiler *compiler, const struct yaml_node *node)
{
    const struct ruleset *ruleset = compiler->ruleset;
    if (node->kind != YAML_SCALAR) {
        problems_add(compiler->problems, node, "wants the name of a field");
        return FIELD_NONE;
    }
    const char *names[FIELDS_MAX];
    for (size_t i = 0; i < ruleset->schema.count; i++) {
        names[i] = ruleset->fields[i].name;
        if (slice_is(node->text, names[i]))
            return (uint16_t)i;
    }
    const char *near = nearest_word(node->text, names, ruleset->schema.count);
    problems_add(compiler->problems, node, "unknown field \"" SLICE_FMT "\"%s%s",
                 SLICE_ARG(node->text), near ? "; hint: " : "", near ? near : "");
    return FIELD_NONE;
}

const struct pattern *pack_pattern(struct compiler *compiler, const struct yaml_node *node)
{
    struct ruleset *ruleset = compiler->ruleset;
    if (node->kind != YAML_SCALAR || node->text.len == 0 || node->text.len > PACK_PATTERN_MAX) {
        problems_add(compiler->problems, node, "wants a regular expression of 1 to %d bytes",
                     PACK_PATTERN_MAX);
        return NULL;
    }
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)node->text.ptr, node->text.len,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY,
                      &error, &offset, NULL);
    if (code == NULL) {
        char text[160];
        pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof(text));
        problems_add(compiler->problems, node, "pattern: %s, at byte %zu of it", text,
                     (size_t)offset);
        return NULL;
    }
    struct pattern *pattern = ARENA_NEW(ruleset->arena, struct pattern);
    if (pattern == NULL) {
        pcre2_code_free(code);
        return NULL;
    }
    /* Without JIT (a machine that forbids it) the interpreter does the same, slower. */
    (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    uint32_t captures = 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &captures);
    if (captures > ruleset->capture_max)
        ruleset->capture_max = captures;
    *pattern = (struct pattern){ruleset->patterns, code};
    ruleset->patterns = pattern;
    return pattern;
}

bool pack_scalars(struct compiler *compiler, const struct yaml_node *node, size_t *count,
                  struct yaml_node *const **nodes)
{
    *count = 0;
    if (node->kind == YAML_SCALAR) {
        struct yaml_node **one = ARENA_NEW(compiler->ruleset->arena, struct yaml_node *);
        if (one == NULL)
            return false;
        *one = (struct yaml_node *)(uintptr_t)node;
        *nodes = one;
        *count = 1;
        return true;
    }
    if (node->kind == YAML_MAP || node->count == 0) {
        problems_add(compiler->problems, node, "wants a value or a list of values");
        return false;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->values[i]->kind == YAML_SCALAR)
            continue;
        problems_add(compiler->problems, node->values[i], "wants a plain value");
        return false;
    }
    *nodes = node->values;
    *count = node->count;
    return true;
}

bool pack_value_list(struct compiler *compiler, const struct yaml_node *node, struct lookup *list)
{
    size_t count;
    struct yaml_node *const *nodes;
    if (!pack_scalars(compiler, node, &count, &nodes) ||
        !lookup_init(list, count, compiler->ruleset->arena))
        return false;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        char folded[FOLDED_MAX];
        struct slice key = fold_value(nodes[i]->text, folded);
        if (key.ptr == NULL) {
            problems_add(compiler->problems, nodes[i], "longer than %d bytes", FOLDED_MAX);
            ok = false;
            continue;
        }
        lookup_add(list, arena_dup(compiler->ruleset->arena, key), nodes[i]->text, 0);
    }
    return ok;
}

const struct lookup *pack_table(struct compiler *compiler, const struct yaml_node *name)
{
    const char *names[200];
    size_t count = 0;
    for (size_t i = compiler->table_count; name->kind == YAML_SCALAR && i-- > 0;) {
        if (slice_eq(compiler->tables[i].name, name->text))
            return &compiler->tables[i].list;
        if (count < 200)
            names[count++] = arena_str(compiler->ruleset->arena, compiler->tables[i].name);
    }
    const char *near = nearest_word(name->text, names, count);
    problems_add(compiler->problems, name, "unknown table \"" SLICE_FMT "\"%s%s",
                 SLICE_ARG(name->text), near ? "; hint: " : "", near ? near : "");
    return NULL;
}

bool pack_flags(struct compiler *compiler, const struct yaml_node *node, uint16_t *flags)
{
    static const char *const words[] = {"masked",    "nobody",  "virtual",
                                        "encrypted", "invalid", "derived"};
    size_t count;
    struct yaml_node *const *nodes;
    if (!pack_scalars(compiler, node, &count, &nodes))
        return false;
    *flags = 0;
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (unsigned k = 0; k < 6; k++) {
            if (slice_is(nodes[i]->text, words[k])) {
                *flags |= (uint16_t)(1u << k);
                known = true;
            }
        }
        if (known)
            continue;
        const char *near = nearest_word(nodes[i]->text, words, 6);
        problems_add(compiler->problems, nodes[i], "unknown flag \"" SLICE_FMT "\"; hint: %s",
                     SLICE_ARG(nodes[i]->text),
                     near ? near : "masked, nobody, virtual, encrypted, invalid or derived");
        return false;
    }
    return true;
}

bool pack_bool(struct compiler *compiler, const struct yaml_node *node, bool *truth)
{
    *truth = slice_is(node->text, "true");
    if (node->kind == YAML_SCALAR && (*truth || slice_is(node->text, "false")))
        return true;
    problems_add(compiler->problems, node, "wants true or false");
    return false;
}

bool pack_kind(struct compiler *compiler, const struct yaml_node *node, enum record_kind *kind)
{
    *kind = slice_is(node->text, "company") ? KIND_COMPANY : KIND_PERSON;
    if (*kind == KIND_COMPANY || slice_is(node->text, "person"))
        return true;
    problems_add(compiler->problems, node, "kind is person or company");
    return false;
}
