/* Packs: what compiles, what is refused and where, and what the compiled rules do to records. */
#include "rules/ruleset.h"

#include "daemon/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
/* after the C headers it needs */
#include <cmocka.h>

#define FIELDS                                                                                     \
    "fields:\n"                                                                                    \
    "  nick: {type: text, aliases: [nickname, 昵称, Nick (first)], label_zh: 外号}\n"          \
    "  color: {type: text, multiple: true, aliases: [colour, 颜色, second colour]}\n"            \
    "  level: {type: number, aliases: [等级]}\n"                                                 \
    "  line: {type: text, aliases: [street], prefix: [街道], suffix: [street 2]}\n"              \
    "  tags: {type: tags}\n"

static struct ruleset *build_with(const char *text, const char *user_fields,
                                  struct problems *problems)
{
    static struct arena *arena; /* the user's fields are somebody else's tree: gone before use */
    arena = arena_new(1 << 20);
    struct pack_text pack = {"people", slice_str(text)};
    const struct yaml_node *fields =
        user_fields ? yaml_parse(arena, "user.yaml", slice_str(user_fields), problems) : NULL;
    struct ruleset *ruleset = ruleset_new(&pack, 1, fields, problems);
    arena_free(&arena);
    return ruleset;
}

static struct ruleset *build(const char *text)
{
    struct problems problems = {0};
    struct ruleset *ruleset = build_with(text, NULL, &problems);
    if (ruleset == NULL)
        fail_msg("%u:%u: %s", problems.list[0].line, problems.list[0].column,
                 problems.list[0].text);
    problems_free(&problems);
    return ruleset;
}

struct cleaning {
    struct ruleset *ruleset;
    struct cleaner *cleaner;
    struct arena *arena;
    struct source_rules source;
    struct clean_record clean;
};

static struct cleaning *cleaning_new(const char *pack)
{
    struct cleaning *cleaning = calloc(1, sizeof(*cleaning));
    cleaning->ruleset = build(pack);
    cleaning->cleaner = cleaner_new(cleaning->ruleset);
    cleaning->arena = arena_new(1 << 24);
    cleaning->source = (struct source_rules){
        .name = "shop", .country = "CN", .time_zone = "", .kind = KIND_PERSON};
    return cleaning;
}

static void cleaning_free(struct cleaning *cleaning)
{
    cleaner_free(&cleaning->cleaner);
    ruleset_free(&cleaning->ruleset);
    arena_free(&cleaning->arena);
    free(cleaning);
}

/* Names and values in turn, ended by NULL. */
static void clean(struct cleaning *cleaning, ...)
{
    struct slice names[40], values[40];
    struct columns columns = {0, 0, names};
    va_list args;
    va_start(args, cleaning);
    for (const char *name; (name = va_arg(args, const char *)) != NULL; columns.count++) {
        names[columns.count] = slice_str(name);
        values[columns.count] = slice_str(va_arg(args, const char *));
        columns.id = slice_hash(names[columns.count], columns.id);
    }
    va_end(args);
    struct raw_record raw = {
        .external_id = SLICE("1"), .part = SLICE("main"), .columns = &columns, .values = values};
    struct err err = {0};
    assert_int_equal(ruleset_clean(cleaning->cleaner, &cleaning->source, &raw, cleaning->arena,
                                   &cleaning->clean, &err),
                     STATUS_OK);
}

static const char *value_of(const struct cleaning *cleaning, const char *name)
{
    static char text[300];
    const struct field *field = schema_find(ruleset_schema(cleaning->ruleset), name);
    text[0] = '\0';
    for (size_t i = 0; i < cleaning->clean.value_count; i++) {
        const struct clean_value *value = &cleaning->clean.values[i];
        size_t len = strlen(text);
        if (value->field == field->id)
            snprintf(text + len, sizeof(text) - len, "%s%.*s", len ? "|" : "",
                     (int)value->value.len, value->value.ptr);
    }
    return text;
}

static const char *extra_of(const struct cleaning *cleaning, const char *name)
{
    static char text[300];
    for (size_t i = 0; i < cleaning->clean.extra_count; i++) {
        if (slice_is(cleaning->clean.extras[i].name, name)) {
            snprintf(text, sizeof(text), "%.*s", (int)cleaning->clean.extras[i].value.len,
                     cleaning->clean.extras[i].value.ptr);
            return text;
        }
    }
    return "";
}

