/* csv_split.c - see csv_split.h. */
#include "connectors/csv_split.h"

#include <stdlib.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The first delimiter, CR or LF at or after `p`; `end` when there is none. May read CSV_SLACK_BYTES
 * past end. */
static inline const char *cell_end(const char *p, const char *end, char delimiter)
{
#if defined(__SSE2__)
    const __m128i delimiters = _mm_set1_epi8(delimiter);
    const __m128i feeds = _mm_set1_epi8('\n');
    const __m128i returns = _mm_set1_epi8('\r');
    while (p < end) {
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(
            _mm_cmpeq_epi8(block, delimiters),
            _mm_or_si128(_mm_cmpeq_epi8(block, feeds), _mm_cmpeq_epi8(block, returns)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask) {
            p += __builtin_ctz(mask);
            return p < end ? p : end;
        }
        p += 16;
    }
    return end;
#else
    while (p < end && *p != delimiter && *p != '\n' && *p != '\r')
        p++;
    return p;
#endif
}

static bool add_cell(struct csv_split *split, size_t *count, struct slice cell)
{
    if (*count == split->cell_capacity) {
        size_t capacity = split->cell_capacity ? split->cell_capacity * 2 : 64;
        struct slice *cells = realloc(split->cells, capacity * sizeof(*cells));
        if (cells == NULL)
            return false;
        split->cells = cells;
        split->cell_capacity = capacity;
    }
    split->cells[(*count)++] = cell;
    return true;
}

static bool scratch_room(struct csv_split *split, size_t bytes)
{
    if (split->scratch_capacity >= bytes)
        return true;
    char *scratch = malloc(bytes);
    if (scratch == NULL)
        return false;
    free(split->scratch);
    split->scratch = scratch;
    split->scratch_capacity = bytes;
    return true;
}

struct quoted {
    const char *after; /* where the cell ends: a delimiter, a line end, or the end of the text */
    struct slice cell;
    size_t line_breaks;
};

static size_t count_breaks(const char *p, const char *end)
{
    size_t count = 0;
    for (p = cell_end(p, end, '\n'); p < end; p++)
        count += *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'));
    return count;
}

/* Copies p..end with doubled quotes made single. */
static size_t unescape(char *out, const char *p, const char *end, char quote)
{
    size_t len = 0;
    while (p < end) {
        out[len++] = *p;
        p += *p == quote && p + 1 < end && p[1] == quote ? 2 : 1;
    }
    return len;
}

/* `p` is at the opening quote. */
static enum csv_split_result quoted_cell(struct csv_split *split, const char *p, const char *end,
                                         bool ended, size_t *scratch_used, struct quoted *out)
{
    const char *inside = p + 1, *close = inside;
    bool escaped = false;
    for (;; close += 2) {
        close = close < end ? memchr(close, split->quote, (size_t)(end - close)) : NULL;
        if (close == NULL)
            return ended ? CSV_SPLIT_UNCLOSED : CSV_SPLIT_MORE;
        if (close + 1 == end && !ended)
            return CSV_SPLIT_MORE;
        if (close + 1 == end || close[1] != split->quote)
            break;
        escaped = true;
    }
    size_t len = (size_t)(close - inside);
    out->line_breaks = count_breaks(inside, close);
    out->after = cell_end(close + 1, end, split->delimiter);
    size_t rest = (size_t)(out->after - close - 1);
    out->cell = slice_of(inside, len);
    if (rest == 0 && !escaped)
        return CSV_SPLIT_ROW;
    if (rest && out->line_breaks)
        return CSV_SPLIT_UNCLOSED;
    /* Sized at the row's first such cell for all that may follow, before anything points into it.
     */
    if (*scratch_used == 0 && !scratch_room(split, (size_t)(end - p)))
        return CSV_SPLIT_NO_MEMORY;
    char *copy = split->scratch + *scratch_used;
    size_t copied = unescape(copy, inside, close, split->quote);
    memcpy(copy + copied, close + 1, rest);
    *scratch_used += copied + rest;
    out->cell = slice_of(copy, copied + rest);
    return CSV_SPLIT_ROW;
}

bool csv_first_line(struct slice text, bool ended, size_t *text_bytes, size_t *consumed)
{
    const char *end = text.ptr + text.len;
    const char *p = cell_end(text.ptr, end, '\n');
    if (p == end && !ended)
        return false;
    *text_bytes = *consumed = (size_t)(p - text.ptr);
    if (p == end)
        return true;
    if (*p == '\r' && p + 1 == end && !ended)
        return false;
    *consumed += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
    return true;
}

static enum csv_split_result first_line_only(enum csv_split_result result, struct slice text,
                                             bool ended, struct csv_split_row *row)
{
    *row = (struct csv_split_row){0};
    if (result != CSV_SPLIT_UNCLOSED && result != CSV_SPLIT_TOO_MANY)
        return result;
    return csv_first_line(text, ended, &row->text_bytes, &row->consumed) ? result : CSV_SPLIT_MORE;
}

enum csv_split_result csv_split_next(struct csv_split *split, struct slice text, bool ended,
                                     struct csv_split_row *row)
{
    const char *p = text.ptr, *end = text.ptr + text.len;
    size_t count = 0, content = 0, line_breaks = 0, scratch_used = 0;
    const char delimiter = split->delimiter, quote = split->quote;
    for (;;) {
        struct slice cell;
        if (quote && p < end && *p == quote) {
            struct quoted quoted;
            enum csv_split_result result =
                quoted_cell(split, p, end, ended, &scratch_used, &quoted);
            if (result != CSV_SPLIT_ROW)
                return first_line_only(result, text, ended, row);
            cell = quoted.cell;
            line_breaks += quoted.line_breaks;
            p = quoted.after;
        } else {
            const char *after = cell_end(p, end, delimiter);
            cell = slice_of(p, (size_t)(after - p));
            p = after;
        }
        if (p == end && !ended)
            return CSV_SPLIT_MORE;
        if (count == CSV_CELLS_MAX)
            return first_line_only(CSV_SPLIT_TOO_MANY, text, ended, row);
        if (!add_cell(split, &count, cell))
            return first_line_only(CSV_SPLIT_NO_MEMORY, text, ended, row);
        content |= cell.len;
        if (p == end || *p != delimiter)
            break;
        p++;
    }
    *row = (struct csv_split_row){.cell_count = count,
                                  .text_bytes = (size_t)(p - text.ptr),
                                  .consumed = (size_t)(p - text.ptr),
                                  .line_breaks = line_breaks,
                                  .blank = content == 0};
    if (p == end)
        return CSV_SPLIT_ROW;
    if (*p == '\r' && p + 1 == end && !ended)
        return CSV_SPLIT_MORE;
    row->consumed += *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
    return CSV_SPLIT_ROW;
}

void csv_split_free(struct csv_split *split)
{
    free(split->cells);
    free(split->scratch);
    split->cells = NULL;
    split->scratch = NULL;
    split->cell_capacity = split->scratch_capacity = 0;
}
