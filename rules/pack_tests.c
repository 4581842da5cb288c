/* pack_tests.c - runs the tests written beside the rules. See ruleset.h and docs/rules.md. */
#include "rules/pack.h"

#include "daemon/base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define TEST_ARENA_MAX_BYTES ((size_t)8 << 20)
#define TEST_MAPS_MAX        64

struct run {
    const struct ruleset *ruleset;
    struct cleaner *cleaner;
    struct arena *arena;
    const struct pack_test *test;
    struct clean_record clean;
    struct buf *out;
    bool failed;
};

__attribute__((format(printf, 3, 4))) static void
complain(struct run *run, const struct yaml_node *where, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (where == NULL)
        where = run->test->node;
    buf_printf(run->out, "%s:%u:%u: %.*s: %s\n", where->file, where->line, where->column,
               (int)run->test->name.len, run->test->name.ptr, text);
    run->failed = true;
}

/* `given:` in YAML gives each column one value, or a list of them (the column is there twice). */
static void read_given(struct run *run, struct raw_record *raw)
{
    const struct yaml_node *given = run->test->given;
    size_t total = 0, count = 0;
    for (size_t i = 0; i < given->count; i++)
        total += given->values[i]->kind == YAML_LIST ? given->values[i]->count : 1;
    struct slice *names = ARENA_ARRAY(run->arena, struct slice, total);
    struct slice *values = ARENA_ARRAY(run->arena, struct slice, total);
    struct columns *columns = ARENA_NEW(run->arena, struct columns);
    if (columns == NULL)
        return;
    for (size_t i = 0; i < given->count; i++) {
        const struct yaml_node *value = given->values[i];
        for (size_t k = 0; k < (value->kind == YAML_LIST ? value->count : 1); k++) {
            const struct yaml_node *one = value->kind == YAML_LIST ? value->values[k] : value;
            names[count] = given->keys[i]->text;
            values[count++] = one->text;
        }
    }
    columns->names = names;
    columns->count = count;
    for (size_t i = 0; i < count; i++)
        columns->id = slice_hash(names[i], columns->id + 1);
    raw->columns = columns;
    raw->values = values;
}

static void read_map(struct run *run, const struct yaml_node *node, struct source_rules *source)
{
    struct source_map *maps = ARENA_ARRAY(run->arena, struct source_map, node->count);
    for (size_t i = 0; i < node->count && maps && i < TEST_MAPS_MAX; i++) {
        const struct yaml_node *value = node->values[i];
        size_t count = value->kind == YAML_LIST ? value->count : 1;
        struct slice *columns = ARENA_ARRAY(run->arena, struct slice, count);
        for (size_t k = 0; k < count && columns; k++)
            columns[k] = value->kind == YAML_LIST ? value->values[k]->text : value->text;
        maps[source->map_count++] = (struct source_map){node->keys[i]->text, count, columns};
    }
    source->map = maps;
}

static void read_source(struct run *run, struct source_rules *source, struct raw_record *raw)
{
    const struct yaml_node *node = run->test->source;
    *source = (struct source_rules){
        .name = "test", .country = "CN", .time_zone = "Asia/Shanghai", .kind = KIND_PERSON};
    for (size_t i = 0; node && node->kind == YAML_MAP && i < node->count; i++) {
        struct slice key = node->keys[i]->text;
        const struct yaml_node *value = node->values[i];
        if (slice_is(key, "name"))
            source->name = arena_str(run->arena, value->text);
        else if (slice_is(key, "country"))
            source->country = arena_str(run->arena, value->text);
        else if (slice_is(key, "time_zone"))
            source->time_zone = arena_str(run->arena, value->text);
        else if (slice_is(key, "kind"))
            source->kind = slice_is(value->text, "company") ? KIND_COMPANY : KIND_PERSON;
        else if (slice_is(key, "day_first"))
            source->day_first = slice_is(value->text, "true");
        else if (slice_is(key, "test"))
            raw->is_test = slice_is(value->text, "true");
        else if (slice_is(key, "part"))
            raw->part = value->text;
        else if (slice_is(key, "map") && value->kind == YAML_MAP)
            read_map(run, value, source);
        else
            complain(run, node->keys[i],
                     "unknown source key \"" SLICE_FMT "\"; hint: name, country, "
                     "time_zone, kind, day_first, test, part or map",
                     SLICE_ARG(key));
    }
}

