/* accept_tx.c - see accept_tx.h. */
#include "daemon/accept/accept_tx.h"
#include "daemon/accept/employer.h"
#include "daemon/base/crash_point.h"
#include "daemon/base/safe_text.h"
#include "daemon/base/utf8.h"
#include "sql_queries.h"

#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define RAW_ROWS_MAX_BYTES ((size_t)512 << 20)
#define RAW_FLAG_BACKFILL  1
#define RAW_FLAG_RETRIED   2

static const char copy_raw[] =
    "COPY tributary.raw (accept_seq, received_at, effective_at, source_id, layout_id, pending_parts, flags, refusal, "
    "refusal_param, position, meta, body) FROM STDIN (FORMAT binary)";

struct undo {
    struct natural_key key;
    struct known_version accepted;
    uint64_t provisional_batch;
};

/* What one source has in the batch; ascending by source id, so that two transactions lock in one order. */
struct share {
    int64_t source_id, received, pending, repeat, suppressed;
};

struct accept_work {
    struct batch *batch;
    struct accept_item *items;
    size_t item_count;
    struct buf rows;
    uint64_t row_count;
    uint64_t first_seq, last_seq;
    struct undo *undo;
    size_t undo_count;
    struct refused_key *refused; /* noted, provisionally */
    size_t refused_count;
    struct share shares[ACCEPT_ITEMS_MAX];
    size_t share_count;
    int32_t layout_ids[ACCEPT_ITEMS_MAX]; /* by item; 0 none yet */
    bool ambiguous;
};

/* A time PostgreSQL and people can read (years 1 to 9999); anything else counts as not given. */
int64_t accept_storable_time(int64_t time_us)
{
    const int64_t first_us = -62135596800 * 1000000, last_us = 253402300799 * 1000000;
    return time_us < first_us || time_us > last_us ? 0 : time_us;
}

static bool is_key_text(struct slice text, size_t max)
{
    return text.len > 0 && text.len <= max && slice_find_byte(text, '\0') < 0 && utf8_valid(text);
}

static struct columns *copy_columns(struct arena *arena, const struct columns *columns)
{
    struct columns *copy = ARENA_NEW(arena, struct columns);
    struct slice *names = ARENA_ARRAY(arena, struct slice, columns->count + 1);
    if (copy == NULL || names == NULL)
        return NULL;
    for (size_t i = 0; i < columns->count; i++)
        names[i] = arena_dup(arena, columns->names[i]);
    *copy = (struct columns){.id = columns->id, .count = columns->count, .names = names};
    return copy;
}

static struct share *share_of(struct accept_work *work, int64_t source_id)
{
    size_t at = 0;
    while (at < work->share_count && work->shares[at].source_id < source_id)
        at++;
    if (at == work->share_count || work->shares[at].source_id != source_id) {
        memmove(&work->shares[at + 1], &work->shares[at],
                (work->share_count - at) * sizeof(work->shares[0]));
        work->shares[at] = (struct share){.source_id = source_id};
        work->share_count++;
    }
    return &work->shares[at];
}

/* Whether the arrival says nothing new. Otherwise its version is noted as the newest, provisionally. */
static bool note_version(struct intake *intake, struct accept_work *work, struct arrival *arrival,
                         bool source_time)
{
    struct known_state state = known_get(intake->known, arrival->key);
    struct known_version version = {arrival->effective_us, arrival->hash};
    bool durable = state.provisional_batch == 0 || state.provisional_batch == work->batch->batch_id;
    if (durable && state.accepted.hash == version.hash &&
        (!source_time || version.effective_us <= state.accepted.effective_us))
        return true;
    /* Without room to remember it, the resolver will tell. */
    if (known_version_cmp(&version, &state.accepted) > 0 &&
        known_accept(intake->known, arrival->key, version, work->batch->batch_id))
        work->undo[work->undo_count++] = (struct undo){arrival->key, state.accepted, state.provisional_batch};
    return false;
}

