/* test_clean.c - one value of each type at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/base/utf8.h"
#include "rules/clean.h"

static const struct clean_context china = {"CN", "Asia/Shanghai", false};
static const struct clean_context america = {"US", "America/New_York", false};
static const struct clean_context germany = {"DE", "Europe/Berlin", true};
static const struct clean_context nowhere = {"", "", false};

struct clean_case {
    const struct clean_context *context;
    const char *input, *value;
    int flags;
    const char *issue;   /* NULL: none */
    int side;            /* 0: not looked at (SIDE_ANOTHER is 0, given as -1) */
    const char *side_value;
};

#define ANOTHER (-1)

static void run(enum field_type type, const struct clean_case *cases, size_t count)
{
    struct arena *arena = arena_new(1 << 22);
    for (size_t i = 0; i < count; i++) {
        const struct clean_case *c = &cases[i];
        struct cleaned out;
        arena_reset(arena);
        clean_value_typed(type, c->context, slice_str(c->input), arena, &out);
        if (!slice_is(out.value, c->value) || out.flags != c->flags)
            fail_msg("'%s': got '" SLICE_FMT "' flags %d, want '%s' flags %d", c->input, SLICE_ARG(out.value), out.flags,
                     c->value, c->flags);
        if (c->issue == NULL ? out.issue_count != 0 : out.issue_count == 0 || strcmp(out.issues[0].code, c->issue) != 0)
            fail_msg("'%s': got issue %s, want %s", c->input, out.issue_count ? out.issues[0].code : "none",
                     c->issue ? c->issue : "none");
        if (c->side != 0) {
            const struct cleaned_side *side = cleaned_find(&out, c->side == ANOTHER ? SIDE_ANOTHER : (enum side_kind)c->side);
            if (c->side_value == NULL ? side != NULL : side == NULL || !slice_is(side->value, c->side_value))
                fail_msg("'%s': side value is '" SLICE_FMT "', want '%s'", c->input, SLICE_ARG(side ? side->value : SLICE_EMPTY),
                         c->side_value ? c->side_value : "(none)");
        }
        if (out.original.len > 0)
            assert_false(slice_eq(out.original, out.value));
    }
    arena_free(&arena);
}
#define RUN(type, cases) run(type, cases, sizeof(cases) / sizeof((cases)[0]))

static void test_phone_numbers_become_e164(void **state)
{
    (void)state;
    static const struct clean_case cases[] = {
        {&china, "13812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "=\"13812345678\"", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "'13812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "\t13812345678\t", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "１３８１２３４５６７８", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "+86 138 1234 5678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "(86)13812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "0086-138-1234-5678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "86-13812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "013812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "1795113812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "13812345678.0", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "电话：13812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "021-61234567", "+862161234567", 0, NULL, SIDE_EXTENSION, NULL},
        {&china, "(021)61234567转123", "+862161234567;ext=123", 0, NULL, SIDE_EXTENSION, "123"},
        {&china, "021-61234567-8001", "+862161234567;ext=8001", 0, NULL, SIDE_EXTENSION, "8001"},
        {&china, "021-61234567分机8", "+862161234567;ext=8", 0, NULL, SIDE_EXTENSION, "8"},
        {&china, "0755 8123 4567", "+8675581234567", 0, NULL, 0, NULL},
        {&china, "400-123-4567", "+864001234567", 0, NULL, 0, NULL},
        {&china, "95588", "+8695588", 0, NULL, 0, NULL},
        {&china, "+852 9123 4567", "+85291234567", 0, NULL, 0, NULL},
        {&china, "13812345678/13912345678", "+8613812345678", 0, NULL, ANOTHER, "+8613912345678"},
        {&china, "13812345678、021-61234567", "+8613812345678", 0, NULL, ANOTHER, "+862161234567"},
        {&china, "13812345678 13912345678", "+8613812345678", 0, NULL, ANOTHER, "+8613912345678"},
        {&china, "021-61234567/61234568", "+862161234567", 0, NULL, ANOTHER, "+862161234568"},
        {&america, "(415) 555-2671", "+14155552671", 0, NULL, 0, NULL},
        {&america, "415.555.2671 x123", "+14155552671;ext=123", 0, NULL, SIDE_EXTENSION, "123"},
        {&america, "1-415-555-2671 ext. 9", "+14155552671;ext=9", 0, NULL, SIDE_EXTENSION, "9"},
        {&america, "1-800-FLOWERS", "+18003569377", 0, NULL, 0, NULL},
        {&america, "011 86 13812345678", "+8613812345678", 0, NULL, 0, NULL},
        {&germany, "0171 1234567", "+491711234567", 0, NULL, 0, NULL},
        {&germany, "+49 (0)30 901820", "+4930901820", 0, NULL, 0, NULL},
        {&nowhere, "+4915112345678", "+4915112345678", 0, NULL, 0, NULL},
        {&nowhere, "8613812345678", "+8613812345678", 0, NULL, 0, NULL},
    };
    RUN(FIELD_PHONE, cases);
}

