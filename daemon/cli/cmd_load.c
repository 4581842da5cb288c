/*
 * cmd_load.c - `tributary load`: one file taken in through a source, with a progress bar.
 *
 * Through the daemon when one runs, which is given a copy of a file it would not take; else by an engine in this process.
 */
#include "daemon/cli/cli.h"
#include "daemon/cli/load_copy.h"
#include "daemon/cli/progress.h"
#include "daemon/cli/remote.h"
#include "daemon/config/load_dirs.h"
#include "daemon/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASK_EVERY_MS 200

struct load {
    struct progress *bar;
    struct load_progress last;
    bool told; /* how the columns are read */
};

/* Text out of a file must not play with the terminal. */
static void say(const char *what, const char *text, const char *more)
{
    fputs(what, stderr);
    for (; *text; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7F ? ' ' : *text, stderr);
    fprintf(stderr, "%s\n", more);
}

static void on_progress(void *data, const struct load_progress *progress)
{
    struct load *load = data;
    load->last = *progress;
    if (!load->told && progress->understood[0]) {
        bool nothing = strncmp(progress->understood, "nothing", 7) == 0;
        say("understood: ", progress->understood, nothing ? "; hint: say which is which under map: in the source's section" : "");
        load->told = true;
    }
    if (progress->bytes_total > 0)
        progress_show(load->bar, progress->bytes_done, progress->bytes_total,
                      progress->resolved + progress->repeats, progress->received);
}

struct totals {
    unsigned long long records, customers, leads, events, index_bytes;
};

struct outcome {
    const char *name;
    unsigned long long count;
};

static void print_json(const struct totals *now, const struct load *load, double seconds, unsigned long long rate)
{
    const struct load_progress *p = &load->last;
    json_t *report = json_pack(
        "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:s}", "received", (json_int_t)p->received,
        "stored", (json_int_t)p->stored, "updated", (json_int_t)p->updated, "deleted", (json_int_t)p->deleted,
        "repeats", (json_int_t)p->repeats, "rejected", (json_int_t)p->rejected, "quarantined",
        (json_int_t)p->quarantined, "suppressed", (json_int_t)p->suppressed, "seconds", seconds, "records_per_s",
        (json_int_t)rate, "records", (json_int_t)now->records, "customers", (json_int_t)now->customers, "leads",
        (json_int_t)now->leads, "events", (json_int_t)now->events, "index_bytes", (json_int_t)now->index_bytes,
        "understood", p->understood, "refusal", p->refusal);
    if (report)
        json_dumpf(report, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(report);
}

/* What came of it, on standard output: what was stored always, the rest where there is any. */
static void print_text(const struct totals *now, const struct load *load, double seconds, unsigned long long rate)
{
    const struct load_progress *p = &load->last;
    const struct outcome rest[] = {{"updated", p->updated},   {"deleted", p->deleted},         {"repeats", p->repeats},
                                   {"rejected", p->rejected}, {"quarantined", p->quarantined}, {"suppressed", p->suppressed}};
    printf("%llu received: %llu stored", (unsigned long long)p->received, (unsigned long long)p->stored);
    for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
        if (rest[i].count)
            printf(", %llu %s", rest[i].count, rest[i].name);
    }
    printf("; in %.1f s, %llu/s\nnow %llu records, %llu customers, %llu leads, %llu events; index of %llu bytes\n", seconds,
           rate, now->records, now->customers, now->leads, now->events, now->index_bytes);
}

/* A load of which nothing was kept is a failed one. */
static int print_summary(const struct cli *cli, const struct totals *now, const struct load *load, int64_t taken_us)
{
    const struct load_progress *p = &load->last;
    double seconds = (double)taken_us / 1e6;
    unsigned long long rate = seconds > 0 ? (unsigned long long)((double)p->received / seconds) : 0;
    unsigned long long refused = p->rejected + p->quarantined;
    if (cli_wants_json(cli))
        print_json(now, load, seconds, rate);
    else
        print_text(now, load, seconds, rate);
    fflush(stdout);
    if (p->refusal[0])
        say("not read as a sheet: ", p->refusal, "");
    if (refused > 0)
        fprintf(stderr, "refused rows are kept with their reasons: tributary rejects list --source=%s\n",
                cli_argument(cli, 0));
    bool nothing = p->stored + p->updated + p->deleted + p->repeats + p->suppressed == 0;
    if (nothing && refused > 0)
        return cli_fail(cli, EXIT_CODE_FAILED, "nothing of %s was stored", cli_argument(cli, 1));
    if (p->received == 0)
        fprintf(stderr, "%s has no rows\n", cli_argument(cli, 1));
    return EXIT_CODE_OK;
}

/* ---- an engine in this process ---- */

static int load_here(const struct cli *cli, struct engine *engine)
{
    struct err err = {0};
    struct resolver_stats stats;
    int64_t started_us = clock_monotonic_us(clock_system());
    struct load load = {.bar = progress_new(clock_system())};
    enum status status = engine_load(engine, cli_argument(cli, 0), cli_argument(cli, 1),
                                     cli_flag(cli, "backfill"), on_progress, &load, &err);
    progress_free(&load.bar);
    if (status != STATUS_OK)
        return cli_fail_err(cli, &err);
    resolver_stats(engine_resolver(engine), &stats);
    struct totals now = {stats.records, stats.customers, stats.leads, stats.events,
                         stats.graph.bytes + stats.known_bytes + stats.roster_bytes};
    return print_summary(cli, &now, &load, clock_monotonic_us(clock_system()) - started_us);
}

