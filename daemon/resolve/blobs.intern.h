/*
 * blobs.intern.h - the features of all records, packed in chunks.
 *
 * A blob is appended and never changed; a dropped one leaves a hole. A chunk that is more than half
 * holes is sparse: its owner moves the living blobs out and frees it, so that holes are never more
 * than half of the bytes (the chunk appended to excepted). An address is a chunk and an offset in
 * 2-byte units: 8 GiB.
 */
#ifndef TRIBUTARY_RESOLVE_BLOBS_INTERN_H
#define TRIBUTARY_RESOLVE_BLOBS_INTERN_H

#include "daemon/base/slice.h"
#include "daemon/resolve/grow.intern.h"

#define NO_BLOB          UINT32_MAX
#define NO_CHUNK         UINT32_MAX
#define BLOB_OFFSET_BITS 16

struct blob_chunk {
    unsigned char *bytes; /* NULL: free */
    uint32_t used_bytes, live_bytes;
};
VECTOR(blob_chunks, struct blob_chunk)

struct blobs {
    struct blob_chunks chunks;
    struct slots free_chunks;
    uint32_t current; /* where blobs are appended, NO_CHUNK before the first */
};

void blobs_init(struct blobs *blobs);
void blobs_free(struct blobs *blobs);
/* The address, or NO_BLOB when out of memory. At most 8,191 bytes. `packed` is kept with them. */
uint32_t blobs_put(struct blobs *blobs, uint32_t slot, struct slice bytes, bool packed);
struct slice blobs_get(const struct blobs *blobs, uint32_t address, bool *packed);
void blobs_drop(struct blobs *blobs, uint32_t address);
static inline uint32_t blobs_chunk_of(uint32_t address)
{
    return address >> BLOB_OFFSET_BITS;
}
/* Whether a chunk is worth emptying: more than half holes, and no longer appended to. */
bool blobs_sparse(const struct blobs *blobs, uint32_t chunk);
/* Walks a chunk: *offset starts at 0. False at the end. */
bool blobs_walk(const struct blobs *blobs, uint32_t chunk, uint32_t *offset, uint32_t *address,
                uint32_t *slot);
void blobs_free_chunk(struct blobs *blobs, uint32_t chunk);
size_t blobs_bytes(const struct blobs *blobs);
void blobs_prefetch(const struct blobs *blobs, uint32_t address);

#endif
