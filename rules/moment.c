/* moment.c - see moment.h. */
#include "rules/moment.h"

#include "daemon/base/utf8.h"

#define TOKENS_MAX    12
#define YEAR_PIVOT    30 /* 29 is 2029, 30 is 1930: birthdays are the common case */
#define SERIAL_FIRST  3654   /* 1910 */
#define SERIAL_LAST   73050  /* 2099-12-31 */

enum token_kind { TOKEN_NUMBER, TOKEN_MONTH, TOKEN_YEAR_MARK, TOKEN_MONTH_MARK, TOKEN_DAY_MARK };

struct token {
    enum token_kind kind;
    int value;
    int digits;
    char before; /* separator in front: '-', '/', '.', ' ' or 0 */
};

struct month_name {
    const char *name;
    int month;
};

static const struct month_name month_names[] = {
    {"january", 1}, {"february", 2}, {"march", 3}, {"april", 4}, {"may", 5}, {"june", 6}, {"july", 7}, {"august", 8}, {"september", 9}, {"october", 10},
    {"november", 11}, {"december", 12}, {"jan", 1}, {"feb", 2}, {"mar", 3}, {"apr", 4}, {"jun", 6}, {"jul", 7}, {"aug", 8}, {"sep", 9}, {"sept", 9},
    {"oct", 10}, {"nov", 11}, {"dec", 12}, {"januar", 1}, {"februar", 2}, {"m\xC3\xA4rz", 3}, {"maerz", 3}, {"mai", 5}, {"juni", 6}, {"juli", 7},
    {"oktober", 10}, {"dezember", 12}, {"m\xC3\xA4r", 3}, {"okt", 10}, {"dez", 12}, {"janvier", 1}, {"f\xC3\xA9vrier", 2}, {"fevrier", 2}, {"mars", 3},
    {"avril", 4}, {"juin", 6}, {"juillet", 7}, {"ao\xC3\xBBt", 8}, {"aout", 8}, {"septembre", 9}, {"octobre", 10}, {"novembre", 11}, {"d\xC3\xA9""cembre", 12},
    {"decembre", 12}, {"enero", 1}, {"febrero", 2}, {"marzo", 3}, {"abril", 4}, {"mayo", 5}, {"junio", 6}, {"julio", 7}, {"agosto", 8}, {"septiembre", 9},
    {"octubre", 10}, {"noviembre", 11}, {"diciembre", 12},
};

static bool is_weekday(struct slice word)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "tues", "thur", "thurs", "monday", "tuesday", "wednesday", "thursday",
                                        "friday", "saturday", "sunday", "th", "st", "nd", "rd", "of", "de", "den", "the", "del", "le"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_eq_nocase(word, slice_str(names[i])))
            return true;
    }
    return false;
}

static int month_of(struct slice word)
{
    for (size_t i = 0; i < sizeof(month_names) / sizeof(month_names[0]); i++) {
        if (slice_eq_nocase(word, slice_str(month_names[i].name)))
            return month_names[i].month;
    }
    return 0;
}

/* 〇 to 九, 十; -1 for anything else. */
static int chinese_digit(uint32_t c)
{
    static const uint32_t digits[] = {0x3007, 0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94, 0x516D, 0x4E03, 0x516B, 0x4E5D, 0x5341};
    if (c == 0x96F6)
        return 0;
    for (int i = 0; i <= 10; i++) {
        if (digits[i] == c)
            return i;
    }
    return -1;
}

/* A run of Chinese digits: 一九九〇, 十二, 二十一. */
static bool read_chinese(struct slice *s, struct token *token)
{
    bool any = false;
    token->value = token->digits = 0;
    while (s->len > 0 && token->digits < 5) {
        struct slice rest = *s;
        uint32_t c = 0;
        utf8_next(&rest, &c);
        int digit = chinese_digit(c);
        if (digit < 0)
            break;
        struct slice after = rest;
        uint32_t next = 0;
        bool more = utf8_next(&after, &next) && chinese_digit(next) >= 0 && chinese_digit(next) < 10;
        if (digit == 10)
            token->value = token->value == 0 ? (more ? 1 : 10) : (more ? token->value : token->value * 10);
        else
            token->value = token->value * 10 + digit;
        token->digits++;
        any = true;
        *s = rest;
    }
    token->kind = TOKEN_NUMBER;
    return any;
}

