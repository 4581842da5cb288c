/* number.c - numbers and money as people and spreadsheets write them. */
#include "daemon/base/utf8.h"
#include "rules/clean_intern.h"
#include "rules/text.h"

#define DIGITS_MAX 30

struct decimal {
    bool negative;
    char digits[DIGITS_MAX + 16];
    int count;  /* of digits, leading zeros off */
    int places; /* after the point */
};

static bool push_digit(struct decimal *d, char c)
{
    if (d->count == 0 && c == '0' && d->places == 0)
        return true;
    if (d->count >= DIGITS_MAX)
        return false;
    d->digits[d->count++] = c;
    return true;
}

/* Where the decimal point is: the last of . and , when both are there; a single one is a point unless three digits
 * follow it and it may be grouping. `comma_point`: the country writes 1.234,5. */
static ptrdiff_t find_point(struct slice s, bool comma_point)
{
    ptrdiff_t last_dot = -1, last_comma = -1;
    size_t dots = 0, commas = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.') {
            last_dot = (ptrdiff_t)i;
            dots++;
        } else if (s.ptr[i] == ',') {
            last_comma = (ptrdiff_t)i;
            commas++;
        }
    }
    if (dots > 0 && commas > 0)
        return last_dot > last_comma ? (dots > 1 ? -2 : last_dot) : (commas > 1 ? -2 : last_comma);
    if (dots + commas != 1)
        return -1;
    ptrdiff_t only = dots ? last_dot : last_comma;
    bool three = s.len - (size_t)only - 1 == 3 && only >= 1 && only <= 3 && s.ptr[0] != '0';
    if (three && ((commas && !comma_point) || (dots && comma_point)))
        return -1;
    return only;
}

static bool is_group_mark(char c)
{
    return c == ',' || c == '.' || c == ' ' || c == '\'' || c == '_';
}

/* Reads digits, grouping and one point; false when anything else is in it or groups are not of three (or four). */
static bool read_decimal(struct slice s, bool comma_point, struct decimal *d)
{
    *d = (struct decimal){.count = 0};
    s = text_trim(s);
    if (s.len > 2 && s.ptr[0] == '(' && s.ptr[s.len - 1] == ')') {
        d->negative = true; /* accounting */
        s = slice_sub(s, 1, s.len - 1);
    }
    if (s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+')) {
        d->negative |= s.ptr[0] == '-';
        s = text_trim(slice_sub(s, 1, s.len));
    } else if (s.len > 1 && s.ptr[s.len - 1] == '-') {
        d->negative = true;
        s.len--;
    }
    ptrdiff_t point = find_point(s, comma_point);
    size_t seen = 0, since_mark = 0, marks = 0;
    if (point == -2)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if ((ptrdiff_t)i == point) {
            if (marks > 0 && since_mark != 3)
                return false;
            d->places = 1;
            continue;
        }
        if (is_group_mark(c)) {
            if (d->places > 0 || seen == 0 || i + 1 == s.len || (marks > 0 && since_mark != 3 && since_mark != 2 && since_mark != 4))
                return false;
            marks++;
            since_mark = 0;
            continue;
        }
        if (!is_digit(c))
            return false;
        seen++;
        since_mark++;
        if (d->places > 0) {
            if (d->places > 12 || d->count >= DIGITS_MAX)
                return false;
            if (d->count == 0 && c == '0') {
                d->places++;
                continue;
            }
            d->digits[d->count++] = c;
            d->places++;
        } else if (!push_digit(d, c)) {
            return false;
        }
    }
    if (marks > 0 && point < 0 && since_mark != 3 && since_mark != 4)
        return false;
    d->places = d->places > 0 ? d->places - 1 : 0;
    return seen > 0;
}

/* Takes trailing 万 and 亿 and k, m off; *zeros is the power of ten they stand for. */
static struct slice take_scale(struct slice s, int *zeros)
{
    static const struct {
        const char *text;
        int zeros;
    } scales[] = {{"万亿", 12}, {"千万", 7}, {"百万", 6}, {"万", 4}, {"萬", 4}, {"亿", 8}, {"億", 8}, {"k", 3}, {"K", 3}, {"%", -2}};
    *zeros = 0;
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++) {
        struct slice word = slice_str(scales[i].text);
        if (s.len > word.len && slice_ends(s, word)) {
            *zeros = scales[i].zeros;
            return text_trim(slice_sub(s, 0, s.len - word.len));
        }
    }
    return s;
}

