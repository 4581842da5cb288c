/* test_compare_levels.c - what each comparison makes of two values: every level has a pair that reaches it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/match_setup.h"

#define PERSON  KIND_PERSON
#define COMPANY KIND_COMPANY

struct level_case {
    const char *comparison, *level; /* level NULL: the comparison says nothing */
    const char *a, *b;
};

static const char *level_of(const struct match_result *result, const char *comparison)
{
    for (size_t i = 0; i < result->count; i++)
        if (strcmp(matcher_comparison_name(matcher, result->comparisons[i].comparison), comparison) == 0)
            return matcher_level_name(matcher, result->comparisons[i].comparison,
                                      result->comparisons[i].level);
    return NULL;
}

static void check(enum record_kind kind, const struct level_case *cases, size_t count)
{
    size_t wrong = 0;

    for (size_t i = 0; i < count; i++) {
        struct buf a = fixture_pack(matcher, kind, 0, 0, cases[i].a);
        struct buf b = fixture_pack(matcher, kind, 0, 0, cases[i].b);
        struct match_result result;
        match_score(matcher, buf_slice(&a), buf_slice(&b), NULL, 0, &result);
        const char *level = level_of(&result, cases[i].comparison), *wanted = cases[i].level;
        if ((level == NULL) != (wanted == NULL) || (level && strcmp(level, wanted) != 0)) {
            print_message("%s is %s, expected %s\n    %s\n    %s\n", cases[i].comparison,
                          level ? level : "nothing", wanted ? wanted : "nothing", cases[i].a, cases[i].b);
            wrong++;
        }
        buf_free(&a);
        buf_free(&b);
    }
    assert_int_equal(wrong, 0);
}
#define CHECK(kind, cases) check((kind), (cases), sizeof(cases) / sizeof((cases)[0]))

static void test_western_names(void **state)
{
    static const struct level_case cases[] = {
        {"name", "exact", "full_name=John Smith", "full_name=john SMITH"},
        {"name", "exact", "full_name=John Smith", "full_name=Smith, John"},
        {"name", "exact", "full_name=José Núñez", "full_name=Jose Nunez"},
        {"name", "exact", "full_name=Jürgen Müller", "full_name=Juergen Mueller"},
        {"name", "swapped", "given_name=Smith|family_name=Leopold", "given_name=Leopold|family_name=Smith"},
        {"name", "nickname", "full_name=Bob Smith", "full_name=Robert Smith"},
        {"name", "part", "full_name=Maria García López", "full_name=Maria García"},
        {"name", "initial", "full_name=J. Smith", "full_name=John Smith"},
        {"name", "typo", "full_name=Katharina Zimmermann", "full_name=Kathrina Zimmermann"},
        {"name", "similar", "full_name=Daniel Koch", "full_name=Daniela Koch"},
        {"name", "similar", "full_name=Flo Schwarz", "full_name=Florian Schwarz"},
        {"name", "initial", "full_name=P. Cortés García", "given_name=Pablo|family_name=Cortés"},
        {"name", "family_only", "given_name=Prof. Dr.|family_name=Werner", "given_name=Lukas|family_name=Werner"},
        {"name", "exact", "given_name=Sir Thomas|family_name=Butler", "full_name=Thomas Butler"},
        {"name", "given_differs", "full_name=Jason Young", "full_name=Alison Young"},
        {"name", "family_changed", "full_name=Anna Becker", "full_name=Anna Vogel"},
        {"name", "given_differs", "full_name=Emma Clark", "full_name=Jacob Clark"},
        {"name", "else", "full_name=Emma Clark", "full_name=Peter Braun"},
        {"name", "given_only", "given_name=Reggie", "given_name=Reggie|family_name=Mason"},
        {"name", "family_only", "family_name=Mason", "given_name=Reggie|family_name=Mason"},
        {"name", "given_only", "given_name=Macdonald", "given_name=Dylan|family_name=Macdonald"},
        {"name", "word_typo", "given_name=Elliott", "given_name=Eliott|family_name=Byrne"},
        {"name", "unlike", "given_name=Lucky", "given_name=Emma|family_name=Clark"},
        {"name", NULL, "full_name=Emma Clark", "email=ec@example.com"},
        {"suffix", "else", "full_name=Robert Hall|name_suffix=Jr.", "full_name=Robert Hall|name_suffix=Sr."},
        {"suffix", "similar", "full_name=Robert Hall|name_suffix=Jr.", "full_name=Robert Hall|name_suffix=II"},
    };

    (void)state;
    CHECK(PERSON, cases);
}

