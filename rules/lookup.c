/* lookup.c - see lookup.h. Open addressing, at most half full. */
#include "rules/lookup.h"

#include "daemon/base/utf8.h"

#include <unicode/uchar.h>

#define HASH_SEED 0x7472696275746172u

static bool is_invisible(uint32_t c)
{
    return (c >= 0x200b && c <= 0x200f) || c == 0xfeff || c == 0x2060 || c == 0xad;
}

static bool is_blank(uint32_t c)
{
    return c <= 0x20 || c == 0xa0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200a);
}

/* Case and width of one character beyond ASCII. */
static uint32_t fold_wide(uint32_t c)
{
    if (c >= 0xff01 && c <= 0xff5e)
        c -= 0xfee0;
    else if (c == 0x3000)
        return ' ';
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0x2e80 && c < 0xa640)
        return c; /* Han, kana: no case */
    return (uint32_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT);
}

static bool put(char out[FOLDED_MAX], size_t *len, uint32_t c)
{
    char encoded[4];
    size_t width = c < 0x80 ? 1 : utf8_encode(c, encoded);
    if (*len + width > FOLDED_MAX)
        return false;
    if (c < 0x80)
        out[*len] = (char)c;
    else
        memcpy(out + *len, encoded, width);
    *len += width;
    return true;
}

static uint32_t next_folded(struct slice *text)
{
    unsigned char byte = (unsigned char)text->ptr[0];
    if (byte < 0x80) {
        text->ptr++;
        text->len--;
        return byte >= 'A' && byte <= 'Z' ? byte + 32u : byte;
    }
    uint32_t c = 0;
    return utf8_next(text, &c) ? fold_wide(c) : 0;
}

struct slice fold_heading(struct slice text, char out[FOLDED_MAX])
{
    size_t len = 0;
    while (text.len > 0) {
        uint32_t c = next_folded(&text);
        bool keep = c < 0x80 ? (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
                             : u_isalnum((UChar32)c) && c != 0xfffd;
        if (keep && !put(out, &len, c))
            return (struct slice){NULL, 0};
    }
    return slice_of(out, len);
}

struct slice fold_value(struct slice text, char out[FOLDED_MAX])
{
    size_t len = 0;
    bool space = false;
    while (text.len > 0) {
        uint32_t c = next_folded(&text);
        if (is_invisible(c))
            continue;
        if (is_blank(c)) {
            space = len > 0;
            continue;
        }
        if ((space && !put(out, &len, ' ')) || !put(out, &len, c))
            return (struct slice){NULL, 0};
        space = false;
    }
    return slice_of(out, len);
}

bool lookup_init(struct lookup *lookup, size_t count, struct arena *arena)
{
    size_t slots = 8;
    while (slots < count * 2)
        slots *= 2;
    lookup->count = 0;
    lookup->mask = slots - 1;
    lookup->slots = ARENA_ARRAY(arena, struct lookup_entry, slots);
    return lookup->slots != NULL;
}

const struct lookup_entry *lookup_add(struct lookup *lookup, struct slice key, struct slice text,
                                      uint32_t number)
{
    size_t at = slice_hash(key, HASH_SEED) & lookup->mask;
    while (lookup->slots[at].key.ptr) {
        if (slice_eq(lookup->slots[at].key, key))
            return &lookup->slots[at];
        at = (at + 1) & lookup->mask;
    }
    if (lookup->count < lookup->mask) { /* one slot stays free, or a search would not end */
        lookup->slots[at] = (struct lookup_entry){key, text, number};
        lookup->count++;
    }
    return NULL;
}

const struct lookup_entry *lookup_find(const struct lookup *lookup, struct slice key)
{
    if (lookup->slots == NULL || key.ptr == NULL)
        return NULL;
    size_t at = slice_hash(key, HASH_SEED) & lookup->mask;
    while (lookup->slots[at].key.ptr) {
        if (slice_eq(lookup->slots[at].key, key))
            return &lookup->slots[at];
        at = (at + 1) & lookup->mask;
    }
    return NULL;
}