static void test_phones_that_are_no_evidence(void **state)
{
    (void)state;
    static const struct clean_case cases[] = {
        {&china, "138****1234", "138****1234", VALUE_MASKED, NULL, 0, NULL},
        {&china, "138xxxx1234", "138xxxx1234", VALUE_MASKED, NULL, 0, NULL},
        {&china, "13812345678-1234", "+8613812345678;ext=1234", VALUE_VIRTUAL, NULL, 0, NULL},
        {&china, "17531103964_6603", "+8617531103964;ext=6603", VALUE_VIRTUAL, NULL, 0, NULL},
        {&china, "13812345678转123", "+8613812345678;ext=123", VALUE_VIRTUAL, NULL, 0, NULL},
        {&china, "13812345678[1234]", "+8613812345678;ext=1234", VALUE_VIRTUAL, NULL, 0, NULL},
        {&china, "##h2Kd9f", "##h2Kd9f", VALUE_ENCRYPTED, NULL, 0, NULL},
        {&china, "$$abc", "$$abc", VALUE_ENCRYPTED, NULL, 0, NULL},
        {&china, "~abc~", "~abc~", VALUE_ENCRYPTED, NULL, 0, NULL},
        {&china, "1.38E+10", "1.38E+10", VALUE_INVALID, "phone.precision_lost", 0, NULL},
        {&china, "8.61381E+12", "8.61381E+12", VALUE_INVALID, "phone.precision_lost", 0, NULL},
        {&china, "1.3812345678E10", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "1.3812345678E+10", "+8613812345678", 0, NULL, 0, NULL},
        {&china, "13800000000", "+8613800000000", VALUE_NOBODY, NULL, 0, NULL},
        {&china, "1234567890", "1234567890", VALUE_NOBODY, NULL, 0, NULL},
        {&china, "00000000", "00000000", VALUE_NOBODY, NULL, 0, NULL},
        {&america, "111-111-1111", "111-111-1111", VALUE_NOBODY, NULL, 0, NULL},
        {&china, "n/a", "n/a", VALUE_NOBODY, NULL, 0, NULL},
        {&china, "无", "无", VALUE_NOBODY, NULL, 0, NULL},
        {&china, "1381234567", "1381234567", VALUE_INVALID, "phone.invalid", 0, NULL},
        {&china, "abc", "abc", VALUE_INVALID, "phone.invalid", 0, NULL},
        {&china, "12", "12", VALUE_INVALID, "phone.too_short", 0, NULL},
        {&nowhere, "138 1234 5678", "13812345678", 0, "phone.no_country", 0, NULL},
        {&nowhere, "563-5800", "563-5800", VALUE_INVALID, "phone.no_country", 0, NULL},
        {&china, "   ", "", 0, NULL, 0, NULL},
    };
    RUN(FIELD_PHONE, cases);
}

