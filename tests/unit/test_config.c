/* test_config.c - the configuration as files on disk become it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/config/config.h"

struct fixture {
    char dir[64];
    char path[96];
    struct config *config;
    struct problems problems;
};

static void remove_tree(const char *dir)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    strcpy(fixture->dir, "/tmp/test_config_XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    snprintf(fixture->path, sizeof(fixture->path), "%s/main.yaml", fixture->dir);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    config_free(&fixture->config);
    problems_free(&fixture->problems);
    remove_tree(fixture->dir);
    free(fixture);
    return 0;
}

static void put_file(const struct fixture *fixture, const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", fixture->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* Every configuration here brings its own pack and model, so that only the configuration is tested.
 */
static enum status load(struct fixture *fixture, const char *text)
{
    put_file(fixture, "own_pack.yaml", "rules: []\n");
    put_file(fixture, "own_model.yaml", "model: own\n");
    put_file(fixture, "base.yaml", "rules: own_pack.yaml\nmatch: {model: own_model.yaml}\n");
    put_file(fixture, "main.yaml", text);
    config_free(&fixture->config);
    problems_free(&fixture->problems);
    return config_load(fixture->path, &fixture->config, &fixture->problems);
}

static const struct problem *find_problem(const struct fixture *fixture, const char *text)
{
    for (size_t i = 0; i < fixture->problems.count; i++) {
        if (strstr(fixture->problems.list[i].text, text))
            return &fixture->problems.list[i];
    }
    for (size_t i = 0; i < fixture->problems.count; i++)
        print_message("  %u:%u: %s\n", fixture->problems.list[i].line,
                      fixture->problems.list[i].column, fixture->problems.list[i].text);
    fail_msg("no problem says '%s'", text);
    return NULL;
}

static void assert_problem(struct fixture *fixture, const char *yaml, const char *text,
                           unsigned line, unsigned column)
{
    assert_int_equal(load(fixture, yaml), STATUS_FAILED);
    const struct problem *problem = find_problem(fixture, text);
    if (problem->line != line || problem->column != column)
        fail_msg("'%s' is at %u:%u, not %u:%u", text, problem->line, problem->column, line, column);
}

static void assert_good(struct fixture *fixture, const char *yaml)
{
    enum status status = load(fixture, yaml);
    for (size_t i = 0; i < fixture->problems.count; i++)
        print_message("  %s:%u:%u: %s\n", fixture->problems.list[i].file,
                      fixture->problems.list[i].line, fixture->problems.list[i].column,
                      fixture->problems.list[i].text);
    assert_int_equal(status, STATUS_OK);
}

#define BASE "include: base.yaml\n"

static void test_defaults_make_a_whole_configuration(void **state)
{
    struct fixture *fixture = *state;
    assert_good(fixture, BASE);
    const struct config *config = fixture->config;
    assert_int_equal(config_postgres_url(config).len, 0);
    assert_string_equal(config->state_dir, "/var/lib/tributary");
    assert_string_equal(options_string(options_section(config->root, "http"), "private"),
                        "127.0.0.1:8081");
    assert_int_equal(config->source_count, 0);
    assert_int_equal(config->pack_count, 1);
    assert_true(slice_is(config->packs[0].text, "rules: []\n"));
    assert_true(slice_is(config->model, "model: own\n"));
}

static void test_variables_are_put_into_values_only(void **state)
{
    struct fixture *fixture = *state;
    setenv("TEST_DSN", "postgresql://u:p@h/db", 1);
    setenv("TEST_EMPTY", "", 1);
    unsetenv("TEST_UNSET");
    assert_good(fixture, BASE "postgres: {url: \"${TEST_DSN}\"}\n"
                              "state_dir: /x/${TEST_UNSET:-a}/${TEST_EMPTY:-b}/$${c}\n"
                              "http: {public_base_url: \"${TEST_EMPTY}\"}\n"
                              "fields: {\"${TEST_DSN}\": {type: text}}\n");
    assert_true(slice_is(config_postgres_url(fixture->config), "postgresql://u:p@h/db"));
    assert_string_equal(fixture->config->state_dir, "/x/a/b/${c}");
    assert_null(options_string(options_section(fixture->config->root, "http"), "public_base_url"));
    assert_non_null(yaml_get(options_node(fixture->config->root, "fields"), "${TEST_DSN}"));

    assert_problem(fixture, BASE "postgres:\n  url: ${TEST_UNSET}\n", "TEST_UNSET is not set", 3,
                   8);
    assert_problem(fixture, BASE "state_dir: ${TEST\n", "without '}'", 2, 12);
    assert_problem(fixture, BASE "state_dir: ${1+1}\n", "not a variable", 2, 12);
    setenv("TEST_BYTES", "\xff", 1);
    assert_problem(fixture, BASE "state_dir: ${TEST_BYTES}\n", "not UTF-8", 2, 12);
}

