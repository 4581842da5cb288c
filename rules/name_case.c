/* name_case.c - capitals of names, and joining their parts; see name_intern.h. */
#include <unicode/uchar.h>

#include "daemon/base/utf8.h"
#include "rules/name_intern.h"
#include "rules/name_words.h"

struct slice name_join(struct slice a, const char *between, struct slice b, struct arena *arena)
{
    if (a.len == 0)
        return b;
    if (b.len == 0)
        return a;
    size_t gap = strlen(between);
    char *out = arena_alloc(arena, a.len + gap + b.len + 1);
    if (out == NULL)
        return SLICE_EMPTY;
    memcpy(out, a.ptr, a.len);
    memcpy(out + a.len, between, gap);
    memcpy(out + a.len + gap, b.ptr, b.len);
    return slice_of(out, a.len + gap + b.len);
}

static uint32_t to_lower(uint32_t c)
{
    return c < 0x80 ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : (uint32_t)u_tolower((UChar32)c);
}

static uint32_t to_upper(uint32_t c)
{
    return c < 0x80 ? (c >= 'a' && c <= 'z' ? c - 32 : c) : (uint32_t)u_toupper((UChar32)c);
}

static bool is_lower(uint32_t c)
{
    return to_upper(c) != c;
}

static bool is_upper(uint32_t c)
{
    return to_lower(c) != c;
}

/* First letters of the pieces big, the rest small; O'Brien and McDonald too. */
static size_t recase_word(struct slice word, char *out)
{
    size_t length = 0, piece_letters = 0;
    bool mac = false;
    uint32_t c;
    while (utf8_next(&word, &c)) {
        bool start = piece_letters == 0 || (mac && piece_letters == 2);
        if (c == '-' || c == '.' || ((c == '\'' || c == 0x2019) && piece_letters == 1)) {
            piece_letters = 0;
            mac = false;
        } else {
            if (piece_letters == 1)
                mac = length > 0 && out[length - 1] == 'M' && (c == 'c' || c == 'C') && word.len >= 3;
            c = start ? to_upper(c) : to_lower(c);
            piece_letters++;
        }
        length += utf8_encode(c, out + length);
    }
    return length;
}

static bool wants_recasing(struct slice word, enum name_casing casing)
{
    size_t lower = 0, upper = 0;
    uint32_t c;
    struct slice rest = word;
    while (utf8_next(&rest, &c)) {
        lower += is_lower(c);
        upper += is_upper(c);
    }
    if (lower > 0 && upper > 0)
        return false;
    if (lower > 0)
        return casing == NAME_PINYIN || !name_is_particle(word);
    return casing != NAME_MIXED ? upper > 1 : upper > 2;
}

struct slice name_recase(struct slice part, enum name_casing casing, struct arena *arena)
{
    char *out = arena_alloc(arena, part.len * 3 + 1);
    size_t length = 0;
    bool first = true;
    if (out == NULL)
        return SLICE_EMPTY;
    while (part.len > 0) {
        ptrdiff_t space = slice_find_byte(part, ' ');
        struct slice word = slice_sub(part, 0, space < 0 ? part.len : (size_t)space);
        part = slice_sub(part, word.len + 1, part.len);
        char low[8];
        bool particle = false;
        if (casing == NAME_SHOUTED && word.len < sizeof(low)) {
            for (size_t i = 0; i < word.len; i++)
                low[i] = word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? (char)(word.ptr[i] + 32) : word.ptr[i];
            particle = part.len > 0 && name_is_particle(slice_of(low, word.len));
        }
        if (!first)
            out[length++] = ' ';
        if (particle) {
            memcpy(out + length, low, word.len);
            length += word.len;
        } else if (wants_recasing(word, casing)) {
            length += recase_word(word, out + length);
        } else {
            memcpy(out + length, word.ptr, word.len);
            length += word.len;
        }
        first = false;
    }
    return slice_of(out, length);
}
