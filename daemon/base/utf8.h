/*
 * utf8.h - reading and writing UTF-8, strictly (no surrogates, no over-long forms, <= U+10FFFF).
 */
#ifndef TRIBUTARY_BASE_UTF8_H
#define TRIBUTARY_BASE_UTF8_H

#include "daemon/base/slice.h"

/* Width in bytes (1..4) of the well-formed sequence the slice starts with; 0 when it is not one. */
size_t utf8_valid_width(struct slice s);
/* The whole slice is well formed. */
bool utf8_valid(struct slice s);
/* Takes the next code point off the front. At the end returns false. A malformed byte gives
 * U+FFFD and is skipped. */
static inline bool utf8_next(struct slice *s, uint32_t *code_point);
/* Writes 1..4 bytes to out and returns how many; 0 for a surrogate or a value over U+10FFFF. */
size_t utf8_encode(uint32_t code_point, char out[4]);
/* Number of code points (malformed bytes count one each). */
size_t utf8_length(struct slice s);

/* utf8_next where the first byte is not ASCII. */
void utf8_next_wide(struct slice *s, uint32_t *code_point);

/* Inline because every cleaner and comparer walks every text with it. */
static inline bool utf8_next(struct slice *s, uint32_t *code_point)
{
    if (s->len == 0)
        return false;
    unsigned char first = (unsigned char)*s->ptr;
    if (first >= 0x80) {
        utf8_next_wide(s, code_point);
        return true;
    }
    *code_point = first;
    s->ptr++;
    s->len--;
    return true;
}

#endif
