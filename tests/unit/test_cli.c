/* test_cli.c - the command line: what is refused, what commands hear, what lists look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/cli/cli_internal.h"
#include "daemon/cli/table.h"

static const struct cli_option probe_options[] = {
    {"map", 'm', "COLUMN=FIELD", "a mapping"},
    {"force", 'f', NULL, "a flag"},
    {NULL, 0, NULL, NULL},
};
static int never(const struct cli *cli)
{
    (void)cli;
    return 0;
}
static const struct cli_command probe = {.name = "probe",
                                         .verbs = "list|retry",
                                         .synopsis = "ID [FILE]",
                                         .help = "probes",
                                         .options = probe_options,
                                         .min_arguments = 1,
                                         .max_arguments = 2,
                                         .run = never};

static struct cli cli;

/* Runs with standard output and error in a file; what was written is in `text`. */
static char text[65536];
static int saved_out, saved_err, captured;

static void capture(void)
{
    char path[] = "/tmp/test_cli_XXXXXX";
    fflush(stdout);
    fflush(stderr);
    captured = mkstemp(path);
    assert_true(captured >= 0);
    unlink(path);
    saved_out = dup(1);
    saved_err = dup(2);
    dup2(captured, 1);
    dup2(captured, 2);
}

static void release(void)
{
    fflush(stdout);
    fflush(stderr);
    dup2(saved_out, 1);
    dup2(saved_err, 2);
    close(saved_out);
    close(saved_err);
    ssize_t length = pread(captured, text, sizeof(text) - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    close(captured);
}

static int parse(char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    memset(&cli, 0, sizeof(cli));
    cli.command = &probe;
    capture();
    int code = cli_parse(&cli, argc, argv);
    release();
    return code;
}
#define PARSE(...) parse((char *[]){"probe", __VA_ARGS__, NULL})

static int run_main(char **argv)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    capture();
    int code = cli_main(argc, argv);
    release();
    return code;
}
#define MAIN(...) run_main((char *[]){"tributary", __VA_ARGS__, NULL})

static void test_options_stand_anywhere_in_any_form(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-m", "a=b", "retry", "-f", "--map=c=d", "7", "-me=f", "--", "-x"), 0);
    assert_string_equal(cli_verb(&cli), "retry");
    assert_int_equal(cli_argument_count(&cli), 2);
    assert_string_equal(cli_argument(&cli, 0), "7");
    assert_string_equal(cli_argument(&cli, 1), "-x");
    assert_null(cli_argument(&cli, 2));
    assert_true(cli_flag(&cli, "force"));
    const char *const *values;
    assert_int_equal(cli_values(&cli, "map", &values), 3);
    assert_string_equal(values[0], "a=b");
    assert_string_equal(values[1], "c=d");
    assert_string_equal(values[2], "e=f");
    assert_string_equal(cli_value(&cli, "map"), "e=f");
    assert_null(cli_value(&cli, "config"));
    assert_false(cli_wants_json(&cli));
}

