/*
 * engine.h - the daemon without its listeners: database, accept, resolve, events, pull sources.
 *
 * engine_start returns at once; a conductor thread brings the database up (private cluster, migrations, columns), then the
 * resolver and the pull sources, and keeps trying while PostgreSQL is away. Posts are accepted from the first
 * moment (into the spool). `run` puts listeners around it; `load` and other commands use it without.
 */
#ifndef TRIBUTARY_ENGINE_ENGINE_H
#define TRIBUTARY_ENGINE_ENGINE_H

#include "daemon/accept/acceptor.h"
#include "daemon/config/config.h"
#include "daemon/events/dispatcher.h"
#include "daemon/resolve/resolver.h"

struct engine;

struct engine_settings {
    const struct config *config;   /* must outlive it */
    const struct clock *clock;
    bool pull_sources;             /* start their threads */
    bool dispatch;                 /* bring events to the sinks */
};

/* Compiles the generation (problems say what is wrong: STATUS_FAILED with RETRY_REJECT_CONFIG), takes the lock on
 * state_dir (RETRY_LATER and id engine.locked when another process has it), starts the conductor. */
MUST_CHECK enum status engine_start(const struct engine_settings *settings, struct engine **engine,
                                    struct problems *problems, struct err *err);
/* Waits until records can be resolved; STATUS_TIMEOUT, or STATUS_FAILED when it never will (a person must act). */
MUST_CHECK enum status engine_wait_ready(struct engine *engine, int64_t wait_ms, struct err *err);
/* Ends what waits for the database, at once: before engine_stop, when somebody who uses the engine cannot be stopped
 * otherwise. What is accepted and not resolved is resolved at the next start. */
void engine_hasten(struct engine *engine);
/* Stops accepting, resolves and commits what is accepted, ends everything; at most about deadline_ms. */
void engine_stop(struct engine **engine, int64_t deadline_ms);

struct acceptor *engine_acceptor(struct engine *engine);
struct sources *engine_sources(struct engine *engine);
/* NULL until ready. */
struct resolver *engine_resolver(struct engine *engine);
const struct generation *engine_generation(struct engine *engine);
const struct config *engine_config(struct engine *engine);
struct intake *engine_intake(struct engine *engine);
struct lanes *engine_lanes(struct engine *engine);
/* Settings for a connection of one's own; conninfo is "" until the database is known. */
struct db_settings engine_db_settings(struct engine *engine, const char *application_name);
const struct stop *engine_stop_signal(struct engine *engine);

/* One query of the API or the console, on a connection they share; one reconnect is tried. RETRY_LATER with id
 * engine.not_ready before the database is up. */
MUST_CHECK enum status engine_query(struct engine *engine, const struct sql_query *query,
                                    const struct db_param *params, size_t param_count,
                                    struct db_result **result, struct err *err);

/* Makes the generation of another reading of the configuration the pending one. Sources, sinks and limits of it are not
 * looked at. */
MUST_CHECK enum status engine_propose(struct engine *engine, const struct config *config,
                                      struct problems *problems, struct err *err);

/* The id of the pending generation, 0: none; what it has otherwise is put to `difference` (may be NULL) as JSON. */
int32_t engine_pending(struct engine *engine, struct buf *difference);

struct engine_health {
    bool ready;             /* records are resolved */
    bool can_accept;        /* posts can be kept: database or spool */
    char trouble[256];      /* why not ready or degraded; "" none */
    struct acceptor_state acceptor;
};
void engine_health(struct engine *engine, struct engine_health *health);
/* docs/status.md */
void engine_status_json(struct engine *engine, struct buf *out);

/* Takes a file in as `source` (a csv source) and waits until it is resolved. For `tributary load`. */
struct load_progress {
    uint64_t bytes_done, bytes_total, received, repeats, resolved;
    /* What the source's ledger gained from the beginning to the end of the load; all 0 before its end. */
    uint64_t stored, updated, deleted, rejected, quarantined, suppressed;
    char understood[1000]; /* how the columns are read; "" when there are none. Cut at a whole character. */
    char refusal[200];     /* why the file was not read at all; "" when it was */
};
MUST_CHECK enum status engine_load(struct engine *engine, const char *source, const char *path,
                                   bool backfill,
                                   void (*progress)(void *data, const struct load_progress *progress),
                                   void *data, struct err *err);
/* Whether `source` is one that files can be loaded through. */
MUST_CHECK enum status engine_load_check(struct engine *engine, const char *source, struct err *err);

/* The same in a thread of the engine's, for `tributary load` with a running daemon. RETRY_LATER with id engine.loads_max when
 * LOADS_RUNNING_MAX run already. */
#define LOADS_RUNNING_MAX 4
#define LOADS_KEPT        64 /* reports remembered */
struct load_report {
    bool running, failed;
    struct load_progress progress;
    struct err err; /* when failed */
};
MUST_CHECK enum status engine_load_start(struct engine *engine, const char *source, const char *path,
                                         bool backfill, uint64_t *id, struct err *err);
/* False when there is no such load (any more). Any thread. */
bool engine_load_report(struct engine *engine, uint64_t id, struct load_report *report);

#endif
