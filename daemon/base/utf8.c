/* utf8.c - see utf8.h. Table 3-7 of the Unicode standard. */
#include "daemon/base/utf8.h"

static bool continues(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t utf8_valid_width(struct slice s)
{
    if (s.len == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return s.len >= 2 && continues(p[1]) ? 2 : 0;
    if ((p[0] & 0xF0) == 0xE0) {
        if (s.len < 3 || !continues(p[1]) || !continues(p[2]))
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (s.len < 4 || !continues(p[1]) || !continues(p[2]) || !continues(p[3]))
            return 0;
        if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

bool utf8_valid(struct slice s)
{
    while (s.len > 0) {
        uint64_t eight = 0;
        if (s.len >= sizeof(eight)) {
            memcpy(&eight, s.ptr, sizeof(eight));
            if ((eight & 0x8080808080808080u) == 0) { /* ASCII */
                s = slice_of(s.ptr + sizeof(eight), s.len - sizeof(eight));
                continue;
            }
        }
        size_t width = utf8_valid_width(s);
        if (width == 0)
            return false;
        s = slice_of(s.ptr + width, s.len - width);
    }
    return true;
}

void utf8_next_wide(struct slice *s, uint32_t *code_point)
{
    const unsigned char *p = (const unsigned char *)s->ptr;
    /* Three bytes, without the two leading bytes that have gaps: nearly all that is not Latin. */
    if (s->len >= 3 && (p[0] & 0xF0) == 0xE0 && p[0] != 0xE0 && p[0] != 0xED && continues(p[1]) &&
        continues(p[2])) {
        *code_point = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        s->ptr += 3;
        s->len -= 3;
        return;
    }
    size_t width = utf8_valid_width(*s);
    switch (width) {
    case 2:
        *code_point = (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
        break;
    case 3:
        *code_point = (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
        break;
    case 4:
        *code_point = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
                      (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
        break;
    default:
        *code_point = 0xFFFD;
        width = 1;
    }
    s->ptr += width;
    s->len -= width;
}

size_t utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c >= 0xD800 && c <= 0xDFFF)
        return 0;
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    if (c > 0x10FFFF)
        return 0;
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

size_t utf8_length(struct slice s)
{
    size_t count = 0;
    uint32_t code_point;
    while (utf8_next(&s, &code_point))
        count++;
    return count;
}
