/*
 * sorted_text.h - one row of a generated table whose rows begin with a short text padded with NULs, in the order of
 * its bytes: by halves, eight bytes at a time. Private to rules/.
 */
#ifndef TRIBUTARY_RULES_SORTED_TEXT_H
#define TRIBUTARY_RULES_SORTED_TEXT_H

#include "daemon/base/slice.h"

#define SORTED_TEXT_MAX 16 /* bytes of a text, one NUL among them */

/* Eight bytes as a number: numbers are in the order of the bytes. */
static inline uint64_t bytes_as_number(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;

    return (uint64_t)b[0] << 56 | (uint64_t)b[1] << 48 | (uint64_t)b[2] << 40 | (uint64_t)b[3] << 32 |
           (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | (uint64_t)b[7];
}

/* The row of `size` bytes whose first `text_bytes` (8 to 16) are the text and NULs; NULL when there is none. */
static inline const void *sorted_text_find(struct slice text, const void *rows, size_t count, size_t size,
                                           size_t text_bytes)
{
    char padded[SORTED_TEXT_MAX] = "";
    size_t low = 0, high = count;

    if (text.len == 0 || text.len >= text_bytes || memchr(text.ptr, '\0', text.len))
        return NULL;
    memcpy(padded, text.ptr, text.len);
    uint64_t wanted = bytes_as_number(padded);
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *row = (const char *)rows + middle * size;
        uint64_t here = bytes_as_number(row);
        int order = here < wanted ? -1 : here > wanted;
        if (order == 0 && text_bytes > 8)
            order = memcmp(row + 8, padded + 8, text_bytes - 8);
        if (order == 0)
            return row;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

#endif