static bool has_issue(const struct cleaning *cleaning, const char *code)
{
    for (size_t i = 0; i < cleaning->clean.issue_count; i++)
        if (strcmp(cleaning->clean.issues[i].code, code) == 0)
            return true;
    return false;
}

static void test_headings_are_known_however_they_are_written(void **state)
{
    (void)state;
    struct ruleset *ruleset = build(FIELDS);
    static const char *const same[] = {
        "nick",     "NICK",         "Nick Name",    "nick_name",
        "ｎｉｃｋ", "昵称",         "* 昵称：",     "您的昵称（必填）",
        "外号",     "nick (first)", "Your nickname"};
    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        const struct field *field = ruleset_alias(ruleset, slice_str(same[i]));
        if (field == NULL || strcmp(field->name, "nick") != 0)
            fail_msg("%s is not nick", same[i]);
    }
    assert_null(ruleset_alias(ruleset, SLICE("nix")));
    assert_null(ruleset_alias(ruleset, SLICE("")));
    assert_null(ruleset_alias(ruleset, SLICE("街道"))); /* only a part of a line */
    ruleset_free(&ruleset);
}

static void test_columns_go_to_fields_and_the_rest_is_kept(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(FIELDS "ignore_columns: [password]\n");
    clean(cleaning, "Nickname", "", "昵称", " Bob ", "nick", "Rob", "Colour", "red",
          "second colour", "blue", "note", "hi", "pass_word", "secret", "Street", "Road 1",
          "street 2", "Flat 2", "街道", "West", NULL);
    assert_string_equal(value_of(cleaning, "nick"), "Rob"); /* its own name goes before aliases */
    assert_string_equal(extra_of(cleaning, "昵称"), "Bob");
    assert_string_equal(value_of(cleaning, "color"), "blue|red");
    assert_string_equal(extra_of(cleaning, "note"), "hi");
    assert_string_equal(extra_of(cleaning, "pass_word"), "");
    assert_string_equal(value_of(cleaning, "line"), "West Road 1 Flat 2");
    assert_int_equal(cleaning->clean.extra_count, 2);
    cleaning_free(cleaning);
}

static void test_an_explicit_map_takes_the_place_of_headings(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(FIELDS);
    const struct slice nick_columns[] = {SLICE("missing"), SLICE("Full-Name"), SLICE("other")};
    const struct slice ignored[] = {SLICE("secret")};
    const struct source_map map[] = {{SLICE("nick"), 3, nick_columns},
                                     {SLICE("ignore"), 1, ignored}};
    cleaning->source.map = map;
    cleaning->source.map_count = 2;
    clean(cleaning, "nick", "by alias", "other", "second", "Full-Name", "first", "secret", "x",
          NULL);
    assert_string_equal(value_of(cleaning, "nick"), "first");
    assert_string_equal(extra_of(cleaning, "nick"), "by alias");
    assert_string_equal(extra_of(cleaning, "secret"), "");
    cleaning->source.map_count = 0;
    clean(cleaning, "nick", "by alias", "other", "second", "Full-Name", "first", "secret", "x",
          NULL);
    assert_string_equal(value_of(cleaning, "nick"), "by alias");
    cleaning_free(cleaning);
}

/* They pointed into the cleaner's memory of mappings, which forgets, and ends before the last batch is resolved. */
static void test_names_of_what_is_kept_do_not_end_with_the_cleaner(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(FIELDS);
    const struct slice names[] = {SLICE("unheard of")}, values[] = {SLICE("kept")};
    const struct columns columns = {43, 1, names};
    struct raw_record raw = {.external_id = SLICE("1"), .columns = &columns, .values = values};
    struct err err;
    assert_int_equal(ruleset_clean(cleaning->cleaner, &cleaning->source, &raw, cleaning->arena, &cleaning->clean, &err),
                     STATUS_OK);
    cleaner_free(&cleaning->cleaner);
    assert_int_equal(cleaning->clean.extra_count, 1);
    assert_ptr_equal(cleaning->clean.extras[0].name.ptr, names[0].ptr);
    cleaning_free(cleaning);
}

