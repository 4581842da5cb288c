/* learn_database.c - a sample of the records of an installation, read from its database, to train on. See learn.h. */
#include "daemon/cli/learn.h"

#include <stdlib.h>

#include "daemon/cli/progress.h"
#include "daemon/store/cluster.h"
#include "daemon/store/db.h"
#include "rules/record_json.h"
#include "sql_queries.h"

#define SHARE_OF         1048576 /* a hash's last twenty bits */
#define DEADLINE_MS      600000     /* a large table is read from its first page to its last */
#define RECORD_ARENA_MAX ((size_t)64 << 20)
#define CLUSTER_STOP_MS  30000

struct reading {
    struct sheet_fields *fields;
    struct learned *learned;
    struct arena *arena; /* of a record */
    struct buf features;
    struct progress *bar;
    uint64_t expected, unreadable;
    bool failed;
};

static bool take_record(const struct db_result *row, void *data)
{
    struct reading *r = data;
    struct clean_record clean;

    arena_reset(r->arena);
    buf_reset(&r->features);
    if (!clean_record_from_json(ruleset_schema(r->fields->ruleset), db_bytes(row, 0, 1), r->arena, &clean)) {
        r->unreadable++;
        return !arena_failed(r->arena);
    }
    features_pack(r->fields->matcher, &clean, space_key_of(db_bytes(row, 0, 0)), &r->features);
    r->failed = buf_failed(&r->features) || !learned_add(r->learned, buf_slice(&r->features));
    if (r->learned->count % 1024 == 0)
        progress_show(r->bar, r->learned->count, r->expected, r->learned->count, r->learned->count);
    return !r->failed && r->learned->count < TRAIN_RECORDS_MAX;
}

static enum status count_records(struct db *db, double *rows, struct err *err)
{
    struct db_result *result = NULL;
    enum status status = db_query(db, &sql_train_count, NULL, 0, &result, err);

    *rows = status == STATUS_OK && db_rows(result) ? (double)db_int(result, 0, 0) : 0;
    db_result_free(&result);
    return status;
}

/* One transaction that may not write: what is counted is what is read. */
static enum status read_records(struct reading *r, struct db *db, uint64_t seed, struct err *err)
{
    struct learned *l = r->learned;

    if (db_open(db, err) != STATUS_OK || db_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = count_records(db, &l->rows, err);
    double share = l->rows > 0 ? (double)TRAIN_RECORDS_MAX * 0.95 / l->rows : 1;
    r->expected = (uint64_t)(share < 1 ? l->rows * share : l->rows);
    struct db_param params[] = {DB_P_INT8((int64_t)(seed & INT64_MAX)),
                                DB_P_INT8(share < 1 ? (int64_t)(share * SHARE_OF) : SHARE_OF)};
    if (status == STATUS_OK)
        status = db_stream(db, &sql_train_records, params, 2, take_record, r, err);
    if (status == STATUS_OK && r->failed)
        status = err_set(err, RETRY_LATER, "base.memory", "out of memory while reading records to train on");
    if (status == STATUS_OK)
        progress_show(r->bar, l->count, l->count, l->count, l->count);
    db_rollback(db);
    return status;
}

static enum status read_database(struct reading *r, const char *conninfo, uint64_t seed, struct err *err)
{
    const struct db_settings settings = {
        .conninfo = conninfo, .application_name = "tributary train", .statement_timeout_ms = DEADLINE_MS};
    struct db *db = db_new(&settings, NULL);

    if (db == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory");
    enum status status = read_records(r, db, seed, err);
    db_free(&db);
    return status;
}

/* The configuration's database, or the private one, which is left running when it ran or somebody came to use it. */
static enum status find_and_read(struct reading *r, uint64_t seed, struct err *err)
{
    const struct config *config = r->fields->config;
    struct slice url = config_postgres_url(config);
    struct cluster *cluster = NULL;
    struct err stop_err = {0};

    if (url.len > 0)
        return read_database(r, url.ptr, seed, err);
    if (!cluster_exists(config->state_dir))
        return err_set(err, RETRY_NONE, "train.no_records",
                       "nothing to learn from: there is no database in state_dir %s; hint: name a sheet, or run the daemon and "
                       "load records first", config->state_dir);
    if (cluster_start(config->state_dir, NULL, &cluster, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = read_database(r, cluster_conninfo(cluster), seed, err);
    if (cluster_leave(&cluster, CLUSTER_STOP_MS, &stop_err) != STATUS_OK && status == STATUS_OK) {
        *err = stop_err;
        status = STATUS_FAILED;
    }
    return status;
}

enum status learn_from_database(struct sheet_fields *fields, uint64_t seed, struct learned *learned, struct err *err)
{
    *learned = (struct learned){.features = BUF_INIT(LEARNED_BYTES_MAX)};
    struct reading r = {.fields = fields, .learned = learned, .arena = arena_new(RECORD_ARENA_MAX),
                        .features = BUF_INIT(FEATURES_MAX_BYTES * 2), .bar = progress_new(clock_system())};
    enum status status = r.arena ? find_and_read(&r, seed, err)
                                 : err_set(err, RETRY_LATER, "base.memory", "out of memory");
    progress_free(&r.bar);
    buf_free(&r.features);
    if (r.arena)
        arena_free(&r.arena);
    if (status == STATUS_OK && r.unreadable)
        fprintf(stderr, "%llu record%s cannot be read back by the configured fields: left out\n", (unsigned long long)r.unreadable,
                r.unreadable == 1 ? "" : "s");
    return status == STATUS_OK ? learned_train(fields, seed, true, learned, err) : status;
}
