/*
 * phone.c - telephone numbers: what stands in a cell becomes E.164.
 *
 * A cell is taken apart here (guards, labels, two numbers, extension, masks); the number itself is
 * judged by the plans of phone_plan.c when they are sure, else by libphonenumber.
 */
#include <stdio.h>

#include "daemon/base/utf8.h"
#include "rules/clean_intern.h"
#include "rules/phone_plan.h"
#include "rules/phone_shim.h"
#include "rules/text.h"

#define CELL_MAX_BYTES 200
#define NUMBERS_MAX    4
#define DIGITS_MAX     32

struct digits {
    char text[DIGITS_MAX + 1];
    size_t count;
    bool plus;  /* it began with + or 00 */
    bool odd;   /* something stood in it that no number has */
};

static bool is_cn_mobile(struct slice digits)
{
    return digits.len == 11 && digits.ptr[0] == '1' && digits.ptr[1] >= '3';
}

/* Digits of a number, its usual punctuation dropped. */
static struct digits collect(struct slice s)
{
    struct digits d = {.count = 0};
    uint32_t c;
    while (utf8_next(&s, &c)) {
        if (c >= '0' && c <= '9') {
            if (d.count == DIGITS_MAX) {
                d.odd = true;
                break;
            }
            d.text[d.count++] = (char)c;
        } else if (c == '+' && d.count == 0) {
            d.plus = true;
        } else if (!(c == ' ' || c == '-' || c == '.' || c == '(' || c == ')' || c == '/' || c == 0xB7 || c == '~' ||
                     c == '_' || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x30FB || c == '[' || c == ']')) {
            d.odd = true;
        }
    }
    d.text[d.count] = '\0';
    return d;
}

static size_t count_digits(struct slice s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += is_digit(s.ptr[i]);
    return count;
}

/* 1.38E+10: what a spreadsheet leaves of a number. True when it is one; *digits is empty when places are lost. */
static bool undo_scientific(struct slice s, struct arena *arena, struct slice *digits)
{
    char mantissa[24];
    size_t count = 0, at = 0;
    if (s.len < 4 || !is_digit(s.ptr[0]))
        return false;
    mantissa[count++] = s.ptr[at++];
    if (s.ptr[at] == '.') {
        for (at++; at < s.len && is_digit(s.ptr[at]) && count < sizeof(mantissa); at++)
            mantissa[count++] = s.ptr[at];
    }
    if (at >= s.len || (s.ptr[at] != 'E' && s.ptr[at] != 'e'))
        return false;
    at++;
    bool plus = at < s.len && s.ptr[at] == '+';
    struct slice exponent = slice_sub(s, at + plus, s.len);
    int64_t power;
    if (exponent.len > 2 || !text_all_digits(exponent) || !slice_to_int64(exponent, &power) || power < 6)
        return false;
    *digits = SLICE_EMPTY;
    /* Written with a plus it is a display, cut at some places; without, a program's shortest exact form. */
    if (power > 14 || count > (size_t)power + 1 || (plus && count != (size_t)power + 1))
        return true;
    char *out = arena_alloc(arena, (size_t)power + 2);
    if (out == NULL)
        return true;
    memset(out, '0', (size_t)power + 1);
    memcpy(out, mantissa, count);
    *digits = slice_of(out, (size_t)power + 1);
    return true;
}

static bool all_same_from(struct slice digits, size_t from)
{
    for (size_t i = from + 1; i < digits.len; i++) {
        if (digits.ptr[i] != digits.ptr[from])
            return false;
    }
    return digits.len > from + 1;
}

/* National digits that people type when they do not want to tell. */
static bool names_nobody(struct slice national)
{
    static const char *const junk[] = {"1234567890", "0123456789", "123456789", "12345678", "1234567", "9876543210",
                                       "987654321", "87654321", "12345678901", "12345678910", "01234567890", "123123123", "1231231234", "123456"};
    if (national.len < 5)
        return false;
    if (all_same_from(national, 0))
        return true;
    if (is_cn_mobile(national) && national.ptr[10] == '0' && all_same_from(national, 3))
        return true;
    if (!(national.ptr[0] == '1' && national.ptr[1] == '2') && !(national.ptr[0] == '0' && national.ptr[1] == '1') &&
        national.ptr[0] < '8')
        return false; /* no junk below begins so */
    for (size_t i = 0; i < sizeof(junk) / sizeof(junk[0]); i++) {
        if (slice_is(national, junk[i]))
            return true;
    }
    return false;
}

