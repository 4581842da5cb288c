/* pack.c - compiles one rule. See pack.h and docs/rules.md. */
#include "rules/pack.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum needs {
    NEEDS_FIELD = 1,    /* `field:` must be given */
    NEEDS_SEVERITY = 2, /* a check: `severity:` must be given */
    ANY_TEXT = 4,       /* may run before types clean */
};

static const struct {
    const char *key;
    unsigned needs;
    const char *code; /* of the issue, when the rule gives none */
} actions[ACTION_COUNT] = {
    [ACTION_REQUIRE] = {"require", NEEDS_SEVERITY, "required"},
    [ACTION_REQUIRE_ONE] = {"require_one", NEEDS_SEVERITY, "required_one"},
    [ACTION_PATTERN] = {"pattern", NEEDS_FIELD | NEEDS_SEVERITY | ANY_TEXT, "pattern"},
    [ACTION_LENGTH] = {"length", NEEDS_FIELD | NEEDS_SEVERITY | ANY_TEXT, "length"},
    [ACTION_ONE_OF] = {"one_of", NEEDS_FIELD | NEEDS_SEVERITY | ANY_TEXT, "one_of"},
    [ACTION_RANGE] = {"range", NEEDS_FIELD | NEEDS_SEVERITY, "range"},
    [ACTION_USABLE] = {"usable", NEEDS_FIELD | NEEDS_SEVERITY, "usable"},
    [ACTION_REPORT] = {"report", NEEDS_SEVERITY | ANY_TEXT, ""},
    [ACTION_SET] = {"set", NEEDS_FIELD | ANY_TEXT, ""},
    [ACTION_DEFAULT] = {"default", NEEDS_FIELD | ANY_TEXT, ""},
    [ACTION_COPY] = {"copy", NEEDS_FIELD | ANY_TEXT, ""},
    [ACTION_LOOKUP] = {"lookup", NEEDS_FIELD | ANY_TEXT, "lookup"},
    [ACTION_REPLACE] = {"replace", NEEDS_FIELD | ANY_TEXT, ""},
    [ACTION_DROP] = {"drop", NEEDS_FIELD | ANY_TEXT, ""},
    [ACTION_MARK] = {"mark", NEEDS_FIELD, ""},
    [ACTION_TAG] = {"tag", 0, ""},
    [ACTION_KIND] = {"kind", 0, ""},
    [ACTION_SUPPRESS] = {"suppress", 0, ""},
};

static const char *const plain_keys[] = {"id",    "note",     "when", "stage",
                                         "field", "severity", "code", "off"};
#define PLAIN_KEYS (sizeof(plain_keys) / sizeof(plain_keys[0]))

static bool compile_fields(struct compiler *compiler, const struct yaml_node *node,
                           struct rule *rule)
{
    size_t count;
    struct yaml_node *const *nodes;
    if (!pack_scalars(compiler, node, &count, &nodes))
        return false;
    rule->fields = ARENA_ARRAY(compiler->ruleset->arena, uint16_t, count);
    if (rule->fields == NULL)
        return false;
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        rule->fields[i] = pack_field(compiler, nodes[i]);
        ok &= rule->fields[i] != FIELD_NONE;
    }
    rule->field_count = count;
    return ok;
}

/* The names of the fields, for the issue: "email, phone". */
static struct slice names_of(struct compiler *compiler, const struct rule *rule)
{
    struct arena *arena = compiler->ruleset->arena;
    struct slice names = SLICE_EMPTY;
    for (size_t i = 0; i < rule->field_count && rule->fields[i] != FIELD_NONE; i++)
        names = arena_printf(arena, "%.*s%s%s", (int)names.len, names.ptr, i ? ", " : "",
                             compiler->ruleset->fields[rule->fields[i]].name);
    return names;
}

static bool read_number(struct slice text, double *number)
{
    char copy[64];
    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    char *end;
    *number = strtod(copy, &end);
    return *end == '\0' && isfinite(*number);
}

