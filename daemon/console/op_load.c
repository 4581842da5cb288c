/* op_load.c - a file taken in by the daemon, and how far it is. */
#include "daemon/config/load_dirs.h"
#include "daemon/console/ops_table.h"

#include <limits.h>
#include <stdlib.h>

enum status op_load(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    const char *source = NULL, *path = NULL;
    uint64_t id = 0;
    if (op_arg_text(args, "source", &source, err) != STATUS_OK ||
        op_arg_text(args, "path", &path, err) != STATUS_OK)
        return STATUS_FAILED;
    if (path[0] != '/')
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "path must begin with a /");
    /* What is not there is judged by its name: an answer must not tell what else there is. */
    char resolved[PATH_MAX];
    if (realpath(path, resolved))
        path = resolved;
    if (!config_may_load(engine_config(engine), path))
        return err_set(err, RETRY_NONE, "op.load_dir",
                       "%s lies in none of the folders that may be loaded from; hint: put it into state_dir/load, or add "
                       "its folder to load_dirs of the configuration", path);
    if (engine_load_start(engine, source, path, json_is_true(json_object_get(args, "backfill")), &id,
                          err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_pack("{s:I}", "id", (json_int_t)id);
    return STATUS_OK;
}

static void put_outcome(const struct load_progress *p, json_t *result)
{
    json_object_update_new(
        result, json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:s,s:s}", "stored", (json_int_t)p->stored, "updated",
                          (json_int_t)p->updated, "deleted", (json_int_t)p->deleted, "rejected",
                          (json_int_t)p->rejected, "quarantined", (json_int_t)p->quarantined, "suppressed",
                          (json_int_t)p->suppressed, "understood", p->understood, "refusal", p->refusal));
}

enum status op_load_progress(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    uint64_t id = 0;
    struct load_report report;
    if (op_arg_id(args, "id", &id, err) != STATUS_OK)
        return STATUS_FAILED;
    if (!engine_load_report(engine, id, &report))
        return err_set(err, RETRY_NONE, "op.not_found",
                       "there is no load %llu; the last %d are remembered until the daemon stops",
                       (unsigned long long)id, LOADS_KEPT);
    const struct load_progress *p = &report.progress;
    *result = json_pack("{s:I,s:s,s:I,s:I,s:I,s:I,s:I}", "id", (json_int_t)id, "state",
                        report.running ? "running" : report.failed ? "failed" : "done", "bytes_done",
                        (json_int_t)p->bytes_done, "bytes_total", (json_int_t)p->bytes_total,
                        "received", (json_int_t)p->received, "repeats", (json_int_t)p->repeats,
                        "resolved", (json_int_t)p->resolved);
    put_outcome(p, *result);
    if (report.failed) {
        json_object_set_new(*result, "error", json_pack("{s:s,s:s,s:s}", "id", report.err.id, "message",
                                                        report.err.text, "retry",
                                                        retry_class_name(report.err.retry)));
    }
    return STATUS_OK;
}