static void test_a_planted_secret_is_never_shown(void **state)
{
    struct fixture *fixture = *state;
    setenv("TEST_CANARY", "canary-1", 1);
    put_file(fixture, "token", "canary-2\n");
    assert_good(fixture, BASE
                "postgres: {url: \"postgresql://u:canary-3@h/db\"}\nhttp: {token_file: token}\n"
                "sinks: {a: {type: webhook, url: \"https://u:canary-4@h/p?q=${TEST_CANARY}\",\n"
                "  secret: canary-5, headers: {Authorization: \"Bearer ${TEST_CANARY}\"}},\n"
                "  b: {type: webhook, url: \"https://h/p?a=1&Key=canary-6&b=2#f\",\n"
                "  headers: {X-Api-Key: canary-7, X-Plain: shown}}}\n");
    struct buf text = BUF_INIT(1 << 20);
    config_print(fixture->config, &text);
    buf_put_byte(&text, 0);
    assert_null(strstr(text.data, "canary"));
    assert_non_null(strstr(text.data, "Bearer ${TEST_CANARY}"));
    assert_non_null(strstr(text.data, "https://u:***@h/p"));
    assert_non_null(strstr(text.data, "https://h/p?a=1&Key=***&b=2#f"));
    assert_non_null(strstr(text.data, "X-Plain: [shown]"));
    buf_free(&text);
    uint64_t before = fixture->config->hash;
    setenv("TEST_CANARY", "canary-9", 1);
    struct config *again = NULL;
    assert_int_equal(config_load(fixture->path, &again, &fixture->problems), STATUS_OK);
    assert_true(again->hash != before); /* a changed secret is a changed configuration */
    config_free(&again);
    /* Nor by a complaint. */
    assert_int_equal(
        load(fixture,
             BASE "limits: {records: \"${TEST_CANARY}\"}\nlog: {level: \"${TEST_CANARY}\"}\n"),
        STATUS_FAILED);
    for (size_t i = 0; i < fixture->problems.count; i++)
        assert_null(strstr(fixture->problems.list[i].text, "canary"));
}

static void test_includes_unite_and_never_override(void **state)
{
    struct fixture *fixture = *state;
    char dir[96];
    snprintf(dir, sizeof(dir), "%s/conf.d", fixture->dir);
    mkdir(dir, 0700);
    put_file(fixture, "conf.d/a.yaml", "sinks: {a: {type: notify}}\nhttp: {token_file: t}\n");
    put_file(fixture, "conf.d/b.yaml", "sinks:\n  b: {type: file, path: /x}\n");
    put_file(fixture, "conf.d/t", "hush\n");
    const char *text = "include: [base.yaml, conf.d/*.yaml, none/*.yaml]\nhttp: {max_body: 64k}\n";
    assert_good(fixture, text);
    assert_int_equal(fixture->config->sink_count, 2);
    const struct options *http = options_section(fixture->config->root, "http");
    assert_int_equal(options_int(http, "max_body"), 65536);
    assert_true(slice_is(options_secret(http, "token"), "hush")); /* relative to conf.d */

    put_file(fixture, "conf.d/c.yaml", "sinks:\n  b: {type: notify}\n");
    assert_int_equal(load(fixture, text), STATUS_FAILED);
    const struct problem *problem = find_problem(fixture, "'b' is also given at");
    assert_int_equal(problem->line, 2);
    assert_non_null(strstr(problem->file, "conf.d/c.yaml"));

    put_file(fixture, "conf.d/c.yaml", "rules: [people]\n");
    assert_int_equal(load(fixture, text), STATUS_FAILED);
    find_problem(fixture, "'rules' is also given at");
    put_file(fixture, "conf.d/c.yaml", "include: ../main.yaml\n");
    assert_int_equal(load(fixture, text), STATUS_FAILED);
    find_problem(fixture, "is read already");
    assert_problem(fixture, "include: [base.yaml, missing.yaml]\n", "No such file", 1, 22);
    assert_problem(fixture, "include: [base.yaml, conf.d]\n", "not a regular file", 1, 22);
}

static void test_includes_have_a_depth(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 12; i++) {
        char name[32], text[64];
        snprintf(name, sizeof(name), "n%d.yaml", i);
        snprintf(text, sizeof(text), "include: n%d.yaml\n", i + 1);
        put_file(fixture, name, text);
    }
    assert_int_equal(load(fixture, "include: [base.yaml, n0.yaml]\n"), STATUS_FAILED);
    find_problem(fixture, "8 deep");
}

