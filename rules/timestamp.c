/* timestamp.c - dates and points in time. */
#include <stdio.h>

#include <unicode/ucal.h>
#include <unicode/ustring.h>

#include "daemon/base/digits.h"
#include "daemon/base/utf8.h"
#include "rules/clean_intern.h"
#include "rules/moment.h"
#include "rules/text.h"

#define US_PER_SECOND ((int64_t)1000000)
#define DAY_SECONDS   86400
#define YEAR_FIRST    1900
#define YEAR_LAST     2100

static bool is_default_date(const struct moment_date *date)
{
    return (date->year == 1900 && date->month == 1 && date->day <= 1) || date->year <= 1 || (date->year == 9999) ||
           (date->year == 1899 && date->month == 12);
}

/* Where a time of day begins (h:mm), or -1. */
static ptrdiff_t find_time(struct slice s)
{
    for (size_t i = 1; i + 2 < s.len + 0; i++) {
        if (s.ptr[i] == ':' && is_digit(s.ptr[i - 1]) && is_digit(s.ptr[i + 1]))
            return (ptrdiff_t)(i - 1 - (i >= 2 && is_digit(s.ptr[i - 2])));
    }
    return -1;
}

/* Without a time of day behind (or before) the date; the date alone is wanted. */
static struct slice drop_time(struct slice s)
{
    ptrdiff_t time = find_time(s);
    if (time <= 0)
        return s;
    s = slice_sub(s, 0, (size_t)time);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == 'T' || s.ptr[s.len - 1] == ','))
        s.len--;
    return s;
}

static struct slice print_date(const struct moment_date *date, struct arena *arena)
{
    if (date->month && date->day && date->year >= 0 && date->year <= 9999) {
        char text[10], *at = digits_put(text, (unsigned)date->year, 4);
        *at++ = '-';
        at = digits_put(at, (unsigned)date->month, 2);
        *at++ = '-';
        (void)digits_put(at, (unsigned)date->day, 2);
        return arena_dup(arena, slice_of(text, sizeof(text)));
    }
    if (date->month == 0)
        return arena_printf(arena, "%04d", date->year);
    if (date->day == 0)
        return arena_printf(arena, "%04d-%02d", date->year, date->month);
    return arena_printf(arena, "%04d-%02d-%02d", date->year, date->month, date->day);
}

void clean_date(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    struct moment_date date;
    struct slice s = text_clean(input, false, arena), text = drop_time(s);
    ptrdiff_t point = slice_find_byte(text, '.');
    if (point == 5 && text_all_digits(slice_sub(text, 0, 5)) && text_all_digits(slice_sub(text, 6, text.len)))
        text = slice_sub(text, 0, 5); /* 32937.0, a spreadsheet's day with its time */
    if (memchr(text.ptr, '*', text.len)) {
        out->value = s;
        out->flags |= VALUE_MASKED;
        return;
    }
    if (text.len > 4 && slice_find(text, SLICE("E+")) > 0) {
        cleaned_invalid(out, s, "date.precision_lost");
        return;
    }
    if (!moment_read_date(text, context->day_first, &date)) {
        if (slice_starts(text, SLICE("0000")))
            out->flags |= VALUE_NOBODY, out->value = s;
        else
            cleaned_invalid(out, s, "date.invalid");
        return;
    }
    if (is_default_date(&date)) {
        out->value = moment_date_exists(&date) ? print_date(&date, arena) : s;
        out->flags |= VALUE_NOBODY;
    } else if (!moment_date_exists(&date) || date.year < YEAR_FIRST || date.year > YEAR_LAST) {
        cleaned_invalid(out, s, "date.implausible");
    } else {
        out->value = print_date(&date, arena);
    }
}

struct clock_time {
    int hour, minute, second;
    int64_t us;
    bool has_zone;
    int offset_minutes;
};

static bool read_two(struct slice *s, int *value)
{
    size_t digits = 0;
    *value = 0;
    while (digits < 2 && s->len > 0 && is_digit(s->ptr[0])) {
        *value = *value * 10 + (s->ptr[0] - '0');
        *s = slice_sub(*s, 1, s->len);
        digits++;
    }
    return digits > 0;
}

static bool take_text(struct slice *s, const char *text)
{
    struct slice word = slice_str(text);
    if (s->len < word.len || !slice_eq_nocase(slice_sub(*s, 0, word.len), word))
        return false;
    *s = slice_sub(*s, word.len, s->len);
    return true;
}