static void test_mistakes_are_usage_errors_that_help(void **state)
{
    (void)state;
    assert_int_equal(PARSE("lsit", "1"), EXIT_CODE_USAGE);
    assert_non_null(strstr(text, "did you mean 'list'?"));
    assert_int_equal(PARSE("list"), EXIT_CODE_USAGE);
    assert_non_null(strstr(text, "too few arguments; hint: tributary probe list ID [FILE]"));
    assert_int_equal(PARSE("list", "1", "2", "3"), EXIT_CODE_USAGE);
    assert_non_null(strstr(text, "'3' is one argument too many"));
    assert_int_equal(PARSE("--frce", "list", "1"), EXIT_CODE_USAGE);
    assert_non_null(strstr(text, "did you mean '--force'?"));
    assert_int_equal(PARSE("-z"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("--force=1"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("list", "1", "--map"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("list", "1", "--format=xml"), EXIT_CODE_USAGE);
    assert_int_equal(PARSE("--help"), EXIT_CODE_OK);
}

static void test_main_answers_help_version_and_nonsense(void **state)
{
    (void)state;
    assert_int_equal(MAIN("--help"), EXIT_CODE_OK);
    assert_non_null(strstr(text, "  check "));
    assert_null(strstr(text, "config-doc"));
    assert_int_equal(MAIN("--version"), EXIT_CODE_OK);
    assert_int_equal(MAIN("help", "check"), EXIT_CODE_OK);
    assert_non_null(strstr(text, "--print"));
    assert_int_equal(MAIN("check", "--help"), EXIT_CODE_OK);
    assert_int_equal(MAIN("chek"), EXIT_CODE_USAGE);
    assert_non_null(strstr(text, "did you mean 'check'?"));
    assert_int_equal(MAIN("help", "nothing-such"), EXIT_CODE_USAGE);
    assert_int_equal(MAIN("--config=x", "check"), EXIT_CODE_USAGE);
    assert_int_equal(run_main((char *[]){"tributary", NULL}), EXIT_CODE_USAGE);
}

static void test_check_tells_each_problem_with_its_place(void **state)
{
    (void)state;
    char path[] = "/tmp/test_cli_XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    static const char yaml[] = "sinks: {a: {type: webhok}}\nprot: 1\n";
    assert_int_equal(write(fd, yaml, sizeof(yaml) - 1), sizeof(yaml) - 1);
    close(fd);
    assert_int_equal(MAIN("check", path), EXIT_CODE_CONFIG);
    char expected[128];
    snprintf(expected, sizeof(expected),
             "%s:1:19: unknown type 'webhok'; hint: did you mean 'webhook'?\n", path);
    assert_non_null(strstr(text, expected));
    snprintf(expected, sizeof(expected), "%s:2:1: unknown key 'prot'", path);
    assert_non_null(strstr(text, expected));
    assert_int_equal(MAIN("check", "--format=json", "-c", path), EXIT_CODE_CONFIG);
    assert_int_equal(text[0], '[');
    assert_non_null(strstr(text, "\"line\": 2, \"column\": 1"));
    unlink(path);
    assert_int_equal(MAIN("check", path), EXIT_CODE_CONFIG);
    assert_non_null(strstr(text, "No such file"));
}

static const struct cli_column columns[] = {
    {"name", CLI_TEXT}, {"count", CLI_NUMBER}, {"more", CLI_JSON}, {NULL, CLI_TEXT}};

static void put_rows(struct cli_table *table)
{
    cli_table_text(table, "张三");
    cli_table_int(table, 5);
    cli_table_text(table, "{\"a\":1}");
    cli_table_text(table, "b\x1b[2J\n");
    cli_table_int(table, 12345678);
    cli_table_text(table, NULL);
    cli_table_end(&table);
}

static void test_tables_align_and_speak_json(void **state)
{
    (void)state;
    (void)PARSE("list", "1");
    capture();
    put_rows(cli_table_new(&cli, columns));
    release();
    assert_string_equal(text, "name       count  more\n"
                              "张三           5  {\"a\":1}\n"
                              "b [2J   12345678  -\n");
    (void)PARSE("list", "1", "--format=json");
    capture();
    put_rows(cli_table_new(&cli, columns));
    struct cli_table *empty = cli_table_new(&cli, columns);
    cli_table_end(&empty);
    release();
    assert_string_equal(
        text, "[\n{\"name\": \"张三\", \"count\": 5, \"more\": {\"a\":1}},\n"
              "{\"name\": \"b\\u001b[2J\\n\", \"count\": 12345678, \"more\": null}\n]\n[]\n");
}

static void test_a_long_list_flows(void **state)
{
    (void)state;
    (void)PARSE("list", "1");
    capture();
    struct cli_table *table = cli_table_new(&cli, columns);
    for (int i = 0; i < 2500; i++) {
        cli_table_text(table, "x");
        cli_table_int(table, i);
        cli_table_text(table, "1");
    }
    cli_table_end(&table);
    release();
    size_t lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 2501);
    assert_non_null(strstr(text, "\nx      2499  1\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_anywhere_in_any_form),
        cmocka_unit_test(test_mistakes_are_usage_errors_that_help),
        cmocka_unit_test(test_main_answers_help_version_and_nonsense),
        cmocka_unit_test(test_check_tells_each_problem_with_its_place),
        cmocka_unit_test(test_tables_align_and_speak_json),
        cmocka_unit_test(test_a_long_list_flows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