static void test_what_refers_to_nothing_is_told(void **state)
{
    struct fixture *fixture = *state;
    assert_problem(fixture, BASE "golden: {source_rank: [steward, shpo]}\n",
                   "unknown source 'shpo'", 2, 33);
    assert_problem(fixture, BASE "golden: {source_rank: [steward, steward]}\n", "twice", 2, 33);
    assert_problem(fixture, BASE "sinks: {a: {type: notify, events: [lead.craeted]}}\n",
                   "unknown event 'lead.craeted'; hint: did you mean 'lead.created'?", 2, 36);
    assert_problem(fixture, BASE "sinks: {a: {type: notify, sources: landing}}\n",
                   "unknown source 'landing'", 2, 36);
    assert_problem(fixture, BASE "sinks: {a: {type: webhok, url: x}}\n",
                   "unknown type 'webhok'; hint: did you mean 'webhook'?", 2, 19);
    assert_problem(fixture, BASE "sinks: {a: {events: \"*\"}}\n", "sinks.a.type is missing", 2, 12);
    assert_problem(fixture, BASE "sources: {a: {type: carrier_pigeon}}\n",
                   "unknown type 'carrier_pigeon'", 2, 21);
    assert_problem(fixture, BASE "sources: {a: {preset: shopfy_no_such}}\n", "unknown preset", 2,
                   23);
    assert_int_equal(fixture->problems.count, 1);
    assert_problem(fixture, BASE "sources: {a: {every: 5m}}\n", "needs a type or a preset", 2, 14);
    assert_problem(fixture, "rules: [poeple]\n",
                   "unknown rule pack 'poeple'; hint: did you mean 'people'?", 1, 9);
    assert_good(fixture, BASE "sinks: {a: {type: notify, events: [lead.*, customer.merged]}}\n");
}

static void test_values_that_cannot_be_are_told(void **state)
{
    struct fixture *fixture = *state;
    assert_problem(fixture, BASE "http: {public: localhost}\n", "not address:port", 2, 16);
    assert_problem(fixture, BASE "http: {public: \"127.0.0.1:8081\"}\n", "same address", 2, 7);
    assert_problem(fixture, BASE "http: {trusted_proxies: [10.0.0.0/8, 10.0.0.0/33]}\n",
                   "10.0.0.0/33", 2, 38);
    assert_problem(fixture, BASE "http: {public_base_url: leads.example.com}\n", "http://", 2, 25);
    assert_problem(fixture, "include: base.yaml\nmatch: {link: 0.5}\n", "match.review is above", 2,
                   8);
    assert_problem(fixture, "include: base.yaml\nmatch: {link: 1}\n", "under 1", 2, 15);
    assert_problem(fixture, BASE "sinks: {Big Name: {type: notify}}\n", "a name is", 2, 19);
    assert_problem(fixture, BASE "sinks: {a: {type: webhook, url: ftp://x}}\n", "http://", 2, 33);
    assert_good(
        fixture,
        BASE "http: {public: \"[::]:0\", private: off, trusted_proxies: [\"::1\", 10.0.0.0/8]}\n");
}

static void test_sources_are_checked_whatever_their_type(void **state)
{
    struct fixture *fixture = *state;
    assert_problem(fixture, BASE "sources: {a: {type: none, country: China}}\n", "country: 'China'",
                   2, 36);
    assert_problem(fixture, BASE "sources: {a: {type: none, time_zone: Mars/Base}}\n",
                   "time_zone: 'Mars/Base'", 2, 38);
    assert_problem(fixture, BASE "sources: {steward: {type: none}}\n", "kept for the stewards", 2,
                   20);
    assert_problem(fixture, BASE "spaces: {north: {}}\nsources: {a: {type: none, space: nroth}}\n",
                   "did you mean 'north'?", 3, 34);
    assert_problem(fixture, BASE "sources: {a: {type: csv, drop: /d/x}, b: {type: csv, drop: /d/x/}}\n",
                   "is watched by source 'a' already", 2, 60);
    assert_problem(fixture, BASE "sources: {a: {type: csv, drop: /d/x}, b: {type: csv, drop: /d/x/y/z}}\n",
                   "drop '/d/x/y/z' lies in '/d/x', which source 'a' watches", 2, 60);
    assert_problem(fixture, BASE "sources: {a: {type: csv, drop: /d/x/y}, b: {type: csv, drop: /d/x}}\n",
                   "drop '/d/x' lies around '/d/x/y', which source 'a' watches", 2, 62);
    assert_problem(fixture, BASE "load_dirs: [/data, imports]\n", "'imports' does not begin with a /", 2, 12);
}