/* {min: ..., max: ...}: numbers for number, money and length; ISO dates for dates. */
static bool compile_bounds(struct compiler *compiler, const struct yaml_node *node,
                           struct rule *rule)
{
    static const char *const keys[] = {"min", "max"};
    const struct yaml_node *min = yaml_get(node, "min"), *max = yaml_get(node, "max");
    if (node->kind != YAML_MAP || (min == NULL && max == NULL)) {
        problems_add(compiler->problems, node, "wants `{min: ..., max: ...}`, or one of the two");
        return false;
    }
    pack_check_keys(compiler, node, "bound", keys, 2);
    rule->min = min ? min->text : (struct slice){NULL, 0};
    rule->max = max ? max->text : (struct slice){NULL, 0};
    bool dates = rule->action == ACTION_RANGE;
    for (size_t i = 0; i < rule->field_count && dates; i++) {
        enum field_type type = compiler->ruleset->fields[rule->fields[i]].type;
        if (type != FIELD_DATE && type != FIELD_TIMESTAMP)
            dates = false;
    }
    if (dates)
        return true;
    const struct yaml_node *wrong = NULL;
    if (min && !read_number(min->text, &rule->min_number))
        wrong = min;
    if (max && !read_number(max->text, &rule->max_number))
        wrong = max;
    if (wrong)
        problems_add(compiler->problems, wrong, "\"" SLICE_FMT "\" is not a number",
                     SLICE_ARG(wrong->text));
    return wrong == NULL;
}

static bool compile_lookup(struct compiler *compiler, const struct yaml_node *node,
                           struct rule *rule)
{
    static const char *const keys[] = {"table", "to", "otherwise"};
    static const char *const words[] = {"keep", "drop", "invalid"};
    if (node->kind == YAML_SCALAR)
        return (rule->table = pack_table(compiler, node)) != NULL;
    pack_check_keys(compiler, node, "lookup key", keys, 3);
    const struct yaml_node *table = yaml_get(node, "table"), *to = yaml_get(node, "to");
    const struct yaml_node *otherwise = yaml_get(node, "otherwise");
    if (table == NULL) {
        problems_add(compiler->problems, node, "lookup wants a `table:`");
        return false;
    }
    if ((rule->table = pack_table(compiler, table)) == NULL)
        return false;
    if (to && (rule->target = pack_field(compiler, to)) == FIELD_NONE)
        return false;
    for (size_t i = 0; otherwise && i < 3; i++) {
        if (slice_is(otherwise->text, words[i])) {
            rule->otherwise = (enum otherwise)i;
            return true;
        }
    }
    if (otherwise)
        problems_add(compiler->problems, otherwise, "otherwise is keep, drop or invalid");
    return otherwise == NULL;
}

static bool is_word_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool group_exists(const pcre2_code *code, struct slice group)
{
    char name[34];
    int64_t number;
    uint32_t count = 0;
    if (group.len == 0 || group.len >= sizeof(name))
        return false;
    if (slice_to_int64(group, &number))
        return pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &count) == 0 && number >= 0 &&
               number <= count;
    memcpy(name, group.ptr, group.len);
    name[group.len] = '\0';
    return pcre2_substring_number_from_name(code, (PCRE2_SPTR)name) >= 0;
}

/* PCRE2 looks at a replacement only once something matched: too late to tell the one who wrote it.
 */
static bool replacement_is_sound(const pcre2_code *code, struct slice with)
{
    for (size_t i = 0; i < with.len; i++) {
        if (with.ptr[i] != '$')
            continue;
        i++;
        if (i < with.len && with.ptr[i] == '$')
            continue;
        bool braced = i < with.len && with.ptr[i] == '{';
        size_t from = i + braced, to = from;
        bool digits = from < with.len && with.ptr[from] >= '0' && with.ptr[from] <= '9';
        while (to < with.len && is_word_byte(with.ptr[to]) &&
               (!digits || (with.ptr[to] >= '0' && with.ptr[to] <= '9')))
            to++;
        if (!group_exists(code, slice_sub(with, from, to)) ||
            (braced && (to == with.len || with.ptr[to] != '}')))
            return false;
        i = braced ? to : to - 1;
    }
    return true;
}

static bool compile_replace(struct compiler *compiler, const struct yaml_node *node,
                            struct rule *rule)
{
    static const char *const keys[] = {"pattern", "with"};
    pack_check_keys(compiler, node, "replace key", keys, 2);
    const struct yaml_node *pattern = yaml_get(node, "pattern"), *with = yaml_get(node, "with");
    if (pattern == NULL || with == NULL || with->kind != YAML_SCALAR) {
        problems_add(compiler->problems, node, "replace wants `{pattern: ..., with: ...}`");
        return false;
    }
    rule->text = with->text;
    rule->pattern = pack_pattern(compiler, pattern);
    if (rule->pattern == NULL)
        return false;
    if (!replacement_is_sound(rule->pattern->code, with->text)) {
        problems_add(compiler->problems, with,
                     "\"" SLICE_FMT
                     "\" is no replacement for this pattern; hint: $1 or ${name} is a "
                     "group of it, $$ a dollar",
                     SLICE_ARG(with->text));
        return false;
    }
    return true;
}

