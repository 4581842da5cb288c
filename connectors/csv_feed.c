/*
 * csv_feed.c - see csv_feed.h.
 *
 * `raw` holds original bytes from raw_offset on. UTF-8: the window is raw[raw_at, raw.len).
 * Otherwise `text` holds decoded lines, and `lines` says for each where it ends in the text and in
 * the file; raw bytes stay until their line is taken.
 */
#include "connectors/csv_feed.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/csv_split.h"

#define READ_BYTES ((size_t)256 << 10)
#define TEXT_BYTES ((size_t)128 << 10)     /* decoded ahead */
#define LINE_LIMIT (CSV_ROW_MAX_BYTES + 4) /* a row and its line end */

struct line {
    size_t text_end;  /* in text.data */
    uint64_t raw_end; /* in the file */
    unsigned flags;
};

struct csv_feed {
    int fd;
    struct slice memory; /* when fd < 0 */
    enum text_encoding encoding;
    struct text_decoder *decoder; /* NULL for UTF-8 */

    char *raw;
    size_t raw_capacity, raw_len, raw_at;
    uint64_t raw_offset; /* of raw[0] in the file */
    bool raw_ended;

    size_t checked;   /* UTF-8: raw[..checked) has been looked at */
    size_t dirty_end; /* UTF-8: rows beginning before this are looked at one by one */

    struct buf text;
    size_t text_at;
    size_t decoded; /* raw[..decoded) is in text */
    struct line *lines;
    size_t line_at, line_count, line_capacity;
    struct buf kept; /* the beginning of a line too long to hold */
};

static struct csv_feed *feed_new(int fd, struct slice memory)
{
    struct csv_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return NULL;
    feed->fd = fd;
    feed->memory = memory;
    feed->text = BUF_INIT(16 * CSV_ROW_MAX_BYTES);
    feed->kept = BUF_INIT(CSV_CUT_BYTES);
    return feed;
}

struct csv_feed *csv_feed_new_fd(int fd)
{
    return feed_new(fd, SLICE_EMPTY);
}

struct csv_feed *csv_feed_new_memory(struct slice bytes)
{
    return feed_new(-1, bytes);
}

void csv_feed_free(struct csv_feed **feed)
{
    if (*feed == NULL)
        return;
    text_decoder_free(&(*feed)->decoder);
    buf_free(&(*feed)->text);
    buf_free(&(*feed)->kept);
    free((*feed)->raw);
    free((*feed)->lines);
    free(*feed);
    *feed = NULL;
}

ptrdiff_t csv_feed_peek(struct csv_feed *feed, uint64_t offset, void *out, size_t len,
                        struct err *err)
{
    if (feed->fd < 0) {
        size_t from = offset < feed->memory.len ? (size_t)offset : feed->memory.len;
        struct slice part = slice_sub(feed->memory, from, from + len);
        memcpy(out, part.ptr, part.len);
        return (ptrdiff_t)part.len;
    }
    size_t got = 0;
    while (got < len) {
        ssize_t count = pread(feed->fd, (char *)out + got, len - got, (off_t)(offset + got));
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            (void)err_set_errno(err, errno, "csv.read", "cannot read at byte %llu",
                                (unsigned long long)(offset + got));
            return -1;
        }
        if (count == 0)
            break;
        got += (size_t)count;
    }
    return (ptrdiff_t)got;
}

enum status csv_feed_start(struct csv_feed *feed, enum text_encoding encoding, uint64_t offset,
                           struct err *err)
{
    if (feed->decoder && feed->encoding != encoding)
        text_decoder_free(&feed->decoder);
    feed->encoding = encoding;
    if (encoding != TEXT_UTF8 && feed->decoder == NULL) {
        feed->decoder = text_decoder_new(encoding, err);
        if (feed->decoder == NULL)
            return STATUS_FAILED;
    }
    feed->raw_len = feed->raw_at = 0;
    feed->raw_offset = offset;
    feed->raw_ended = false;
    feed->checked = feed->dirty_end = 0;
    buf_reset(&feed->text);
    feed->text_at = feed->decoded = 0;
    feed->line_at = feed->line_count = 0;
    return STATUS_OK;
}

struct slice csv_feed_window(const struct csv_feed *feed)
{
    if (feed->decoder && feed->text.data)
        return slice_of(feed->text.data + feed->text_at, feed->text.len - feed->text_at);
    if (feed->decoder || feed->raw == NULL)
        return SLICE_EMPTY;
    return slice_of(feed->raw + feed->raw_at, feed->raw_len - feed->raw_at);
}

bool csv_feed_ended(const struct csv_feed *feed)
{
    return feed->raw_ended && (feed->decoder == NULL || feed->decoded == feed->raw_len);
}

bool csv_feed_full(const struct csv_feed *feed)
{
    if (feed->decoder == NULL)
        return feed->raw_len - feed->raw_at >= LINE_LIMIT;
    return feed->decoded - feed->raw_at >= LINE_LIMIT ||
           feed->raw_len - feed->decoded >= LINE_LIMIT;
}

