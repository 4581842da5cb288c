/* csv_reader.c - see csv_reader.h. */
#include "connectors/csv_reader.h"

#include <errno.h>
#include <stdlib.h>

#define SAMPLE_BYTES   ((size_t)256 << 10)  /* for the dialect */
#define LOOK_FAR_BYTES ((uint64_t)64 << 20) /* for the first byte that is not ASCII */

struct csv_reader {
    struct csv_feed *feed;
    struct csv_split split;
    size_t unit_bytes;
    uint64_t line;
};

const char *csv_fault_code(enum csv_fault fault)
{
    static const char *const codes[] = {
        [CSV_FAULT_NONE] = NULL,
        [CSV_FAULT_NUL] = "csv.nul",
        [CSV_FAULT_BAD_ENCODING] = "csv.bad_encoding",
        [CSV_FAULT_UNCLOSED_QUOTE] = "csv.unclosed_quote",
        [CSV_FAULT_ROW_TOO_LONG] = "csv.row_too_long",
        [CSV_FAULT_TOO_MANY_CELLS] = "csv.too_many_cells",
    };
    return codes[fault];
}

static struct csv_reader *reader_new(struct csv_feed *feed)
{
    struct csv_reader *reader = feed ? calloc(1, sizeof(*reader)) : NULL;
    if (reader == NULL) {
        csv_feed_free(&feed);
        return NULL;
    }
    reader->feed = feed;
    reader->line = 1;
    return reader;
}

struct csv_reader *csv_reader_new_fd(int fd)
{
    return reader_new(csv_feed_new_fd(fd));
}

struct csv_reader *csv_reader_new_memory(struct slice bytes)
{
    return reader_new(csv_feed_new_memory(bytes));
}

void csv_reader_free(struct csv_reader **reader)
{
    if (*reader == NULL)
        return;
    csv_feed_free(&(*reader)->feed);
    csv_split_free(&(*reader)->split);
    free(*reader);
    *reader = NULL;
}

uint64_t csv_reader_offset(const struct csv_reader *reader)
{
    return csv_feed_offset(reader->feed);
}

uint64_t csv_reader_line(const struct csv_reader *reader)
{
    return reader->line;
}

enum status csv_reader_resume(struct csv_reader *reader, const struct csv_layout *layout,
                              uint64_t offset, uint64_t line, struct err *err)
{
    reader->split.delimiter = layout->delimiter;
    reader->split.quote = layout->quote;
    reader->unit_bytes = text_unit_bytes(layout->encoding);
    reader->line = line;
    return csv_feed_start(reader->feed, layout->encoding, offset, err);
}

/* A line too long to hold: its end lies beyond the window. */
static enum status take_long_line(struct csv_reader *reader, struct csv_row *row, struct err *err)
{
    struct csv_taken taken;
    enum status status = csv_feed_skip_line(reader->feed, &taken, err);
    if (status != STATUS_OK)
        return status;
    *row = (struct csv_row){.raw = taken.raw,
                            .offset = taken.offset,
                            .end_offset = taken.end_offset,
                            .line = reader->line++,
                            .fault = CSV_FAULT_ROW_TOO_LONG};
    return STATUS_OK;
}

/* Splits what is in sight, reading on until a row is whole or known never to be. */
static enum status split_row(struct csv_reader *reader, enum csv_split_result *result,
                             struct csv_split_row *split, struct err *err)
{
    for (;;) {
        struct slice window = csv_feed_window(reader->feed);
        bool ended = csv_feed_ended(reader->feed);
        if (window.len == 0 && ended)
            return STATUS_EMPTY;
        *result =
            window.len ? csv_split_next(&reader->split, window, ended, split) : CSV_SPLIT_MORE;
        if (*result == CSV_SPLIT_NO_MEMORY)
            return err_set_errno(err, ENOMEM, "csv.memory", "cannot split a row");
        if (*result != CSV_SPLIT_MORE)
            return STATUS_OK;
        if (csv_feed_full(reader->feed)) {
            *split = (struct csv_split_row){0};
            if (csv_first_line(window, false, &split->text_bytes, &split->consumed))
                *result = CSV_SPLIT_UNCLOSED;
            return STATUS_OK;
        }
        enum status status = csv_feed_more(reader->feed, err);
        if (status != STATUS_OK)
            return status;
    }
}

static enum csv_fault fault_of(unsigned flags, enum csv_split_result result, size_t raw_bytes)
{
    if (raw_bytes > CSV_ROW_MAX_BYTES)
        return CSV_FAULT_ROW_TOO_LONG;
    if (flags & CSV_FEED_NUL)
        return CSV_FAULT_NUL;
    if (flags & CSV_FEED_BAD)
        return CSV_FAULT_BAD_ENCODING;
    if (result == CSV_SPLIT_UNCLOSED)
        return CSV_FAULT_UNCLOSED_QUOTE;
    return result == CSV_SPLIT_TOO_MANY ? CSV_FAULT_TOO_MANY_CELLS : CSV_FAULT_NONE;
}

