/* preview.c - see preview.h. */
#include "daemon/resolve/preview.intern.h"
#include "daemon/resolve/resolver.intern.h"
#include "daemon/resolve/roster.h"
#include "sql_queries.h"

#include <stdlib.h>
#include <sys/resource.h>

#define SETTLE_RECORDS   20000 /* put between two settlings, to bound the arena */
#define SETTLE_ARENA_MAX ((size_t)4 << 30)
#define REVIEW_PAGE      5000
#define NICENESS         10

static enum status no_memory(struct err *err)
{
    return err_set(err, RETRY_LATER, "base.memory", "out of memory for a preview");
}

static enum status stopping(struct err *err)
{
    return err_set(err, RETRY_LATER, "engine.stopping", "the daemon is stopping");
}

/* ---- reviews ---- */

static bool push_review(struct preview_reviews *reviews, struct preview_review review)
{
    if (reviews->count == reviews->capacity) {
        size_t capacity = reviews->capacity ? reviews->capacity * 2 : 1024;
        struct preview_review *items = realloc(reviews->items, capacity * sizeof(*items));
        if (items == NULL)
            return false;
        reviews->items = items;
        reviews->capacity = capacity;
    }
    reviews->items[reviews->count++] = review;
    return true;
}

/* The reviews after one more settling: those there, without those gone, with the new ones in the place of the same pair. */
static bool follow_reviews(struct preview_reviews *reviews, const struct graph_changes *changes)
{
    struct preview_reviews next = {0};
    size_t at = 0, gone = 0, added = 0;
    bool able = true;
    while (able && (at < reviews->count || added < changes->new_review_count)) {
        const struct graph_review *new_review =
            added < changes->new_review_count ? &changes->new_reviews[added] : NULL;
        const struct preview_review *old = at < reviews->count ? &reviews->items[at] : NULL;
        int order = old == NULL ? 1 : new_review == NULL
                                          ? -1
                                          : graph_pair_cmp(old->a, old->b, new_review->a, new_review->b);
        if (order >= 0) {
            able = push_review(&next, (struct preview_review){new_review->a, new_review->b,
                                                              (int)new_review->reason, new_review->weight});
            added++;
            at += order == 0;
            continue;
        }
        while (gone < changes->gone_review_count &&
               graph_pair_cmp(changes->gone_reviews[gone].a, changes->gone_reviews[gone].b, old->a, old->b) < 0)
            gone++;
        bool is_gone = gone < changes->gone_review_count &&
                       changes->gone_reviews[gone].a == old->a && changes->gone_reviews[gone].b == old->b;
        if (!is_gone)
            able = push_review(&next, *old);
        at++;
    }
    free(reviews->items);
    *reviews = next;
    return able;
}

static enum status read_reviews(struct preview *p, struct err *err)
{
    size_t count = 0;
    int64_t a = 0, b = 0;
    do {
        struct db_param params[] = {DB_P_INT8(a), DB_P_INT8(b), DB_P_INT4(REVIEW_PAGE)};
        struct db_result *rows = NULL;
        if (db_query(p->settings->db, &sql_review_pairs, params, 3, &rows, err) != STATUS_OK)
            return STATUS_FAILED;
        bool able = true;
        count = db_rows(rows);
        for (size_t i = 0; i < count; i++) {
            a = db_int(rows, i, 0);
            b = db_int(rows, i, 1);
            able = able && push_review(&p->reviews_before,
                                       (struct preview_review){(uint64_t)a, (uint64_t)b, (int)db_int(rows, i, 2),
                                                               db_real(rows, i, 3)});
        }
        db_result_free(&rows);
        if (!able)
            return no_memory(err);
    } while (count == REVIEW_PAGE);
    return STATUS_OK;
}

static void compare_reviews(struct preview *p)
{
    const struct preview_reviews *before = &p->reviews_before, *now = &p->reviews_now;
    for (size_t i = 0, j = 0; i < before->count || j < now->count;) {
        int order = i == before->count ? 1
                    : j == now->count  ? -1
                                       : graph_pair_cmp(before->items[i].a, before->items[i].b,
                                                       now->items[j].a, now->items[j].b);
        if (order < 0 && ++p->reviews_closed <= p->settings->samples)
            preview_sample_review(p, p->closed, &before->items[i]);
        if (order > 0 && ++p->reviews_opened <= p->settings->samples)
            preview_sample_review(p, p->opened, &now->items[j]);
        i += order <= 0;
        j += order >= 0;
    }
}