/* Text from a word that begins an extension (转, ext., x, #); *digits gets the extension. Returns the number's part. */
static struct slice cut_extension(struct slice s, struct slice *digits)
{
    static const char *const words[] = {";ext=", "extension", "ext.", "ext", "转接", "转", "分机号", "分机", "內線", "内线",
                                        "x", "X", "EXT.", "EXT", "Ext.", "Ext", "#", "durchwahl", "anexo", "poste", "轉"};
    *digits = SLICE_EMPTY;
    for (size_t at = 5; at < s.len; at++) {
        if (is_digit(s.ptr[at]) || s.ptr[at] == ' ' || s.ptr[at] == '-')
            continue;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            struct slice word = slice_str(words[i]);
            struct slice tail = slice_sub(s, at, s.len);
            if (!slice_starts(tail, word))
                continue;
            tail = slice_sub(tail, word.len, tail.len);
            while (tail.len > 0 && strchr(" :.-=#)", tail.ptr[0]))
                tail = slice_sub(tail, 1, tail.len);
            while (tail.len > 0 && (tail.ptr[tail.len - 1] == ' ' || tail.ptr[tail.len - 1] == ')'))
                tail.len--;
            if (tail.len == 0 || tail.len > 7 || !text_all_digits(tail))
                continue;
            if (count_digits(slice_sub(s, 0, at)) < 5)
                continue;
            *digits = tail;
            s = slice_sub(s, 0, at);
            while (s.len > 0 && strchr(" ,;(-", s.ptr[s.len - 1]))
                s.len--;
            return s;
        }
    }
    return s;
}

/* 021-61234567-8001: the third group of a Chinese landline is an extension. */
static struct slice cut_dashed_extension(struct slice s, struct slice *digits)
{
    ptrdiff_t first = slice_find_byte(s, '-');
    const char *last = s.len ? memrchr(s.ptr, '-', s.len) : NULL;
    if (first < 0 || last == s.ptr + first)
        return s;
    size_t at = (size_t)(last - s.ptr);
    struct slice tail = slice_sub(s, at + 1, s.len), subscriber = slice_sub(s, (size_t)first + 1, at);
    if (s.ptr[0] != '0' || first < 3 || first > 4 || !text_all_digits(tail) || tail.len > 6 ||
        !text_all_digits(subscriber) || (subscriber.len != 7 && subscriber.len != 8))
        return s;
    *digits = tail;
    return slice_sub(s, 0, at);
}

/* 95588 and 95013888: service numbers of the whole country, which the library does not list. */
static bool is_cn_service(struct slice digits)
{
    return (digits.len == 5 || digits.len == 8) && slice_starts(digits, SLICE("95"));
}

/* 13812345678-1234, 13812345678[1234]: a marketplace's number that forwards. */
static bool is_virtual(struct slice s, struct slice *number, struct slice *code)
{
    static const char *const before[] = {"-", "_", "转", ",", "[", "#", "轉"};
    struct slice rest = slice_starts(s, SLICE("+86")) ? text_trim(slice_sub(s, 3, s.len)) : s;
    if (rest.len < 15 || !text_all_digits(slice_sub(rest, 0, 11)) || !is_cn_mobile(slice_sub(rest, 0, 11)))
        return false;
    *number = slice_sub(rest, 0, 11);
    rest = text_trim(slice_sub(rest, 11, rest.len));
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        struct slice mark = slice_str(before[i]);
        if (!slice_starts(rest, mark))
            continue;
        struct slice tail = text_trim(slice_sub(rest, mark.len, rest.len));
        if (mark.ptr[0] == '[' && tail.len > 0 && tail.ptr[tail.len - 1] == ']')
            tail.len--;
        *code = tail;
        return (tail.len == 3 || tail.len == 4) && text_all_digits(tail);
    }
    return false;
}

static bool is_masked(struct slice s)
{
    size_t hidden = 0;
    for (size_t i = 0; i < s.len; i++)
        hidden += s.ptr[i] == '*' || ((s.ptr[i] == 'x' || s.ptr[i] == 'X') && i > 0 && i + 1 < s.len &&
                                      (s.ptr[i + 1] == s.ptr[i] || s.ptr[i - 1] == s.ptr[i]));
    return hidden >= 2 || slice_find(s, SLICE("●")) >= 0 || slice_find(s, SLICE("××")) >= 0;
}