enum status csv_reader_next(struct csv_reader *reader, struct csv_row *row, struct err *err)
{
    enum csv_split_result result;
    struct csv_split_row split;
    enum status status = split_row(reader, &result, &split, err);
    if (status != STATUS_OK)
        return status;
    if (result == CSV_SPLIT_MORE)
        return take_long_line(reader, row, err);
    struct slice window = csv_feed_window(reader->feed);
    struct csv_taken taken;
    csv_feed_take(reader->feed, split.consumed, &taken);
    size_t line_end_bytes = (split.consumed - split.text_bytes) * reader->unit_bytes;
    *row = (struct csv_row){
        .raw = slice_sub(taken.raw, 0, taken.raw.len - line_end_bytes),
        .offset = taken.offset,
        .end_offset = taken.end_offset,
        .line = reader->line,
        .text = slice_sub(window, 0, split.text_bytes),
        .line_end = slice_sub(window, split.text_bytes, split.consumed),
        .cell_count = split.cell_count,
        .cells = reader->split.cells,
        .blank = split.blank,
    };
    row->fault = fault_of(taken.flags, result, row->raw.len);
    if (row->fault == CSV_FAULT_ROW_TOO_LONG)
        row->raw = slice_sub(row->raw, 0, CSV_CUT_BYTES);
    reader->line += split.line_breaks + (line_end_bytes > 0);
    return STATUS_OK;
}

/* --- the beginning of a file --- */

/* Whether any byte from `offset` on decides the encoding: ASCII says nothing, so look on for a
 * while. */
static enum status guess_encoding(struct csv_reader *reader, char *sample, size_t sample_bytes,
                                  struct text_guess *guess, struct err *err)
{
    size_t len = sample_bytes;
    for (uint64_t offset = 0;; offset += len) {
        ptrdiff_t got = csv_feed_peek(reader->feed, offset, sample, len, err);
        if (got < 0)
            return STATUS_FAILED;
        struct slice part = slice_of(sample, (size_t)got);
        unsigned flags = 0;
        if (offset > 0 && text_utf8_check(part, &flags) == part.len && !(flags & TEXT_NOT_ASCII)) {
            if (part.len < len || offset > LOOK_FAR_BYTES)
                return STATUS_OK;
            continue;
        }
        struct text_guess found = text_encoding_guess(part);
        if (offset > 0)
            guess->encoding = found.encoding == TEXT_WINDOWS_1252 || found.encoding == TEXT_GB18030
                                  ? found.encoding
                                  : TEXT_UTF8;
        else
            *guess = found;
        if (!found.ascii_only || part.len < len || offset > LOOK_FAR_BYTES)
            return STATUS_OK;
    }
}

/* The first bytes as UTF-8, whole lines only unless they are all there is. */
static enum status read_sample(struct csv_reader *reader, struct buf *sample, bool *whole,
                               struct err *err)
{
    for (;;) {
        struct slice window = csv_feed_window(reader->feed);
        if (csv_feed_ended(reader->feed) || window.len >= SAMPLE_BYTES / 2 ||
            csv_feed_full(reader->feed)) {
            buf_put(sample, window.ptr, window.len < SAMPLE_BYTES ? window.len : SAMPLE_BYTES);
            break;
        }
        enum status status = csv_feed_more(reader->feed, err);
        if (status != STATUS_OK)
            return status;
    }
    *whole = csv_feed_ended(reader->feed) && sample->len < SAMPLE_BYTES;
    if (buf_reserve(sample, CSV_SLACK_BYTES) == NULL)
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot hold a sample");
    return STATUS_OK;
}

/* A first line `sep=;` names the delimiter; it is written for spreadsheets and is no row. */
static size_t separator_line(struct slice text, char *delimiter)
{
    size_t text_bytes, consumed;
    if (!csv_first_line(text, true, &text_bytes, &consumed))
        return 0;
    struct slice line = slice_sub(text, 0, text_bytes);
    bool quoted = line.len >= 2 && line.ptr[0] == '"';
    line = quoted ? slice_sub(line, 1, line.len - (line.ptr[line.len - 1] == '"')) : line;
    if (line.len < 4 || !slice_eq_nocase(slice_sub(line, 0, 4), SLICE("sep=")))
        return 0;
    if (line.len != 5 || (unsigned char)line.ptr[4] >= 0x80 || line.ptr[4] == '"')
        return 0;
    *delimiter = line.ptr[4];
    return consumed;
}

static size_t count_equal(const struct slice *names, size_t count, struct slice name)
{
    size_t equal = 0;
    for (size_t i = 0; i < count; i++)
        equal += slice_eq(names[i], name);
    return equal;
}

static struct slice trim_name(struct slice name)
{
    name = slice_trim(name);
    while (slice_starts(name, SLICE("\xEF\xBB\xBF")))
        name = slice_trim(slice_sub(name, 3, name.len));
    return name;
}

