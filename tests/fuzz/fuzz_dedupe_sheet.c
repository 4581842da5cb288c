/*
 * fuzz_dedupe_sheet.c - any sheet written out with customer_id: never a crash, and read again each readable row has the cells
 * it had, then the customer.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/cli/dedupe_sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t customer_of(const void *data, uint64_t row)
{
    (void)data;
    return row;
}

static bool open_bytes(const void *bytes, size_t size, struct dedupe_sheet *sheet, int *fd)
{
    char path[64];
    struct err err = {0};
    *sheet = (struct dedupe_sheet){.fd = -1};
    *fd = memfd_create("sheet", MFD_CLOEXEC);
    if (*fd < 0 || write(*fd, bytes, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
    return dedupe_sheet_open(path, NULL, sheet, &err) == STATUS_OK;
}

/* The same rows, read by the layout of the original; only where every row could be read. */
static void compare(struct dedupe_sheet *before, const char *after, size_t after_len)
{
    struct err err = {0};
    struct csv_row was, is;
    struct csv_layout layout = before->layout;
    struct csv_reader *again = csv_reader_new_memory(slice_of(after, after_len));
    layout.encoding = TEXT_UTF8;
    assert(again);
    enum status status = csv_reader_resume(before->reader, &before->layout, before->data_offset, 1, &err);
    bool readable = status == STATUS_OK;
    while (readable && (status = csv_reader_next(before->reader, &was, &err)) == STATUS_OK)
        readable = was.fault == CSV_FAULT_NONE;
    readable = readable && before->data_offset == 0 && !before->has_header;
    if (readable && csv_reader_resume(before->reader, &before->layout, 0, 1, &err) == STATUS_OK &&
        csv_reader_resume(again, &layout, 0, 1, &err) == STATUS_OK) {
        while (csv_reader_next(before->reader, &was, &err) == STATUS_OK) {
            status = csv_reader_next(again, &is, &err);
            assert(status == STATUS_OK && is.fault == CSV_FAULT_NONE);
            bool whole = !was.blank && dedupe_sheet_is_whole(before, &was);
            size_t kept = whole ? before->layout.column_count : was.cell_count;
            assert(is.cell_count == kept + whole);
            for (size_t i = 0; i < kept; i++)
                assert(slice_eq(was.cells[i], is.cells[i]));
        }
    }
    csv_reader_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dedupe_sheet sheet;
    struct err err = {0};
    int fd = -1;
    if (open_bytes(data, size, &sheet, &fd)) {
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        if (out && dedupe_sheet_write(&sheet, out, customer_of, NULL, &err) == STATUS_OK) {
            fclose(out);
            compare(&sheet, text, length);
        } else if (out) {
            fclose(out);
        }
        free(text);
    }
    dedupe_sheet_close(&sheet);
    close(fd);
    return 0;
}
