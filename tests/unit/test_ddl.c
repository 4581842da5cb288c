/* test_ddl.c - golden columns that follow the schema, rows in them, and the views readers see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/store/ddl.h"
#include "sql_queries.h"
#include "daemon/store/migrate.h"
#include "tests/unit/pg.h"

static struct db *db;

#define FIELD(id_, name_, type_, sensitivity_, multiple_, custom_)                                                     \
    {.id = (id_), .name = (name_), .type = (type_), .group = "", .sensitivity = SENSITIVITY_##sensitivity_,            \
     .multiple = (multiple_), .custom = (custom_), .country = "", .label = "It's " name_, .label_zh = "\xE5\xAD\x97"}

enum { NAME, EMAIL, PHONE, BIRTH, BUDGET, SCORE, SEEN, TAGS, TITLE, NATIONAL, PLACE, FIELD_TOTAL };
static struct field fields[FIELD_TOTAL] = {
    FIELD(NAME, "full_name", FIELD_PERSON_NAME, PERSONAL, false, false),
    FIELD(EMAIL, "email", FIELD_EMAIL, PERSONAL, true, false),
    FIELD(PHONE, "phone", FIELD_PHONE, PERSONAL, false, false),
    FIELD(BIRTH, "birth_date", FIELD_DATE, PERSONAL, false, false),
    FIELD(BUDGET, "budget", FIELD_MONEY, PUBLIC, false, true),
    FIELD(SCORE, "score", FIELD_NUMBER, PUBLIC, false, true),
    FIELD(SEEN, "seen", FIELD_TIMESTAMP, PUBLIC, false, false),
    FIELD(TAGS, "tags", FIELD_TAGS, PUBLIC, false, false),
    FIELD(TITLE, "job_title", FIELD_TEXT, PUBLIC, false, false),
    FIELD(NATIONAL, "national_id", FIELD_ID_NUMBER, SENSITIVE, false, false),
    FIELD(PLACE, "place", FIELD_GEO, PERSONAL, false, false),
};
static const struct schema schema = {FIELD_TOTAL, fields};

static int fresh(void **state)
{
    (void)state;
    struct err err = {0};
    assert_ok(err, db_open(db, &err));
    assert_ok(err, db_exec(db, "DROP SCHEMA IF EXISTS tributary CASCADE; DROP SCHEMA IF EXISTS golden CASCADE", &err));
    assert_ok(err, migrate(db, &err));
    return 0;
}

static struct customer_layout *layout_of(const struct schema *of)
{
    struct err err = {0};
    struct customer_layout *layout = NULL;
    assert_ok(err, customer_layout_new(of, &layout, &err));
    return layout;
}

static void fit(const struct schema *of)
{
    struct err err = {0};
    struct customer_layout *layout = layout_of(of);
    assert_ok(err, ddl_golden(db, layout, &err));
    customer_layout_free(&layout);
}

static void put_rows(const struct customer_layout *layout, const int64_t *stale_ids, size_t stale_count, struct slice rows,
                     uint64_t row_count)
{
    struct err err = {0};
    bool ambiguous = false;
    struct db_param ids = DB_P_INT8S(stale_ids, stale_count);
    assert_ok(err, db_begin(db, &err));
    assert_ok(err, db_queue(db, &sql_store_customer_delete, &ids, 1, &err));
    assert_ok(err, db_put_rows(db, customer_layout_copy_statement(layout), rows, row_count, &err));
    assert_ok(err, db_flush_queue(db, NULL, 0, &err));
    assert_ok(err, db_commit(db, &ambiguous, &err));
}

static void write_one(const struct schema *of, int64_t id, const struct survivor_value *values, size_t count,
                      size_t *unfit_count)
{
    struct customer_layout *layout = layout_of(of);
    struct buf rows = BUF_INIT(1 << 20);
    struct customer_row row = {.customer_id = id, .kind = KIND_PERSON, .space = SLICE("brand"), .version = 3,
                               .record_count = 2, .created_at_us = 1, .updated_at_us = 2, .first_seen_at_us = 3,
                               .last_seen_at_us = 4, .owner = SLICE("amy"), .provenance = SLICE("[[\"a\",\"b\"]]"),
                               .value_count = count, .values = values};
    customer_layout_put(layout, &row, &rows, unfit_count);
    put_rows(layout, &id, 1, buf_slice(&rows), 1);
    buf_free(&rows);
    customer_layout_free(&layout);
}

static void test_values_reach_their_typed_columns(void **state)
{
    (void)state;
    fit(&schema);
    const struct survivor_value values[] = {
        {.field = NAME, .value = SLICE("\xE5\xBC\xA0\xE4\xB8\x89")}, {.field = EMAIL, .value = SLICE("a@x.cn")},
        {.field = EMAIL, .value = SLICE("b,\"c\"@y.com")},           {.field = PHONE, .value = SLICE("+8613812345678;ext=12")},
        {.field = BIRTH, .value = SLICE("1990-03-05")},              {.field = BUDGET, .value = SLICE("-1250 CNY")},
        {.field = SCORE, .value = SLICE("1234.5")},                  {.field = SEEN, .value = SLICE("2026-03-01T01:00:00.250000Z")},
        {.field = TAGS, .value = SLICE("vip")},                      {.field = TITLE, .value = SLICE("CEO")},
        {.field = NATIONAL, .value = SLICE("110101199003077774")},   {.field = PLACE, .value = SLICE("31.2,121.5")},
    };
    size_t unfit_count = 0;
    write_one(&schema, 7, values, 12, &unfit_count);
    assert_int_equal(unfit_count, 0);
    assert_int_equal(
        pg_int(db, "select count(*) from golden.customer where customer_id = 7 and kind = 'person' and space = 'brand' and "
                   "version = 3 and record_count = 2 and owner = 'amy' and team is null and lead_at is null and "
                   "lead_count = 0 and created_at = '1970-01-01 00:00:00.000001+00' and full_name = '\xE5\xBC\xA0\xE4\xB8\x89' and "
                   "email = array['a@x.cn','b,\"c\"@y.com'] and phone = '+8613812345678;ext=12' and "
                   "birth_date = '1990-03-05' and x_budget = -1250 and x_budget_currency = 'CNY' and "
                   "x_score = 1234.5 and x_score::text = '1234.5' and seen = '2026-03-01 01:00:00.25+00' and "
                   "tags = array['vip'] and job_title = 'CEO' and national_id = '110101199003077774' and "
                   "place = '31.2,121.5'"),
        1);
    assert_int_equal(
        pg_int(db, "select count(*) from golden.customer_masked where customer_id = 7 and full_name = '\xE5\xBC\xA0**' and "
                   "email = array['a***@x.cn','b***@y.com'] and phone = '+86138****5678' and "
                   "birth_date = '1990-01-01' and x_budget = -1250 and x_score = 1234.5 and tags = array['vip'] and "
                   "job_title = 'CEO' and national_id is null and place = '***'"),
        1);
    assert_int_equal(pg_int(db, "select count(*) from golden.provenance where customer_id = 7 and field = 'a'"), 1);
    /* Written again: replaced, and what has no value any more is NULL. */
    write_one(&schema, 7, values + 1, 1, NULL);
    assert_int_equal(pg_int(db, "select count(*) from golden.customer where customer_id = 7 and full_name is null and "
                                "email = array['a@x.cn'] and x_budget is null and tags is null"),
                     1);
    assert_int_equal(pg_int(db, "select count(*) from golden.customer_masked where full_name is null and phone is null "
                                "and birth_date is null and place is null"),
                     1);
}

