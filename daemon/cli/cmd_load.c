/* cmd_load.c - `tributary load`: one file taken in through a source, with a progress bar. */
#include "daemon/cli/cli.h"
#include "daemon/cli/progress.h"
#include "daemon/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

#define READY_WAIT_MS    120000
#define STOP_DEADLINE_MS 20000

struct load {
    struct progress *bar;
    struct load_progress last;
};

static void on_progress(void *data, const struct load_progress *progress)
{
    struct load *load = data;
    load->last = *progress;
    progress_show(load->bar, progress->bytes_done, progress->bytes_total, progress->resolved,
                  progress->received);
}

/* What came of it, on standard output. `seconds` counts from when the engine was ready. */
static void print_summary(const struct cli *cli, struct engine *engine, const struct load *load,
                          int64_t taken_us)
{
    struct resolver_stats stats;
    resolver_stats(engine_resolver(engine), &stats);
    double seconds = (double)taken_us / 1e6;
    unsigned long long received = load->last.received, repeats = load->last.repeats;
    unsigned long long rate = seconds > 0 ? (unsigned long long)((double)received / seconds) : 0;
    unsigned long long records = stats.records, customers = stats.customers, leads = stats.leads;
    unsigned long long events = stats.events;
    size_t index_bytes = stats.graph.bytes + stats.known_bytes + stats.roster_bytes;
    if (cli_wants_json(cli))
        printf("{\"received\":%llu,\"repeats\":%llu,\"seconds\":%.3f,\"records_per_s\":%llu,"
               "\"records\":%llu,\"customers\":%llu,\"leads\":%llu,\"events\":%llu,\"index_bytes\":%zu}\n",
               received, repeats, seconds, rate, records, customers, leads, events, index_bytes);
    else
        printf("%llu received, %llu of them repeats, in %.1f s: %llu/s; now %llu records, %llu customers, "
               "%llu leads, %llu events; index of %zu bytes\n",
               received, repeats, seconds, rate, records, customers, leads, events, index_bytes);
}

static int load_with(const struct cli *cli, struct engine *engine)
{
    struct err err = {0};
    if (engine_wait_ready(engine, READY_WAIT_MS, &err) != STATUS_OK)
        return cli_fail_err(cli, &err);
    int64_t started_us = clock_monotonic_us(clock_system());
    struct load load = {.bar = progress_new(clock_system())};
    enum status status = engine_load(engine, cli_argument(cli, 0), cli_argument(cli, 1),
                                     cli_flag(cli, "backfill"), on_progress, &load, &err);
    progress_free(&load.bar);
    if (status != STATUS_OK)
        return cli_fail_err(cli, &err);
    print_summary(cli, engine, &load, clock_monotonic_us(clock_system()) - started_us);
    return EXIT_CODE_OK;
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
