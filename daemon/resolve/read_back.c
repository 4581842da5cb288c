/*
 * read_back.c - batches that were accepted and not resolved, made again from their raw bytes.
 *
 * At a start and after a failure all that are in flight are read once, so that the versions they bring are known; only
 * the first of them stay in memory. The others, and those that found no room in their lane (lanes.h), are read again some at a
 * time, when there is nothing read back left to do.
 */
#include "daemon/base/log.h"
#include "daemon/resolve/resolver.intern.h"
#include "sql_queries.h"

#include <stdlib.h>

#define RAW_FLAG_BACKFILL   1
#define KEPT_ARRIVALS_MAX   20000 /* read back and waiting in memory */
#define READ_BACK_BATCHES   64    /* at a time */
#define READ_BACK_RETRY_MS  1000

static const struct source *row_source(struct resolver *r, const struct db_result *rows, size_t row)
{
    return sources_by_id(r->settings.sources, (int32_t)db_int(rows, row, 2));
}

/* Makes the delivery again as its connector made it. What cannot be becomes a reject, with its bytes. */
static struct delivery *parse_again(struct resolver *r, const struct db_result *rows, size_t row,
                                    struct arena *arena)
{
    const struct source *source = row_source(r, rows, row);
    struct delivery *delivery = ARENA_NEW(arena, struct delivery);
    if (delivery == NULL)
        return NULL;
    struct slice body = arena_dup(arena, db_bytes(rows, row, 10));
    struct slice meta = arena_dup(arena, db_bytes(rows, row, 9));
    struct slice layout = arena_dup(arena, db_bytes(rows, row, 11));
    struct slice refusal = db_bytes(rows, row, 6);
    struct err err;
    enum status status = STATUS_FAILED;
    if (refusal.len == 0 && source && source->push)
        status = source->push->parse(&source->context, layout, meta, body, arena, delivery, &err);
    else if (refusal.len == 0 && source && source->pull)
        status = source->pull->parse(&source->context, layout, meta, body, arena, delivery, &err);
    if (refusal.len > 0)
        delivery->refusal = arena_str(arena, refusal);
    else if (status != STATUS_OK)
        delivery->refusal = "delivery.unreadable";
    if (delivery->refusal)
        delivery->record_count = 0;
    delivery->refusal_param = arena_dup(arena, db_bytes(rows, row, 7));
    delivery->position = arena_dup(arena, db_bytes(rows, row, 8));
    delivery->meta = meta;
    delivery->body = body;
    return delivery;
}

static void note_accepted(struct resolver *r, const struct arrival *arrival)
{
    known_lock(r->settings.intake->known);
    struct known_state state = known_get(r->settings.intake->known, arrival->key);
    struct known_version version = {arrival->effective_us, arrival->hash};
    if (known_version_cmp(&version, &state.accepted) > 0)
        (void)known_accept(r->settings.intake->known, arrival->key, version, 0); /* no room: the resolver will tell */
    known_unlock(r->settings.intake->known);
}

static void note_refused(struct resolver *r, struct arrival *arrival, struct slice layout)
{
    struct intake *intake = r->settings.intake;
    if (arrival->source == NULL)
        return;
    arrival->refused = refused_key_of(arrival->source->name, arrival->source->pull != NULL, layout, arrival->delivery);
    known_lock(intake->known);
    (void)refused_note(intake->refused, arrival->refused, 0);
    known_unlock(intake->known);
}