static void test_what_a_column_cannot_hold_is_null_and_counted(void **state)
{
    (void)state;
    fit(&schema);
    static const struct {
        uint16_t field;
        const char *text;
    } unfit[] = {
        {BIRTH, "1990"}, {BIRTH, "1990-03"}, {BIRTH, "1990-02-30"}, {BIRTH, "1900-02-29"}, {BIRTH, "0000-01-01"},
        {BIRTH, "1990-03-05x"}, {BIRTH, ""}, {SCORE, "abc"}, {SCORE, "1."}, {SCORE, ".5"}, {SCORE, "-"}, {SCORE, "1e5"},
        {SCORE, "1.2.3"}, {BUDGET, "12.5 CNY"}, {BUDGET, "99999999999999999999 CNY"}, {BUDGET, "5 "}, {BUDGET, "CNY"},
        {SEEN, "2026-03-01"}, {SEEN, "2026-03-01T25:00:00Z"}, {SEEN, "2026-03-01T01:00:00"}, {SEEN, "2026-03-01T01:00:00.5Z"},
    };
    for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
        struct survivor_value value = {.field = unfit[i].field, .value = slice_str(unfit[i].text)};
        size_t unfit_count = 0;
        write_one(&schema, 100 + (int64_t)i, &value, 1, &unfit_count);
        assert_int_equal(unfit_count, 1);
    }
    assert_int_equal(pg_int(db, "select count(*) from golden.customer where customer_id >= 100 and birth_date is null and "
                                "x_score is null and x_budget is null and x_budget_currency is null and seen is null"),
                     sizeof(unfit) / sizeof(unfit[0]));
}