static bool read_number(struct slice *s, struct token *token)
{
    token->kind = TOKEN_NUMBER;
    token->value = token->digits = 0;
    while (s->len > 0 && s->ptr[0] >= '0' && s->ptr[0] <= '9') {
        if (token->digits == 8)
            return false;
        token->value = token->value * 10 + (s->ptr[0] - '0');
        token->digits++;
        *s = slice_sub(*s, 1, s->len);
    }
    return token->digits > 0;
}

/* A word: letters and bytes of other scripts' letters. */
static struct slice take_word(struct slice *s)
{
    size_t length = 0;
    while (length < s->len) {
        unsigned char c = (unsigned char)s->ptr[length];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c < 0x80)
            break;
        length++;
    }
    struct slice word = slice_sub(*s, 0, length);
    *s = slice_sub(*s, length, s->len);
    return word;
}

static bool read_mark(struct slice *s, struct token *token)
{
    static const struct {
        const char *text;
        enum token_kind kind;
    } marks[] = {{"年", TOKEN_YEAR_MARK}, {"月", TOKEN_MONTH_MARK}, {"日", TOKEN_DAY_MARK}, {"号", TOKEN_DAY_MARK}, {"號", TOKEN_DAY_MARK}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (slice_starts(*s, slice_str(marks[i].text))) {
            token->kind = marks[i].kind;
            *s = slice_sub(*s, 3, s->len);
            return true;
        }
    }
    return false;
}

/* Number of tokens, or 0 when the text holds anything a date does not. */
static size_t tokenize(struct slice s, struct token tokens[TOKENS_MAX])
{
    size_t count = 0;
    char before = 0;
    while (s.len > 0) {
        char c = s.ptr[0];
        if (c == ' ' || c == ',' || c == '-' || c == '/' || c == '.' || c == '\'' || c == '_') {
            before = before == 0 || before == ' ' ? (c == ',' || c == '\'' ? ' ' : c) : before;
            s = slice_sub(s, 1, s.len);
            continue;
        }
        if (count == TOKENS_MAX)
            return 0;
        struct token *token = &tokens[count];
        *token = (struct token){.before = before};
        if (c >= '0' && c <= '9') {
            if (!read_number(&s, token))
                return 0;
        } else if (!read_mark(&s, token) && !read_chinese(&s, token)) {
            struct slice word = take_word(&s);
            int month = month_of(word);
            if (month == 0 && !is_weekday(word))
                return 0;
            if (month == 0)
                continue;
            token->kind = TOKEN_MONTH;
            token->value = month;
        }
        token->before = before;
        before = 0;
        count++;
    }
    return count;
}

static int full_year(const struct token *token)
{
    if (token->digits > 2)
        return token->value;
    return token->value < YEAR_PIVOT ? 2000 + token->value : 1900 + token->value;
}

/* 1990年3月5日: numbers named by their marks. */
static bool read_marked(const struct token *tokens, size_t count, struct moment_date *date)
{
    for (size_t i = 0; i < count; i += 2) {
        if (tokens[i].kind != TOKEN_NUMBER)
            return false;
        enum token_kind mark = i + 1 < count ? tokens[i + 1].kind : TOKEN_DAY_MARK;
        if (mark == TOKEN_YEAR_MARK && date->year == 0)
            date->year = full_year(&tokens[i]);
        else if (mark == TOKEN_MONTH_MARK && date->month == 0)
            date->month = tokens[i].value;
        else if (mark == TOKEN_DAY_MARK && date->day == 0)
            date->day = tokens[i].value;
        else
            return false;
    }
    return date->year != 0 && (date->month != 0 || date->day == 0);
}

