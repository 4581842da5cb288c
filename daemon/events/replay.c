/* replay.c - see replay.h. */
#include "daemon/events/replay.h"
#include "daemon/events/filter.h"
#include "sql_queries.h"

#include <stdlib.h>

#define PAGE_SPAN ((uint64_t)500000) /* seqs looked over by one query */
#define PAGE_ROWS 10000

struct replay {
    struct db *db;
    struct event_filter filter;
    int64_t *seqs; /* of REPLAY_MAX */
    size_t count;
};

/* One of the queries that answer with (events, sinks found). */
static enum status change(struct db *db, const struct sql_query *query,
                          const struct db_param *params, size_t param_count, uint64_t *count,
                          struct err *err)
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

static const struct options *find_sink(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->sink_count; i++)
        if (strcmp(options_name(config->sinks[i]), name) == 0)
            return config->sinks[i];
    return NULL;
}

static enum status read_cursor(struct db *db, const char *sink, uint64_t *cursor, struct err *err)
{
    struct db_param name = DB_P_TEXT(slice_str(sink));
    struct db_result *rows = NULL;
    if (db_query(db, &sql_sink_load, &name, 1, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    bool found = db_rows(rows) == 1;
    *cursor = found ? (uint64_t)db_int(rows, 0, 0) : 0;
    db_result_free(&rows);
    return found ? STATUS_OK : STATUS_EMPTY;
}

/* Collects what is wanted of one page and moves *after past it. */
static enum status collect(struct replay *replay, uint64_t *after, uint64_t to, struct err *err)
{
    struct event_span span = {.after_seq = *after,
                              .up_to_seq = to - *after > PAGE_SPAN ? *after + PAGE_SPAN : to,
                              .max_rows = PAGE_ROWS};
    struct db_result *rows = NULL;
    if (event_filter_read(&replay->filter, replay->db, &span, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    size_t row_count = db_rows(rows);
    for (size_t row = 0; row < row_count && replay->count < REPLAY_MAX; row++)
        if (event_filter_wants(&replay->filter, rows, row))
            replay->seqs[replay->count++] = db_int(rows, row, EVENT_SEQ);
    *after = row_count == PAGE_ROWS ? (uint64_t)db_int(rows, row_count - 1, EVENT_SEQ)
                                    : span.up_to_seq;
    db_result_free(&rows);
    return STATUS_OK;
}

static enum status replay_wanted(struct replay *replay, const char *sink, uint64_t from,
                                 uint64_t to, uint64_t *count, struct err *err)
{
    uint64_t cursor;
    enum status status = read_cursor(replay->db, sink, &cursor, err);
    if (status != STATUS_OK)
        return status;
    uint64_t after = from ? from - 1 : 0;
    to = to == 0 || to > cursor ? cursor : to;
    while (after < to && replay->count < REPLAY_MAX)
        if (collect(replay, &after, to, err) != STATUS_OK)
            return STATUS_FAILED;
    struct db_param params[] = {DB_P_TEXT(slice_str(sink)),
                                DB_P_INT8S(replay->seqs, replay->count)};
    return change(replay->db, &sql_sink_replay_put, params, 2, count, err);
}

enum status events_replay_range(struct db *db, const struct config *config, const char *sink,
                                uint64_t from_seq, uint64_t to_seq, uint64_t *count,
                                struct err *err)
{
    const struct options *options = find_sink(config, sink);
    struct replay replay = {.db = db};
    *count = 0;
    if (to_seq > INT64_MAX)
        to_seq = INT64_MAX;
    if (from_seq > INT64_MAX || (to_seq != 0 && from_seq > to_seq))
        return err_set(err, RETRY_NONE, "events.range", "from %llu to %llu is no range",
                       (unsigned long long)from_seq, (unsigned long long)to_seq);
    if (options == NULL)
        return STATUS_EMPTY;
    replay.seqs = calloc(REPLAY_MAX, sizeof(*replay.seqs));
    enum status status = STATUS_OK;
    if (!event_filter_init(&replay.filter, config, options) || replay.seqs == NULL)
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory for a replay");
    else
        status = replay_wanted(&replay, sink, from_seq, to_seq, count, err);
    event_filter_free(&replay.filter);
    free(replay.seqs);
    return status;
}

enum status events_replay_dead(struct db *db, const char *sink, uint64_t *count, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(slice_str(sink))};
    return change(db, &sql_sink_replay_dead, params, 1, count, err);
}