/* The same for bytes no record could be made of. */
static bool note_refused(struct intake *intake, struct accept_work *work, struct arrival *arrival, struct slice layout)
{
    arrival->refused = refused_key_of(arrival->source->name, arrival->source->pull != NULL, layout, arrival->delivery);
    if (refused_note(intake->refused, arrival->refused, work->batch->batch_id))
        return true;
    work->refused[work->refused_count++] = arrival->refused;
    return false;
}

static void put_raw_row(struct accept_work *work, const struct accept_item *item, uint64_t seq, int64_t effective_us,
                        uint32_t pending_parts, const struct delivery *delivery)
{
    struct buf *rows = &work->rows;
    int32_t layout_id = work->layout_ids[item - work->items];
    copy_row(rows, 12);
    copy_int8(rows, (int64_t)seq);
    copy_timestamp(rows, item->received_us);
    if (effective_us != item->received_us)
        copy_timestamp(rows, effective_us);
    else
        copy_null(rows);
    copy_int4(rows, item->source->source_id);
    if (layout_id)
        copy_int4(rows, layout_id);
    else
        copy_null(rows);
    copy_int4(rows, (int32_t)pending_parts);
    copy_int2(rows, (int16_t)((item->backfill ? RAW_FLAG_BACKFILL : 0) |
                              (item->reject_id ? RAW_FLAG_RETRIED : 0)));
    if (delivery->refusal) {
        copy_text(rows, slice_str(delivery->refusal));
        copy_text(rows, delivery->refusal_param);
    } else {
        copy_null(rows);
        copy_null(rows);
    }
    copy_text(rows, delivery->position);
    copy_text(rows, delivery->meta);
    copy_bytea(rows, delivery->body);
    work->row_count++;
}

struct preparation {
    struct intake *intake;
    struct accept_work *work;
    struct accept_item *item;
    const struct columns *seen_columns;
    const struct columns *copied_columns;
};

static void take_columns(struct preparation *p, struct raw_record *raw)
{
    if (raw->columns == NULL)
        return;
    if (raw->columns != p->seen_columns) {
        p->seen_columns = raw->columns;
        p->copied_columns = copy_columns(p->work->batch->arena, raw->columns);
    }
    raw->columns = p->copied_columns;
}

/* What is received now without a time of its own is the newest word of its source, also after the wall clock was set back
 * and for two rows of one file: then what the delivery says counts as said just after the version its key has. */
static int64_t effective_time(const struct preparation *p, const struct delivery *delivery)
{
    const int64_t given_us = p->item->effective_us ? p->item->effective_us : p->item->received_us;
    int64_t effective_us = given_us;
    for (size_t i = 0; i < delivery->record_count && p->item->fresh && delivery->refusal == NULL; i++) {
        const struct raw_record *raw = &delivery->records[i];
        if (accept_storable_time(raw->effective_us))
            continue;
        struct known_version newest =
            known_get(p->intake->known,
                      natural_key_of(slice_str(p->item->source->name), raw->external_id, raw->part)).accepted;
        if (newest.hash && newest.effective_us >= effective_us)
            effective_us = newest.effective_us + 1;
    }
    return accept_storable_time(effective_us) ? effective_us : given_us;
}

