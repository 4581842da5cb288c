/* test_match_score.c - pairs of people and companies, and what must become of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/match_setup.h"

enum expected { LINK, REVIEW, APART, NOT_LINK };

struct pair_case {
    const char *why;
    enum expected expected;
    enum record_kind kind;
    const char *a, *b;
};

static const char *verdict_name(enum expected verdict)
{
    static const char *const names[] = {"link", "review", "apart", "not link"};
    return names[verdict];
}

static enum expected verdict_of(double weight)
{
    return weight >= matcher_link_weight(matcher)     ? LINK
           : weight >= matcher_review_weight(matcher) ? REVIEW
                                                      : APART;
}

static void explain(const struct match_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        print_message("    %s=%s %+.2f\n",
                      matcher_comparison_name(matcher, result->comparisons[i].comparison),
                      matcher_level_name(matcher, result->comparisons[i].comparison,
                                         result->comparisons[i].level),
                      (double)result->comparisons[i].weight);
    print_message("    weight %.2f, probability %.4f\n", result->weight,
                  weight_to_probability(result->weight));
}

static size_t check_case(const struct pair_case *c)
{
    struct buf a = fixture_pack(matcher, c->kind, 0, 0, c->a);
    struct buf b = fixture_pack(matcher, c->kind, 0, 0, c->b);
    struct match_result result, mirrored;
    double sum = matcher_prior_weight(matcher);

    memset(&result, 0, sizeof(result));
    memset(&mirrored, 0, sizeof(mirrored));
    match_score(matcher, buf_slice(&a), buf_slice(&b), NULL, 0, &result);
    match_score(matcher, buf_slice(&b), buf_slice(&a), NULL, 0, &mirrored);
    /* Symmetric to the last bit, and what is shown adds up to what is decided. */
    assert_memory_equal(&result.weight, &mirrored.weight, sizeof(double));
    assert_int_equal(result.count, mirrored.count);
    for (size_t i = 0; i < result.count; i++) {
        assert_int_equal(result.comparisons[i].comparison, mirrored.comparisons[i].comparison);
        assert_int_equal(result.comparisons[i].level, mirrored.comparisons[i].level);
        assert_memory_equal(&result.comparisons[i].weight, &mirrored.comparisons[i].weight,
                            sizeof(float));
        sum += (double)result.comparisons[i].weight;
    }
    assert_true(sum - result.weight < 1e-4 && result.weight - sum < 1e-4);
    buf_free(&a);
    buf_free(&b);
    enum expected verdict = verdict_of(result.weight);
    if (verdict == c->expected || (c->expected == NOT_LINK && verdict != LINK))
        return 0;
    print_message("%s: %s, expected %s\n    %s\n    %s\n", c->why, verdict_name(verdict),
                  verdict_name(c->expected), c->a, c->b);
    explain(&result);
    return 1;
}

