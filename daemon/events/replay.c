/* replay.c - see replay.h. */
#include "daemon/events/replay.h"
#include "sql_queries.h"

/* One of the queries that answer with (events, sinks found). */
static enum status change(struct db *db, const struct sql_query *query,
                          const struct db_param *params, size_t param_count, uint64_t *count,
                          struct err *err)
{
    struct db_result *rows = NULL;
    *count = 0;
    if (db_query(db, query, params, param_count, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    bool found = db_int(rows, 0, 1) > 0;
    *count = (uint64_t)db_int(rows, 0, 0);
    db_result_free(&rows);
    return found ? STATUS_OK : STATUS_EMPTY;
}

enum status events_replay_range(struct db *db, struct slice sink, uint64_t from_seq,
                                uint64_t to_seq, uint64_t *count, struct err *err)
{
    if (to_seq > INT64_MAX)
        to_seq = INT64_MAX;
    if (from_seq > INT64_MAX || (to_seq != 0 && from_seq > to_seq))
        return err_set(err, RETRY_NONE, "events.range", "from %llu to %llu is no range",
                       (unsigned long long)from_seq, (unsigned long long)to_seq);
    struct db_param params[] = {DB_P_TEXT(sink), DB_P_INT8((int64_t)from_seq),
                                DB_P_INT8((int64_t)to_seq)};
    return change(db, &sql_sink_replay_range, params, 3, count, err);
}

enum status events_replay_dead(struct db *db, struct slice sink, uint64_t *count, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(sink)};
    return change(db, &sql_sink_replay_dead, params, 1, count, err);
}
