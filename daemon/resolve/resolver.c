/* resolver.c - see resolver.h. */
#include "daemon/resolve/resolver.intern.h"
#include "daemon/base/condition.h"
#include "daemon/base/log.h"
#include "daemon/resolve/culprit.h"
#include "sql_queries.h"

#include <stdlib.h>
#include <time.h>

#define TURN_ARENA_MAX   ((size_t)2 << 30)
#define IDLE_WAIT_MS     20
#define SCRATCH_MAX_BYTES ((size_t)16 << 20)
#define WRITER_DEPTH     2
#define LIVE_TIME_US     ((int64_t)3 * 1000000) /* after a live batch: others are expected */
#define LIVE_PENDING_MAX 0                      /* then bulk waits while more sets are on their way */
#define LIVE_POLL_MS     1
#define BULK_JOINED      4                      /* times set_arrivals at most in a set, while no post is expected */
#define REBUILD_FIRST_MS 1000
#define WRITTEN_TURN_MS  1000
#define REBUILD_LAST_MS  60000
#define DRAIN_MS         30000
#define BARRIER_MS       1000

struct resolver_call {
    void (*run)(struct resolver *resolver, void *data);
    void *data;
    bool begun, done;
    bool refused;
    struct resolver_call *next;
};

/* ---- turns ---- */

struct turn *turn_new(struct resolver *r, size_t arrivals, const char *actor)
{
    struct turn *turn = calloc(1, sizeof(*turn));
    if (turn == NULL)
        return NULL;
    turn->r = r;
    turn->actor = actor;
    turn->arena = arena_new(TURN_ARENA_MAX);
    turn->set = write_set_new(r->next_set, clock_wall_us(r->settings.clock));
    turn->staged_max = arrivals * 3; /* a person's record, the company it names, and the one it named before */
    if (turn->arena) {
        turn->staged = ARENA_ARRAY(turn->arena, struct staged, turn->staged_max + 1);
        turn->lost_leads = ARENA_ARRAY(turn->arena, uint64_t, arrivals + 1);
        turn->employed = ARENA_ARRAY(turn->arena, uint64_t, arrivals + 1);
        turn->retimed = ARENA_ARRAY(turn->arena, uint64_t, 2 * arrivals + 1);
    }
    if (turn->set == NULL || turn->arena == NULL || arena_failed(turn->arena)) {
        turn_free(&turn);
        return NULL;
    }
    turn->set->last_event_seq = r->last_event_seq;
    return turn;
}

void turn_free(struct turn **turn)
{
    struct turn *mine = *turn;
    if (mine == NULL)
        return;
    u64_map_clear(&mine->r->scratch.staged);
    write_set_free(&mine->set);
    arena_free(&mine->arena);
    free(mine);
    *turn = NULL;
}

enum status turn_put(struct turn *turn, struct err *err)
{
    struct resolver *r = turn->r;
    turn->set->last_record_id = r->last_record_id;
    if (write_set_failed(turn->set) || arena_failed(turn->arena))
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a write set");
    r->arrivals += turn->set->arrival_count;
    r->last_event_seq = turn->set->last_event_seq;
    r->next_set++;
    cache_committed(r->records, writer_committed(r->writer));
    cache_committed(r->customers, writer_committed(r->writer));
    if (!writer_put(r->writer, &turn->set)) {
        if (!writer_failed(r->writer, err))
            return err_set(err, RETRY_LATER, "resolve.writer", "the writer has stopped");
        return STATUS_FAILED;
    }
    return STATUS_OK;
}

static void note_refusal(struct resolver *r, const struct batch *batches)
{
    r->refusal.first = r->refusal.last = 0;
    for (const struct batch *batch = batches; batch; batch = batch->next) {
        if (r->refusal.first == 0 || batch->batch_id < r->refusal.first)
            r->refusal.first = batch->batch_id;
        if (batch->batch_id > r->refusal.last)
            r->refusal.last = batch->batch_id;
    }
}

