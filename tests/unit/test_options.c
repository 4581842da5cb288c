/* test_options.c - options from their declaration. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/options.h"

static const struct option limits_table[] = {
    {.key = "body",
     .type = OPTION_SIZE,
     .default_text = "1M",
     .min = 1024,
     .max = 16777216,
     .help = "most bytes"},
    {.key = "timeout",
     .type = OPTION_DURATION,
     .flags = OPTION_RESTART,
     .default_text = "10s",
     .min = 1,
     .max = INT64_MAX,
     .help = "how long"},
    {.key = NULL},
};
static const struct option form_table[] = {
    {.key = "path",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .help = "where the form posts to"},
    {.key = "every",
     .type = OPTION_STRING,
     .default_text = "own",
     .help = "shadows the common one"},
    {.key = NULL},
};
static const struct option csv_table[] = {
    {.key = "drop", .type = OPTION_STRING, .help = "the directory"},
    {.key = NULL},
};
static const struct option *pick(const struct yaml_node *section, struct problems *problems)
{
    struct slice type = yaml_text(section, "type", SLICE_EMPTY);
    if (slice_is(type, "form"))
        return form_table;
    if (slice_is(type, "csv"))
        return csv_table;
    problems_add(problems, section, "unknown type '" SLICE_FMT "'", SLICE_ARG(type));
    return NULL;
}
static const struct option source_table[] = {
    {.key = "type", .type = OPTION_STRING, .help = "the connector"},
    {.key = "every", .type = OPTION_DURATION, .default_text = "5m", .help = "how often"},
    {.key = "map", .type = OPTION_TEXT_MAP, .help = "field to columns"},
    {.key = NULL},
};
static const struct option table[] = {
    {.key = "port",
     .type = OPTION_INT,
     .flags = OPTION_RESTART,
     .default_text = "8080",
     .min = 1,
     .max = 65535,
     .help = "port"},
    {.key = "ratio", .type = OPTION_FLOAT, .default_text = "0.95", .help = "ratio"},
    {.key = "on", .type = OPTION_BOOL, .default_text = "true", .help = "whether"},
    {.key = "level",
     .type = OPTION_ENUM,
     .choices = "debug|info|warn",
     .default_text = "info",
     .help = "how much"},
    {.key = "secret", .type = OPTION_SECRET, .flags = OPTION_RESTART, .help = "the key"},
    {.key = "hosts",
     .type = OPTION_STRINGS,
     .default_text = "[a, b]",
     .min = 1,
     .max = 3,
     .help = "hosts"},
    {.key = "limits", .type = OPTION_SECTION, .children = limits_table, .help = "limits"},
    {.key = "sources",
     .type = OPTION_SECTIONS,
     .children = source_table,
     .variant = pick,
     .help = "sources"},
    {.key = "rules", .type = OPTION_FREE, .default_text = "[people]", .help = "rules"},
    {.key = NULL},
};

struct fixture {
    struct arena *arena;
    struct problems problems;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->arena = arena_new((size_t)16 << 20);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_free(&fixture->arena);
    problems_free(&fixture->problems);
    free(fixture);
    return 0;
}

static const struct options *build(struct fixture *fixture, const char *text)
{
    struct yaml_node *node =
        yaml_parse(fixture->arena, "t.yaml", slice_str(text), &fixture->problems);
    assert_non_null(node);
    const struct options *options =
        options_build(fixture->arena, table, node, NULL, &fixture->problems);
    assert_non_null(options);
    return options;
}

static void assert_problem(struct fixture *fixture, size_t index, unsigned line, unsigned column,
                           const char *text)
{
    assert_true(index < fixture->problems.count);
    const struct problem *problem = &fixture->problems.list[index];
    assert_string_equal(problem->text, text);
    assert_int_equal(problem->line, line);
    assert_int_equal(problem->column, column);
}

static void test_defaults_fill_what_is_not_written(void **state)
{
    struct fixture *fixture = *state;
    const struct options *options =
        options_build(fixture->arena, table, NULL, NULL, &fixture->problems);
    assert_int_equal(fixture->problems.count, 0);
    assert_int_equal(options_int(options, "port"), 8080);
    assert_false(options_has(options, "port"));
    assert_true(options_float(options, "ratio") > 0.94);
    assert_true(options_bool(options, "on"));
    assert_string_equal(options_string(options, "level"), "info");
    assert_int_equal(options_secret(options, "secret").len, 0);
    const struct slice *hosts;
    assert_int_equal(options_strings(options, "hosts", &hosts), 2);
    assert_true(slice_is(hosts[1], "b"));
    assert_int_equal(options_int(options_section(options, "limits"), "body"), 1048576);
    const struct options *const *sources;
    assert_int_equal(options_sections(options, "sources", &sources), 0);
    assert_int_equal(options_node(options, "rules")->count, 1);
}

static void test_values_are_read_by_type(void **state)
{
    struct fixture *fixture = *state;
    const struct options *options = build(
        fixture,
        "port: 1\nratio: 1e-3\non: no\nlevel: WARN\nsecret: hush\nhosts: one\n"
        "limits: {body: 64k, timeout: 1h30m}\n"
        "sources:\n  landing: {type: form, path: /f, map: {phone: [Tel, 手机], email: Mail}}\n"
        "  sheet: {type: csv, every: 250ms}\nrules: {x: [1]}\n");
    assert_int_equal(fixture->problems.count, 0);
    assert_int_equal(options_int(options, "port"), 1);
    assert_true(options_has(options, "port"));
    assert_false(options_bool(options, "on"));
    assert_string_equal(options_string(options, "level"), "warn");
    assert_true(slice_is(options_secret(options, "secret"), "hush"));
    const struct options *limits = options_section(options, "limits");
    assert_int_equal(options_int(limits, "body"), 65536);
    assert_int_equal(options_int(limits, "timeout"), 5400000);
    const struct options *const *sources;
    assert_int_equal(options_sections(options, "sources", &sources), 2);
    assert_string_equal(options_name(sources[0]), "landing");
    assert_string_equal(options_string(sources[0], "path"), "/f");
    assert_string_equal(options_string(sources[0], "every"), "own");
    assert_int_equal(options_int(sources[1], "every"), 250);
    assert_int_equal(options_where(sources[1])->line, 10);
    const struct option_text *map;
    assert_int_equal(options_text_map(sources[0], "map", &map), 2);
    assert_int_equal(map[0].count, 2);
    assert_true(slice_is(map[0].values[1], "手机"));
    assert_int_equal(map[1].count, 1);
}

static void test_every_problem_is_told_with_its_place(void **state)
{
    struct fixture *fixture = *state;
    const struct options *options = build(
        fixture, "prot: 80\nport: 70000\nratio: much\non: maybe\nlevel: inof\nhosts: [a, b, c, d]\n"
                 "limits: {body: 10q, timeout: 5}\n"
                 "sources:\n  a: {type: form}\n  b: {type: carrier_pigeon, anything: 1}\n  c: 5\n");
    size_t n = 0;
    assert_problem(fixture, n++, 1, 1,
                   "unknown key 'prot' in the top level; hint: did you mean 'port'?");
    assert_problem(fixture, n++, 2, 7, "port: value is out of bounds; hint: from 1 to 65535");
    assert_problem(fixture, n++, 3, 8, "ratio: 'much' is not a number");
    assert_problem(fixture, n++, 4, 5, "on: 'maybe' is not true or false");
    assert_problem(fixture, n++, 5, 8, "level: unknown value 'inof'; hint: did you mean 'info'?");
    assert_problem(fixture, n++, 6, 8,
                   "hosts: number of entries is out of bounds; hint: from 1 to 3");
    assert_problem(fixture, n++, 7, 16,
                   "limits.body: '10q' is not a size such as 512, 64k, 10M or 1G");
    assert_problem(fixture, n++, 7, 30,
                   "limits.timeout: '5' is not a duration such as 250ms, 30s, 5m, 2h or 7d");
    assert_problem(fixture, n++, 9, 6, "sources.a.path is missing; hint: where the form posts to");
    assert_problem(fixture, n++, 10, 6, "unknown type 'carrier_pigeon'");
    assert_problem(fixture, n++, 11, 6, "sources.c: expected a section, found one value");
    assert_int_equal(fixture->problems.count, n);
    /* What is wrong reads as its default, and may be asked for. */
    assert_int_equal(options_int(options, "port"), 8080);
    const struct options *const *sources;
    assert_int_equal(options_sections(options, "sources", &sources), 3);
    assert_string_equal(options_string(sources[1], "type"), "carrier_pigeon");
}

