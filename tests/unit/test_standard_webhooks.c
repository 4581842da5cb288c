/* test_standard_webhooks.c - signatures, held against vectors that tributary did not make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/events/standard_webhooks.h"

#define VECTORS "../shared/data/connectors/synthetic/signature_vectors.json"

static void assert_signature(const char *secret, const char *id, int64_t timestamp_s, const char *body,
                             const char *expected)
{
    struct webhook_keys keys;
    struct err err;
    struct buf out = BUF_INIT(4096);
    assert_int_equal(webhook_keys_parse(slice_str(secret), &keys, &err), STATUS_OK);
    webhook_sign(&keys, id, timestamp_s, slice_str(body), &out);
    assert_false(buf_failed(&out));
    assert_int_equal(out.len, strlen(expected));
    assert_memory_equal(out.data, expected, out.len);
    buf_free(&out);
}

/* The example that the reference implementations of Standard Webhooks carry. */
static void test_known_vector(void **state)
{
    (void)state;
    assert_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                     "{\"test\": 2432232314}", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

/* While a secret is changed: each signs, in the order given; a file ends in a newline. */
static void test_two_secrets_sign_both(void **state)
{
    (void)state;
    assert_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\nwhsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
                     "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}",
                     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= "
                     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

/* Not base64: some senders' secrets are words. */
static void test_plain_text_is_the_key_itself(void **state)
{
    (void)state;
    struct webhook_keys keys;
    struct err err;
    assert_int_equal(webhook_keys_parse(SLICE(" a secret of several words\n"), &keys, &err), STATUS_OK);
    assert_int_equal(keys.count, 1);
    assert_int_equal(keys.keys[0].len, 25);
    assert_memory_equal(keys.keys[0].bytes, "a secret of several words", 25);
    assert_int_equal(webhook_keys_parse(SLICE(" \n"), &keys, &err), STATUS_OK);
    assert_int_equal(keys.count, 0);
}

static void test_bad_secrets_are_refused_without_being_shown(void **state)
{
    (void)state;
    struct webhook_keys keys;
    struct err err;
    static char huge[WEBHOOK_KEY_MAX_BYTES * 4];
    memset(huge, 'A', sizeof(huge));
    memcpy(huge, "whsec_", 6);
    struct slice bad[] = {SLICE("whsec_"), SLICE("whsec_canary!"), SLICE("whsec_A"), slice_of(huge, sizeof(huge)),
                          slice_of(huge + 6, sizeof(huge) - 6),
                          SLICE("whsec_AAAA whsec_AAAA whsec_AAAA whsec_AAAA whsec_AAAA")};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(webhook_keys_parse(bad[i], &keys, &err), STATUS_FAILED);
        assert_int_equal(err.retry, RETRY_REJECT_CONFIG);
        assert_null(strstr(err.text, "canary"));
    }
}

static void test_shared_vectors(void **state)
{
    (void)state;
    json_t *vectors = json_load_file(VECTORS, 0, NULL);
    if (vectors == NULL) {
        print_message("SKIPPED: %s is not here\n", VECTORS);
        skip();
    }
    size_t index, count = 0;
    json_t *vector;
    json_array_foreach(vectors, index, vector) {
        json_t *headers = json_object_get(vector, "header");
        const char *id = json_string_value(json_object_get(headers, "webhook-id"));
        if (id == NULL)
            continue;
        count++;
        assert_signature(json_string_value(json_object_get(vector, "secret")), id,
                         atoll(json_string_value(json_object_get(headers, "webhook-timestamp"))),
                         json_string_value(json_object_get(vector, "body")),
                         json_string_value(json_object_get(headers, "webhook-signature")));
    }
    json_decref(vectors);
    assert_true(count > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_vector),
        cmocka_unit_test(test_two_secrets_sign_both),
        cmocka_unit_test(test_plain_text_is_the_key_itself),
        cmocka_unit_test(test_bad_secrets_are_refused_without_being_shown),
        cmocka_unit_test(test_shared_vectors),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
