/*
 * partitions.c - the monthly partitions of the months to come, two months ahead of their use.
 *
 * Making one locks its table against readers and writers, so it waits for a lock no longer than all others may wait behind
 * it (partitions_ensure.sql). While a long transaction reads the table it is tried again, ever more rarely: two months are
 * left for it.
 */
#include "daemon/base/log.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#define MINUTE_US    ((int64_t)60 * 1000000)
#define FIRST_US     ((int64_t)1000000)
#define ATTEMPTS_MAX 12 /* doubled no further: about an hour */
#define TOLD_AFTER   10 /* attempts that fail unsaid */

void engine_partitions(struct engine *e, struct db *db)
{
    static const char *const tables[] = {"raw", "history", "activity", "event"};
    int64_t now_us = clock_monotonic_us(e->settings.clock);
    bool failed = false;
    struct err err;
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
