/* fuzz_records.c - any bytes as pushed records: split into pieces that lie in the text, in order, each parsed. */
#include "connectors/json_split.h"
#include "connectors/records.h"
#include "daemon/base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void parse_piece(struct slice piece)
{
    static const struct source_context context = {.name = "api"};
    struct arena *arena = arena_new((size_t)16 << 20);
    struct delivery delivery;
    struct err err;
    if (records_connector.parse(&context, SLICE_EMPTY, SLICE("{}"), piece, arena, &delivery, &err) == STATUS_OK) {
        must((delivery.refusal != NULL) == (delivery.record_count == 0));
        const struct raw_record *record = &delivery.records[0];
        for (size_t i = 0; delivery.record_count && i < record->columns->count; i++)
            must(utf8_valid(record->columns->names[i]) && utf8_valid(record->values[i]));
        must(delivery.record_count == 0 || (record->external_id.len > 0 && record->part.len > 0));
    }
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size), piece;
    struct json_split split;
    int64_t at_us;
    (void)records_time(text, &at_us);
    if (!json_split_begin(&split, text, "records"))
        return 0;
    const char *at = text.ptr;
    for (int i = 0; i < 50 && json_split_next(&split, &piece) == JSON_PIECE; i++) {
        must(piece.len > 0 && piece.ptr >= at && piece.ptr + piece.len <= text.ptr + text.len);
        at = piece.ptr + piece.len;
        parse_piece(piece);
    }
    return 0;
}
