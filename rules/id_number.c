/* id_number.c - identity and company numbers with their check digits. */
#include "rules/clean_intern.h"
#include "rules/moment.h"
#include "rules/text.h"

#define ID_MAX_BYTES 64
#define PLAIN_LEAST_BYTES 5 /* of a number that nothing checks */

/* GB 11643: the check character of the first 17 digits. */
static char cn_check(const char *digits)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 17; i++)
        sum += (digits[i] - '0') * weights[i];
    return "10X98765432"[sum % 11];
}

static bool cn_province_exists(const char *digits)
{
    static const char codes[] = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91";
    for (const char *p = codes; *p; p += p[2] ? 3 : 2) {
        if (p[0] == digits[0] && p[1] == digits[1])
            return true;
    }
    return false;
}

static bool cn_birth_date(const char *digits, struct moment_date *date)
{
    int n[8];
    for (int i = 0; i < 8; i++)
        n[i] = digits[6 + i] - '0';
    *date = (struct moment_date){n[0] * 1000 + n[1] * 100 + n[2] * 10 + n[3], n[4] * 10 + n[5], n[6] * 10 + n[7]};
    return moment_date_exists(date) && date->month > 0 && date->day > 0 && date->year >= 1860 && date->year <= 2100;
}

/* Text as 18 digits of an identity card; a 15-digit one gets its century and check character. */
static bool cn_card_shape(struct slice s, char card[19])
{
    if (s.len == 18 && text_all_digits(slice_sub(s, 0, 17)) && (is_digit(s.ptr[17]) || s.ptr[17] == 'X')) {
        memcpy(card, s.ptr, 18);
    } else if (s.len == 15 && text_all_digits(s)) {
        memcpy(card, s.ptr, 6);
        memcpy(card + 6, "19", 2);
        memcpy(card + 8, s.ptr + 6, 9);
        card[17] = cn_check(card);
    } else {
        return false;
    }
    card[18] = '\0';
    return true;
}

static const char *check_cn_card(const char card[19], struct moment_date *birth)
{
    if (card[17] != cn_check(card))
        return memcmp(card + 15, "000", 3) == 0 ? "id_number.precision_lost" : "id_number.checksum";
    return cn_province_exists(card) && cn_birth_date(card, birth) ? NULL : "id_number.invalid";
}

/* GB 32100: 18 characters, the last a check of the others. */
static bool is_credit_code_shape(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_digit(s.ptr[i]) && !(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' && !strchr("IOZSV", s.ptr[i])))
            return false;
    }
    return s.len == 18 && text_all_digits(slice_sub(s, 2, 8));
}

static bool credit_code_checks(struct slice s)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    static const int weights[] = {1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28};
    int sum = 0;
    for (int i = 0; i < 17; i++)
        sum += (int)(strchr(alphabet, s.ptr[i]) - alphabet) * weights[i];
    return s.ptr[17] == alphabet[(31 - sum % 31) % 31];
}

static bool matches(struct slice s, const char *shape) /* 9 a digit, A a letter, * either */
{
    if (s.len != strlen(shape))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = c >= 'A' && c <= 'Z';
        if ((shape[i] == '9' && !is_digit(c)) || (shape[i] == 'A' && !letter) || (shape[i] == '*' && !letter && !is_digit(c)))
            return false;
    }
    return true;
}

static int64_t digits_value(struct slice s)
{
    int64_t value = 0;
    return slice_to_int64(s, &value) ? value : 0;
}

/* Social security number: never area 000, 666 or 9xx, group 00, serial 0000 (SSA). */
static bool us_is_valid(struct slice s)
{
    return matches(s, "999999999") && memcmp(s.ptr, "000", 3) != 0 && memcmp(s.ptr, "666", 3) != 0 && s.ptr[0] != '9' &&
           memcmp(s.ptr + 3, "00", 2) != 0 && memcmp(s.ptr + 5, "0000", 4) != 0;
}

