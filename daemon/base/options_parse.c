/* options_parse.c - one value from its text: numbers, durations, sizes. See options.h. */
#include "daemon/base/options_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1},      {"s", 1000},     {"m", 60000},     {"min", 60000},
    {"h", 3600000}, {"d", 86400000}, {"w", 604800000}, {NULL, 0},
};

static const struct unit size_units[] = {
    {"b", 1},           {"k", 1024},         {"kb", 1024},         {"kib", 1024},
    {"m", 1048576},     {"mb", 1048576},     {"mib", 1048576},     {"g", 1073741824},
    {"gb", 1073741824}, {"gib", 1073741824}, {"t", 1099511627776}, {NULL, 0},
};

static size_t count_digits(struct slice text)
{
    size_t count = 0;
    while (count < text.len && text.ptr[count] >= '0' && text.ptr[count] <= '9')
        count++;
    return count;
}

static size_t count_letters(struct slice text)
{
    size_t count = 0;
    while (count < text.len && ((text.ptr[count] | 0x20) >= 'a' && (text.ptr[count] | 0x20) <= 'z'))
        count++;
    return count;
}

static int64_t factor_of(const struct unit *units, struct slice name)
{
    for (; units->name; units++) {
        if (slice_eq_nocase(name, slice_str(units->name)))
            return units->factor;
    }
    return 0;
}

/* Takes "15m" off the front of *text and adds it to *sum. */
static bool take_quantity(struct slice *text, const struct unit *units, int64_t *sum)
{
    size_t digits = count_digits(*text);
    int64_t number, product;
    if (digits == 0 || !slice_to_int64(slice_sub(*text, 0, digits), &number))
        return false;
    *text = slice_sub(*text, digits, text->len);
    size_t letters = count_letters(*text);
    int64_t factor = factor_of(units, slice_sub(*text, 0, letters));
    *text = slice_sub(*text, letters, text->len);
    return factor != 0 && !__builtin_mul_overflow(number, factor, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
}

bool duration_parse_ms(struct slice text, int64_t *value_ms)
{
    int64_t sum = 0;
    if (!slice_is(text, "0")) {
        if (text.len == 0)
            return false;
        while (text.len > 0) {
            if (!take_quantity(&text, duration_units, &sum))
                return false;
        }
    }
    *value_ms = sum;
    return true;
}

bool size_parse_bytes(struct slice text, int64_t *value_bytes)
{
    int64_t bytes = 0;
    if (count_digits(text) == text.len) {
        if (!slice_to_int64(text, &bytes))
            return false;
    } else if (!take_quantity(&text, size_units, &bytes) || text.len > 0) {
        return false;
    }
    *value_bytes = bytes;
    return true;
}

const char *option_read_int(struct slice text, int64_t *value)
{
    return slice_to_int64(text, value) ? NULL : "a whole number";
}

const char *option_read_float(struct slice text, double *value)
{
    char copy[64];
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == 0 || strchr("+-.0123456789eE", text.ptr[i]) == NULL)
            return "a number";
    }
    if (text.len == 0 || text.len >= sizeof(copy))
        return "a number";
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    char *end;
    *value = strtod(copy, &end);
    return *end == '\0' && isfinite(*value) ? NULL : "a number";
}

const char *option_read_bool(struct slice text, int64_t *value)
{
    static const char *const yes[] = {"true", "yes", "on"};
    static const char *const no[] = {"false", "no", "off"};
    for (size_t i = 0; i < 3; i++) {
        if (slice_eq_nocase(text, slice_str(yes[i]))) {
            *value = 1;
            return NULL;
        }
        if (slice_eq_nocase(text, slice_str(no[i]))) {
            *value = 0;
            return NULL;
        }
    }
    return "true or false";
}

const char *option_type_word(const struct option *option)
{
    switch (option->type) {
    case OPTION_STRING:
        return "text";
    case OPTION_INT:
        return "whole number";
    case OPTION_FLOAT:
        return "number";
    case OPTION_BOOL:
        return "true or false";
    case OPTION_DURATION:
        return "duration";
    case OPTION_SIZE:
        return "size";
    case OPTION_ENUM:
        return "one of";
    case OPTION_SECRET:
        return "secret";
    case OPTION_STRINGS:
        return "list of texts";
    case OPTION_TEXT_MAP:
        return "names to texts";
    case OPTION_SECTION:
        return "section";
    case OPTION_SECTIONS:
        return "named sections";
    case OPTION_FREE:
        return "any";
    }
    return "any";
}

void option_bound_text(const struct option *option, int64_t bound, char *out, size_t size)
{
    static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000},
                                            {"s", 1000},     {"ms", 1},      {NULL, 0}};
    static const struct unit sizes[] = {
        {"G", 1073741824}, {"M", 1048576}, {"k", 1024}, {"", 1}, {NULL, 0}};
    const struct unit *units = option->type == OPTION_DURATION ? durations
                               : option->type == OPTION_SIZE   ? sizes
                                                               : NULL;
    for (; units && units->name && bound != 0; units++) {
        if (bound % units->factor == 0) {
            snprintf(out, size, "%lld%s", (long long)(bound / units->factor), units->name);
            return;
        }
    }
    snprintf(out, size, "%lld", (long long)bound);
}
