/* dedupe_sheet.c - see dedupe_sheet.h. */
#include "daemon/cli/dedupe_sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYOUT_MAX_BYTES ((size_t)16 << 20)
#define HEAD_BYTES       512
#define COPY_BYTES       ((size_t)64 << 10)
#define COLUMN_NAME      "customer_id"

struct writing {
    struct dedupe_sheet *sheet;
    FILE *out;
    size_t column_count; /* cells of the header row, padding included */
};

static enum status open_file(const char *path, struct dedupe_sheet *sheet, struct err *err)
{
    struct stat about;
    char head[HEAD_BYTES];
    sheet->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (sheet->fd < 0 || fstat(sheet->fd, &about) != 0)
        return err_set_errno(err, errno, "dedupe.read", "cannot read %s", path);
    if (!S_ISREG(about.st_mode))
        return err_set(err, RETRY_NONE, "dedupe.read",
                       "%s is no regular file; hint: it is read twice, so it cannot be a pipe", path);
    sheet->bytes = (uint64_t)about.st_size;
    ssize_t got = pread(sheet->fd, head, sizeof(head), 0);
    const char *what = got > 0 ? csv_not_text(slice_of(head, (size_t)got)) : NULL;
    if (what)
        return err_set(err, RETRY_NONE, "dedupe.read", "%s is %s; hint: save it as CSV (UTF-8)", path, what);
    return STATUS_OK;
}

static bool is_numbered(const struct csv_layout *layout)
{
    for (size_t i = 0; i < layout->column_count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "column %zu", i + 1);
        if (!slice_is(layout->columns[i], name))
            return false;
    }
    return true;
}

