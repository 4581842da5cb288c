/*
 * buf.h - a growing byte buffer with a maximum.
 *
 * Owned by one thread. Like an arena it keeps a sticky failure (over the maximum, or out of
 * memory): puts become no-ops and buf_failed() says so at the end. Integers are big-endian, which is what
 * PostgreSQL's binary formats want.
 */
#ifndef TRIBUTARY_BASE_BUF_H
#define TRIBUTARY_BASE_BUF_H

#include "daemon/base/slice.h"

struct buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t max_bytes;
    bool failed;
};

#define BUF_INIT(max) ((struct buf){.max_bytes = (max)})

void buf_free(struct buf *buf);
void buf_reset(struct buf *buf); /* keeps the memory, forgets failure */
/* Room for `bytes` more; NULL when failed. The caller writes there and adds to len itself. */
static inline char *buf_reserve(struct buf *buf, size_t bytes);
static inline void buf_put(struct buf *buf, const void *bytes, size_t len);
static inline void buf_put_slice(struct buf *buf, struct slice s);
static inline void buf_put_str(struct buf *buf, const char *text);
static inline void buf_put_byte(struct buf *buf, uint8_t value);
void buf_put_u16(struct buf *buf, uint16_t value);
void buf_put_u32(struct buf *buf, uint32_t value);
void buf_put_u64(struct buf *buf, uint64_t value);
void buf_put_decimal(struct buf *buf, uint64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The text as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD. */
void buf_put_json(struct buf *buf, struct slice text);

/* buf_reserve where memory must grow. */
char *buf_grow(struct buf *buf, size_t bytes);

/* Inline because rows and JSON are put together from very small pieces. */
static inline char *buf_reserve(struct buf *buf, size_t bytes)
{
    if (!buf->failed && buf->capacity - buf->len >= bytes)
        return buf->data + buf->len;
    return buf_grow(buf, bytes);
}

static inline void buf_put(struct buf *buf, const void *bytes, size_t len)
{
    char *room = len > 0 ? buf_reserve(buf, len) : NULL;
    if (room) {
        memcpy(room, bytes, len);
        buf->len += len;
    }
}

static inline void buf_put_slice(struct buf *buf, struct slice s)
{
    buf_put(buf, s.ptr, s.len);
}

static inline void buf_put_str(struct buf *buf, const char *text)
{
    buf_put(buf, text, strlen(text));
}

static inline void buf_put_byte(struct buf *buf, uint8_t value)
{
    buf_put(buf, &value, 1);
}

static inline struct slice buf_slice(const struct buf *buf)
{
    return slice_of(buf->data, buf->len);
}
static inline bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

#endif
