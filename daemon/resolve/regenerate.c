/*
 * regenerate.c - another generation applied to everything that is stored.
 *
 * Steps, each of them write sets in the usual commit stream:
 *   1. the generation's row says that its application has begun: a start from now on goes on with it
 *   2. records are read a page at a time, cleaned again where the rules differ, packed, put into the graph; what
 *      differs from what is stored is written
 *   3. the graph settles once; who belongs together is written with all links and reviews, and told
 *   4. golden records of all customers, some at a time; those that stand as they should are not written
 *   5. employers of what is cleaned otherwise (employers.c)
 *   6. the generation's row says that it is applied
 * Every step is a function of what is stored, so that after a crash all of them are done again and write only what is
 * missing.
 */
#include "daemon/resolve/resolver.intern.h"
#include "daemon/base/crash_point.h"
#include "daemon/base/log.h"
#include "daemon/resolve/reread.h"
#include "sql_queries.h"

#define SETTLE_ARENA_MAX ((size_t)8 << 30)
#define APPLY_RECORDS    2000 /* in one write set */
#define REVIEW_PAGE      5000

static const char *actor_of(const struct resolver *r)
{
    return r->generation->actor[0] ? r->generation->actor : "generation";
}

static enum status begin(struct resolver *r, struct err *err)
{
    struct db_param params[] = {DB_P_INT4(r->generation->generation_id),
                                DB_P_TEXT(slice_str(actor_of(r)))};
    enum status status = db_run(r->reader, &sql_generation_begin, params, 2, NULL, err);
    if (status == STATUS_OK)
        CRASH_POINT("rematch.begun");
    return status;
}

/* ---- reading ---- */

static enum status put_row(struct resolver *r, struct turn *turn, struct reread *reread,
                           const struct db_result *rows, size_t row, struct err *err)
{
    struct restored restored;
    struct reread_record record;
    if (restore_row(r, rows, row, &restored, err) != STATUS_OK)
        return STATUS_FAILED;
    if (restored.entry->flags & ROSTER_DELETED)
        return STATUS_OK;
    if (reread_row(reread, rows, row, NULL, &record, err) != STATUS_OK)
        return STATUS_FAILED;
    if (record.json.len > 0)
        restored.entry->flags |= ROSTER_RECLEANED;
    if (record.json.len > 0 || !slice_eq(record.features, db_bytes(rows, row, 9)))
        write_reread(turn->set, restored.record_id, record.clean->kind, record.json, record.features);
    return graph_put(r->graph, restored.record_id, restored.key, record.features, err);
}

/* One page; *last is the id it ended with, 0 when there was none. */
static enum status read_page(struct resolver *r, struct reread *reread, uint64_t *last, struct err *err)
{
    struct db_param params[] = {DB_P_INT8((int64_t)*last), DB_P_INT4(REREAD_PAGE),
                                DB_P_BOOL(r->generation->recleans)};
    struct db_result *rows = NULL;
    if (db_query(r->reader, &sql_record_page, params, 3, &rows, err) != STATUS_OK)
        return STATUS_FAILED;
    struct turn *turn = turn_new(r, 1, actor_of(r));
    enum status status =
        turn ? STATUS_OK : err_set(err, RETRY_FATAL, "base.memory", "out of memory for a generation");
    size_t count = db_rows(rows);
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = put_row(r, turn, reread, rows, i, err);
    *last = count ? (uint64_t)db_int(rows, count - 1, 0) : 0;
    atomic_fetch_add(&r->reread_count, count);
    db_result_free(&rows);
    if (status == STATUS_OK && turn->set->reread_ids.count > 0) {
        status = turn_put(turn, err);
        CRASH_POINT("rematch.reread");
    }
    turn_free(&turn);
    return status;
}

static enum status go_on(struct resolver *r, struct err *err)
{
    if (!stop_is_set(r->settings.stop) && !resolver_is_closing(r))
        return STATUS_OK;
    return err_set(err, RETRY_LATER, "resolve.stopping", "stopping; the generation is applied at the next start");
}

