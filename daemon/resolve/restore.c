/* restore.c - the resolver's memory, rebuilt from the database at start and after a failure. */
#include "daemon/resolve/resolver.intern.h"
#include "daemon/base/log.h"
#include "sql_queries.h"

#include <sodium.h>
#include <stdlib.h>

#define MOVES_ARENA_MAX ((size_t)8 << 30)

/* What the database says of a record that the resolver remembers. */
struct stored_row {
    uint64_t record_id, customer_id, hash;
    int64_t effective_us;
    int32_t source_id;
    uint16_t flags;
    bool made_lead;
    struct slice external_id, part, features;
};

struct loading {
    struct resolver *r;
    bool stale; /* features of another space, or in another form, stand */
    enum status status;
    struct err *err;
    struct stored_row rows[COPIED_ROWS_MAX];
    struct restored restored[COPIED_ROWS_MAX];
};

/* The customer a record is stored with, kept until it is known what the graph says. */
static bool note_stored(struct resolver *r, uint64_t record_id, uint64_t customer_id)
{
    while (r->stored.count <= record_id) {
        if (!slots_push(&r->stored, 0))
            return false;
    }
    r->stored.items[record_id] = (uint32_t)customer_id;
    return true;
}

static uint64_t stored_customer(const struct resolver *r, uint64_t record_id)
{
    return record_id < r->stored.count ? r->stored.items[record_id] : 0;
}

/* Under the lock of known. */
static struct roster_entry *restore_entry(struct resolver *r, const struct stored_row *row, const struct source *source,
                                          struct natural_key key)
{
    struct roster_entry *entry = known_add(r->settings.intake->known, row->record_id, key);
    if (entry == NULL)
        return NULL;
    entry->source = (uint16_t)(source - r->settings.sources->list);
    entry->flags |= (uint16_t)(row->flags & (ROSTER_STORED_FLAGS | ROSTER_ASSIGNED)) | ROSTER_STORED;
    if (row->made_lead)
        entry->flags |= ROSTER_LEAD;
    entry->effective_us = row->effective_us;
    entry->hash = row->hash;
    known_resolved(r->settings.intake->known, key);
    return entry;
}

/* Its key, and what will be looked at brought near: several rows at a time, for their waits overlap. */
static enum status name_row(struct resolver *r, const struct stored_row *row, struct restored *restored, struct err *err)
{
    const struct source *source = sources_by_id(r->settings.sources, row->source_id);
    if (source == NULL)
        return err_set(err, RETRY_FATAL, "resolve.restore", "record %llu has no source",
                       (unsigned long long)row->record_id);
    *restored = (struct restored){.record_id = row->record_id, .source = source,
                                  .key = natural_key_of(slice_str(source->name), row->external_id, row->part)};
    roster_prefetch(r->roster, restored->key);
    return STATUS_OK;
}

/* Under the lock of known. */
static enum status remember_row(struct resolver *r, const struct stored_row *row, struct restored *restored,
                                struct err *err)
{
    uint64_t record_id = row->record_id, customer_id = row->customer_id;
    restored->entry = restore_entry(r, row, restored->source, restored->key);
    if (restored->entry == NULL || !note_stored(r, record_id, customer_id))
        return err_set(err, RETRY_FATAL, "resolve.records_max",
                       "no room for record %llu of the database; hint: raise limits.records",
                       (unsigned long long)record_id);
    /* The customer's id is the smallest of its records, so its entry is there already. */
    struct roster_entry *customer = customer_id <= record_id ? roster_at(r->roster, customer_id) : NULL;
    if (customer)
        customer->flags |= ROSTER_CUSTOMER;
    if (restored->entry->flags & ROSTER_DELETED)
        return STATUS_OK;
    r->live_records++;
    if (customer_id == record_id && features_kind(row->features) == KIND_COMPANY)
        restored->entry->flags |= ROSTER_COMPANY;
    return STATUS_OK;
}

enum status restore_row(struct resolver *r, const struct db_result *rows, size_t row, struct restored *restored,
                        struct err *err)
{
    struct stored_row stored = {
        .record_id = (uint64_t)db_int(rows, row, 0), .source_id = (int32_t)db_int(rows, row, 1),
        .flags = (uint16_t)db_int(rows, row, 2), .customer_id = (uint64_t)db_int(rows, row, 3),
        .effective_us = db_timestamp_us(rows, row, 4), .hash = (uint64_t)db_int(rows, row, 5),
        .made_lead = db_int(rows, row, 6) != 0, .external_id = db_bytes(rows, row, 7), .part = db_bytes(rows, row, 8),
        .features = db_bytes(rows, row, 9)};
    if (name_row(r, &stored, restored, err) != STATUS_OK)
        return STATUS_FAILED;
    known_lock(r->settings.intake->known);
    enum status status = remember_row(r, &stored, restored, err);
    known_unlock(r->settings.intake->known);
    return status;
}