uint64_t csv_feed_offset(const struct csv_feed *feed)
{
    return feed->raw_offset + feed->raw_at;
}

/* Moves what is still needed to the front and makes room for a read. */
static enum status make_room(struct csv_feed *feed, struct err *err)
{
    if (feed->raw_at > 0) {
        memmove(feed->raw, feed->raw + feed->raw_at, feed->raw_len - feed->raw_at);
        feed->raw_len -= feed->raw_at;
        feed->raw_offset += feed->raw_at;
        feed->decoded -= feed->decoder ? feed->raw_at : 0;
        feed->checked -= feed->checked < feed->raw_at ? feed->checked : feed->raw_at;
        feed->dirty_end -= feed->dirty_end < feed->raw_at ? feed->dirty_end : feed->raw_at;
        feed->raw_at = 0;
    }
    size_t need = feed->raw_len + READ_BYTES / 2 + CSV_SLACK_BYTES;
    if (feed->raw_capacity >= need)
        return STATUS_OK;
    size_t capacity = feed->raw_capacity ? feed->raw_capacity * 2 : READ_BYTES + CSV_SLACK_BYTES;
    capacity = capacity < need ? need : capacity;
    char *raw = realloc(feed->raw, capacity);
    if (raw == NULL)
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot hold a row");
    feed->raw = raw;
    feed->raw_capacity = capacity;
    return STATUS_OK;
}

static enum status read_more(struct csv_feed *feed, struct err *err)
{
    enum status status = make_room(feed, err);
    if (status != STATUS_OK)
        return status;
    size_t room = feed->raw_capacity - feed->raw_len - CSV_SLACK_BYTES;
    ptrdiff_t got =
        csv_feed_peek(feed, feed->raw_offset + feed->raw_len, feed->raw + feed->raw_len, room, err);
    if (got < 0)
        return STATUS_FAILED;
    feed->raw_len += (size_t)got;
    feed->raw_ended = (size_t)got < room;
    memset(feed->raw + feed->raw_len, 0, CSV_SLACK_BYTES);
    if (feed->decoder)
        return STATUS_OK;
    unsigned flags = 0;
    struct slice fresh = slice_of(feed->raw + feed->checked, feed->raw_len - feed->checked);
    size_t looked = text_utf8_check(fresh, &flags);
    feed->checked += looked;
    if ((flags & (TEXT_HAS_NUL | TEXT_IS_BAD)) || (feed->raw_ended && looked < fresh.len)) {
        feed->dirty_end = feed->raw_len;
        feed->checked = feed->raw_len;
    }
    return STATUS_OK;
}

/* The first line at raw[from..]: its length with its end; 0 when the end is not in sight. */
static size_t raw_line(const struct csv_feed *feed, size_t from)
{
    const char *p = feed->raw + from;
    size_t len = feed->raw_len - from;
    if (text_unit_bytes(feed->encoding) == 1) {
        size_t text_bytes, consumed;
        struct slice rest = slice_of(p, len);
        return csv_first_line(rest, feed->raw_ended, &text_bytes, &consumed) ? consumed : 0;
    }
    size_t low = feed->encoding == TEXT_UTF16LE ? 0 : 1;
    for (size_t i = 0; i + 1 < len; i += 2) {
        if (p[i + 1 - low] != 0 || (p[i + low] != '\n' && p[i + low] != '\r'))
            continue;
        if (p[i + low] == '\n')
            return i + 2;
        if (i + 3 < len)
            return p[i + 3 - low] == 0 && p[i + 2 + low] == '\n' ? i + 4 : i + 2;
        return feed->raw_ended ? i + 2 : 0;
    }
    return feed->raw_ended ? len : 0;
}

static enum status add_line(struct csv_feed *feed, uint64_t raw_end, unsigned flags,
                            struct err *err)
{
    if (feed->line_count == feed->line_capacity) {
        size_t capacity = feed->line_capacity ? feed->line_capacity * 2 : 1024;
        struct line *lines = realloc(feed->lines, capacity * sizeof(*lines));
        if (lines == NULL)
            return err_set_errno(err, ENOMEM, "csv.memory", "cannot hold a row's lines");
        feed->lines = lines;
        feed->line_capacity = capacity;
    }
    feed->lines[feed->line_count++] = (struct line){feed->text.len, raw_end, flags};
    return STATUS_OK;
}

static unsigned feed_flags(unsigned text_flags)
{
    return (text_flags & TEXT_HAS_NUL ? CSV_FEED_NUL : 0u) |
           (text_flags & TEXT_IS_BAD ? CSV_FEED_BAD : 0u);
}

