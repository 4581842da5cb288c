/*
 * engine.intern.h - the engine's state. For daemon/engine/ only.
 */
#ifndef TRIBUTARY_ENGINE_ENGINE_INTERN_H
#define TRIBUTARY_ENGINE_ENGINE_INTERN_H

#include <pthread.h>

#include "daemon/accept/pull.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/generations.h"
#include "daemon/store/cluster.h"

#define GENERATIONS_MAX 64 /* compiled in the life of a process: never freed before its end, for anybody may read one */

struct puller_thread {
    struct engine *engine;
    struct source *source;
    pthread_t thread;
};

/* How far retention is. */
struct expiry {
    bool running;
    int64_t due_us, next_us; /* monotonic: when all of it begins again, when it goes on */
    unsigned step;
    size_t source;           /* whose raw bytes */
    int64_t after_seq;
    uint64_t gone;
};

struct engine {
    struct engine_settings settings;
    struct generation *configured;              /* what the configuration says; pinned once the database is up */
    _Atomic(struct generation *) generation;    /* in force: the configured one, or another */
    bool generation_chosen;                     /* the conductor's */
    struct generation *generations[GENERATIONS_MAX]; /* compiled besides; under lock */
    size_t generation_count;
    int32_t asked_id, pending_id;               /* under lock; what the configuration asks for; 0: nothing is pending */
    struct buf pending_difference;              /* under lock; JSON */
    struct rematch *rematch;
    atomic_bool generation_changes;             /* one is being applied */
    struct sources *sources;
    struct intake intake;
    struct lanes *lanes;
    struct acceptor *acceptor;
    _Atomic(struct resolver *) resolver;
    _Atomic(struct dispatcher *) dispatcher;
    struct cluster *cluster;
    char *conninfo;          /* "" until the private cluster is up; then fixed */
    char spool_path[4096];
    char holder[300];
    int lock_fd;
    struct stop stop;        /* everything */
    struct stop stop_pull;   /* the pull sources, first */
    pthread_t conductor;
    bool conducting;
    struct puller_thread *pullers;
    size_t puller_count;
    struct loads *loads;
    int64_t started_us, maintain_at_us;
    struct expiry expiry;    /* the conductor's */
    int64_t partitions_at_us; /* monotonic: when they are looked after again; the conductor's */
    unsigned partition_failures;
    int64_t partitions_end_at_us; /* the same for those that retention has emptied */
    pthread_mutex_t console_lock;
    struct db *console_db;   /* under console_lock: what API and console ask */
    pthread_mutex_t look_lock;
    struct db *look_db;      /* under look_lock: what status and metrics ask */
    pthread_mutex_t lock;    /* below */
    pthread_cond_t changed;
    atomic_bool database_away; /* did not answer a moment ago */
    bool ready;
    bool hopeless;           /* will not come up without a person */
    struct err start_failure;
    char trouble[256];
};

/* engine_generation.c */
/* Finds out which generation is in force, the first time, and makes everything use it. */
MUST_CHECK enum status engine_choose_generation(struct engine *engine, struct db *db, struct err *err);
/* Keeps it until the engine ends. RETRY_LATER, and it is freed, when there are too many. */
MUST_CHECK enum status engine_keep_generation(struct engine *engine, struct generation **generation, struct err *err);
/* The configuration asks for this one: it is pending when it is not in force. */
void engine_set_pending(struct engine *engine, const struct generation *asked);

struct graph_limits engine_graph_limits(const struct engine *engine);

/* rematch.c */
struct rematch *rematch_new(struct engine *engine); /* NULL when out of memory */
void rematch_free(struct rematch **rematch); /* once the resolver is closed: waits for its thread */

/* engine_loads.c */
struct loads *loads_new(void); /* NULL when out of memory */
void loads_free(struct loads **loads); /* once stop_pull is set: waits for those that run */

/* The same as engine_query for status and metrics: on a connection of their own, and given up after two seconds, so that
 * they answer also when the database does not. */
MUST_CHECK enum status engine_look(struct engine *engine, const struct sql_query *query, const struct db_param *params,
                                   size_t param_count, struct db_result **result, struct err *err);

/* expire.c: a part of what is past its retention; about once a second, on the conductor. */
void engine_expire(struct engine *engine, struct db *db);

/* partitions.c: a minute after the last time, or when it is to be tried again; on the conductor. */
void engine_partitions(struct engine *engine, struct db *db);

/* maintain.c: about once a second, on the conductor. */
void engine_maintain(struct engine *engine, struct db *db);

#endif
