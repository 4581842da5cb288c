/*
 * partitions.c - the monthly partitions of the months to come, two months ahead of their use, and the end of those of months
 * long past, once retention has emptied them.
 *
 * Making one locks its table against readers and writers, so it waits for a lock no longer than all others may wait behind
 * it (partitions_ensure.sql). While a long transaction reads the table it is tried again, ever more rarely: two months are
 * left for it.
 */
#include "daemon/base/log.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#define MINUTE_US    ((int64_t)60 * 1000000)
#define HOUR_US      (60 * MINUTE_US)
#define FIRST_US     ((int64_t)1000000)
#define ATTEMPTS_MAX 12 /* doubled no further: about an hour */
#define TOLD_AFTER   10 /* attempts that fail unsaid */

/* One of each table at a time: where one goes, more may be, so it is looked again within a minute; so it is after somebody
 * held a lock too long. */
static void drop_emptied(struct engine *e, struct db *db, int64_t now_us)
{
    static const char *const tables[] = {"raw", "history", "activity", "event", "event_body"};
    bool again = false;
    if (now_us < e->partitions_end_at_us)
        return;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && db_is_open(db); i++) {
        struct db_param table = DB_P_TEXT(slice_str(tables[i]));
        struct db_result *dropped = NULL;
        struct err err;
        if (db_query(db, &sql_partitions_drop, &table, 1, &dropped, &err) != STATUS_OK) {
            log_err(LOG_LEVEL_DEBUG, &err, "emptied partitions are not dropped yet");
            again = true;
            continue;
        }
        struct slice name = db_bytes(dropped, 0, 1);
        if (name.len > 0)
            log_info("engine.partition_dropped", "partition " SLICE_FMT " held nothing any more and is dropped", SLICE_ARG(name));
        again |= name.len > 0;
        db_result_free(&dropped);
    }
    e->partitions_end_at_us = now_us + (again ? MINUTE_US / 2 : HOUR_US);
}

void engine_partitions(struct engine *e, struct db *db)
{
    static const char *const tables[] = {"raw", "history", "activity", "event"};
    int64_t now_us = clock_monotonic_us(e->settings.clock);
    bool failed = false;
    struct err err;
    drop_emptied(e, db, now_us);
    if (now_us < e->partitions_at_us)
        return;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && db_is_open(db); i++) {
        struct db_param table = DB_P_TEXT(slice_str(tables[i]));
        struct err why;
        if (db_run(db, &sql_partitions_ensure, &table, 1, NULL, &why) == STATUS_OK)
            continue;
        err = why;
        failed = true;
    }
    if (!failed) {
        e->partition_failures = 0;
        e->partitions_at_us = now_us + MINUTE_US;
        return;
    }
    e->partitions_at_us = now_us + (FIRST_US << e->partition_failures);
    if (e->partition_failures < ATTEMPTS_MAX)
        e->partition_failures++;
    log_err(e->partition_failures > TOLD_AFTER ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG, &err,
            "partitions of the months to come are not made yet");
}
