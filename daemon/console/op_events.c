/* op_events.c - the event log, and bringing events to a sink again. */
#include "daemon/console/ops_table.h"
#include "daemon/events/replay.h"
#include "sql_queries.h"

#define EVENTS_MAX     1000
#define EVENTS_DEFAULT 100

/* With `since` the events after it, oldest first; without, the newest. */
enum status op_events_list(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    int64_t since = op_optional_int(args, "since", -1);
    int64_t limit = op_optional_int(args, "limit", EVENTS_DEFAULT);
    struct slice type = slice_str(op_optional_text(args, "type", ""));
    int64_t customer = op_optional_int(args, "customer", 0);
    if (limit < 1 || limit > EVENTS_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "limit is 1 to %d", EVENTS_MAX);
    if (slice_starts(type, SLICE("tributary.")))
        type = slice_sub(type, 10, type.len);
    if (slice_ends(type, SLICE(".v1")))
        type = slice_sub(type, 0, type.len - 3);
    if (since < 0) {
        struct db_param newest[] = {DB_P_INT4(limit), DB_P_TEXT(type), DB_P_INT8(customer)};
        return op_rows(engine, &sql_event_tail, newest, 3, result, err);
    }
    struct db_param params[] = {DB_P_INT8(since), DB_P_INT4(limit), DB_P_TEXT(type), DB_P_INT8(customer)};
    return op_rows(engine, &sql_event_list, params, 4, result, err);
}

static enum status replay(struct engine *engine, struct db *db, const char *sink, const json_t *args, uint64_t *count,
                          struct err *err)
{
    int64_t from = op_optional_int(args, "from", 0), to = op_optional_int(args, "to", 0);
    if (json_is_true(json_object_get(args, "dead")))
        return events_replay_dead(db, sink, count, err);
    return events_replay_range(db, engine_config(engine), sink, (uint64_t)from, (uint64_t)to, count, err);
}

/* `dead`: the dead letters; else the events from..to (0: the last). */
enum status op_events_replay(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    const char *sink = NULL;
    int64_t from = op_optional_int(args, "from", 0), to = op_optional_int(args, "to", 0);
    bool dead = json_is_true(json_object_get(args, "dead"));
    uint64_t count = 0;
    if (op_arg_text(args, "sink", &sink, err) != STATUS_OK)
        return STATUS_FAILED;
    if (dead == (from > 0) || from < 0 || to < 0 || (to && to < from))
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument",
                       "a replay takes either dead or from (and to) with 0 < from <= to");
    struct db_settings settings = engine_db_settings(engine, "tributary replay");
    struct db *db = db_new(&settings, engine_stop_signal(engine));
    if (db == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a connection");
    enum status status = db_open(db, err);
    if (status == STATUS_OK)
        status = replay(engine, db, sink, args, &count, err);
    db_free(&db);
    if (status == STATUS_EMPTY)
        return err_set(err, RETRY_NONE, "op.not_found", "there is no sink %s; hint: tributary status", sink);
    if (status != STATUS_OK)
        return status;
    *result = json_pack("{s:s,s:I}", "sink", sink, "events", (json_int_t)count);
    return STATUS_OK;
}