static void test_equal_ids_of_different_columns_do_not_mix_up_mappings(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(FIELDS);
    struct err err = {0};
    for (int round = 0; round < 4; round++) {
        const struct slice names[] = {round % 2 ? SLICE("nick") : SLICE("line")};
        const struct slice values[] = {SLICE("x")};
        const struct columns columns = {42, 1, names};
        struct raw_record raw = {.external_id = SLICE("1"), .columns = &columns, .values = values};
        assert_int_equal(ruleset_clean(cleaning->cleaner, &cleaning->source, &raw, cleaning->arena,
                                       &cleaning->clean, &err),
                         STATUS_OK);
        assert_string_equal(value_of(cleaning, round % 2 ? "nick" : "line"), "x");
    }
    cleaning_free(cleaning);
}

static void test_equal_records_are_equal_bytes_whatever_the_order_of_columns(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(FIELDS);
    clean(cleaning, "nick", "a", "z", "1", "b", "2", "color", "red", "colour", "blue", NULL);
    struct clean_record first = cleaning->clean;
    clean(cleaning, "b", "2", "color", "red", "colour", "blue", "nick", "a", "z", "1", NULL);
    assert_int_equal(first.value_count, cleaning->clean.value_count);
    for (size_t i = 0; i < first.value_count; i++)
        assert_true(slice_eq(first.values[i].value, cleaning->clean.values[i].value));
    for (size_t i = 0; i < first.extra_count; i++)
        assert_true(slice_eq(first.extras[i].name, cleaning->clean.extras[i].name));
    cleaning_free(cleaning);
}

static void test_checks_report_with_severity_code_and_bound(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(
        FIELDS
        "rules:\n"
        "- {id: a, field: nick, pattern: '^[a-z]+$', severity: warn, code: nick.letters}\n"
        "- {id: b, field: nick, length: {max: 5}, severity: quarantine}\n"
        "- {id: c, field: color, one_of: [Red, blue], severity: warn}\n"
        "- {id: d, when: {source: strict}, require: [nick, line], severity: reject}\n"
        "- {id: e, when: {source: [other, strict]}, require_one: [line, color], severity: reject}\n"
        "- {id: f, field: level, range: {min: 1, max: 9}, severity: warn, code: level.range}\n");
    clean(cleaning, "nick", "abc", "color", "RED", NULL);
    assert_int_equal(cleaning->clean.issue_count, 0);
    clean(cleaning, "nick", "AbcDef", "color", "green", NULL);
    assert_int_equal(cleaning->clean.outcome, CLEAN_QUARANTINE);
    assert_true(has_issue(cleaning, "nick.letters") && has_issue(cleaning, "length") &&
                has_issue(cleaning, "one_of"));
    assert_true(slice_is(cleaning->clean.issues[1].param, "5"));
    assert_true(cleaning->clean.values[0].flags & VALUE_INVALID);
    clean(cleaning, "level", "10", NULL);
    assert_true(has_issue(cleaning, "level.range"));
    cleaning->source.name = "strict";
    clean(cleaning, "nick", "abc", NULL);
    assert_int_equal(cleaning->clean.outcome, CLEAN_REJECT);
    assert_true(has_issue(cleaning, "required") && has_issue(cleaning, "required_one"));
    cleaning_free(cleaning);
}

static void test_actions_change_values(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(
        FIELDS
        "tables:\n  shades: {red: [crimson, 红], blue: [navy]}\n"
        "nobody: {nick: {values: [test], patterns: ['^user[0-9]+$']}}\n"
        "rules:\n"
        "- {id: strip, stage: before, field: nick, replace: {pattern: "
        "'^(?:nick|称呼)[:：]\\s*(.*)$', with: '$1'}}\n"
        "- {id: shade, field: color, lookup: {table: shades, otherwise: drop}}\n"
        "- {id: line, field: line, default: Main Street}\n"
        "- {id: level, when: {equals: {nick: boss}}, field: level, set: 9}\n"
        "- {id: vip, when: {equals: {extra.VIP: 'yes'}}, tag: vip}\n"
        "- {id: firm, when: {matches: {extra.kind: '(?i)^firm'}}, kind: company}\n"
        "- {id: out, when: {any: [{equals: {extra.opt out: y}}, {part: ghost}]}, suppress: true}\n"
        "- {id: who, when: {flagged: {nick: nobody}, not: {present: level}}, report: nick.nobody, "
        "severity: warn}\n"
        "- {id: copy, when: {absent: color}, field: color, copy: extra.paint}\n");
    clean(cleaning, "nick", "称呼： boss", "color", "Crimson", "VIP", "YES", "kind", "Firm Ltd",
          NULL);
    assert_string_equal(value_of(cleaning, "nick"), "boss");
    assert_string_equal(value_of(cleaning, "color"), "red");
    assert_string_equal(value_of(cleaning, "line"), "Main Street");
    assert_string_equal(value_of(cleaning, "level"), "9");
    assert_string_equal(value_of(cleaning, "tags"), "vip");
    assert_int_equal(cleaning->clean.kind, KIND_COMPANY);
    assert_int_equal(cleaning->clean.outcome, CLEAN_OK);
    clean(cleaning, "nick", "user77", "colour", "green", "opt-out", "Y", "paint", "mauve", NULL);
    assert_true(has_issue(cleaning, "nick.nobody"));
    assert_int_equal(cleaning->clean.outcome, CLEAN_SUPPRESS);
    assert_string_equal(value_of(cleaning, "color"),
                        "mauve"); /* green is in no table and was dropped */
    cleaning_free(cleaning);
}