static struct stored_row copied(const struct copied_row *row)
{
    return (struct stored_row){
        .record_id = (uint64_t)copied_int(row, 0), .source_id = (int32_t)copied_int(row, 1),
        .flags = (uint16_t)copied_int(row, 2), .customer_id = (uint64_t)copied_int(row, 3),
        .effective_us = copied_timestamp_us(row, 4), .hash = (uint64_t)copied_int(row, 5),
        .made_lead = copied_int(row, 6) != 0, .external_id = copied_bytes(row, 7), .part = copied_bytes(row, 8),
        .features = copied_bytes(row, 9)};
}

static enum status index_row(struct loading *loading, const struct stored_row *row, const struct restored *restored)
{
    if (restored->entry->flags & ROSTER_DELETED)
        return STATUS_OK;
    loading->stale = loading->stale || !features_fit(row->features, restored->source->space_key);
    if (loading->stale)
        return STATUS_OK;
    return graph_restore(loading->r->graph, restored->record_id, restored->key, row->features, row->customer_id,
                         loading->err);
}

static bool each_rows(const struct copied_row *rows, size_t count, void *data)
{
    struct loading *loading = data;
    struct resolver *r = loading->r;
    for (size_t i = 0; i < count && loading->status == STATUS_OK; i++) {
        loading->rows[i] = copied(&rows[i]);
        loading->status = name_row(r, &loading->rows[i], &loading->restored[i], loading->err);
    }
    known_lock(r->settings.intake->known);
    for (size_t i = 0; i < count && loading->status == STATUS_OK; i++)
        loading->status = remember_row(r, &loading->rows[i], &loading->restored[i], loading->err);
    known_unlock(r->settings.intake->known);
    for (size_t i = 0; i < count && loading->status == STATUS_OK; i++)
        loading->status = index_row(loading, &loading->rows[i], &loading->restored[i]);
    return loading->status == STATUS_OK;
}