struct zone_name {
    const char *name;
    int offset_minutes;
};

static const struct zone_name zone_names[] = {
    {"UTC", 0}, {"GMT", 0}, {"Z", 0}, {"EST", -300}, {"EDT", -240}, {"CDT", -300}, {"PST", -480}, {"PDT", -420}, {"MST", -420}, {"MDT", -360},
    {"CEST", 120}, {"CET", 60}, {"BST", 60}, {"WEST", 60}, {"WET", 0}, {"EEST", 180}, {"EET", 120}, {"JST", 540}, {"KST", 540}, {"HKT", 480}, {"SGT", 480},
    {"AEST", 600}, {"AEDT", 660}, {"MSK", 180}, {"MESZ", 120}, {"MEZ", 60},
};

static bool in_asia(const struct clean_context *context)
{
    return (context->time_zone && strncmp(context->time_zone, "Asia/", 5) == 0) || context_country_is(context, "CN");
}

/* A zone at the front of *s: Z, +0800, +08:00, GMT+8, CST. False only for a malformed one. */
static bool read_zone(const struct clean_context *context, struct slice *s, struct clock_time *time)
{
    struct slice rest = text_trim(*s);
    for (size_t i = 0; i < sizeof(zone_names) / sizeof(zone_names[0]); i++) {
        struct slice after = rest;
        if (take_text(&after, zone_names[i].name) && (after.len == 0 || !is_letter(after.ptr[0]))) {
            time->has_zone = true;
            time->offset_minutes = zone_names[i].offset_minutes;
            rest = after;
            break;
        }
    }
    struct slice after = rest;
    if (!time->has_zone && take_text(&after, "CST") && (after.len == 0 || !is_letter(after.ptr[0]))) {
        time->has_zone = true;
        time->offset_minutes = in_asia(context) ? 480 : -360;
        rest = after;
    }
    if (rest.len > 1 && (rest.ptr[0] == '+' || rest.ptr[0] == '-') && is_digit(rest.ptr[1])) {
        int hours, minutes = 0;
        bool west = rest.ptr[0] == '-';
        rest = slice_sub(rest, 1, rest.len);
        read_two(&rest, &hours);
        if (rest.len > 0 && rest.ptr[0] == ':')
            rest = slice_sub(rest, 1, rest.len);
        if (rest.len > 0 && is_digit(rest.ptr[0]))
            read_two(&rest, &minutes);
        if (hours > 14 || minutes > 59)
            return false;
        time->has_zone = true;
        time->offset_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    }
    *s = rest;
    return true;
}

/* h:mm[:ss[.fraction]] [AM|PM] [zone] at the front of *s; 上午 and 下午 may stand before it in `before`. */
static bool read_time(const struct clean_context *context, struct slice *s, bool afternoon, struct clock_time *time)
{
    *time = (struct clock_time){0};
    if (!read_two(s, &time->hour) || !take_text(s, ":") || !read_two(s, &time->minute))
        return false;
    if (take_text(s, ":") && !read_two(s, &time->second))
        return false;
    if (s->len > 1 && (s->ptr[0] == '.' || s->ptr[0] == ',') && is_digit(s->ptr[1])) {
        int64_t unit = 100000;
        for (*s = slice_sub(*s, 1, s->len); s->len > 0 && is_digit(s->ptr[0]); *s = slice_sub(*s, 1, s->len)) {
            time->us += unit * (s->ptr[0] - '0');
            unit /= 10;
        }
    }
    *s = text_trim(*s);
    bool morning = take_text(s, "AM") || take_text(s, "a.m.");
    afternoon |= !morning && (take_text(s, "PM") || take_text(s, "p.m."));
    if ((morning || afternoon) && time->hour > 12)
        morning = false;
    else if (morning && time->hour == 12)
        time->hour = 0;
    else if (afternoon && time->hour < 12)
        time->hour += 12;
    return time->hour <= 24 && time->minute <= 59 && time->second <= 60 && read_zone(context, s, time);
}