static void expect_problem(const char *text, unsigned line, const char *part)
{
    struct problems problems = {0};
    struct ruleset *ruleset = build_with(text, NULL, &problems);
    if (ruleset != NULL || problems.count == 0)
        fail_msg("compiled: %s", text);
    if (strstr(problems.list[0].text, part) == NULL || problems.list[0].line != line ||
        strcmp(problems.list[0].file, "people") != 0)
        fail_msg("%s gave %u: %s", text, problems.list[0].line, problems.list[0].text);
    problems_free(&problems);
}
#define RULE(text) FIELDS "rules:\n- {id: a, " text "}\n"

static void test_what_is_wrong_is_told_with_its_place_and_the_nearest_word(void **state)
{
    (void)state;
    expect_problem("feilds: {}\n", 1, "hint: fields");
    expect_problem("fields:\n  a: {type: txt}\n", 2, "hint: text");
    expect_problem("fields:\n  Ab: {type: text}\n", 2, "not a field name");
    expect_problem("fields:\n  issues: {type: text}\n", 2, "not a field name");
    expect_problem("fields:\n  a: {type: text, aliases: [x]}\n  b: {type: text, aliases: [X]}\n", 2,
                   "already");
    expect_problem(RULE("field: nik, drop: all"), 8, "hint: nick");
    expect_problem(RULE("field: nick, dorp: all"), 8, "hint: drop");
    expect_problem(RULE("field: nick, drop: all, set: x"), 8, "does one thing");
    expect_problem(RULE("note: idle"), 8, "does nothing");
    expect_problem(RULE("field: nick, pattern: 'a(', severity: warn"), 8, "pattern: ");
    expect_problem(RULE("field: nick, pattern: a"), 8, "severity");
    expect_problem(RULE("field: nick, pattern: a, severity: warning"), 8, "hint: warn");
    expect_problem(RULE("field: nick, lookup: shads"), 8, "unknown table");
    expect_problem(RULE("field: nick, replace: {pattern: 'a', with: '$2'}"), 8, "no replacement");
    expect_problem(RULE("field: nick, length: {max: many}, severity: warn"), 8, "not a number");
    expect_problem(RULE("when: {presnt: nick}, field: nick, drop: all"), 8, "hint: present");
    expect_problem(RULE("field: nick, drop: [maskd]"), 8, "hint: masked");
    expect_problem(RULE("pattern: a, severity: warn"), 8, "wants a `field:`");
    expect_problem(RULE("stage: before, tag: x"), 8, "clean values");
    expect_problem(FIELDS "rules:\n- {field: nick, drop: all}\n", 8, "wants an `id:`");
    expect_problem(FIELDS "rules:\n- {id: a, tag: x}\n- {id: a, tag: y}\n", 9, "second rule");
    expect_problem(FIELDS "tables: {t: {a: [x], b: [X]}}\n", 7, "already stands for");
    expect_problem(FIELDS "tests:\n- {name: x, given: {a: b}}\n", 8, "a test wants");
}