static void recover_delivery(struct resolver *r, const struct db_result *rows, size_t row,
                             struct batch *batch)
{
    struct delivery *delivery = parse_again(r, rows, row, batch->arena);
    uint32_t parts = (uint32_t)db_int(rows, row, 4);
    struct source *source = (struct source *)(uintptr_t)row_source(r, rows, row);
    for (unsigned part = 0; delivery && part < 32; part++) {
        if (!(parts >> part & 1))
            continue;
        struct arrival *arrival = &batch->arrivals[batch->arrival_count++];
        *arrival = (struct arrival){.source = source, .delivery = delivery,
                                    .accept_seq = (uint64_t)db_int(rows, row, 0),
                                    .layout_id = (int32_t)db_int(rows, row, 3),
                                    .record_no = (uint16_t)part,
                                    .backfill = (db_int(rows, row, 5) & RAW_FLAG_BACKFILL) != 0,
                                    .effective_us = db_timestamp_us(rows, row, 1)};
        if (part >= delivery->record_count) {
            if (delivery->refusal == NULL)
                delivery->refusal = "delivery.unreadable";
            note_refused(r, arrival, db_bytes(rows, row, 11));
            continue;
        }
        arrival->raw = &delivery->records[part];
        arrival->key = natural_key_of(slice_str(source->name), arrival->raw->external_id,
                                      arrival->raw->part);
        arrival->hash = raw_record_hash(arrival->raw).low | 1;
        delivery->records[part].effective_us = accept_storable_time(arrival->raw->effective_us);
        if (arrival->raw->effective_us)
            arrival->effective_us = arrival->raw->effective_us;
        note_accepted(r, arrival);
    }
}