/* Resolves batches (a list) in one turn and frees them. */
static enum status resolve_batches(struct resolver *r, struct batch *batches, struct err *err)
{
    size_t arrivals = 0;
    for (struct batch *batch = batches; batch; batch = batch->next)
        arrivals += batch->arrival_count;
    struct turn *turn = turn_new(r, arrivals, "resolve");
    enum status status =
        turn ? STATUS_OK : err_set(err, RETRY_FATAL, "base.memory", "out of memory for a turn");
    for (struct batch *batch = batches; batch && status == STATUS_OK; batch = batch->next)
        status = stage_batch(turn, batch, err);
    if (status == STATUS_OK)
        status = follow_changes(turn, err);
    if (status == STATUS_OK)
        status = turn_put(turn, err);
    else if (status == STATUS_FAILED && err->retry == RETRY_REJECT_RECORD)
        note_refusal(r, batches);
    turn_free(&turn);
    while (batches) {
        struct batch *next = batches->next;
        batch_free(&batches);
        batches = next;
    }
    return status;
}

/* ---- state that can be rebuilt ---- */

static void publish_stats(struct resolver *r)
{
    pthread_mutex_lock(&r->lock);
    struct resolver_stats *stats = &r->stats;
    stats->arrivals = r->arrivals;
    stats->customers = r->customer_count;
    stats->companies = r->company_count;
    stats->leads = r->lead_count;
    stats->events = r->last_event_seq;
    stats->committed_sets = r->writer ? writer_committed(r->writer) : 0;
    if (r->graph)
        graph_stats(r->graph, &stats->graph);
    stats->records = stats->graph.records;
    stats->known_bytes = known_bytes(r->settings.intake->known);
    stats->roster_bytes = roster_bytes(r->roster) + employment_bytes(&r->employment);
    /* Rebuilt again and again: that nothing is the matter is believed once something is committed, or nothing waits. */
    bool again = r->rebuilds > 1 && r->recovered && stats->committed_sets <= r->rebuilt_at_set;
    stats->failed = r->failed || again;
    memcpy(stats->failure, stats->failed ? r->failure.text : "", stats->failed ? sizeof(stats->failure) - 1 : 1);
    pthread_mutex_unlock(&r->lock);
}

static void forget(struct resolver *r)
{
    pthread_mutex_lock(&r->lock);
    struct writer *writer = r->writer;
    r->writer = NULL;
    pthread_mutex_unlock(&r->lock);
    writer_stop(&writer);
    graph_free(&r->graph);
    cache_free(&r->records);
    cache_free(&r->customers);
    employment_free(&r->employment);
    while (r->recovered) {
        struct batch *next = r->recovered->next;
        batch_free(&r->recovered);
        r->recovered = next;
    }
    r->unread_count = r->unread_next = 0;
    r->live_records = 0;
    known_lock(r->settings.intake->known);
    known_forget_resolved(r->settings.intake->known);
    known_unlock(r->settings.intake->known);
}

static void on_commit(void *data, const struct write_set *set)
{
    struct resolver *r = data;
    atomic_store(&r->progress_us, clock_monotonic_us(r->settings.clock));
    if (r->settings.committed)
        r->settings.committed(r->settings.data, set->last_event_seq);
}