static void test_wrong_shapes_are_problems(void **state)
{
    struct fixture *fixture = *state;
    build(fixture,
          "port: [1]\nhosts: {a: b}\nlimits: 5\nsources: [x]\nlevel: {a: b}\nsecret: [s]\n");
    assert_int_equal(fixture->problems.count, 6);
}

static void test_a_key_without_a_value_is_not_given(void **state)
{
    struct fixture *fixture = *state;
    const struct options *options =
        build(fixture, "port:\nlimits:\nsources:\n  a: {type: form, path: }\n");
    assert_int_equal(options_int(options, "port"), 8080);
    assert_int_equal(fixture->problems.count, 1);
    assert_non_null(strstr(fixture->problems.list[0].text, "sources.a.path is missing"));
}

static void test_secret_files_are_trimmed_and_relative(void **state)
{
    struct fixture *fixture = *state;
    char dir[] = "/tmp/test_options_XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/key", dir);
    FILE *file = fopen(path, "w");
    fputs(" s3cret \r\n", file);
    fclose(file);
    struct yaml_node *node =
        yaml_parse(fixture->arena, "t.yaml", SLICE("secret_file: key\n"), &fixture->problems);
    const struct options *options =
        options_build(fixture->arena, table, node, dir, &fixture->problems);
    assert_true(slice_is(options_secret(options, "secret"), " s3cret "));
    assert_true(options_has(options, "secret"));
    /* base_dir NULL: beside the file the path stands in. */
    char name[80];
    snprintf(name, sizeof(name), "%s/t.yaml", dir);
    node = yaml_parse(fixture->arena, name, SLICE("secret_file: key\n"), &fixture->problems);
    options = options_build(fixture->arena, table, node, NULL, &fixture->problems);
    assert_true(slice_is(options_secret(options, "secret"), " s3cret "));
    assert_int_equal(fixture->problems.count, 0);
    unlink(path);

    node = yaml_parse(fixture->arena, name, SLICE("secret_file: key\n"), &fixture->problems);
    options_build(fixture->arena, table, node, NULL, &fixture->problems);
    assert_int_equal(fixture->problems.count, 1);
    assert_non_null(strstr(fixture->problems.list[0].text, "No such file"));
    node =
        yaml_parse(fixture->arena, name, SLICE("secret_file: .\nsecret: x\n"), &fixture->problems);
    options_build(fixture->arena, table, node, NULL, &fixture->problems);
    assert_non_null(strstr(fixture->problems.list[1].text, "both given"));
    node = yaml_parse(fixture->arena, name, SLICE("secret_file: .\n"), &fixture->problems);
    options_build(fixture->arena, table, node, NULL, &fixture->problems);
    assert_non_null(strstr(fixture->problems.list[2].text, "not a regular file"));
    rmdir(dir);
}