/* Zones that have had one offset since long before our records: no calendar needed. */
static bool fixed_offset(const char *zone, int year, int *offset_minutes)
{
    static const struct {
        const char *name;
        int offset_minutes, since;
    } zones[] = {
        {"", 0, 0}, {"UTC", 0, 0}, {"Etc/UTC", 0, 0}, {"GMT", 0, 0}, {"Asia/Shanghai", 480, 1992}, {"Asia/Hong_Kong", 480, 1980},
        {"Asia/Taipei", 480, 1980}, {"Asia/Singapore", 480, 1983}, {"Asia/Tokyo", 540, 1952}, {"Asia/Seoul", 540, 1989}, {"Asia/Macau", 480, 1980}, {"Asia/Kolkata", 330, 1946},
    };
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (strcmp(zones[i].name, zone) == 0 && year >= zones[i].since) {
            *offset_minutes = zones[i].offset_minutes;
            return true;
        }
    }
    return false;
}

/* Offset of a zone at a local time, by ICU; a time that a clock change skips or repeats counts as standard time. */
static int zone_offset(const char *zone, const struct moment_date *date, const struct clock_time *time)
{
    UErrorCode code = U_ZERO_ERROR;
    UChar id[64];
    int offset_minutes = 0;
    if (fixed_offset(zone, date->year, &offset_minutes) || strlen(zone) > 60)
        return offset_minutes;
    u_uastrncpy(id, zone, 64);
    UCalendar *calendar = ucal_open(id, -1, "en", UCAL_GREGORIAN, &code);
    if (U_FAILURE(code))
        return 0;
    ucal_setDateTime(calendar, date->year, date->month - 1, date->day, time->hour, time->minute, time->second, &code);
    int ms = ucal_get(calendar, UCAL_ZONE_OFFSET, &code) + ucal_get(calendar, UCAL_DST_OFFSET, &code);
    ucal_close(calendar);
    return U_FAILURE(code) ? 0 : ms / 60000;
}

static void set_us(int64_t us, struct arena *arena, struct cleaned *out)
{
    int64_t days = us / (DAY_SECONDS * US_PER_SECOND), rest = us % (DAY_SECONDS * US_PER_SECOND);
    if (rest < 0) {
        rest += DAY_SECONDS * US_PER_SECOND;
        days--;
    }
    struct moment_date date = moment_from_days(days);
    int seconds = (int)(rest / US_PER_SECOND), fraction = (int)(rest % US_PER_SECOND);
    if (date.year >= 0 && date.year <= 9999) {
        char text[27];
        char *end = digits_put_utc(text, date.year, date.month, date.day, seconds, fraction ? fraction : -1);
        out->value = arena_dup(arena, slice_of(text, (size_t)(end - text)));
        return;
    }
    if (fraction)
        out->value = arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", date.year, date.month, date.day,
                                  seconds / 3600, seconds / 60 % 60, seconds % 60, fraction);
    else
        out->value = arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", date.year, date.month, date.day,
                                  seconds / 3600, seconds / 60 % 60, seconds % 60);
}

static int64_t to_us(const struct clean_context *context, const struct moment_date *date, const struct clock_time *time)
{
    int offset = time->has_zone ? time->offset_minutes : zone_offset(context->time_zone ? context->time_zone : "", date, time);
    int64_t seconds = moment_days(date) * DAY_SECONDS + time->hour * 3600 + time->minute * 60 + time->second;
    return (seconds - (int64_t)offset * 60) * US_PER_SECOND + time->us;
}

/* Seconds, milliseconds or microseconds since 1970, and 20260301100000. */
static bool read_digits(const struct clean_context *context, struct slice s, int64_t *us)
{
    int64_t value;
    struct clock_time time = {0};
    ptrdiff_t point = slice_find_byte(s, '.');
    struct slice whole = point > 0 ? slice_sub(s, 0, (size_t)point) : s;
    struct slice fraction = point > 0 ? slice_sub(s, (size_t)point + 1, s.len) : SLICE_EMPTY;
    if (!text_all_digits(whole) || (fraction.len > 0 && !text_all_digits(fraction)) || !slice_to_int64(whole, &value))
        return false;
    int64_t part = 0, unit = 100000;
    for (size_t i = 0; i < fraction.len; i++, unit /= 10)
        part += unit * (fraction.ptr[i] - '0');
    if (whole.len == 10) {
        *us = value * US_PER_SECOND + part;
    } else if (whole.len == 13) {
        *us = value * 1000;
    } else if (whole.len == 16) {
        *us = value;
    } else if (whole.len == 14 && point < 0) {
        struct moment_date date = {(int)(value / 10000000000), (int)(value / 100000000 % 100), (int)(value / 1000000 % 100)};
        time.hour = (int)(value / 10000 % 100);
        time.minute = (int)(value / 100 % 100);
        time.second = (int)(value % 100);
        if (!moment_date_exists(&date) || date.month == 0 || date.day == 0 || time.hour > 23 || time.minute > 59 || time.second > 60)
            return false;
        *us = to_us(context, &date, &time);
    } else if (whole.len == 5 && point > 0) { /* a spreadsheet's day and part of the day, in local time */
        struct moment_date date;
        if (!moment_from_serial(value, &date))
            return false;
        int64_t seconds = (part * DAY_SECONDS + US_PER_SECOND / 2) / US_PER_SECOND;
        time.hour = (int)(seconds / 3600);
        time.minute = (int)(seconds / 60 % 60);
        time.second = (int)(seconds % 60);
        *us = to_us(context, &date, &time);
    } else {
        return false;
    }
    return true;
}

