/* han.c - see han.h. */
#include "rules/han.h"

#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "rules/han_table.h"
#include "rules/name_table.h"
#include "rules/text.h"

#define ZERO_CHARACTER 0x3007 /* 〇, a letter-like symbol that is read and written as a character */

bool han_is(uint32_t c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || c == ZERO_CHARACTER ||
           (c >= 0x20000 && c <= 0x323AF) || (c >= 0xF900 && c <= 0xFAFF);
}

bool han_all(struct slice s)
{
    uint32_t c;
    bool any = s.len > 0;
    while (utf8_next(&s, &c)) {
        if (!han_is(c))
            return false;
    }
    return any;
}

uint16_t han_syllable(uint32_t c)
{
    if (c == ZERO_CHARACTER)
        c = 0x96F6; /* 零 */
    for (size_t i = 0; i < HAN_BLOCK_COUNT; i++) {
        if (c >= han_blocks[i].first && c <= han_blocks[i].last)
            return han_blocks[i].syllables[c - han_blocks[i].first];
    }
    return 0;
}

const char *han_pinyin(uint32_t c)
{
    return han_syllable_names[han_syllable(c)];
}

char han_initial(uint32_t c)
{
    return han_pinyin(c)[0];
}

uint32_t han_simplified(uint32_t c)
{
    if (c < 0x3400 || c > 0x3FFFF)
        return c;
    size_t low = han_simple_pages[c >> 8], high = han_simple_pages[(c >> 8) + 1];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (han_simple_pairs[middle].from < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low < han_simple_pages[(c >> 8) + 1] && han_simple_pairs[low].from == c
               ? han_simple_pairs[low].to
               : c;
}

struct slice han_simplify(struct slice text, struct arena *arena)
{
    char *out = arena_alloc(arena, text.len * 4 + 1);
    size_t length = 0;
    uint32_t c;
    if (out == NULL)
        return SLICE_EMPTY;
    while (utf8_next(&text, &c))
        length += utf8_encode(han_simplified(c), out + length);
    return slice_of(out, length);
}

struct slice han_romanize(struct slice text, char separator, struct arena *arena)
{
    struct slice spaced = text_ascii(text, arena);
    if (separator == ' ' || spaced.len == 0)
        return spaced;
    char *out = (char *)spaced.ptr; /* ours: text_ascii always makes a copy */
    size_t length = 0;
    for (size_t i = 0; i < spaced.len; i++) {
        if (out[i] != ' ')
            out[length++] = out[i];
        else if (separator != 0)
            out[length++] = separator;
    }
    return slice_of(out, length);
}

uint64_t han_homophone_hash(struct slice text)
{
    /* FNV-1a over syllable names and ASCII letters, so that the table's numbering does not matter. */
    uint64_t hash = 0xCBF29CE484222325u;
    uint32_t c;
    while (utf8_next(&text, &c)) {
        for (const char *letter = text_ascii_of(c); *letter; letter++)
            hash = (hash ^ (unsigned char)*letter) * 0x100000001B3u;
        if (han_is(c))
            hash = (hash ^ ' ') * 0x100000001B3u;
    }
    return hash;
}

static int compare_surname(const void *key, const void *row)
{
    return memcmp(key, ((const struct surname_row *)row)->surname, SURNAME_BYTES);
}

static const struct surname_row *find_surname(struct slice s)
{
    char key[SURNAME_BYTES] = ""; /* padded with NULs as the rows are */
    if (s.len < 3 || s.len >= SURNAME_BYTES)
        return NULL;
    memcpy(key, s.ptr, s.len);
    return bsearch(key, surname_rows, surname_row_count, sizeof(surname_rows[0]), compare_surname);
}

/* The same in simplified characters; traditional surnames are not in the table. */
static const struct surname_row *find_surname_any(struct slice s)
{
    const struct surname_row *found = find_surname(s);
    if (found || s.len >= SURNAME_BYTES)
        return found;
    char simple[SURNAME_BYTES * 4];
    size_t length = 0;
    bool changed = false;
    uint32_t c;
    while (utf8_next(&s, &c)) {
        uint32_t to = han_simplified(c);
        changed |= to != c;
        length += utf8_encode(to, simple + length);
    }
    return changed ? find_surname(slice_of(simple, length)) : NULL;
}

bool han_is_surname(struct slice s)
{
    return find_surname_any(s) != NULL;
}

unsigned han_surname_rank(struct slice s)
{
    const struct surname_row *row = find_surname_any(s);
    return row ? row->rank : 0;
}

bool han_is_compound_surname(struct slice s)
{
    return utf8_length(s) > 1 && find_surname_any(s) != NULL;
}

/* Bytes of the first `count` characters; 0 when there are fewer. */
static size_t width_of(struct slice s, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t width = utf8_valid_width(slice_sub(s, total, s.len));
        if (width == 0)
            return 0;
        total += width;
    }
    return total;
}

size_t han_family_width(struct slice name)
{
    static const size_t compound_lengths[] = {4, 2};
    size_t characters = utf8_length(name);
    if (characters == 0 || !han_all(name))
        return 0;
    for (size_t i = 0; i < 2; i++) {
        size_t width = characters >= compound_lengths[i] ? width_of(name, compound_lengths[i]) : 0;
        if (width > 0 && find_surname_any(slice_sub(name, 0, width)))
            return width;
    }
    size_t first = width_of(name, 1);
    if (characters <= 4 && find_surname_any(slice_sub(name, 0, first)))
        return first;
    return characters == 2 || characters == 3 ? first : 0;
}

static void set_reading(struct han_reading *reading, const char *text)
{
    size_t length = strnlen(text, sizeof(reading->text) - 1);
    memcpy(reading->text, text, length);
    reading->text[length] = '\0';
}

size_t han_surname_readings(struct slice surname, struct han_reading readings[HAN_READINGS_MAX])
{
    const struct surname_row *row = find_surname_any(surname);
    if (row) {
        set_reading(&readings[0], row->reading);
        if (strcmp(row->reading, row->common) == 0)
            return 1;
        set_reading(&readings[1], row->common);
        return 2;
    }
    char joined[sizeof(readings[0].text)] = "";
    size_t length = 0;
    uint32_t c;
    while (utf8_next(&surname, &c)) {
        const char *syllable = han_pinyin(c);
        size_t width = strlen(syllable);
        if (width == 0 || length + width >= sizeof(joined))
            return 0;
        memcpy(joined + length, syllable, width + 1);
        length += width;
    }
    if (length == 0)
        return 0;
    set_reading(&readings[0], joined);
    return 1;
}