enum status dedupe_sheet_open(const char *path, const struct csv_known_columns *known,
                              struct dedupe_sheet *sheet, struct err *err)
{
    struct csv_settings settings = CSV_SETTINGS_GUESS;
    settings.known = known;
    *sheet = (struct dedupe_sheet){.fd = -1};
    if (open_file(path, sheet, err) != STATUS_OK)
        return STATUS_FAILED;
    sheet->arena = arena_new(LAYOUT_MAX_BYTES);
    sheet->reader = csv_reader_new_fd(sheet->fd);
    if (sheet->arena == NULL || sheet->reader == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a sheet");
    enum status status = csv_reader_begin(sheet->reader, &settings, sheet->arena, &sheet->layout, err);
    if (status == STATUS_EMPTY)
        return err_set(err, RETRY_NONE, "dedupe.read", "%s is empty", path);
    sheet->data_offset = csv_reader_offset(sheet->reader);
    sheet->has_header = !is_numbered(&sheet->layout);
    return status;
}

void dedupe_sheet_close(struct dedupe_sheet *sheet)
{
    csv_reader_free(&sheet->reader);
    arena_free(&sheet->arena);
    if (sheet->fd >= 0)
        close(sheet->fd);
    sheet->fd = -1;
}

enum status dedupe_sheet_next(struct dedupe_sheet *sheet, struct csv_row *row, struct err *err)
{
    enum status status;
    do {
        status = csv_reader_next(sheet->reader, row, err);
    } while (status == STATUS_OK && row->blank && row->fault == CSV_FAULT_NONE);
    return status;
}

enum status dedupe_sheet_rewind(struct dedupe_sheet *sheet, struct err *err)
{
    return csv_reader_resume(sheet->reader, &sheet->layout, sheet->data_offset, 1, err);
}

/* The row's text without its last `surplus` cells, which are blank; false when they are not. */
static bool cut_blank_cells(struct slice *text, char delimiter, size_t surplus)
{
    while (surplus > 0) {
        char last = text->len > 0 ? text->ptr[text->len - 1] : '\n';
        if (last == delimiter)
            surplus--;
        else if (last != ' ' && last != '\t')
            return false;
        text->len--;
    }
    return true;
}

bool dedupe_sheet_is_whole(const struct dedupe_sheet *sheet, const struct csv_row *row)
{
    size_t count = sheet->layout.column_count;
    struct slice text = row->text;
    return row->fault == CSV_FAULT_NONE && row->cell_count >= count &&
           cut_blank_cells(&text, sheet->layout.delimiter, row->cell_count - count);
}

/* ---- writing ---- */

/* The original bytes, for a row that is too long to be held. */
static enum status copy_bytes(const struct writing *w, const struct csv_row *row, struct err *err)
{
    char bytes[COPY_BYTES];
    if (w->sheet->layout.encoding != TEXT_UTF8)
        return err_set(err, RETRY_NONE, "dedupe.row_too_long",
                       "line %llu is longer than 1 MiB and not UTF-8; hint: convert the file to UTF-8 first",
                       (unsigned long long)row->line);
    for (uint64_t at = row->offset; at < row->end_offset;) {
        uint64_t left = row->end_offset - at;
        ssize_t got = pread(w->sheet->fd, bytes, left < COPY_BYTES ? (size_t)left : COPY_BYTES, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return err_set_errno(err, got < 0 ? errno : EIO, "dedupe.read", "the file was cut while it was read");
        fwrite(bytes, 1, (size_t)got, w->out);
        at += (uint64_t)got;
    }
    return STATUS_OK;
}

static void put_slice(const struct writing *w, struct slice text)
{
    fwrite(text.ptr, 1, text.len, w->out);
}

/* Fills up to the header's cells, then the delimiter of the new one. */
static void put_delimiters(const struct writing *w, const struct csv_row *row)
{
    for (size_t i = row->cell_count; i < w->column_count; i++)
        putc(w->sheet->layout.delimiter, w->out);
    putc(w->sheet->layout.delimiter, w->out);
}

/* What stands before the data: titles as they are, the header (the last row that is not blank) with the new name. */
static enum status write_head(struct writing *w, struct err *err)
{
    struct csv_reader *reader = w->sheet->reader;
    struct csv_row row;
    uint64_t header = UINT64_MAX;
    enum status status = STATUS_OK;
    for (int pass = 0; pass < 2 && status == STATUS_OK; pass++) {
        status = csv_reader_resume(reader, &w->sheet->layout, 0, 1, err);
        while (status == STATUS_OK && csv_reader_offset(reader) < w->sheet->data_offset) {
            status = csv_reader_next(reader, &row, err);
            if (status == STATUS_OK && pass == 0 && !row.blank)
                header = row.offset;
            if (status != STATUS_OK || pass == 0)
                continue;
            put_slice(w, row.text);
            if (row.offset == header && w->sheet->has_header) {
                w->column_count = row.cell_count;
                put_delimiters(w, &row);
                fputs(COLUMN_NAME, w->out);
            }
            put_slice(w, row.line_end);
        }
    }
    return status == STATUS_EMPTY ? STATUS_OK : status;
}

static void leave(struct dedupe_sheet *sheet, const struct csv_row *row)
{
    if (sheet->left_count < DEDUPE_LINES_TOLD)
        sheet->left_lines[sheet->left_count] = row->line;
    sheet->left_count++;
}

enum status dedupe_sheet_write(struct dedupe_sheet *sheet, FILE *out,
                               uint64_t (*customer_of)(const void *data, uint64_t row),
                               const void *data, struct err *err)
{
    struct writing w = {.sheet = sheet, .out = out, .column_count = sheet->layout.column_count};
    struct csv_row row;
    uint64_t number = 0;
    sheet->left_count = 0;
    enum status status = write_head(&w, err);
    while (status == STATUS_OK && (status = csv_reader_next(sheet->reader, &row, err)) == STATUS_OK) {
        if (row.fault == CSV_FAULT_NONE && row.blank) {
            put_slice(&w, row.text);
            put_slice(&w, row.line_end);
            continue;
        }
        number++;
        if (row.fault == CSV_FAULT_ROW_TOO_LONG) {
            leave(sheet, &row);
            status = copy_bytes(&w, &row, err);
            continue;
        }
        bool whole = dedupe_sheet_is_whole(sheet, &row);
        if (whole && row.cell_count > w.column_count)
            (void)cut_blank_cells(&row.text, sheet->layout.delimiter, row.cell_count - w.column_count);
        put_slice(&w, row.text);
        if (whole) {
            put_delimiters(&w, &row);
            fprintf(out, "%llu", (unsigned long long)customer_of(data, number));
        } else {
            leave(sheet, &row);
        }
        put_slice(&w, row.line_end);
        if (ferror(out))
            break;
    }
    if (fflush(out) != 0 || ferror(out))
        return err_set_errno(err, errno, "dedupe.write", "cannot write");
    return status == STATUS_EMPTY ? STATUS_OK : status;
}