/* Multiplies by a power of ten. */
static bool scale(struct decimal *d, int zeros)
{
    for (; zeros > 0; zeros--) {
        if (d->places > 0)
            d->places--;
        else if (d->count > 0 && d->count < DIGITS_MAX)
            d->digits[d->count++] = '0';
        else if (d->count > 0)
            return false;
    }
    d->places -= zeros; /* what is negative is more places */
    return d->places <= 14;
}

static struct slice print_decimal(const struct decimal *d, struct arena *arena)
{
    int count = d->count, places = d->places;
    while (places > 0 && count > 0 && d->digits[count - 1] == '0') {
        count--;
        places--;
    }
    if (count == 0)
        return SLICE("0");
    char *out = arena_alloc(arena, (size_t)count + (size_t)places + 4);
    size_t length = 0;
    if (out == NULL)
        return SLICE_EMPTY;
    if (d->negative)
        out[length++] = '-';
    int whole = count - places;
    if (whole <= 0)
        out[length++] = '0';
    for (int i = 0; i < count || i < whole; i++) {
        if (i == whole || (i == 0 && whole < 0)) {
            out[length++] = '.';
            for (int j = whole; j < 0; j++)
                out[length++] = '0';
        } else if (i == 0 && whole == 0) {
            out[length++] = '.';
        }
        out[length++] = d->digits[i];
    }
    return slice_of(out, length);
}

/* "1.5E+3" as spreadsheets print it. */
static struct slice take_exponent(struct slice s, int *power)
{
    *power = 0;
    for (size_t i = 1; i + 1 < s.len; i++) {
        if ((s.ptr[i] != 'e' && s.ptr[i] != 'E') || !is_digit(s.ptr[i - 1]))
            continue;
        struct slice tail = slice_sub(s, i + 1, s.len);
        int64_t value;
        if (tail.ptr[0] == '+')
            tail = slice_sub(tail, 1, tail.len);
        if (tail.len == 0 || tail.len > 3 || !slice_to_int64(tail, &value) || value > 15 || value < -12)
            return s;
        *power = (int)value;
        return slice_sub(s, 0, i);
    }
    return s;
}

static bool writes_comma_point(const struct clean_context *context)
{
    static const char *const countries[] = {"DE", "AT", "FR", "ES", "IT", "NL", "BE", "PT", "BR", "PL", "RU", "SE", "NO", "DK", "FI", "CZ", "TR", "AR", "ID", "VN", "UA", "GR", "HU", "RO"};
    for (size_t i = 0; i < sizeof(countries) / sizeof(countries[0]); i++) {
        if (context_country_is(context, countries[i]))
            return true;
    }
    return false;
}

static bool read_scaled(const struct clean_context *context, struct slice s, struct decimal *d)
{
    int zeros, power;
    s = take_scale(text_trim(s), &zeros);
    s = take_exponent(s, &power);
    return s.len <= 64 && read_decimal(s, writes_comma_point(context), d) && scale(d, zeros) && scale(d, power);
}

void clean_number(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    struct slice s = text_clean(input, false, arena);
    struct decimal d;
    if (!read_scaled(context, s, &d)) {
        cleaned_invalid(out, s, "number.invalid");
        return;
    }
    out->value = print_decimal(&d, arena);
}

struct currency_mark {
    const char *text;
    const char *code; /* ISO 4217 */
};

static const struct currency_mark marks[] = {
    {"人民币", "CNY"}, {"元整", "CNY"}, {"元", "CNY"}, {"RMB", "CNY"}, {"圆", "CNY"}, {"¥", "CNY"}, {"￥", "CNY"}, {"块", "CNY"}, {"CN¥", "CNY"},
    {"US$", "USD"}, {"HK$", "HKD"}, {"NT$", "TWD"}, {"A$", "AUD"}, {"C$", "CAD"}, {"S$", "SGD"}, {"R$", "BRL"}, {"$", "USD"}, {"美元", "USD"}, {"港币", "HKD"}, {"欧元", "EUR"}, {"日元", "JPY"},
    {"€", "EUR"}, {"£", "GBP"}, {"₩", "KRW"}, {"₹", "INR"}, {"₽", "RUB"}, {"₫", "VND"}, {"฿", "THB"}, {"zł", "PLN"}, {"円", "JPY"}, {"Fr.", "CHF"}, {"kr", "SEK"},
};