static void test_chinese_names(void **state)
{
    static const struct level_case cases[] = {
        {"name", "exact", "full_name=張偉", "full_name=张伟"},
        {"name", "romanised", "full_name=张小明", "full_name=Zhang Xiaoming"},
        {"name", "romanised", "full_name=张小明", "full_name=Xiao Ming Zhang"},
        {"name", "romanised", "full_name=欧阳娜娜", "full_name=Ouyang Nana"},
        {"name", "exact", "full_name=张三(经理)", "full_name=张三"},
        {"name", "homophone", "full_name=李娜", "full_name=李纳"},
        {"name", "homophone", "full_name=张伟", "full_name=章伟"},
        {"name", "initial", "full_name=Zhang XM", "full_name=张小明"},
        {"name", "initial", "full_name=SJG", "full_name=宋建国"},
        {"name", "typo", "full_name=陈正", "full_name=陈增"},
        {"name", "typo", "full_name=zhaochun jing", "full_name=Chunjing Zhao"},
        {"name", "exact", "full_name=王墨总", "given_name=墨|family_name=王"},
        {"name", "english_given", "full_name=Anna Wang", "full_name=王嘉"},
        {"name", "one_character", "full_name=王建国", "full_name=王建军"},
        {"name", "english_given", "full_name=Kevin Zhang", "full_name=张伟"},
        {"name", "family_only", "full_name=王总", "full_name=王建国"},
        {"name", "unlike", "full_name=追梦人", "full_name=王建国"},
        {"name", "else", "full_name=王建国", "full_name=李娜"},
    };

    (void)state;
    CHECK(PERSON, cases);
}

static void test_dates_of_birth(void **state)
{
    static const struct level_case cases[] = {
        {"birth_date", "same", "birth_date=1987-03-05", "birth_date=1987-03-05"},
        {"birth_date", "placeholder", "birth_date=1980-01-01", "birth_date=1980-01-01"},
        {"birth_date", "swapped", "birth_date=1987-03-05", "birth_date=1987-05-03"},
        {"birth_date", "slip", "birth_date=1987-03-05", "birth_date=1978-03-05"},
        {"birth_date", "slip", "birth_date=1987-03-05", "birth_date=1987-03-06"},
        {"birth_date", "near", "birth_date=1987-03-05", "birth_date=1988-04-05"},
        {"birth_date", "two_slips", "birth_date=1987-03-05", "birth_date=1997-03-07"},
        {"birth_date", "two_slips", "birth_date=1986-12-28", "birth_date=1987-01-13"},
        {"birth_date", "month", "birth_date=1987-03", "birth_date=1987-03-05"},
        {"birth_date", "year_only", "birth_date=1987", "birth_date=1987-03-05"},
        {"birth_date", "year", "birth_date=1987-03-05", "birth_date=1987-11-28"},
        {"birth_date", "generation", "birth_date=1951-07-01", "birth_date=1979-11-20"},
        {"birth_date", "else", "birth_date=1987-03-05", "birth_date=1991-11-28"},
        {"birth_date", NULL, "birth_date=1987-03-05", "full_name=Emma Clark"},
    };

    (void)state;
    CHECK(PERSON, cases);
}

static void test_phones(void **state)
{
    static const struct level_case cases[] = {
        {"phone", "same", "phone=+8613812345678", "phone=+8613812345678"},
        {"phone", "extension", "phone=+442079460000;ext=12", "phone=+442079460000;ext=47"},
        {"phone", "switchboard", "phone=+442079460000;ext=12", "phone=+442079460000"},
        {"phone", "tail", "phone=+862168502803", "phone=+861068502803"},
        {"phone", "slip", "phone=+8613812345678", "phone=+8613812345687"},
        {"phone", "slip", "phone=+8615152097065", "phone=15152097025"},
        {"phone", "else", "phone=+8613812345678", "phone=+8613700000001"},
        {"phone", NULL, "phone=+8613812345678", "email=a.b@example.com"},
    };

    (void)state;
    CHECK(PERSON, cases);
}

