/* ddl_value.c - canonical texts (rules/clean.h) to the binary forms of typed columns. */
#include "daemon/store/ddl_internal.h"

#define NUMBER_DIGITS_MAX 400 /* before and behind the point; beyond it is no quantity of a customer's */

static bool take_digits(struct slice *text, size_t count, int *value)
{
    if (text->len < count)
        return false;
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        *value = *value * 10 + (text->ptr[i] - '0');
    }
    *text = slice_sub(*text, count, text->len);
    return true;
}

static bool take_byte(struct slice *text, char byte)
{
    if (text->len == 0 || text->ptr[0] != byte)
        return false;
    *text = slice_sub(*text, 1, text->len);
    return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar (years counted from March, so that leap days come last). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t shifted = month > 2 ? month - 3 : month + 9;
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

static bool take_date(struct slice *text, int64_t *days)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0, month = 0, day = 0;
    if (!take_digits(text, 4, &year) || !take_byte(text, '-') || !take_digits(text, 2, &month) ||
        !take_byte(text, '-') || !take_digits(text, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
        (month == 2 && day == 29 && !leap))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static bool put_date(struct buf *rows, struct slice text)
{
    int64_t days = 0;
    if (!take_date(&text, &days) || text.len != 0)
        return false; /* "1990-03" and "1990" are known in part: no date */
    copy_date(rows, (int32_t)days);
    return true;
}

/* "2026-03-01T01:00:00Z", "2026-03-01T01:00:00.250000Z" */
static bool put_timestamp(struct buf *rows, struct slice text)
{
    int64_t days = 0;
    int hour = 0, minute = 0, second = 0, micros = 0;
    if (!take_date(&text, &days) || !take_byte(&text, 'T') || !take_digits(&text, 2, &hour) ||
        !take_byte(&text, ':') || !take_digits(&text, 2, &minute) || !take_byte(&text, ':') ||
        !take_digits(&text, 2, &second))
        return false;
    if (take_byte(&text, '.') && !take_digits(&text, 6, &micros))
        return false;
    if (!take_byte(&text, 'Z') || text.len != 0 || hour > 23 || minute > 59 || second > 60)
        return false;
    copy_timestamp(rows, (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + micros);
    return true;
}

/* Digit at a place of a decimal text, zeros beyond both ends. `whole` digits stand before the point. */
static unsigned digit_at(struct slice whole, struct slice fraction, int64_t place)
{
    int64_t at = (int64_t)whole.len + place; /* place < 0 before the point */
    if (at < 0 || place >= (int64_t)fraction.len)
        return 0;
    return (unsigned)((place < 0 ? whole.ptr[at] : fraction.ptr[place]) - '0');
}

static bool all_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

/* The wire form of numeric: groups of four digits, the weight of the first, sign, digits behind the point. */
static bool put_numeric(struct buf *rows, struct slice text)
{
    uint16_t groups[NUMBER_DIGITS_MAX / 2 + 4];
    bool negative = take_byte(&text, '-');
    ptrdiff_t point = slice_find_byte(text, '.');
    struct slice whole = point < 0 ? text : slice_sub(text, 0, (size_t)point);
    struct slice fraction = point < 0 ? SLICE_EMPTY : slice_sub(text, (size_t)point + 1, text.len);
    if (whole.len == 0 || whole.len > NUMBER_DIGITS_MAX || fraction.len > NUMBER_DIGITS_MAX ||
        (point >= 0 && fraction.len == 0) || !all_digits(whole) || !all_digits(fraction))
        return false;
    int64_t whole_groups = (int64_t)(whole.len + 3) / 4;
    int64_t fraction_groups = (int64_t)(fraction.len + 3) / 4;
    size_t count = 0;
    int64_t weight = whole_groups - 1;
    for (int64_t group = -whole_groups; group < fraction_groups; group++) {
        unsigned value = 0;
        for (int64_t i = 0; i < 4; i++)
            value = value * 10 + digit_at(whole, fraction, group * 4 + i);
        if (count == 0 && value == 0) {
            weight--;
            continue; /* leading zeros */
        }
        groups[count++] = (uint16_t)value;
    }
    while (count > 0 && groups[count - 1] == 0)
        count--;
    buf_put_u32(rows, (uint32_t)(8 + 2 * count));
    buf_put_u16(rows, (uint16_t)count);
    buf_put_u16(rows, count ? (uint16_t)weight : 0);
    buf_put_u16(rows, negative && count ? 0x4000 : 0);
    buf_put_u16(rows, (uint16_t)fraction.len);
    for (size_t i = 0; i < count; i++)
        buf_put_u16(rows, groups[i]);
    return true;
}

/* "1250 CNY", or "1250" when the currency is unknown. */
static bool put_money(struct buf *rows, struct slice text, enum column_type part)
{
    int64_t minor_units = 0;
    ptrdiff_t space = slice_find_byte(text, ' ');
    struct slice amount = space < 0 ? text : slice_sub(text, 0, (size_t)space);
    struct slice currency = space < 0 ? SLICE_EMPTY : slice_sub(text, (size_t)space + 1, text.len);
    if (!slice_to_int64(amount, &minor_units) || (space >= 0 && currency.len != 3))
        return false;
    if (part == COLUMN_MINOR_UNITS)
        copy_int8(rows, minor_units);
    else if (currency.len > 0)
        copy_text(rows, currency);
    else
        copy_null(rows);
    return true;
}

bool put_column_value(struct buf *rows, enum column_type type, struct slice value)
{
    switch (type) {
    case COLUMN_DATE:
        return put_date(rows, value);
    case COLUMN_NUMERIC:
        return put_numeric(rows, value);
    case COLUMN_MINOR_UNITS:
    case COLUMN_CURRENCY:
        return put_money(rows, value, type);
    case COLUMN_TIMESTAMP:
        return put_timestamp(rows, value);
    case COLUMN_TEXT:
    case COLUMN_TEXT_ARRAY:
        break;
    }
    copy_text(rows, value);
    return true;
}
