/* sink_save.c - a sink's cursor, counts and parked rows, from and to the database. */
#include "daemon/events/sink.h"
#include "daemon/base/log.h"
#include "sql_queries.h"

#include <stdio.h>
#include <stdlib.h>

#define WAIT_MAX_US ((int64_t)14 * 86400 * 1000000) /* whatever the wall clock says */

void sink_touch(struct sink *sink, int64_t now_us)
{
    if (sink->unsaved_since_us == 0)
        sink->unsaved_since_us = now_us > 0 ? now_us : 1;
}

/* ---- loading ---- */

static enum sink_state state_of(struct slice name)
{
    if (slice_is(name, "active"))
        return SINK_ACTIVE;
    return slice_is(name, "paused") ? SINK_PAUSED : SINK_DISABLED;
}

static enum status load_parked(struct sink *sink, struct db *db, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(slice_str(sink->name)), DB_P_INT4(PARKED_MAX + 1)};
    struct db_result *rows = NULL;
    if (db_query(db, &sql_sink_parked_load, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    int64_t now_us = clock_monotonic_us(sink->clock), wall_us = clock_wall_us(sink->clock);
    enum status status = STATUS_OK;
    sink->more_parked = db_rows(rows) > PARKED_MAX;
    for (size_t i = 0; i < db_rows(rows) && i < PARKED_MAX && status == STATUS_OK; i++) {
        struct parked_row row = {.seq = (uint64_t)db_int(rows, i, 0),
                                 .attempts = (unsigned)db_int(rows, i, 2),
                                 .status = (int)db_int(rows, i, 4),
                                 .due_us = now_us};
        if (!db_is_null(rows, i, 3)) {
            row.due_wall_us = db_timestamp_us(rows, i, 3);
            int64_t wait_us = row.due_wall_us - wall_us;
            row.due_us += wait_us < 0 ? 0 : wait_us > WAIT_MAX_US ? WAIT_MAX_US : wait_us;
        }
        if (!named_parse(&row.named, (uint64_t)db_int(rows, i, 1), db_bytes(rows, i, 5)) ||
            !parked_put(&sink->parked, &row))
            status = err_set(err, RETRY_LATER, "base.memory",
                             "out of memory for the parked events of sink %s", sink->name);
        named_free(&row.named);
    }
    db_result_free(&rows);
    return status;
}

static void forget_trouble(struct sink *sink)
{
    sink->failures = sink->probes = sink->holds = 0;
    sink->is_down = false;
    sink->probe_at_us = sink->hold_until_us = 0;
    sink->trouble[0] = '\0';
}

static bool begins_with_oldest(const struct sink *sink)
{
    return strcmp(options_string(sink->options, "start"), "beginning") == 0;
}

/* Retention passes the cursor of a sink that was not at work for long; one at work does not come to that. */
static void tell_gap(const struct sink *sink, uint64_t oldest)
{
    bool begins = sink->cursor == 0 && begins_with_oldest(sink);
    if (sink->state == SINK_ACTIVE && !begins && oldest > sink->cursor + 1)
        log_warn("events.past_retention",
                 "sink %s: events %llu to %llu are past their retention and are not told to it",
                 sink->name, (unsigned long long)sink->cursor + 1, (unsigned long long)oldest - 1);
}

/* A person who enables a sink that has more than limits.events to be told wants it to be told. */
static void allow_backlog(struct sink *sink)
{
    uint64_t backlog = sink->head > sink->cursor ? sink->head - sink->cursor : 0;
    sink->backlog_most = sink->backlog_max;
    if (backlog >= sink->backlog_max)
        sink->backlog_most = backlog + sink->backlog_max / 10 + 1;
}

enum status sink_load(struct sink *sink, struct db *db, struct err *err)
{
    struct db_param params[] = {
        DB_P_TEXT(slice_str(sink->name)), DB_P_TEXT(slice_str(sink->driver->type)),
        DB_P_BOOL(begins_with_oldest(sink))};
    struct db_result *row = NULL;
    sink->loaded = false;
    sink_forget(sink);
    if (db_run(db, &sql_sink_pin, params, 3, NULL, err) != STATUS_OK ||
        db_query(db, &sql_sink_load, params, 1, &row, err) != STATUS_OK)
        return STATUS_FAILED;
    if (db_rows(row) != 1) {
        db_result_free(&row);
        return err_set(err, RETRY_LATER, "events.sink_gone", "sink %s is not in the database",
                       sink->name);
    }
    sink->cursor = sink->saved_cursor = sink->read_seq = (uint64_t)db_int(row, 0, 0);
    sink->delivered = sink->saved_delivered = (uint64_t)db_int(row, 0, 1);
    sink->last_delivered_us = db_is_null(row, 0, 2) ? 0 : db_timestamp_us(row, 0, 2);
    sink->state = state_of(db_bytes(row, 0, 3));
    snprintf(sink->reason, sizeof(sink->reason), SLICE_FMT, SLICE_ARG(db_bytes(row, 0, 4)));
    sink->changed_us = db_timestamp_us(row, 0, 5);
    sink->dead = (uint64_t)db_int(row, 0, 6);
    uint64_t oldest = (uint64_t)db_int(row, 0, 7);
    db_result_free(&row);
    tell_gap(sink, oldest ? oldest : sink->head + 1);
    allow_backlog(sink);
    sink->state_dirty = sink->reload = false;
    sink->unsaved = 0;
    sink->unsaved_since_us = 0;
    forget_trouble(sink);
    if (load_parked(sink, db, err) != STATUS_OK)
        return STATUS_FAILED;
    sink->loaded = true;
    return STATUS_OK;
}

/* ---- saving ---- */

#define COLUMNS 6

struct save_columns {
    size_t put_count, gone_count;
    int64_t *put[COLUMNS]; /* seq, customer, attempts, next, dead, status */
    int64_t *gone;
    struct slice *errors;
    int64_t *memory;
};

static enum status make_columns(const struct parked *parked, struct save_columns *c,
                                struct err *err)
{
    size_t count = parked->change_count + 1;
    *c = (struct save_columns){.memory = calloc(count * (COLUMNS + 1), sizeof(int64_t)),
                               .errors = calloc(count, sizeof(struct slice))};
    if (c->memory == NULL || c->errors == NULL) {
        free(c->memory);
        free(c->errors);
        return err_set(err, RETRY_LATER, "base.memory", "out of memory to save a sink");
    }
    for (size_t i = 0; i < COLUMNS; i++)
        c->put[i] = c->memory + i * count;
    c->gone = c->memory + COLUMNS * count;
    for (size_t i = 0; i < parked->change_count; i++) {
        const struct parked_change *change = &parked->changes[i];
        if (change->gone) {
            c->gone[c->gone_count++] = (int64_t)change->row.seq;
            continue;
        }
        size_t k = c->put_count++;
        c->put[0][k] = (int64_t)change->row.seq;
        c->put[1][k] = (int64_t)change->row.named.subject;
        c->put[2][k] = (int64_t)change->row.attempts;
        c->put[3][k] = change->dead ? 0 : change->row.due_wall_us;
        c->put[4][k] = change->dead;
        c->put[5][k] = change->row.status;
        c->errors[k] = slice_str(change->error);
    }
    return STATUS_OK;
}

static enum status queue_save(struct sink *sink, struct db *db, const struct save_columns *c,
                              struct err *err)
{
    struct db_param name = DB_P_TEXT(slice_str(sink->name));
    struct db_param save[] = {name,
                              DB_P_INT8((int64_t)sink->saved_cursor),
                              DB_P_INT8((int64_t)sink->saved_delivered),
                              DB_P_INT8((int64_t)sink->cursor),
                              DB_P_INT8((int64_t)sink->delivered),
                              sink->last_delivered_us ? DB_P_TIMESTAMP(sink->last_delivered_us)
                                                      : DB_P_NULL(),
                              DB_P_BOOL(sink->state_dirty),
                              DB_P_TEXT(slice_str(sink->reason))};
    if (db_queue(db, &sql_sink_save, save, 8, err) != STATUS_OK)
        return STATUS_FAILED;
    if (c->put_count) {
        struct db_param put[2 + COLUMNS] = {name};
        for (size_t i = 0; i < COLUMNS; i++)
            put[1 + i] = DB_P_INT8S(c->put[i], c->put_count);
        put[1 + COLUMNS] = DB_P_TEXTS(c->errors, c->put_count);
        if (db_queue(db, &sql_sink_parked_put, put, 2 + COLUMNS, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    if (c->gone_count) {
        struct db_param gone[] = {name, DB_P_INT8S(c->gone, c->gone_count)};
        if (db_queue(db, &sql_sink_parked_delete, gone, 2, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    return STATUS_OK;
}

/* One transaction; *held: the row was as we knew it. */
static enum status save_all(struct sink *sink, struct db *db, const struct save_columns *c,
                            bool *held, struct err *err)
{
    uint64_t affected[3] = {0};
    bool ambiguous = false;
    if (db_begin(db, err) != STATUS_OK)
        return STATUS_FAILED;
    struct db_result *relaxed = NULL;
    enum status status =
        sink->state_dirty ? STATUS_OK : db_query(db, &sql_session_relaxed, NULL, 0, &relaxed, err);
    db_result_free(&relaxed);
    if (status == STATUS_OK)
        status = queue_save(sink, db, c, err);
    if (status == STATUS_OK)
        status = db_flush_queue(db, affected, 3, err);
    *held = status == STATUS_OK && affected[0] == 1;
    if (status == STATUS_OK && *held)
        status = db_commit(db, &ambiguous, err); /* in doubt: the same save again settles it */
    else if (db_is_open(db))
        db_rollback(db);
    return status;
}

enum status sink_save(struct sink *sink, struct db *db, struct err *err)
{
    struct save_columns columns;
    bool held = false;
    if (make_columns(&sink->parked, &columns, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = save_all(sink, db, &columns, &held, err);
    free(columns.memory);
    free(columns.errors);
    if (status != STATUS_OK)
        return status;
    sink->unsaved = 0;
    sink->unsaved_since_us = 0;
    if (!held) {
        log_warn(
            "events.cursor_moved",
            "sink %s: its cursor was moved by somebody else; it is read again; hint: is another "
            "tributary delivering from this database?",
            sink->name);
        sink->reload = true;
        return STATUS_OK;
    }
    parked_saved(&sink->parked);
    sink->saved_cursor = sink->cursor;
    sink->saved_delivered = sink->delivered;
    sink->state_dirty = false;
    return STATUS_OK;
}
