/* fuzz_spool.c - any bytes as a spool frame: what is read lies in them, and is written as the same bytes. */
#include "daemon/accept/spool_frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spool_entry entry = {0};
    size_t length = 0;
    if (spool_frame_read(slice_of((const char *)data, size), &entry, &length)) {
        struct buf out = BUF_INIT(SPOOL_FRAME_MAX_BYTES);
        spool_frame_put(&out, entry.spool_id, &entry);
        if (out.len != length || memcmp(out.data, data, length) != 0)
            abort();
        buf_free(&out);
    }
    return 0;
}