/* Whether all of it is a repeat. */
static bool prepare_delivery(struct preparation *p, struct delivery *delivery)
{
    struct batch *batch = p->work->batch;
    struct source *source = p->item->source;
    struct share *share = share_of(p->work, source->source_id);
    uint64_t seq = atomic_fetch_add(&p->intake->next_accept_seq, 1);
    size_t units = delivery->record_count ? delivery->record_count : 1;
    uint32_t pending_parts = 0;
    delivery->position = safe_text(batch->arena, delivery->position);
    delivery->meta = safe_text(batch->arena, delivery->meta);
    delivery->refusal_param = safe_text(batch->arena, delivery->refusal_param);
    for (size_t i = 0; i < delivery->record_count && delivery->refusal == NULL; i++) {
        if (!is_key_text(delivery->records[i].external_id, RECORD_ID_MAX_BYTES) ||
            !is_key_text(delivery->records[i].part, RECORD_PART_MAX_BYTES) ||
            employer_is_key(delivery->records[i].external_id, delivery->records[i].part)) {
            delivery->refusal = "record.bad_key";
            delivery->refusal_param = SLICE_EMPTY;
        }
    }
    if (delivery->refusal)
        units = 1;
    int64_t effective_us = effective_time(p, delivery);
    for (size_t i = 0; i < units; i++) {
        if (units > 1 && p->item->only_parts && !(p->item->only_parts >> i & 1))
            continue;
        struct arrival *arrival = &batch->arrivals[batch->arrival_count];
        *arrival = (struct arrival){.source = source, .delivery = delivery, .accept_seq = seq,
                                    .record_no = (uint16_t)i, .backfill = p->item->backfill,
                                    .effective_us = effective_us,
                                    .layout_id = p->work->layout_ids[p->item - p->work->items]};
        bool repeat = false;
        if (delivery->refusal == NULL && delivery->record_count > 0) {
            struct raw_record *raw = &delivery->records[i];
            take_columns(p, raw);
            arrival->raw = raw;
            arrival->key = natural_key_of(slice_str(source->name), raw->external_id, raw->part);
            arrival->hash = raw_record_hash(raw).low | 1; /* never 0 */
            raw->effective_us = accept_storable_time(raw->effective_us);
            if (raw->effective_us)
                arrival->effective_us = raw->effective_us;
            repeat = note_version(p->intake, p->work, arrival, raw->effective_us != 0) &&
                     p->item->reject_id == 0;
        } else if (delivery->refusal) {
            repeat = note_refused(p->intake, p->work, arrival, p->item->deliveries->layout) && p->item->reject_id == 0;
        }
        if (repeat) {
            share->repeat++;
            p->item->repeat_count++;
        } else {
            pending_parts |= 1u << i;
            batch->arrival_count++;
            share->pending++;
        }
        share->received++;
    }
    if (pending_parts)
        put_raw_row(p->work, p->item, seq, effective_us, pending_parts, delivery);
    p->work->last_seq = seq;
    return pending_parts == 0;
}

static size_t count_units(const struct accept_item *items, size_t count)
{
    size_t units = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < items[i].deliveries->count; j++)
            units += items[i].deliveries->deliveries[j].record_count + 1;
    }
    return units;
}

struct accept_work *accept_prepare(struct intake *intake, struct accept_item *items, size_t count,
                                   bool live, struct batch *batch, struct err *err)
{
    struct accept_work *work = calloc(1, sizeof(*work));
    size_t units = count_units(items, count);
    batch->arrivals = ARENA_ARRAY(batch->arena, struct arrival, units + 1);
    struct undo *undo = calloc(units + 1, sizeof(*undo));
    struct refused_key *refused = calloc(units + 1, sizeof(*refused));
    if (work == NULL || batch->arrivals == NULL || undo == NULL || refused == NULL || count > ACCEPT_ITEMS_MAX) {
        free(work);
        free(undo);
        free(refused);
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for a batch of %zu records", units);
        return NULL;
    }
    batch->batch_id = atomic_fetch_add(&intake->next_batch_id, 1);
    batch->live = live;
    batch->accepted_us = clock_wall_us(intake->clock);
    work->batch = batch;
    work->items = items;
    work->item_count = count;
    work->undo = undo;
    work->refused = refused;
    work->rows = BUF_INIT(RAW_ROWS_MAX_BYTES);
    return work;
}

static enum status fits(const struct accept_work *work, struct err *err)
{
    if (arena_failed(work->batch->arena) || buf_failed(&work->rows))
        return err_set(err, RETRY_FATAL, "accept.too_large",
                       "a batch of %zu arrivals does not fit in memory", work->batch->arrival_count);
    return STATUS_OK;
}

