/* tell_keys.c - the source's own key of a record that a turn tells of and does not write. */
#include "daemon/resolve/resolver.intern.h"
#include "sql_queries.h"

static enum status read_keys(struct turn *turn, uint64_t record_id, struct record_key *key, bool *found,
                             struct err *err)
{
    int64_t id = (int64_t)record_id;
    struct db_param ids = DB_P_INT8S(&id, 1);
    struct db_result *rows = NULL;
    if (turn_query(turn, &sql_record_keys, &ids, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *found = db_rows(rows) == 1;
    if (*found)
        *key = (struct record_key){arena_dup(turn->arena, db_bytes(rows, 0, 2)),
                                   arena_dup(turn->arena, db_bytes(rows, 0, 3))};
    db_result_free(&rows);
    return STATUS_OK;
}

enum status tell_key(struct turn *turn, uint64_t record_id, struct record_key *key, struct err *err)
{
    const struct staged *staged = turn_staged(turn, record_id);
    bool found = false;
    if (staged) {
        *key = (struct record_key){staged->arrival->raw->external_id, staged->arrival->raw->part};
        return STATUS_OK;
    }
    enum status status = read_keys(turn, record_id, key, &found, err);
    if (status == STATUS_OK && !found) /* on its way */
        status = resolver_wait_written(turn->r, err);
    if (status == STATUS_OK && !found)
        status = read_keys(turn, record_id, key, &found, err);
    if (status == STATUS_OK && !found)
        status = err_set(err, RETRY_FATAL, "resolve.record_lost",
                         "record %llu cannot be read back; hint: please report this with the log",
                         (unsigned long long)record_id);
    return status;
}
