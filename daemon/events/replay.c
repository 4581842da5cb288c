/* replay.c - see replay.h. */
#include "daemon/events/replay.h"
#include "daemon/base/clock.h"
#include "sql_queries.h"

#include <stdio.h>

static void put_time(struct buf *out, const struct db_result *rows, size_t row, size_t column)
{
    char text[40];
    if (db_is_null(rows, row, column)) {
        buf_put_str(out, "null");
        return;
    }
    clock_format_utc(db_timestamp_us(rows, row, column), text, sizeof(text));
    buf_printf(out, "\"%s\"", text);
}

static void put_id(struct buf *out, int64_t id)
{
    if (id)
        buf_printf(out, "%lld", (long long)id);
    else
        buf_put_str(out, "null");
}

static enum status check_room(const struct buf *out, struct err *err)
{
    return buf_failed(out) ? err_set(err, RETRY_LATER, "base.memory", "no room for the list; hint: ask for fewer")
                           : STATUS_OK;
}

/* One of the queries that answer with (events, sinks found). */
static enum status change(struct db *db, const struct sql_query *query, const struct db_param *params,
                          size_t param_count, uint64_t *count, struct err *err)
{
    struct db_result *rows = NULL;
    *count = 0;
    if (db_query(db, query, params, param_count, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    bool found = db_int(rows, 0, 1) > 0;
    *count = (uint64_t)db_int(rows, 0, 0);
    db_result_free(&rows);
    return found ? STATUS_OK : STATUS_EMPTY;
}

enum status events_replay_range(struct db *db, struct slice sink, uint64_t from_seq, uint64_t to_seq,
                                uint64_t *count, struct err *err)
{
    if (to_seq > INT64_MAX)
        to_seq = INT64_MAX;
    struct db_param params[] = {DB_P_TEXT(sink), DB_P_INT8((int64_t)from_seq), DB_P_INT8((int64_t)to_seq)};
    if (to_seq != 0 && from_seq > to_seq)
        return err_set(err, RETRY_NONE, "events.range", "from %llu to %llu is no range",
                       (unsigned long long)from_seq, (unsigned long long)to_seq);
    return change(db, &sql_sink_replay_range, params, 3, count, err);
}

enum status events_replay_list(struct db *db, struct slice sink, const int64_t *seqs, size_t seq_count,
                               uint64_t *count, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(sink), DB_P_INT8S(seqs, seq_count)};
    if (seq_count > EVENTS_REPLAY_MAX)
        return err_set(err, RETRY_NONE, "events.range", "at most %d events at once", EVENTS_REPLAY_MAX);
    return change(db, &sql_sink_replay_list, params, 2, count, err);
}

enum status events_replay_dead(struct db *db, struct slice sink, uint64_t *count, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(sink)};
    return change(db, &sql_sink_replay_dead, params, 1, count, err);
}

enum status events_drop_dead(struct db *db, struct slice sink, uint64_t *count, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(sink)};
    return change(db, &sql_sink_drop_dead, params, 1, count, err);
}

enum status events_dead_json(struct db *db, struct slice sink, int64_t limit, struct buf *out,
                             struct err *err)
{
    struct db_result *rows = NULL;
    struct db_param params[] = {
        DB_P_TEXT(sink), DB_P_INT4(limit < 1 ? 1 : limit > EVENTS_LIST_MAX ? EVENTS_LIST_MAX : limit)};
    if (db_query(db, &sql_sink_dead_list, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    buf_put_byte(out, '[');
    for (size_t row = 0; row < db_rows(rows); row++) {
        buf_printf(out, "%s{\"seq\":%lld,\"at\":", row ? "," : "", (long long)db_int(rows, row, 0));
        put_time(out, rows, row, 1);
        buf_put_str(out, ",\"type\":");
        buf_put_json(out, db_bytes(rows, row, 2));
        buf_put_str(out, ",\"customer_id\":");
        put_id(out, db_int(rows, row, 3));
        buf_printf(out, ",\"attempts\":%lld,\"status\":%lld,\"error\":", (long long)db_int(rows, row, 4),
                   (long long)db_int(rows, row, 5));
        buf_put_json(out, db_bytes(rows, row, 6));
        buf_put_byte(out, '}');
    }
    buf_put_byte(out, ']');
    db_result_free(&rows);
    return check_room(out, err);
}

enum status sink_set_paused(struct db *db, struct slice sink, bool paused, struct err *err)
{
    uint64_t affected = 0;
    struct db_param params[] = {DB_P_TEXT(sink), DB_P_BOOL(paused)};
    if (db_run(db, &sql_sink_set_paused, params, 2, &affected, err) != STATUS_OK)
        return STATUS_FAILED;
    return affected ? STATUS_OK : STATUS_EMPTY;
}

enum status sinks_list_json(struct db *db, struct buf *out, struct err *err)
{
    static const char *const numbers[] = {"backlog", "parked", "dead", "delivered"};
    struct db_result *rows = NULL;
    if (db_query(db, &sql_sinks_list, NULL, 0, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    buf_put_byte(out, '[');
    for (size_t row = 0; row < db_rows(rows); row++) {
        buf_put_str(out, row ? ",{\"name\":" : "{\"name\":");
        buf_put_json(out, db_bytes(rows, row, 0));
        buf_put_str(out, ",\"type\":");
        buf_put_json(out, db_bytes(rows, row, 1));
        buf_put_str(out, ",\"state\":");
        buf_put_json(out, db_bytes(rows, row, 2));
        for (size_t i = 0; i < 4; i++)
            buf_printf(out, ",\"%s\":%lld", numbers[i], (long long)db_int(rows, row, 3 + i));
        buf_put_str(out, ",\"last_delivered_at\":");
        put_time(out, rows, row, 7);
        buf_put_str(out, ",\"reason\":");
        buf_put_json(out, db_bytes(rows, row, 8));
        buf_put_byte(out, '}');
    }
    buf_put_byte(out, ']');
    db_result_free(&rows);
    return check_room(out, err);
}