/* Numbers and rows are made once the layouts have their ids, at the first attempt. */
static enum status fill(struct intake *intake, struct accept_work *work, struct err *err)
{
    if (work->first_seq)
        return fits(work, err);
    known_lock(intake->known); /* also makes the numbers of one batch a run without gaps */
    work->first_seq = atomic_load(&intake->next_accept_seq);
    work->last_seq = work->first_seq;
    for (size_t i = 0; i < work->item_count; i++) {
        struct preparation p = {.intake = intake, .work = work, .item = &work->items[i]};
        share_of(work, p.item->source->source_id)->suppressed += (int64_t)p.item->suppressed;
        share_of(work, p.item->source->source_id)->received += (int64_t)p.item->suppressed;
        for (size_t j = 0; j < p.item->deliveries->count; j++) {
            bool repeat = prepare_delivery(&p, &p.item->deliveries->deliveries[j]);
            if (p.item->repeats)
                p.item->repeats[j] = repeat;
        }
    }
    known_unlock(intake->known);
    return fits(work, err);
}

static enum status put_layouts(struct db *db, struct accept_work *work, struct err *err)
{
    for (size_t i = 0; i < work->item_count; i++) {
        struct slice layout = work->items[i].deliveries->layout;
        if (layout.len == 0 || work->layout_ids[i])
            continue;
        if (i > 0 && work->items[i - 1].source == work->items[i].source &&
            slice_eq(work->items[i - 1].deliveries->layout, layout)) {
            work->layout_ids[i] = work->layout_ids[i - 1];
            continue;
        }
        XXH128_hash_t hash = XXH3_128bits(layout.ptr, layout.len);
        struct db_param params[] = {
            DB_P_INT4(work->items[i].source->source_id),
            {.type = DB_UUID, .text = slice_of((const char *)&hash, 16)},
            DB_P_TEXT(safe_text(work->batch->arena, layout)),
        };
        struct db_result *result = NULL;
        if (db_query(db, &sql_layout_put, params, 3, &result, err) != STATUS_OK)
            return STATUS_FAILED;
        if (db_rows(result) == 1)
            work->layout_ids[i] = (int32_t)db_int(result, 0, 0);
        db_result_free(&result);
        if (work->layout_ids[i] == 0) /* another daemon made it this very moment */
            return err_set(err, RETRY_NOW, "accept.layout", "a layout row was not visible yet");
    }
    return STATUS_OK;
}

static enum status queue_settled_rejects(struct db *db, const struct accept_work *work, struct err *err)
{
    int64_t ids[ACCEPT_ITEMS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < work->item_count; i++) {
        if (work->items[i].reject_id)
            ids[count++] = work->items[i].reject_id;
    }
    struct db_param param = DB_P_INT8S(ids, count);
    return count ? db_queue(db, &sql_reject_retried, &param, 1, err) : STATUS_OK;
}