/* ---- the daemon ---- */

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void take_text(const json_t *object, const char *key, char *to, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(to, size, "%s", text ? text : "");
}

static int fail_as_told(const struct cli *cli, const json_t *error)
{
    struct err err = {0};
    const char *text = json_string_value(json_object_get(error, "message"));
    const char *retry = json_string_value(json_object_get(error, "retry"));
    (void)err_set(&err, RETRY_NONE, "cli.load", "%s", text ? text : "the load failed");
    for (int i = RETRY_NONE; retry && i <= RETRY_FATAL; i++) {
        if (strcmp(retry_class_name((enum retry_class)i), retry) == 0)
            err.retry = (enum retry_class)i;
    }
    return cli_fail_err(cli, &err);
}

/* Asks until it is over; *error is a new reference when it failed. */
static int watch(struct remote *remote, json_int_t id, struct load *load, json_t **error)
{
    for (;;) {
        json_t *report = NULL;
        int code = remote_call(remote, "load.progress", json_pack("{s:I}", "id", id), &report);
        if (code != EXIT_CODE_OK)
            return code;
        const char *state = json_string_value(json_object_get(report, "state"));
        struct load_progress progress = {
            .bytes_done = number_of(report, "bytes_done"), .bytes_total = number_of(report, "bytes_total"),
            .received = number_of(report, "received"), .repeats = number_of(report, "repeats"),
            .resolved = number_of(report, "resolved"), .stored = number_of(report, "stored"),
            .updated = number_of(report, "updated"), .deleted = number_of(report, "deleted"),
            .rejected = number_of(report, "rejected"), .quarantined = number_of(report, "quarantined"),
            .suppressed = number_of(report, "suppressed")};
        take_text(report, "understood", progress.understood, sizeof(progress.understood));
        take_text(report, "refusal", progress.refusal, sizeof(progress.refusal));
        on_progress(load, &progress);
        bool running = state && strcmp(state, "running") == 0;
        *error = json_incref(json_object_get(report, "error"));
        json_decref(report);
        if (!running)
            return EXIT_CODE_OK;
        nanosleep(&(struct timespec){.tv_nsec = ASK_EVERY_MS * 1000000L}, NULL);
    }
}

static int load_path(const struct cli *cli, struct remote *remote, const char *path)
{
    json_t *started = NULL, *error = NULL, *status = NULL;
    int64_t started_us = clock_monotonic_us(clock_system());
    int code = remote_call(remote, "load",
                           json_pack("{s:s,s:s,s:b,s:s}", "source", cli_argument(cli, 0), "path", path,
                                     "backfill", cli_flag(cli, "backfill"), "actor", remote_actor(cli)),
                           &started);
    struct load load = {0};
    if (code == EXIT_CODE_OK) {
        load.bar = progress_new(clock_system());
        code = watch(remote, json_integer_value(json_object_get(started, "id")), &load, &error);
        progress_free(&load.bar);
    }
    if (code == EXIT_CODE_OK && error)
        code = fail_as_told(cli, error);
    if (code == EXIT_CODE_OK)
        code = remote_call(remote, "status", json_object(), &status);
    if (code == EXIT_CODE_OK) {
        struct totals now = {number_of(status, "records"), number_of(status, "customers"),
                             number_of(status, "leads"), number_of(status, "events"),
                             number_of(status, "index_bytes")};
        code = print_summary(cli, &now, &load, clock_monotonic_us(clock_system()) - started_us);
    }
    json_decref(started);
    json_decref(error);
    json_decref(status);
    return code;
}

static int load_there(const struct cli *cli, struct remote *remote)
{
    char *path = realpath(cli_argument(cli, 1), NULL), *copy = NULL;
    struct err err = {0};
    if (path == NULL)
        return cli_fail(cli, EXIT_CODE_FAILED, "cannot read %s: %s", cli_argument(cli, 1), strerror(errno));
    int code = EXIT_CODE_OK;
    if (!config_may_load(remote_config(remote), path) &&
        load_copy_make(remote_config(remote), path, &copy, &err) != STATUS_OK)
        code = cli_fail_err(cli, &err);
    if (code == EXIT_CODE_OK)
        code = load_path(cli, remote, copy ? copy : path);
    load_copy_end(&copy);
    free(path);
    return code;
}

static int run(const struct cli *cli)
{
    struct remote *remote = NULL;
    int code = remote_open(cli, &remote);
    if (code == EXIT_CODE_OK)
        code = remote_engine(remote) ? load_here(cli, remote_engine(remote)) : load_there(cli, remote);
    remote_close(&remote);
    return code;
}

static const struct cli_option options[] = {
    {"backfill", 'b', NULL, "makes customers without leads; their first own sign of life makes the lead"},
    {"actor", 'a', "NAME", "who does it (default: the login name)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_load = {
    .name = "load",
    .synopsis = "SOURCE FILE",
    .help = "takes a file in through a csv source and waits until it is resolved",
    .details = "The file is read where it is and stays there. Loading it again changes nothing: rows already\n"
               "taken in are repeats, so an interrupted load is simply started again. When a daemon runs it takes the file in: a copy\n"
               "in state_dir/load, unless it lies in a drop folder or in load_dirs; else this command does the work itself. A\n"
               "paused source takes a load all the same. Rows that are all empty are stepped over and counted nowhere. Exit code\n"
               "1 when every row was refused.\n\n"
               "  tributary load summit attendees.csv",
    .options = options,
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run,
};