static bool read_with_month_name(const struct token *tokens, size_t count, struct moment_date *date)
{
    const struct token *numbers[2] = {NULL, NULL};
    size_t number_count = 0, month_at = 0;
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].kind == TOKEN_MONTH) {
            if (date->month != 0)
                return false;
            date->month = tokens[i].value;
            month_at = i;
        } else if (tokens[i].kind == TOKEN_NUMBER && number_count < 2) {
            numbers[number_count++] = &tokens[i];
        } else {
            return false;
        }
    }
    if (date->month == 0 || number_count == 0)
        return false;
    if (number_count == 1) { /* "March 1990" */
        date->year = full_year(numbers[0]);
        return numbers[0]->digits == 4;
    }
    bool year_first = numbers[0]->digits >= 3 && month_at > 0;
    date->year = full_year(numbers[year_first ? 0 : 1]);
    date->day = numbers[year_first ? 1 : 0]->value;
    return numbers[year_first ? 1 : 0]->digits <= 2;
}

static bool read_compact(const struct token *token, struct moment_date *date)
{
    if (token->digits == 8) {
        *date = (struct moment_date){token->value / 10000, token->value / 100 % 100, token->value % 100};
        return true;
    }
    if (token->digits == 6 && token->value / 10000 >= 19 && token->value / 10000 <= 20 && token->value % 100 >= 1 &&
        token->value % 100 <= 12) {
        *date = (struct moment_date){token->value / 100, token->value % 100, 0};
        return true;
    }
    if (token->digits == 4) {
        *date = (struct moment_date){token->value, 0, 0};
        return true;
    }
    return token->digits == 5 && moment_from_serial(token->value, date);
}

static bool read_numbers(const struct token *tokens, size_t count, bool day_first, struct moment_date *date)
{
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].kind != TOKEN_NUMBER)
            return false;
    }
    if (count == 1)
        return read_compact(&tokens[0], date);
    if (count == 2) {
        bool year_first = tokens[0].digits == 4;
        date->year = tokens[year_first ? 0 : 1].value;
        date->month = tokens[year_first ? 1 : 0].value;
        return tokens[year_first ? 0 : 1].digits == 4 && tokens[year_first ? 1 : 0].digits <= 2;
    }
    if (count != 3 || tokens[1].digits > 2)
        return false;
    if (tokens[0].digits >= 3) {
        *date = (struct moment_date){tokens[0].value, tokens[1].value, tokens[2].value};
        return tokens[0].digits == 4 && tokens[2].digits <= 2;
    }
    if (tokens[2].digits < 2 || tokens[2].digits == 3)
        return false;
    int a = tokens[0].value, b = tokens[1].value;
    bool day_leads = tokens[1].before == '.' || day_first;
    if (a > 12 && b <= 12)
        day_leads = true;
    else if (b > 12 && a <= 12)
        day_leads = false;
    *date = (struct moment_date){full_year(&tokens[2]), day_leads ? b : a, day_leads ? a : b};
    return true;
}

bool moment_read_date(struct slice s, bool day_first, struct moment_date *date)
{
    struct token tokens[TOKENS_MAX];
    *date = (struct moment_date){0, 0, 0};
    if (s.len > 64)
        return false;
    size_t count = tokenize(s, tokens);
    if (count == 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (tokens[i].kind == TOKEN_MONTH)
            return read_with_month_name(tokens, count, date);
        if (tokens[i].kind != TOKEN_NUMBER)
            return read_marked(tokens, count, date);
    }
    return read_numbers(tokens, count, day_first, date);
}

bool moment_date_exists(const struct moment_date *date)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (date->year < 1 || date->year > 9999 || date->month < 0 || date->month > 12)
        return false;
    if (date->month == 0)
        return date->day == 0;
    bool leap = (date->year % 4 == 0 && date->year % 100 != 0) || date->year % 400 == 0;
    return date->day >= 0 && date->day <= lengths[date->month - 1] + (date->month == 2 && leap);
}

int64_t moment_days(const struct moment_date *date)
{
    int64_t y = date->year - (date->month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (date->month + (date->month > 2 ? -3 : 9)) + 2) / 5 + date->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct moment_date moment_from_days(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    return (struct moment_date){(int)(year_of_era + era * 400 + (month <= 2)), month,
                                (int)(day_of_year - (153 * shifted + 2) / 5 + 1)};
}

bool moment_from_serial(int64_t serial, struct moment_date *date)
{
    if (serial < SERIAL_FIRST || serial > SERIAL_LAST)
        return false;
    *date = moment_from_days(serial - 25569); /* 25569 is 1970-01-01 */
    return true;
}
