/* natural_key.c - the hash of (source, external_id, part), stable across machines and versions. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "daemon/resolve/natural_key.h"

/* Each part is hashed by itself and told by its length too, so that no two ways of cutting the
 * same text into parts meet. The bytes hashed last are in canonical (big-endian) order. */
struct part_digest {
    XXH128_canonical_t hash;
    unsigned char length[8];
};

static struct part_digest digest_of(struct slice part)
{
    struct part_digest digest;
    XXH128_canonicalFromHash(&digest.hash, XXH3_128bits(part.ptr, part.len));
    for (size_t i = 0; i < sizeof(digest.length); i++)
        digest.length[i] = (unsigned char)((uint64_t)part.len >> (56 - 8 * i));
    return digest;
}

struct natural_key natural_key_of(struct slice source, struct slice external_id, struct slice part)
{
    struct part_digest digests[3] = {digest_of(source), digest_of(external_id), digest_of(part)};
    _Static_assert(sizeof(digests) == 72, "padding would be hashed");
    XXH128_hash_t hash = XXH3_128bits(digests, sizeof(digests));
    return (struct natural_key){.high = hash.high64, .low = (uint32_t)(hash.low64 >> 32)};
}
