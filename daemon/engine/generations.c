/* generations.c - see generations.h. */
#include "daemon/engine/generations.h"
#include "daemon/base/log.h"
#include "sql_queries.h"

#include <stdio.h>

#define GENERATIONS_KEPT 50 /* of those applied once, and of those never applied */

enum status generation_pin(struct generation *generation, struct db *db, struct err *err)
{
    struct db_param params[] = {DB_P_TEXT(slice_str(generation->fingerprint)),
                                DB_P_JSONB(buf_slice(&generation->detail))};
    struct db_result *result = NULL;
    if (db_query(db, &sql_generation_pin, params, 2, &result, err) != STATUS_OK)
        return STATUS_FAILED;
    generation->generation_id = (int32_t)db_int(result, 0, 0);
    db_result_free(&result);
    return STATUS_OK;
}

/* What the database says of the generation that stands. Texts live as long as the result. */
struct standing {
    int32_t generation_id;
    char fingerprint[64], applied_fingerprint[64];
    struct slice detail, actor;
    bool interrupted;  /* its application was begun and not ended */
    bool has_records;
};

static void read_standing(const struct db_result *row, struct standing *standing)
{
    *standing = (struct standing){.generation_id = (int32_t)db_int(row, 0, 0),
                                  .detail = db_bytes(row, 0, 2), .actor = db_bytes(row, 0, 3),
                                  .interrupted = db_int(row, 0, 4) != 0,
                                  .has_records = db_int(row, 0, 6) != 0};
    snprintf(standing->fingerprint, sizeof(standing->fingerprint), SLICE_FMT,
             SLICE_ARG(db_bytes(row, 0, 1)));
    snprintf(standing->applied_fingerprint, sizeof(standing->applied_fingerprint), SLICE_FMT,
             SLICE_ARG(db_bytes(row, 0, 5)));
}

/* To be applied over what another one made. */
static void mark_changed(struct generation *generation, const char *made_by)
{
    generation->changed = true;
    generation->recleans = generation_rules_differ(generation->fingerprint, made_by);
}

static void tell_problems(const struct standing *standing, const struct generation *configured,
                          const struct problems *problems)
{
    log_error("rematch.cannot_keep",
              "generation %d cannot be kept (%s): generation %d, the configured one, is applied in its place",
              standing->generation_id, problems->count ? problems->list[0].text : "out of memory",
              configured->generation_id);
}

/* The standing generation, compiled from its texts; `configured` when it cannot be. */
static enum status keep(struct db *db, const struct standing *standing, struct generation *configured,
                        struct generation **in_force, struct err *err)
{
    struct problems problems = {0};
    struct generation *kept = generation_again(standing->detail, &problems);
    enum status status = STATUS_OK;
    if (kept == NULL) {
        tell_problems(standing, configured, &problems);
        mark_changed(configured, standing->applied_fingerprint);
        *in_force = configured;
    } else if (strcmp(kept->fingerprint, standing->fingerprint) == 0) {
        kept->generation_id = standing->generation_id;
        if (standing->interrupted)
            mark_changed(kept, standing->applied_fingerprint);
        *in_force = kept;
    } else if (strcmp(kept->fingerprint, configured->fingerprint) == 0) {
        mark_changed(configured, standing->applied_fingerprint);
        generation_free(&kept);
        *in_force = configured;
    } else {
        status = generation_pin(kept, db, err);
        mark_changed(kept, standing->applied_fingerprint);
        *in_force = kept;
    }
    if (status == STATUS_OK && kept && (*in_force)->generation_id != standing->generation_id)
        log_warn("rematch.understood_otherwise",
                 "this version of tributary understands the texts of generation %d otherwise: they are applied "
                 "again, as generation %d", standing->generation_id, (*in_force)->generation_id);
    if (status != STATUS_OK)
        generation_free(in_force);
    problems_free(&problems);
    return status;
}

void generations_tell_pending(const struct generation *in_force, const struct generation *configured)
{
    struct buf text = BUF_INIT(65536);
    generation_difference(in_force, configured, &text);
    log_warn("rematch.pending",
             "generation %d is in force; the configuration asks for generation %d, which is pending: %.*s; hint: "
             "tributary rematch --preview, then --apply", in_force->generation_id,
             configured->generation_id, (int)text.len, text.data ? text.data : "");
    buf_free(&text);
}

enum status generations_choose(struct db *db, struct generation *configured,
                               struct generation **in_force, struct err *err)
{
    struct db_result *row = NULL;
    *in_force = NULL;
    configured->changed = configured->recleans = false;
    if (generation_pin(configured, db, err) != STATUS_OK ||
        db_query(db, &sql_generation_standing, NULL, 0, &row, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = STATUS_OK;
    struct standing standing = {.generation_id = configured->generation_id};
    memcpy(standing.fingerprint, configured->fingerprint, sizeof(standing.fingerprint));
    if (db_rows(row) > 0)
        read_standing(row, &standing);
    if (strcmp(standing.fingerprint, configured->fingerprint) == 0 || !standing.has_records) {
        *in_force = configured;
        if (standing.interrupted || standing.generation_id != configured->generation_id)
            mark_changed(configured, standing.applied_fingerprint);
    } else {
        status = keep(db, &standing, configured, in_force, err);
    }
    if (status == STATUS_OK && standing.interrupted) {
        /* Some records are cleaned by its rules already, whatever is applied instead of it. */
        (*in_force)->recleans |= generation_rules_differ((*in_force)->fingerprint, standing.fingerprint);
        snprintf((*in_force)->actor, sizeof((*in_force)->actor), SLICE_FMT, SLICE_ARG(standing.actor));
        log_info("rematch.goes_on", "generation %d was being applied when the daemon ended: it goes on",
                 (*in_force)->generation_id);
    }
    db_result_free(&row);
    if (status == STATUS_OK && *in_force != configured)
        generations_tell_pending(*in_force, configured);
    struct db_param kept[] = {DB_P_INT4(status == STATUS_OK ? (*in_force)->generation_id : 0),
                              DB_P_INT4(configured->generation_id), DB_P_INT4(GENERATIONS_KEPT)};
    return status == STATUS_OK ? db_run(db, &sql_generation_prune, kept, 3, NULL, err) : status;
}

enum status generations_read(struct db *db, int32_t generation_id, const struct generation *in_force,
                             struct generation **generation, struct err *err)
{
    struct db_param id = DB_P_INT4(generation_id);
    struct db_result *row = NULL;
    struct problems problems = {0};
    enum status status = STATUS_OK;
    *generation = NULL;
    if (db_query(db, &sql_generation_read, &id, 1, &row, err) != STATUS_OK)
        return STATUS_FAILED;
    if (db_rows(row) == 0)
        status = err_set(err, RETRY_NONE, "op.not_found",
                         "there is no generation %d; hint: tributary rematch --list", generation_id);
    else
        *generation = generation_again(db_bytes(row, 0, 1), &problems);
    if (status == STATUS_OK && *generation == NULL)
        status = err_set(err, RETRY_REJECT_CONFIG, "rematch.texts", "generation %d cannot be applied again: %s",
                         generation_id, problems.count ? problems.list[0].text : "out of memory");
    if (status == STATUS_OK)
        status = generation_pin(*generation, db, err); /* its own row, unless this version understands it otherwise */
    if (status == STATUS_OK)
        mark_changed(*generation, in_force->fingerprint);
    else
        generation_free(generation);
    db_result_free(&row);
    problems_free(&problems);
    return status;
}
