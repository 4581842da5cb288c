/* test_db_class.c - SQLSTATE and connect texts to retry classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/store/db_class.h"

static void test_every_state_of_the_fault_table_has_its_class(void **state)
{
    (void)state;
    static const struct {
        const char *sqlstate;
        enum retry_class retry;
    } expected[] = {
        {"", RETRY_RECONNECT},         {"08000", RETRY_RECONNECT},     {"08006", RETRY_RECONNECT},
        {"57P01", RETRY_RECONNECT},    {"57P02", RETRY_RECONNECT},     {"57P03", RETRY_RECONNECT},
        {"25006", RETRY_RECONNECT},    {"25P02", RETRY_RECONNECT},     {"25P03", RETRY_RECONNECT},
        {"53100", RETRY_LATER},        {"53200", RETRY_LATER},         {"53300", RETRY_LATER},
        {"55P03", RETRY_LATER},        {"58030", RETRY_LATER},         {"57014", RETRY_LATER},
        {"40001", RETRY_NOW},          {"40P01", RETRY_NOW},           {"40003", RETRY_RECONNECT},
        {"23505", RETRY_NONE},         {"23502", RETRY_REJECT_RECORD}, {"23514", RETRY_REJECT_RECORD},
        {"23503", RETRY_REJECT_RECORD}, {"22021", RETRY_REJECT_RECORD}, {"22P02", RETRY_REJECT_RECORD},
        {"22P05", RETRY_REJECT_RECORD}, {"54000", RETRY_REJECT_RECORD}, {"42P01", RETRY_REJECT_CONFIG},
        {"42703", RETRY_REJECT_CONFIG}, {"42501", RETRY_REJECT_CONFIG}, {"3F000", RETRY_REJECT_CONFIG},
        {"28P01", RETRY_REJECT_CONFIG}, {"3D000", RETRY_REJECT_CONFIG}, {"XX000", RETRY_FATAL},
        {"XX001", RETRY_FATAL},        {"08P01", RETRY_FATAL},         {"ZZ999", RETRY_FATAL},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_int_equal(db_class_of(expected[i].sqlstate), expected[i].retry);
}

static void test_an_error_that_ended_the_session_never_goes_on_with_it(void **state)
{
    (void)state;
    assert_int_equal(db_class_of_fatal("40001"), RETRY_RECONNECT);
    assert_int_equal(db_class_of_fatal("22021"), RETRY_RECONNECT);
    assert_int_equal(db_class_of_fatal("23505"), RETRY_RECONNECT);
    assert_int_equal(db_class_of_fatal("53300"), RETRY_LATER);
    assert_int_equal(db_class_of_fatal("28P01"), RETRY_REJECT_CONFIG);
}

static void test_connect_texts_in_any_language_give_their_state(void **state)
{
    (void)state;
    char sqlstate[6];
    assert_int_equal(db_class_of_connect("connection to server at \"h\" (::1), port 5432 failed: FATAL:  28P01: "
                                         "password authentication failed\nLOCATION:  auth_failed, auth.c:330\n",
                                         sqlstate),
                     RETRY_REJECT_CONFIG);
    assert_string_equal(sqlstate, "28P01");
    assert_int_equal(db_class_of_connect("\xE8\x87\xB4\xE5\x91\xBD\xE9\x94\x99\xE8\xAF\xAF:  53300: \xE5\xA4\x9A", sqlstate),
                     RETRY_LATER);
    assert_int_equal(db_class_of_connect("a: FATAL:  28P01: x\nb: FATAL:  57P03: y", sqlstate), RETRY_RECONNECT);
    assert_string_equal(sqlstate, "57P03");
    assert_int_equal(db_class_of_connect("connection to server failed: Connection refused", sqlstate), RETRY_RECONNECT);
    assert_string_equal(sqlstate, "");
    assert_int_equal(db_class_of_connect("session is read-only", sqlstate), RETRY_RECONNECT);
    assert_int_equal(db_class_of_connect("invalid sslmode value: \"x\"", sqlstate), RETRY_REJECT_CONFIG);
    assert_int_equal(db_class_of_connect(":  ", sqlstate), RETRY_RECONNECT);
    assert_int_equal(db_class_of_connect("", sqlstate), RETRY_RECONNECT);
}

static void test_messages_lose_what_may_be_a_value(void **state)
{
    (void)state;
    char out[100];
    db_class_safe_text("22P02", "invalid input syntax for type integer: \"13800138000\"", out, sizeof(out));
    assert_string_equal(out, "invalid input syntax for type integer");
    db_class_safe_text("22003", "value \"99999999999\" is out of range for type integer", out, sizeof(out));
    assert_string_equal(out, "value ...");
    db_class_safe_text("22007", "x \"", out, 4);
    assert_string_equal(out, "x .");
    db_class_safe_text("23505", "duplicate key value violates unique constraint \"raw_pkey\"", out, sizeof(out));
    assert_string_equal(out, "duplicate key value violates unique constraint \"raw_pkey\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_state_of_the_fault_table_has_its_class),
        cmocka_unit_test(test_an_error_that_ended_the_session_never_goes_on_with_it),
        cmocka_unit_test(test_connect_texts_in_any_language_give_their_state),
        cmocka_unit_test(test_messages_lose_what_may_be_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
