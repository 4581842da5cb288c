/* cmd_test.c - `tributary test`: runs the tests written beside the rules in packs. */
#include "daemon/base/asset.h"
#include "daemon/cli/cli.h"
#include "rules/ruleset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PACK_MAX_BYTES   ((size_t)1 << 20)
#define OUTPUT_MAX_BYTES ((size_t)16 << 20)
#define SHIPPED_PACK     "people"

static bool shipped(struct arena *arena, const char *name, struct pack_text *pack)
{
    bool found = false;
    if (strchr(name, '/') || strchr(name, '.'))
        return false;
    struct slice path = arena_printf(arena, "rules/packs/%s.yaml", name);
    *pack = (struct pack_text){path.ptr, asset_find(path.ptr, &found)};
    return found;
}

static bool read_pack(struct arena *arena, const char *path, struct pack_text *pack)
{
    FILE *file = fopen(path, "rb");
    char *text = file ? arena_alloc(arena, PACK_MAX_BYTES + 1) : NULL;
    size_t len = text ? fread(text, 1, PACK_MAX_BYTES + 1, file) : 0;
    bool ok = text && !ferror(file);
    if (ok && len > PACK_MAX_BYTES) {
        errno = EFBIG;
        ok = false;
    }
    if (file)
        fclose(file);
    *pack = (struct pack_text){path, slice_of(text, len)};
    return ok;
}

/* The packs named on the command line, after the shipped one whose fields they speak of. */
static int read_named(const struct cli *cli, struct arena *arena, struct pack_text *packs,
                      size_t *count)
{
    bool has_shipped = false;
    for (size_t i = 0; i < cli_argument_count(cli); i++)
        has_shipped |= strcmp(cli_argument(cli, i), SHIPPED_PACK) == 0;
    if (!has_shipped && shipped(arena, SHIPPED_PACK, &packs[*count]))
        (*count)++;
    for (size_t i = 0; i < cli_argument_count(cli); i++) {
        const char *name = cli_argument(cli, i);
        if (!shipped(arena, name, &packs[*count]) && !read_pack(arena, name, &packs[*count]))
            return cli_fail(cli, EXIT_CODE_USAGE,
                            "cannot read %s: %s; hint: a file, or the shipped pack " SHIPPED_PACK,
                            name, strerror(errno));
        (*count)++;
    }
    return EXIT_CODE_OK;
}

static void print(const struct cli *cli, const struct ruleset_test_counts *counts,
                  struct slice failures)
{
    if (!cli_wants_json(cli)) {
        printf("%.*s%zu passed, %zu failed\n", (int)failures.len, failures.ptr, counts->passed,
               counts->failed);
        return;
    }
    struct buf out = BUF_INIT(2 * OUTPUT_MAX_BYTES);
    buf_printf(&out, "{\"passed\": %zu, \"failed\": %zu, \"failures\": [", counts->passed,
               counts->failed);
    for (bool first = true; failures.len > 0; first = false) {
        ptrdiff_t end = slice_find_byte(failures, '\n');
        size_t len = end < 0 ? failures.len : (size_t)end;
        buf_put_str(&out, first ? "" : ", ");
        buf_put_json(&out, slice_sub(failures, 0, len));
        failures = slice_sub(failures, len + 1, failures.len);
    }
    buf_put_str(&out, "]}\n");
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

/* A pack may speak of fields that only a configuration declares. */
static void hint_at_fields(const struct cli *cli, const struct problems *problems, struct slice failures)
{
    bool unknown = slice_find(failures, SLICE("unknown field")) >= 0;
    for (size_t i = 0; i < problems->count && !unknown; i++)
        unknown = strstr(problems->list[i].text, "unknown field") != NULL;
    if (unknown && cli_argument_count(cli) > 0 && cli_value(cli, "config") == NULL)
        fputs("hint: --config=FILE lets the packs know the fields of that configuration\n", stderr);
}

static int run_tests(const struct cli *cli, const struct pack_text *packs, size_t count,
                     const struct yaml_node *user_fields)
{
    struct problems problems = {0};
    struct ruleset *ruleset = ruleset_new(packs, count, user_fields, &problems);
    int code = EXIT_CODE_CONFIG;
    if (ruleset) {
        struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
        struct ruleset_test_counts counts = ruleset_run_tests(ruleset, &out);
        print(cli, &counts, buf_slice(&out));
        fflush(stdout);
        hint_at_fields(cli, &problems, buf_slice(&out));
        code = counts.failed ? EXIT_CODE_FAILED : EXIT_CODE_OK;
        buf_free(&out);
    } else {
        cli_print_problems(cli, &problems);
        hint_at_fields(cli, &problems, SLICE_EMPTY);
    }
    ruleset_free(&ruleset);
    problems_free(&problems);
    return code;
}

static int run_named(const struct cli *cli, const struct yaml_node *user_fields)
{
    struct arena *arena = arena_new((CLI_ARGUMENTS_MAX + 2) * (PACK_MAX_BYTES + 4096));
    struct pack_text packs[CLI_ARGUMENTS_MAX + 1];
    size_t count = 0;
    if (arena == NULL)
        return cli_fail(cli, EXIT_CODE_TEMPORARY, "out of memory");
    int code = read_named(cli, arena, packs, &count);
    if (code == EXIT_CODE_OK)
        code = run_tests(cli, packs, count, user_fields);
    arena_free(&arena);
    return code;
}

static int run(const struct cli *cli)
{
    struct config *config = NULL;
    /* Without arguments and without a configuration there is still the shipped pack to test. */
    bool named = cli_argument_count(cli) > 0, given = cli_value(cli, "config") != NULL;
    if (named ? !given : access(cli_config_path(cli), F_OK) != 0)
        return run_named(cli, NULL);
    int code = cli_load_config(cli, &config);
    if (code == EXIT_CODE_OK && named)
        code = run_named(cli, options_node(config->root, "fields"));
    else if (code == EXIT_CODE_OK)
        code =
            run_tests(cli, config->packs, config->pack_count, options_node(config->root, "fields"));
    config_free(&config);
    return code;
}

const struct cli_command cmd_test = {
    .name = "test",
    .synopsis = "[PACK ...]",
    .help = "runs the tests written beside the rules",
    .details = "PACK is a file or the name of a shipped pack; the shipped pack people, whose "
               "fields the others speak of,\n"
               "goes first, and with --config also the fields of that configuration. Without PACK the packs of the configuration are tested, or the shipped "
               "ones when there is no\n"
               "configuration. The tests of shipped packs run only when no pack of your own "
               "changes them. Prints one line\n"
               "for each failure and `N passed, N failed`; exit code 1 when any failed, 78 when a "
               "pack does not compile.",
    .max_arguments = CLI_ARGUMENTS_MAX,
    .run = run,
};
