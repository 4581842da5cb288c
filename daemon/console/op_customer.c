/* op_customer.c - a customer: found, shown, its history. */
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#include <stdlib.h>

#define HISTORY_MAX 1000
#define FOUND_MAX   100

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

/* %text% with LIKE's own characters taken literally. */
static struct slice like_pattern(struct arena *arena, const char *text)
{
    char *out = arena_alloc(arena, strlen(text) * 2 + 3);
    size_t used = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    out[used++] = '%';
    for (; *text; text++) {
        if (*text == '%' || *text == '_' || *text == '\\')
            out[used++] = '\\';
        out[used++] = *text;
    }
    out[used++] = '%';
    return slice_of(out, used);
}

enum status op_customer_find(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    const char *text = NULL;
    if (op_arg_text(args, "text", &text, err) != STATUS_OK)
        return STATUS_FAILED;
    struct arena *arena = arena_new((size_t)1 << 20);
    if (arena == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a search");
    struct db_param params[] = {DB_P_TEXT(slice_str(text)), DB_P_TEXT(like_pattern(arena, text)),
                                DB_P_INT4(FOUND_MAX)};
    enum status status = op_rows(engine, &sql_customer_find, params, 3, result, err);
    arena_free(&arena);
    return status;
}
