/* cmd_load.c - `tributary load`: one file taken in through a source, with a progress bar. */
#include "daemon/cli/cli.h"
#include "daemon/cli/progress.h"
#include "daemon/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

#define READY_WAIT_MS    120000
#define STOP_DEADLINE_MS 20000

static void on_progress(void *data, const struct load_progress *progress)
{
    progress_show(data, progress->bytes_done, progress->bytes_total, progress->resolved,
                  progress->received);
}

static int load_with(const struct cli *cli, struct engine *engine)
{
    struct err err = {0};
    if (engine_wait_ready(engine, READY_WAIT_MS, &err) != STATUS_OK)
        return cli_fail_err(cli, &err);
    struct progress *bar = progress_new(clock_system());
    enum status status = engine_load(engine, cli_argument(cli, 0), cli_argument(cli, 1),
                                     cli_flag(cli, "backfill"), on_progress, bar, &err);
    progress_free(&bar);
    return status == STATUS_OK ? EXIT_CODE_OK : cli_fail_err(cli, &err);
}

static int run(const struct cli *cli)
{
    struct config *config = NULL;
    int code = cli_load_config(cli, &config);
    if (code != EXIT_CODE_OK)
        return code;
    struct engine_settings settings = {.config = config, .clock = clock_system()};
    struct engine *engine = NULL;
    struct problems problems = {0};
    struct err err = {0};
    if (engine_start(&settings, &engine, &problems, &err) == STATUS_OK) {
        code = load_with(cli, engine);
        engine_stop(&engine, STOP_DEADLINE_MS);
    } else if (problems.count > 0) {
        cli_print_problems(cli, &problems);
        code = EXIT_CODE_CONFIG;
    } else {
        code = cli_fail_err(cli, &err);
    }
    problems_free(&problems);
    config_free(&config);
    return code;
}

static const struct cli_option options[] = {
    {"backfill", 'b', NULL, "makes customers without leads; their first own sign of life makes the lead"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_load = {
    .name = "load",
    .synopsis = "SOURCE FILE",
    .help = "takes a file in through a csv source and waits until it is resolved",
    .details = "The file is read where it is and stays there. Loading it again changes nothing: rows already\n"
               "taken in are repeats, so an interrupted load is simply started again.",
    .options = options,
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run,
};