/* DNI and NIE: the letter is the number modulo 23. */
static bool es_is_valid(struct slice s)
{
    char text[9];
    if (!matches(s, "*9999999A"))
        return false;
    memcpy(text, s.ptr, 9);
    if (text[0] >= 'X' && text[0] <= 'Z')
        text[0] = (char)('0' + text[0] - 'X');
    if (!is_digit(text[0]))
        return false;
    return "TRWAGMYFPDXBNJZSQVHLCKE"[digits_value(slice_of(text, 8)) % 23] == text[8];
}

/* Codice fiscale (D.M. 23/12/1976): odd places have values of their own. */
static bool it_is_valid(struct slice s)
{
    static const int odd[] = {1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23};
    int sum = 0;
    if (!matches(s, "AAAAAA**A**A***A"))
        return false;
    for (int i = 0; i < 15; i++) {
        int value = is_digit(s.ptr[i]) ? s.ptr[i] - '0' : s.ptr[i] - 'A';
        sum += i % 2 == 0 ? odd[value] : value;
    }
    return s.ptr[15] == 'A' + sum % 26;
}

/* National insurance number: prefixes and suffix by HMRC's rule. */
static bool gb_is_valid(struct slice s)
{
    static const char *const never[] = {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"};
    if (!matches(s, "AA999999A") || s.ptr[8] > 'D' || strchr("DFIQUV", s.ptr[0]) || strchr("DFIOQUV", s.ptr[1]))
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (memcmp(s.ptr, never[i], 2) == 0)
            return false;
    }
    return true;
}

/* Steueridentifikationsnummer: ISO 7064, MOD 11,10. */
static bool de_is_valid(struct slice s)
{
    int product = 10;
    if (!matches(s, "99999999999") || s.ptr[0] == '0')
        return false;
    for (int i = 0; i < 10; i++) {
        int sum = (s.ptr[i] - '0' + product) % 10;
        product = (sum == 0 ? 10 : sum) * 2 % 11;
    }
    return s.ptr[10] - '0' == (11 - product) % 10;
}

/* NIR: 13 places and a key, 97 - n mod 97; Corsica's 2A and 2B count as 19 and 18. */
static bool fr_is_valid(struct slice s)
{
    char text[15];
    if (s.len != 15 || (s.ptr[0] != '1' && s.ptr[0] != '2'))
        return false;
    memcpy(text, s.ptr, 15);
    if (text[5] == '2' && (text[6] == 'A' || text[6] == 'B')) {
        text[5] = '1';
        text[6] = text[6] == 'A' ? '9' : '8';
    }
    if (!text_all_digits(slice_of(text, 15)))
        return false;
    return 97 - digits_value(slice_of(text, 13)) % 97 == digits_value(slice_of(text + 13, 2));
}

/* Hong Kong: letters count from 10, an absent first one 36; weights 9 to 1, modulo 11. */
static bool hk_is_valid(struct slice s)
{
    bool one = matches(s, "A999999*"), two = matches(s, "AA999999*");
    if (!one && !two)
        return false;
    int sum = one ? 36 * 9 : (s.ptr[0] - 'A' + 10) * 9;
    size_t at = two;
    sum += (s.ptr[at] - 'A' + 10) * 8;
    for (int i = 0; i < 6; i++)
        sum += (s.ptr[at + 1 + (size_t)i] - '0') * (7 - i);
    char last = s.ptr[s.len - 1];
    if (!is_digit(last) && last != 'A')
        return false;
    return (sum + (last == 'A' ? 10 : last - '0')) % 11 == 0;
}

static bool tw_is_valid(struct slice s)
{
    static const int letters[] = {10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33};
    if (!matches(s, "A999999999"))
        return false;
    int value = letters[s.ptr[0] - 'A'];
    int sum = value / 10 + value % 10 * 9;
    for (int i = 1; i <= 8; i++)
        sum += (s.ptr[i] - '0') * (9 - i);
    return (sum + s.ptr[9] - '0') % 10 == 0;
}