static struct slice with_extension(const char *e164, struct slice extension, struct arena *arena)
{
    if (extension.len == 0)
        return arena_dup(arena, slice_str(e164));
    return arena_printf(arena, "%s;ext=" SLICE_FMT, e164, SLICE_ARG(extension));
}

/* The number as international digits without plus, when the plans are sure of it. */
static bool plan_knows(const struct digits *d, const char *country, char out[24])
{
    struct slice digits = slice_of(d->text, d->count);
    const struct phone_plan *plan;
    if (d->plus) {
        plan = phone_plan_of_digits(digits);
        if (plan == NULL || !phone_plan_matches(plan, slice_sub(digits, strlen(plan->code), digits.len)))
            return false;
        snprintf(out, 24, "+%s", d->text);
        return true;
    }
    plan = phone_plan_of_country(country);
    if (plan == NULL)
        return false;
    struct slice national = digits;
    size_t trunk = strlen(plan->trunk);
    if (trunk > 0 && slice_starts(national, slice_str(plan->trunk)))
        national = slice_sub(national, trunk, national.len);
    else if (trunk > 0 && plan->trunk[0] == '0' && !is_cn_mobile(national) && strcmp(country, "CN") != 0)
        return false; /* without its trunk digit a number may be a local one */
    if (national.len > 15 || !phone_plan_matches(plan, national))
        return false;
    snprintf(out, 24, "+%s" SLICE_FMT, plan->code, SLICE_ARG(national));
    return true;
}

/* Makes plain what callers write in many ways: 00, 011, 86 before a mobile, 17951, a zero before a mobile. */
static void settle_prefix(struct digits *d, const char *country)
{
    struct slice digits = slice_of(d->text, d->count);
    size_t drop = 0;
    bool chinese = strcmp(country, "CN") == 0;
    bool american = strcmp(country, "US") == 0 || strcmp(country, "CA") == 0;
    if (!d->plus && american && slice_starts(digits, SLICE("011")) && digits.len > 11) {
        drop = 3;
        d->plus = true;
    } else if (!d->plus && !american && slice_starts(digits, SLICE("00")) && digits.len > 9) {
        drop = 2;
        d->plus = true;
    } else if (!d->plus && (chinese || country[0] == '\0') && digits.len == 13 &&
               slice_starts(digits, SLICE("86")) && is_cn_mobile(slice_sub(digits, 2, 13))) {
        d->plus = true;
    } else if (!d->plus && chinese && digits.len == 12 && digits.ptr[0] == '0' &&
               is_cn_mobile(slice_sub(digits, 1, 12)) && digits.ptr[2] != '0') {
        drop = 1;
    } else if (!d->plus && chinese && digits.len == 16 &&
               (slice_starts(digits, SLICE("17951")) || slice_starts(digits, SLICE("12593")) ||
                slice_starts(digits, SLICE("17911")) || slice_starts(digits, SLICE("17909"))) &&
               is_cn_mobile(slice_sub(digits, 5, 16))) {
        drop = 5;
    }
    memmove(d->text, d->text + drop, d->count - drop + 1);
    d->count -= drop;
    /* +86 013812345678 and +49 (0)30 ...: the trunk zero has no place after a country code. */
    const struct phone_plan *plan = d->plus ? phone_plan_of_digits(slice_of(d->text, d->count)) : NULL;
    size_t code = plan ? strlen(plan->code) : 0;
    if (plan && strcmp(plan->trunk, "0") == 0 && d->count > code + 6 && d->text[code] == '0') {
        memmove(d->text + code, d->text + code + 1, d->count - code);
        d->count--;
    }
}

struct number {
    struct slice value;
    struct slice extension;
    uint16_t flags;
    const char *issue;
};

static const char *issue_of(enum phone_verdict verdict)
{
    switch (verdict) {
    case PHONE_TOO_SHORT:
        return "phone.too_short";
    case PHONE_TOO_LONG:
        return "phone.too_long";
    case PHONE_NO_COUNTRY:
        return "phone.no_country";
    default:
        return "phone.invalid";
    }
}