static void test_a_later_pack_replaces_a_rule_or_switches_it_off(void **state)
{
    (void)state;
    struct problems problems = {0};
    struct pack_text packs[] = {
        {"people",
         SLICE(FIELDS
               "rules:\n- {id: a, field: nick, set: one}\n- {id: b, field: line, set: x}\n")},
        {"mine.yaml", SLICE("fields: {own: {type: text}}\nrules:\n- {id: a, field: nick, set: "
                            "two}\n- {id: b, off: true}\n")}};
    struct ruleset *both = ruleset_new(packs, 2, NULL, &problems);
    struct ruleset *one = ruleset_new(packs, 1, NULL, &problems);
    assert_int_equal(problems.count, 0);
    assert_true(ruleset_fingerprint(both) != ruleset_fingerprint(one));
    assert_true(schema_find(ruleset_schema(both), "own")->custom);
    assert_false(schema_find(ruleset_schema(both), "nick")->custom);
    struct cleaning *cleaning = cleaning_new(FIELDS);
    struct ruleset *plain = cleaning->ruleset;
    cleaner_free(&cleaning->cleaner);
    cleaning->ruleset = both;
    cleaning->cleaner = cleaner_new(both);
    clean(cleaning, "nick", "zero", NULL);
    assert_string_equal(value_of(cleaning, "nick"), "two");
    assert_string_equal(value_of(cleaning, "line"), "");
    cleaning_free(cleaning);
    ruleset_free(&plain);
    ruleset_free(&one);
}

static void test_users_own_fields_come_after_and_may_take_a_heading(void **state)
{
    (void)state;
    struct problems problems = {0};
    struct ruleset *ruleset = build_with(FIELDS,
                                         "budget: {type: money, label: Budget, aliases: [预算, "
                                         "昵称], sensitivity: sensitive}\nline: {aliases: [way]}\n",
                                         &problems);
    assert_int_equal(problems.count, 0);
    const struct field *budget = schema_find(ruleset_schema(ruleset), "budget");
    assert_true(budget->custom && budget->sensitivity == SENSITIVITY_SENSITIVE);
    assert_int_equal(budget->id, 5);
    assert_string_equal(ruleset_alias(ruleset, SLICE("预算"))->name, "budget");
    assert_string_equal(ruleset_alias(ruleset, SLICE("昵称"))->name, "budget");
    assert_string_equal(ruleset_alias(ruleset, SLICE("WAY"))->name, "line");
    ruleset_free(&ruleset);
    ruleset = build_with(FIELDS, "nick: {type: number}\n", &problems);
    assert_null(ruleset);
    assert_non_null(strstr(problems.list[0].text, "changed type is a new name"));
    problems_free(&problems);
}

static void test_tests_and_notes_do_not_make_a_new_generation(void **state)
{
    (void)state;
    struct ruleset *a = build(FIELDS),
                   *b = build("# comment\n" FIELDS
                              "note: words\ntests:\n- {given: {nick: a}, expect: {nick: a}}\n");
    struct ruleset *c = build(FIELDS "rules: [{id: a, tag: x}]\n");
    assert_true(ruleset_fingerprint(a) == ruleset_fingerprint(b));
    assert_true(ruleset_fingerprint(a) != ruleset_fingerprint(c));
    ruleset_free(&a);
    ruleset_free(&b);
    ruleset_free(&c);
}

static double milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void test_a_catastrophic_pattern_is_a_reject_within_100_ms(void **state)
{
    (void)state;
    static const char *const patterns[] = {"^(a+)+$",
                                           "^(a|aa)+$",
                                           "(x+x+)+y",
                                           "^(([a-z])+.)+[A-Z]([a-z])+$",
                                           "(?:a?){40}a{40}b",
                                           "^(?:(a)(?1)?)+b$",
                                           ".*.*.*=.*",
                                           "a*[xy]",
                                           "a[a!]*[xy]",
                                           "[a-z]*[a-z]*[0-9]",
                                           "[a-z]*[a-y]*[a-x]*[0-9]",
                                           "(?:a|b)*[xy]",
                                           "(?i)(a|A)*?(a|b)*?[xy]",
                                           "\\w+\\w+[xy]"};
    char *text = malloc(16001);
    memset(text, 'a', 16000);
    text[15999] = '!';
    text[16000] = '\0';
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        char pack[800];
        snprintf(pack, sizeof(pack),
                 FIELDS "rules:\n- {id: evil, field: nick, pattern: '%s', severity: warn}\n",
                 patterns[i]);
        struct cleaning *cleaning = cleaning_new(pack);
        double start = milliseconds();
        clean(cleaning, "nick", text, "note", "kept", NULL);
        double took = milliseconds() - start;
        if (took > 100)
            fail_msg("%s took %.0f ms", patterns[i], took);
        assert_true(has_issue(cleaning, "rule.limit") || has_issue(cleaning, "pattern"));
        cleaning_free(cleaning);
    }
    struct cleaning *cleaning = cleaning_new(
        FIELDS "rules:\n- {id: evil, field: nick, pattern: '^(a+)+$', severity: warn}\n");
    text[40] = '!';
    text[41] = '\0';
    clean(cleaning, "nick", text, NULL);
    assert_int_equal(cleaning->clean.outcome, CLEAN_REJECT);
    assert_true(has_issue(cleaning, "rule.limit"));
    assert_true(slice_is(cleaning->clean.issues[0].param, "evil"));
    clean(cleaning, "nick", "aaa", NULL); /* the next record is cleaned as ever */
    assert_int_equal(cleaning->clean.outcome, CLEAN_OK);
    cleaning_free(cleaning);
    free(text);
}

