/* test_migrate.c - migrations: once, in order, resumed after an interruption, and refused when they do not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/store/migrate.h"
#include "tests/unit/pg.h"

static struct db *db;

static const struct sql_migration migrations[] = {
    {1, "0001_first", "CREATE TABLE tributary.first (a int8); INSERT INTO tributary.first VALUES (1);"},
    {2, "0002_second", "CREATE TABLE tributary.second (a int8); INSERT INTO tributary.second SELECT 1/a FROM tributary.first"},
    {5, "0005_third", "ALTER TABLE tributary.first ADD COLUMN b text;"},
};

static int fresh(void **state)
{
    (void)state;
    struct err err = {0};
    assert_ok(err, db_exec(db, "DROP SCHEMA IF EXISTS tributary CASCADE; DROP SCHEMA IF EXISTS golden CASCADE", &err));
    return 0;
}

static void test_each_is_applied_once_and_in_order(void **state)
{
    (void)state;
    struct err err = {0};
    for (int round = 0; round < 3; round++)
        assert_ok(err, migrate_with(db, migrations, 3, &err));
    assert_int_equal(pg_int(db, "select count(*) from tributary.first"), 1);
    assert_int_equal(pg_int(db, "select count(*) from tributary.migration where length(sha256) = 64"), 3);
    assert_int_equal(pg_int(db, "select count(*) from pg_catalog.pg_locks where locktype = 'advisory'"), 0);
}

static void test_an_interrupted_one_leaves_nothing_and_is_resumed(void **state)
{
    (void)state;
    struct err err = {0};
    assert_ok(err, migrate_with(db, migrations, 1, &err));
    assert_ok(err, db_exec(db, "UPDATE tributary.first SET a = 0", &err)); /* the second will divide by it */
    assert_int_equal(migrate_with(db, migrations, 3, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    assert_non_null(strstr(err.text, "0002_second"));
    assert_int_equal(pg_int(db, "select (to_regclass('tributary.second') is null)"), 1);
    assert_int_equal(pg_int(db, "select count(*) from tributary.migration"), 1);
    assert_ok(err, db_exec(db, "UPDATE tributary.first SET a = 1", &err));
    assert_ok(err, migrate_with(db, migrations, 3, &err));
    assert_int_equal(pg_int(db, "select count(*) from tributary.second"), 1);
}

static void test_a_connection_lost_in_between_is_resumed(void **state)
{
    (void)state;
    struct err err = {0};
    static const struct sql_migration killed[] = {
        {1, "0001_first", "CREATE TABLE tributary.first (a int8); INSERT INTO tributary.first VALUES (1);"},
        {2, "0002_killed", "CREATE TABLE tributary.second (a int8); SELECT pg_terminate_backend(pg_backend_pid())"},
    };
    assert_int_equal(migrate_with(db, killed, 2, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_RECONNECT);
    assert_ok(err, db_open(db, &err));
    assert_ok(err, migrate_with(db, migrations, 3, &err));
}

static void test_a_newer_database_and_a_changed_text_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    assert_ok(err, migrate_with(db, migrations, 3, &err));
    assert_int_equal(migrate_with(db, migrations, 2, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    assert_string_equal(err.id, "store.newer");
    struct sql_migration changed[3];
    memcpy(changed, migrations, sizeof(changed));
    changed[0].text = "CREATE TABLE tributary.first (a int4);";
    assert_int_equal(migrate_with(db, changed, 3, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    assert_string_equal(err.id, "store.migration_changed");
}

static void test_daemons_take_turns(void **state)
{
    (void)state;
    struct err err = {0};
    struct db *other = pg_open(getenv("TRIBUTARY_TEST_DB"), 5000);
    assert_int_equal(pg_int(other, "select pg_advisory_lock(8390884927342928242) is not null"), 1);
    assert_int_equal(migrate_with(db, migrations, 3, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_LATER);
    db_free(&other);
    enum status status = STATUS_FAILED; /* the server lets go of the lock soon after the session's end */
    for (int i = 0; i < 1000 && status != STATUS_OK; i++)
        status = migrate_with(db, migrations, 3, &err);
    assert_ok(err, status);
}

static void test_the_real_schema_applies_twice(void **state)
{
    (void)state;
    struct err err = {0};
    assert_ok(err, migrate(db, &err));
    assert_ok(err, migrate(db, &err));
    assert_int_equal(pg_int(db, "select count(*) from tributary.migration"), sql_migration_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_each_is_applied_once_and_in_order, fresh),
        cmocka_unit_test_setup(test_an_interrupted_one_leaves_nothing_and_is_resumed, fresh),
        cmocka_unit_test_setup(test_a_connection_lost_in_between_is_resumed, fresh),
        cmocka_unit_test_setup(test_a_newer_database_and_a_changed_text_are_refused, fresh),
        cmocka_unit_test_setup(test_daemons_take_turns, fresh),
        cmocka_unit_test_setup(test_the_real_schema_applies_twice, fresh),
    };
    if (pg_missing())
        return 0;
    db = pg_open(getenv("TRIBUTARY_TEST_DB"), 10000);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    struct err err = {0};
    if (db_is_open(db) && db_exec(db, "DROP SCHEMA IF EXISTS tributary CASCADE; DROP SCHEMA IF EXISTS golden CASCADE", &err))
        failed++;
    db_free(&db);
    return failed;
}