static enum status recover_batch(struct resolver *r, const struct db_result *batches, size_t row,
                                 struct batch **out, struct err *err)
{
    struct db_param range[] = {DB_P_INT8(db_int(batches, row, 3)), DB_P_INT8(db_int(batches, row, 4))};
    struct db_result *rows = NULL;
    if (db_query(r->reader, &sql_raw_read, range, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    struct batch *batch = batch_new();
    size_t units = 0;
    for (size_t i = 0; i < db_rows(rows); i++)
        units += (size_t)__builtin_popcount((unsigned)db_int(rows, i, 4));
    if (batch)
        batch->arrivals = ARENA_ARRAY(batch->arena, struct arrival, units + 1);
    if (batch == NULL || batch->arrivals == NULL) {
        db_result_free(&rows);
        batch_free(&batch);
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a batch in flight");
    }
    batch->batch_id = (uint64_t)db_int(batches, row, 0);
    batch->live = db_int(batches, row, 1) != 0;
    batch->accepted_us = db_timestamp_us(batches, row, 2);
    for (size_t i = 0; i < db_rows(rows); i++)
        recover_delivery(r, rows, i, batch);
    db_result_free(&rows);
    if (arena_failed(batch->arena)) {
        batch_free(&batch);
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a batch in flight");
    }
    *out = batch;
    return STATUS_OK;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Adds the batches to those that are dropped when they come through the lanes: one read back at an earlier rebuild may
 * be resolved by now and lie there still. */
static enum status note_recovered(struct resolver *r, const struct db_result *batches, struct err *err)
{
    size_t count = r->recovered_count, kept = 0;
    uint64_t *ids = realloc(r->recovered_ids, (count + db_rows(batches) + 1) * sizeof(*ids));
    if (ids == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for batches in flight");
    for (size_t i = 0; i < db_rows(batches); i++)
        ids[count++] = (uint64_t)db_int(batches, i, 0);
    qsort(ids, count, sizeof(*ids), compare_ids);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || ids[kept - 1] != ids[i])
            ids[kept++] = ids[i];
    }
    r->recovered_ids = ids;
    r->recovered_count = kept;
    return STATUS_OK;
}

static enum status remember_unread(struct resolver *r, uint64_t batch_id, size_t capacity, struct err *err)
{
    if (r->unread_count == 0 || r->unread == NULL) {
        uint64_t *ids = realloc(r->unread, capacity * sizeof(*ids));
        if (ids == NULL)
            return err_set(err, RETRY_LATER, "base.memory", "out of memory for batches in flight");
        r->unread = ids;
        r->unread_count = r->unread_next = 0;
    }
    r->unread[r->unread_count++] = batch_id;
    return STATUS_OK;
}

enum status restore_batches(struct resolver *r, struct err *err)
{
    struct db_result *batches = NULL;
    if (db_query(r->reader, &sql_batch_in_flight, NULL, 0, &batches, err) != STATUS_OK)
        return STATUS_FAILED;
    struct batch **tail = &r->recovered;
    size_t count = db_rows(batches), kept = 0;
    enum status status = note_recovered(r, batches, err);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct batch *batch = NULL;
        status = recover_batch(r, batches, i, &batch, err);
        if (status == STATUS_OK && kept < KEPT_ARRIVALS_MAX) {
            kept += batch->arrival_count;
            *tail = batch;
            tail = &batch->next;
        } else if (status == STATUS_OK) {
            status = remember_unread(r, batch->batch_id, count, err);
            batch_free(&batch);
        }
    }
    db_result_free(&batches);
    if (status == STATUS_OK && count > 0)
        log_info("resolve.recovered", "%zu accepted batches were not resolved yet and are taken up", count);
    return status;
}

bool resolver_was_recovered(const struct resolver *r, uint64_t batch_id)
{
    return r->recovered_count > 0 && bsearch(&batch_id, r->recovered_ids, r->recovered_count, sizeof(batch_id),
                                             compare_ids) != NULL;
}

/* Numbers of batches that were left behind, less those that a rebuild has read back since. */
static void take_left(struct resolver *r)
{
    uint64_t ids[READ_BACK_BATCHES];
    struct err err;
    size_t count = lanes_take_left(r->settings.lanes, ids, READ_BACK_BATCHES);
    qsort(ids, count, sizeof(*ids), compare_ids);
    r->unread_count = r->unread_next = 0;
    for (size_t i = 0; i < count; i++) {
        if (resolver_was_recovered(r, ids[i]))
            continue;
        if (remember_unread(r, ids[i], READ_BACK_BATCHES, &err) == STATUS_OK)
            continue;
        r->failed = true; /* all that is in flight is read back after a failure */
        r->failure = err;
        return;
    }
}

static enum status read_some(struct resolver *r, size_t *used, struct err *err)
{
    size_t left = r->unread_count - r->unread_next, arrivals = 0;
    size_t count = left < READ_BACK_BATCHES ? left : READ_BACK_BATCHES;
    int64_t ids[READ_BACK_BATCHES];
    for (size_t i = 0; i < count; i++)
        ids[i] = (int64_t)r->unread[r->unread_next + i];
    struct db_param param = DB_P_INT8S(ids, count);
    struct db_result *batches = NULL;
    if (db_open(r->reader, err) != STATUS_OK ||
        db_query(r->reader, &sql_batch_read, &param, 1, &batches, err) != STATUS_OK)
        return STATUS_FAILED;
    struct batch **tail = &r->recovered;
    enum status status = STATUS_OK;
    size_t row = 0, rows = db_rows(batches);
    while (row < rows && arrivals < r->settings.set_arrivals) {
        status = recover_batch(r, batches, row, tail, err);
        if (status != STATUS_OK)
            break;
        arrivals += (*tail)->arrival_count;
        tail = &(*tail)->next;
        row++;
    }
    *used = count;
    for (size_t i = 0; row < rows && i < count; i++) {
        if (ids[i] == db_int(batches, row, 0))
            *used = i; /* this one and what follows come next time */
    }
    db_result_free(&batches);
    return status;
}

void read_back(struct resolver *r)
{
    int64_t now_us = clock_monotonic_us(r->settings.clock);
    struct err err = {0};
    size_t used = 0;
    if (now_us < r->read_back_at_us)
        return;
    if (r->unread_next == r->unread_count)
        take_left(r);
    if (r->unread_next == r->unread_count)
        return;
    if (read_some(r, &used, &err) != STATUS_OK) {
        r->read_back_at_us = now_us + READ_BACK_RETRY_MS * 1000;
        log_err(LOG_LEVEL_WARN, &err, "batches that wait in the database cannot be read back yet");
    }
    r->unread_next += used;
}
