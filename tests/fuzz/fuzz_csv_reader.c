/*
 * fuzz_csv_reader.c - any bytes read as a sheet: never a crash, every byte belongs to exactly one
 * row, and a row's original bytes give the same row again.
 */
#include <assert.h>

#include "connectors/csv_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_row_alone(const struct csv_layout *layout, const struct csv_row *row)
{
    struct csv_row again;
    struct err err;
    if (row->raw.len == 0)
        return;
    struct csv_reader *alone = csv_reader_new_memory(row->raw);
    assert(csv_reader_resume(alone, layout, 0, 1, &err) == STATUS_OK);
    assert(csv_reader_next(alone, &again, &err) == STATUS_OK);
    assert(again.fault == row->fault && again.cell_count == row->cell_count);
    for (size_t i = 0; i < row->cell_count; i++)
        assert(slice_eq(again.cells[i], row->cells[i]));
    csv_reader_free(&alone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err;
    struct slice bytes = slice_of((const char *)data, size);
    struct csv_reader *reader = csv_reader_new_memory(bytes);
    struct arena *arena = arena_new(8 << 20);
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    struct csv_layout layout;
    struct csv_row row;
    enum status status = csv_reader_begin(reader, &settings, arena, &layout, &err);
    uint64_t offset = csv_reader_offset(reader);
    size_t rows = 0;
    while (status == STATUS_OK && (status = csv_reader_next(reader, &row, &err)) == STATUS_OK) {
        assert(row.offset == offset && row.end_offset > offset && row.end_offset <= size);
        assert(row.fault ||
               slice_eq(row.raw, slice_sub(bytes, row.offset, row.offset + row.raw.len)));
        offset = row.end_offset;
        if (rows++ < 64)
            same_row_alone(&layout, &row);
    }
    assert(status == STATUS_EMPTY);
    assert(rows == 0 || offset == size);
    (void)csv_not_text(bytes);
    arena_free(&arena);
    csv_reader_free(&reader);
    return 0;
}