static void test_emails(void **state)
{
    static const struct level_case cases[] = {
        {"email", "same", "email=sunny88@example.com", "email=sunny88@example.com"},
        {"email", "same_role", "email=info@example.com", "email=info@example.com"},
        {"email", "domain_typo", "email=emma.q.clark@gmail.com", "email=emma.q.clark@gmial.com"},
        {"email", "local_typo", "email=sunflower@gmail.com", "email=sunflowr@gmail.com"},
        {"email", "same_local", "email=sunflower@gmail.com", "email=sunflower@yahoo.com"},
        {"email", "same_name_local", "full_name=Emma Clark|email=emma.clark@gmail.com",
         "full_name=Emma Clark|email=emma.clark@yahoo.com"},
        {"email", "similar", "email=dmacdonald@rivers-glass.example",
         "email=dracdonald@river-glass.example"},
        {"email", "else", "email=sunflower@gmail.com", "email=moonlight@yahoo.com"},
        {"email_name", "else", "full_name=叶总|email=yepeng59@126.com", "full_name=叶建英"},
        {"email_name", NULL, "full_name=叶总|email=yejianying@126.com", "full_name=叶建英|email=yjy@126.com"},
        {"email_name", "else", "email=sarah.king@gmail.com", "full_name=Thomas King"},
        {"email_name", "same", "full_name=Peter|email=emma.clark@gmail.com", "full_name=Emma Clark"},
    };

    (void)state;
    CHECK(PERSON, cases);
}

static void test_addresses(void **state)
{
    static const struct level_case cases[] = {
        {"address", "same", "address_line=12 Elm St|city=Leeds", "address_line=12 Elm Street|city=Leeds"},
        {"address", "same", "address_line=人民路5号301室|city=苏州市", "address_line=人民路5号301|city=苏州"},
        {"address", "building", "address_line=12 Elm St, Apt 5|city=Leeds", "address_line=12 Elm St|city=Leeds"},
        {"address", "similar", "address_line=12 Anne Clark Ave|city=Leeds",
         "address_line=12 Anne Clrak Ave|city=Leeds"},
        {"address", "street", "address_line=12 Elm St|city=Leeds", "address_line=77 Elm St|city=Leeds"},
        {"address", "postal", "address_line=12 Elm St|postal_code=LS1 4AP", "postal_code=LS14AP"},
        {"address", "city", "city=上海市", "city=上海"},
        {"address", "city", "city=London", "city=Lodnon"},
        {"address", "moved", "address_line=12 Elm St|city=Leeds", "address_line=5 Mill Lane|city=Leeds"},
        {"address", "area", "address_line=12 Elm St|district=Ascot|postal_code=4107",
         "address_line=5 Mill Lane|district=Ascot|postal_code=4107"},
        {"address", "near", "address_line=12 Elm St|district=Ascot|postal_code=4107",
         "address_line=5 Mill Lane|district=Ascot|postal_code=4017"},
        {"address", "near", "district=Ascot", "district=Ascot"},
        {"address", "else", "address_line=12 Elm St|city=Leeds", "address_line=5 Mill Lane|city=York"},
        {"address", NULL, "address_line=12 Elm St", "city=York"},
    };

    (void)state;
    CHECK(PERSON, cases);
}

static void test_companies(void **state)
{
    static const struct level_case cases[] = {
        {"company_name", "same_region", "company=上海华信科技有限公司", "company=华信科技（上海）有限公司"},
        {"company_name", "same", "company=Acme Tools Ltd.", "company=ACME Tools Limited"},
        {"company_name", "contained", "company=华信", "company=华信科技有限公司"},
        {"company_name", "similar", "company=Hotel Bel Air", "company=Bel-Air Hotel"},
        {"company_name", "contained", "company=Erie Riverside House", "company=Riverside Erie Neighborhood House Inc."},
        {"company_name", "words", "company=Erie House", "company=Erie Neighborhood House"},
        {"company_name", "else", "company=Global Trading Services", "company=United Trading Services"},
        {"company_name", "branch", "company=上海华信科技有限公司", "company=上海华信科技有限公司北京分公司"},
        {"company_name", "other_region", "company=上海华信科技有限公司", "company=北京华信科技有限公司"},
        {"company_name", "else", "company=上海华信科技有限公司", "company=上海瑞丰贸易有限公司"},
        {"company_name", "same", "company=农行杭州桐庐支行", "company=中国农业银行股份有限公司桐庐支行"},
        {"company_name", "branch", "company=招商银行上海分行", "company=招商银行深圳分行"},
        {"company_name", "same_region", "company=重庆力帆控股", "company=重庆力帆控股（集团）有限公司"},
        {"company_name", "similar", "company=北京科电忆恒电力技术有限公司", "company=北京科电亿恒电力技术有限公司"},
        {"credit_code", "same", "credit_code=91310115MA1K4ABC1X", "credit_code=91310115MA1K4ABC1X"},
        {"credit_code", "else", "credit_code=91310115MA1K4ABC1X", "credit_code=91310115MA1K4ABD2Y"},
        {"company_site", "same", "website=https://www.acme.example/a", "website=acme.example"},
    };

    (void)state;
    CHECK(COMPANY, cases);
}