static const char *const codes[] = {"CNY", "USD", "EUR", "GBP", "JPY", "HKD", "TWD", "SGD", "AUD", "CAD", "CHF", "KRW", "INR", "RUB", "BRL", "MXN", "SEK", "NOK", "DKK", "PLN", "CZK",
                                    "HUF", "TRY", "ZAR", "THB", "VND", "IDR", "MYR", "PHP", "NZD", "AED", "SAR", "ILS", "MOP", "CLP", "COP", "ARS", "UAH", "RON", "BGN", "KWD", "BHD", "TND", "JOD", "OMR", "ISK"};

/* Places after the point that a currency has (ISO 4217, minor units). */
static int currency_places(const char *code)
{
    static const char *const none[] = {"JPY", "KRW", "VND", "CLP", "ISK"};
    static const char *const three[] = {"KWD", "BHD", "TND", "JOD", "OMR"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (strcmp(code, none[i]) == 0)
            return 0;
        if (strcmp(code, three[i]) == 0)
            return 3;
    }
    return 2;
}

static struct slice take_word(struct slice s, struct slice word, bool *found)
{
    *found = true;
    if (s.len > word.len && slice_eq_nocase(slice_sub(s, 0, word.len), word))
        return text_trim(slice_sub(s, word.len, s.len));
    if (s.len > word.len && slice_eq_nocase(slice_sub(s, s.len - word.len, s.len), word))
        return text_trim(slice_sub(s, 0, s.len - word.len));
    *found = false;
    return s;
}

static struct slice take_currency(const struct clean_context *context, struct slice s, const char **code)
{
    bool found;
    *code = NULL;
    if (s.len > 1 && s.ptr[0] == '-' && !is_digit(s.ptr[1])) /* -¥5 */
        s = text_trim(slice_sub(s, 1, s.len));
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]) && *code == NULL; i++) {
        s = take_word(s, slice_str(codes[i]), &found);
        if (found)
            *code = codes[i];
    }
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        s = take_word(s, slice_str(marks[i].text), &found);
        if (found && *code == NULL)
            *code = marks[i].code;
        if (found)
            break;
    }
    if (*code && strcmp(*code, "CNY") == 0 && context_country_is(context, "JP"))
        *code = "JPY"; /* the yen sign */
    if (*code && strcmp(*code, "USD") == 0) {
        static const char *const dollars[][2] = {{"CA", "CAD"}, {"AU", "AUD"}, {"HK", "HKD"}, {"SG", "SGD"}, {"TW", "TWD"}, {"NZ", "NZD"}, {"MX", "MXN"}};
        for (size_t i = 0; i < sizeof(dollars) / sizeof(dollars[0]); i++) {
            if (context_country_is(context, dollars[i][0]))
                *code = dollars[i][1];
        }
    }
    return s;
}

void clean_money(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    const char *code;
    struct decimal d;
    struct slice s = text_clean(input, false, arena);
    bool negative = s.len > 1 && s.ptr[0] == '-' && !is_digit(s.ptr[1]);
    struct slice amount = take_currency(context, s, &code);
    if (!read_scaled(context, amount, &d) || d.count + 3 > DIGITS_MAX) {
        cleaned_invalid(out, s, "money.invalid");
        return;
    }
    d.negative |= negative;
    int places = code ? currency_places(code) : 2;
    scale(&d, places);
    if (d.places > 0) { /* finer than the currency: half a unit up */
        int keep = d.count - d.places;
        bool up = keep >= 0 && keep < d.count && d.digits[keep] >= '5';
        d.count = keep > 0 ? keep : 0;
        d.places = 0;
        for (int i = d.count - 1; up && i >= 0; i--) {
            up = d.digits[i] == '9';
            d.digits[i] = up ? '0' : (char)(d.digits[i] + 1);
        }
        if (up) {
            memmove(d.digits + 1, d.digits, (size_t)d.count);
            d.digits[0] = '1';
            d.count++;
        }
    }
    struct slice minor = print_decimal(&d, arena);
    if (minor.len > 18) {
        cleaned_invalid(out, s, "money.invalid");
        return;
    }
    out->value = code ? arena_printf(arena, SLICE_FMT " %s", SLICE_ARG(minor), code) : minor;
    if (code)
        cleaned_add_side(out, SIDE_CURRENCY, 0, slice_str(code));
    else
        cleaned_add_issue(out, "money.no_currency", SLICE_EMPTY);
}
