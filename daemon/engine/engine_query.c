/* engine_query.c - the connections that API and console share, and status and metrics. */
#include "daemon/engine/engine.intern.h"

#define LOOK_MS 2000

static enum status query_on(struct engine *e, struct db **db, const struct db_settings *settings,
                            const struct sql_query *query, const struct db_param *params, size_t param_count,
                            struct db_result **result, struct err *err)
{
    if (*db == NULL)
        *db = db_new(settings, &e->stop);
    if (*db == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a connection");
    enum status status = STATUS_FAILED;
    for (int attempt = 0; attempt < 2; attempt++) {
        status = db_open(*db, err);
        if (status == STATUS_OK)
            status = db_query(*db, query, params, param_count, result, err);
        if (status == STATUS_OK || err->retry != RETRY_RECONNECT)
            break;
        db_close(*db);
    }
    return status;
}

static enum status not_ready(struct err *err)
{
    return err_set(err, RETRY_LATER, "engine.not_ready", "the database is not up yet");
}

enum status engine_query(struct engine *e, const struct sql_query *query,
                         const struct db_param *params, size_t param_count,
                         struct db_result **result, struct err *err)
{
    if (!atomic_load(&e->intake.ready))
        return not_ready(err);
    struct db_settings settings = engine_db_settings(e, "tributary console");
    pthread_mutex_lock(&e->console_lock);
    enum status status = query_on(e, &e->console_db, &settings, query, params, param_count, result, err);
    pthread_mutex_unlock(&e->console_lock);
    return status;
}

enum status engine_look(struct engine *e, const struct sql_query *query, const struct db_param *params,
                        size_t param_count, struct db_result **result, struct err *err)
{
    if (!atomic_load(&e->intake.ready))
        return not_ready(err);
    struct db_settings settings = engine_db_settings(e, "tributary status");
    settings.connect_timeout_ms = settings.statement_timeout_ms = LOOK_MS;
    pthread_mutex_lock(&e->look_lock);
    enum status status = query_on(e, &e->look_db, &settings, query, params, param_count, result, err);
    pthread_mutex_unlock(&e->look_lock);
    return status;
}
