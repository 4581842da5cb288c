/* test_remote.c - which daemon is asked, and what its refusals mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/cli/remote.h"

static void test_the_daemon_is_asked_on_this_machine(void **state)
{
    static const struct {
        const char *address, *url;
    } good[] = {
        {"127.0.0.1:8081", "http://127.0.0.1:8081"}, {"0.0.0.0:9", "http://127.0.0.1:9"},
        {"[::]:8081", "http://[::1]:8081"},          {"[::1]:8081", "http://[::1]:8081"},
        {"10.0.0.7:80", "http://10.0.0.7:80"},       {":8081", "http://127.0.0.1:8081"},
    };
    static const char *const bad[] = {NULL, "", "off", "127.0.0.1:0", "nowhere"};
    char url[300];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(remote_base_url(good[i].address, url, sizeof(url)));
        assert_string_equal(url, good[i].url);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(remote_base_url(bad[i], url, sizeof(url)));
    assert_false(remote_base_url("127.0.0.1:8081", url, 10));
}

static struct err told(long status, const char *body)
{
    struct err err = {0};
    remote_reply_err(status, slice_str(body), &err);
    assert_true(err.text[0] != '\0' && err.id[0] != '\0');
    return err;
}

static void test_refusals_keep_their_meaning(void **state)
{
    (void)state;
    struct err err = told(400, "{\"errors\":[{\"code\":\"op.argument\",\"text\":\"id is missing\"}]}");
    assert_string_equal(err.id, "op.argument");
    assert_string_equal(err.text, "id is missing");
    assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
    err = told(404, "{\"errors\":[{\"code\":\"op.not_found\",\"text\":\"no customer\"}]}");
    assert_int_equal(err.retry, RETRY_NONE);
    assert_int_equal(told(409, "{\"errors\":[{\"code\":\"x\",\"text\":\"y\"}]}").retry, RETRY_NONE);
    assert_int_equal(told(503, "{\"errors\":[{\"code\":\"http.busy\"}]}").retry, RETRY_LATER);
    assert_int_equal(told(429, "").retry, RETRY_LATER);
    err = told(401, "{\"errors\":[{\"code\":\"http.token\"}]}");
    assert_int_equal(err.retry, RETRY_NONE);
    assert_non_null(strstr(err.text, "hint:"));
}

static void test_answers_of_strangers_are_no_crash(void **state)
{
    static const char *const bodies[] = {"", "<html>Bad gateway</html>", "[]", "{\"errors\":7}",
                                         "{\"errors\":[]}", "{\"errors\":[{\"code\":1,\"text\":[]}]}"};
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_non_null(strstr(told(502, bodies[i]).text, "502"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_daemon_is_asked_on_this_machine),
        cmocka_unit_test(test_refusals_keep_their_meaning),
        cmocka_unit_test(test_answers_of_strangers_are_no_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