enum status restore_decisions(struct graph *graph, struct db *db, struct err *err)
{
    struct db_result *rows = NULL;
    if (db_query(db, &sql_decision_load, NULL, 0, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < db_rows(rows) && status == STATUS_OK; i++)
        status = graph_decide(
            graph, (uint64_t)db_int(rows, i, 0),
            db_int(rows, i, 1) ? DECISION_ALWAYS : DECISION_NEVER,
            natural_key_of(db_bytes(rows, i, 2), db_bytes(rows, i, 3), db_bytes(rows, i, 4)),
            natural_key_of(db_bytes(rows, i, 5), db_bytes(rows, i, 6), db_bytes(rows, i, 7)), err);
    db_result_free(&rows);
    return status;
}

static enum status load_counters(struct resolver *r, struct err *err)
{
    struct db_result *rows = NULL;
    if (db_query(r->reader, &sql_counter_read, NULL, 0, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    for (size_t i = 0; i < db_rows(rows); i++) {
        struct slice name = db_bytes(rows, i, 0);
        uint64_t value = (uint64_t)db_int(rows, i, 1);
        if (slice_is(name, "record_id"))
            r->last_record_id = value;
        else if (slice_is(name, "event_seq"))
            r->last_event_seq = value;
        else if (slice_is(name, "write_set"))
            r->next_set = value + 1;
    }
    db_result_free(&rows);
    unsigned char fresh[32];
    randombytes_buf(fresh, sizeof(fresh));
    struct db_param params[] = {DB_P_TEXT(SLICE("identifiers")),
                                DB_P_BYTEA(slice_of((const char *)fresh, sizeof(fresh)))};
    if (db_query(r->reader, &sql_secret_pin, params, 2, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    struct slice kept = db_bytes(rows, 0, 0);
    if (kept.len == sizeof(r->hash_key))
        memcpy(r->hash_key, kept.ptr, sizeof(r->hash_key));
    db_result_free(&rows);
    return STATUS_OK;
}

/* Customers, leads and companies as stored: what reading all customers would say. */
static enum status count_customers(struct resolver *r, struct err *err)
{
    uint64_t end = roster_end(r->roster);
    unsigned char *is_lead = calloc((size_t)end / 8 + 1, 1);
    if (is_lead == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for %llu records", (unsigned long long)end);
    r->customer_count = r->lead_count = r->company_count = 0;
    for (uint64_t id = 1; id < end; id++) {
        const struct roster_entry *entry = roster_at(r->roster, id);
        uint64_t customer = stored_customer(r, id);
        if (entry == NULL)
            continue;
        r->customer_count += (entry->flags & ROSTER_CUSTOMER) != 0;
        r->company_count += (entry->flags & ROSTER_COMPANY) != 0;
        if (!(entry->flags & ROSTER_LEAD) || customer == 0 || is_lead[customer / 8] >> customer % 8 & 1)
            continue;
        is_lead[customer / 8] |= (unsigned char)(1u << customer % 8);
        r->lead_count++;
    }
    free(is_lead);
    return STATUS_OK;
}

static enum status read_customer_counts(struct resolver *r, struct err *err)
{
    struct db_result *rows = NULL;
    if (db_query(r->reader, &sql_customer_counts, NULL, 0, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    r->customer_count = (uint64_t)db_int(rows, 0, 0);
    r->lead_count = (uint64_t)db_int(rows, 0, 1);
    r->company_count = (uint64_t)db_int(rows, 0, 2);
    db_result_free(&rows);
    return STATUS_OK;
}

/* Records whose stored customer is not what the graph says. */
struct graph_move *restore_differences(struct resolver *r, struct arena *arena, size_t *count)
{
    uint64_t end = roster_end(r->roster);
    size_t total = 0, at = 0;
    for (uint64_t id = 1; id < end; id++)
        total += graph_customer(r->graph, id) != stored_customer(r, id);
    struct graph_move *moves = ARENA_ARRAY(arena, struct graph_move, total + 1);
    for (uint64_t id = 1; moves && id < end; id++) {
        uint64_t now = graph_customer(r->graph, id), before = stored_customer(r, id);
        if (now != before)
            moves[at++] = (struct graph_move){id, before, now};
    }
    *count = at;
    return moves;
}

static enum status load_records(struct resolver *r, struct err *err)
{
    struct loading loading = {.r = r, .err = err, .status = STATUS_OK};
    if (db_copy_out(r->reader, &sql_record_load, each_rows, &loading, err) != STATUS_OK ||
        loading.status != STATUS_OK)
        return STATUS_FAILED;
    if (loading.stale) {
        log_info("resolve.spaces", "a source is in another space than before, or this program packs features another "
                                   "way: all records are judged again");
        r->settings.generation->changed = true;
        return err_set(err, RETRY_NOW, "resolve.spaces", "judging all records again");
    }
    if (restore_decisions(r->graph, r->reader, err) != STATUS_OK)
        return STATUS_FAILED;
    return graph_settle(r->graph, NULL, NULL, err);
}

static enum status check_partition(struct resolver *r, struct err *err)
{
    struct arena *arena = arena_new(MOVES_ARENA_MAX);
    size_t count = 0;
    enum status status = STATUS_OK;
    if (arena && restore_differences(r, arena, &count) && count > 0) {
        log_error("resolve.partition_differs",
                  "%zu records stand in another customer than their links say; hint: they are "
                  "judged again now, please report this with the log", count);
        r->settings.generation->changed = true;
        status = err_set(err, RETRY_NOW, "resolve.partition_differs", "judging all records again");
    }
    arena_free(&arena);
    return status;
}

enum status restore(struct resolver *r, struct err *err)
{
    if (load_counters(r, err) != STATUS_OK)
        return STATUS_FAILED;
    known_lock(r->settings.intake->known);
    roster_expect(r->roster, (size_t)r->last_record_id);
    known_unlock(r->settings.intake->known);
    enum status status = r->generation->changed ? read_customer_counts(r, err) : load_records(r, err);
    if (status == STATUS_OK && r->generation->changed)
        status = regenerate(r, err);
    else if (status == STATUS_OK)
        status = count_customers(r, err) == STATUS_OK ? check_partition(r, err) : STATUS_FAILED;
    slots_free(&r->stored);
    if (status != STATUS_OK)
        return status;
    known_lock(r->settings.intake->known);
    known_restored(r->settings.intake->known);
    known_unlock(r->settings.intake->known);
    return STATUS_OK;
}
