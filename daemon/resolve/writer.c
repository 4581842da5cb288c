/* writer.c - see writer.h. */
#include "daemon/resolve/writer.h"
#include "daemon/base/condition.h"
#include "daemon/base/crash_point.h"
#include "daemon/base/log.h"
#include "daemon/base/queue.h"
#include "sql_queries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct writer {
    struct writer_settings settings;
    struct db *db;
    struct queue *queue;
    struct stop stop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t progress;
    struct err failure;
    bool failed;
    uint64_t refused_first, refused_last; /* batches of the set that failed */
    uint64_t put_number;
    size_t pending;
    atomic_uint_fast64_t committed;
};

static const char *const copy_statements[] = {
    "COPY tributary.record (record_id, source_id, kind, flags, version, customer_id, effective_at, content_hash, "
    "accept_seq, stored_at, updated_at, lead_at, space, external_id, part, clean, features) "
    "FROM STDIN (FORMAT binary)",
    "COPY tributary.link (a, b, reason, weight, decision_id, generation_id, linked_at, evidence) "
    "FROM STDIN (FORMAT binary)",
    "COPY tributary.activity (at, record_id, source_id, type, key, data) FROM STDIN (FORMAT binary)",
    "COPY tributary.consent (record_id, purpose, granted, at, method, version, wording, ip, user_agent) "
    "FROM STDIN (FORMAT binary)",
    "COPY tributary.history (at, customer_id, version, what, actor, event_seq, changes) "
    "FROM STDIN (FORMAT binary)",
    "COPY tributary.event (seq, at, customer_id, source_id, type, sources, data) FROM STDIN (FORMAT binary)",
    "COPY tributary.reject (source_id, accept_seq, record_no, at, quarantined, code, field, param, position, "
    "external_id, part, layout_id, meta, body, identifiers, content_hash, effective_at, body_key) FROM STDIN (FORMAT binary)",
    "COPY tributary.review (a, b, reason, weight, bridge_a, bridge_b, opened_at) FROM STDIN (FORMAT binary)",
    "COPY tributary.works_for (record_id, employer_id) FROM STDIN (FORMAT binary)",
};

/* Begins, and holds the leader's row if it is still ours. */
static enum status begin_as_leader(struct writer *writer, struct err *err)
{
    uint64_t found[2] = {0}; /* BEGIN, the row */
    struct db_param epoch = DB_P_INT8(writer->settings.epoch);
    if (db_queue_begin(writer->db, err) != STATUS_OK ||
        db_queue(writer->db, &sql_leader_hold, &epoch, 1, err) != STATUS_OK ||
        db_flush_queue(writer->db, found, 2, err) != STATUS_OK)
        return STATUS_FAILED;
    return found[1] == 1 ? STATUS_OK
                         : err_set(err, RETRY_FATAL, "resolve.epoch", "another daemon has taken over (our epoch was %lld)",
                                   (long long)writer->settings.epoch);
}

/* Queues a statement over parallel id lists, when there is anything to do. */
static enum status queue_lists(struct db *db, const struct sql_query *query,
                               const struct id_list *const *lists, size_t count,
                               const struct db_param *last, struct err *err)
{
    if (lists[0]->count == 0)
        return STATUS_OK;
    struct db_param params[12];
    for (size_t i = 0; i < count; i++)
        params[i] = DB_P_INT8S(lists[i]->ids, lists[i]->count);
    if (last)
        params[count++] = *last;
    return db_queue(db, query, params, count, err);
}