static void test_numbers_are_exact(void **state)
{
    (void)state;
    fit(&schema);
    static const char *const numbers[] = {
        "0", "-0", "0.00", "1", "-1", "10000", "9999", "10001", "100000000", "0.1", "0.0001", "0.00001", "-0.00000123",
        "12345678901234567890.123456789012345678901234567890", "1000000000000000000000000000000", "00012.50", "5000.0005"};
    struct err err = {0};
    static const struct sql_query same = {"same", "select x_score::text = ($1::text::numeric)::text, x_score::text from "
                                                  "golden.customer where customer_id = $2"};
    for (int64_t i = 0; i < (int64_t)(sizeof(numbers) / sizeof(numbers[0])); i++) {
        struct survivor_value value = {.field = SCORE, .value = slice_str(numbers[i])};
        write_one(&schema, 1 + i, &value, 1, NULL);
        struct db_result *result = NULL;
        assert_ok(err, db_query(db, &same, (struct db_param[]){DB_P_TEXT(slice_str(numbers[i])), DB_P_INT8(1 + i)}, 2,
                                &result, &err));
        if (!db_int(result, 0, 0))
            print_error("%s became " SLICE_FMT "\n", numbers[i], SLICE_ARG(db_bytes(result, 0, 1)));
        assert_int_equal(db_int(result, 0, 0), 1);
        db_result_free(&result);
    }
}

static void test_dates_are_those_of_the_server(void **state)
{
    (void)state;
    fit(&schema);
    struct err err = {0};
    struct customer_layout *layout = layout_of(&schema);
    struct buf rows = BUF_INIT(64 << 20);
    struct db_result *days = NULL;
    static const struct sql_query series = {
        "series", "select d::date::text from generate_series('0001-01-01'::timestamp, '9999-12-31', '37 days') d"};
    assert_ok(err, db_query(db, &series, NULL, 0, &days, &err));
    for (size_t i = 0; i < db_rows(days); i++) {
        struct survivor_value values[] = {{.field = BIRTH, .value = db_bytes(days, i, 0)},
                                          {.field = TITLE, .value = db_bytes(days, i, 0)}};
        struct customer_row row = {.customer_id = (int64_t)i + 1, .kind = KIND_COMPANY, .value_count = 2, .values = values};
        customer_layout_put(layout, &row, &rows, NULL);
    }
    put_rows(layout, NULL, 0, buf_slice(&rows), db_rows(days));
    assert_int_equal(pg_int(db, "select count(*) from golden.customer where birth_date::text = job_title and kind = 'company'"),
                     db_rows(days));
    db_result_free(&days);
    buf_free(&rows);
    customer_layout_free(&layout);
}

static void test_columns_are_only_appended_and_a_gone_field_reads_null(void **state)
{
    (void)state;
    struct schema less = {3, fields};
    fit(&less);
    assert_int_equal(pg_int(db, "select attnum::int8 from pg_attribute where attrelid = 'golden.customer'::regclass "
                                "and attname = 'phone'"),
                     17);
    fit(&schema);
    assert_int_equal(pg_int(db, "select attnum::int8 from pg_attribute where attrelid = 'golden.customer'::regclass "
                                "and attname = 'phone'"),
                     17);
    struct survivor_value value = {.field = PHONE, .value = SLICE("+8613812345678")};
    write_one(&schema, 1, &value, 1, NULL);
    struct schema two = {2, fields};
    fit(&two);
    assert_int_equal(pg_int(db, "select count(*) from golden.customer where customer_id = 1 and phone is null"), 1);
    assert_int_equal(pg_int(db, "select count(*) from golden.customer_masked where customer_id = 1 and phone is null"), 1);
    write_one(&two, 1, NULL, 0, NULL);
    assert_int_equal(pg_int(db, "select count(*) from tributary.customer where phone is not null"), 0);
    fit(&schema);
    /* A column a later migration adds to the table comes last in the view, whatever its place. */
    struct err err = {0};
    assert_ok(err, db_exec(db, "ALTER TABLE tributary.customer ADD COLUMN later text", &err));
    fit(&schema);
    assert_int_equal(pg_int(db, "select (attname = 'later')::int4 from pg_attribute where attrelid = "
                                "'golden.customer'::regclass order by attnum desc limit 1"),
                     1);
}

static void test_every_column_of_the_views_is_described(void **state)
{
    (void)state;
    fit(&schema);
    assert_int_equal(pg_int(db, "select count(*) from pg_attribute where attrelid in ('golden.customer'::regclass, "
                                "'golden.customer_masked'::regclass) and attnum > 0 and "
                                "coalesce(col_description(attrelid, attnum), '') = ''"),
                     0);
    assert_int_equal(pg_int(db, "select count(*) from pg_attribute where attrelid = 'golden.customer_masked'::regclass and "
                                "col_description(attrelid, attnum) = 'It''s full_name / \xE5\xAD\x97. person_name, personal, masked.'"),
                     1);
}