/* ---- records ---- */

static bool push_record(struct preview *p, struct preview_record record)
{
    if (p->count == p->capacity) {
        size_t capacity = p->capacity ? p->capacity * 2 : 8192;
        struct preview_record *records = realloc(p->records, capacity * sizeof(*records));
        if (records == NULL)
            return false;
        p->records = records;
        p->capacity = capacity;
    }
    p->records[p->count++] = record;
    return true;
}

static enum status put_row(struct preview *p, const struct db_result *rows, size_t row, struct err *err)
{
    struct reread_record record;
    uint16_t flags = (uint16_t)db_int(rows, row, 2);
    if (flags & ROSTER_DELETED)
        return STATUS_OK;
    if (reread_row(&p->reread, rows, row, NULL, &record, err) != STATUS_OK)
        return STATUS_FAILED;
    if (db_int(rows, row, 6))
        flags |= ROSTER_LEAD;
    struct preview_record seen = {.record_id = (uint64_t)db_int(rows, row, 0),
                                  .before = (uint64_t)db_int(rows, row, 3), .flags = flags};
    if (!push_record(p, seen))
        return no_memory(err);
    return graph_put(p->graph, seen.record_id,
                     natural_key_of(slice_str(record.source->name), db_bytes(rows, row, 7),
                                    db_bytes(rows, row, 8)),
                     record.features, err);
}

static enum status settle(struct preview *p, struct arena *arena, struct err *err)
{
    struct graph_changes changes;
    arena_reset(arena);
    if (graph_settle(p->graph, arena, &changes, err) != STATUS_OK)
        return STATUS_FAILED;
    return follow_reviews(&p->reviews_now, &changes) ? STATUS_OK : no_memory(err);
}

