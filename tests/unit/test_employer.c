/* employer_of: which company a person's record names, and what of the record is the company's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
/* after the C headers it needs */
#include <cmocka.h>

#include "daemon/base/asset.h"
#include "rules/employer.h"

static struct ruleset *ruleset;
static struct cleaner *cleaner;
static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    struct problems problems = {0};
    bool found;
    struct pack_text pack = {"people", asset_find("rules/packs/people.yaml", &found)};
    ruleset = ruleset_new(&pack, 1, NULL, &problems);
    problems_free(&problems);
    cleaner = ruleset ? cleaner_new(ruleset) : NULL;
    arena = arena_new((size_t)16 << 20);
    return cleaner && arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    cleaner_free(&cleaner);
    ruleset_free(&ruleset);
    arena_free(&arena);
    return 0;
}

/* "field=value|field=value" of the employer that a record of these columns names; "none". */
static const char *employer(enum record_kind kind, const char *const *pairs)
{
    static char text[1000];
    struct slice names[16], values[16];
    struct columns columns = {0, 0, names};
    for (; pairs[2 * columns.count]; columns.count++) {
        names[columns.count] = slice_str(pairs[2 * columns.count]);
        values[columns.count] = slice_str(pairs[2 * columns.count + 1]);
        columns.id = slice_hash(names[columns.count], columns.id + 1);
    }
    struct source_rules source = {.name = "s", .country = "CN", .time_zone = "", .kind = kind};
    struct raw_record raw = {
        .external_id = SLICE("1"), .part = SLICE("main"), .columns = &columns, .values = values};
    struct clean_record person, company;
    struct err err;
    assert_int_equal(ruleset_clean(cleaner, &source, &raw, arena, &person, &err), STATUS_OK);
    if (!employer_of(ruleset, &person, arena, &company))
        return "none";
    assert_int_equal(company.kind, KIND_COMPANY);
    assert_int_equal(company.outcome, CLEAN_OK);
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < company.value_count; i++) {
        const struct clean_value *value = &company.values[i];
        assert_true(i == 0 || company.values[i - 1].field <= value->field);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%.*s%s", i ? "|" : "",
                                 ruleset_schema(ruleset)->fields[value->field].name, SLICE_ARG(value->value),
                                 value->flags & VALUE_DERIVED ? "*" : "");
    }
    return text;
}

#define EMPLOYER(...) employer(KIND_PERSON, (const char *const[]){__VA_ARGS__, NULL})

static void test_nothing_that_identifies_the_person_goes_along(void **state)
{
    (void)state;
    assert_string_equal(
        EMPLOYER("name", "林晓雯", "mobile", "13917173952", "email", "lin@huaxin-tech.cn", "company",
                 "上海华信科技有限公司", "title", "经理", "address", "上海市浦东新区张江路88号", "industry", "software",
                 "birthday", "1990-01-02", "wechat", "lin_xw88"),
        "company=上海华信科技有限公司|industry=互联网|website=https://huaxin-tech.cn*");
}

static void test_a_website_that_is_said_goes_before_the_mail_domain(void **state)
{
    (void)state;
    assert_string_equal(EMPLOYER("name", "Ann Lee", "email", "ann@lee-mail.example", "company", "Lee Stores GmbH",
                                 "website", "www.lee-stores.example"),
                        "company=Lee Stores GmbH|website=http://www.lee-stores.example");
}

static void test_a_mailbox_at_a_providers_says_nothing_of_the_company(void **state)
{
    (void)state;
    assert_string_equal(EMPLOYER("name", "Ann Lee", "email", "ann.lee@gmail.com", "company", "Lee Stores GmbH"),
                        "company=Lee Stores GmbH");
    assert_string_equal(EMPLOYER("name", "Ann Lee", "email", "test@test.com", "company", "Lee Stores GmbH"),
                        "company=Lee Stores GmbH");
}

static void test_the_place_stands_in_for_a_region_the_name_does_not_tell(void **state)
{
    (void)state;
    assert_string_equal(EMPLOYER("name", "林晓雯", "company", "华信科技", "city", "上海"),
                        "company=华信科技|city=上海市|province=上海市*");
    assert_string_equal(EMPLOYER("name", "林晓雯", "company", "上海华信科技有限公司", "city", "苏州"),
                        "company=上海华信科技有限公司");
}

static void test_a_registration_alone_names_a_company(void **state)
{
    (void)state;
    assert_string_equal(EMPLOYER("name", "林晓雯", "税号", "91310115591693856A"), "credit_code=91310115591693856A");
    assert_string_equal(EMPLOYER("name", "林晓雯", "税号", "91310115591693856B", "mobile", "13917173952"), "none");
}

static void test_who_names_nobody_has_no_employer(void **state)
{
    (void)state;
    assert_string_equal(EMPLOYER("name", "林晓雯", "mobile", "13917173952"), "none");
    assert_string_equal(EMPLOYER("name", "林晓雯", "company", "个人"), "none");
    assert_string_equal(EMPLOYER("name", "Ann Lee", "company", "self-employed", "website", "ann.example"), "none");
    assert_string_equal(EMPLOYER("name", "Hans Müller", "company", "HANS MÜLLER"), "none");
}

static void test_a_company_has_no_employer(void **state)
{
    (void)state;
    assert_string_equal(employer(KIND_COMPANY, (const char *const[]){"company", "上海华信科技有限公司", NULL}), "none");
}

static void test_a_refused_record_has_no_employer(void **state)
{
    (void)state;
    struct clean_record refused = {.kind = KIND_PERSON, .outcome = CLEAN_REJECT}, company;
    assert_false(employer_of(ruleset, &refused, arena, &company));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_that_identifies_the_person_goes_along),
        cmocka_unit_test(test_a_website_that_is_said_goes_before_the_mail_domain),
        cmocka_unit_test(test_a_mailbox_at_a_providers_says_nothing_of_the_company),
        cmocka_unit_test(test_the_place_stands_in_for_a_region_the_name_does_not_tell),
        cmocka_unit_test(test_a_registration_alone_names_a_company),
        cmocka_unit_test(test_who_names_nobody_has_no_employer),
        cmocka_unit_test(test_a_company_has_no_employer),
        cmocka_unit_test(test_a_refused_record_has_no_employer),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