static enum status take_lead(struct resolver *r, int64_t *epoch, struct err *err)
{
    struct db_param holder = DB_P_TEXT(slice_str(r->settings.holder));
    struct db_result *result = NULL;
    if (db_query(r->reader, &sql_leader_take, &holder, 1, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    *epoch = db_int(result, 0, 0);
    db_result_free(&result);
    return STATUS_OK;
}

static enum status remember(struct resolver *r, struct err *err)
{
    int64_t epoch = 0;
    r->graph = graph_new(r->generation->matcher, &r->settings.limits);
    r->roster = known_roster(r->settings.intake->known);
    r->records = cache_new(r->settings.cache_bytes);
    r->customers = cache_new(r->settings.cache_bytes);
    if (r->graph == NULL || r->records == NULL || r->customers == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the index");
    graph_use_roster(r->graph, r->roster);
    if (db_open(r->reader, err) != STATUS_OK || take_lead(r, &epoch, err) != STATUS_OK)
        return STATUS_FAILED;
    struct writer_settings settings = {.db = r->settings.db, .layout = r->generation->layout,
                                       .epoch = epoch, .depth = WRITER_DEPTH,
                                       .committed = on_commit, .data = r};
    settings.db.application_name = "tributary write";
    struct writer *writer = writer_start(&settings, err);
    pthread_mutex_lock(&r->lock);
    r->writer = writer;
    pthread_mutex_unlock(&r->lock);
    if (writer == NULL)
        return STATUS_FAILED;
    bool changed = r->generation->changed;
    enum status restored = restore(r, err);
    if (restored != STATUS_OK && strcmp(err->id, "graph.differs") == 0) {
        log_err(LOG_LEVEL_ERROR, err, "all records are judged again");
        r->settings.generation->changed = true;
    }
    if (restored != STATUS_OK || employers_restore(r, err) != STATUS_OK || employers_follow(r, changed, err) != STATUS_OK ||
        (changed && regenerate_end(r, err) != STATUS_OK))
        return STATUS_FAILED;
    return restore_rejects(r, err) == STATUS_OK ? restore_batches(r, err) : STATUS_FAILED;
}

static int64_t rebuild_wait_ms(unsigned rebuilds)
{
    int64_t wait_ms = REBUILD_FIRST_MS;
    for (unsigned i = 1; i < rebuilds && wait_ms < REBUILD_LAST_MS; i++)
        wait_ms *= 2;
    return rebuilds == 0 ? 0 : wait_ms < REBUILD_LAST_MS ? wait_ms : REBUILD_LAST_MS;
}

/* After a failure the memory is made anew from what is committed; batches that were under way are among those
 * in flight. What lies in the lanes was read back too, so it is dropped by number. Waits longer from time to time as
 * long as nothing is committed in between. */
static bool rebuild(struct resolver *r)
{
    if (stop_is_set(r->settings.stop))
        return false;
    if (strcmp(r->failure.id, "graph.differs") == 0)
        r->settings.generation->changed = true; /* judge everything again */
    log_err(LOG_LEVEL_ERROR, &r->failure, "resolving stopped and starts again from the database");
    publish_stats(r);
    uint64_t committed = r->writer ? writer_committed(r->writer) : 0;
    if (committed > r->rebuilt_at_set) {
        r->rebuilds = 0;
        r->rebuilt_at_set = committed;
    }
    for (;;) {
        int64_t wait_ms = rebuild_wait_ms(r->rebuilds++);
        if (wait_ms > 0 && (resolver_is_closing(r) || stop_wait_ms(r->settings.stop, wait_ms)))
            return false;
        forget(r);
        struct err err = {0};
        if (remember(r, &err) == STATUS_OK) {
            r->failed = false;
            log_info("resolve.rebuilt", "the index is rebuilt: %llu records",
                     (unsigned long long)r->live_records);
            return true;
        }
        if (!stop_is_set(r->settings.stop))
            log_err(LOG_LEVEL_WARN, &err, "the index could not be rebuilt yet");
    }
}

/* ---- the thread ---- */

/* After a failure what is asked waits for the rebuilt index; at the end (`refuse`) it is not run any more. */
static void run_calls(struct resolver *r, bool refuse)
{
    pthread_mutex_lock(&r->lock);
    r->closing |= refuse;
    while (r->calls && (refuse || !r->failed)) {
        struct resolver_call *call = r->calls;
        r->calls = call->next;
        call->begun = true;
        pthread_mutex_unlock(&r->lock);
        if (!refuse)
            call->run(r, call->data);
        pthread_mutex_lock(&r->lock);
        call->refused = refuse;
        call->done = true;
        pthread_cond_broadcast(&r->call_done);
    }
    pthread_mutex_unlock(&r->lock);
}

/* The cleaner of the generation in force. */
static bool renew_cleaner(struct resolver *r)
{
    if (r->cleaner && r->cleaner_of == r->generation)
        return true;
    cleaner_free(&r->cleaner);
    r->cleaner = cleaner_new(r->generation->ruleset);
    r->cleaner_of = r->generation;
    if (r->cleaner == NULL)
        log_error("resolve.cleaner", "no memory for the resolver; hint: give the service more");
    return r->cleaner != NULL;
}

static bool is_refused(const struct resolver *r, const struct batch *batch)
{
    return batch->batch_id >= r->refusal.first && batch->batch_id <= r->refusal.last;
}

/* The next batches read back, joined to a turn; one alone that has to be examined. */
static struct batch *take_recovered(struct resolver *r)
{
    struct batch *first = NULL, **tail = &first;
    size_t arrivals = 0;
    while (r->recovered && (first == NULL || (arrivals < r->settings.set_arrivals && !is_refused(r, first) &&
                                              !is_refused(r, r->recovered)))) {
        struct batch *batch = r->recovered;
        r->recovered = batch->next;
        batch->next = NULL;
        batch_clean(batch, r->cleaner, &r->preparing, r->generation);
        arrivals += batch->arrival_count;
        *tail = batch;
        tail = &batch->next;
    }
    return first;
}

/* Takes out of a batch read back what PostgreSQL refuses of it, when it is one that was refused. Such a batch is
 * resolved and committed before the next, so that a second refusal is known to be its own. */
static enum status resolve_recovered(struct resolver *r, struct batch *batch, struct err *err)
{
    uint64_t id = batch->batch_id;
    if (!is_refused(r, batch))
        return resolve_batches(r, batch, err);
    size_t found = 0;
    enum status status = STATUS_OK;
    if (r->refusal.examined == id && r->refusal.first == id && r->refusal.last == id) {
        log_error("resolve.refused_together", "batch %llu is refused by the database though none of its records is: "
                  "all are quarantined; hint: tributary rejects retry", (unsigned long long)id);
        culprits_all(batch);
    } else {
        status = culprits_find(r, batch, &found, err);
        r->refusal.examined = id;
    }
    if (status != STATUS_OK) {
        batch_free(&batch);
        return status;
    }
    status = resolve_batches(r, batch, err);
    if (status == STATUS_OK)
        (void)writer_drain(r->writer, DRAIN_MS);
    return status;
}

/* The next clean batch of the lanes that was not read back from the database already: of the bulk lane when
 * `more_bulk`, and then only while nothing live waits. */
static struct batch *take_fresh(struct resolver *r, int64_t wait_ms, bool live_only, bool more_bulk)
{
    for (;;) {
        struct batch *batch = more_bulk ? lanes_take_bulk(r->settings.lanes)
                                        : lanes_take(r->settings.lanes, wait_ms, live_only);
        if (batch == NULL || !resolver_was_recovered(r, batch->batch_id)) {
            if (batch && batch->cleaned_by != r->generation)
                batch_clean(batch, r->cleaner, &r->preparing, r->generation);
            return batch;
        }
        batch_free(&batch);
    }
}

/* While posts come in, a bulk batch is begun only when few sets are on their way to the database: commits are in
 * order, so what is put before a post's is what the post waits for. */
static struct batch *take_next(struct resolver *r, bool closing)
{
    int64_t now_us = clock_monotonic_us(r->settings.clock);
    bool hold_bulk = !closing && now_us < r->live_until_us &&
                     writer_pending(r->writer) > LIVE_PENDING_MAX;
    int64_t wait_ms = hold_bulk ? LIVE_POLL_MS : closing ? 1 : IDLE_WAIT_MS;
    struct batch *batch = take_fresh(r, wait_ms, hold_bulk, false);
    if (batch && batch->live)
        r->live_until_us = now_us + LIVE_TIME_US;
    return batch;
}

/* Batches that are ready join one turn: live ones, or, while no post is expected that would have to wait for them, bulk
 * ones. What a transaction costs beside its rows is a third of what PostgreSQL has to do for 500 records. */
static void join_ready(struct resolver *r, struct batch *first)
{
    bool bulk = !first->live && clock_monotonic_us(r->settings.clock) >= r->live_until_us;
    size_t arrivals = first->arrival_count, arrivals_max = r->settings.set_arrivals * (bulk ? BULK_JOINED : 1);
    struct batch *last = first;
    while ((first->live || bulk) && arrivals < arrivals_max) {
        struct batch *next = take_fresh(r, 0, first->live, bulk);
        if (next == NULL)
            return;
        arrivals += next->arrival_count;
        last->next = next;
        last = next;
    }
}

bool resolver_is_closing(struct resolver *r)
{
    pthread_mutex_lock(&r->lock);
    bool closing = r->closing;
    pthread_mutex_unlock(&r->lock);
    return closing;
}

enum status resolver_wait_written(struct resolver *r, struct err *err)
{
    while (!writer_drain(r->writer, WRITTEN_TURN_MS)) {
        if (writer_failed(r->writer, err))
            return STATUS_FAILED;
        if (stop_is_set(r->settings.stop) || resolver_is_closing(r))
            return err_set(err, RETRY_LATER, "resolve.stopping", "stopping; what is unfinished goes on at the next start");
    }
    return STATUS_OK;
}

/* What is resolved next. What was read back and posts that came in meanwhile take turns. */
static struct batch *take_any(struct resolver *r, bool closing, bool *recovered)
{
    *recovered = false;
    if (r->recovered == NULL)
        read_back(r);
    if (r->recovered == NULL)
        return take_next(r, closing);
    struct batch *batch = r->fresh_next ? take_fresh(r, 0, true, false) : NULL;
    r->fresh_next = !r->fresh_next;
    if (batch == NULL) {
        *recovered = true;
        batch = take_recovered(r);
    }
    return batch;
}

/* Everything that is to be resolved before the end. */
static bool is_done(struct resolver *r)
{
    size_t live = 0, bulk = 0;
    lanes_depth(r->settings.lanes, &live, &bulk);
    bool unread = r->unread_next < r->unread_count || lanes_left(r->settings.lanes) > 0;
    /* What cannot be read back now is at the next start. */
    return live + bulk == 0 && (!unread || clock_monotonic_us(r->settings.clock) < r->read_back_at_us);
}

/* Puts off a turn while its set would have to wait for the database: what is asked meanwhile is answered. */
static bool has_room(struct resolver *r)
{
    return r->failed || writer_has_room(r->writer, IDLE_WAIT_MS);
}

static void *resolve_loop(void *data)
{
    struct resolver *r = data;
    int64_t stats_at_us = 0;
    for (;;) {
        run_calls(r, false);
        if (r->failed && !rebuild(r)) /* a decision that could not be followed: nothing may be built on it */
            break;
        if (!renew_cleaner(r)) /* what was asked may have been another generation */
            break;
        bool closing = resolver_is_closing(r), recovered = false, room = has_room(r);
        struct batch *batch = room ? take_any(r, closing, &recovered) : NULL;
        int64_t now_us = clock_monotonic_us(r->settings.clock);
        if (batch == NULL && room && writer_pending(r->writer) == 0)
            atomic_store(&r->progress_us, now_us);
        if (now_us >= stats_at_us) {
            publish_stats(r);
            stats_at_us = now_us + 200000;
        }
        if (batch) {
            if (!recovered)
                join_ready(r, batch);
            enum status status = recovered ? resolve_recovered(r, batch, &r->failure)
                                           : resolve_batches(r, batch, &r->failure);
            r->failed |= status != STATUS_OK;
        }
        struct err err;
        if (!r->failed && writer_failed(r->writer, &err)) {
            r->failed = true;
            r->failure = err;
        }
        if (r->failed && r->failure.retry == RETRY_REJECT_RECORD && writer_failed(r->writer, &err))
            writer_refused_batches(r->writer, &r->refusal.first, &r->refusal.last);
        if (r->failed && !rebuild(r))
            break;
        if (batch == NULL && room && closing && is_done(r))
            break;
    }
    run_calls(r, true);
    publish_stats(r);
    cleaner_free(&r->cleaner);
    latch_set(&r->ended);
    return NULL;
}

/* ---- the outside ---- */

struct resolver *resolver_start(const struct resolver_settings *settings, struct err *err)
{
    struct resolver *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for the resolver");
        return NULL;
    }
    r->settings = *settings;
    r->generation = settings->generation;
    r->scratch = (struct resolver_scratch){.text = BUF_INIT(SCRATCH_MAX_BYTES),
                                           .changes = BUF_INIT(SCRATCH_MAX_BYTES),
                                           .body = BUF_INIT(SCRATCH_MAX_BYTES),
                                           .provenance.json = BUF_INIT(SCRATCH_MAX_BYTES)};
    preparing_init(&r->preparing);
    pthread_mutex_init(&r->lock, NULL);
    condition_init(&r->call_done);
    latch_init(&r->ended);
    atomic_store(&r->progress_us, clock_monotonic_us(settings->clock));
    struct db_settings reading = settings->db;
    reading.application_name = "tributary resolve";
    r->reader = db_new(&reading, settings->stop);
    enum status status = r->reader ? remember(r, err) : STATUS_FAILED;
    if (status != STATUS_OK && settings->generation->changed) {
        forget(r); /* the stored partition differs: once more, judging everything */
        status = remember(r, err);
    }
    if (status == STATUS_OK) {
        publish_stats(r);
        int failed = pthread_create(&r->thread, NULL, resolve_loop, r);
        r->thread_started = failed == 0;
        if (failed)
            status = err_set_errno(err, failed, "base.thread", "cannot start the resolver thread");
    }
    if (status != STATUS_OK) {
        resolver_free(&r);
        return NULL;
    }
    return r;
}

void resolver_close(struct resolver *r, int64_t deadline_ms)
{
    const struct clock *clock = r->settings.clock;
    int64_t until_us = clock_monotonic_us(clock) + deadline_ms * 1000;
    pthread_mutex_lock(&r->lock);
    r->closing = true;
    pthread_mutex_unlock(&r->lock);
    if (!r->thread_started)
        return;
    if (!latch_wait_ms(&r->ended, deadline_ms)) {
        stop_set(r->settings.stop);
        pthread_mutex_lock(&r->lock);
        if (r->writer)
            writer_abort(r->writer);
        pthread_mutex_unlock(&r->lock);
    }
    pthread_join(r->thread, NULL);
    r->thread_started = false;
    int64_t left_ms = (until_us - clock_monotonic_us(clock)) / 1000;
    if (r->writer && !r->failed && !writer_drain(r->writer, left_ms > 0 ? left_ms : 0))
        log_warn("resolve.not_drained", "stopped before all that was accepted was resolved; it is at the next start");
}

void resolver_free(struct resolver **resolver)
{
    struct resolver *r = *resolver;
    if (r == NULL)
        return;
    resolver_close(r, 0);
    forget(r);
    free(r->recovered_ids);
    free(r->unread);
    buf_free(&r->scratch.text);
    buf_free(&r->scratch.changes);
    buf_free(&r->scratch.body);
    u64_map_free(&r->scratch.staged);
    provenance_scratch_free(&r->scratch.provenance);
    preparing_free(&r->preparing);
    db_free(&r->reader);
    latch_close(&r->ended);
    pthread_cond_destroy(&r->call_done);
    pthread_mutex_destroy(&r->lock);
    free(r);
    *resolver = NULL;
}

/* Takes a call out that has not begun. Under the lock. */
static void withdraw(struct resolver *r, const struct resolver_call *call)
{
    struct resolver_call **place = &r->calls;
    while (*place != call)
        place = &(*place)->next;
    *place = call->next;
}

/* False when it was not run: `closing` says why. */
static bool call_and_wait(struct resolver *r, struct resolver_call *call, const struct timespec *until, bool *closing)
{
    pthread_mutex_lock(&r->lock);
    *closing = r->closing;
    if (!r->closing) {
        struct resolver_call **tail = &r->calls;
        while (*tail)
            tail = &(*tail)->next;
        *tail = call;
    }
    while (!*closing && !call->done) {
        int timed_out = until && !call->begun ? pthread_cond_timedwait(&r->call_done, &r->lock, until)
                                              : pthread_cond_wait(&r->call_done, &r->lock);
        if (timed_out && !call->begun) {
            withdraw(r, call);
            break;
        }
    }
    *closing |= call->refused;
    pthread_mutex_unlock(&r->lock);
    return call->done && !call->refused;
}

bool resolver_call(struct resolver *resolver, void (*run)(struct resolver *resolver, void *data),
                   void *data)
{
    struct resolver_call call = {.run = run, .data = data};
    bool closing;
    return call_and_wait(resolver, &call, NULL, &closing);
}

enum status resolver_ask(struct resolver *resolver, void (*run)(struct resolver *resolver, void *data),
                         void *data, struct err *err)
{
    struct resolver_call call = {.run = run, .data = data};
    struct timespec until = condition_deadline(RESOLVER_ASK_MS);
    bool closing;
    if (call_and_wait(resolver, &call, &until, &closing))
        return STATUS_OK;
    if (closing)
        return err_set(err, RETRY_LATER, "engine.stopping", "the daemon is stopping");
    return err_set(err, RETRY_LATER, "resolve.busy", "the resolver has not had time for this within %d seconds; hint: try "
                   "again, tributary status says what it waits for", RESOLVER_ASK_MS / 1000);
}

bool resolver_drained(struct resolver *resolver)
{
    bool all_read = resolver->recovered == NULL && resolver->unread_next == resolver->unread_count &&
                    lanes_left(resolver->settings.lanes) == 0;
    bool drained = all_read && writer_drain(resolver->writer, BARRIER_MS);
    publish_stats(resolver);
    return drained;
}

enum status resolver_change_generation(struct resolver *resolver, struct generation *generation,
                                       struct err *err)
{
    if (resolver->failed || resolver->recovered || !writer_drain(resolver->writer, DRAIN_MS))
        return err_set(err, RETRY_LATER, "resolve.slow", "what was decided is not committed yet; hint: try again");
    lanes_use(resolver->settings.lanes, generation);
    sources_use(resolver->settings.sources, generation);
    resolver->settings.generation = generation;
    resolver->generation = generation;
    forget(resolver);
    enum status status = remember(resolver, err);
    if (status != STATUS_OK) {
        resolver->failed = true;
        resolver->failure = *err;
    }
    publish_stats(resolver);
    return status;
}

uint64_t resolver_reread_count(struct resolver *resolver)
{
    return atomic_load(&resolver->reread_count);
}

const struct reread_counts *resolver_reread_counts(struct resolver *resolver)
{
    return &resolver->reread_counts;
}

struct graph *resolver_graph(struct resolver *resolver)
{
    return resolver->graph;
}

const struct generation *resolver_generation(struct resolver *resolver)
{
    return resolver->generation;
}

void resolver_stats(struct resolver *resolver, struct resolver_stats *stats)
{
    pthread_mutex_lock(&resolver->lock);
    *stats = resolver->stats;
    size_t pending = resolver->writer ? writer_pending(resolver->writer) : 0, live = 0, bulk = 0;
    pthread_mutex_unlock(&resolver->lock);
    lanes_depth(resolver->settings.lanes, &live, &bulk);
    stats->left_behind = lanes_left(resolver->settings.lanes);
    if (pending + live + bulk + stats->left_behind > 0)
        stats->stalled_ms = (clock_monotonic_us(resolver->settings.clock) - atomic_load(&resolver->progress_us)) / 1000;
}