static size_t count_before(const struct slice *cells, size_t count, struct slice name)
{
    size_t equal = 0;
    for (size_t i = 0; i < count && name.len > 0; i++)
        equal += slice_eq(trim_name(cells[i]), name);
    return equal;
}

/* Unique and never empty: the second `phone` is `phone#2`. */
static void name_columns(const struct slice *cells, size_t count, bool has_header,
                         struct arena *arena, struct csv_layout *layout)
{
    struct slice *names = ARENA_ARRAY(arena, struct slice, count);
    if (names == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        struct slice name = has_header ? trim_name(cells[i]) : SLICE_EMPTY;
        name = name.len ? arena_dup(arena, name) : arena_printf(arena, "column %zu", i + 1);
        struct slice unique = name;
        size_t n = 1 + count_before(cells, i, has_header ? name : SLICE_EMPTY);
        while (n > 1 || count_equal(names, i, unique) > 0) {
            unique = arena_printf(arena, "%.*s#%zu", (int)name.len, name.ptr, n > 1 ? n : 2);
            if (arena_failed(arena) || count_equal(names, i, unique) == 0)
                break;
            n = (n > 1 ? n : 2) + 1;
        }
        names[i] = unique;
    }
    layout->columns = names;
    layout->column_count = count;
}

/* Steps over what precedes the data; takes the names from the header. */
static enum status read_header(struct csv_reader *reader, const struct csv_guess *guess,
                               struct arena *arena, struct csv_layout *layout, struct err *err)
{
    struct csv_row row = {0};
    uint64_t offset = csv_reader_offset(reader), line = reader->line;
    for (size_t i = 0; i <= guess->rows_before; i++) {
        offset = csv_reader_offset(reader);
        line = reader->line;
        enum status status = csv_reader_next(reader, &row, err);
        if (status != STATUS_OK)
            return status == STATUS_EMPTY ? STATUS_EMPTY : STATUS_FAILED;
    }
    size_t count = row.cell_count;
    while (guess->has_header && count > 1 && trim_name(row.cells[count - 1]).len == 0)
        count--; /* padding, not columns */
    name_columns(row.cells, count, guess->has_header, arena, layout);
    if (arena_failed(arena))
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot hold the header");
    return guess->has_header ? STATUS_OK : csv_reader_resume(reader, layout, offset, line, err);
}

static enum status find_dialect(struct csv_reader *reader, const struct csv_settings *settings,
                                uint64_t start, struct arena *arena, struct csv_layout *layout,
                                struct err *err)
{
    struct buf sample = BUF_INIT(2 * SAMPLE_BYTES + CSV_SLACK_BYTES);
    bool whole = false;
    enum status status = read_sample(reader, &sample, &whole, err);
    struct csv_dialect wanted = settings->dialect;
    struct csv_guess guess = {0};
    size_t skip = 0, sep_line = 0;
    if (status == STATUS_OK) {
        char delimiter = 0;
        skip = separator_line(buf_slice(&sample), &delimiter);
        sep_line = skip > 0;
        wanted.delimiter = skip && wanted.delimiter == 0 ? delimiter : wanted.delimiter;
        struct slice rest = slice_sub(buf_slice(&sample), skip, sample.len);
        if (!csv_dialect_guess(rest, whole, wanted, settings->header, settings->known, &guess))
            status = err_set_errno(err, ENOMEM, "csv.memory", "cannot look for the dialect");
    }
    buf_free(&sample);
    if (status != STATUS_OK)
        return status;
    if (whole && guess.nothing)
        return STATUS_EMPTY;
    layout->delimiter = guess.dialect.delimiter;
    layout->quote = guess.dialect.quote;
    status = csv_reader_resume(reader, layout, start, 1, err);
    guess.rows_before += sep_line;
    return status == STATUS_OK ? read_header(reader, &guess, arena, layout, err) : status;
}

enum status csv_reader_begin(struct csv_reader *reader, const struct csv_settings *settings,
                             struct arena *arena, struct csv_layout *layout, struct err *err)
{
    *layout = (struct csv_layout){.encoding = settings->encoding};
    char *sample = malloc(SAMPLE_BYTES);
    if (sample == NULL)
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot hold a sample");
    struct text_guess guess = {0};
    enum status status = guess_encoding(reader, sample, SAMPLE_BYTES, &guess, err);
    free(sample);
    if (status != STATUS_OK)
        return status;
    if (!settings->encoding_given)
        layout->encoding = guess.encoding;
    /* A mark belongs to the encoding it marks. */
    uint64_t start = guess.encoding == layout->encoding ? guess.bom_bytes : 0;
    status = csv_reader_resume(reader, layout, start, 1, err);
    return status == STATUS_OK ? find_dialect(reader, settings, start, arena, layout, err) : status;
}
