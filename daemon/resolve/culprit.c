/* culprit.c - see culprit.h. */
#include "daemon/resolve/culprit.h"

#include <stdlib.h>

#include "daemon/base/log.h"
#include "rules/record_json.h"

#define TRIAL_ARENA_MAX ((size_t)512 << 20)
#define DRAIN_MS        30000

struct trial {
    struct resolver *r;
    struct db *db;
    struct arena *arena;          /* of one transaction */
    struct arrival **suspects;    /* by key, then version: of equal keys the last is the one that would stand */
    size_t found, transactions;
    struct err *err;
};

static void quarantine(struct arrival *arrival)
{
    static const struct issue refused = {ISSUE_QUARANTINE, "store.refused", FIELD_NONE, {"", 0}};
    arrival->clean.outcome = CLEAN_QUARANTINE;
    arrival->clean.issue_count = 1;
    arrival->clean.issues = &refused;
}

static bool is_written(const struct arrival *arrival)
{
    return arrival->raw && arrival->raw->op != RECORD_DELETE && arrival->clean.outcome == CLEAN_OK;
}

static int compare_suspects(const void *a, const void *b)
{
    const struct arrival *x = *(struct arrival *const *)a, *y = *(struct arrival *const *)b;
    if (x->key.high != y->key.high)
        return x->key.high < y->key.high ? -1 : 1;
    if (x->key.low != y->key.low)
        return x->key.low < y->key.low ? -1 : 1;
    struct known_version vx = {x->effective_us, x->hash}, vy = {y->effective_us, y->hash};
    return known_version_cmp(&vx, &vy);
}

/* The customer the record would be alone, and an event that tells its values. */
static enum status put_customer(struct trial *trial, struct write_set *set, const struct arrival *arrival,
                                uint64_t record_id)
{
    const struct generation *generation = trial->r->generation;
    struct survivor_record alone = {.record_id = record_id, .source_rank = arrival->source->rank,
                                    .verified = arrival->source->verified, .content_hash = arrival->hash,
                                    .effective_us = arrival->effective_us, .clean = &arrival->clean};
    struct golden_record golden;
    if (survive(generation->survivorship, &alone, 1, trial->arena, &golden, trial->err) != STATUS_OK)
        return STATUS_FAILED;
    struct buf text = BUF_INIT(RECORD_JSON_MAX_BYTES);
    golden_to_json(generation->schema, &golden, &text);
    write_event(set, "trial", record_id, arrival->source->source_id, buf_slice(&text));
    buf_reset(&text);
    provenance_put(generation->schema, &golden, &record_id, &text);
    struct customer_row row = {
        .customer_id = (int64_t)record_id, .kind = golden.kind, .version = 1, .record_count = 1,
        .space = slice_str(arrival->source->space), .created_at_us = set->now_us,
        .updated_at_us = set->now_us, .first_seen_at_us = arrival->effective_us,
        .last_seen_at_us = arrival->effective_us, .provenance = buf_slice(&text),
        .value_count = golden.value_count, .values = golden.values};
    customer_layout_put(generation->layout, &row, &set->customers.buf, NULL);
    set->customers.count++;
    id_list_add(set, &set->stale_customers, (int64_t)record_id);
    set->out_of_memory |= buf_failed(&text);
    buf_free(&text);
    return STATUS_OK;
}

static enum status put_suspect(struct trial *trial, struct write_set *set, size_t place)
{
    const struct arrival *arrival = trial->suspects[place];
    struct known *all_known = trial->r->settings.intake->known;
    known_lock(all_known);
    uint64_t record_id = known_get(all_known, arrival->key).record_id;
    known_unlock(all_known);
    bool is_new = record_id == 0;
    if (is_new)
        record_id = trial->r->last_record_id + 1 + place;
    struct buf json = BUF_INIT(RECORD_JSON_MAX_BYTES);
    clean_record_to_json(trial->r->generation->schema, &arrival->clean, &json);
    set->out_of_memory |= buf_failed(&json);
    struct record_row row = {
        .record_id = (int64_t)record_id, .customer_id = (int64_t)record_id,
        .effective_us = arrival->effective_us, .hash = arrival->hash,
        .accept_seq = arrival->accept_seq, .source_id = arrival->source->source_id,
        .kind = (int16_t)arrival->clean.kind, .space = slice_str(arrival->source->space),
        .external_id = arrival->raw->external_id, .part = arrival->raw->part,
        .clean_json = buf_slice(&json), .features = SLICE_EMPTY};
    if (is_new)
        write_record(set, &row);
    else
        write_record_update(set, &row);
    buf_free(&json);
    write_details(set, record_id, !is_new, arrival);
    return put_customer(trial, set, arrival, record_id);
}