static void test_durations_and_sizes(void **state)
{
    (void)state;
    int64_t value = -1;
    assert_true(duration_parse_ms(SLICE("0"), &value) && value == 0);
    assert_true(duration_parse_ms(SLICE("250ms"), &value) && value == 250);
    assert_true(duration_parse_ms(SLICE("1w"), &value) && value == 604800000);
    assert_true(duration_parse_ms(SLICE("1d12h"), &value) && value == 129600000);
    static const char *const bad[] = {"",
                                      "5",
                                      "m",
                                      "5 m",
                                      "-5m",
                                      "1.5h",
                                      "5x",
                                      "5mm",
                                      "9223372036854775807d",
                                      "99999999999999999999s"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(duration_parse_ms(slice_str(bad[i]), &value));
    assert_true(size_parse_bytes(SLICE("512"), &value) && value == 512);
    assert_true(size_parse_bytes(SLICE("64k"), &value) && value == 65536);
    assert_true(size_parse_bytes(SLICE("1GiB"), &value) && value == 1073741824);
    assert_false(size_parse_bytes(SLICE("9000000T"), &value) && value > 0);
    static const char *const bad_sizes[] = {"", "k", "1k2", "-1", "1x", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++)
        assert_false(size_parse_bytes(slice_str(bad_sizes[i]), &value));
}

static void test_print_hides_secrets_and_reads_back(void **state)
{
    struct fixture *fixture = *state;
    const struct options *options = build(
        fixture,
        "secret: canary\nlevel: warn\nhosts: ['a b', \"true\", '5']\nlimits: {timeout: 90s}\n"
        "sources: {\"x y\": {type: form, path: '/f', map: {phone: ['a, b', \"\\\"q\\\"\"]}}}\n"
        "rules: [people, {a: 'x, y', b: x y}]\n");
    uint64_t first, again, other;
    assert_true(options_fingerprint(options, &first));
    struct buf text = BUF_INIT(100000);
    options_print(options, 0, &text);
    buf_put_byte(&text, 0);
    assert_false(buf_failed(&text));
    assert_null(strstr(text.data, "canary"));
    assert_non_null(strstr(text.data, "secret: \"***\"\n"));
    assert_non_null(strstr(text.data, "  timeout: 90s\n"));
    assert_non_null(strstr(text.data, "hosts: [\"a b\", \"true\", \"5\"]\n"));
    text.len--;
    struct yaml_node *node =
        yaml_parse(fixture->arena, "printed", buf_slice(&text), &fixture->problems);
    assert_non_null(node);
    const struct options *back =
        options_build(fixture->arena, table, node, NULL, &fixture->problems);
    assert_int_equal(fixture->problems.count, 0);
    assert_true(options_fingerprint(back, &again));
    assert_true(first != again); /* the secret is *** now */
    struct buf second = BUF_INIT(100000);
    options_print(back, 0, &second);
    assert_true(slice_eq(buf_slice(&text), buf_slice(&second)));
    buf_free(&second);
    back = build(fixture, "secret: canary2\n");
    assert_true(options_fingerprint(back, &other));
    back = build(fixture, "secret: canary3\n");
    assert_true(options_fingerprint(back, &again));
    assert_true(other != again);
    buf_free(&text);
}

static void test_changes_that_need_a_restart_are_named(void **state)
{
    struct fixture *fixture = *state;
    struct buf names = BUF_INIT(1000);
    const struct options *before = build(fixture, "port: 1\nsecret: a\nlevel: warn\n");
    const struct options *same = build(fixture, "secret: a\nport: 1\nlevel: info\n");
    assert_int_equal(options_restart_changes(before, same, &names), 0);
    const struct options *after = build(fixture, "port: 2\nsecret: b\nlimits: {timeout: 1s}\n");
    assert_int_equal(options_restart_changes(before, after, &names), 3);
    assert_true(slice_is(buf_slice(&names), "port, secret, limits.timeout"));
    buf_free(&names);
}

static void test_document_tells_types_bounds_and_defaults(void **state)
{
    (void)state;
    struct buf text = BUF_INIT(100000);
    options_document(table, "", &text);
    buf_put_byte(&text, 0);
    assert_non_null(strstr(
        text.data, "| `port` | whole number, 1 to 65535 | `8080` | port (needs a restart) |\n"));
    assert_non_null(
        strstr(text.data, "| `level` | one of `debug`, `info`, `warn` | `info` | how much |\n"));
    assert_non_null(strstr(
        text.data, "| `secret` or `secret_file` | secret |  | the key (needs a restart) |\n"));
    assert_non_null(strstr(text.data, "| `limits.body` | size, 1k to 16M | `1M` | most bytes |\n"));
    assert_non_null(strstr(text.data, "| `sources.NAME.every` | duration | `5m` | how often |\n"));
    buf_free(&text);
}

static void test_too_little_memory_gives_null(void **state)
{
    struct fixture *fixture = *state;
    struct yaml_node *node =
        yaml_parse(fixture->arena, "t.yaml",
                   SLICE("hosts: [a]\nsources: {a: {type: form, path: /x}}\n"), &fixture->problems);
    for (size_t bytes = 0; bytes < 4096; bytes += 64) {
        struct arena *small = arena_new(bytes);
        assert_null(options_build(small, table, node, NULL, &fixture->problems));
        arena_free(&small);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults_fill_what_is_not_written),
        TEST(test_values_are_read_by_type),
        TEST(test_every_problem_is_told_with_its_place),
        TEST(test_wrong_shapes_are_problems),
        TEST(test_a_key_without_a_value_is_not_given),
        TEST(test_secret_files_are_trimmed_and_relative),
        TEST(test_durations_and_sizes),
        TEST(test_print_hides_secrets_and_reads_back),
        TEST(test_changes_that_need_a_restart_are_named),
        TEST(test_document_tells_types_bounds_and_defaults),
        TEST(test_too_little_memory_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
