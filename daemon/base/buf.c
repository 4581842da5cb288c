/* buf.c - see buf.h. */
#include "daemon/base/buf.h"
#include "daemon/base/digits.h"
#include "daemon/base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){.max_bytes = buf->max_bytes};
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

char *buf_grow(struct buf *buf, size_t bytes)
{
    if (buf->failed)
        return NULL;
    if (bytes > buf->max_bytes || buf->len > buf->max_bytes - bytes) {
        buf->failed = true;
        return NULL;
    }
    size_t capacity = buf->capacity ? buf->capacity : 256;
    while (capacity - buf->len < bytes)
        capacity = capacity > buf->max_bytes / 2 ? buf->max_bytes : capacity * 2;
    char *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return NULL;
    }
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->len;
}

void buf_put_u16(struct buf *buf, uint16_t value)
{
    uint16_t wire = __builtin_bswap16(value);
    buf_put(buf, &wire, sizeof(wire));
}

void buf_put_u32(struct buf *buf, uint32_t value)
{
    uint32_t wire = __builtin_bswap32(value);
    buf_put(buf, &wire, sizeof(wire));
}

void buf_put_u64(struct buf *buf, uint64_t value)
{
    uint64_t wire = __builtin_bswap64(value);
    buf_put(buf, &wire, sizeof(wire));
}

void buf_put_decimal(struct buf *buf, uint64_t value)
{
    char digits[20];
    buf_put(buf, digits, (size_t)(digits_put_u64(digits, value) - digits));
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *room = length < 0 ? NULL : buf_reserve(buf, (size_t)length + 1);
    if (room) {
        vsnprintf(room, (size_t)length + 1, format, again);
        buf->len += (size_t)length;
    }
    va_end(again);
}

static void put_json_byte(struct buf *buf, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    switch (c) {
    case '"':
        buf_put_str(buf, "\\\"");
        break;
    case '\\':
        buf_put_str(buf, "\\\\");
        break;
    case '\n':
        buf_put_str(buf, "\\n");
        break;
    case '\r':
        buf_put_str(buf, "\\r");
        break;
    case '\t':
        buf_put_str(buf, "\\t");
        break;
    default: {
        char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        buf_put(buf, escape, sizeof(escape));
    }
    }
}

void buf_put_json(struct buf *buf, struct slice text)
{
    buf_put_byte(buf, '"');
    size_t start = 0;
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != 0x7f) {
            i++;
            continue;
        }
        size_t width = c < 0x80 ? 0 : utf8_valid_width(slice_sub(text, i, text.len));
        if (width > 0) {
            i += width;
            continue;
        }
        buf_put(buf, text.ptr + start, i - start);
        if (c < 0x80)
            put_json_byte(buf, c);
        else
            buf_put_str(buf, "\xEF\xBF\xBD");
        start = ++i;
    }
    buf_put(buf, text.ptr + start, text.len - start);
    buf_put_byte(buf, '"');
}