static void test_emails_meet_in_one_form(void **state)
{
    (void)state;
    static const struct clean_case cases[] = {
        {&nowhere, "John.Doe+news@Gmail.com", "johndoe@gmail.com", 0, NULL, 0, NULL},
        {&nowhere, "j.doe@googlemail.com", "jdoe@gmail.com", 0, NULL, 0, NULL},
        {&nowhere, "ann+shop@outlook.de", "ann@outlook.de", 0, NULL, 0, NULL},
        {&nowhere, "ann+shop@corp.com", "ann+shop@corp.com", 0, NULL, 0, NULL},
        {&nowhere, " mailto:li@EXAMPLE.com?subject=x ", "li@example.com", 0, NULL, 0, NULL},
        {&nowhere, "Li Wei <li.wei@corp.cn>", "li.wei@corp.cn", 0, NULL, SIDE_FULL_NAME, "Li Wei"},
        {&nowhere, "\"Wei, Li\" <li.wei@corp.cn>", "li.wei@corp.cn", 0, NULL, SIDE_FULL_NAME, "Wei, Li"},
        {&nowhere, "li@bücher.de", "li@xn--bcher-kva.de", 0, NULL, 0, NULL},
        {&nowhere, "张三@例子.公司", "张三@xn--fsqu00a.xn--55qx5d", 0, NULL, 0, NULL},
        {&nowhere, "ＬＩ＠ｑｑ．ｃｏｍ", "li@qq.com", 0, NULL, 0, NULL},
        {&nowhere, "ann@x.com; bob@y.com", "ann@x.com", 0, NULL, ANOTHER, "bob@y.com"},
        {&nowhere, "info@acme.com", "info@acme.com", 0, NULL, SIDE_EMAIL_ROLE, "info"},
        {&nowhere, "joe@gmial.com", "joe@gmial.com", 0, "email.domain_typo", 0, NULL},
        {&nowhere, "joe@qq.con", "joe@qq.con", 0, "email.domain_typo", 0, NULL},
        {&nowhere, "test@test.com", "test@test.com", VALUE_NOBODY, NULL, 0, NULL},
        {&nowhere, "noreply@foo.com", "noreply@foo.com", VALUE_NOBODY, NULL, 0, NULL},
        {&nowhere, "aa@aa.aa", "aa@aa.aa", VALUE_NOBODY, NULL, 0, NULL},
        {&nowhere, "d****@gmail.com", "d****@gmail.com", VALUE_MASKED, NULL, 0, NULL},
        {&nowhere, "a@b", "a@b", VALUE_INVALID, "email.syntax", 0, NULL},
        {&nowhere, "x y@z.com", "x y@z.com", VALUE_INVALID, "email.syntax", 0, NULL},
        {&nowhere, "a..b@z.com", "a..b@z.com", VALUE_INVALID, "email.syntax", 0, NULL},
        {&nowhere, "@z.com", "@z.com", VALUE_INVALID, "email.syntax", 0, NULL},
        {&nowhere, "a@-z.com", "a@-z.com", VALUE_INVALID, "email.syntax", 0, NULL},
        {&nowhere, "no email", "no email", VALUE_INVALID, "email.syntax", 0, NULL},
    };
    RUN(FIELD_EMAIL, cases);
}

