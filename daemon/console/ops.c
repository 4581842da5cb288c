/* ops.c - the table of operations and what they share. See ops.h. */
#include "daemon/console/ops.h"
#include "daemon/console/ops_table.h"

#define READY_WAIT_MS 10000

const struct op ops[] = {
    {"explain", "a, b: record or customer ids; why they are one customer, or why not", false, op_explain},
    {"customer.show", "id: the golden record, its records and the links between them", false, op_customer_show},
    {"customer.history", "id: every change, newest first", false, op_customer_history},
    {"customer.find", "text: a name, e-mail, phone, company or external id", false, op_customer_find},
    {"customer.split", "id, records: those records never belong to it again", true, op_customer_split},
    {"customer.assign", "id, owner, team: who looks after it; it goes with its records", true, op_customer_assign},
    {"customer.merge", "a, b: always one customer", true, op_customer_merge},
    {"decision.list", "limit, pairs: what stewards decided; with pairs each pair of a split", false, op_decision_list},
    {"decision.undo", "id, alone: takes a decision back, with all that were made together with it unless alone", true, op_decision_undo},
    {"review.list", "pairs the machine will not decide, surest first", false, op_review_list},
    {"review.decide", "id, decision: same or different", true, op_review_decide},
    {"rejects.list", "source, limit: what the rules refused, newest first", false, op_rejects_list},
    {"rejects.retry", "ids or source: takes them in again", true, op_rejects_retry},
    {"rejects.drop", "ids or source: they are done with", true, op_rejects_drop},
    {"events.list", "since, limit, type, customer: the event log", false, op_events_list},
    {"events.replay", "sink, from, to or dead: brings events to a sink again", true, op_events_replay},
    {"sources.list", "the sources with their ledger and health", false, op_sources_list},
    {"sources.pause", "source: it is not asked until resumed", true, op_sources_pause},
    {"sources.resume", "source: it is asked again", true, op_sources_resume},
    {"sinks.list", "the sinks, how far each is and what troubles it", false, op_sinks_list},
    {"sinks.pause", "sink: it is told nothing until enabled", true, op_sinks_pause},
    {"sinks.enable", "sink: paused or disabled, it goes on where it was", true, op_sinks_enable},
    {"sinks.dead", "sink, limit: events given up, oldest first", false, op_sinks_dead},
    {"sinks.drop", "sink: forgets the events given up", true, op_sinks_drop},
    {"rematch.list", "generations: the one in force, those pending, those before", false, op_rematch_list},
    {"rematch.preview", "generation (else the pending one), samples: what it would change; ask rematch.progress", false, op_rematch_preview},
    {"rematch.apply", "generation (else the pending one): judges everything by it; ask rematch.progress", true, op_rematch_apply},
    {"rematch.progress", "how far the last preview or application is, and its result", false, op_rematch_progress},
    {"quality", "wanted: precision and recall by what was decided, and thresholds that fit", false, op_quality},
    {"load", "source, path, backfill: takes a file in; answers with an id for load.progress", true, op_load},
    {"load.progress", "id: how far a load is", false, op_load_progress},
    {"status", "everything at a glance, as in docs/status.md", false, op_status},
    {NULL, NULL, false, NULL},
};

const struct op *op_find(const char *name)
{
    for (const struct op *op = ops; op->name; op++) {
        if (strcmp(op->name, name) == 0)
            return op;
    }
    return NULL;
}

enum status op_run(struct engine *engine, const char *name, const json_t *args, json_t **result,
                   struct err *err)
{
    const struct op *op = op_find(name);
    const char *actor = NULL;
    if (op == NULL)
        return err_set(err, RETRY_NONE, "op.not_found", "there is no operation %s", name);
    if (op->writes && op_arg_text(args, "actor", &actor, err) != STATUS_OK)
        return STATUS_FAILED;
    if (strcmp(name, "status") != 0) {
        enum status ready = engine_wait_ready(engine, READY_WAIT_MS, err);
        if (ready != STATUS_OK)
            return ready == STATUS_TIMEOUT && err->text[0] == '\0'
                       ? err_set(err, RETRY_LATER, "engine.not_ready", "not ready yet")
                       : STATUS_FAILED;
    }
    *result = NULL;
    return op->run(engine, args, result, err);
}

enum status op_arg_id(const json_t *args, const char *name, uint64_t *id, struct err *err)
{
    const json_t *value = json_object_get(args, name);
    int64_t number = -1;
    if (json_is_integer(value))
        number = json_integer_value(value);
    else if (json_is_string(value) && !slice_to_int64(slice_str(json_string_value(value)), &number))
        number = -1;
    if (number <= 0)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "%s must be a number above 0", name);
    *id = (uint64_t)number;
    return STATUS_OK;
}

enum status op_arg_text(const json_t *args, const char *name, const char **text, struct err *err)
{
    *text = json_string_value(json_object_get(args, name));
    if (*text == NULL || (*text)[0] == '\0')
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "%s is missing", name);
    return STATUS_OK;
}

const char *op_optional_text(const json_t *args, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(args, name));
    return text ? text : otherwise;
}

int64_t op_optional_int(const json_t *args, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(args, name);
    int64_t number = otherwise;
    if (json_is_integer(value))
        return json_integer_value(value);
    if (json_is_string(value) && slice_to_int64(slice_str(json_string_value(value)), &number))
        return number;
    return otherwise;
}

enum status op_rows(struct engine *engine, const struct sql_query *query,
                    const struct db_param *params, size_t param_count, json_t **list,
                    struct err *err)
{
    struct db_result *result = NULL;
    if (engine_query(engine, query, params, param_count, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    *list = json_array();
    for (size_t i = 0; i < db_rows(result); i++) {
        struct slice text = db_bytes(result, i, 0);
        json_array_append_new(*list, json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL));
    }
    db_result_free(&result);
    return STATUS_OK;
}