static void check_table(const struct pair_case *cases, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++)
        wrong += check_case(&cases[i]);
    assert_int_equal(wrong, 0);
}
#define CHECK_TABLE(cases) check_table((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_one_chinese_customer_is_linked(void **state)
{
    static const struct pair_case cases[] = {
        {"same name and phone", LINK, KIND_PERSON, "full_name=张伟|phone=+8613812345678",
         "full_name=张伟|phone=+8613812345678"},
        {"traditional and simplified", LINK, KIND_PERSON, "full_name=張偉|phone=+8613812345678",
         "full_name=张伟|phone=+8613812345678"},
        {"pinyin and characters, same phone", LINK, KIND_PERSON,
         "full_name=Zhang Wei|phone=+8613812345678", "full_name=张伟|phone=+8613812345678"},
        {"pinyin in the other order", LINK, KIND_PERSON,
         "full_name=Wei Zhang|email=zw1987@example.com", "full_name=张伟|email=zw1987@example.com"},
        {"pinyin initials", LINK, KIND_PERSON, "full_name=Zhang XM|phone=+8613812345678",
         "full_name=张小明|phone=+8613812345678"},
        {"homophone given name, same phone", LINK, KIND_PERSON,
         "full_name=李娜|phone=+8613812345678", "full_name=李纳|phone=+8613812345678"},
        {"homophone surname, same e-mail", LINK, KIND_PERSON,
         "full_name=张伟|email=sunny88@example.com", "full_name=章伟|email=sunny88@example.com"},
        {"only the family name was written, same phone", LINK, KIND_PERSON,
         "full_name=王总|phone=+8613812345678", "full_name=王建国|phone=+8613812345678"},
        {"English given name, same phone", LINK, KIND_PERSON,
         "full_name=Kevin Zhang|phone=+8613812345678", "full_name=张伟|phone=+8613812345678"},
        {"compound surname in pinyin", LINK, KIND_PERSON,
         "full_name=Ouyang Nana|phone=+8613812345678", "full_name=欧阳娜娜|phone=+8613812345678"},
        {"common name, same birth date", LINK, KIND_PERSON, "full_name=张伟|birth_date=1987-03-05",
         "full_name=张伟|birth_date=1987-03-05"},
        {"name, company and city", LINK, KIND_PERSON,
         "full_name=公孙荣辉|company=上海华信科技有限公司|city=上海市",
         "full_name=公孙荣辉|company=上海华信科技有限公司|city=上海"},
        {"phone with one wrong digit, same name and city", LINK, KIND_PERSON,
         "full_name=李建华|phone=+8613812345678|city=上海市",
         "full_name=李建华|phone=+8613812345679|city=上海市"},
        {"phone alone, the other has no name", LINK, KIND_PERSON, "phone=+8613812345678",
         "full_name=王建国|phone=+8613812345678"},
        {"same openid, no names", LINK, KIND_PERSON, "wechat_openid=oABC123|phone=+8613812345678",
         "wechat_openid=oABC123|phone=+8613912345670"},
        {"same national id outweighs a mistyped name", LINK, KIND_PERSON,
         "full_name=王建国|national_id=110101198703050018",
         "full_name=汪剑|national_id=110101198703050018"},
        {"phone changed, wechat the same", LINK, KIND_PERSON,
         "full_name=陈静|phone=+8613812345678|wechat_id=chenjing_88",
         "full_name=陈静|phone=+8613700000001|wechat_id=ChenJing_88"},
    };

    (void)state;
    CHECK_TABLE(cases);
}

static void test_one_western_customer_is_linked(void **state)
{
    static const struct pair_case cases[] = {
        {"order swapped", LINK, KIND_PERSON, "full_name=John Smith|email=js@smithworks.example",
         "full_name=Smith, John|email=js@smithworks.example"},
        {"nickname, same birth date", LINK, KIND_PERSON,
         "full_name=Bob Smith|birth_date=1960-02-11",
         "full_name=Robert Smith|birth_date=1960-02-11"},
        {"initial, same e-mail", LINK, KIND_PERSON, "full_name=J. Smith|email=jsmith7@example.com",
         "full_name=John Smith|email=jsmith7@example.com"},
        {"umlaut spelt out", LINK, KIND_PERSON, "full_name=Jürgen Müller|birth_date=1971-08-23",
         "full_name=Juergen Mueller|birth_date=1971-08-23"},
        {"diacritics dropped", LINK, KIND_PERSON, "full_name=François Lefèvre|phone=+33612345678",
         "full_name=Francois Lefevre|phone=+33612345678"},
        {"second surname left out", LINK, KIND_PERSON,
         "full_name=María García López|phone=+34612345678",
         "full_name=Maria Garcia|phone=+34612345678"},
        {"typing slip, same birth date and city", LINK, KIND_PERSON,
         "given_name=Katharina|family_name=Zimmermann|birth_date=1980-12-24|city=Bonn",
         "given_name=Kathrina|family_name=Zimmermann|birth_date=1980-12-24|city=Bonn"},
        {"surname changed, same e-mail", LINK, KIND_PERSON,
         "full_name=Anna Becker|email=anna.sunshine@example.com",
         "full_name=Anna Vogel|email=anna.sunshine@example.com"},
        {"rare name, same postal code", LINK, KIND_PERSON,
         "full_name=Leopold Zwirnmann|postal_code=53111|city=Bonn",
         "full_name=Leopold Zwirnmann|postal_code=53111|city=Bonn"},
        {"birth date with day and month exchanged, same address", LINK, KIND_PERSON,
         "full_name=Emma Clark|birth_date=1990-03-05|address_line=12 Elm St|city=Leeds",
         "full_name=Emma Clark|birth_date=1990-05-03|address_line=12 Elm Street|city=Leeds"},
        {"mistyped mail domain", LINK, KIND_PERSON,
         "full_name=Emma Clark|email=emma.q.clark@gmail.com",
         "full_name=Emma Clark|email=emma.q.clark@gmial.com"},
    };

    (void)state;
    CHECK_TABLE(cases);
}