static enum status read_all(struct resolver *r, struct reread *reread, struct err *err)
{
    uint64_t last = 0;
    atomic_store(&r->reread_count, 0);
    enum status status = db_run(r->reader, &sql_session_by_index, NULL, 0, NULL, err);
    do {
        if (status == STATUS_OK)
            status = go_on(r, err);
        if (status == STATUS_OK)
            status = read_page(r, reread, &last, err);
    } while (status == STATUS_OK && last > 0);
    return status;
}

/* ---- writing ---- */

/* One past the highest record id there is. */
static uint64_t end_of_records(const struct resolver *r)
{
    uint64_t end = roster_end(r->roster);
    return r->last_record_id < end ? r->last_record_id + 1 : end;
}

static struct turn *turn_for(struct resolver *r, size_t touched, struct err *err)
{
    struct turn *turn = turn_new(r, 1, actor_of(r));
    if (turn)
        turn->touched = ARENA_ARRAY(turn->arena, uint64_t, touched + 1);
    if (turn == NULL || turn->touched == NULL) {
        turn_free(&turn);
        (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for a generation");
    }
    return turn;
}

/* The golden records of the customers with these ids. */
static enum status write_golden(struct resolver *r, uint64_t first, uint64_t end, struct err *err)
{
    struct turn *turn = turn_for(r, (size_t)(end - first), err);
    if (turn == NULL)
        return STATUS_FAILED;
    turn->only_changed = true;
    for (uint64_t id = first; id < end; id++) {
        if (graph_member_count(r->graph, id) > 0)
            turn->touched[turn->touched_count++] = id;
    }
    enum status status = write_customers(turn, err);
    if (status == STATUS_OK)
        status = turn_put(turn, err);
    turn_free(&turn);
    CRASH_POINT("rematch.golden");
    return status;
}

/* ---- reviews ---- */

static bool same_review(const struct graph_review *a, const struct graph_review *b)
{
    return a->reason == b->reason && !((float)a->weight < (float)b->weight || (float)a->weight > (float)b->weight) &&
           a->bridge_a == b->bridge_a && a->bridge_b == b->bridge_b;
}

/* Those that stand, a page at a time, by pair. */
struct standing_reviews {
    struct resolver *r;
    struct db_result *rows;
    size_t at;
    struct graph_review review; /* the next one, when `any` */
    bool any;
};

static enum status next_review(struct standing_reviews *standing, struct err *err)
{
    bool whole = standing->rows && db_rows(standing->rows) < REVIEW_PAGE;
    if (standing->rows == NULL || (standing->at == db_rows(standing->rows) && !whole)) {
        struct db_param params[] = {DB_P_INT8((int64_t)standing->review.a), DB_P_INT8((int64_t)standing->review.b),
                                    DB_P_INT4(REVIEW_PAGE)};
        db_result_free(&standing->rows);
        standing->at = 0;
        if (db_query(standing->r->reader, &sql_review_pairs, params, 3, &standing->rows, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    standing->any = standing->at < db_rows(standing->rows);
    if (standing->any) {
        size_t row = standing->at++;
        standing->review = (struct graph_review){
            .a = (uint64_t)db_int(standing->rows, row, 0), .b = (uint64_t)db_int(standing->rows, row, 1),
            .reason = (enum review_reason)db_int(standing->rows, row, 2), .weight = db_real(standing->rows, row, 3),
            .bridge_a = (uint64_t)db_int(standing->rows, row, 4),
            .bridge_b = (uint64_t)db_int(standing->rows, row, 5)};
    }
    return STATUS_OK;
}

/* Those that stay keep their row; new ones are told. */
static enum status write_reviews(struct resolver *r, struct turn *turn, const struct graph_changes *all,
                                 struct err *err)
{
    struct standing_reviews standing = {.r = r};
    size_t at = 0;
    enum status status = next_review(&standing, err);
    while (status == STATUS_OK && (standing.any || at < all->new_review_count)) {
        const struct graph_review *now = at < all->new_review_count ? &all->new_reviews[at] : NULL;
        int order = !standing.any ? 1 : now == NULL ? -1 : graph_pair_cmp(standing.review.a, standing.review.b, now->a, now->b);
        bool kept = order == 0 && same_review(&standing.review, now);
        if (order <= 0 && !kept)
            write_gone_review(turn->set, standing.review.a, standing.review.b);
        if (order >= 0 && !kept)
            write_review(turn->set, now);
        if (order > 0)
            tell_review(turn, now);
        at += order >= 0;
        if (order <= 0)
            status = next_review(&standing, err);
    }
    db_result_free(&standing.rows);
    return status;
}

/* ---- who belongs together ---- */

static enum status write_partition(struct resolver *r, const struct graph_changes *all,
                                   const struct graph_move *moves, size_t count, struct err *err)
{
    struct turn *turn = turn_for(r, 1, err);
    if (turn == NULL)
        return STATUS_FAILED;
    turn->set->replaces_links = true;
    for (size_t i = 0; i < all->new_link_count; i++)
        write_link(turn->set, &all->new_links[i], r->generation->generation_id,
                   r->generation->matcher);
    enum status status = follow_moves(turn, moves, count, err);
    if (status == STATUS_OK)
        status = write_reviews(r, turn, all, err);
    if (status == STATUS_OK)
        status = turn_put(turn, err);
    turn_free(&turn);
    CRASH_POINT("rematch.moved");
    return status;
}

static enum status write_all(struct resolver *r, const struct graph_changes *all, struct arena *arena,
                             struct err *err)
{
    size_t count = 0;
    struct graph_move *moves = restore_differences(r, arena, &count);
    if (moves == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a generation");
    log_info("resolve.generation", "generation %d is applied: %zu records change their customer",
             r->generation->generation_id, count);
    enum status status = write_partition(r, all, moves, count, err);
    uint64_t end = end_of_records(r);
    for (uint64_t id = 1; id < end && status == STATUS_OK; id += APPLY_RECORDS) {
        status = go_on(r, err);
        if (status == STATUS_OK)
            status = write_golden(r, id, id + APPLY_RECORDS < end ? id + APPLY_RECORDS : end, err);
    }
    return status;
}

static void tell_counts(const struct resolver *r, const struct reread_counts *counts)
{
    if (!r->generation->recleans)
        return;
    log_info("rematch.cleaned",
             "%llu of %llu records are cleaned again, %llu with another outcome; as they were stay %llu whose raw "
             "bytes are gone, %llu that nothing reads any more, %llu that are too large, %llu that the rules would refuse now",
             (unsigned long long)(counts->cleaned - counts->refused), (unsigned long long)counts->records,
             (unsigned long long)counts->changed, (unsigned long long)counts->no_raw,
             (unsigned long long)counts->unreadable, (unsigned long long)counts->too_large,
             (unsigned long long)counts->refused);
}

enum status regenerate(struct resolver *r, struct err *err)
{
    struct reread reread;
    struct graph_changes all = {0};
    struct arena *arena = arena_new(SETTLE_ARENA_MAX);
    if (arena == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a generation");
    enum status status = reread_init(&reread, r->generation, r->settings.sources, err);
    if (status == STATUS_OK) {
        status = begin(r, err);
        if (status == STATUS_OK)
            status = read_all(r, &reread, err);
        if (status == STATUS_OK)
            status = restore_decisions(r->graph, r->reader, err);
        if (status == STATUS_OK)
            status = graph_settle(r->graph, arena, &all, err);
        if (status == STATUS_OK)
            status = resolver_wait_written(r, err);
        if (status == STATUS_OK)
            status = write_all(r, &all, arena, err);
        if (status == STATUS_OK)
            tell_counts(r, &reread.counts);
        r->reread_counts = reread.counts;
        reread_free(&reread);
    }
    arena_free(&arena);
    return status;
}

enum status regenerate_end(struct resolver *r, struct err *err)
{
    struct generation *generation = r->settings.generation;
    struct turn *turn = turn_new(r, 1, actor_of(r));
    if (turn == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a generation");
    turn->set->applied_generation = generation->generation_id;
    enum status status = turn_put(turn, err);
    turn_free(&turn);
    if (status == STATUS_OK)
        status = resolver_wait_written(r, err); /* who is told that it is applied finds it so */
    if (status == STATUS_OK)
        generation->changed = generation->recleans = false;
    return status;
}
