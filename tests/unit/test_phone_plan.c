/* test_phone_plan.c - the fast plans never say yes where libphonenumber says no. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/phone_plan.h"
#include "rules/phone_shim.h"

#define SAMPLES_PER_PATTERN 300

static uint64_t seed = 88172645463325252u; /* fixed: the same sample every time */

static unsigned random_below(unsigned limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % limit;
}

/* A random number of the pattern at `at`; returns where the next pattern begins. */
static const char *generate(size_t first, const char *at, char out[24])
{
    size_t length = 0;
    out[length++] = (char)('0' + first);
    while (*at && *at != '|') {
        if (*at == 'x') {
            out[length++] = (char)('0' + random_below(10));
            at++;
        } else if (*at == '[') {
            char set[10];
            unsigned count = 0;
            for (at++; *at != ']'; at++) {
                if (at[1] == '-') {
                    for (char c = at[0]; c <= at[2]; c++)
                        set[count++] = c;
                    at += 2;
                } else {
                    set[count++] = *at;
                }
            }
            at++;
            out[length++] = set[random_below(count)];
        } else {
            out[length++] = *at++;
        }
    }
    out[length] = '\0';
    return *at == '|' ? at + 1 : at;
}

static bool library_agrees(const struct phone_plan *plan, const char *national)
{
    char e164[32], dialled[32];
    struct phone_parsed parsed;
    snprintf(e164, sizeof(e164), "+%s%s", plan->code, national);
    snprintf(dialled, sizeof(dialled), "%s%s", plan->trunk, national);
    return phone_library_parse(e164, strlen(e164), "", &parsed) == PHONE_VALID && strcmp(parsed.e164, e164) == 0 &&
           phone_library_parse(dialled, strlen(dialled), plan->country, &parsed) == PHONE_VALID && strcmp(parsed.e164, e164) == 0;
}

static void test_plans_agree_with_the_library(void **state)
{
    (void)state;
    size_t wrong = 0, tried = 0;
    for (size_t i = 0; i < phone_plan_count * 10; i++) {
        const struct phone_plan *plan = &phone_plans[i / 10];
        const char *next;
        for (const char *at = plan->patterns[i % 10]; at && *at; at = next) {
            next = at;
            for (int n = 0; n < SAMPLES_PER_PATTERN; n++, tried++) {
                char national[24];
                next = generate(i % 10, at, national);
                assert_true(phone_plan_matches(plan, slice_str(national)));
                if (!library_agrees(plan, national) && wrong++ < 40)
                    print_error("+%s%s (pattern at %.16s) is not valid to the library\n", plan->code, national, at);
            }
        }
    }
    print_message("%zu numbers tried\n", tried);
    assert_int_equal(wrong, 0);
}

static void test_plans_refuse_other_lengths(void **state)
{
    (void)state;
    const struct phone_plan *china = phone_plan_of_country("CN");
    assert_false(phone_plan_matches(china, SLICE("1381234567")));
    assert_false(phone_plan_matches(china, SLICE("138123456789")));
    assert_false(phone_plan_matches(china, SLICE("")));
    assert_false(phone_plan_matches(china, SLICE("1381234567a")));
    assert_string_equal(phone_plan_of_digits(SLICE("8613812345678"))->country, "CN");
    assert_string_equal(phone_plan_of_country("CA")->code, "1");
    assert_null(phone_plan_of_country("ZZ"));
    assert_null(phone_plan_of_digits(SLICE("999")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans_agree_with_the_library),
        cmocka_unit_test(test_plans_refuse_other_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
