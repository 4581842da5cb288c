/* engine_query.c - the connection that API and console share. */
#include "daemon/engine/engine.intern.h"

enum status engine_query(struct engine *e, const struct sql_query *query,
                         const struct db_param *params, size_t param_count,
                         struct db_result **result, struct err *err)
{
    if (!atomic_load(&e->intake.ready))
        return err_set(err, RETRY_LATER, "engine.not_ready", "the database is not up yet");
    pthread_mutex_lock(&e->console_lock);
    if (e->console_db == NULL) {
        struct db_settings settings = engine_db_settings(e, "tributary console");
        e->console_db = db_new(&settings, &e->stop);
    }
    enum status status = STATUS_FAILED;
    if (e->console_db == NULL)
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for a connection");
    for (int attempt = 0; e->console_db && attempt < 2; attempt++) {
        status = db_open(e->console_db, err);
        if (status == STATUS_OK)
            status = db_query(e->console_db, query, params, param_count, result, err);
        if (status == STATUS_OK || err->retry != RETRY_RECONNECT)
            break;
        db_close(e->console_db);
    }
    pthread_mutex_unlock(&e->console_lock);
    return status;
}
