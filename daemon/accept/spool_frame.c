/* spool_frame.c - see spool_frame.h. */
#include "daemon/accept/spool_frame.h"

#define HEAD_BYTES  (8 + 8 + 8 + 5 * 4)
#define CHECK_BYTES 8
#define CHECK_SEED  0x7370

static uint64_t read_u64(const char *p)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

static uint32_t read_u32(const char *p)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

void spool_frame_put(struct buf *out, int64_t spool_id, const struct spool_entry *entry)
{
    const struct slice parts[] = {entry->source, entry->layout, entry->meta, entry->position, entry->body};
    size_t start = out->len;
    buf_put_str(out, SPOOL_FRAME_MAGIC);
    buf_put_u64(out, (uint64_t)spool_id);
    buf_put_u64(out, (uint64_t)entry->received_us);
    for (size_t i = 0; i < 5; i++)
        buf_put_u32(out, (uint32_t)parts[i].len);
    for (size_t i = 0; i < 5; i++)
        buf_put_slice(out, parts[i]);
    if (!buf_failed(out))
        buf_put_u64(out, slice_hash(slice_of(out->data + start, out->len - start), CHECK_SEED));
}

bool spool_frame_read(struct slice bytes, struct spool_entry *entry, size_t *length)
{
    struct slice *const parts[] = {&entry->source, &entry->layout, &entry->meta, &entry->position, &entry->body};
    if (bytes.len < HEAD_BYTES + CHECK_BYTES || memcmp(bytes.ptr, SPOOL_FRAME_MAGIC, 8) != 0)
        return false;
    size_t at = HEAD_BYTES;
    for (size_t i = 0; i < 5; i++) {
        size_t part = read_u32(bytes.ptr + 24 + 4 * i);
        if (part > bytes.len - at)
            return false;
        *parts[i] = slice_of(bytes.ptr + at, part);
        at += part;
    }
    if (bytes.len - at < CHECK_BYTES ||
        read_u64(bytes.ptr + at) != slice_hash(slice_sub(bytes, 0, at), CHECK_SEED))
        return false;
    entry->spool_id = (int64_t)read_u64(bytes.ptr + 8);
    entry->received_us = (int64_t)read_u64(bytes.ptr + 16);
    *length = at + CHECK_BYTES;
    return true;
}