static bool compile_drop(struct compiler *compiler, const struct yaml_node *node, struct rule *rule)
{
    if (node->kind == YAML_SCALAR && slice_is(node->text, "all"))
        return true;
    return pack_flags(compiler, node, &rule->flags);
}

static bool only_true(struct compiler *compiler, const struct yaml_node *node, const char *key)
{
    bool truth;
    if (!pack_bool(compiler, node, &truth))
        return false;
    if (!truth)
        problems_add(compiler->problems, node,
                     "%s: only true makes sense; hint: `off: true` switches "
                     "a rule off",
                     key);
    return truth;
}

static bool compile_text(struct compiler *compiler, const struct yaml_node *node, const char *key,
                         struct rule *rule)
{
    if (node->kind != YAML_SCALAR || node->text.len == 0) {
        problems_add(compiler->problems, node, "%s wants a text", key);
        return false;
    }
    rule->text = node->text;
    return true;
}

static bool compile_one_of(struct compiler *compiler, const struct yaml_node *node,
                           struct rule *rule)
{
    if (node->kind == YAML_SCALAR)
        return (rule->table = pack_table(compiler, node)) != NULL;
    struct lookup *list = ARENA_NEW(compiler->ruleset->arena, struct lookup);
    rule->table = list;
    return list != NULL && pack_value_list(compiler, node, list);
}

static bool compile_action(struct compiler *compiler, const struct yaml_node *node,
                           struct rule *rule)
{
    const char *key = actions[rule->action].key;
    switch (rule->action) {
    case ACTION_REQUIRE:
    case ACTION_REQUIRE_ONE:
        return compile_fields(compiler, node, rule);
    case ACTION_PATTERN:
        return (rule->pattern = pack_pattern(compiler, node)) != NULL;
    case ACTION_LENGTH:
    case ACTION_RANGE:
        return compile_bounds(compiler, node, rule);
    case ACTION_ONE_OF:
        return compile_one_of(compiler, node, rule);
    case ACTION_USABLE:
    case ACTION_SUPPRESS:
        return only_true(compiler, node, key);
    case ACTION_REPORT:
        if (!compile_text(compiler, node, key, rule))
            return false;
        rule->code = arena_str(compiler->ruleset->arena, node->text);
        return true;
    case ACTION_SET:
    case ACTION_DEFAULT:
        return compile_text(compiler, node, key, rule);
    case ACTION_TAG:
        if (compiler->ruleset->known.tags == FIELD_NONE)
            problems_add(compiler->problems, node,
                         "tag wants a field `tags`, which no pack declares");
        return compile_text(compiler, node, key, rule);
    case ACTION_COPY:
        return pack_subject(compiler, node, &rule->from);
    case ACTION_LOOKUP:
        return compile_lookup(compiler, node, rule);
    case ACTION_REPLACE:
        return compile_replace(compiler, node, rule);
    case ACTION_DROP:
        return compile_drop(compiler, node, rule);
    case ACTION_MARK:
        return pack_flags(compiler, node, &rule->flags);
    case ACTION_KIND:
        return pack_kind(compiler, node, &rule->kind);
    case ACTION_COUNT:
        break;
    }
    return false;
}

/* Which one thing the rule does. */
static const struct yaml_node *find_action(struct compiler *compiler, const struct yaml_node *node,
                                           struct rule *rule)
{
    const struct yaml_node *found = NULL;
    for (size_t i = 0; i < ACTION_COUNT; i++) {
        const struct yaml_node *value = yaml_get(node, actions[i].key);
        if (value == NULL)
            continue;
        if (found) {
            problems_add(compiler->problems, value,
                         "a rule does one thing, this one does `%s` and `%s`; "
                         "hint: write two rules",
                         actions[rule->action].key, actions[i].key);
            return NULL;
        }
        found = value;
        rule->action = (enum action)i;
    }
    if (found == NULL)
        problems_add(compiler->problems, node,
                     "the rule does nothing; hint: give it `require`, `pattern`, "
                     "`set`, `report` ...");
    return found;
}