static enum status read_page(struct preview *p, int64_t *last, size_t *unsettled, struct err *err)
{
    struct db_param params[] = {DB_P_INT8(*last), DB_P_INT4(REREAD_PAGE),
                                DB_P_BOOL(p->settings->generation->recleans)};
    struct db_result *rows = NULL;
    if (db_query(p->settings->db, &sql_record_page, params, 3, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    size_t count = db_rows(rows);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = put_row(p, rows, i, err);
    *last = count ? db_int(rows, count - 1, 0) : 0;
    *unsettled += count;
    atomic_fetch_add(p->settings->records_read, count);
    db_result_free(&rows);
    return status;
}

static enum status read_records(struct preview *p, struct err *err)
{
    struct arena *arena = arena_new(SETTLE_ARENA_MAX);
    int64_t last = 0;
    size_t unsettled = 0;
    enum status status = arena ? restore_decisions(p->graph, p->settings->db, err) : no_memory(err);
    do {
        if (status == STATUS_OK && preview_stopped(p))
            status = stopping(err);
        if (status == STATUS_OK)
            status = read_page(p, &last, &unsettled, err);
        if (status == STATUS_OK && (unsettled >= SETTLE_RECORDS || last == 0)) {
            status = settle(p, arena, err);
            unsettled = 0;
        }
    } while (status == STATUS_OK && last > 0);
    arena_free(&arena);
    return status;
}

/* ---- partitions ---- */

static int by_now(const void *x, const void *y)
{
    const struct preview_record *a = x, *b = y;
    if (a->now != b->now)
        return a->now < b->now ? -1 : 1;
    return graph_pair_cmp(a->before, a->record_id, b->before, b->record_id);
}

static int by_before(const void *x, const void *y)
{
    const struct preview_record *a = x, *b = y;
    if (a->before != b->before)
        return a->before < b->before ? -1 : 1;
    return graph_pair_cmp(a->now, a->record_id, b->now, b->record_id);
}

static bool makes_lead(uint16_t flags)
{
    const struct roster_entry entry = {.flags = flags};
    return roster_makes_lead(&entry);
}

/* In a group of one customer: how many others its records are in on the other side, and how many of those have a lead. */
static void count_parts(const struct preview_record *group, size_t count, bool now, uint64_t *parts,
                        uint64_t *lead_parts)
{
    bool lead = false;
    *parts = *lead_parts = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t part = now ? group[i].before : group[i].now;
        bool first = i == 0 || part != (now ? group[i - 1].before : group[i - 1].now);
        if (first)
            lead = false;
        *parts += first;
        if (!lead && (group[i].flags & ROSTER_LEAD)) {
            *lead_parts += 1;
            lead = true;
        }
    }
}

static void look_at_now(struct preview *p, struct preview_record *group, size_t count)
{
    uint64_t parts, lead_parts;
    bool may_lead = false;
    count_parts(group, count, true, &parts, &lead_parts);
    p->customers_now++;
    for (size_t i = 0; i < count; i++) {
        p->moved += group[i].before != group[i].now;
        group[i].touched |= parts > 1 || group[i].before != group[i].now;
        may_lead |= makes_lead(group[i].flags);
    }
    if (lead_parts > 1)
        p->leads_merged += lead_parts - 1;
    p->leads_made += lead_parts == 0 && may_lead;
    if (parts > 1) {
        p->merges += parts - 1;
        if (json_array_size(p->merged) < p->settings->samples)
            preview_sample_merge(p, group, count);
    }
}

static void look_at_before(struct preview *p, struct preview_record *group, size_t count)
{
    uint64_t parts, lead_parts;
    count_parts(group, count, false, &parts, &lead_parts);
    p->customers_before++;
    for (size_t i = 0; i < count; i++)
        group[i].touched = parts > 1;
    if (lead_parts > 1)
        p->leads_split += lead_parts - 1;
    if (parts > 1) {
        p->splits += parts - 1;
        if (json_array_size(p->split) < p->settings->samples)
            preview_sample_split(p, group, count);
    }
}

static void compare_partitions(struct preview *p)
{
    for (size_t i = 0; i < p->count; i++)
        p->records[i].now = graph_customer(p->graph, p->records[i].record_id);
    if (p->count > 1)
        qsort(p->records, p->count, sizeof(*p->records), by_before);
    for (size_t i = 0, end = 0; i < p->count; i = end) {
        for (end = i; end < p->count && p->records[end].before == p->records[i].before; end++)
            ;
        look_at_before(p, p->records + i, end - i);
    }
    if (p->count > 1)
        qsort(p->records, p->count, sizeof(*p->records), by_now);
    for (size_t i = 0, end = 0; i < p->count; i = end) {
        for (end = i; end < p->count && p->records[end].now == p->records[i].now; end++)
            ;
        look_at_now(p, p->records + i, end - i);
    }
}

/* ---- all of it ---- */

static bool only_model_differs(const struct preview_settings *settings)
{
    const char *a = settings->generation->fingerprint, *b = settings->in_force->fingerprint;
    const char *golden_a = strrchr(a, '-'), *golden_b = strrchr(b, '-');
    return !settings->generation->recleans && golden_a && golden_b && strcmp(golden_a, golden_b) == 0;
}

static enum status run(struct preview *p, struct err *err)
{
    const struct preview_settings *settings = p->settings;
    p->graph = graph_new(settings->generation->matcher, &settings->limits);
    p->fields = json_object();
    json_t **const lists[] = {&p->merged, &p->split, &p->opened, &p->closed, &p->changed};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        *lists[i] = json_array();
    if (p->graph == NULL || p->fields == NULL)
        return no_memory(err);
    if (db_run(settings->db, &sql_session_by_index, NULL, 0, NULL, err) != STATUS_OK ||
        read_records(p, err) != STATUS_OK || read_reviews(p, err) != STATUS_OK)
        return STATUS_FAILED;
    compare_partitions(p);
    compare_reviews(p);
    if (preview_golden(p, !only_model_differs(settings), err) != STATUS_OK)
        return STATUS_FAILED;
    return preview_name_samples(p, err);
}

enum status preview_run(const struct preview_settings *settings, struct buf *out, struct err *err)
{
    struct preview p = {.settings = settings};
    (void)setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux this thread's alone: the service goes first */
    enum status status = reread_init(&p.reread, settings->generation, settings->sources, err);
    if (status == STATUS_OK) {
        status = run(&p, err);
        if (status == STATUS_OK)
            preview_put(&p, out);
        reread_free(&p.reread);
    }
    graph_free(&p.graph);
    free(p.records);
    free(p.reviews_before.items);
    free(p.reviews_now.items);
    json_t *const values[] = {p.fields, p.merged, p.split, p.opened, p.closed, p.changed, p.names};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        json_decref(values[i]);
    return status;
}