static void test_folders_beside_each_other_are_fine(void **state)
{
    struct fixture *fixture = *state;
    (void)load(fixture, BASE "load_dirs: [/data]\nsources: {a: {type: csv, drop: /d/x}, b: {type: csv, drop: /d/xy}}\n");
    assert_int_equal(fixture->problems.count, 0);
}

static void test_source_rules_are_at_hand(void **state)
{
    struct fixture *fixture = *state;
    (void)load(fixture, BASE
               "sources:\n  a:\n    type: none\n    kind: company\n    country: CN\n"
               "    time_zone: Asia/Shanghai\n    day_first: yes\n    map: {phone: [Tel, 手机]}\n");
    const struct config_source *source = config_source_find(fixture->config, "a");
    assert_non_null(source);
    assert_int_equal(source->rules.kind, KIND_COMPANY);
    assert_string_equal(source->rules.country, "CN");
    assert_true(source->rules.day_first);
    assert_int_equal(source->rules.map_count, 1);
    assert_true(slice_is(source->rules.map[0].columns[1], "手机"));
    assert_null(config_source_find(fixture->config, "b"));
}

static void test_a_preset_gives_defaults(void **state)
{
    struct fixture *fixture = *state;
    put_file(fixture, "p.yaml",
             "type: none\nevery: 1h\ncountry: CN\nmap: {phone: Tel, email: Mail}\n");
    (void)load(fixture, BASE "sources: {a: {preset: ./p.yaml, every: 2h, map: {phone: Handy}}}\n");
    const struct options *source = fixture->config->sources[0].options;
    assert_int_equal(options_int(source, "every"), 7200000);
    assert_string_equal(options_string(source, "country"), "CN");
    const struct option_text *map;
    assert_int_equal(options_text_map(source, "map", &map), 2);
    assert_true(slice_is(map[0].values[0], "Handy"));
    assert_problem(fixture, BASE "sources: {a: {preset: ./p.yaml, type: form}}\n",
                   "is of type 'none'", 2, 39);
}

static void test_a_relative_state_dir_is_beside_the_file(void **state)
{
    struct fixture *fixture = *state;
    char expected[96];
    assert_good(fixture, BASE "state_dir: state\n");
    snprintf(expected, sizeof(expected), "%s/state", fixture->dir);
    assert_string_equal(fixture->config->state_dir, expected);
}

static void test_every_broken_prefix_is_a_problem_or_a_configuration(void **state)
{
    struct fixture *fixture = *state;
    static const char text[] =
        BASE "http: {public: \"0.0.0.0:1\", trusted_proxies: [10.0.0.0/8]}\n"
             "sinks:\n  a: {type: webhook, url: \"https://x\", secret: \"s\", events: [lead.*]}\n"
             "golden: {phone: [verified], source_rank: [steward]}\n";
    for (size_t length = 0; length < sizeof(text); length++) {
        char cut[sizeof(text)];
        memcpy(cut, text, length);
        cut[length] = '\0';
        enum status status = load(fixture, cut);
        assert_int_equal(status == STATUS_OK, fixture->problems.count == 0);
        assert_non_null(fixture->config);
    }
}

static void test_the_path_comes_from_flag_environment_or_default(void **state)
{
    (void)state;
    setenv(CONFIG_PATH_VARIABLE, "/from/env.yaml", 1);
    assert_string_equal(config_find_path("/given.yaml"), "/given.yaml");
    assert_string_equal(config_find_path(NULL), "/from/env.yaml");
    setenv(CONFIG_PATH_VARIABLE, "", 1);
    assert_string_equal(config_find_path(NULL), CONFIG_DEFAULT_PATH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults_make_a_whole_configuration),
        TEST(test_variables_are_put_into_values_only),
        TEST(test_a_planted_secret_is_never_shown),
        TEST(test_includes_unite_and_never_override),
        TEST(test_includes_have_a_depth),
        TEST(test_what_refers_to_nothing_is_told),
        TEST(test_values_that_cannot_be_are_told),
        TEST(test_sources_are_checked_whatever_their_type),
        TEST(test_folders_beside_each_other_are_fine),
        TEST(test_source_rules_are_at_hand),
        TEST(test_a_preset_gives_defaults),
        TEST(test_a_relative_state_dir_is_beside_the_file),
        TEST(test_every_broken_prefix_is_a_problem_or_a_configuration),
        TEST(test_the_path_comes_from_flag_environment_or_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
