/* fuzz_golden_value.c - any canonical text into any typed column: either refused with nothing written, or one value whose
 * length is what its head says. The first byte chooses the column. */
#include "daemon/store/ddl_internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct buf rows = BUF_INIT(1 << 20);
    enum column_type type = data[0] % (COLUMN_TIMESTAMP + 1);
    bool fits = put_column_value(&rows, type, slice_of((const char *)data + 1, size - 1));
    require(!buf_failed(&rows) || size > 1000000);
    if (!fits) {
        require(rows.len == 0);
    } else if (!buf_failed(&rows)) {
        uint32_t head = 0;
        require(rows.len >= 4);
        memcpy(&head, rows.data, 4);
        head = __builtin_bswap32(head);
        require((head == UINT32_MAX && rows.len == 4) || head == rows.len - 4);
    }
    buf_free(&rows);
    return 0;
}