static enum status write_and_roll_back(struct trial *trial, const struct write_set *set)
{
    struct db *db = trial->db;
    if (db_open(db, trial->err) != STATUS_OK || db_begin(db, trial->err) != STATUS_OK)
        return STATUS_FAILED;
    trial->transactions++;
    enum status status = write_set_rows(db, trial->r->generation->layout, set, trial->err);
    if (status == STATUS_OK)
        status = db_flush_queue(db, NULL, 0, trial->err);
    db_rollback(db);
    return status;
}

/* Whether a newer version of the same record in [.., to) would stand in the place of this one. */
static bool is_covered(const struct trial *trial, size_t place, size_t to)
{
    for (size_t i = place + 1; i < to && natural_key_eq(trial->suspects[place]->key, trial->suspects[i]->key); i++) {
        if (is_written(trial->suspects[i]))
            return true;
    }
    return false;
}

/* Whether PostgreSQL takes suspects [from, to) that are still clean. */
static enum status try_range(struct trial *trial, size_t from, size_t to, bool *taken)
{
    struct write_set *set = write_set_new(0, clock_wall_us(trial->r->settings.clock));
    if (set == NULL)
        return err_set(trial->err, RETRY_LATER, "base.memory", "out of memory for a trial");
    set->last_event_seq = trial->r->last_event_seq;
    arena_reset(trial->arena);
    enum status status = STATUS_OK;
    for (size_t i = from; i < to && status == STATUS_OK; i++) {
        if (is_written(trial->suspects[i]) && !is_covered(trial, i, to))
            status = put_suspect(trial, set, i);
    }
    if (status == STATUS_OK && write_set_failed(set))
        status = err_set(trial->err, RETRY_LATER, "base.memory", "out of memory for a trial");
    if (status == STATUS_OK)
        status = write_and_roll_back(trial, set);
    write_set_free(&set);
    *taken = status == STATUS_OK;
    bool refused = status == STATUS_FAILED && trial->err->retry == RETRY_REJECT_RECORD;
    return *taken || refused ? STATUS_OK : STATUS_FAILED;
}

/* Quarantines the culprits in [from, to). `refused`: the range is known to hold one, unless only records together are
 * refused; the last record is tried in any case. Recursion is as deep as log2 of the batch. */
static enum status search(struct trial *trial, size_t from, size_t to, bool refused)
{
    bool taken = false;
    if ((!refused || to - from == 1) && try_range(trial, from, to, &taken) != STATUS_OK)
        return STATUS_FAILED;
    if (taken)
        return STATUS_OK;
    if (to - from == 1) {
        quarantine(trial->suspects[from]);
        trial->found++;
        return STATUS_OK;
    }
    size_t middle = from + (to - from) / 2, before = trial->found;
    if (search(trial, from, middle, false) != STATUS_OK)
        return STATUS_FAILED;
    /* Nothing on the left: it must be on the right. */
    return search(trial, middle, to, trial->found == before);
}

/* A culprit may hide behind a newer version of its record that is one too: then until nothing more is found. */
static enum status search_all(struct trial *trial, size_t count)
{
    bool versions = false;
    size_t before;
    for (size_t i = 1; i < count; i++)
        versions |= natural_key_eq(trial->suspects[i - 1]->key, trial->suspects[i]->key);
    do {
        before = trial->found;
        if (search(trial, 0, count, false) != STATUS_OK)
            return STATUS_FAILED;
    } while (versions && trial->found > before);
    return STATUS_OK;
}

enum status culprits_find(struct resolver *r, struct batch *batch, size_t *found, struct err *err)
{
    struct trial trial = {.r = r, .db = r->reader, .arena = arena_new(TRIAL_ARENA_MAX), .err = err};
    trial.suspects = calloc(batch->arrival_count + 1, sizeof(*trial.suspects));
    size_t count = 0;
    enum status status = STATUS_OK;
    if (!writer_drain(r->writer, DRAIN_MS)) /* a trial must neither wait for it nor be waited for */
        status = err_set(err, RETRY_LATER, "resolve.writer", "the writer is not done yet");
    else if (trial.arena == NULL || trial.suspects == NULL)
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory for a trial");
    for (size_t i = 0; i < batch->arrival_count && status == STATUS_OK; i++) {
        if (is_written(&batch->arrivals[i]))
            trial.suspects[count++] = &batch->arrivals[i];
    }
    if (status == STATUS_OK && count > 0) {
        qsort(trial.suspects, count, sizeof(*trial.suspects), compare_suspects);
        status = search_all(&trial, count);
    }
    if (status == STATUS_OK && trial.found > 0)
        log_warn("resolve.refused", "batch %llu: %zu of %zu records are refused by the database and quarantined "
                 "(%zu trials); hint: tributary rejects list",
                 (unsigned long long)batch->batch_id, trial.found, count, trial.transactions);
    *found = trial.found;
    arena_free(&trial.arena);
    free(trial.suspects);
    return status;
}

void culprits_all(struct batch *batch)
{
    for (size_t i = 0; i < batch->arrival_count; i++) {
        if (is_written(&batch->arrivals[i]))
            quarantine(&batch->arrivals[i]);
    }
}
