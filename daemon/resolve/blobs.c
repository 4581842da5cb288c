/* blobs.c - see blobs.intern.h. A blob is a head (5 bytes: 26 bits of slot, 1 of packed, 13 of length), bytes, padding to 2. */
#include "daemon/resolve/blobs.intern.h"

#include <assert.h>

#define CHUNK_BYTES  ((uint32_t)1 << 17)
#define UNIT_BYTES   2u
#define HEADER_BYTES 5u
#define LENGTH_BITS  13
#define LENGTH_MAX   ((1u << LENGTH_BITS) - 1)
#define PACKED       (1u << LENGTH_BITS)
#define SLOT_SHIFT   (LENGTH_BITS + 1)
_Static_assert(CHUNK_BYTES / UNIT_BYTES == 1u << BLOB_OFFSET_BITS, "an address is 32 bits");
#define CHUNKS_MAX (((size_t)1 << (32 - BLOB_OFFSET_BITS)) - 1)

static uint32_t size_of(size_t length)
{
    return (uint32_t)((HEADER_BYTES + length + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES);
}

static unsigned char *blob_at(const struct blobs *blobs, uint32_t address)
{
    return blobs->chunks.items[address >> BLOB_OFFSET_BITS].bytes +
           (size_t)(address & ((1u << BLOB_OFFSET_BITS) - 1)) * UNIT_BYTES;
}

static uint64_t head_of(const unsigned char *blob)
{
    uint64_t head = 0;
    for (unsigned i = 0; i < HEADER_BYTES; i++)
        head |= (uint64_t)blob[i] << (8 * i);
    return head;
}

static uint32_t length_of(const unsigned char *blob)
{
    return (uint32_t)head_of(blob) & LENGTH_MAX;
}

void blobs_init(struct blobs *blobs)
{
    *blobs = (struct blobs){.current = NO_CHUNK};
}

void blobs_free(struct blobs *blobs)
{
    for (size_t i = 0; i < blobs->chunks.count; i++)
        free(blobs->chunks.items[i].bytes);
    blob_chunks_free(&blobs->chunks);
    slots_free(&blobs->free_chunks);
}

static bool open_chunk(struct blobs *blobs)
{
    /* A chunk can always be given back without asking for memory. */
    if (!slots_reserve(&blobs->free_chunks, blobs->chunks.count + 1))
        return false;
    struct blob_chunk chunk = {.bytes = malloc(CHUNK_BYTES)};
    if (chunk.bytes == NULL)
        return false;
    if (blobs->free_chunks.count) {
        blobs->current = blobs->free_chunks.items[--blobs->free_chunks.count];
        blobs->chunks.items[blobs->current] = chunk;
        return true;
    }
    if (blobs->chunks.count >= CHUNKS_MAX || !blob_chunks_push(&blobs->chunks, chunk)) {
        free(chunk.bytes);
        return false;
    }
    blobs->current = (uint32_t)blobs->chunks.count - 1;
    return true;
}

uint32_t blobs_put(struct blobs *blobs, uint32_t slot, struct slice bytes, bool packed)
{
    assert(bytes.len <= LENGTH_MAX);
    uint32_t size = size_of(bytes.len);
    if (blobs->current == NO_CHUNK ||
        CHUNK_BYTES - blobs->chunks.items[blobs->current].used_bytes < size) {
        if (!open_chunk(blobs))
            return NO_BLOB;
    }
    struct blob_chunk *chunk = &blobs->chunks.items[blobs->current];
    uint32_t address = blobs->current << BLOB_OFFSET_BITS | chunk->used_bytes / UNIT_BYTES;
    unsigned char *blob = chunk->bytes + chunk->used_bytes;
    uint64_t head = (uint64_t)slot << SLOT_SHIFT | (packed ? PACKED : 0) | bytes.len;
    for (unsigned i = 0; i < HEADER_BYTES; i++)
        blob[i] = (unsigned char)(head >> (8 * i));
    if (bytes.len)
        memcpy(blob + HEADER_BYTES, bytes.ptr, bytes.len);
    chunk->used_bytes += size;
    chunk->live_bytes += size;
    return address;
}

struct slice blobs_get(const struct blobs *blobs, uint32_t address, bool *packed)
{
    const unsigned char *blob = blob_at(blobs, address);
    *packed = (head_of(blob) & PACKED) != 0;
    return slice_of((const char *)blob + HEADER_BYTES, length_of(blob));
}

void blobs_drop(struct blobs *blobs, uint32_t address)
{
    struct blob_chunk *chunk = &blobs->chunks.items[blobs_chunk_of(address)];
    chunk->live_bytes -= size_of(length_of(blob_at(blobs, address)));
}

bool blobs_sparse(const struct blobs *blobs, uint32_t chunk)
{
    const struct blob_chunk *c = &blobs->chunks.items[chunk];
    return chunk != blobs->current && c->bytes && c->live_bytes < c->used_bytes / 2;
}

bool blobs_walk(const struct blobs *blobs, uint32_t chunk, uint32_t *offset, uint32_t *address,
                uint32_t *slot)
{
    if (*offset >= blobs->chunks.items[chunk].used_bytes)
        return false;
    const unsigned char *blob = blobs->chunks.items[chunk].bytes + *offset;
    *slot = (uint32_t)(head_of(blob) >> SLOT_SHIFT);
    *address = chunk << BLOB_OFFSET_BITS | *offset / UNIT_BYTES;
    *offset += size_of(length_of(blob));
    return true;
}

void blobs_free_chunk(struct blobs *blobs, uint32_t chunk)
{
    free(blobs->chunks.items[chunk].bytes);
    blobs->chunks.items[chunk] = (struct blob_chunk){0};
    bool kept = slots_push(&blobs->free_chunks, chunk); /* room was made when it was opened */
    assert(kept);
    (void)kept;
}

size_t blobs_bytes(const struct blobs *blobs)
{
    size_t open_chunks = blobs->chunks.count - blobs->free_chunks.count;
    return open_chunks * CHUNK_BYTES + blobs->chunks.capacity * sizeof(struct blob_chunk) +
           blobs->free_chunks.capacity * sizeof(uint32_t);
}

void blobs_prefetch(const struct blobs *blobs, uint32_t address)
{
    if (address == NO_BLOB)
        return;
    const unsigned char *blob = blob_at(blobs, address);
    __builtin_prefetch(blob);
    __builtin_prefetch(blob + 64);
}
