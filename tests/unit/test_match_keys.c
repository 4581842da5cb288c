/* test_match_keys.c - features and blocking keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rules/features.h"
#include "tests/unit/match_setup.h"

static size_t keys_of(const char *text, enum record_kind kind, uint16_t space,
                      struct match_key keys[MATCH_KEYS_MAX])
{
    struct buf features = fixture_pack(matcher, kind, space, 0, text);
    size_t count = features_keys(matcher, buf_slice(&features), keys);

    buf_free(&features);
    return count;
}

static bool share(const struct match_key *a, size_t a_count, const struct match_key *b,
                  size_t b_count)
{
    for (size_t i = 0; i < a_count; i++)
        for (size_t k = 0; k < b_count; k++)
            if (a[i].hash == b[k].hash)
                return true;
    return false;
}

static bool meet(const char *a, const char *b)
{
    struct match_key keys_a[MATCH_KEYS_MAX], keys_b[MATCH_KEYS_MAX];
    size_t count_a = keys_of(a, KIND_PERSON, 0, keys_a),
           count_b = keys_of(b, KIND_PERSON, 0, keys_b);

    return share(keys_a, count_a, keys_b, count_b);
}

static void test_what_could_be_one_customer_meets(void **state)
{
    static const char *const pairs[][2] = {
        {"full_name=张伟|phone=+8613812345678", "full_name=李娜|phone=+8613812345678"},
        {"email=a@example.com", "full_name=张伟|email=a@example.com"},
        {"full_name=张伟|birth_date=1987-03-05", "full_name=Zhang Wei|birth_date=1987-03-05"},
        {"full_name=张伟|birth_date=1987-03-05", "full_name=章伟|birth_date=1987-03-05"},
        {"full_name=Bob Smith|birth_date=1960-02-11",
         "full_name=Robert Smith|birth_date=1960-02-11"},
        {"full_name=Jon Smith|birth_date=1960-02-11", "full_name=John Smyth|birth_date=1960-02-11"},
        {"full_name=Anna Becker|birth_date=1960-02-11",
         "full_name=Anna Vogel|birth_date=1960-02-11"},
        {"full_name=Smith, John|birth_date=1960-02-11",
         "full_name=John Smith|birth_date=1960-02-11"},
        {"full_name=李建华|phone=+8613812345678", "full_name=李建华|phone=+8613812345679"},
        {"full_name=李建华|phone=+8613812345678", "full_name=李建华|phone=+8613912345678"},
        {"full_name=公孙荣辉|company=上海华信科技有限公司",
         "full_name=公孙荣辉|company=华信科技（上海）有限公司"},
        {"full_name=Leopold Zwirnmann|postal_code=53111",
         "full_name=Leopold Zwirnmann|postal_code=53111"},
        {"full_name=Leopold Zwirnmann|city=Bonn", "full_name=Leopold Zwirnmann|city=Bonn"},
        {"full_name=Emma Clark|email=sunny1987@gmail.com",
         "full_name=Emma Clark|email=sunny1987@yahoo.com"},
        {"full_name=Emma Clark|email=sunny1987@gmail.com",
         "full_name=Emma Clark|email=sunni1987@gmail.com"},
        {"wechat_id=chenjing_88", "wechat_id=ChenJing_88"},
        {"national_id=110101198703050018", "national_id=110101198703050018"},
        {"policy_no=PX55112", "policy_no=PX55112"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (!meet(pairs[i][0], pairs[i][1]))
            fail_msg("no key in common: %s / %s", pairs[i][0], pairs[i][1]);
}

static void test_a_common_name_alone_is_no_key(void **state)
{
    (void)state;
    assert_false(meet("full_name=张伟", "full_name=张伟"));
    assert_false(meet("full_name=张伟|city=北京市", "full_name=张伟|city=北京市"));
    assert_false(meet("full_name=John Smith|city=London", "full_name=John Smith|city=London"));
    assert_false(meet("full_name=Leopold Zwirnmann", "full_name=Leopold Zwirnmann"));
}

static void test_keys_are_sorted_and_single(void **state)
{
    struct match_key keys[MATCH_KEYS_MAX];
    size_t count =
        keys_of("full_name=María García López|phone=+34612345678|phone=+34612345678|"
                "email=maria.gl@example.com|birth_date=1980-01-02|city=Madrid|postal_code=28001|"
                "address_line=Calle Mayor 5|company=Azul Sistemas SL|member_no=77|wechat_id=mgl",
                KIND_PERSON, 0, keys);

    (void)state;
    assert_true(count > 8 && count <= MATCH_KEYS_MAX);
    for (size_t i = 1; i < count; i++)
        assert_true(keys[i - 1].hash < keys[i].hash);
    for (size_t i = 0; i < count; i++)
        assert_string_not_equal(matcher_key_name(matcher, keys[i].kind), "unknown");
}

static void test_other_kind_or_space_shares_no_key(void **state)
{
    const char *text = "full_name=张伟|phone=+8613812345678|email=a@example.com|"
                       "company=上海华信科技有限公司|birth_date=1987-03-05|city=上海市";
    struct match_key keys[3][MATCH_KEYS_MAX];
    size_t counts[3] = {keys_of(text, KIND_PERSON, 1, keys[0]),
                        keys_of(text, KIND_PERSON, 2, keys[1]),
                        keys_of(text, KIND_COMPANY, 1, keys[2])};

    (void)state;
    assert_true(counts[0] && counts[1] && counts[2]);
    assert_false(share(keys[0], counts[0], keys[1], counts[1]));
    assert_false(share(keys[0], counts[0], keys[2], counts[2]));
}

static uint64_t name_key(const char *name)
{
    char text[200];

    snprintf(text, sizeof(text), "full_name=%s", name);
    struct buf features = fixture_pack(matcher, KIND_PERSON, 0, 0, text);
    uint64_t key = features_name_key(buf_slice(&features));
    buf_free(&features);
    return key;
}

static void test_name_keys_fold_order_script_and_case(void **state)
{
    (void)state;
    assert_true(name_key("张伟") == name_key("張偉"));
    assert_true(name_key("张伟") == name_key("Zhang Wei"));
    assert_true(name_key("Zhang Wei") == name_key("Wei ZHANG"));
    assert_true(name_key("John Smith") == name_key("SMITH, John"));
    assert_true(name_key("Bob Smith") == name_key("Robert Smith"));
    assert_true(name_key("张伟") != name_key("李伟"));
    assert_true(name_key("John Smith") != name_key("Jane Smith"));
    assert_true(name_key("John Smith") != 0);
}

static void test_identity_is_by_kind(void **state)
{
    const char *text = "full_name=张伟|company=上海华信科技有限公司|national_id=110101198703050018|"
                       "credit_code=91310115MA1K4ABC1X";
    struct buf person = fixture_pack(matcher, KIND_PERSON, 0, 0, text);
    struct buf company = fixture_pack(matcher, KIND_COMPANY, 0, 0, text);

    (void)state;
    assert_true(features_identity(buf_slice(&person)) != 0);
    assert_true(features_identity(buf_slice(&company)) != 0);
    assert_true(features_identity(buf_slice(&person)) != features_identity(buf_slice(&company)));
    assert_int_equal(features_kind(buf_slice(&person)), KIND_PERSON);
    assert_int_equal(features_kind(buf_slice(&company)), KIND_COMPANY);
    buf_free(&person);
    buf_free(&company);
}

static void test_features_are_small(void **state)
{
    struct buf features =
        fixture_pack(matcher, KIND_PERSON, 0, 0,
                     "full_name=张小明|phone=+8613812345678|email=xiaoming.zhang@example.com|birth_"
                     "date=1987-03-05|"
                     "company=上海华信科技有限公司|city=上海市|postal_code=200000|gender=male");

    (void)state;
    assert_true(features.len <= 160);
    buf_free(&features);
}

static void test_long_and_many_values_stay_within_the_maximum(void **state)
{
    static char text[20000];
    size_t at = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s=%0700d@x.example", i ? "|" : "",
                               i % 3 == 0   ? "email"
                               : i % 3 == 1 ? "ward"
                                            : "full_name",
                               i);
    struct buf features = fixture_pack(matcher, KIND_PERSON, 0, 0, text);
    struct match_key keys[MATCH_KEYS_MAX];
    assert_false(buf_failed(&features));
    assert_true(features.len <= FEATURES_MAX_BYTES);
    (void)features_keys(matcher, buf_slice(&features), keys);
    buf_free(&features);
}

/* Features come back from a database: cut anywhere they must still be read without harm. */
static void test_torn_features_are_read_as_far_as_they_go(void **state)
{
    struct buf whole =
        fixture_pack(matcher, KIND_PERSON, 0, 0,
                     "full_name=张小明|phone=+8613812345678|email=x@example.com|ward=East");
    struct match_key keys[MATCH_KEYS_MAX];
    struct match_result result;

    (void)state;
    for (size_t len = 0; len <= whole.len; len++) {
        struct slice torn = slice_of(whole.data, len);
        (void)features_keys(matcher, torn, keys);
        (void)features_name_key(torn);
        match_score(matcher, torn, buf_slice(&whole), NULL, 0, &result);
        assert_true(result.weight == result.weight);
    }
    buf_free(&whole);
}