static void test_more_columns_than_the_maximum_are_said(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(FIELDS);
    enum { COUNT = 5000 };
    struct slice *names = calloc(COUNT, sizeof(*names)), *values = calloc(COUNT, sizeof(*values));
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = arena_printf(cleaning->arena, "q%zu", i);
        values[i] = SLICE("x");
    }
    const struct columns columns = {7, COUNT, names};
    struct raw_record raw = {.external_id = SLICE("1"), .columns = &columns, .values = values};
    struct err err = {0};
    assert_int_equal(ruleset_clean(cleaning->cleaner, &cleaning->source, &raw, cleaning->arena,
                                   &cleaning->clean, &err),
                     STATUS_OK);
    assert_int_equal(cleaning->clean.extra_count, VALUES_MAX);
    assert_true(has_issue(cleaning, "record.too_many_values"));
    free(names);
    free(values);
    cleaning_free(cleaning);
}

static void test_a_full_arena_is_an_error_and_no_crash(void **state)
{
    (void)state;
    struct cleaning *cleaning = cleaning_new(FIELDS);
    const struct slice names[] = {SLICE("nick")}, values[] = {SLICE("x")};
    const struct columns columns = {1, 1, names};
    struct raw_record raw = {.external_id = SLICE("1"), .columns = &columns, .values = values};
    struct arena *small = arena_new(16);
    struct err err = {0};
    assert_int_equal(
        ruleset_clean(cleaning->cleaner, &cleaning->source, &raw, small, &cleaning->clean, &err),
        STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_RECORD);
    arena_free(&small);
    cleaning_free(cleaning);
}

static void test_failing_tests_of_a_pack_say_where(void **state)
{
    (void)state;
    struct ruleset *ruleset = build(
        FIELDS "tests:\n- {name: good, given: {nick: a}, expect: {nick: a, line: ~, issues: []}}\n"
               "- {name: bad, given: {nick: a}, expect: {nick: b}}\n");
    struct buf out = BUF_INIT(1 << 16);
    struct ruleset_test_counts counts = ruleset_run_tests(ruleset, &out);
    buf_put_byte(&out, 0);
    assert_int_equal(counts.passed, 1);
    assert_int_equal(counts.failed, 1);
    assert_string_equal(out.data, "people:9:42: bad: nick is \"a\", wanted \"b\"\n");
    buf_free(&out);
    ruleset_free(&ruleset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headings_are_known_however_they_are_written),
        cmocka_unit_test(test_columns_go_to_fields_and_the_rest_is_kept),
        cmocka_unit_test(test_names_of_what_is_kept_do_not_end_with_the_cleaner),
        cmocka_unit_test(test_an_explicit_map_takes_the_place_of_headings),
        cmocka_unit_test(test_equal_ids_of_different_columns_do_not_mix_up_mappings),
        cmocka_unit_test(test_equal_records_are_equal_bytes_whatever_the_order_of_columns),
        cmocka_unit_test(test_checks_report_with_severity_code_and_bound),
        cmocka_unit_test(test_actions_change_values),
        cmocka_unit_test(test_what_is_wrong_is_told_with_its_place_and_the_nearest_word),
        cmocka_unit_test(test_a_later_pack_replaces_a_rule_or_switches_it_off),
        cmocka_unit_test(test_users_own_fields_come_after_and_may_take_a_heading),
        cmocka_unit_test(test_tests_and_notes_do_not_make_a_new_generation),
        cmocka_unit_test(test_a_catastrophic_pattern_is_a_reject_within_100_ms),
        cmocka_unit_test(test_more_columns_than_the_maximum_are_said),
        cmocka_unit_test(test_a_full_arena_is_an_error_and_no_crash),
        cmocka_unit_test(test_failing_tests_of_a_pack_say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