static void test_dates_of_every_country(void **state)
{
    (void)state;
    static const struct clean_case cases[] = {
        {&china, "1990-03-05", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "1990/3/5", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "1990.03.05", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "1990年3月5日", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "一九九〇年十二月二十一日", "1990-12-21", 0, NULL, 0, NULL},
        {&china, "1990年3月", "1990-03", 0, NULL, 0, NULL},
        {&china, "19900305", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "32937", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "32937.0", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "1990", "1990", 0, NULL, 0, NULL},
        {&china, "1990-03", "1990-03", 0, NULL, 0, NULL},
        {&china, "199003", "1990-03", 0, NULL, 0, NULL},
        {&america, "03/04/1990", "1990-03-04", 0, NULL, 0, NULL},
        {&germany, "03/04/1990", "1990-04-03", 0, NULL, 0, NULL},
        {&america, "13/04/1990", "1990-04-13", 0, NULL, 0, NULL},
        {&america, "5.3.1990", "1990-03-05", 0, NULL, 0, NULL},
        {&america, "5 Mar 1990", "1990-03-05", 0, NULL, 0, NULL},
        {&america, "March 3rd, 1990", "1990-03-03", 0, NULL, 0, NULL},
        {&america, "Mon, 5 March 1990", "1990-03-05", 0, NULL, 0, NULL},
        {&america, "3-Mar-90", "1990-03-03", 0, NULL, 0, NULL},
        {&america, "05/03/29", "2029-05-03", 0, NULL, 0, NULL},
        {&germany, "3. März 1990", "1990-03-03", 0, NULL, 0, NULL},
        {&china, "1990-03-05 00:00:00", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "1990-03-05T00:00:00Z", "1990-03-05", 0, NULL, 0, NULL},
        {&china, "2000-02-29", "2000-02-29", 0, NULL, 0, NULL},
        {&china, "1900-02-29", "1900-02-29", VALUE_INVALID, "date.implausible", 0, NULL},
        {&china, "1990-02-30", "1990-02-30", VALUE_INVALID, "date.implausible", 0, NULL},
        {&china, "1790-02-03", "1790-02-03", VALUE_INVALID, "date.implausible", 0, NULL},
        {&china, "农历三月初五", "农历三月初五", VALUE_INVALID, "date.invalid", 0, NULL},
        {&china, "tomorrow", "tomorrow", VALUE_INVALID, "date.invalid", 0, NULL},
        {&china, "0000-00-00", "0000-00-00", VALUE_NOBODY, NULL, 0, NULL},
        {&china, "1900-01-01", "1900-01-01", VALUE_NOBODY, NULL, 0, NULL},
        {&china, "1990-**-**", "1990-**-**", VALUE_MASKED, NULL, 0, NULL},
    };
    RUN(FIELD_DATE, cases);
}

