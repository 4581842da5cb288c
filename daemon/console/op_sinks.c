/* op_sinks.c - the sinks, pausing and enabling them, and their dead letters. */
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#define DEAD_MAX     1000
#define DEAD_DEFAULT 100

enum status op_sinks_list(struct engine *engine, const json_t *args, json_t **result,
                          struct err *err)
{
    json_t *status = NULL;
    if (op_status(engine, args, &status, err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_incref(json_object_get(status, "sinks"));
    json_decref(status);
    return STATUS_OK;
}

static enum status no_sink(const char *name, struct err *err)
{
    return err_set(err, RETRY_NONE, "op.not_found",
                   "no sink %s is known; hint: tributary sinks list", name);
}

/* The dispatcher looks once a second at what people changed. */
static enum status set_paused(struct engine *engine, const json_t *args, bool paused,
                              json_t **result, struct err *err)
{
    const char *name = NULL;
    if (op_arg_text(args, "sink", &name, err) != STATUS_OK)
        return STATUS_FAILED;
    struct db_param params[] = {DB_P_TEXT(slice_str(name)), DB_P_BOOL(paused)};
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_sink_set_paused, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    bool found = db_rows(rows) > 0;
    db_result_free(&rows);
    if (!found)
        return no_sink(name, err);
    *result = json_pack("{s:s,s:b}", "sink", name, "paused", paused);
    return STATUS_OK;
}

enum status op_sinks_pause(struct engine *engine, const json_t *args, json_t **result,
                           struct err *err)
{
    return set_paused(engine, args, true, result, err);
}

enum status op_sinks_enable(struct engine *engine, const json_t *args, json_t **result,
                            struct err *err)
{
    return set_paused(engine, args, false, result, err);
}

enum status op_sinks_dead(struct engine *engine, const json_t *args, json_t **result,
                          struct err *err)
{
    const char *name = NULL;
    int64_t limit = op_optional_int(args, "limit", DEAD_DEFAULT);
    if (op_arg_text(args, "sink", &name, err) != STATUS_OK)
        return STATUS_FAILED;
    if (limit < 1 || limit > DEAD_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "limit is 1 to %d", DEAD_MAX);
    struct db_param params[] = {DB_P_TEXT(slice_str(name)), DB_P_INT4(limit)};
    return op_rows(engine, &sql_sink_dead_list, params, 2, result, err);
}

enum status op_sinks_drop(struct engine *engine, const json_t *args, json_t **result,
                          struct err *err)
{
    const char *name = NULL;
    if (op_arg_text(args, "sink", &name, err) != STATUS_OK)
        return STATUS_FAILED;
    struct db_param params[] = {DB_P_TEXT(slice_str(name))};
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_sink_drop_dead, params, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    int64_t gone = db_int(rows, 0, 0);
    bool found = db_int(rows, 0, 1) > 0;
    db_result_free(&rows);
    if (!found)
        return no_sink(name, err);
    *result = json_pack("{s:s,s:I}", "sink", name, "events", (json_int_t)gone);
    return STATUS_OK;
}