static struct slice national_digits(const struct digits *d, const char *country)
{
    const struct phone_plan *plan =
        d->plus ? phone_plan_of_digits(slice_of(d->text, d->count)) : phone_plan_of_country(country);
    struct slice all = slice_of(d->text, d->count);
    if (plan == NULL)
        return all;
    if (d->plus)
        return slice_sub(all, strlen(plan->code), all.len);
    if (plan->trunk[0] && strcmp(plan->trunk, "0") != 0 && all.len == 11 && slice_starts(all, slice_str(plan->trunk)))
        return slice_sub(all, strlen(plan->trunk), all.len);
    return all;
}

/* A label (电话:, Tel.) before the number. */
static struct slice drop_label(struct slice s)
{
    size_t at = 0;
    while (at < s.len && !is_digit(s.ptr[at]) && s.ptr[at] != '+' && s.ptr[at] != '(')
        at++;
    return at < s.len ? slice_sub(s, at, s.len) : s;
}

static struct number read_number(struct slice s, const char *country, struct arena *arena)
{
    struct number number = {.value = s, .extension = SLICE_EMPTY};
    struct slice relay, code;
    if (is_masked(s)) {
        number.flags = VALUE_MASKED;
        return number;
    }
    if ((strcmp(country, "CN") == 0 || country[0] == '\0' || s.ptr[0] == '+') && is_virtual(s, &relay, &code)) {
        number.value = arena_printf(arena, "+86" SLICE_FMT ";ext=" SLICE_FMT, SLICE_ARG(relay), SLICE_ARG(code));
        number.flags = VALUE_VIRTUAL;
        number.extension = code;
        return number;
    }
    struct slice bare = cut_extension(drop_label(s), &number.extension);
    if (number.extension.len == 0 && strcmp(country, "CN") == 0)
        bare = cut_dashed_extension(bare, &number.extension);
    struct digits d = collect(bare);
    settle_prefix(&d, country);
    char e164[24];
    if (names_nobody(national_digits(&d, country)) && !d.odd)
        number.flags |= VALUE_NOBODY;
    if (!d.odd && plan_knows(&d, country, e164)) {
        number.value = with_extension(e164, number.extension, arena);
        return number;
    }
    if (!d.odd && !d.plus && strcmp(country, "CN") == 0 && is_cn_service(slice_of(d.text, d.count))) {
        snprintf(e164, sizeof(e164), "+86%s", d.text);
        number.value = with_extension(e164, number.extension, arena);
        return number;
    }
    struct phone_parsed parsed;
    char text[DIGITS_MAX + 2];
    snprintf(text, sizeof(text), "%s%s", d.plus ? "+" : "", d.text);
    struct slice asked = d.odd ? bare : slice_str(text);
    enum phone_verdict verdict = PHONE_INVALID;
    if (!d.plus && country[0] == '\0')
        verdict = PHONE_NO_COUNTRY;
    else if (d.count >= 3 && (!d.odd || d.count < DIGITS_MAX))
        verdict = phone_library_parse(asked.ptr, asked.len, country, &parsed);
    else if (d.count < 3)
        verdict = d.count > 0 ? PHONE_TOO_SHORT : PHONE_INVALID;
    else
        verdict = PHONE_TOO_LONG;
    if (verdict == PHONE_VALID) {
        if (parsed.extension[0] && number.extension.len == 0)
            number.extension = arena_dup(arena, slice_str(parsed.extension));
        number.value = with_extension(parsed.e164, number.extension, arena);
        return number;
    }
    if (number.flags & VALUE_NOBODY)
        return number;
    number.issue = issue_of(verdict);
    /* Not wrong, only not known whose: its digits still say whether two records hold the same number. Seven are a number
     * within one area nearly everywhere, and another area has the same. */
    if (verdict == PHONE_NO_COUNTRY && !d.odd && d.count >= 8 && d.count <= 15)
        number.value = arena_dup(arena, slice_str(d.text));
    else
        number.flags |= VALUE_INVALID;
    return number;
}

/* Only digits and the usual punctuation, and too few digits for two numbers or an extension. */
static bool is_plain(struct slice s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (is_digit(s.ptr[i]))
            digits++;
        else if (s.ptr[i] != ' ' && s.ptr[i] != '-' && s.ptr[i] != '(' && s.ptr[i] != ')' && !(s.ptr[i] == '+' && i == 0))
            return false;
    }
    return digits >= 7 && digits <= 13 && (digits <= 11 || s.ptr[0] == '+' || s.ptr[0] == '8');
}