static void test_when_nothing_is_to_do_readers_and_writers_are_not_waited_for(void **state)
{
    (void)state;
    struct err err = {0};
    fit(&schema);
    struct db *reader = pg_open(getenv("TRIBUTARY_TEST_DB"), 5000);
    assert_ok(err, db_begin(reader, &err));
    assert_ok(err, db_exec(reader, "LOCK TABLE tributary.customer IN ROW EXCLUSIVE MODE; LOCK TABLE golden.customer IN "
                                   "ACCESS SHARE MODE", &err));
    static const char written_by[] = "select xmin::text::int8 from pg_description where objsubid = 0 and "
                                     "objoid = 'golden.customer'::regclass";
    int64_t before = pg_int(db, written_by);
    fit(&schema);
    assert_int_equal(pg_int(db, written_by), before);
    /* With something to do it gives up soon, and changes nothing. */
    struct schema less = {FIELD_TOTAL - 1, fields};
    struct customer_layout *layout = layout_of(&less);
    assert_int_equal(ddl_golden(db, layout, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_LATER);
    assert_string_equal(err.sqlstate, "55P03");
    db_rollback(reader);
    assert_ok(err, ddl_golden(db, layout, &err));
    customer_layout_free(&layout);
    db_free(&reader);
}

static void test_a_changed_type_is_refused_by_name(void **state)
{
    (void)state;
    struct err err = {0};
    fit(&schema);
    struct field changed[FIELD_TOTAL];
    memcpy(changed, fields, sizeof(fields));
    changed[SCORE].type = FIELD_TEXT;
    struct schema other = {FIELD_TOTAL, changed};
    struct customer_layout *layout = layout_of(&other);
    assert_int_equal(ddl_golden(db, layout, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    assert_non_null(strstr(err.text, "field score"));
    assert_int_equal(pg_int(db, "select 1"), 1);
    customer_layout_free(&layout);
}

static void test_names_that_clash_or_are_too_long_are_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct customer_layout *layout = NULL;
    struct field bad[] = {FIELD(0, "owner", FIELD_TEXT, PUBLIC, false, false)};
    assert_int_equal(customer_layout_new(&(struct schema){1, bad}, &layout, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    assert_null(layout);
    bad[0].custom = true; /* x_owner */
    assert_ok(err, customer_layout_new(&(struct schema){1, bad}, &layout, &err));
    customer_layout_free(&layout);
    struct field clash[] = {FIELD(0, "price", FIELD_MONEY, PUBLIC, false, false),
                            FIELD(1, "price_currency", FIELD_TEXT, PUBLIC, false, false)};
    assert_int_equal(customer_layout_new(&(struct schema){2, clash}, &layout, &err), STATUS_FAILED);
    bad[0].name = "a23456789012345678901234567890123456789012345678901234567";
    bad[0].type = FIELD_MONEY;
    assert_int_equal(customer_layout_new(&(struct schema){1, bad}, &layout, &err), STATUS_FAILED);
    assert_null(layout);
}

static void test_without_migrations_the_reason_is_told(void **state)
{
    (void)state;
    struct err err = {0};
    assert_ok(err, db_exec(db, "DROP SCHEMA IF EXISTS tributary CASCADE", &err));
    struct customer_layout *layout = layout_of(&schema);
    assert_int_equal(ddl_golden(db, layout, &err), STATUS_FAILED);
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    customer_layout_free(&layout);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_values_reach_their_typed_columns, fresh),
        cmocka_unit_test_setup(test_what_a_column_cannot_hold_is_null_and_counted, fresh),
        cmocka_unit_test_setup(test_numbers_are_exact, fresh),
        cmocka_unit_test_setup(test_dates_are_those_of_the_server, fresh),
        cmocka_unit_test_setup(test_columns_are_only_appended_and_a_gone_field_reads_null, fresh),
        cmocka_unit_test_setup(test_every_column_of_the_views_is_described, fresh),
        cmocka_unit_test_setup(test_when_nothing_is_to_do_readers_and_writers_are_not_waited_for, fresh),
        cmocka_unit_test_setup(test_a_changed_type_is_refused_by_name, fresh),
        cmocka_unit_test(test_names_that_clash_or_are_too_long_are_refused),
        cmocka_unit_test_setup(test_without_migrations_the_reason_is_told, fresh),
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