static struct slice join_around(struct slice before, struct slice after, struct arena *arena)
{
    while (before.len > 0 && (before.ptr[before.len - 1] == ' ' || before.ptr[before.len - 1] == 'T' || before.ptr[before.len - 1] == 't' ||
                              before.ptr[before.len - 1] == ','))
        before.len--;
    return after.len ? arena_printf(arena, SLICE_FMT " " SLICE_FMT, SLICE_ARG(before), SLICE_ARG(after)) : before;
}

void clean_timestamp(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    struct slice s = text_clean(input, false, arena);
    struct moment_date date;
    struct clock_time time = {0};
    int64_t us;
    if (s.len > 80) {
        cleaned_invalid(out, s, "timestamp.invalid");
        return;
    }
    if (!read_digits(context, s, &us)) {
        ptrdiff_t at = find_time(s);
        struct slice text = s;
        if (at >= 0) {
            struct slice before = text_trim(slice_sub(s, 0, (size_t)at)), rest = slice_sub(s, (size_t)at, s.len);
            bool afternoon = slice_ends(before, SLICE("下午")) || slice_ends(before, SLICE("晚上"));
            if (afternoon || slice_ends(before, SLICE("上午")) || slice_ends(before, SLICE("凌晨")))
                before.len -= 6;
            if (!read_time(context, &rest, afternoon, &time)) {
                cleaned_invalid(out, s, "timestamp.invalid");
                return;
            }
            text = join_around(before, text_trim(rest), arena);
        }
        if (!moment_read_date(text, context->day_first, &date) || !moment_date_exists(&date) || date.month == 0 || date.day == 0) {
            cleaned_invalid(out, s, "timestamp.invalid");
            return;
        }
        us = to_us(context, &date, &time);
    }
    date = moment_from_days(us / (DAY_SECONDS * US_PER_SECOND));
    if (date.year < YEAR_FIRST || date.year > YEAR_LAST) {
        cleaned_invalid(out, s, "timestamp.invalid");
        return;
    }
    set_us(us, arena, out);
}

bool clean_timestamp_us(struct slice s, int64_t *at_us)
{
    struct moment_date date = {0, 0, 0};
    int64_t seconds = 0, fraction = 0;
    int n[6] = {0};
    static const size_t at[6] = {0, 5, 8, 11, 14, 17};
    bool whole = s.len >= 20 && s.ptr[10] == 'T' && s.ptr[s.len - 1] == 'Z';
    if (s.len != 10 && !whole)
        return false;
    for (size_t i = 0; i < (whole ? 6u : 3u); i++) {
        for (size_t j = at[i]; j < at[i] + (i == 0 ? 4u : 2u); j++) {
            if (!is_digit(s.ptr[j]))
                return false;
            n[i] = n[i] * 10 + (s.ptr[j] - '0');
        }
    }
    date = (struct moment_date){n[0], n[1], n[2]};
    if (s.ptr[4] != '-' || s.ptr[7] != '-' || !moment_date_exists(&date) || date.month == 0 || date.day == 0)
        return false;
    if (whole && s.len > 21 && s.ptr[19] == '.') {
        int64_t unit = 100000;
        for (size_t i = 20; i + 1 < s.len; i++, unit /= 10) {
            if (!is_digit(s.ptr[i]))
                return false;
            fraction += unit * (s.ptr[i] - '0');
        }
    } else if (whole && s.len != 20) {
        return false;
    }
    seconds = moment_days(&date) * DAY_SECONDS + n[3] * 3600 + n[4] * 60 + n[5];
    *at_us = seconds * US_PER_SECOND + fraction;
    return true;
}
