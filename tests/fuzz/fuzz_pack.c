/*
 * Packs and records of anybody's making. The first byte says which: 'P' a pack's text follows,
 * which is compiled and its tests run; 'R' lines of heading and value follow, which the shipped
 * pack cleans. What is cleaned must keep the promises of record.h and survive the way to JSON and
 * back.
 */
#include "daemon/base/asset.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"
#include "rules/record_json.h"
#include "rules/ruleset.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct source_rules source = {
    .name = "landing", .country = "CN", .time_zone = "Asia/Shanghai", .kind = KIND_PERSON};

static void hold_promises(const struct schema *schema, const struct clean_record *clean)
{
    assert(clean->value_count <= VALUES_MAX && clean->extra_count <= VALUES_MAX &&
           clean->issue_count <= ISSUES_MAX);
    for (size_t i = 0; i < clean->value_count; i++) {
        const struct clean_value *value = &clean->values[i];
        assert(value->field < schema->count && value->value.len > 0);
        assert(utf8_valid(value->value) && memchr(value->value.ptr, 0, value->value.len) == NULL);
        if (i == 0)
            continue;
        const struct clean_value *last = value - 1;
        assert(last->field < value->field ||
               (last->field == value->field && slice_cmp(last->value, value->value) < 0));
    }
}

static void clean_lines(const struct ruleset *ruleset, struct slice text)
{
    struct slice names[64], values[64];
    struct columns columns = {text.len, 0, names};
    while (text.len > 0 && columns.count < 64) {
        ptrdiff_t end = slice_find_byte(text, '\n');
        struct slice line = slice_sub(text, 0, end < 0 ? text.len : (size_t)end);
        ptrdiff_t colon = slice_find_byte(line, ':');
        names[columns.count] = slice_sub(line, 0, colon < 0 ? line.len : (size_t)colon);
        values[columns.count++] =
            colon < 0 ? SLICE_EMPTY : slice_sub(line, (size_t)colon + 1, line.len);
        text = slice_sub(text, line.len + 1, text.len);
    }
    struct raw_record raw = {
        .external_id = SLICE("1"), .part = SLICE("main"), .columns = &columns, .values = values};
    struct arena *arena = arena_new(1 << 24);
    struct cleaner *cleaner = cleaner_new(ruleset);
    struct buf json = BUF_INIT(1 << 24);
    struct clean_record clean;
    struct err err;
    if (arena && cleaner &&
        ruleset_clean(cleaner, &source, &raw, arena, &clean, &err) == STATUS_OK) {
        hold_promises(ruleset_schema(ruleset), &clean);
        clean_record_to_json(ruleset_schema(ruleset), &clean, &json);
        struct clean_record again;
        assert(clean_record_from_json(ruleset_schema(ruleset), buf_slice(&json), arena, &again));
        assert(again.value_count == clean.value_count && again.extra_count == clean.extra_count);
    }
    buf_free(&json);
    cleaner_free(&cleaner);
    arena_free(&arena);
}

static struct ruleset *compile(const char *name, struct slice text)
{
    struct problems problems = {0};
    struct pack_text pack = {name, text};
    struct ruleset *ruleset = ruleset_new(&pack, 1, NULL, &problems);
    assert(ruleset != NULL || problems.count > 0);
    problems_free(&problems);
    return ruleset;
}

static void try_pack(struct slice text)
{
    struct buf out = BUF_INIT(1 << 20);
    struct ruleset *ruleset = compile("fuzz.yaml", text);
    if (ruleset) {
        (void)ruleset_run_tests(ruleset, &out);
        clean_lines(ruleset, SLICE("nick:Bob\ncolor:red\nline:x\nother:y"));
    }
    buf_free(&out);
    ruleset_free(&ruleset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ruleset *people;
    struct slice text = slice_of((const char *)data, size);
    if (people == NULL) {
        bool found;
        people = compile("people", asset_find("rules/packs/people.yaml", &found));
        assert(people != NULL);
    }
    if (size < 2)
        return 0;
    struct slice rest = slice_sub(text, 1, size);
    if (data[0] == 'P')
        try_pack(rest);
    else if (data[0] == 'R' && utf8_valid(rest) && memchr(rest.ptr, 0, rest.len) == NULL)
        clean_lines(people, rest);
    return 0;
}