static void test_different_people_stay_apart(void **state)
{
    static const struct pair_case cases[] = {
        {"namesakes with nothing else", APART, KIND_PERSON, "full_name=张伟", "full_name=张伟"},
        {"namesakes in one city", APART, KIND_PERSON, "full_name=张伟|city=北京市",
         "full_name=张伟|city=北京市"},
        {"Western namesakes in one city", APART, KIND_PERSON, "full_name=John Smith|city=London",
         "full_name=John Smith|city=London"},
        {"namesakes with other phones and e-mails", APART, KIND_PERSON,
         "full_name=张伟|phone=+8613812345678|email=a1@example.com|city=上海市",
         "full_name=张伟|phone=+8613911112222|email=b2@example.org|city=上海市"},
        {"rare name alone", APART, KIND_PERSON, "full_name=Leopold Zwirnmann",
         "full_name=Leopold Zwirnmann"},
        {"father and son, Jr. and Sr.", APART, KIND_PERSON,
         "full_name=Robert Hall|name_suffix=Sr.|phone=+12065550142|address_line=81 Jackson "
         "St|city=Denver",
         "full_name=Robert Hall|name_suffix=Jr.|phone=+12065550142|address_line=81 Jackson "
         "St|city=Denver"},
        {"father and son by birth date", APART, KIND_PERSON,
         "full_name=Robert Hall|birth_date=1951-07-01|address_line=81 Jackson St|city=Denver",
         "full_name=Robert Hall|birth_date=1979-11-20|address_line=81 Jackson St|city=Denver"},
        {"twins", APART, KIND_PERSON,
         "full_name=王子轩|birth_date=2010-04-09|address_line=农业路293号25栋1704室|city=郑州市",
         "full_name=王浩然|birth_date=2010-04-09|address_line=农业路293号25栋1704室|city=郑州市"},
        {"Western twins with the parents' phone", APART, KIND_PERSON,
         "full_name=Emma Clark|birth_date=2010-04-09|address_line=12 Elm "
         "St|city=Leeds|phone=+441132345678",
         "full_name=Jacob Clark|birth_date=2010-04-09|address_line=12 Elm "
         "St|city=Leeds|phone=+441132345678"},
        {"a couple sharing phone and address", APART, KIND_PERSON,
         "full_name=张伟|phone=+8613812345678|address_line=人民路5号301室|city=苏州市",
         "full_name=李娜|phone=+8613812345678|address_line=人民路5号301室|city=苏州市"},
        {"same phone, another name", APART, KIND_PERSON, "full_name=张伟|phone=+8613812345678",
         "full_name=刘洋|phone=+8613812345678"},
        {"same e-mail, another name", APART, KIND_PERSON,
         "full_name=Emma Clark|email=info.family@example.com",
         "full_name=Peter Braun|email=info.family@example.com"},
        {"brothers with a generation character", NOT_LINK, KIND_PERSON,
         "full_name=王建国|phone=+8613812345678|address_line=人民路5号301室|city=苏州市",
         "full_name=王建军|phone=+8613812345678|address_line=人民路5号301室|city=苏州市"},
        {"brother and sister Daniel and Daniela", NOT_LINK, KIND_PERSON,
         "full_name=Daniel Koch|gender=male|address_line=Hauptstr. 5|city=Bonn",
         "full_name=Daniela Koch|gender=female|address_line=Hauptstr. 5|city=Bonn"},
        {"colleagues at one desk phone with other extensions", APART, KIND_PERSON,
         "full_name=Emma Clark|phone=+442079460000;ext=12|company=Acme Tools Ltd",
         "full_name=John Baker|phone=+442079460000;ext=47|company=Acme Tools Ltd"},
        {"two national ids", APART, KIND_PERSON,
         "full_name=张伟|national_id=110101198703050018|city=北京市|phone=+8613812345678",
         "full_name=张伟|national_id=110101199107120023|city=北京市|phone=+8613812345678"},
    };

    (void)state;
    CHECK_TABLE(cases);
}

