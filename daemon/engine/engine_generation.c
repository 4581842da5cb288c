/* engine_generation.c - the generation in force and the one that is pending. */
#include "daemon/engine/engine.intern.h"
#include "daemon/base/log.h"

static void use(struct engine *e, struct generation *generation)
{
    sources_use(e->sources, generation);
    lanes_use(e->lanes, generation);
    atomic_store(&e->generation, generation);
}

enum status engine_keep_generation(struct engine *e, struct generation **generation, struct err *err)
{
    pthread_mutex_lock(&e->lock);
    bool kept = e->generation_count < GENERATIONS_MAX;
    if (kept)
        e->generations[e->generation_count++] = *generation;
    pthread_mutex_unlock(&e->lock);
    if (kept)
        return STATUS_OK;
    generation_free(generation);
    return err_set(err, RETRY_LATER, "rematch.too_many",
                   "%d generations were read since this process began; hint: restart it", GENERATIONS_MAX);
}

void engine_set_pending(struct engine *e, const struct generation *asked)
{
    const struct generation *in_force = engine_generation(e);
    pthread_mutex_lock(&e->lock);
    buf_reset(&e->pending_difference);
    e->asked_id = asked->generation_id;
    e->pending_id = strcmp(asked->fingerprint, in_force->fingerprint) == 0 ? 0 : asked->generation_id;
    if (e->pending_id)
        generation_difference(in_force, asked, &e->pending_difference);
    pthread_mutex_unlock(&e->lock);
}

int32_t engine_pending(struct engine *e, struct buf *difference)
{
    pthread_mutex_lock(&e->lock);
    int32_t id = e->pending_id;
    if (id && difference)
        buf_put_slice(difference, buf_slice(&e->pending_difference));
    pthread_mutex_unlock(&e->lock);
    return id;
}

enum status engine_choose_generation(struct engine *e, struct db *db, struct err *err)
{
    struct generation *in_force = NULL, *found;
    if (e->generation_chosen)
        return STATUS_OK;
    if (generations_choose(db, e->configured, &in_force, err) != STATUS_OK)
        return STATUS_FAILED;
    found = in_force;
    if (in_force != e->configured && engine_keep_generation(e, &in_force, err) != STATUS_OK)
        return STATUS_FAILED;
    use(e, found);
    engine_set_pending(e, e->configured);
    e->generation_chosen = true;
    return STATUS_OK;
}

enum status engine_propose(struct engine *e, const struct config *config, struct problems *problems,
                           struct err *err)
{
    struct generation *asked = generation_new(config, problems);
    if (asked == NULL)
        return err_set(err, RETRY_REJECT_CONFIG, "engine.config", "the configuration has errors");
    struct db_settings settings = engine_db_settings(e, "tributary reload");
    struct db *db = atomic_load(&e->intake.ready) ? db_new(&settings, &e->stop) : NULL;
    enum status status = STATUS_FAILED;
    if (db == NULL)
        (void)err_set(err, RETRY_LATER, "engine.not_ready", "the database is not up yet");
    else
        status = db_open(db, err);
    if (status == STATUS_OK)
        status = generation_pin(asked, db, err);
    if (status == STATUS_OK) {
        engine_set_pending(e, asked);
        if (strcmp(asked->fingerprint, engine_generation(e)->fingerprint) != 0)
            generations_tell_pending(engine_generation(e), asked);
    }
    db_free(&db);
    generation_free(&asked);
    return status;
}
