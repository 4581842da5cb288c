/*
 * op_rejects.c - what the rules refused: seen, taken in again, dropped.
 *
 * A retry is an accept transaction of its own: the stored bytes, parsed by the connector as ever, become a new delivery, and the
 * same transaction marks the reject `retried`. So a crash leaves either an open reject or an accepted delivery, never both,
 * never neither. What it says counts as said when it was first accepted: a newer version that came meanwhile
 * still wins.
 */
#include "daemon/base/utf8.h"
#include "daemon/console/ops_table.h"
#include "sql_queries.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define LIST_MAX         1000
#define IDS_MAX          10000
#define RETRY_CHUNK      256 /* rejects in one accept transaction */
#define ATTEMPTS_MAX     5
#define OUTCOME_WAIT_MS  10000
#define RAW_FLAG_BACKFILL 1

/* ---- list ---- */

/* Bytes as a JSON string where they are text, else as base64 under another name. */
static void set_body(json_t *row, struct slice body)
{
    if (utf8_valid(body) && slice_find_byte(body, '\0') < 0) {
        json_object_set_new(row, "body", json_stringn(body.ptr, body.len));
        return;
    }
    size_t size = sodium_base64_encoded_len(body.len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(size);
    if (text)
        json_object_set_new(row, "body_base64",
                            json_string(sodium_bin2base64(text, size, (const unsigned char *)body.ptr,
                                                          body.len, sodium_base64_VARIANT_ORIGINAL)));
    free(text);
}

static json_t *text_json(const struct db_result *rows, size_t row, size_t column)
{
    struct slice text = db_bytes(rows, row, column);
    return json_stringn(text.ptr, text.len);
}

/* A character that the cut at 2,000 bytes left in two is taken off. */
static struct slice whole_characters(struct slice body, int64_t full_bytes)
{
    size_t len = body.len;
    for (int i = 0; (int64_t)body.len < full_bytes && i < 3 && len > 0 &&
                    !utf8_valid(slice_of(body.ptr, len)); i++)
        len--;
    return utf8_valid(slice_of(body.ptr, len)) ? slice_of(body.ptr, len) : body;
}

static json_t *reject_json(const struct db_result *rows, size_t row)
{
    static const char *const texts[] = {"state", "code", "field", "param", "position", "external_id",
                                        "part"};
    char at[40];
    clock_format_utc(db_timestamp_us(rows, row, 2), at, sizeof(at));
    json_t *reject = json_pack("{s:I,s:o,s:s,s:b}", "reject_id", (json_int_t)db_int(rows, row, 0), "source",
                               text_json(rows, row, 1), "at", at, "quarantined",
                               (int)db_int(rows, row, 3));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        json_object_set_new(reject, texts[i], text_json(rows, row, 4 + i));
    int64_t full_bytes = db_int(rows, row, 12);
    set_body(reject, whole_characters(db_bytes(rows, row, 11), full_bytes));
    json_object_set_new(reject, "body_bytes", json_integer(full_bytes));
    return reject;
}

enum status op_rejects_list(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    int64_t limit = op_optional_int(args, "limit", 100);
    const char *state = op_optional_text(args, "state", "open");
    if (limit < 1 || limit > LIST_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "limit is 1 to %d", LIST_MAX);
    if (strcmp(state, "all") == 0)
        state = "";
    struct db_param params[] = {DB_P_TEXT(slice_str(op_optional_text(args, "source", ""))),
                                DB_P_TEXT(slice_str(state)), DB_P_INT4(limit)};
    struct db_result *rows = NULL;
    if (engine_query(engine, &sql_reject_list, params, 3, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    *result = json_array();
    for (size_t i = 0; i < db_rows(rows); i++)
        json_array_append_new(*result, reject_json(rows, i));
    db_result_free(&rows);
    return STATUS_OK;
}

/* ---- which ---- */

struct chosen {
    int64_t *ids; /* none: all */
    size_t count;
    const char *source; /* "": of any */
};

static enum status choose(const json_t *args, struct chosen *chosen, struct err *err)
{
    const json_t *ids = json_object_get(args, "ids");
    size_t i, count = json_array_size(ids);
    json_t *value;
    chosen->source = op_optional_text(args, "source", "");
    bool all = json_is_true(json_object_get(args, "all"));
    if ((count > 0) + (chosen->source[0] != '\0') + all != 1)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument",
                       "which rejects: ids, source or all (one of them)");
    if (count > IDS_MAX)
        return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "at most %d ids", IDS_MAX);
    chosen->ids = calloc(count + 1, sizeof(*chosen->ids));
    if (chosen->ids == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a list of ids");
    json_array_foreach(ids, i, value) {
        if (!json_is_integer(value) || json_integer_value(value) <= 0)
            return err_set(err, RETRY_REJECT_CONFIG, "op.argument", "ids are numbers above 0");
        chosen->ids[chosen->count++] = json_integer_value(value);
    }
    return STATUS_OK;
}

static enum status none_open(const struct chosen *chosen, struct err *err)
{
    if (chosen->count == 1)
        return err_set(err, RETRY_NONE, "op.not_found", "reject %lld is not open; hint: tributary rejects list --state=all",
                       (long long)chosen->ids[0]);
    return err_set(err, RETRY_NONE, "op.not_found", "none of the %zu rejects is open; hint: tributary rejects list "
                   "--state=all", chosen->count);
}

/* ---- retry ---- */

struct retrying {
    struct engine *engine;
    struct db *db;
    struct chosen chosen;
    int64_t above, up_to;
    size_t retried;         /* taken in again */
    size_t still_unreadable; /* left open: the connector still makes no record of it */
    json_t *batches;        /* their ids */
};

static bool parse_again(const struct source *source, const struct db_result *rows, size_t row,
                        struct arena *arena, struct delivery_batch *deliveries)
{
    struct delivery *delivery = ARENA_NEW(arena, struct delivery);
    struct err err;
    struct slice layout = arena_dup(arena, db_bytes(rows, row, 9));
    struct slice meta = arena_dup(arena, db_bytes(rows, row, 7));
    struct slice body = arena_dup(arena, db_bytes(rows, row, 8));
    if (delivery == NULL || source == NULL || (source->push == NULL && source->pull == NULL))
        return false;
    enum status status =
        source->push ? source->push->parse(&source->context, layout, meta, body, arena, delivery, &err)
                     : source->pull->parse(&source->context, layout, meta, body, arena, delivery, &err);
    delivery->meta = meta;
    delivery->body = body;
    delivery->position = arena_dup(arena, db_bytes(rows, row, 5));
    *deliveries = (struct delivery_batch){.count = 1, .deliveries = delivery, .layout = layout};
    return status == STATUS_OK && delivery->refusal == NULL && delivery->record_count > 0 &&
           !arena_failed(arena);
}

/* The items of one accept transaction. */
static size_t make_items(struct retrying *retrying, const struct db_result *rows, struct arena *arena,
                         struct accept_item *items)
{
    size_t count = 0;
    struct delivery_batch *deliveries = ARENA_ARRAY(arena, struct delivery_batch, RETRY_CHUNK);
    for (size_t i = 0; deliveries && i < db_rows(rows); i++) {
        struct source *source =
            sources_by_id(engine_sources(retrying->engine), (int32_t)db_int(rows, i, 1));
        if (!parse_again(source, rows, i, arena, &deliveries[count])) {
            retrying->still_unreadable++;
            continue;
        }
        /* What the connector itself had refused may be several records now; a rule refused one of them. */
        int64_t record_no = db_int(rows, i, 2);
        bool was_record = db_bytes(rows, i, 6).len > 0 &&
                          record_no < (int64_t)deliveries[count].deliveries->record_count;
        items[count] = (struct accept_item){
            .source = source, .deliveries = &deliveries[count],
            .received_us = clock_wall_us(engine_intake(retrying->engine)->clock), .effective_us = db_timestamp_us(rows, i, 3),
            .backfill = (db_int(rows, i, 4) & RAW_FLAG_BACKFILL) != 0, .reject_id = db_int(rows, i, 0),
            .only_parts = was_record ? 1u << record_no : 0};
        count++;
    }
    return count;
}

/* Whether the transaction is in is found out by the acceptor, when it cannot be found out here: if so, its batch is resolved. */
static enum status hand_over(struct retrying *retrying, struct accept_work **work, struct batch **batch, struct err *err)
{
    if (!acceptor_adopt(engine_acceptor(retrying->engine), work, batch, &retrying->db))
        return STATUS_FAILED;
    return err_set(err, RETRY_LATER, "op.undecided", "the database did not say whether it took the rejects in; if it did, they are "
                   "resolved once it answers; hint: tributary rejects list");
}

static enum status commit(struct retrying *retrying, struct accept_work *work, struct batch **batch, struct err *err)
{
    struct intake *intake = engine_intake(retrying->engine);
    const struct stop *stop = engine_stop_signal(retrying->engine);
    enum status status = STATUS_FAILED;
    for (unsigned attempt = 0;; attempt++) {
        status = accept_commit(intake, retrying->db, work, err);
        bool again = err->retry == RETRY_NOW || err->retry == RETRY_RECONNECT;
        if (status == STATUS_OK || (!accept_is_undecided(work) && (!again || attempt >= ATTEMPTS_MAX)))
            break;
        if (attempt >= ATTEMPTS_MAX && accept_is_undecided(work)) {
            (void)hand_over(retrying, &work, batch, err);
            if (work == NULL)
                return STATUS_FAILED;
        }
        if (stop_wait_ms(stop, attempt ? db_backoff_ms(attempt) : 0))
            break;
    }
    accept_done(intake, &work, status == STATUS_OK);
    return status;
}

static enum status check_room(struct retrying *retrying, const struct accept_item *items, size_t count, struct err *err)
{
    struct intake *intake = engine_intake(retrying->engine);
    size_t needs = 0;
    for (size_t i = 0; i < count; i++)
        needs += accept_needs(intake, items[i].source, items[i].deliveries);
    if (needs > accept_room(intake))
        return accept_no_room(err);
    if (!lanes_has_room(engine_lanes(retrying->engine)))
        return err_set(err, RETRY_LATER, "resolve.busy", "too much waits to be resolved; hint: try again later, tributary "
                       "status says what it waits for");
    return STATUS_OK;
}

static enum status accept_rows(struct retrying *retrying, const struct db_result *rows, struct err *err)
{
    struct batch *batch = batch_new();
    struct accept_item *items = calloc(RETRY_CHUNK, sizeof(*items));
    if (batch == NULL || items == NULL) {
        batch_free(&batch);
        free(items);
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a retry");
    }
    size_t count = make_items(retrying, rows, batch->arena, items);
    enum status status = check_room(retrying, items, count, err);
    if (status == STATUS_OK && count > 0) {
        struct accept_work *work =
            accept_prepare(engine_intake(retrying->engine), items, count, true, batch, err);
        status = work ? commit(retrying, work, &batch, err) : STATUS_FAILED;
    }
    if (status == STATUS_OK && count > 0) {
        retrying->retried += count;
        json_array_append_new(retrying->batches, json_integer((json_int_t)batch->batch_id));
        lanes_offer(engine_lanes(retrying->engine), &batch);
    }
    batch_free(&batch);
    free(items);
    return status;
}

static enum status retry_chunks(struct retrying *retrying, struct err *err)
{
    for (;;) {
        struct db_param params[] = {DB_P_INT8S(retrying->chosen.ids, retrying->chosen.count),
                                    DB_P_TEXT(slice_str(retrying->chosen.source)),
                                    DB_P_INT8(retrying->above), DB_P_INT8(retrying->up_to),
                                    DB_P_INT4(RETRY_CHUNK)};
        struct db_result *rows = NULL;
        if (engine_query(retrying->engine, &sql_reject_take, params, 5, &rows, err) != STATUS_OK)
            return STATUS_FAILED;
        size_t count = db_rows(rows);
        if (count > 0)
            retrying->above = db_int(rows, count - 1, 0);
        enum status status = count > 0 ? accept_rows(retrying, rows, err) : STATUS_OK;
        db_result_free(&rows);
        if (status != STATUS_OK || count < RETRY_CHUNK)
            return status;
    }
}

/* Waits until the batches are resolved, some seconds at most, and says what became of them. */
static enum status tell_outcome(struct retrying *retrying, json_t **result, struct err *err)
{
    const struct clock *clock = engine_intake(retrying->engine)->clock;
    int64_t until_us = clock_monotonic_us(clock) + (int64_t)OUTCOME_WAIT_MS * 1000;
    size_t count = json_array_size(retrying->batches);
    int64_t *ids = calloc(count + 1, sizeof(*ids)), open = 0, again = 0;
    enum status status = ids ? STATUS_OK : err_set(err, RETRY_LATER, "base.memory", "out of memory");
    for (size_t i = 0; ids && i < count; i++)
        ids[i] = json_integer_value(json_array_get(retrying->batches, i));
    while (status == STATUS_OK && count > 0) {
        struct db_param param = DB_P_INT8S(ids, count);
        struct db_result *rows = NULL;
        status = engine_query(retrying->engine, &sql_batch_outcome, &param, 1, &rows, err);
        if (status != STATUS_OK)
            break;
        open = db_int(rows, 0, 0);
        again = db_int(rows, 0, 1);
        db_result_free(&rows);
        if (open == 0 || clock_monotonic_us(clock) > until_us ||
            stop_wait_ms(engine_stop_signal(retrying->engine), 20))
            break;
    }
    free(ids);
    if (status == STATUS_OK)
        *result = json_pack("{s:I,s:I,s:I,s:b}", "retried", (json_int_t)retrying->retried, "rejected_again",
                            (json_int_t)again, "still_unreadable", (json_int_t)retrying->still_unreadable,
                            "resolved", open == 0);
    return status;
}

enum status op_rejects_retry(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* or two would take the same */
    struct retrying retrying = {.engine = engine, .batches = json_array()};
    struct db_settings settings = engine_db_settings(engine, "tributary retry");
    struct db_result *newest = NULL;
    enum status status = choose(args, &retrying.chosen, err);
    pthread_mutex_lock(&one_at_a_time);
    if (status == STATUS_OK)
        status = engine_query(engine, &sql_reject_max, NULL, 0, &newest, err);
    if (status == STATUS_OK) {
        retrying.up_to = db_int(newest, 0, 0);
        db_result_free(&newest);
        retrying.db = db_new(&settings, engine_stop_signal(engine));
        status = retrying.db ? retry_chunks(&retrying, err)
                             : err_set(err, RETRY_LATER, "base.memory", "out of memory for a connection");
        if (status != STATUS_OK && retrying.retried > 0)
            err_prefix(err, "%zu rejects were taken in again, then", retrying.retried);
        if (status == STATUS_OK && retrying.chosen.count > 0 &&
            retrying.retried + retrying.still_unreadable == 0)
            status = none_open(&retrying.chosen, err);
    }
    db_free(&retrying.db);
    pthread_mutex_unlock(&one_at_a_time);
    if (status == STATUS_OK)
        status = tell_outcome(&retrying, result, err);
    json_decref(retrying.batches);
    free(retrying.chosen.ids);
    return status;
}

enum status op_rejects_drop(struct engine *engine, const json_t *args, json_t **result, struct err *err)
{
    struct chosen chosen = {0};
    struct db_result *rows = NULL;
    enum status status = choose(args, &chosen, err);
    struct db_param params[] = {DB_P_INT8S(chosen.ids, chosen.count),
                                DB_P_TEXT(slice_str(chosen.source))};
    if (status == STATUS_OK)
        status = engine_query(engine, &sql_reject_drop, params, 2, &rows, err);
    if (status == STATUS_OK) {
        if (chosen.count > 0 && db_rows(rows) == 0)
            status = none_open(&chosen, err);
        else
            *result = json_pack("{s:I}", "dropped", (json_int_t)db_rows(rows));
        db_result_free(&rows);
    }
    free(chosen.ids);
    return status;
}