static void test_companies(void **state)
{
    static const struct pair_case cases[] = {
        {"region in front and in brackets", LINK, KIND_COMPANY, "company=上海华信科技有限公司",
         "company=华信科技（上海）有限公司"},
        {"same credit code, renamed", LINK, KIND_COMPANY,
         "company=上海华信科技有限公司|credit_code=91310115MA1K4ABC1X",
         "company=上海瑞丰贸易有限公司|credit_code=91310115MA1K4ABC1X"},
        {"a branch is another company", APART, KIND_COMPANY,
         "company=上海华信科技有限公司|website=https://huaxin.example",
         "company=上海华信科技有限公司北京分公司|website=https://huaxin.example"},
        {"two credit codes", APART, KIND_COMPANY,
         "company=上海华信科技有限公司|credit_code=91310115MA1K4ABC1X",
         "company=上海华信科技有限公司|credit_code=91310115MA1K4ABD2Y"},
        {"one brand in two cities", APART, KIND_COMPANY, "company=上海华信科技有限公司",
         "company=北京华信科技有限公司"},
        {"legal form spelt otherwise, same site", LINK, KIND_COMPANY,
         "company=Acme Tools Limited|website=https://www.acme-tools.example/contact",
         "company=Acme Tools Ltd.|website=https://acme-tools.example"},
        {"two companies with one phone", APART, KIND_COMPANY,
         "company=Acme Tools Ltd|phone=+442079460000",
         "company=Bright Paper GmbH|phone=+442079460000"},
    };

    (void)state;
    CHECK_TABLE(cases);
}

static void test_users_own_fields_count(void **state)
{
    static const struct pair_case cases[] = {
        {"same policy number and name", LINK, KIND_PERSON, "full_name=Emma Clark|policy_no=PX55112",
         "full_name=Emma Clark|policy_no=PX55112"},
        {"an unknown column alone decides nothing", APART, KIND_PERSON, "full_name=张伟|ward=East",
         "full_name=张伟|ward=East"},
    };

    (void)state;
    CHECK_TABLE(cases);
}

static double weight_with_band(const char *a_text, const char *b_text, uint8_t band)
{
    struct buf a = fixture_pack(matcher, KIND_PERSON, 0, 0, a_text);
    struct buf b = fixture_pack(matcher, KIND_PERSON, 0, 0, b_text);
    struct match_key keys_a[MATCH_KEYS_MAX], keys_b[MATCH_KEYS_MAX];
    struct shared_key shared[MATCH_KEYS_MAX];
    struct match_result result;
    size_t count = 0, count_a = features_keys(matcher, buf_slice(&a), keys_a);
    size_t count_b = features_keys(matcher, buf_slice(&b), keys_b);

    for (size_t i = 0; i < count_a; i++)
        for (size_t k = 0; k < count_b; k++)
            if (keys_a[i].hash == keys_b[k].hash)
                shared[count++] = (struct shared_key){keys_a[i].hash, keys_a[i].kind,
                                                      keys_a[i].is_value ? band : 0};
    match_score(matcher, buf_slice(&a), buf_slice(&b), shared, count, &result);
    buf_free(&a);
    buf_free(&b);
    return result.weight;
}

static void test_a_shared_value_loses_with_its_degree(void **state)
{
    const char *a = "full_name=张伟|phone=+8613812345678",
               *b = "full_name=张伟|phone=+8613812345678";
    double last = weight_with_band(a, b, 0);

    (void)state;
    assert_true(last >= matcher_link_weight(matcher));
    for (uint8_t band = 1; band <= DEGREE_DEAD; band++) {
        double now = weight_with_band(a, b, band);
        assert_true(now < last);
        last = now;
    }
    /* A dead value says as much as none. */
    double without = weight_with_band("full_name=张伟", "full_name=张伟", 0);
    assert_true(last == without);
}