struct country_check {
    const char *country;
    bool (*is_valid)(struct slice s);
};

static const struct country_check checks[] = {
    {"US", us_is_valid}, {"ES", es_is_valid}, {"IT", it_is_valid}, {"GB", gb_is_valid}, {"DE", de_is_valid},
    {"FR", fr_is_valid}, {"HK", hk_is_valid}, {"TW", tw_is_valid},
};

/* Capitals, without spaces, hyphens, points and brackets. */
static struct slice normalize(struct slice s, struct arena *arena)
{
    char *out = arena_alloc(arena, s.len + 1);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')')
            continue;
        out[length++] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    return slice_of(out, length);
}

static bool all_same(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] != s.ptr[0])
            return false;
    }
    return s.len > 2;
}

/* A Chinese number, when the text is one or ought to be; false to try something else. */
static bool clean_chinese(struct slice s, bool expected, struct arena *arena, struct cleaned *out)
{
    char card[19];
    struct moment_date birth;
    if (cn_card_shape(s, card)) {
        const char *problem = check_cn_card(card, &birth);
        if (problem && !expected)
            return false;
        if (problem) {
            cleaned_invalid(out, s, problem);
            return true;
        }
        out->value = arena_dup(arena, slice_of(card, 18));
        cleaned_add_side(out, SIDE_BIRTH_DATE, 0, arena_printf(arena, "%04d-%02d-%02d", birth.year, birth.month, birth.day));
        cleaned_add_side(out, SIDE_GENDER, 0, (card[16] - '0') % 2 ? SLICE("male") : SLICE("female"));
        return true;
    }
    if (!is_credit_code_shape(s))
        return false;
    if (credit_code_checks(s)) {
        out->value = s;
        return true;
    }
    if (expected) /* codes of the pilot years fail too: kept, with a warning */
        cleaned_invalid(out, s, "id_number.checksum");
    return expected;
}

/* A number nobody here knows how to check may still be one: a customer, insurance or patient number. */
static bool is_plain_number(struct slice s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        bool letter = s.ptr[i] >= 'A' && s.ptr[i] <= 'Z';
        digits += s.ptr[i] >= '0' && s.ptr[i] <= '9';
        if (!letter && !(s.ptr[i] >= '0' && s.ptr[i] <= '9'))
            return false;
    }
    return s.len >= PLAIN_LEAST_BYTES && digits * 2 >= s.len;
}

void clean_id_number(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    struct slice written = text_clean(input, false, arena);
    struct slice s = normalize(written, arena);
    bool chinese = context_country_is(context, "CN"), unknown = !context->country || !context->country[0];
    if (memchr(written.ptr, '*', written.len)) {
        out->value = written;
        out->flags |= VALUE_MASKED;
        return;
    }
    if (s.len > 3 && slice_find(s, SLICE("E+")) > 0) {
        cleaned_invalid(out, written, "id_number.precision_lost");
        return;
    }
    if (s.len == 0 || s.len > ID_MAX_BYTES) {
        cleaned_invalid(out, written, "id_number.invalid");
        return;
    }
    if (all_same(s) || slice_is(s, "123456789") || slice_is(s, "123456789012345678") || slice_is(s, "078051120")) {
        out->value = s;
        out->flags |= VALUE_NOBODY;
        return;
    }
    if ((chinese || unknown) && clean_chinese(s, chinese, arena, out))
        return;
    bool checkable = chinese;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        bool here = context_country_is(context, checks[i].country);
        checkable = checkable || here;
        if (here && checks[i].is_valid(s)) {
            out->value = s;
            return;
        }
    }
    if (!checkable && is_plain_number(s)) {
        out->value = s;
        return;
    }
    cleaned_invalid(out, s, "id_number.invalid"); /* nothing vouches for it: kept, no evidence */
}