static void test_timestamps_are_utc(void **state)
{
    (void)state;
    static const struct clean_case cases[] = {
        {&china, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z", 0, NULL, 0, NULL},
        {&china, "2026-03-01 10:00:00 +0900", "2026-03-01T01:00:00Z", 0, NULL, 0, NULL},
        {&china, "2026-03-01T10:00:00.25+08:00", "2026-03-01T02:00:00.250000Z", 0, NULL, 0, NULL},
        {&china, "2026-03-01 10:00:00", "2026-03-01T02:00:00Z", 0, NULL, 0, NULL},
        {&china, "1767225600", "2026-01-01T00:00:00Z", 0, NULL, 0, NULL},
        {&china, "1767225600123", "2026-01-01T00:00:00.123000Z", 0, NULL, 0, NULL},
        {&china, "Mar 22, 2025 19:13:27", "2025-03-22T11:13:27Z", 0, NULL, 0, NULL},
        {&china, "08/09/2026 10:50:00 AM", "2026-08-09T02:50:00Z", 0, NULL, 0, NULL},
        {&china, "08/09/2026 12:50:00 AM", "2026-08-08T16:50:00Z", 0, NULL, 0, NULL},
        {&china, "2026/3/1 下午3:05", "2026-03-01T07:05:00Z", 0, NULL, 0, NULL},
        {&china, "Sat Mar 22 19:13:27 CST 2025", "2025-03-22T11:13:27Z", 0, NULL, 0, NULL},
        {&america, "2025-03-22 19:13:27 CST", "2025-03-23T01:13:27Z", 0, NULL, 0, NULL},
        {&china, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", 0, NULL, 0, NULL},
        {&china, "20260301100000", "2026-03-01T02:00:00Z", 0, NULL, 0, NULL},
        {&china, "46082.5", "2026-03-01T04:00:00Z", 0, NULL, 0, NULL},
        {&nowhere, "2026-03-01", "2026-03-01T00:00:00Z", 0, NULL, 0, NULL},
        {&china, "1988-06-01 12:00:00", "1988-06-01T03:00:00Z", 0, NULL, 0, NULL},
        {&america, "2026-07-01 10:00:00", "2026-07-01T14:00:00Z", 0, NULL, 0, NULL},
        {&america, "2026-01-01 10:00:00", "2026-01-01T15:00:00Z", 0, NULL, 0, NULL},
        {&germany, "01.07.2026 10:00", "2026-07-01T08:00:00Z", 0, NULL, 0, NULL},
        {&china, "nope", "nope", VALUE_INVALID, "timestamp.invalid", 0, NULL},
        {&china, "2026-03-01 25:00:00", "2026-03-01 25:00:00", VALUE_INVALID, "timestamp.invalid", 0, NULL},
        {&china, "--", "--", VALUE_NOBODY, NULL, 0, NULL},
    };
    RUN(FIELD_TIMESTAMP, cases);
    int64_t at_us = 0;
    assert_true(clean_timestamp_us(SLICE("2026-01-01T00:00:00.000001Z"), &at_us));
    assert_true(at_us == INT64_C(1767225600000001));
    assert_true(clean_timestamp_us(SLICE("1970-01-02"), &at_us));
    assert_true(at_us == INT64_C(86400000000));
    assert_false(clean_timestamp_us(SLICE("1970-01"), &at_us));
    assert_false(clean_timestamp_us(SLICE("2026-13-01T00:00:00Z"), &at_us));
}

static void test_id_numbers_are_checked(void **state)
{
    (void)state;
    static const struct clean_context spain = {"ES", "", true}, italy = {"IT", "", true}, britain = {"GB", "", true},
                                      france = {"FR", "", true}, hong_kong = {"HK", "", true}, taiwan = {"TW", "", false};
    static const struct clean_case cases[] = {
        {&china, "11010519491231002X", "11010519491231002X", 0, NULL, SIDE_BIRTH_DATE, "1949-12-31"},
        {&china, "1101051949 1231 002x", "11010519491231002X", 0, NULL, SIDE_GENDER, "female"},
        {&china, "360426199101010071", "360426199101010071", 0, NULL, SIDE_GENDER, "male"},
        {&china, "110105491231002", "11010519491231002X", 0, NULL, SIDE_BIRTH_DATE, "1949-12-31"},
        {&china, "110105194912310021", "110105194912310021", VALUE_INVALID, "id_number.checksum", 0, NULL},
        {&china, "110105194912310000", "110105194912310000", VALUE_INVALID, "id_number.precision_lost", 0, NULL},
        {&china, "1.10105E+17", "1.10105E+17", VALUE_INVALID, "id_number.precision_lost", 0, NULL},
        {&china, "110105********002X", "110105********002X", VALUE_MASKED, NULL, 0, NULL},
        {&china, "91110000600037341L", "91110000600037341L", 0, NULL, 0, NULL},
        {&china, "91310115591693856a", "91310115591693856A", 0, NULL, 0, NULL},
        {&china, "91350211M00013FA1N", "91350211M00013FA1N", VALUE_INVALID, "id_number.checksum", 0, NULL},
        {&nowhere, "11010519491231002X", "11010519491231002X", 0, NULL, 0, NULL},
        {&nowhere, "E12345678", "E12345678", 0, NULL, 0, NULL}, /* nothing could check it */
        {&nowhere, "K-1188", "K1188", 0, NULL, 0, NULL},
        {&nowhere, "member", "MEMBER", VALUE_INVALID, "id_number.invalid", 0, NULL},
        {&nowhere, "A1", "A1", VALUE_INVALID, "id_number.invalid", 0, NULL},
        {&america, "536-90-4399", "536904399", 0, NULL, 0, NULL},
        {&america, "000-12-3456", "000123456", VALUE_INVALID, "id_number.invalid", 0, NULL},
        {&america, "123-45-6789", "123456789", VALUE_NOBODY, NULL, 0, NULL},
        {&spain, "12345678-Z", "12345678Z", 0, NULL, 0, NULL},
        {&spain, "X1234567L", "X1234567L", 0, NULL, 0, NULL},
        {&spain, "12345678A", "12345678A", VALUE_INVALID, "id_number.invalid", 0, NULL},
        {&italy, "rssmra85t10a562s", "RSSMRA85T10A562S", 0, NULL, 0, NULL},
        {&britain, "AB 12 34 56 C", "AB123456C", 0, NULL, 0, NULL},
        {&britain, "QQ123456C", "QQ123456C", VALUE_INVALID, "id_number.invalid", 0, NULL},
        {&germany, "86 095 742 719", "86095742719", 0, NULL, 0, NULL},
        {&france, "1 84 12 76 451 089 46", "184127645108946", 0, NULL, 0, NULL},
        {&hong_kong, "A123456(3)", "A1234563", 0, NULL, 0, NULL},
        {&taiwan, "A123456789", "A123456789", 0, NULL, 0, NULL},
    };
    RUN(FIELD_ID_NUMBER, cases);
}

static void test_numbers_and_money(void **state)
{
    (void)state;
    static const struct clean_case numbers[] = {
        {&nowhere, "1,234.5", "1234.5", 0, NULL, 0, NULL}, {&nowhere, "1.234,5", "1234.5", 0, NULL, 0, NULL}, {&germany, "1.234", "1234", 0, NULL, 0, NULL},
        {&nowhere, "1.234", "1.234", 0, NULL, 0, NULL}, {&nowhere, "3万", "30000", 0, NULL, 0, NULL}, {&nowhere, "1.5E-3", "0.0015", 0, NULL, 0, NULL},
        {&nowhere, "007", "7", 0, NULL, 0, NULL}, {&nowhere, "-0.50", "-0.5", 0, NULL, 0, NULL}, {&nowhere, "-0", "0", 0, NULL, 0, NULL}, {&nowhere, "50%", "0.5", 0, NULL, 0, NULL},
        {&nowhere, "１２", "12", 0, NULL, 0, NULL}, {&nowhere, "1,2,3", "1,2,3", VALUE_INVALID, "number.invalid", 0, NULL}, {&nowhere, "12a", "12a", VALUE_INVALID, "number.invalid", 0, NULL},
    };
    static const struct clean_case money[] = {
        {&china, "¥1,234.50", "123450 CNY", 0, NULL, SIDE_CURRENCY, "CNY"}, {&china, "￥1,234.50", "123450 CNY", 0, NULL, 0, NULL}, {&nowhere, "12.50 EUR", "1250 EUR", 0, NULL, 0, NULL},
        {&america, "$5", "500 USD", 0, NULL, 0, NULL}, {&germany, "1.234,50 €", "123450 EUR", 0, NULL, 0, NULL}, {&china, "1.5万元", "1500000 CNY", 0, NULL, 0, NULL},
        {&china, "-¥5", "-500 CNY", 0, NULL, 0, NULL}, {&nowhere, "JPY 1,000", "1000 JPY", 0, NULL, 0, NULL}, {&nowhere, "RMB 99.995", "10000 CNY", 0, NULL, 0, NULL},
        {&nowhere, "100", "10000", 0, "money.no_currency", 0, NULL}, {&nowhere, "abc", "abc", VALUE_INVALID, "money.invalid", 0, NULL},
    };
    RUN(FIELD_NUMBER, numbers);
    RUN(FIELD_MONEY, money);
}

static void test_urls_places_tags_and_texts(void **state)
{
    (void)state;
    static const struct clean_case urls[] = {
        {&nowhere, "HTTP://Example.COM/Path?utm_source=x", "http://example.com/Path?utm_source=x", 0, NULL, 0, NULL},
        {&nowhere, "example.com", "http://example.com", 0, NULL, 0, NULL},
        {&nowhere, "https://bücher.de:443/a", "https://xn--bcher-kva.de/a", 0, NULL, 0, NULL},
        {&nowhere, "https://user:secret@x.com/", "https://x.com", 0, NULL, 0, NULL},
        {&nowhere, "javascript:alert(1)", "javascript:alert(1)", VALUE_INVALID, "url.invalid", 0, NULL},
        {&nowhere, "not a url", "not a url", VALUE_INVALID, "url.invalid", 0, NULL},
    };
    static const struct clean_case places[] = {
        {&nowhere, "31.2304, 121.4737", "31.230400,121.473700", 0, NULL, 0, NULL},
        {&nowhere, "33.86S 151.2E", "-33.860000,151.200000", 0, NULL, 0, NULL},
        {&nowhere, "0,0", "0.000000,0.000000", VALUE_NOBODY, NULL, 0, NULL},
        {&nowhere, "91,0", "91,0", VALUE_INVALID, "geo.invalid", 0, NULL},
    };
    static const struct clean_case tags[] = {
        {&nowhere, "a, b;c；a、 | 重要客户", "a", 0, NULL, ANOTHER, "b"},
        {&nowhere, "VIP", "VIP", 0, NULL, ANOTHER, NULL},
    };
    static const struct clean_case texts[] = {
        {&nowhere, "  Hello \r\n  wörld　!\x01 ", "Hello\nwörld !", 0, NULL, 0, NULL},
    };
    RUN(FIELD_URL, urls);
    RUN(FIELD_GEO, places);
    RUN(FIELD_TAGS, tags);
    RUN(FIELD_TEXT, texts);
}

static void test_person_names_give_their_parts(void **state)
{
    (void)state;
    static const struct clean_case cases[] = {
        {&china, "张三(经理)", "张三", 0, NULL, SIDE_NOTE, "经理"},
        {&china, "李先生", "李先生", 0, NULL, SIDE_GENDER, "male"},
        {&china, "张**", "张**", VALUE_MASKED, NULL, SIDE_FAMILY_NAME, "张"},
        {&china, "微信用户", "微信用户", VALUE_NOBODY, NULL, 0, NULL},
        {&america, "Dr. Hans-Peter Müller-Lüdenscheidt jun.", "Hans-Peter Müller-Lüdenscheidt", 0, NULL, SIDE_TITLE, "Dr."},
        {&america, "GARCÍA MÁRQUEZ Gabriel", "Gabriel García Márquez", 0, NULL, SIDE_FAMILY_NAME, "García Márquez"},
    };
    RUN(FIELD_PERSON_NAME, cases);
}

static void test_too_long_and_broken_values_are_issues(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 22);
    struct cleaned out;
    char *long_text = malloc(CLEAN_INPUT_MAX_BYTES + 1);
    memset(long_text, '1', CLEAN_INPUT_MAX_BYTES + 1);
    for (int type = 0; type < FIELD_TYPE_COUNT; type++) {
        arena_reset(arena);
        clean_value_typed((enum field_type)type, &china, slice_of(long_text, CLEAN_INPUT_MAX_BYTES + 1), arena, &out);
        assert_int_equal(out.value.len, 0);
        assert_string_equal(out.issues[0].code, "value.too_long");
        clean_value_typed((enum field_type)type, &china, slice_of(long_text, CLEAN_INPUT_MAX_BYTES), arena, &out);
        assert_false(arena_failed(arena));
        clean_value_typed((enum field_type)type, &china, slice_of("ab\xFF\x00" "c\xE5\xBC", 7), arena, &out);
        assert_true(utf8_valid(out.value) && memchr(out.value.ptr, 0, out.value.len) == NULL);
        assert_true(utf8_valid(out.original) && memchr(out.original.ptr, 0, out.original.len) == NULL);
        assert_string_equal(out.issues[0].code, "text.bad_encoding");
    }
    free(long_text);
    arena_free(&arena);
}

static void test_countries_by_any_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"CN", "CN"}, {"china", "CN"}, {"中国", "CN"}, {"中华人民共和国", "CN"}, {"P.R. China", "CN"}, {"USA", "US"}, {"U.S.A.", "US"}, {"United States", "US"}, {"美国", "US"},
                                           {"Deutschland", "DE"}, {"GERMANY", "DE"}, {"España", "ES"}, {"UK", "GB"}, {"日本", "JP"}, {"香港", "HK"}, {"Россия", "RU"}, {"österreich", "AT"}, {"CHN", "CN"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *code = clean_country(slice_str(cases[i][0]));
        if (code == NULL || strcmp(code, cases[i][1]) != 0)
            fail_msg("'%s': got %s", cases[i][0], code ? code : "nothing");
    }
    assert_null(clean_country(SLICE("Atlantis")));
    assert_null(clean_country(SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phone_numbers_become_e164),
        cmocka_unit_test(test_phones_that_are_no_evidence),
        cmocka_unit_test(test_emails_meet_in_one_form),
        cmocka_unit_test(test_dates_of_every_country),
        cmocka_unit_test(test_timestamps_are_utc),
        cmocka_unit_test(test_id_numbers_are_checked),
        cmocka_unit_test(test_numbers_and_money),
        cmocka_unit_test(test_urls_places_tags_and_texts),
        cmocka_unit_test(test_person_names_give_their_parts),
        cmocka_unit_test(test_too_long_and_broken_values_are_issues),
        cmocka_unit_test(test_countries_by_any_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