static void test_values_that_are_no_evidence_say_nothing(void **state)
{
    struct buf a = fixture_pack(matcher, KIND_PERSON, 0, VALUE_MASKED,
                                "full_name=张伟|phone=+8613812345678|email=a@example.com");
    struct match_key keys[MATCH_KEYS_MAX];

    (void)state;
    assert_int_equal(features_keys(matcher, buf_slice(&a), keys), 0);
    assert_int_equal(features_name_key(buf_slice(&a)), 0);
    buf_free(&a);
}

static void test_records_of_other_kind_or_space_never_match(void **state)
{
    const char *text = "full_name=Leopold Zwirnmann|phone=+4922812345678|email=leo@example.com";
    struct buf a = fixture_pack(matcher, KIND_PERSON, 1, 0, text);
    struct buf b = fixture_pack(matcher, KIND_PERSON, 2, 0, text);
    struct match_result result;

    (void)state;
    match_score(matcher, buf_slice(&a), buf_slice(&b), NULL, 0, &result);
    assert_true(result.weight < matcher_review_weight(matcher));
    assert_int_equal(result.count, 0);
    buf_free(&a);
    buf_free(&b);
}

static double alike(enum field_type type, const char *a, const char *b)
{
    double one = match_similarity(matcher, type, slice_str(a), slice_str(b));
    double other = match_similarity(matcher, type, slice_str(b), slice_str(a));

    assert_memory_equal(&one, &other, sizeof(one));
    assert_true(one >= 0 && one <= 1);
    return one;
}

static void test_similarity_of_single_values(void **state)
{
    static const struct {
        enum field_type type;
        const char *a, *b;
        bool same;
    } cases[] = {
        {FIELD_PERSON_NAME, "张伟", "Zhang Wei", true},
        {FIELD_PERSON_NAME, "張三", "张三", true},
        {FIELD_PERSON_NAME, "李娜", "李纳", true},
        {FIELD_PERSON_NAME, "张伟", "李伟", false},
        {FIELD_PERSON_NAME, "Smith, John", "John Smith", true},
        {FIELD_PERSON_NAME, "Bob Smith", "Robert Smith", true},
        {FIELD_PERSON_NAME, "Wladimir Petrow", "Vladimir Petrov", true},
        {FIELD_PERSON_NAME, "Roger Keller", "Roger Bauer", false},
        {FIELD_COMPANY, "上海华信科技有限公司", "华信科技（上海）有限公司", true},
        {FIELD_COMPANY, "上海华信科技有限公司", "北京华信科技有限公司", false},
        {FIELD_COMPANY, "Acme Tools Limited", "ACME Tools Ltd", true},
        {FIELD_COMPANY, "Acme Tools Ltd", "Acme Paper Ltd", false},
        {FIELD_EMAIL, "Emma@Example.com", "emma@example.com", true},
        {FIELD_EMAIL, "emma@example.com", "peter@example.com", false},
        {FIELD_PHONE, "+86 138 1234 5678", "+8613812345678", true},
        {FIELD_PHONE, "+86 138 1234 5678", "+8613787654321", false},
        {FIELD_DATE, "1990-03-05", "1990-03-05", true},
        {FIELD_DATE, "1990-03-05", "1971-11-30", false},
        {FIELD_TEXT, "hello world", "hello world", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double score = alike(cases[i].type, cases[i].a, cases[i].b);
        if ((score >= 0.5) != cases[i].same)
            fail_msg("%s / %s: %.3f", cases[i].a, cases[i].b, score);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_chinese_customer_is_linked),
        cmocka_unit_test(test_one_western_customer_is_linked),
        cmocka_unit_test(test_different_people_stay_apart),
        cmocka_unit_test(test_companies),
        cmocka_unit_test(test_users_own_fields_count),
        cmocka_unit_test(test_a_shared_value_loses_with_its_degree),
        cmocka_unit_test(test_values_that_are_no_evidence_say_nothing),
        cmocka_unit_test(test_records_of_other_kind_or_space_never_match),
        cmocka_unit_test(test_similarity_of_single_values),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