static bool holds_text(const struct yaml_node *list, struct slice text)
{
    for (size_t i = 0; i < list->count; i++)
        if (slice_eq(list->values[i]->text, text))
            return true;
    return false;
}

/* "tags is none, wanted [vip, gold]" */
static void complain_missing(struct run *run, const struct yaml_node *name, const struct yaml_node *want,
                             const char *field, size_t found)
{
    struct buf wanted = BUF_INIT(4096);
    bool list = want->kind == YAML_LIST;
    for (size_t i = 0; list && i < want->count; i++) {
        buf_put_str(&wanted, i ? ", " : "[");
        buf_put_slice(&wanted, want->values[i]->text);
    }
    if (list)
        buf_put_byte(&wanted, ']');
    else
        buf_printf(&wanted, "\"" SLICE_FMT "\"", SLICE_ARG(want->text));
    if (found == 0)
        complain(run, name, "%s is none, wanted " SLICE_FMT, field, SLICE_ARG(buf_slice(&wanted)));
    else
        complain(run, name, "%s has %zu of %zu values, wanted " SLICE_FMT, field, found, want->count,
                 SLICE_ARG(buf_slice(&wanted)));
    buf_free(&wanted);
}

static void check_field(struct run *run, const struct yaml_node *name, const struct yaml_node *want)
{
    const struct field *field = NULL;
    for (size_t i = 0; i < run->ruleset->schema.count; i++)
        if (slice_is(name->text, run->ruleset->fields[i].name))
            field = &run->ruleset->fields[i];
    if (field == NULL) {
        complain(run, name, "unknown field \"" SLICE_FMT "\"", SLICE_ARG(name->text));
        return;
    }
    size_t found = 0, wanted = want->kind == YAML_LIST ? want->count : !want->is_null;
    for (size_t i = 0; i < run->clean.value_count; i++) {
        const struct clean_value *value = &run->clean.values[i];
        if (value->field != field->id)
            continue;
        found++;
        bool expected = want->kind == YAML_LIST
                            ? holds_text(want, value->value)
                            : !want->is_null && slice_eq(want->text, value->value);
        if (!expected)
            complain(run, name, "%s is \"" SLICE_FMT "\"%s" SLICE_FMT "%s", field->name,
                     SLICE_ARG(value->value),
                     want->kind == YAML_SCALAR && !want->is_null ? ", wanted \"" : "",
                     SLICE_ARG(want->kind == YAML_SCALAR ? want->text : SLICE_EMPTY),
                     want->kind == YAML_SCALAR && !want->is_null ? "\""
                                                                 : ", which was not expected");
    }
    if (found < wanted)
        complain_missing(run, name, want, field->name, found);
}

static void check_outcome(struct run *run, const struct yaml_node *want)
{
    static const char *const names[] = {"ok", "reject", "quarantine", "suppress"};
    const char *have = names[run->clean.outcome];
    if (want ? !slice_is(want->text, have) : run->clean.outcome != CLEAN_OK)
        complain(run, want, "the outcome is %s%s%s", have,
                 run->clean.issue_count ? ", first issue " : "",
                 run->clean.issue_count ? run->clean.issues[0].code : "");
}

static void check_issues(struct run *run, const struct yaml_node *want)
{
    for (size_t i = 0; i < run->clean.issue_count; i++)
        if (!holds_text(want, slice_str(run->clean.issues[i].code)))
            complain(run, want, "unexpected issue %s", run->clean.issues[i].code);
    for (size_t i = 0; i < want->count; i++) {
        bool found = false;
        for (size_t k = 0; k < run->clean.issue_count && !found; k++)
            found = slice_is(want->values[i]->text, run->clean.issues[k].code);
        if (!found)
            complain(run, want->values[i], "no issue " SLICE_FMT, SLICE_ARG(want->values[i]->text));
    }
}

