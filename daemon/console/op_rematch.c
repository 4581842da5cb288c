/* op_rematch.c - generations: listed, tried, applied. */
#include "daemon/console/ops_table.h"
#include "daemon/engine/rematch.h"
#include "sql_queries.h"

#define LIST_MAX         1000
#define SAMPLES          10
#define RESULT_MAX_BYTES ((size_t)64 << 20)

enum status op_rematch_list(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    struct db_param limit = DB_P_INT4(op_optional_int(args, "limit", LIST_MAX));
    if (op_rows(engine, &sql_generation_list, &limit, 1, result, err) != STATUS_OK)
        return STATUS_FAILED;
    int32_t pending = engine_pending(engine, NULL);
    json_int_t in_force = engine_generation(engine)->generation_id;
    size_t i;
    json_t *row;
    json_array_foreach(*result, i, row) {
        json_int_t id = json_integer_value(json_object_get(row, "generation"));
        const char *state = id == in_force                                        ? "in force"
                            : id == pending                                       ? "pending"
                            : json_is_string(json_object_get(row, "applied_at")) ? "applied before"
                                                                                  : "never applied";
        json_object_set_new(row, "state", json_string(state));
    }
    return STATUS_OK;
}

static enum status start(struct engine *engine, const json_t *args, enum rematch_kind kind, json_t **result,
                         struct err *err)
{
    uint64_t id = 0;
    if (json_object_get(args, "generation") && op_arg_id(args, "generation", &id, err) != STATUS_OK)
        return STATUS_FAILED;
    if (id > INT32_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "generation is too large");
    int64_t samples = op_optional_int(args, "samples", SAMPLES);
    if (samples < 0)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "samples must not be below 0");
    if (rematch_start(engine, kind, (int32_t)id, (size_t)samples, op_optional_text(args, "actor", ""), err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_pack("{s:s}", "state", "running");
    return STATUS_OK;
}

enum status op_rematch_preview(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    return start(engine, args, REMATCH_PREVIEW, result, err);
}

enum status op_rematch_apply(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    return start(engine, args, REMATCH_APPLY, result, err);
}

enum status op_rematch_progress(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    static const char *const kinds[] = {"none", "preview", "apply"};
    struct rematch_report report;
    struct buf text = BUF_INIT(RESULT_MAX_BYTES);
    (void)args;
    (void)err;
    rematch_report(engine, &report, &text);
    *result = json_pack("{s:s,s:s,s:i,s:i,s:I,s:I}", "kind", kinds[report.kind], "state",
                        report.kind == REMATCH_NONE ? "none"
                        : report.running            ? "running"
                        : report.failed             ? "failed"
                                                    : "done",
                        "generation", report.generation_id, "from", report.from_id, "records_read",
                        (json_int_t)report.records_read, "records", (json_int_t)report.records);
    if (report.failed)
        json_object_set_new(*result, "error", json_pack("{s:s,s:s,s:s}", "id", report.err.id, "message",
                                                        report.err.text, "retry",
                                                        retry_class_name(report.err.retry)));
    if (text.len > 0)
        json_object_set_new(*result, "result", json_loadb(text.data, text.len, 0, NULL));
    buf_free(&text);
    return STATUS_OK;
}