/* The short way of most cells: one number the plans know. */
static bool clean_plain(struct slice s, const char *country, struct arena *arena, struct cleaned *out)
{
    char e164[24];
    struct digits d = collect(s);
    settle_prefix(&d, country);
    if (!plan_knows(&d, country, e164))
        return false;
    if (names_nobody(national_digits(&d, country)))
        out->flags |= VALUE_NOBODY;
    out->value = arena_dup(arena, slice_str(e164));
    return true;
}

static size_t splitter_width(struct slice s)
{
    static const char *const marks[] = {"/", ";", ",", "|", "、", "或", " or ", "&", "和"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (slice_starts(s, slice_str(marks[i])))
            return strlen(marks[i]);
    }
    return 0;
}

/* Parts with at least seven digits each; a cell that is one number gives one part. */
static size_t split_cell(struct slice s, struct slice parts[NUMBERS_MAX])
{
    size_t count = 0, from = 0;
    for (size_t at = 0; at < s.len && count + 1 < NUMBERS_MAX; at++) {
        struct slice tail = slice_sub(s, at, s.len);
        size_t width = splitter_width(tail);
        if (slice_starts(tail, SLICE(";ext=")))
            continue;
        /* 13812345678 13912345678 */
        if (width == 0 && s.ptr[at] == ' ' && at >= from + 11 && is_cn_mobile(slice_sub(s, at - 11, at)) &&
            text_all_digits(slice_sub(s, at - 11, at)) && is_cn_mobile(slice_sub(s, at + 1, at + 12)) &&
            text_all_digits(slice_sub(s, at + 1, at + 12)))
            width = 1;
        if (width == 0 || count_digits(slice_sub(s, from, at)) < 7 ||
            count_digits(slice_sub(s, at + width, s.len)) < 7)
            continue;
        parts[count++] = text_trim(slice_sub(s, from, at));
        from = at + width;
        at = from - 1;
    }
    parts[count++] = text_trim(slice_sub(s, from, s.len));
    return count;
}

/* "021-12345678/87654321": the second number has the area of the first. */
static struct slice lend_area(struct slice first, struct slice second, struct arena *arena)
{
    ptrdiff_t dash = slice_find_byte(first, '-');
    if (dash < 3 || dash > 4 || first.ptr[0] != '0' || second.ptr[0] == '0' || !text_all_digits(second) ||
        (second.len != 7 && second.len != 8) || first.len - (size_t)dash - 1 != second.len)
        return second;
    return arena_printf(arena, SLICE_FMT SLICE_FMT, SLICE_ARG(slice_sub(first, 0, (size_t)dash)), SLICE_ARG(second));
}

void clean_phone(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    const char *country = context->country ? context->country : "";
    struct slice s = text_clean(input, false, arena);
    struct slice exact;
    if (slice_starts(s, SLICE("##")) || slice_starts(s, SLICE("$$")) || slice_starts(s, SLICE("~"))) {
        out->value = s;
        out->flags |= VALUE_ENCRYPTED;
        return;
    }
    if (is_plain(s) && clean_plain(s, country, arena, out))
        return;
    if (s.len > CELL_MAX_BYTES || s.len == 0) {
        cleaned_invalid(out, s, "phone.too_long");
        return;
    }
    if (undo_scientific(s, arena, &exact)) {
        if (exact.len == 0) {
            cleaned_invalid(out, s, "phone.precision_lost");
            return;
        }
        s = exact;
    }
    if (s.len > 3 && slice_ends(s, SLICE(".0")) && text_all_digits(slice_sub(s, 0, s.len - 2)))
        s.len -= 2;
    struct slice parts[NUMBERS_MAX];
    struct slice relay, code;
    size_t count = 1;
    if (is_virtual(s, &relay, &code))
        parts[0] = s;
    else
        count = split_cell(s, parts);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len == 0)
            continue;
        if (i > 0)
            parts[i] = lend_area(parts[0], parts[i], arena);
        struct number number = read_number(parts[i], country, arena);
        if (number.issue)
            cleaned_add_issue(out, number.issue, SLICE_EMPTY);
        if (i > 0) {
            cleaned_add_side(out, SIDE_ANOTHER, number.flags, number.value);
            continue;
        }
        out->value = number.value;
        out->flags |= number.flags;
        cleaned_add_side(out, SIDE_EXTENSION, number.flags, number.extension);
    }
}
