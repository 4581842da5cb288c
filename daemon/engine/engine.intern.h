/*
 * engine.intern.h - the engine's state. For daemon/engine/ only.
 */
#ifndef TRIBUTARY_ENGINE_ENGINE_INTERN_H
#define TRIBUTARY_ENGINE_ENGINE_INTERN_H

#include <pthread.h>

#include "daemon/accept/pull.h"
#include "daemon/engine/engine.h"
#include "daemon/store/cluster.h"

struct puller_thread {
    struct engine *engine;
    struct source *source;
    pthread_t thread;
};

struct engine {
    struct engine_settings settings;
    struct generation *generation;
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
    int64_t started_us, maintain_at_us, expire_at_us;
    pthread_mutex_t console_lock;
    struct db *console_db;   /* under console_lock: what API and console ask */
    pthread_mutex_t lock;    /* below */
    pthread_cond_t changed;
    atomic_bool database_away; /* did not answer a moment ago */
    bool ready;
    bool hopeless;           /* will not come up without a person */
    struct err start_failure;
    char trouble[256];
};

/* engine_loads.c */
struct loads *loads_new(void); /* NULL when out of memory */
void loads_free(struct loads **loads); /* once stop_pull is set: waits for those that run */

/* maintain.c: about once a second, on the conductor. */
void engine_maintain(struct engine *engine, struct db *db);

#endif