struct similar_case {
    enum field_type type;
    bool same; /* what somebody who has nothing else to go by would say */
    const char *a, *b;
};

static void test_single_values_are_told_apart(void **state)
{
    static const struct similar_case cases[] = {
        {FIELD_COMPANY, true, "Siemens AG", "SiemensAG"},
        {FIELD_COMPANY, false, "Deutsche Bank AG", "Deutsche Bank GmbH"},
        {FIELD_COMPANY, false, "Banco Santander S.A.", "Banco Santander Chile S.A."},
        {FIELD_COMPANY, true, "JSC Northern Mill Works", "Northern Mill Works Joint Stock Company"},
        {FIELD_COMPANY, true, "First National Bank", "1st National Bank"},
        {FIELD_COMPANY, true, "Brigade Forty-Four", "Brigade 44"},
        {FIELD_COMPANY, true, "中粮唐山糖业有限公司", "中粮（唐山）糖业有限公司"},
        {FIELD_COMPANY, true, "乌鲁木齐市商业银行", "乌鲁木齐银行股份有限公司"},
        {FIELD_COMPANY, true, "安徽瑞泰瑞泰新材料科技有限公司", "安徽瑞泰新材料科技有限公司"},
        {FIELD_COMPANY, false, "宁波博远新轩有限公司", "海南博远新轩有限公司"},
        {FIELD_COMPANY, false, "深圳市拓搏实业有限公司", "深圳市拓博实业有限公司"},
        {FIELD_COMPANY, false, "上海华信科技有限公司", "上海华信科技有限公司北京分公司"},
        {FIELD_PERSON_NAME, true, "SergeiLavrov", "Sergei Lavrov"},
        {FIELD_PERSON_NAME, true, "张伟", "Zhang Wei"},
        {FIELD_PERSON_NAME, false, "John Smith", "Jane Smith"},
        {FIELD_PHONE, true, "138 1234 5678", "13812345678"},
        {FIELD_DATE, true, "1987-03-05", "1987-03-05"},
        {FIELD_TEXT, true, "Fresh Water", "fresh water"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double forth = match_similarity(matcher, cases[i].type, slice_str(cases[i].a), slice_str(cases[i].b));
        double back = match_similarity(matcher, cases[i].type, slice_str(cases[i].b), slice_str(cases[i].a));
        if ((forth >= 0.5) != cases[i].same || forth != back)
            fail_msg("%s / %s: %.3f, %.3f", cases[i].a, cases[i].b, forth, back);
    }
}

static void test_numbers_of_people(void **state)
{
    static const struct level_case cases[] = {
        {"national_id", "same", "national_id=110101198703050018", "national_id=110101198703050018"},
        {"national_id", "else", "national_id=110101198703050018", "national_id=110101199107120023"},
        {"wechat_id", "same", "wechat_id=chenjing_88", "wechat_id=ChenJing_88"},
        {"member_no", "else", "member_no=77", "member_no=78"},
        {"gender", "else", "gender=male", "gender=f"},
    };

    (void)state;
    CHECK(PERSON, cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_western_names),   cmocka_unit_test(test_chinese_names),
        cmocka_unit_test(test_dates_of_birth),  cmocka_unit_test(test_phones),
        cmocka_unit_test(test_emails),          cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_companies),       cmocka_unit_test(test_numbers_of_people),
        cmocka_unit_test(test_single_values_are_told_apart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
