/* text_columns.c - see text_columns.h. */
#include "daemon/cli/text_columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/uchar.h>

#include "daemon/base/utf8.h"

static size_t width_of(uint32_t c)
{
    int wide = u_getIntPropertyValue((UChar32)c, UCHAR_EAST_ASIAN_WIDTH);
    if (u_charType((UChar32)c) == U_NON_SPACING_MARK)
        return 0;
    return wide == U_EA_FULLWIDTH || wide == U_EA_WIDE ? 2 : 1;
}

size_t text_width(struct slice text)
{
    size_t width = 0;
    for (uint32_t c; utf8_next(&text, &c);)
        width += width_of(c);
    return width;
}

/* Appends what fits, cut with an ellipsis; returns its width. */
static size_t put_cut(struct buf *out, struct slice text, size_t wide_max)
{
    bool cut = text_width(text) > wide_max;
    size_t width = 0;
    struct slice rest = text;
    for (uint32_t c; utf8_next(&rest, &c);) {
        if (width + width_of(c) > wide_max - cut)
            break;
        width += width_of(c);
        struct slice one = slice_of(text.ptr, (size_t)(rest.ptr - text.ptr));
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xa0))
            buf_put_byte(out, ' ');
        else
            buf_put_slice(out, one);
        text = rest;
    }
    if (cut)
        buf_put_str(out, "…");
    return width + cut;
}

void text_columns_cell(struct text_columns *columns, struct slice cell)
{
    size_t cells_max = columns->count * TEXT_COLUMNS_ROWS_MAX;
    if (columns->cells == NULL)
        columns->cells = calloc(cells_max, sizeof(*columns->cells));
    if (columns->cells == NULL || columns->cell_count == cells_max) {
        columns->left_out++;
        return;
    }
    struct text_cell *mine = &columns->cells[columns->cell_count++];
    mine->at = columns->text.len;
    mine->width = put_cut(&columns->text, cell, TEXT_COLUMNS_WIDE_MAX);
    mine->len = columns->text.len - mine->at;
}

void text_columns_format(struct text_columns *columns, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    text_columns_cell(columns, slice_str(text));
}

static void pad(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_put_byte(out, ' ');
}

static void put_row(const struct text_columns *columns, const size_t *widths, size_t first,
                    const char *indent, struct buf *out)
{
    size_t last = columns->count;
    while (last > 0 && columns->cells[first + last - 1].len == 0)
        last--; /* no blanks at the end of a line */
    buf_put_str(out, indent);
    for (size_t i = 0; i < last; i++) {
        const struct text_cell *cell = &columns->cells[first + i];
        size_t padding = widths[i] - cell->width;
        bool right = columns->right >> i & 1;
        if (i > 0)
            pad(out, 2);
        if (right)
            pad(out, padding);
        buf_put(out, columns->text.data + cell->at, cell->len);
        if (!right && i + 1 < last)
            pad(out, padding);
    }
    buf_put_byte(out, '\n');
}

void text_columns_put(struct text_columns *columns, const char *indent, struct buf *out)
{
    size_t widths[TEXT_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < columns->cell_count; i++) {
        size_t column = i % columns->count;
        if (columns->cells[i].width > widths[column])
            widths[column] = columns->cells[i].width;
    }
    for (size_t i = 0; i + columns->count <= columns->cell_count; i += columns->count)
        put_row(columns, widths, i, indent, out);
    if (columns->left_out)
        buf_printf(out, "%s... and %zu more\n", indent, columns->left_out / columns->count);
    buf_free(&columns->text);
    free(columns->cells);
    *columns = (struct text_columns){0};
}
