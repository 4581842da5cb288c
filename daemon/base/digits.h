/*
 * digits.h - decimal digits of fixed width, where printf would cost more than all the rest.
 */
#ifndef TRIBUTARY_BASE_DIGITS_H
#define TRIBUTARY_BASE_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Writes the last `width` decimal digits of value, zeros in front; returns the place behind them. */
static inline char *digits_put(char *out, unsigned value, size_t width)
{
    for (size_t i = width; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
    return out + width;
}

/* The number as it is, without zeros in front; returns the place behind it. At most 20 bytes. */
static inline char *digits_put_u64(char *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    memcpy(out, digits + at, sizeof(digits) - at);
    return out + sizeof(digits) - at;
}

/* 2026-03-01T10:02:03.000123Z; without the fraction when fraction_us is negative. At most 27 bytes, the year from 0
 * to 9999. */
static inline char *digits_put_utc(char *out, int year, int month, int day, int second_of_day,
                                   int fraction_us)
{
    unsigned second = (unsigned)second_of_day;
    out = digits_put(out, (unsigned)year, 4);
    *out++ = '-';
    out = digits_put(out, (unsigned)month, 2);
    *out++ = '-';
    out = digits_put(out, (unsigned)day, 2);
    *out++ = 'T';
    out = digits_put(out, second / 3600, 2);
    *out++ = ':';
    out = digits_put(out, second / 60 % 60, 2);
    *out++ = ':';
    out = digits_put(out, second % 60, 2);
    if (fraction_us >= 0) {
        *out++ = '.';
        out = digits_put(out, (unsigned)fraction_us, 6);
    }
    *out++ = 'Z';
    return out;
}

#endif