static enum status queue_rest(const struct intake *intake, struct db *db, struct accept_work *work,
                              struct err *err)
{
    int64_t columns[5][ACCEPT_ITEMS_MAX];
    size_t n = work->share_count;
    for (size_t i = 0; i < n; i++) {
        const struct share *share = &work->shares[i];
        columns[0][i] = share->source_id;
        columns[1][i] = share->received;
        columns[2][i] = share->pending;
        columns[3][i] = share->repeat;
        columns[4][i] = share->suppressed;
    }
    const struct batch *batch = work->batch;
    struct db_param head[] = {
        DB_P_INT8((int64_t)batch->batch_id), DB_P_INT8((int64_t)intake->token), DB_P_BOOL(batch->live),
        DB_P_TIMESTAMP(batch->accepted_us), DB_P_INT8((int64_t)work->first_seq),
        DB_P_INT8((int64_t)work->last_seq), DB_P_BOOL(batch->arrival_count == 0)};
    struct db_param shares[] = {DB_P_INT8((int64_t)batch->batch_id), DB_P_INT8S(columns[0], n),
                                DB_P_INT8S(columns[1], n), DB_P_INT8S(columns[2], n)};
    struct db_param ledger[] = {DB_P_INT8S(columns[0], n), DB_P_INT8S(columns[1], n),
                                DB_P_INT8S(columns[3], n), DB_P_INT8S(columns[4], n)};
    if (db_queue(db, &sql_batch_put, head, 7, err) != STATUS_OK ||
        db_queue(db, &sql_batch_source_put, shares, 4, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < work->item_count; i++) {
        if (!work->items[i].set_cursor)
            continue;
        struct db_param cursor[] = {
            DB_P_INT4(work->items[i].source->source_id),
            DB_P_TEXT(safe_text(work->batch->arena, work->items[i].deliveries->cursor))};
        if (db_queue(db, &sql_source_cursor_set, cursor, 2, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    if (db_queue(db, &sql_ledger_accept_add, ledger, 4, err) != STATUS_OK ||
        queue_settled_rejects(db, work, err) != STATUS_OK)
        return STATUS_FAILED;
    return db_flush_queue(db, NULL, 0, err);
}

static enum status find_committed(struct intake *intake, struct db *db, struct accept_work *work,
                                  bool *committed, struct err *err)
{
    struct db_param params[] = {DB_P_INT8((int64_t)work->batch->batch_id),
                                DB_P_INT8((int64_t)intake->token)};
    struct db_result *result = NULL;
    if (db_query(db, &sql_batch_exists, params, 2, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    *committed = db_rows(result) > 0;
    db_result_free(&result);
    work->ambiguous = false;
    return STATUS_OK;
}

bool accept_is_undecided(const struct accept_work *work)
{
    return work->ambiguous;
}

enum status accept_was_committed(struct intake *intake, struct db *db, struct accept_work *work,
                                 bool *committed, struct err *err)
{
    if (db_open(db, err) != STATUS_OK)
        return STATUS_FAILED;
    return find_committed(intake, db, work, committed, err);
}

enum status accept_commit(struct intake *intake, struct db *db, struct accept_work *work,
                          struct err *err)
{
    if (db_open(db, err) != STATUS_OK)
        return STATUS_FAILED;
    if (work->ambiguous) {
        bool committed = false;
        if (find_committed(intake, db, work, &committed, err) != STATUS_OK)
            return STATUS_FAILED;
        if (committed)
            return STATUS_OK;
    }
    if (put_layouts(db, work, err) != STATUS_OK || fill(intake, work, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = db_queue_begin(db, err);
    CRASH_POINT("accept.begun");
    if (status == STATUS_OK && work->row_count > 0)
        status = db_put_rows(db, copy_raw, buf_slice(&work->rows), work->row_count, err);
    CRASH_POINT("accept.copied");
    if (status != STATUS_OK || queue_rest(intake, db, work, err) != STATUS_OK) {
        db_rollback(db);
        return STATUS_FAILED;
    }
    CRASH_POINT("accept.before_commit");
    status = db_commit(db, &work->ambiguous, err);
    if (status == STATUS_OK)
        CRASH_POINT("accept.committed");
    return status;
}

void accept_done(struct intake *intake, struct accept_work **work, bool durable)
{
    struct accept_work *mine = *work;
    known_lock(intake->known);
    for (size_t i = mine->undo_count; i-- > 0;) {
        const struct undo *undo = &mine->undo[i];
        struct known_state state = known_get(intake->known, undo->key);
        if (state.provisional_batch != mine->batch->batch_id)
            continue; /* a later batch has gone past it */
        (void)known_accept(intake->known, undo->key, durable ? state.accepted : undo->accepted,
                           durable ? 0 : undo->provisional_batch); /* needs no memory: it is there */
    }
    for (size_t i = 0; i < mine->refused_count; i++)
        refused_done(intake->refused, mine->refused[i], mine->batch->batch_id, durable);
    known_unlock(intake->known);
    buf_free(&mine->rows);
    free(mine->undo);
    free(mine->refused);
    free(mine);
    *work = NULL;
}