/* What must go before the rows that replace it. */
static enum status queue_removals(struct db *db, const struct write_set *set, struct err *err)
{
    if (set->replaces_links && db_queue(db, &sql_links_clear, NULL, 0, err) != STATUS_OK)
        return STATUS_FAILED;
    if (set->applied_generation) {
        struct db_param id = DB_P_INT4(set->applied_generation);
        if (db_queue(db, &sql_generation_applied, &id, 1, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    const struct id_list *links[] = {&set->gone_link_a, &set->gone_link_b};
    const struct id_list *reviews[] = {&set->gone_review_a, &set->gone_review_b};
    const struct id_list *details[] = {&set->stale_details};
    const struct id_list *customers[] = {&set->stale_customers};
    const struct id_list *employments[] = {&set->stale_employments};
    if (queue_lists(db, &sql_link_delete, links, 2, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_review_delete, reviews, 2, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_activity_delete, details, 1, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_consent_delete, details, 1, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_employment_delete, employments, 1, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_store_customer_delete, customers, 1, NULL, err) != STATUS_OK)
        return STATUS_FAILED;
    return STATUS_OK;
}

static enum status queue_record_updates(struct db *db, const struct write_set *set, struct err *err)
{
    struct db_param now = DB_P_TIMESTAMP(set->now_us);
    if (set->update_ids.count > 0) {
        size_t n = set->update_ids.count;
        struct db_param params[] = {
            DB_P_INT8S(set->update_ids.ids, n),          DB_P_INT8S(set->update_flags.ids, n),
            DB_P_INT8S(set->update_effective_us.ids, n), DB_P_INT8S(set->update_hashes.ids, n),
            DB_P_INT8S(set->update_seqs.ids, n),         DB_P_TEXTS(set->update_cleans.texts, n),
            DB_P_TEXTS(set->update_features.texts, n),   now,
            DB_P_INT8S(set->update_kinds.ids, n)};
        if (db_queue(db, &sql_record_update, params, 9, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    if (set->reread_ids.count > 0) {
        size_t n = set->reread_ids.count;
        struct db_param params[] = {DB_P_INT8S(set->reread_ids.ids, n), DB_P_INT8S(set->reread_kinds.ids, n),
                                    DB_P_TEXTS(set->reread_cleans.texts, n),
                                    DB_P_TEXTS(set->reread_features.texts, n)};
        if (db_queue(db, &sql_record_reread, params, 4, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    const struct id_list *moves[] = {&set->move_ids, &set->move_customers};
    const struct id_list *leads[] = {&set->lead_ids};
    const struct id_list *retimed[] = {&set->retimed_ids, &set->retimed_us};
    const struct id_list *gone[] = {&set->gone_ids, &set->gone_heirs};
    if (queue_lists(db, &sql_record_move, moves, 2, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_record_retime, retimed, 2, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_record_heir_follow, gone, 2, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_record_heir, gone, 2, NULL, err) != STATUS_OK)
        return STATUS_FAILED;
    return queue_lists(db, &sql_record_lead, leads, 1, &now, err);
}

static enum status queue_decisions(struct db *db, const struct write_set *set, struct err *err)
{
    size_t n = set->decision_ids.count;
    struct db_param by = DB_P_TEXT(set->decided_by);
    if (n > 0) {
        struct db_param params[] = {
            DB_P_INT8S(set->decision_ids.ids, n), DB_P_TEXTS(set->decision_kinds.texts, n),
            DB_P_INT8S(set->decision_a.ids, n), DB_P_INT8S(set->decision_b.ids, n),
            DB_P_TEXTS(set->decision_weights.texts, n), by, DB_P_TEXT(set->decision_note),
            DB_P_TEXT(set->decision_origin), DB_P_INT4(set->decision_generation)};
        if (db_queue(db, &sql_decision_put, params, 9, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    if (set->assigned_ids.count > 0) {
        struct db_param params[] = {DB_P_INT8S(set->assigned_ids.ids, set->assigned_ids.count),
                                    DB_P_TEXT(set->assigned_owner), DB_P_TEXT(set->assigned_team), by};
        if (db_queue(db, &sql_assignment_put, params, 4, err) != STATUS_OK)
            return STATUS_FAILED;
    }
    const struct id_list *retracted[] = {&set->retracted_ids};
    return queue_lists(db, &sql_decision_retract, retracted, 1, &by, err);
}

static enum status queue_bookkeeping(struct db *db, const struct write_set *set, struct err *err)
{
    const struct id_list *ledger[1 + LEDGER_OUTCOMES] = {&set->ledger_sources};
    for (size_t i = 0; i < LEDGER_OUTCOMES; i++)
        ledger[1 + i] = &set->ledger[i];
    const struct id_list *batches[] = {&set->batches};
    struct db_param counters[] = {DB_P_INT8((int64_t)set->last_record_id),
                                  DB_P_INT8((int64_t)set->last_event_seq),
                                  DB_P_INT8((int64_t)set->number)};
    if (queue_decisions(db, set, err) != STATUS_OK ||
        queue_lists(db, &sql_ledger_resolve_add, ledger, 1 + LEDGER_OUTCOMES, NULL, err) != STATUS_OK ||
        queue_lists(db, &sql_batches_resolved, batches, 1, NULL, err) != STATUS_OK ||
        db_queue(db, &sql_counters_set, counters, 3, err) != STATUS_OK)
        return STATUS_FAILED;
    return db_flush_queue(db, NULL, 0, err);
}

static enum status copy_rows(struct db *db, const struct customer_layout *layout,
                             const struct write_set *set, struct err *err)
{
    const struct rows *rows[] = {&set->records, &set->links,        &set->activities,
                                 &set->consents, &set->history,     &set->events,
                                 &set->rejects,  &set->reviews,     &set->employments};
    struct db_copy copies[sizeof(rows) / sizeof(rows[0]) + 1];
    size_t count = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i]->count > 0)
            copies[count++] = (struct db_copy){copy_statements[i], buf_slice(&rows[i]->buf), rows[i]->count};
    }
    if (set->customers.count > 0)
        copies[count++] = (struct db_copy){customer_layout_copy_statement(layout), buf_slice(&set->customers.buf),
                                           set->customers.count};
    enum status status = db_put_all(db, copies, count, err);
    CRASH_POINT("write.copied");
    return status;
}

enum status write_set_rows(struct db *db, const struct customer_layout *layout,
                           const struct write_set *set, struct err *err)
{
    if (queue_removals(db, set, err) != STATUS_OK || copy_rows(db, layout, set, err) != STATUS_OK)
        return STATUS_FAILED;
    return queue_record_updates(db, set, err);
}

static enum status attempt(struct writer *writer, const struct write_set *set, bool *ambiguous,
                           struct err *err)
{
    struct db *db = writer->db;
    bool fresh = !db_is_open(db);
    if (db_open(db, err) != STATUS_OK ||
        (fresh && db_run(db, &sql_session_by_index, NULL, 0, NULL, err) != STATUS_OK))
        return STATUS_FAILED;
    if (*ambiguous) {
        struct db_param number = DB_P_INT8((int64_t)set->number);
        struct db_result *result = NULL;
        if (db_query(db, &sql_write_set_committed, &number, 1, &result, err) != STATUS_OK)
            return STATUS_FAILED;
        bool committed = db_rows(result) > 0;
        db_result_free(&result);
        *ambiguous = false;
        if (committed)
            return STATUS_OK;
    }
    enum status status = begin_as_leader(writer, err);
    CRASH_POINT("write.begun");
    if (status != STATUS_OK ||
        write_set_rows(db, writer->settings.layout, set, err) != STATUS_OK ||
        queue_bookkeeping(db, set, err) != STATUS_OK) {
        db_rollback(db);
        return STATUS_FAILED;
    }
    CRASH_POINT("write.before_commit");
    status = db_commit(db, ambiguous, err);
    if (status == STATUS_OK)
        CRASH_POINT("write.committed");
    return status;
}

/* Tries until it is in. False: stopped, or refused for good. */
static bool commit(struct writer *writer, const struct write_set *set, struct err *err)
{
    bool ambiguous = false, told = false;
    for (unsigned attempts = 0; !stop_is_set(&writer->stop); attempts++) {
        if (attempt(writer, set, &ambiguous, err) == STATUS_OK) {
            if (told)
                log_info("resolve.write_resumed", "the database takes writes again");
            return true;
        }
        if (err->retry == RETRY_REJECT_RECORD || err->retry == RETRY_FATAL || err->retry == RETRY_NONE)
            return false;
        if (err->retry == RETRY_NOW && attempts < 10)
            continue;
        if (err->retry != RETRY_NOW && !told) {
            log_err(LOG_LEVEL_WARN, err, "a resolve transaction failed and is tried again");
            told = true;
        }
        stop_wait_ms(&writer->stop, db_backoff_ms(attempts));
    }
    return false;
}

static void note_refused(struct writer *writer, const struct write_set *set)
{
    writer->refused_first = writer->refused_last = 0;
    for (size_t i = 0; i < set->batches.count; i++) {
        uint64_t id = (uint64_t)set->batches.ids[i];
        if (writer->refused_first == 0 || id < writer->refused_first)
            writer->refused_first = id;
        if (id > writer->refused_last)
            writer->refused_last = id;
    }
}

static void *write_loop(void *data)
{
    struct writer *writer = data;
    void *item = NULL;
    while (queue_take(writer->queue, -1, &item) == STATUS_OK) {
        struct write_set *set = item;
        struct err err = {0};
        bool done = !writer->failed && !stop_is_set(&writer->stop) && commit(writer, set, &err);
        pthread_mutex_lock(&writer->lock);
        writer->pending--;
        if (done) {
            atomic_store(&writer->committed, set->number);
        } else if (!writer->failed && !stop_is_set(&writer->stop)) {
            writer->failed = true;
            writer->failure = err;
            note_refused(writer, set);
        }
        pthread_cond_broadcast(&writer->progress);
        pthread_mutex_unlock(&writer->lock);
        if (done && writer->settings.committed)
            writer->settings.committed(writer->settings.data, set);
        write_set_free(&set);
    }
    return NULL;
}

struct writer *writer_start(const struct writer_settings *settings, struct err *err)
{
    struct writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL) {
        (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for the writer");
        return NULL;
    }
    writer->settings = *settings;
    pthread_mutex_init(&writer->lock, NULL);
    condition_init(&writer->progress);
    writer->queue = queue_new(settings->depth);
    if (writer->queue == NULL || stop_init(&writer->stop, err) != STATUS_OK) {
        free(writer);
        return NULL;
    }
    writer->db = db_new(&settings->db, &writer->stop);
    int failed = writer->db ? pthread_create(&writer->thread, NULL, write_loop, writer) : 12;
    if (failed) {
        (void)err_set_errno(err, failed, "base.thread", "cannot start the writer thread");
        db_free(&writer->db);
        queue_free(&writer->queue);
        free(writer);
        return NULL;
    }
    return writer;
}

bool writer_put(struct writer *writer, struct write_set **set)
{
    pthread_mutex_lock(&writer->lock);
    bool failed = writer->failed;
    if (!failed) {
        writer->put_number = (*set)->number;
        writer->pending++;
    }
    pthread_mutex_unlock(&writer->lock);
    if (!failed && queue_put(writer->queue, *set, -1) == STATUS_OK) {
        *set = NULL;
        return true;
    }
    if (!failed) { /* the queue is closed */
        pthread_mutex_lock(&writer->lock);
        writer->pending--;
        pthread_mutex_unlock(&writer->lock);
    }
    write_set_free(set);
    return false;
}

bool writer_has_room(struct writer *writer, int64_t wait_ms)
{
    struct timespec until = condition_deadline(wait_ms);
    pthread_mutex_lock(&writer->lock);
    while (!writer->failed && !stop_is_set(&writer->stop) && writer->pending > writer->settings.depth) {
        if (pthread_cond_timedwait(&writer->progress, &writer->lock, &until) != 0)
            break;
    }
    bool room = writer->failed || stop_is_set(&writer->stop) || writer->pending <= writer->settings.depth;
    pthread_mutex_unlock(&writer->lock);
    return room;
}

bool writer_drain(struct writer *writer, int64_t wait_ms)
{
    struct timespec until = condition_deadline(wait_ms);
    pthread_mutex_lock(&writer->lock);
    while (!writer->failed && !stop_is_set(&writer->stop) &&
           atomic_load(&writer->committed) < writer->put_number) {
        if (pthread_cond_timedwait(&writer->progress, &writer->lock, &until) != 0)
            break;
    }
    bool drained = !writer->failed && atomic_load(&writer->committed) >= writer->put_number;
    pthread_mutex_unlock(&writer->lock);
    return drained;
}

size_t writer_pending(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    size_t pending = writer->pending;
    pthread_mutex_unlock(&writer->lock);
    return pending;
}

uint64_t writer_committed(const struct writer *writer)
{
    return atomic_load(&((struct writer *)(uintptr_t)writer)->committed);
}

bool writer_failed(struct writer *writer, struct err *err)
{
    pthread_mutex_lock(&writer->lock);
    bool failed = writer->failed;
    if (failed)
        *err = writer->failure;
    pthread_mutex_unlock(&writer->lock);
    return failed;
}

void writer_refused_batches(struct writer *writer, uint64_t *first, uint64_t *last)
{
    pthread_mutex_lock(&writer->lock);
    *first = writer->refused_first;
    *last = writer->refused_last;
    pthread_mutex_unlock(&writer->lock);
}

void writer_abort(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    stop_set(&writer->stop);
    pthread_cond_broadcast(&writer->progress);
    pthread_mutex_unlock(&writer->lock);
    queue_close(writer->queue);
}

void writer_stop(struct writer **writer)
{
    struct writer *mine = *writer;
    if (mine == NULL)
        return;
    writer_abort(mine);
    pthread_join(mine->thread, NULL);
    db_free(&mine->db);
    queue_free(&mine->queue);
    stop_close(&mine->stop);
    pthread_cond_destroy(&mine->progress);
    pthread_mutex_destroy(&mine->lock);
    free(mine);
    *writer = NULL;
}
