/* op_sources.c - the sources with ledger and health, and pausing them. */
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

enum status op_sources_list(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    json_t *status = NULL;
    if (op_status(engine, args, &status, err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_incref(json_object_get(status, "sources"));
    json_decref(status);
    return STATUS_OK;
}

/* The database remembers it, the thread of the source obeys at its next turn. */
static enum status set_paused(struct engine *engine, const json_t *args, bool paused, json_t **result,
                              struct err *err)
{
    const char *name = NULL;
    if (op_arg_text(args, "source", &name, err) != STATUS_OK)
        return STATUS_FAILED;
    struct source *source = sources_by_name(engine_sources(engine), name);
    if (source == NULL || (source->pull == NULL && source->push == NULL))
        return err_set(err, RETRY_NONE, "op.not_found",
                       "there is no source %s in the configuration; hint: tributary sources list", name);
    struct db_param params[] = {DB_P_INT4(source->source_id), DB_P_BOOL(paused)};
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_source_pause, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    db_result_free(&rows);
    atomic_store(&source->paused, paused);
    *result = json_pack("{s:s,s:b}", "source", name, "paused", paused);
    return STATUS_OK;
}

enum status op_sources_pause(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    return set_paused(engine, args, true, result, err);
}

enum status op_sources_resume(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    return set_paused(engine, args, false, result, err);
}
