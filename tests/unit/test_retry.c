/* test_retry.c - when a delivery is tried again: the schedule, Retry-After. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/events/retry.h"

#define NOW_US ((int64_t)784111777 * 1000000) /* Sun, 06 Nov 1994 08:49:37 GMT */

static void test_default_schedule_is_that_of_standard_webhooks(void **state)
{
    (void)state;
    static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400, 86400};
    struct retry_schedule schedule;
    retry_schedule_default(&schedule);
    for (unsigned attempts = 1; attempts <= 10; attempts++) {
        int64_t least_ms = seconds[attempts - 1] * 1000;
        assert_int_equal(retry_wait_ms(&schedule, attempts, 0), least_ms);
        for (uint64_t chance = 1; chance < UINT64_MAX / 3; chance *= 3) {
            int64_t wait_ms = retry_wait_ms(&schedule, attempts, chance);
            assert_true(wait_ms >= least_ms && wait_ms <= least_ms + least_ms / 10);
        }
    }
    assert_int_equal(retry_wait_ms(&schedule, UINT32_MAX, 0), (int64_t)86400000);
}

static void test_probes_double_up_to_five_minutes(void **state)
{
    (void)state;
    struct retry_schedule schedule;
    retry_schedule_default(&schedule);
    static const int64_t seconds[] = {5, 10, 20, 40, 80, 160, 300, 300};
    for (unsigned probes = 0; probes < 8; probes++)
        assert_int_equal(retry_probe_ms(&schedule, probes, 0), seconds[probes] * 1000);
    assert_int_equal(retry_probe_ms(&schedule, UINT32_MAX, 0), 300000);
    schedule = (struct retry_schedule){.count = 2, .waits_ms = {20, 50}};
    assert_int_equal(retry_probe_ms(&schedule, 0, 0), 20);
    assert_int_equal(retry_probe_ms(&schedule, 9, 0), 50);
}

static void test_schedule_of_ones_own(void **state)
{
    (void)state;
    struct retry_schedule schedule;
    struct err err;
    struct slice waits[] = {SLICE("100ms"), SLICE("2h")};
    assert_int_equal(retry_schedule_parse(waits, 2, &schedule, &err), STATUS_OK);
    assert_int_equal(schedule.count, 2);
    assert_int_equal(retry_wait_ms(&schedule, 1, 0), 100);
    assert_int_equal(retry_wait_ms(&schedule, 5, 0), 7200000);
    assert_int_equal(retry_schedule_parse(NULL, 0, &schedule, &err), STATUS_OK);
    assert_int_equal(schedule.count, 9);
    struct slice bad[] = {SLICE("soon"), SLICE("0s"), SLICE("-5s"), SLICE("8d"), SLICE("")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(retry_schedule_parse(&bad[i], 1, &schedule, &err), STATUS_FAILED);
        assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    }
}

static void assert_after(const char *value, int64_t expected_ms)
{
    int64_t wait_ms = -7;
    bool good = retry_after_parse(slice_str(value), NOW_US, &wait_ms);
    if (good != (expected_ms >= 0) || (good && wait_ms != expected_ms))
        print_error("Retry-After: %s gives %lld\n", value, (long long)(good ? wait_ms : -1));
    assert_int_equal(good, expected_ms >= 0);
    if (good)
        assert_int_equal(wait_ms, expected_ms);
}

static void test_retry_after_in_seconds(void **state)
{
    (void)state;
    assert_after("0", 0);
    assert_after(" 120\r\n", 120000);
    assert_after("86400", 86400000);
    assert_after("86401", RETRY_AFTER_MAX_MS);
    assert_after("99999999999999999999999", RETRY_AFTER_MAX_MS);
    assert_after("-1", -1);
    assert_after("1.5", -1);
    assert_after("5s", -1);
    assert_after("", -1);
    assert_after("soon", -1);
}

static void test_retry_after_as_a_date(void **state)
{
    (void)state;
    assert_after("Sun, 06 Nov 1994 08:50:37 GMT", 60000);
    assert_after("Sunday, 06-Nov-94 08:50:37 GMT", 60000);
    assert_after("Sun Nov  6 08:50:37 1994", 60000);
    assert_after("Sun, 06 Nov 1994 08:49:37 GMT", 0);
    assert_after("Sun, 06 Nov 1994 08:00:00 GMT", 0);
    assert_after("Sat, 06 Nov 2094 08:49:37 GMT", RETRY_AFTER_MAX_MS);
    assert_after("Sun, 06 Nov 1994 99:49:37 GMT", -1);
    assert_after("Sun 06 Nov0910401 0: 0", RETRY_AFTER_MAX_MS); /* overflowed once: the year 910401 */
    assert_after("Sun, 06 Nov 1994", 0); /* midnight of a day that has begun */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_schedule_is_that_of_standard_webhooks),
        cmocka_unit_test(test_probes_double_up_to_five_minutes),
        cmocka_unit_test(test_schedule_of_ones_own),
        cmocka_unit_test(test_retry_after_in_seconds),
        cmocka_unit_test(test_retry_after_as_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