static enum status decode_line(struct csv_feed *feed, size_t len, struct err *err)
{
    unsigned flags = 0;
    text_decode(feed->decoder, slice_of(feed->raw + feed->decoded, len), &feed->text, &flags);
    if (buf_reserve(&feed->text, CSV_SLACK_BYTES) == NULL)
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot hold a decoded row");
    feed->decoded += len;
    return add_line(feed, feed->raw_offset + feed->decoded, feed_flags(flags), err);
}

/* Drops taken lines and text so that both arrays stay small. */
static void compact_text(struct csv_feed *feed)
{
    if (feed->text_at == 0)
        return;
    memmove(feed->text.data, feed->text.data + feed->text_at, feed->text.len - feed->text_at);
    feed->text.len -= feed->text_at;
    for (size_t i = feed->line_at; i < feed->line_count; i++) {
        feed->lines[i - feed->line_at] = feed->lines[i];
        feed->lines[i - feed->line_at].text_end -= feed->text_at;
    }
    feed->line_count -= feed->line_at;
    feed->line_at = 0;
    feed->text_at = 0;
}

static enum status decode_more(struct csv_feed *feed, struct err *err)
{
    compact_text(feed);
    size_t before = feed->text.len;
    for (;;) {
        while (feed->decoded < feed->raw_len && feed->text.len - before < TEXT_BYTES) {
            size_t len = raw_line(feed, feed->decoded);
            if (len == 0)
                break;
            enum status status = decode_line(feed, len, err);
            if (status != STATUS_OK)
                return status;
        }
        bool is_long = feed->raw_len - feed->decoded >= LINE_LIMIT;
        if (feed->text.len > before || csv_feed_ended(feed) || is_long)
            return STATUS_OK;
        enum status status = read_more(feed, err);
        if (status != STATUS_OK)
            return status;
    }
}

/* Reads on to the end of the line that begins at raw[at..], which is longer than a row may be. */
static enum status run_to_line_end(struct csv_feed *feed, size_t at, uint64_t *end_offset,
                                   struct err *err)
{
    buf_reset(&feed->kept);
    buf_put(&feed->kept, feed->raw + at, CSV_CUT_BYTES);
    for (;;) {
        feed->raw_at = at;
        size_t len = raw_line(feed, at);
        if (len > 0 || csv_feed_ended(feed) || (feed->raw_ended && at == feed->raw_len)) {
            at += len;
            break;
        }
        /* All but the last unit, which may be half of a line end. */
        size_t unit = text_unit_bytes(feed->encoding);
        size_t whole = (feed->raw_len - at) / unit * unit;
        at += whole > unit ? whole - unit : 0;
        feed->raw_at = feed->decoded = at;
        enum status status = read_more(feed, err);
        if (status != STATUS_OK)
            return status;
        at = 0;
    }
    feed->raw_at = feed->decoded = at;
    *end_offset = feed->raw_offset + at;
    return STATUS_OK;
}

enum status csv_feed_more(struct csv_feed *feed, struct err *err)
{
    return feed->decoder ? decode_more(feed, err) : read_more(feed, err);
}

enum status csv_feed_skip_line(struct csv_feed *feed, struct csv_taken *taken, struct err *err)
{
    taken->offset = csv_feed_offset(feed);
    taken->flags = CSV_FEED_CUT;
    compact_text(feed);
    enum status status = run_to_line_end(feed, feed->raw_at, &taken->end_offset, err);
    taken->raw = buf_slice(&feed->kept);
    if (feed->decoder) {
        buf_reset(&feed->text);
        feed->line_at = feed->line_count = 0;
    }
    return status;
}

static void take_decoded(struct csv_feed *feed, size_t text_bytes, struct csv_taken *taken)
{
    size_t text_end = feed->text_at + text_bytes;
    uint64_t raw_end = csv_feed_offset(feed);
    while (feed->line_at < feed->line_count && raw_end != UINT64_MAX) {
        const struct line *line = &feed->lines[feed->line_at];
        if (line->text_end > text_end)
            break;
        taken->flags |= line->flags;
        raw_end = line->raw_end;
        feed->line_at++;
    }
    taken->end_offset = raw_end;
    size_t len = (size_t)(raw_end - taken->offset);
    taken->raw = slice_of(feed->raw + feed->raw_at, len);
    feed->raw_at += len;
    feed->text_at = text_end;
}

void csv_feed_take(struct csv_feed *feed, size_t text_bytes, struct csv_taken *taken)
{
    *taken = (struct csv_taken){.offset = csv_feed_offset(feed)};
    if (feed->decoder) {
        take_decoded(feed, text_bytes, taken);
        return;
    }
    taken->raw = slice_of(feed->raw + feed->raw_at, text_bytes);
    taken->end_offset = taken->offset + text_bytes;
    if (feed->raw_at < feed->dirty_end || feed->raw_at + text_bytes > feed->checked) {
        unsigned flags = 0;
        if (text_utf8_check(taken->raw, &flags) < text_bytes)
            flags |= TEXT_IS_BAD;
        taken->flags = feed_flags(flags);
    }
    feed->raw_at += text_bytes;
}