static void test_degree_bands(void **state)
{
    (void)state;
    assert_int_equal(degree_band(0), 0);
    assert_int_equal(degree_band(1), 0);
    assert_int_equal(degree_band(2), 1);
    assert_int_equal(degree_band(3), 2);
    assert_int_equal(degree_band(4), 2);
    assert_int_equal(degree_band(5), 3);
    assert_int_equal(degree_band(64), 6);
    assert_int_equal(degree_band(65), DEGREE_DEAD);
}

static void test_word_lists_are_sorted(void **state)
{
    (void)state;
    assert_true(email_domain_is_free(SLICE("126.com")));
    assert_true(email_domain_is_free(SLICE("gmail.com")));
    assert_true(email_domain_is_free(SLICE("qq.com")));
    assert_true(email_domain_is_free(SLICE("yahoo.co.uk")));
    assert_true(email_domain_is_free(SLICE("zoho.com")));
    assert_false(email_domain_is_free(SLICE("example.com")));
    assert_true(email_local_is_role(SLICE("accounting")));
    assert_true(email_local_is_role(SLICE("info")));
    assert_true(email_local_is_role(SLICE("webmaster")));
    assert_false(email_local_is_role(SLICE("emma")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_could_be_one_customer_meets),
        cmocka_unit_test(test_a_common_name_alone_is_no_key),
        cmocka_unit_test(test_keys_are_sorted_and_single),
        cmocka_unit_test(test_other_kind_or_space_shares_no_key),
        cmocka_unit_test(test_name_keys_fold_order_script_and_case),
        cmocka_unit_test(test_identity_is_by_kind),
        cmocka_unit_test(test_features_are_small),
        cmocka_unit_test(test_long_and_many_values_stay_within_the_maximum),
        cmocka_unit_test(test_torn_features_are_read_as_far_as_they_go),
        cmocka_unit_test(test_degree_bands),
        cmocka_unit_test(test_word_lists_are_sorted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
