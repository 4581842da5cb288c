/* engine_loads.c - loads in threads of their own, asked of a running daemon. See engine.h. */
#include "daemon/engine/engine.intern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct load {
    uint64_t id; /* 0: free */
    struct engine *engine;
    pthread_t thread;
    char *source, *path;
    bool backfill, running, joined;
    enum status status;
    struct err err;
    struct load_progress progress;
};

struct loads {
    pthread_mutex_t lock; /* all below */
    uint64_t last_id;
    bool closed;
    struct load list[LOADS_KEPT];
};

struct loads *loads_new(void)
{
    struct loads *loads = calloc(1, sizeof(*loads));
    if (loads)
        pthread_mutex_init(&loads->lock, NULL);
    return loads;
}

static void join(struct load *load)
{
    if (load->id && !load->joined)
        pthread_join(load->thread, NULL);
    load->joined = true;
    free(load->source);
    free(load->path);
    load->source = load->path = NULL;
}

void loads_free(struct loads **loads)
{
    struct loads *mine = *loads;
    if (mine == NULL)
        return;
    pthread_mutex_lock(&mine->lock);
    mine->closed = true;
    pthread_mutex_unlock(&mine->lock);
    for (size_t i = 0; i < LOADS_KEPT; i++)
        join(&mine->list[i]);
    pthread_mutex_destroy(&mine->lock);
    free(mine);
    *loads = NULL;
}

static void on_progress(void *data, const struct load_progress *progress)
{
    struct load *load = data;
    pthread_mutex_lock(&load->engine->loads->lock);
    load->progress = *progress;
    pthread_mutex_unlock(&load->engine->loads->lock);
}

static void *run(void *data)
{
    struct load *load = data;
    struct err err = {0};
    enum status status = engine_load(load->engine, load->source, load->path, load->backfill, on_progress,
                                     load, &err);
    pthread_mutex_lock(&load->engine->loads->lock);
    load->status = status;
    load->err = err;
    load->running = false;
    pthread_mutex_unlock(&load->engine->loads->lock);
    return NULL;
}

/* A free place, else that of the oldest finished load; NULL when too many run. Under the lock. */
static struct load *place_of(struct loads *loads)
{
    struct load *best = NULL;
    size_t running = 0;
    for (size_t i = 0; i < LOADS_KEPT; i++) {
        struct load *load = &loads->list[i];
        running += load->running;
        if (!load->running && (best == NULL || load->id < best->id))
            best = load;
    }
    return running < LOADS_RUNNING_MAX ? best : NULL;
}

static enum status begin(struct engine *e, struct load *load, const char *source, const char *path,
                         bool backfill, struct err *err)
{
    join(load);
    *load = (struct load){.id = e->loads->last_id + 1, .engine = e, .source = strdup(source),
                          .path = strdup(path), .backfill = backfill, .running = true};
    int failed = load->source && load->path ? pthread_create(&load->thread, NULL, run, load) : ENOMEM;
    if (failed) {
        load->joined = true;
        join(load);
        *load = (struct load){0};
        return err_set_errno(err, failed, "base.thread", "cannot start a load");
    }
    e->loads->last_id = load->id;
    return STATUS_OK;
}

enum status engine_load_start(struct engine *e, const char *source, const char *path, bool backfill,
                              uint64_t *id, struct err *err)
{
    if (engine_load_check(e, source, err) != STATUS_OK)
        return STATUS_FAILED;
    if (access(path, R_OK) != 0)
        return err_set(err, RETRY_NONE, "engine.load_file",
                       "the daemon cannot read %s: %s; hint: it must be readable by the user the service runs as",
                       path, strerror(errno));
    enum status status = STATUS_FAILED;
    pthread_mutex_lock(&e->loads->lock);
    struct load *load = e->loads->closed ? NULL : place_of(e->loads);
    if (load == NULL)
        (void)err_set(err, RETRY_LATER, "engine.loads_max", "%d loads run already; hint: wait for one to end",
                      LOADS_RUNNING_MAX);
    else
        status = begin(e, load, source, path, backfill, err);
    if (status == STATUS_OK)
        *id = load->id;
    pthread_mutex_unlock(&e->loads->lock);
    return status;
}

bool engine_load_report(struct engine *e, uint64_t id, struct load_report *report)
{
    bool found = false;
    pthread_mutex_lock(&e->loads->lock);
    for (size_t i = 0; i < LOADS_KEPT && id; i++) {
        const struct load *load = &e->loads->list[i];
        if (load->id != id)
            continue;
        found = true;
        *report = (struct load_report){.running = load->running,
                                       .failed = !load->running && load->status != STATUS_OK,
                                       .progress = load->progress, .err = load->err};
    }
    pthread_mutex_unlock(&e->loads->lock);
    return found;
}
