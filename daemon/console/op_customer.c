/* op_customer.c - a customer: found, shown, its history. */
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#include <stdlib.h>

#define HISTORY_MAX 1000
#define FOUND_MAX   100
#define FIND_TEXT_MAX 1000
#define PHONE_DIGITS_LEAST 5

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
static struct slice like_pattern(struct arena *arena, struct slice text)
{
    char *out = arena_alloc(arena, text.len * 2 + 3);
    size_t used = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    out[used++] = '%';
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' || text.ptr[i] == '_' || text.ptr[i] == '\\')
            out[used++] = '\\';
        out[used++] = text.ptr[i];
    }
    out[used++] = '%';
    return slice_of(out, used);
}

/* What looks like a phone number, by its digits alone: 0138 1234-5678 is in +8613812345678. Else the text itself. */
static struct slice searched(struct arena *arena, struct slice text)
{
    char *digits = arena_alloc(arena, text.len + 1);
    size_t count = 0;
    for (size_t i = 0; digits && i < text.len; i++) {
        if (text.ptr[i] >= '0' && text.ptr[i] <= '9') {
            if (count > 0 || text.ptr[i] != '0')
                digits[count++] = text.ptr[i];
        } else if (strchr(" +-().", text.ptr[i]) == NULL || text.ptr[i] == '\0') {
            return text;
        }
    }
    return count >= PHONE_DIGITS_LEAST ? slice_of(digits, count) : text;
}

/* As it stands between the quotes of a JSON string. */
static struct slice in_json(struct arena *arena, struct slice text)
{
    struct buf json = BUF_INIT(FIND_TEXT_MAX * 8);
    buf_put_json(&json, text);
    struct slice inside = json.len >= 2 && !buf_failed(&json)
                              ? arena_dup(arena, slice_of(json.data + 1, json.len - 2))
                              : text;
    buf_free(&json);
    return inside;
}

/* On a connection of its own: a search reads every record, and others are not to wait for it. */
static enum status find(struct engine *engine, const struct db_param *params, json_t **result, struct err *err)
{
    struct db_settings settings = engine_db_settings(engine, "tributary find");
    struct db *db = db_new(&settings, engine_stop_signal(engine));
    struct db_result *rows = NULL;
    if (db == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a search");
    enum status status = db_open(db, err);
    if (status == STATUS_OK)
        status = db_query(db, &sql_customer_find, params, 4, &rows, err);
    if (status == STATUS_OK) {
        *result = json_array();
        for (size_t i = 0; i < db_rows(rows); i++) {
            struct slice text = db_bytes(rows, i, 0);
            json_array_append_new(*result, json_loadb(text.ptr, text.len, 0, NULL));
        }
        db_result_free(&rows);
    }
    db_free(&db);
    return status;
}

enum status op_customer_find(struct engine *engine, const json_t *args, json_t **result,
                             struct err *err)
{
    const char *text = NULL;
    if (op_arg_text(args, "text", &text, err) != STATUS_OK)
        return STATUS_FAILED;
    if (strlen(text) > FIND_TEXT_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "text is longer than %d bytes", FIND_TEXT_MAX);
    struct arena *arena = arena_new((size_t)1 << 20);
    if (arena == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a search");
    struct slice wanted = searched(arena, slice_str(text));
    struct db_param params[] = {DB_P_TEXT(slice_str(text)), DB_P_TEXT(like_pattern(arena, wanted)),
                                DB_P_INT4(FOUND_MAX),
                                DB_P_TEXT(like_pattern(arena, in_json(arena, wanted)))};
    enum status status = find(engine, params, result, err);
    arena_free(&arena);
    return status;
}
