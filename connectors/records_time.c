/* records_time.c - instants as APIs write them. See records.h. */
#include "connectors/records.h"

/* Takes exactly `digits` digits off the front. */
static bool take_number(struct slice *s, size_t digits, int64_t *value)
{
    *value = 0;
    if (s->len < digits)
        return false;
    for (size_t i = 0; i < digits; i++) {
        if (s->ptr[i] < '0' || s->ptr[i] > '9')
            return false;
        *value = *value * 10 + (s->ptr[i] - '0');
    }
    *s = slice_sub(*s, digits, s->len);
    return true;
}

static bool take_byte(struct slice *s, char byte)
{
    if (s->len == 0 || s->ptr[0] != byte)
        return false;
    *s = slice_sub(*s, 1, s->len);
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar, counting years from March. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = year / 400, year_of_era = year % 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool month_has_day(int64_t year, int64_t month, int64_t day)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

static int64_t take_fraction_us(struct slice *s)
{
    int64_t us = 0, unit = 100000;
    if (s->len < 2 || (s->ptr[0] != '.' && s->ptr[0] != ','))
        return 0;
    size_t i = 1;
    for (; i < s->len && s->ptr[i] >= '0' && s->ptr[i] <= '9'; i++) {
        us += (s->ptr[i] - '0') * unit;
        unit /= 10;
    }
    *s = slice_sub(*s, i, s->len);
    return us;
}

static bool take_zone(struct slice *s, int64_t *offset_s)
{
    int64_t hours, minutes = 0;
    *offset_s = 0;
    if (s->len == 0 || take_byte(s, 'Z') || take_byte(s, 'z'))
        return s->len == 0;
    bool minus = s->ptr[0] == '-';
    if ((!take_byte(s, '+') && !take_byte(s, '-')) || !take_number(s, 2, &hours))
        return false;
    (void)take_byte(s, ':');
    if (s->len > 0 && !take_number(s, 2, &minutes))
        return false;
    *offset_s = (hours * 60 + minutes) * (minus ? -60 : 60);
    return s->len == 0 && hours <= 18 && minutes < 60;
}

static bool parse_epoch(struct slice text, int64_t *at_us)
{
    int64_t number;
    if (!slice_to_int64(text, &number) || number <= 0)
        return false;
    if (number < 100000000000)
        *at_us = number * 1000000; /* seconds, up to the year 5138 */
    else if (number < 100000000000000)
        *at_us = number * 1000;
    else
        return false;
    return true;
}

bool records_time(struct slice text, int64_t *at_us)
{
    int64_t year, month, day, hour = 0, minute = 0, second = 0, fraction_us = 0, offset_s = 0;
    struct slice s = slice_trim(text);
    if (parse_epoch(s, at_us))
        return true;
    if (!take_number(&s, 4, &year) || !take_byte(&s, '-') || !take_number(&s, 2, &month) ||
        !take_byte(&s, '-') || !take_number(&s, 2, &day) || !month_has_day(year, month, day) || year < 1900)
        return false;
    if (s.len > 0) {
        if ((!take_byte(&s, 'T') && !take_byte(&s, 't') && !take_byte(&s, ' ')) || !take_number(&s, 2, &hour) ||
            !take_byte(&s, ':') || !take_number(&s, 2, &minute))
            return false;
        if (take_byte(&s, ':')) {
            if (!take_number(&s, 2, &second))
                return false;
            fraction_us = take_fraction_us(&s);
        }
        if (!take_zone(&s, &offset_s) || hour > 23 || minute > 59 || second > 60)
            return false;
    }
    int64_t seconds = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_s;
    *at_us = seconds * 1000000 + fraction_us;
    return true;
}
