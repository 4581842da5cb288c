/* cmd_check.c - `tributary check`: every problem of the configuration, before it matters. */
#include "daemon/cli/cli.h"

#include <stdio.h>

#define PRINT_MAX_BYTES ((size_t)16 << 20)

static int print_effective(const struct cli *cli, const struct config *config)
{
    struct buf out = BUF_INIT(PRINT_MAX_BYTES);
    config_print(config, &out);
    bool failed = buf_failed(&out);
    if (!failed)
        fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
    return failed ? cli_fail(cli, EXIT_CODE_FAILED, "the configuration is too large to print")
                  : EXIT_CODE_OK;
}

static int run(const struct cli *cli)
{
    struct config *config = NULL;
    struct problems problems = {0};
    int code = EXIT_CODE_OK;
    const char *path = cli_argument_count(cli) ? cli_argument(cli, 0) : cli_config_path(cli);
    if (config_load(path, &config, &problems) == STATUS_OK)
        config_check_rules(config, &problems);
    if (problems.count > 0) {
        cli_print_problems(cli, &problems);
        code = EXIT_CODE_CONFIG;
    } else if (cli_flag(cli, "print")) {
        code = print_effective(cli, config);
    } else if (cli_wants_json(cli)) {
        cli_print_problems(cli, &problems);
    } else {
        fprintf(stderr, "%s: good (sources: %zu, sinks: %zu)\n", path, config->source_count,
                config->sink_count);
    }
    problems_free(&problems);
    config_free(&config);
    return code;
}

static const struct cli_option options[] = {
    {"print", 'p', NULL, "prints the effective configuration, defaults filled in, secrets as ***"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_check = {
    .name = "check",
    .synopsis = "[FILE]",
    .help = "checks the configuration and tells every problem",
    .details = "Reads FILE (or --config) with its includes, presets, secrets and rules, as the "
               "daemon would, and prints\n"
               "each problem as file:line:column: what. Exit code 78 when there is any.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
