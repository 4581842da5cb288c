/* engine.c - see engine.h. */
#include "daemon/config/load_dirs.h"
#include "daemon/engine/engine.intern.h"
#include "daemon/base/condition.h"
#include "daemon/base/crash_point.h"
#include "daemon/base/log.h"
#include "daemon/store/migrate.h"
#include "daemon/store/state_dir.h"
#include "sql_queries.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_SHARE      4     /* of the shutdown deadline for each of its steps */
#define WAITING_MAX      4096  /* posts */
#define LIVE_LANE_MAX    1024  /* batches */
#define STALLED_MS       20000 /* without a commit though something waits: not ready */

static enum status make_state_dir(const char *path, struct err *err)
{
    char partial[4096];
    snprintf(partial, sizeof(partial), "%s", path);
    for (char *at = partial + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return err_set_errno(err, errno, "engine.state_dir", "cannot make %s", partial);
        *at = '/';
    }
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "engine.state_dir", "cannot make state_dir %s", path);
    return STATUS_OK;
}

struct db_settings engine_db_settings(struct engine *e, const char *application_name)
{
    const struct options *postgres = options_section(e->settings.config->root, "postgres");
    return (struct db_settings){.conninfo = e->conninfo, .application_name = application_name,
                                .connect_timeout_ms = options_int(postgres, "connect_timeout"),
                                .statement_timeout_ms = options_int(postgres, "statement_timeout")};
}

static void set_trouble(struct engine *e, const char *text)
{
    pthread_mutex_lock(&e->lock);
    snprintf(e->trouble, sizeof(e->trouble), "%s", text);
    pthread_mutex_unlock(&e->lock);
}

static void on_committed(void *data, uint64_t last_event_seq)
{
    struct engine *e = data;
    struct dispatcher *dispatcher = atomic_load(&e->dispatcher);
    if (dispatcher)
        dispatcher_wake(dispatcher, last_event_seq);
}

/* ---- bringing up ---- */

