/*
 * drive_dispatcher.c - the dispatcher alone, driven by lines on standard input, for tests/e2e/test_sinks.py.
 *
 *   drive_dispatcher CONFIG CONNINFO
 *     wake SEQ      as the writer does after a commit
 *     advance MS    moves the dispatcher's clock on
 *     status        answers with the JSON of dispatcher_status_json
 *     replay SINK FROM TO | replay_dead SINK | pause SINK | enable SINK
 *                   as the API does; answers with the number of events
 *     stop          ends in order (a kill does not); so does the end of input
 * Every command is answered by one line. Migrations are applied first; "ready" is the first line.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/events/dispatcher.h"
#include "daemon/events/replay.h"
#include "daemon/store/migrate.h"
#include "sql_queries.h"

static atomic_int_fast64_t ahead_us;

static int64_t wall_us(const struct clock *clock)
{
    (void)clock;
    return clock_wall_us(clock_system()) + atomic_load(&ahead_us);
}

static int64_t monotonic_us(const struct clock *clock)
{
    (void)clock;
    return clock_monotonic_us(clock_system()) + atomic_load(&ahead_us);
}

static const struct clock driven_clock = {.wall_us = wall_us, .monotonic_us = monotonic_us};

static int fail(const struct err *err)
{
    fprintf(stderr, "drive_dispatcher: %s\n", err->text);
    return EXIT_CODE_FAILED;
}

/* A query whose first column counts; rows without one count themselves. */
static enum status ask(struct db *db, const struct sql_query *query, const struct db_param *params,
                       size_t param_count, uint64_t *count, struct err *err)
{
    struct db_result *rows = NULL;
    if (db_query(db, query, params, param_count, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *count = db_columns(rows) == 2 ? (uint64_t)db_int(rows, 0, 0) : db_rows(rows);
    db_result_free(&rows);
    return STATUS_OK;
}

static void answer(struct dispatcher *dispatcher, const struct config *config, struct db *db, const char *line)
{
    struct err err = {0};
    char name[64];
    unsigned long long a, b;
    long long ms;
    uint64_t count = 0;
    enum status status = STATUS_OK;
    if (sscanf(line, "wake %llu", &a) == 1) {
        dispatcher_wake(dispatcher, a);
    } else if (sscanf(line, "advance %lld", &ms) == 1) {
        atomic_fetch_add(&ahead_us, ms * 1000);
        dispatcher_wake(dispatcher, 0);
    } else if (strcmp(line, "status\n") == 0) {
        struct buf out = BUF_INIT(1 << 20);
        dispatcher_status_json(dispatcher, &out);
        printf("%.*s\n", (int)out.len, out.data);
        buf_free(&out);
        return;
    } else if (sscanf(line, "replay %63s %llu %llu", name, &a, &b) == 3) {
        status = events_replay_range(db, config, name, a, b, &count, &err);
    } else if (sscanf(line, "replay_dead %63s", name) == 1) {
        status = events_replay_dead(db, name, &count, &err);
    } else if (sscanf(line, "pause %63s", name) == 1) {
        struct db_param sink[] = {DB_P_TEXT(slice_str(name)), DB_P_BOOL(true)};
        status = ask(db, &sql_sink_set_paused, sink, 2, &count, &err);
    } else if (sscanf(line, "enable %63s", name) == 1) {
        struct db_param sink[] = {DB_P_TEXT(slice_str(name)), DB_P_BOOL(false)};
        status = ask(db, &sql_sink_set_paused, sink, 2, &count, &err);
    } else {
        printf("unknown command\n");
        return;
    }
    dispatcher_wake(dispatcher, 0);
    if (status != STATUS_FAILED)
        printf("%llu\n", (unsigned long long)count);
    else
        printf("failed: %s\n", err.text);
}

static struct db *open_database(const char *conninfo, struct err *err)
{
    struct db_settings settings = {.conninfo = conninfo, .application_name = "tributary drive"};
    struct db *db = db_new(&settings, NULL);
    struct db *done = db;
    if (db == NULL || db_open(db, err) != STATUS_OK || migrate(db, err) != STATUS_OK)
        done = NULL;
    if (done == NULL)
        db_free(&db);
    return done;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct config *config = NULL;
    char line[256];
    if (argc != 3)
        return EXIT_CODE_USAGE;
    struct problems problems = {0};
    if (config_load(argv[1], &config, &problems) != STATUS_OK) {
        for (size_t i = 0; i < problems.count; i++)
            fprintf(stderr, "%s\n", problems.list[i].text);
        return EXIT_CODE_CONFIG;
    }
    struct db *db = open_database(argv[2], &err);
    if (db == NULL)
        return fail(&err);
    struct dispatcher_settings settings = {.db = {.conninfo = argv[2], .application_name = "tributary dispatch"},
                                           .config = config, .clock = &driven_clock,
                                           .source_uri = "/tributary"};
    struct dispatcher *dispatcher = dispatcher_start(&settings, &err);
    if (dispatcher == NULL)
        return fail(&err);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("ready\n");
    while (fgets(line, sizeof(line), stdin) && strcmp(line, "stop\n") != 0)
        answer(dispatcher, config, db, line);
    dispatcher_stop(&dispatcher, 5000);
    db_free(&db);
    config_free(&config);
    problems_free(&problems);
    return EXIT_CODE_OK;
}
