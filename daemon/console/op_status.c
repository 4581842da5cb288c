/* op_status.c - everything at a glance. */
#include "daemon/console/ops_table.h"

#define STATUS_MAX_BYTES ((size_t)16 << 20)

enum status op_status(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    struct buf out = BUF_INIT(STATUS_MAX_BYTES);
    json_error_t error;
    (void)args;
    engine_status_json(engine, &out);
    *result = buf_failed(&out) ? NULL : json_loadb(out.data, out.len, 0, &error);
    buf_free(&out);
    return *result ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory for the status");
}
