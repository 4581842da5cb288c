/*
 * Text of bounded length, UTF-8 aware, and the slips of hands and scanners.
 * A text that would not fit is cut at the limit; every field is far below it.
 */
#ifndef TESTS_BENCH_GENERATE_TEXT_H
#define TESTS_BENCH_GENERATE_TEXT_H

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "generate_random.h"

#define COUNT_OF(array) ((unsigned)(sizeof(array) / sizeof((array)[0])))
#define TEXT_SIZE       200

struct text {
    size_t length;
    char bytes[TEXT_SIZE];
};

static void text_clear(struct text *t)
{
    t->length = 0;
    t->bytes[0] = '\0';
}

static void text_add_bytes(struct text *t, const char *bytes, size_t length)
{
    if (t->length + length >= TEXT_SIZE)
        return;
    memcpy(t->bytes + t->length, bytes, length);
    t->length += length;
    t->bytes[t->length] = '\0';
}

static void text_add(struct text *t, const char *s)
{
    text_add_bytes(t, s, strlen(s));
}

static void text_add_char(struct text *t, char c)
{
    text_add_bytes(t, &c, 1);
}

/* Adds `number` with at least `digits` digits. */
static void text_add_number(struct text *t, uint64_t number, unsigned digits)
{
    char reversed[24], forward[24];
    size_t n = 0;

    while (number > 0 || n < digits || n == 0) {
        reversed[n++] = (char)('0' + number % 10);
        number /= 10;
    }
    for (size_t i = 0; i < n; i++)
        forward[i] = reversed[n - 1 - i];
    text_add_bytes(t, forward, n);
}

static void text_set(struct text *t, const char *s)
{
    text_clear(t);
    text_add(t, s);
}

