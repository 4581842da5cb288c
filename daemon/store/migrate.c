/* migrate.c - see migrate.h. */
#include "daemon/store/migrate.h"

#include <openssl/sha.h>
#include <stdio.h>

#include "daemon/base/crash_point.h"
#include "daemon/base/log.h"
#include "sql_queries.h"

#define MIGRATIONS_MAX        1000
#define MIGRATION_DEADLINE_MS (15 * 60 * 1000)
#define MIGRATION_LOCK        0x7472696275746172LL /* "tributar" */

struct digest {
    char hex[2 * SHA256_DIGEST_LENGTH + 1];
};

static struct digest digest_of(const char *text)
{
    unsigned char raw[SHA256_DIGEST_LENGTH];
    struct digest digest;
    SHA256((const unsigned char *)text, strlen(text), raw);
    for (size_t i = 0; i < sizeof(raw); i++)
        snprintf(digest.hex + 2 * i, 3, "%02x", raw[i]);
    return digest;
}

static enum status ensure_table(struct db *db, struct err *err)
{
    struct db_result *result = NULL;
    enum status status = db_query(db, &sql_store_migration_table_exists, NULL, 0, &result, err);
    bool exists = status == STATUS_OK && db_int(result, 0, 0) != 0;
    db_result_free(&result);
    if (status != STATUS_OK || exists)
        return status; /* not created again: that needs more rights than using it */
    return db_exec(db, sql_store_migration_table.text, err);
}

static enum status check_applied(const struct sql_migration *migrations, size_t count,
                                 int64_t number, struct slice name, struct slice sha256,
                                 bool *applied, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (migrations[i].number != number)
            continue;
        if (!slice_is(sha256, digest_of(migrations[i].text).hex))
            return err_set(err, RETRY_REJECT_CONFIG, "store.migration_changed",
                           "migration %s was applied to this database with another text; hint: this binary and "
                           "the one that applied it are of different builds", migrations[i].name);
        applied[i] = true;
        return STATUS_OK;
    }
    return err_set(err, RETRY_REJECT_CONFIG, "store.newer",
                   "database is newer than this binary: it has migration " SLICE_FMT
                   "; hint: run the newer tributary", SLICE_ARG(name));
}

static enum status read_applied(struct db *db, const struct sql_migration *migrations, size_t count,
                                bool *applied, struct err *err)
{
    struct db_result *result = NULL;
    enum status status = db_query(db, &sql_store_migration_list, NULL, 0, &result, err);
    for (size_t row = 0; status == STATUS_OK && row < db_rows(result); row++)
        status = check_applied(migrations, count, db_int(result, row, 0), db_bytes(result, row, 1),
                               db_bytes(result, row, 2), applied, err);
    db_result_free(&result);
    return status;
}

static enum status apply(struct db *db, const struct sql_migration *migration, struct err *err)
{
    struct digest digest = digest_of(migration->text);
    bool ambiguous = false;
    log_info("store.migration", "applying migration %s", migration->name);
    int64_t deadline_ms = db_set_deadline_ms(db, MIGRATION_DEADLINE_MS);
    enum status status = db_begin(db, err);
    if (status == STATUS_OK)
        status = db_run(db, &sql_store_migration_settings, NULL, 0, NULL, err);
    if (status == STATUS_OK)
        status = db_exec(db, migration->text, err);
    if (status == STATUS_OK)
        status = db_run(db, &sql_store_migration_insert,
                        (struct db_param[]){DB_P_INT4(migration->number),
                                            DB_P_TEXT(slice_str(migration->name)),
                                            DB_P_TEXT(slice_str(digest.hex))},
                        3, NULL, err);
    CRASH_POINT("migrate.before_commit");
    if (status == STATUS_OK)
        status = db_commit(db, &ambiguous, err); /* if ambiguous, the next run finds out */
    CRASH_POINT("migrate.committed");
    if (status != STATUS_OK)
        db_rollback(db);
    db_set_deadline_ms(db, deadline_ms);
    if (status == STATUS_FAILED || status == STATUS_TIMEOUT) {
        /* No record is to blame for a migration. */
        if (err->retry == RETRY_REJECT_RECORD || err->retry == RETRY_NONE)
            err->retry = RETRY_REJECT_CONFIG;
        err_prefix(err, "migration %s", migration->name);
    }
    return status;
}

static enum status migrate_locked(struct db *db, const struct sql_migration *migrations,
                                  size_t count, struct err *err)
{
    bool applied[MIGRATIONS_MAX] = {false};
    enum status status = ensure_table(db, err);
    if (status == STATUS_OK)
        status = read_applied(db, migrations, count, applied, err);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        if (!applied[i])
            status = apply(db, &migrations[i], err);
    return status;
}

enum status migrate_with(struct db *db, const struct sql_migration *migrations, size_t count,
                         struct err *err)
{
    if (count > MIGRATIONS_MAX)
        return err_set(err, RETRY_FATAL, "store.migrations", "more than %d migrations", MIGRATIONS_MAX);
    struct db_result *result = NULL;
    struct db_param key = DB_P_INT8(MIGRATION_LOCK);
    enum status status = db_query(db, &sql_store_migration_lock, &key, 1, &result, err);
    bool locked = status == STATUS_OK && db_int(result, 0, 0) != 0;
    db_result_free(&result);
    if (status != STATUS_OK)
        return status;
    if (!locked)
        return err_set(err, RETRY_LATER, "store.migrating", "another daemon is migrating this database");
    status = migrate_locked(db, migrations, count, err);
    struct err unlock_err = {0};
    if (db_is_open(db) && db_run(db, &sql_store_migration_unlock, &key, 1, NULL, &unlock_err) != STATUS_OK)
        db_close(db); /* the lock goes with the session */
    return status;
}

enum status migrate(struct db *db, struct err *err)
{
    return migrate_with(db, sql_migrations, sql_migration_count, err);
}