/* flags: {phone: [masked]}: the first value of the field has just these. */
static void check_flags(struct run *run, const struct yaml_node *name, const struct yaml_node *want)
{
    static const char *const words[] = {"masked",    "nobody",  "virtual",
                                        "encrypted", "invalid", "derived"};
    char field_name[FIELD_NAME_MAX + 1];
    snprintf(field_name, sizeof(field_name), "%.*s", (int)name->text.len, name->text.ptr);
    const struct field *field = schema_find(&run->ruleset->schema, field_name);
    const struct clean_value *value = field ? clean_find(&run->clean, field->id, true) : NULL;
    if (value == NULL) {
        complain(run, name, "no value of \"" SLICE_FMT "\" to have flags", SLICE_ARG(name->text));
        return;
    }
    for (unsigned i = 0; i < 6; i++) {
        struct slice word = slice_str(words[i]);
        bool wanted = want->kind == YAML_LIST ? holds_text(want, word) : slice_eq(want->text, word);
        if (wanted != ((value->flags >> i & 1) != 0))
            complain(run, name, "%s is %s%s", field->name, wanted ? "not " : "", words[i]);
    }
}

static void check_extra(struct run *run, const struct yaml_node *name, const struct yaml_node *want)
{
    for (size_t i = 0; i < run->clean.extra_count; i++) {
        if (!slice_eq(run->clean.extras[i].name, name->text))
            continue;
        if (want->is_null || !slice_eq(run->clean.extras[i].value, want->text))
            complain(run, name, "extra \"" SLICE_FMT "\" is \"" SLICE_FMT "\"",
                     SLICE_ARG(name->text), SLICE_ARG(run->clean.extras[i].value));
        return;
    }
    if (!want->is_null)
        complain(run, name, "no extra \"" SLICE_FMT "\"", SLICE_ARG(name->text));
}

static void check_map(struct run *run, const struct yaml_node *map,
                      void (*check)(struct run *, const struct yaml_node *,
                                    const struct yaml_node *))
{
    for (size_t i = 0; i < map->count; i++)
        if (map->kind == YAML_MAP)
            check(run, map->keys[i], map->values[i]);
}

static void check(struct run *run)
{
    const struct yaml_node *expect = run->test->expect;
    check_outcome(run, yaml_get(expect, "outcome"));
    for (size_t i = 0; i < expect->count; i++) {
        struct slice key = expect->keys[i]->text;
        const struct yaml_node *want = expect->values[i];
        if (slice_is(key, "outcome"))
            continue;
        if (slice_is(key, "issues"))
            check_issues(run, want);
        else if (slice_is(key, "flags"))
            check_map(run, want, check_flags);
        else if (slice_is(key, "extra"))
            check_map(run, want, check_extra);
        else if (slice_is(key, "kind")) {
            if (slice_is(want->text, "company") != (run->clean.kind == KIND_COMPANY))
                complain(run, want, "the kind is not " SLICE_FMT, SLICE_ARG(want->text));
        } else {
            check_field(run, expect->keys[i], want);
        }
    }
}

static void run_one(struct run *run)
{
    struct raw_record raw = {.external_id = SLICE("1"), .part = SLICE("main")};
    struct source_rules source;
    struct err err = {0};
    run->failed = false;
    arena_reset(run->arena);
    read_given(run, &raw);
    read_source(run, &source, &raw);
    if (ruleset_clean(run->cleaner, &source, &raw, run->arena, &run->clean, &err) != STATUS_OK)
        complain(run, NULL, "%s", err.text);
    else
        check(run);
}

struct ruleset_test_counts ruleset_run_tests(const struct ruleset *ruleset, struct buf *out)
{
    struct ruleset_test_counts counts = {0, 0};
    struct run run = {.ruleset = ruleset,
                      .cleaner = cleaner_new(ruleset),
                      .arena = arena_new(TEST_ARENA_MAX_BYTES),
                      .out = out};
    for (size_t i = 0; i < ruleset->test_count; i++) {
        run.test = &ruleset->tests[i];
        if (run.cleaner && run.arena)
            run_one(&run);
        else
            complain(&run, NULL, "out of memory");
        if (run.failed)
            counts.failed++;
        else
            counts.passed++;
    }
    cleaner_free(&run.cleaner);
    arena_free(&run.arena);
    return counts;
}