static enum status read_numbers(struct engine *e, struct db *db, struct err *err)
{
    struct db_result *result = NULL;
    if (db_query(db, &sql_batch_numbers, NULL, 0, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    atomic_store(&e->intake.next_batch_id, (uint64_t)db_int(result, 0, 0) + 1);
    atomic_store(&e->intake.next_accept_seq, (uint64_t)db_int(result, 0, 1) + 1);
    db_result_free(&result);
    return STATUS_OK;
}

static enum status prepare_database(struct engine *e, struct err *err)
{
    struct db_settings settings = engine_db_settings(e, "tributary start");
    struct db *db = db_new(&settings, &e->stop);
    if (db == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a connection");
    enum status status = db_open(db, err);
    if (status == STATUS_OK)
        status = migrate(db, err);
    if (status == STATUS_OK)
        status = engine_choose_generation(e, db, err);
    if (status == STATUS_OK)
        status = ddl_golden(db, engine_generation(e)->layout, err);
    if (status == STATUS_OK)
        engine_partitions(e, db);
    if (status == STATUS_OK)
        status = sources_pin(e->sources, db, err);
    if (status == STATUS_OK)
        status = read_numbers(e, db, err);
    db_free(&db);
    return status;
}

struct graph_limits engine_graph_limits(const struct engine *e)
{
    const struct options *limits = options_section(e->settings.config->root, "limits");
    return (struct graph_limits){.max_records = (size_t)options_int(limits, "records"),
                                 .component_records = (uint32_t)options_int(limits, "component_records"),
                                 .customer_records = (uint32_t)options_int(limits, "customer_records")};
}

static enum status start_resolver(struct engine *e, struct err *err)
{
    const struct options *limits = options_section(e->settings.config->root, "limits");
    struct resolver_settings settings = {
        .db = engine_db_settings(e, "tributary resolve"), .generation = e->generation,
        .sources = e->sources, .intake = &e->intake, .lanes = e->lanes, .clock = e->settings.clock,
        .stop = &e->stop,
        .limits = engine_graph_limits(e),
        .cache_bytes = (size_t)options_int(limits, "memory") / 4, .set_arrivals = 500,
        .holder = e->holder, .committed = on_committed, .data = e};
    struct resolver *resolver = resolver_start(&settings, err);
    if (resolver == NULL)
        return STATUS_FAILED;
    atomic_store(&e->resolver, resolver);
    return STATUS_OK;
}

static enum status start_dispatcher(struct engine *e, struct err *err)
{
    if (!e->settings.dispatch)
        return STATUS_OK;
    const char *base_url =
        options_string(options_section(e->settings.config->root, "http"), "public_base_url");
    struct dispatcher_settings settings = {
        .db = engine_db_settings(e, "tributary dispatch"), .config = e->settings.config,
        .schema = engine_generation(e)->schema, .clock = e->settings.clock,
        .source_uri = base_url && base_url[0] ? base_url : "/tributary"};
    struct dispatcher *dispatcher = dispatcher_start(&settings, err);
    if (dispatcher == NULL)
        return STATUS_FAILED;
    atomic_store(&e->dispatcher, dispatcher);
    return STATUS_OK;
}

static void *pull_thread(void *data)
{
    struct puller_thread *thread = data;
    struct engine *e = thread->engine;
    const struct options *limits = options_section(e->settings.config->root, "limits");
    struct pull_settings settings = {
        .db = engine_db_settings(e, "tributary pull"), .intake = &e->intake, .lanes = e->lanes,
        .source = thread->source, .batch_records = (size_t)options_int(limits, "batch_records"),
        .stop = &e->stop_pull};
    struct err err;
    (void)pull_run(&settings, &err); /* without `once` it ends only when stopped */
    return NULL;
}

static enum status start_pullers(struct engine *e, struct err *err)
{
    if (!e->settings.pull_sources)
        return STATUS_OK;
    e->pullers = calloc(e->sources->count + 1, sizeof(*e->pullers));
    if (e->pullers == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the pull sources");
    for (size_t i = 0; i < e->sources->count; i++) {
        struct source *source = &e->sources->list[i];
        if (source->pull == NULL || !source->enabled)
            continue;
        struct puller_thread *thread = &e->pullers[e->puller_count];
        *thread = (struct puller_thread){.engine = e, .source = source};
        source->context.stop = &e->stop_pull;
        int failed = pthread_create(&thread->thread, NULL, pull_thread, thread);
        if (failed)
            return err_set_errno(err, failed, "base.thread", "cannot start the thread of source %s",
                                 source->name);
        e->puller_count++;
    }
    return STATUS_OK;
}

static enum status bring_up(struct engine *e, struct err *err)
{
    if (e->conninfo[0] == '\0') {
        if (cluster_start(e->settings.config->state_dir, &e->stop, &e->cluster, err) != STATUS_OK)
            return STATUS_FAILED;
        free(e->conninfo);
        e->conninfo = strdup(cluster_conninfo(e->cluster));
    }
    if (engine_resolver(e) == NULL &&
        (prepare_database(e, err) != STATUS_OK || start_resolver(e, err) != STATUS_OK))
        return STATUS_FAILED;
    atomic_store(&e->intake.ready, true);
    if (atomic_load(&e->dispatcher) == NULL && start_dispatcher(e, err) != STATUS_OK)
        return STATUS_FAILED;
    return e->pullers ? STATUS_OK : start_pullers(e, err);
}

/* ---- the conductor ---- */

static bool try_bring_up(struct engine *e, unsigned *attempt)
{
    struct err err = {0};
    if (bring_up(e, &err) == STATUS_OK) {
        set_trouble(e, "");
        log_info("engine.ready", "ready: generation %d, %zu sources", engine_generation(e)->generation_id,
                 e->settings.config->source_count); /* not the API's, which nobody configured */
        pthread_mutex_lock(&e->lock);
        e->ready = true;
        pthread_cond_broadcast(&e->changed);
        pthread_mutex_unlock(&e->lock);
        return true;
    }
    if (stop_is_set(&e->stop))
        return false;
    if (*attempt == 0 || *attempt % 20 == 0)
        log_err(err.retry == RETRY_REJECT_CONFIG ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, &err,
                "not ready yet");
    set_trouble(e, err.text);
    pthread_mutex_lock(&e->lock);
    e->hopeless = err.retry == RETRY_REJECT_CONFIG || err.retry == RETRY_FATAL;
    e->start_failure = err;
    pthread_cond_broadcast(&e->changed);
    pthread_mutex_unlock(&e->lock);
    stop_wait_ms(&e->stop, db_backoff_ms((*attempt)++));
    return false;
}

static void *conduct(void *data)
{
    struct engine *e = data;
    unsigned attempt = 0;
    bool up = false;
    while (!up && !stop_is_set(&e->stop))
        up = try_bring_up(e, &attempt);
    struct db_settings settings = engine_db_settings(e, "tributary maintain");
    struct db *db = up ? db_new(&settings, &e->stop) : NULL;
    while (db && !stop_wait_ms(&e->stop, 1000)) {
        struct err err;
        if (e->cluster && cluster_check(e->cluster, &err) != STATUS_OK)
            log_err(LOG_LEVEL_WARN, &err, "the private PostgreSQL is not up");
        engine_maintain(e, db);
    }
    db_free(&db);
    return NULL;
}

/* ---- start and stop ---- */

static enum status start_parts(struct engine *e, struct err *err)
{
    const struct config *config = e->settings.config;
    const struct options *limits = options_section(config->root, "limits");
    if (make_state_dir(config->state_dir, err) != STATUS_OK || state_dir_lock(config->state_dir, &e->lock_fd, err) != STATUS_OK ||
        load_dir_prepare(config, err) != STATUS_OK ||
        sources_new(config, e->generation, e->settings.clock, &e->stop, &e->sources, err) != STATUS_OK)
        return STATUS_FAILED;
    int64_t threads = options_int(limits, "clean_threads");
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    e->intake.known = known_new((size_t)options_int(limits, "records"));
    e->intake.refused = refused_new();
    e->intake.clock = e->settings.clock;
    randombytes_buf(&e->intake.token, sizeof(e->intake.token));
    e->intake.token &= INT64_MAX;
    e->lanes = lanes_new(e->generation, (size_t)options_int(limits, "queue_batches"), LIVE_LANE_MAX,
                         (unsigned)(threads ? threads : processors > 0 ? processors : 1), err);
    e->loads = loads_new();
    e->rematch = rematch_new(e);
    if (e->intake.known == NULL || e->intake.refused == NULL || e->lanes == NULL || e->loads == NULL || e->rematch == NULL)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory at start");
    snprintf(e->spool_path, sizeof(e->spool_path), "%s/spool.db", config->state_dir);
    /* The connection is opened only once intake.ready says that conninfo is known. */
    struct acceptor_settings acceptor = {
        .db = engine_db_settings(e, "tributary accept"), .intake = &e->intake, .lanes = e->lanes,
        .sources = e->sources, .waiting_max = WAITING_MAX, .spool_path = e->spool_path,
        .spool_max_bytes = options_int(limits, "spool"), .conninfo = &e->conninfo};
    e->acceptor = acceptor_start(&acceptor, err);
    return e->acceptor ? STATUS_OK : STATUS_FAILED;
}

enum status engine_start(const struct engine_settings *settings, struct engine **engine,
                         struct problems *problems, struct err *err)
{
    struct engine *e = calloc(1, sizeof(*e));
    *engine = NULL;
    if (e == NULL || sodium_init() < 0)
        return err_set(err, RETRY_FATAL, "base.memory", "out of memory for the engine");
    e->settings = *settings;
    e->lock_fd = e->stop.fd = e->stop_pull.fd = -1;
    pthread_mutex_init(&e->lock, NULL);
    pthread_mutex_init(&e->console_lock, NULL);
    pthread_mutex_init(&e->look_lock, NULL);
    condition_init(&e->changed);
    struct slice url = config_postgres_url(settings->config);
    e->conninfo = strndup(url.ptr, url.len);
    gethostname(e->holder, sizeof(e->holder) - 16);
    snprintf(e->holder + strlen(e->holder), 16, " pid %d", (int)getpid());
    e->started_us = clock_monotonic_us(settings->clock);
    e->pending_difference = BUF_INIT((size_t)1 << 20);
    e->configured = generation_new(settings->config, problems);
    atomic_store(&e->generation, e->configured);
    enum status status = STATUS_OK;
    if (e->configured == NULL)
        status = err_set(err, RETRY_REJECT_CONFIG, "engine.config", "the configuration has errors");
    if (status == STATUS_OK)
        status = stop_init(&e->stop, err);
    if (status == STATUS_OK)
        status = stop_init(&e->stop_pull, err);
    if (status == STATUS_OK)
        status = start_parts(e, err);
    if (status == STATUS_OK) {
        int failed = pthread_create(&e->conductor, NULL, conduct, e);
        e->conducting = failed == 0;
        if (failed)
            status = err_set_errno(err, failed, "base.thread", "cannot start the conductor");
    }
    if (status != STATUS_OK) {
        engine_stop(&e, 0);
        return STATUS_FAILED;
    }
    *engine = e;
    return STATUS_OK;
}

enum status engine_wait_ready(struct engine *e, int64_t wait_ms, struct err *err)
{
    struct timespec until = condition_deadline(wait_ms);
    enum status status = STATUS_TIMEOUT;
    pthread_mutex_lock(&e->lock);
    while (!e->ready && !e->hopeless && pthread_cond_timedwait(&e->changed, &e->lock, &until) == 0)
        ;
    if (e->ready) {
        status = STATUS_OK;
    } else {
        *err = e->start_failure;
        if (e->hopeless)
            status = STATUS_FAILED;
    }
    pthread_mutex_unlock(&e->lock);
    return status;
}

static bool is_ready(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    bool ready = e->ready;
    pthread_mutex_unlock(&e->lock);
    return ready;
}

static void end_conductor(struct engine *e)
{
    if (e->stop.fd >= 0)
        stop_set(&e->stop);
    if (e->conducting)
        pthread_join(e->conductor, NULL);
    e->conducting = false;
}

void engine_hasten(struct engine *e)
{
    struct resolver *resolver = engine_resolver(e);
    stop_set(&e->stop);
    if (resolver)
        resolver_close(resolver, 0);
}

void engine_stop(struct engine **engine, int64_t deadline_ms)
{
    struct engine *e = *engine;
    if (e == NULL)
        return;
    struct err err;
    if (e->stop_pull.fd >= 0)
        stop_set(&e->stop_pull);
    if (e->lanes)
        lanes_hasten(e->lanes);
    CRASH_POINT("stop.begun");
    if (!is_ready(e)) /* still coming up: no need to */
        end_conductor(e);
    for (size_t i = 0; i < e->puller_count; i++)
        pthread_join(e->pullers[i].thread, NULL);
    acceptor_stop(&e->acceptor, deadline_ms / DRAIN_SHARE);
    CRASH_POINT("stop.accepted");
    if (e->lanes)
        lanes_close(e->lanes);
    struct resolver *resolver = engine_resolver(e);
    if (resolver)
        resolver_close(resolver, deadline_ms / 2);
    CRASH_POINT("stop.resolved");
    end_conductor(e);
    loads_free(&e->loads); /* they ask the resolver */
    rematch_free(&e->rematch);
    atomic_store(&e->resolver, NULL);
    resolver_free(&resolver);
    struct dispatcher *dispatcher = atomic_exchange(&e->dispatcher, NULL);
    dispatcher_stop(&dispatcher, deadline_ms / (2 * DRAIN_SHARE));
    lanes_free(&e->lanes);
    sources_free(&e->sources);
    known_free(&e->intake.known);
    refused_free(&e->intake.refused);
    for (size_t i = 0; i < e->generation_count; i++)
        generation_free(&e->generations[i]);
    generation_free(&e->configured);
    buf_free(&e->pending_difference);
    if (cluster_stop(&e->cluster, deadline_ms / 2 + 5000, &err) != STATUS_OK)
        log_err(LOG_LEVEL_WARN, &err, "the private PostgreSQL did not stop cleanly");
    stop_close(&e->stop);
    stop_close(&e->stop_pull);
    if (e->lock_fd >= 0)
        close(e->lock_fd);
    pthread_cond_destroy(&e->changed);
    pthread_mutex_destroy(&e->lock);
    db_free(&e->console_db);
    pthread_mutex_destroy(&e->console_lock);
    db_free(&e->look_db);
    pthread_mutex_destroy(&e->look_lock);
    free(e->pullers);
    free(e->conninfo);
    free(e);
    *engine = NULL;
}

/* ---- the outside ---- */

struct acceptor *engine_acceptor(struct engine *e)
{
    return e->acceptor;
}

struct sources *engine_sources(struct engine *e)
{
    return e->sources;
}

struct resolver *engine_resolver(struct engine *e)
{
    return atomic_load(&e->resolver);
}

const struct generation *engine_generation(struct engine *e)
{
    return atomic_load(&e->generation);
}

const struct config *engine_config(struct engine *e)
{
    return e->settings.config;
}

struct intake *engine_intake(struct engine *e)
{
    return &e->intake;
}

struct lanes *engine_lanes(struct engine *e)
{
    return e->lanes;
}

const struct stop *engine_stop_signal(struct engine *e)
{
    return &e->stop;
}

void engine_health(struct engine *e, struct engine_health *health)
{
    memset(health, 0, sizeof(*health));
    acceptor_state(e->acceptor, &health->acceptor);
    pthread_mutex_lock(&e->lock);
    health->ready = e->ready;
    memcpy(health->trouble, e->trouble, sizeof(health->trouble));
    pthread_mutex_unlock(&e->lock);
    struct resolver *resolver = engine_resolver(e);
    if (resolver && health->ready) {
        struct resolver_stats stats;
        resolver_stats(resolver, &stats);
        if (stats.failed) {
            health->ready = false;
            memcpy(health->trouble, stats.failure, sizeof(health->trouble));
        } else if (stats.left_behind > 0 || stats.stalled_ms >= STALLED_MS) {
            health->ready = false;
            snprintf(health->trouble, sizeof(health->trouble), "resolving is behind: the last commit was %lld s ago, %zu batches "
                     "of posts wait in the database", (long long)stats.stalled_ms / 1000, stats.left_behind);
        }
    }
    if (health->ready && atomic_load(&e->intake.full)) {
        health->ready = false;
        snprintf(health->trouble, sizeof(health->trouble), "limits.records is reached: records with new keys are not accepted");
    }
    if (health->acceptor.database_away || (health->ready && atomic_load(&e->database_away))) {
        health->ready = false;
        snprintf(health->trouble, sizeof(health->trouble), "database");
    }
    bool stores = !health->acceptor.database_away && !atomic_load(&e->database_away) && atomic_load(&e->intake.ready) &&
                  !health->acceptor.behind;
    health->can_accept = stores || !health->acceptor.spool_full;
}
