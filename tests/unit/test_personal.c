/* test_personal.c - the register of personal columns holds every column there is, and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/store/ddl.h"
#include "daemon/store/migrate.h"
#include "daemon/store/personal.h"
#include "tests/unit/pg.h"

static struct db *db;

static const struct field fields[] = {
    {.id = 0, .name = "email", .type = FIELD_EMAIL, .multiple = true, .sensitivity = SENSITIVITY_PERSONAL},
    {.id = 1, .name = "budget", .type = FIELD_MONEY, .custom = true, .sensitivity = SENSITIVITY_SENSITIVE},
    {.id = 2, .name = "industry", .type = FIELD_TEXT, .sensitivity = SENSITIVITY_PUBLIC},
};
static const struct schema schema = {3, fields};

static int prepare(void **state)
{
    (void)state;
    struct err err = {0};
    struct customer_layout *layout = NULL;
    assert_ok(err, db_exec(db, "DROP SCHEMA IF EXISTS tributary CASCADE; DROP SCHEMA IF EXISTS golden CASCADE", &err));
    assert_ok(err, migrate(db, &err));
    assert_ok(err, customer_layout_new(&schema, &layout, &err));
    assert_ok(err, ddl_golden(db, layout, &err));
    customer_layout_free(&layout);
    return 0;
}

/* Of types that could hold something of a person; not partitions, which are like their parents. */
static const struct sql_query catalog = {
    "catalog", "select n.nspname::text, c.relname::text, a.attname::text from pg_catalog.pg_attribute a "
               "join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
               "where n.nspname in ('tributary', 'golden') and c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition "
               "and a.attnum > 0 and not a.attisdropped and pg_catalog.format_type(a.atttypid, null) not in "
               "('bigint', 'integer', 'smallint', 'boolean', 'real', 'timestamp with time zone') "
               "union all select n.nspname::text, c.relname::text, a.attname::text from pg_catalog.pg_attribute a "
               "join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
               "where n.nspname in ('tributary', 'golden') and a.attname like 'x\\_%'"};

static void test_every_column_is_registered(void **state)
{
    (void)state;
    struct err err = {0};
    struct db_result *result = NULL;
    assert_ok(err, db_query(db, &catalog, NULL, 0, &result, &err));
    assert_true(db_rows(result) > 80);
    size_t unknown = 0;
    for (size_t row = 0; row < db_rows(result); row++) {
        char names[3][64];
        for (size_t i = 0; i < 3; i++)
            snprintf(names[i], sizeof(names[i]), SLICE_FMT, SLICE_ARG(db_bytes(result, row, i)));
        if (personal_class_of(names[0], names[1], names[2], &schema) != PERSONAL_UNKNOWN)
            continue;
        print_error("%s.%s.%s is not in daemon/store/personal.c\n", names[0], names[1], names[2]);
        unknown++;
    }
    db_result_free(&result);
    assert_int_equal(unknown, 0);
}

static void test_every_entry_is_a_column_and_none_stands_twice(void **state)
{
    (void)state;
    struct err err = {0};
    static const struct sql_query exists = {
        "exists", "select count(*) from pg_catalog.pg_attribute where attrelid = pg_catalog.to_regclass($1::text) and "
                  "attname = $2 and attnum > 0 and not attisdropped"};
    for (size_t i = 0; i < personal_column_count; i++) {
        const struct personal_column *entry = &personal_columns[i];
        char relation[130];
        snprintf(relation, sizeof(relation), "%s.%s", entry->schema, entry->table);
        struct db_result *result = NULL;
        struct db_param params[] = {DB_P_TEXT(slice_str(relation)), DB_P_TEXT(slice_str(entry->column))};
        assert_ok(err, db_query(db, &exists, params, 2, &result, &err));
        if (db_int(result, 0, 0) != 1)
            print_error("%s.%s is registered and not there\n", relation, entry->column);
        assert_int_equal(db_int(result, 0, 0), 1);
        db_result_free(&result);
        for (size_t j = 0; j < i; j++)
            assert_false(strcmp(personal_columns[j].table, entry->table) == 0 &&
                         strcmp(personal_columns[j].column, entry->column) == 0 &&
                         strcmp(personal_columns[j].schema, entry->schema) == 0);
    }
}

static void test_fields_are_classed_by_their_sensitivity(void **state)
{
    (void)state;
    assert_int_equal(personal_class_of("golden", "customer", "email", &schema), PERSONAL_CONTENT);
    assert_int_equal(personal_class_of("tributary", "customer", "x_budget", &schema), PERSONAL_CONTENT);
    assert_int_equal(personal_class_of("tributary", "customer", "x_budget_currency", &schema), PERSONAL_CONTENT);
    assert_int_equal(personal_class_of("tributary", "customer", "industry", &schema), PERSONAL_NEVER);
    assert_int_equal(personal_class_of("tributary", "customer", "budget", &schema), PERSONAL_UNKNOWN);
    assert_int_equal(personal_class_of("tributary", "customer", "email", NULL), PERSONAL_UNKNOWN);
    assert_int_equal(personal_class_of("tributary", "raw", "body", NULL), PERSONAL_CONTENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_column_is_registered),
        cmocka_unit_test(test_every_entry_is_a_column_and_none_stands_twice),
        cmocka_unit_test(test_fields_are_classed_by_their_sensitivity),
    };
    if (pg_missing())
        return 0;
    db = pg_open(getenv("TRIBUTARY_TEST_DB"), 10000);
    int failed = cmocka_run_group_tests(tests, prepare, NULL);
    struct err err = {0};
    if (db_is_open(db) && db_exec(db, "DROP SCHEMA IF EXISTS tributary CASCADE; DROP SCHEMA IF EXISTS golden CASCADE", &err))
        failed++;
    db_free(&db);
    return failed;
}