/* Bytes of the UTF-8 character at s, which must not be the end. */
static size_t utf8_length(const char *s)
{
    unsigned char c = (unsigned char)*s;

    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static void text_upper(struct text *t)
{
    for (size_t i = 0; i < t->length; i++) {
        char c = t->bytes[i];

        if (c >= 'a' && c <= 'z')
            t->bytes[i] = (char)(c - 'a' + 'A');
        else if ((unsigned char)c == 0xc3 && (unsigned char)t->bytes[i + 1] >= 0xa0 &&
                 (unsigned char)t->bytes[i + 1] != 0xbf)
            t->bytes[i + 1] = (char)(t->bytes[i + 1] - 0x20);
    }
}

static void text_lower(struct text *t)
{
    for (size_t i = 0; i < t->length; i++) {
        char c = t->bytes[i];

        if (c >= 'A' && c <= 'Z')
            t->bytes[i] = (char)(c - 'A' + 'a');
        else if ((unsigned char)c == 0xc3 && (unsigned char)t->bytes[i + 1] >= 0x80 &&
                 (unsigned char)t->bytes[i + 1] < 0x9e)
            t->bytes[i + 1] = (char)(t->bytes[i + 1] + 0x20);
    }
}

/*
 * Letters of Latin-1 (U+00C0 to U+00FF) without their marks: `plain` as a foreign clerk drops them,
 * `german` as a German spells them out.
 */
static const char *const latin_plain[64] = {
    "A", "A", "A", "A", "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I",  "I",
    "D", "N", "O", "O", "O", "O", "O",  "x", "O", "U", "U", "U", "U", "Y", "Th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  "/", "o", "u", "u", "u", "u", "y", "th", "y"};

static void text_fold(struct text *t, bool german)
{
    struct text out;

    text_clear(&out);
    for (size_t i = 0; i < t->length;) {
        const char *s = t->bytes + i;
        size_t n = utf8_length(s);

        if (n == 2 && (unsigned char)s[0] == 0xc3) {
            unsigned letter = (unsigned char)s[1] - 0x80U;

            text_add(&out, latin_plain[letter & 63]);
            /* Ä Ö Ü ä ö ü */
            if (german && (letter == 4 || letter == 22 || letter == 28 || letter == 36 ||
                           letter == 54 || letter == 60))
                text_add_char(&out, 'e');
        } else if (n == 2 && (unsigned char)s[0] == 0xc5) {
            text_add_char(&out, 'o');
        } else {
            text_add_bytes(&out, s, n);
        }
        i += n;
    }
    *t = out;
}

/* Writes ASCII in its full-width forms, as Chinese input methods do when left in that mode. */
static void text_widen(struct text *t)
{
    struct text out;

    text_clear(&out);
    for (size_t i = 0; i < t->length; i++) {
        unsigned char c = (unsigned char)t->bytes[i];

        if (c > ' ' && c < 0x7f) {
            unsigned code = 0xff00U + c - 0x20U;
            char wide[3] = {(char)(0xe0 | (code >> 12)), (char)(0x80 | ((code >> 6) & 63)),
                            (char)(0x80 | (code & 63))};

            text_add_bytes(&out, wide, 3);
        } else {
            text_add_char(&out, (char)c);
        }
    }
    *t = out;
}

/* The character paired with the one at s in a table of pairs, or NULL; both ways if `mutual`. */
static const char *paired_with(const char *pairs, const char *s, bool mutual)
{
    size_t n = utf8_length(s);

    for (const char *p = pairs; *p;) {
        const char *left = p, *right = p + utf8_length(p);

        p = right + utf8_length(right);
        if ((size_t)(right - left) == n && memcmp(left, s, n) == 0)
            return right;
        if (mutual && (size_t)(p - right) == n && memcmp(right, s, n) == 0)
            return left;
    }
    return NULL;
}

static void text_traditional(struct text *t, const char *pairs)
{
    struct text out;

    text_clear(&out);
    for (size_t i = 0; i < t->length;) {
        const char *s = t->bytes + i;
        const char *other = utf8_length(s) == 3 ? paired_with(pairs, s, false) : NULL;

        text_add_bytes(&out, other ? other : s, utf8_length(other ? other : s));
        i += utf8_length(s);
    }
    *t = out;
}

static char keyboard_neighbour(struct random *r, char c)
{
    static const char *const rows[] = {"qwertyuiop", "asdfghjkl", "zxcvbnm"};

    for (unsigned i = 0; i < 3; i++) {
        const char *at = strchr(rows[i], c);

        if (at && *at) {
            size_t last = strlen(rows[i]) - 1, position = (size_t)(at - rows[i]);

            if (position == 0)
                return rows[i][1];
            if (position == last)
                return rows[i][last - 1];
            return rows[i][random_chance(r, 0.5) ? position - 1 : position + 1];
        }
    }
    return c;
}

/* What OCR reads for a letter; the letter itself when it reads it well. */
static const char *ocr_reading(char c)
{
    switch (c) {
    case 'l':
        return "1";
    case 'i':
        return "l";
    case 'o':
        return "0";
    case 'm':
        return "rn";
    case 'e':
        return "c";
    case 's':
        return "5";
    case 'h':
        return "b";
    default:
        return NULL;
    }
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/*
 * One slip among the lower-case ASCII letters of the first `limit` bytes: neighbouring key, swap,
 * left out, doubled, misread. A text with fewer than three such letters is left alone and false is
 * returned, as it is when the slip would have changed nothing.
 */
static bool text_slip(struct text *t, size_t limit, struct random *r)
{
    size_t places[TEXT_SIZE], count = 0;
    struct text out;

    for (size_t i = 0; i < limit && i < t->length; i++) {
        if (is_lower(t->bytes[i]))
            places[count++] = i;
    }
    if (count < 3)
        return false;

    size_t at = places[random_below(r, (unsigned)count)];
    char c = t->bytes[at], next = t->bytes[at + 1];
    unsigned kind = random_below(r, 5);

    text_clear(&out);
    text_add_bytes(&out, t->bytes, at);
    if (kind == 0) {
        text_add_char(&out, keyboard_neighbour(r, c));
    } else if (kind == 1 && is_lower(next) && next != c) {
        text_add_char(&out, next);
        text_add_char(&out, c);
        at++;
    } else if (kind == 2) {
        text_add_char(&out, c);
        text_add_char(&out, c);
    } else if (kind == 3 && ocr_reading(c)) {
        text_add(&out, ocr_reading(c));
    } /* else the letter is left out */
    text_add_bytes(&out, t->bytes + at + 1, t->length - at - 1);
    *t = out;
    return true;
}

#endif
