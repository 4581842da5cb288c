/* op_events.c - the event log, and bringing events to a sink again. */
#include "daemon/console/ops_table.h"
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

static bool is_sink(struct engine *engine, const char *name)
{
    const struct config *config = engine_config(engine);
    for (size_t i = 0; i < config->sink_count; i++) {
        if (strcmp(options_name(config->sinks[i]), name) == 0)
            return true;
    }
    return false;
}

/* `dead`: the dead letters; else the events from..to (0: the last). They stand in sink_parked, due now, and the
 * dispatcher brings them as it does any parked event. */
enum status op_events_replay(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    const char *sink = NULL;
    int64_t from = op_optional_int(args, "from", 0), to = op_optional_int(args, "to", 0);
    bool dead = json_is_true(json_object_get(args, "dead"));
    if (op_arg_text(args, "sink", &sink, err) != STATUS_OK)
        return STATUS_FAILED;
    if (!is_sink(engine, sink))
        return err_set(err, RETRY_NONE, "op.not_found", "there is no sink %s in the configuration", sink);
    if (dead == (from > 0) || (to && to < from))
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument",
                       "a replay takes either dead or from (and to) with 0 < from <= to");
    struct db_param params[] = {DB_P_TEXT(slice_str(sink)), DB_P_INT8(from), DB_P_INT8(to)};
    struct db_result *rows = NULL;
    if (engine_query(engine, dead ? &sql_sink_replay_dead : &sql_sink_replay_range, params, dead ? 1 : 3,
                     &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_pack("{s:s,s:I}", "sink", sink, "events", (json_int_t)db_int(rows, 0, 0));
    db_result_free(&rows);
    return STATUS_OK;
}
