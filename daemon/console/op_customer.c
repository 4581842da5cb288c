/* op_customer.c - a customer: found, shown, its history. */
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#include <stdlib.h>

#define HISTORY_MAX 1000

static enum status not_found(uint64_t id, struct err *err)
{
    return err_set(err, RETRY_NONE, "op.not_found",
                   "no customer has or had the id %llu; hint: tributary customer find TEXT",
                   (unsigned long long)id);
}

enum status op_customer_show(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    uint64_t id = 0;
    json_t *rows = NULL;
    if (op_arg_id(args, "id", &id, err) != STATUS_OK)
        return STATUS_FAILED;
    struct db_param param = DB_P_INT8((int64_t)id);
    if (op_rows(engine, &sql_customer_show, &param, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return *result ? STATUS_OK : not_found(id, err);
}

enum status op_customer_history(struct engine *engine, const json_t *args, json_t **result,
                                struct err *err)
{
    uint64_t id = 0;
    if (op_arg_id(args, "id", &id, err) != STATUS_OK)
        return STATUS_FAILED;
    struct db_param params[] = {DB_P_INT8((int64_t)id), DB_P_INT4(HISTORY_MAX)};
    return op_rows(engine, &sql_customer_history, params, 2, result, err);
}
