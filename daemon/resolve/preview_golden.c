/* preview_golden.c - the golden records another generation would make, compared with those that stand. */
#include "daemon/resolve/preview.intern.h"
#include "daemon/resolve/provenance.h"
#include "daemon/resolve/roster.h"
#include "sql_queries.h"

#include <stdlib.h>

#define CHUNK_ARENA_MAX ((size_t)1 << 30)
#define TEXT_MAX_BYTES  ((size_t)16 << 20)

/* Some customers whole, at least one, and about REREAD_PAGE records. */
struct chunk {
    struct arena *arena;
    int64_t *ids, *customers;
    size_t count, customer_count;
    struct survivor_record *records; /* as the ids */
    struct provenance_scratch provenance;
    struct buf changes;
};

static bool is_touched(const struct preview_record *group, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (group[i].touched)
            return true;
    }
    return false;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* Records gone meanwhile are left out: their customer is not compared. */
static enum status read_records(struct preview *p, struct chunk *chunk, struct err *err)
{
    const struct generation *generation = p->settings->generation;
    struct db_param params[] = {DB_P_INT8S(chunk->ids, chunk->count), DB_P_BOOL(generation->recleans)};
    struct db_result *rows = NULL;
    if (db_query(p->settings->db, &sql_record_some, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < db_rows(rows) && status == STATUS_OK; i++) {
        struct reread_record read;
        int64_t id = db_int(rows, i, 0);
        const int64_t *found = bsearch(&id, chunk->ids, chunk->count, sizeof(id), compare_ids);
        if (found == NULL || (db_int(rows, i, 2) & ROSTER_DELETED))
            continue;
        status = reread_row(&p->reread, rows, i, chunk->arena, &read, err);
        if (status != STATUS_OK)
            break;
        chunk->records[found - chunk->ids] = (struct survivor_record){
            .record_id = (uint64_t)id,
            .source_rank = survivorship_source_rank(generation->survivorship, read.source->name),
            .verified = (db_int(rows, i, 2) & ROSTER_VERIFIED) != 0,
            .effective_us = db_timestamp_us(rows, i, 4),
            .content_hash = (uint64_t)db_int(rows, i, 5),
            .clean = read.clean};
    }
    db_result_free(&rows);
    return status;
}

static void note_changes(struct preview *p, uint64_t customer_id, struct slice changes)
{
    const char *field;
    json_t *value, *object = json_loadb(changes.ptr, changes.len, 0, NULL);
    p->golden_changed++;
    json_object_foreach(object, field, value)
        json_object_set_new(p->fields, field,
                            json_integer(json_integer_value(json_object_get(p->fields, field)) + 1));
    if (json_array_size(p->changed) < p->settings->samples)
        json_array_append_new(p->changed, json_pack("{s:I,s:O}", "customer", (json_int_t)customer_id, "changes",
                                                    object ? object : json_null()));
    json_decref(object);
}

/* The records of a customer, gathered out of the chunk; how many, 0 when one of them is gone. */
static size_t gather(const struct chunk *chunk, const struct preview_record *group, size_t count,
                     struct survivor_record *members)
{
    for (size_t i = 0; i < count; i++) {
        int64_t id = (int64_t)group[i].record_id;
        const int64_t *found = bsearch(&id, chunk->ids, chunk->count, sizeof(id), compare_ids);
        if (found == NULL || chunk->records[found - chunk->ids].clean == NULL)
            return 0;
        members[i] = chunk->records[found - chunk->ids];
    }
    return count;
}

static int by_record(const void *a, const void *b)
{
    const struct survivor_record *x = a, *y = b;
    return x->record_id < y->record_id ? -1 : x->record_id > y->record_id;
}

static enum status compare_customer(struct preview *p, struct chunk *chunk, const struct preview_record *group,
                                    size_t count, struct slice stored, struct err *err)
{
    struct golden_record golden;
    struct survivor_record *members = ARENA_ARRAY(chunk->arena, struct survivor_record, count);
    if (members == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a preview");
    if (gather(chunk, group, count, members) == 0)
        return STATUS_OK;
    qsort(members, count, sizeof(*members), by_record);
    if (survive(p->settings->generation->survivorship, members, count, chunk->arena, &golden, err) != STATUS_OK)
        return STATUS_FAILED;
    buf_reset(&chunk->changes);
    p->golden_compared++;
    if (provenance_diff(p->settings->generation->schema, stored, &golden, &chunk->provenance, &chunk->changes))
        note_changes(p, group[0].now, buf_slice(&chunk->changes));
    return STATUS_OK;
}

/* Customers that do not stand yet have nothing to be compared with. */
static enum status compare_chunk(struct preview *p, struct chunk *chunk, const struct preview_record *first,
                                 const struct preview_record *end, bool all, struct err *err)
{
    struct db_param ids = DB_P_INT8S(chunk->customers, chunk->customer_count);
    struct db_result *states = NULL;
    qsort(chunk->ids, chunk->count, sizeof(*chunk->ids), compare_ids);
    memset(chunk->records, 0, chunk->count * sizeof(*chunk->records));
    if (read_records(p, chunk, err) != STATUS_OK ||
        db_query(p->settings->db, &sql_customer_state, &ids, 1, &states, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = STATUS_OK;
    size_t count = 0;
    for (const struct preview_record *group = first; group < end && status == STATUS_OK; group += count) {
        for (count = 0; group + count < end && group[count].now == group->now; count++)
            ;
        for (size_t i = 0; i < db_rows(states) && (all || is_touched(group, count)); i++) {
            if ((uint64_t)db_int(states, i, 0) == group->now) {
                status = compare_customer(p, chunk, group, count, db_bytes(states, i, 9), err);
                break;
            }
        }
    }
    db_result_free(&states);
    arena_reset(chunk->arena);
    return status;
}

static enum status compare_all(struct preview *p, struct chunk *chunk, bool all, struct err *err)
{
    const struct preview_record *end = p->records + p->count, *first = p->records;
    enum status status = STATUS_OK;
    size_t size = 0;
    chunk->count = chunk->customer_count = 0;
    for (const struct preview_record *group = p->records; group < end && status == STATUS_OK; group += size) {
        for (size = 0; group + size < end && group[size].now == group->now; size++)
            ;
        if (chunk->count > 0 && chunk->count + size > REREAD_PAGE) {
            status = compare_chunk(p, chunk, first, group, all, err);
            chunk->count = chunk->customer_count = 0;
            first = group;
        }
        if (preview_stopped(p))
            return err_set(err, RETRY_LATER, "engine.stopping", "the daemon is stopping");
        if (!all && !is_touched(group, size))
            continue;
        for (size_t i = 0; i < size; i++)
            chunk->ids[chunk->count++] = (int64_t)group[i].record_id;
        chunk->customers[chunk->customer_count++] = (int64_t)group->now;
    }
    if (status == STATUS_OK && chunk->count > 0)
        status = compare_chunk(p, chunk, first, end, all, err);
    return status;
}

static size_t largest_group(const struct preview *p)
{
    size_t largest = 0;
    for (size_t i = 0, end = 0; i < p->count; i = end) {
        for (end = i; end < p->count && p->records[end].now == p->records[i].now; end++)
            ;
        largest = end - i > largest ? end - i : largest;
    }
    return largest;
}

enum status preview_golden(struct preview *p, bool all, struct err *err)
{
    size_t max = REREAD_PAGE + largest_group(p);
    struct chunk chunk = {.arena = arena_new(CHUNK_ARENA_MAX), .ids = calloc(max, sizeof(int64_t)),
                          .customers = calloc(max, sizeof(int64_t)),
                          .records = calloc(max, sizeof(struct survivor_record)),
                          .changes = BUF_INIT(TEXT_MAX_BYTES), .provenance.json = BUF_INIT(TEXT_MAX_BYTES)};
    enum status status = STATUS_FAILED;
    struct reread_counts counts = p->reread.counts; /* what is read twice is counted once */
    if (chunk.arena && chunk.ids && chunk.customers && chunk.records)
        status = compare_all(p, &chunk, all, err);
    else
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for a preview");
    p->reread.counts = counts;
    arena_free(&chunk.arena);
    free(chunk.ids);
    free(chunk.customers);
    free(chunk.records);
    buf_free(&chunk.changes);
    provenance_scratch_free(&chunk.provenance);
    return status;
}