static bool compile_severity(struct compiler *compiler, const struct yaml_node *node,
                             struct rule *rule)
{
    static const char *const words[] = {"warn", "quarantine", "reject"};
    const struct yaml_node *severity = yaml_get(node, "severity");
    if (severity == NULL) {
        if (actions[rule->action].needs & NEEDS_SEVERITY)
            problems_add(compiler->problems, node,
                         "a check wants `severity: warn`, `quarantine` or `reject`");
        return !(actions[rule->action].needs & NEEDS_SEVERITY);
    }
    for (size_t i = 0; i < 3; i++) {
        if (slice_is(severity->text, words[i])) {
            rule->severity = (enum issue_severity)i;
            return true;
        }
    }
    const char *near = nearest_word(severity->text, words, 3);
    problems_add(compiler->problems, severity, "\"" SLICE_FMT "\" is no severity; hint: %s",
                 SLICE_ARG(severity->text), near ? near : "warn, quarantine or reject");
    return false;
}

static bool compile_stage(struct compiler *compiler, const struct yaml_node *node,
                          struct rule *rule)
{
    const struct yaml_node *stage = yaml_get(node, "stage");
    if (stage == NULL || slice_is(stage->text, "after"))
        return true;
    if (!slice_is(stage->text, "before")) {
        problems_add(compiler->problems, stage,
                     "stage is before or after (the types have cleaned)");
        return false;
    }
    rule->before = true;
    if (actions[rule->action].needs & ANY_TEXT)
        return true;
    problems_add(compiler->problems, stage, "`%s` works on clean values; hint: leave out `stage`",
                 actions[rule->action].key);
    return false;
}

static bool compile_when(struct compiler *compiler, const struct yaml_node *node, struct rule *rule)
{
    const struct yaml_node *when = yaml_get(node, "when");
    if (when == NULL)
        return true;
    struct condition *condition = ARENA_NEW(compiler->ruleset->arena, struct condition);
    rule->when = condition;
    return condition != NULL && pack_condition(compiler, when, 1, condition);
}

static bool compile_field_key(struct compiler *compiler, const struct yaml_node *node,
                              struct rule *rule)
{
    const struct yaml_node *field = yaml_get(node, "field");
    if (field && !(actions[rule->action].needs & NEEDS_FIELD) && rule->action != ACTION_REPORT) {
        problems_add(compiler->problems, field, "`%s` takes no `field:`",
                     actions[rule->action].key);
        return false;
    }
    if (field)
        return compile_fields(compiler, field, rule);
    if (actions[rule->action].needs & NEEDS_FIELD)
        problems_add(compiler->problems, node, "`%s` wants a `field:`", actions[rule->action].key);
    return !(actions[rule->action].needs & NEEDS_FIELD);
}

static bool compile_code(struct compiler *compiler, const struct yaml_node *node, struct rule *rule)
{
    const struct yaml_node *code = yaml_get(node, "code");
    if (rule->action != ACTION_REPORT)
        rule->code =
            code ? arena_str(compiler->ruleset->arena, code->text) : actions[rule->action].code;
    else if (code)
        problems_add(compiler->problems, code, "the code of a report is `report:` itself");
    return code == NULL || (rule->action != ACTION_REPORT && code->text.len > 0);
}

bool pack_rule(struct compiler *compiler, const struct yaml_node *node, struct rule *rule)
{
    const char *keys[PLAIN_KEYS + ACTION_COUNT];
    memcpy(keys, plain_keys, sizeof(plain_keys));
    for (size_t i = 0; i < ACTION_COUNT; i++)
        keys[PLAIN_KEYS + i] = actions[i].key;
    size_t before = compiler->problems->count + compiler->problems->dropped;
    pack_check_keys(compiler, node, "rule key", keys, PLAIN_KEYS + ACTION_COUNT);
    if (compiler->problems->count + compiler->problems->dropped != before)
        return false;
    rule->target = FIELD_NONE;
    rule->min = rule->max = (struct slice){NULL, 0};
    rule->param = slice_str(rule->id);
    const struct yaml_node *off = yaml_get(node, "off");
    if (off && !pack_bool(compiler, off, &rule->off))
        return false;
    if (rule->off && node->count == 2) /* {id: ..., off: true} */
        return true;
    const struct yaml_node *action = find_action(compiler, node, rule);
    if (action == NULL || !compile_field_key(compiler, node, rule))
        return false;
    bool ok = compile_action(compiler, action, rule);
    ok &= compile_severity(compiler, node, rule);
    ok &= compile_stage(compiler, node, rule);
    ok &= compile_when(compiler, node, rule);
    ok &= compile_code(compiler, node, rule);
    if (rule->action == ACTION_REQUIRE_ONE)
        rule->param = names_of(compiler, rule);
    return ok;
}
