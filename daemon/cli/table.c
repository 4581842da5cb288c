/* table.c - see table.h. */
#include "daemon/cli/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/uchar.h>

#include "daemon/base/utf8.h"

#define ROWS_MEASURED   1000
#define PENDING_BYTES   ((size_t)64 << 20)
#define COLUMN_MAX_WIDE 60

struct pending_cell {
    size_t at, length; /* in the text */
    bool is_null;
};

struct cli_table {
    const struct cli_column *columns;
    size_t column_count;
    bool json;
    size_t next; /* column of the next cell */
    size_t row_count;
    struct buf text; /* of the pending cells */
    struct pending_cell *cells;
    size_t cell_count;
    size_t widths[CLI_COLUMNS_MAX];
    bool flowing; /* the widths are fixed, rows go straight out */
};

static void give_up(void)
{
    fputs("tributary: out of memory\n", stderr);
    exit(EXIT_CODE_TEMPORARY);
}

struct cli_table *cli_table_new(const struct cli *cli, const struct cli_column *columns)
{
    struct cli_table *table = calloc(1, sizeof(*table));
    if (table == NULL)
        give_up();
    while (columns[table->column_count].name)
        table->column_count++;
    assert(table->column_count > 0 && table->column_count <= CLI_COLUMNS_MAX);
    table->columns = columns;
    table->json = cli_wants_json(cli);
    table->text = BUF_INIT(PENDING_BYTES);
    table->cells = calloc(ROWS_MEASURED * table->column_count, sizeof(*table->cells));
    if (table->cells == NULL)
        give_up();
    for (size_t i = 0; i < table->column_count; i++)
        table->widths[i] = strlen(columns[i].name);
    return table;
}

/* ---- text ---- */

static size_t width_of(struct slice text)
{
    size_t width = 0;
    for (uint32_t c; utf8_next(&text, &c);) {
        int wide = u_getIntPropertyValue((UChar32)c, UCHAR_EAST_ASIAN_WIDTH);
        width += wide == U_EA_FULLWIDTH || wide == U_EA_WIDE ? 2 : 1;
    }
    return width;
}

static void print_padding(size_t count)
{
    for (size_t i = 0; i < count; i++)
        putchar(' ');
}

static void print_cell(const struct cli_table *table, size_t column, struct slice text)
{
    size_t width = width_of(text), wanted = table->widths[column];
    size_t padding = width < wanted ? wanted - width : 0;
    bool right = table->columns[column].kind == CLI_NUMBER;
    bool last = column + 1 == table->column_count;
    if (right)
        print_padding(padding);
    fwrite(text.ptr, 1, text.len, stdout);
    if (!right && !last)
        print_padding(padding);
    fputs(last ? "\n" : "  ", stdout);
}

static void print_pending(struct cli_table *table)
{
    for (size_t i = 0; i < table->cell_count; i++) {
        const struct pending_cell *cell = &table->cells[i];
        print_cell(table, i % table->column_count,
                   cell->is_null ? SLICE("-")
                                 : slice_of(table->text.data + cell->at, cell->length));
    }
    table->cell_count = 0;
    buf_reset(&table->text);
}

/* The first rows fix the widths; the heading waits for them. */
static void start_flowing(struct cli_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->widths[i] > COLUMN_MAX_WIDE)
            table->widths[i] = COLUMN_MAX_WIDE;
    }
    for (size_t i = 0; i < table->column_count; i++)
        print_cell(table, i, slice_str(table->columns[i].name));
    table->flowing = true;
    print_pending(table);
}

static void put_text_cell(struct cli_table *table, struct slice value)
{
    struct pending_cell *cell = &table->cells[table->cell_count++];
    cell->at = table->text.len;
    cell->is_null = value.ptr == NULL;
    cell->length = cell->is_null ? 0 : value.len;
    buf_put(&table->text, value.ptr, cell->length);
    if (buf_failed(&table->text))
        give_up();
    for (size_t i = 0; i < cell->length; i++) {
        char *c = table->text.data + cell->at + i;
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    }
    size_t column = (table->cell_count - 1) % table->column_count;
    size_t width = width_of(slice_of(table->text.data + cell->at, cell->length));
    if (!table->flowing && width > table->widths[column])
        table->widths[column] = width;
    bool row_complete = column + 1 == table->column_count;
    if (row_complete && table->flowing)
        print_pending(table);
    else if (row_complete && table->cell_count == ROWS_MEASURED * table->column_count)
        start_flowing(table);
}

/* ---- JSON ---- */

static void put_json_cell(struct cli_table *table, struct slice value)
{
    const struct cli_column *column = &table->columns[table->next];
    if (table->next == 0)
        buf_put_str(&table->text, table->row_count == 0 ? "[\n{" : ",\n{");
    else
        buf_put_str(&table->text, ", ");
    buf_put_json(&table->text, slice_str(column->name));
    buf_put_str(&table->text, ": ");
    if (value.ptr == NULL || (column->kind != CLI_TEXT && value.len == 0))
        buf_put_str(&table->text, "null");
    else if (column->kind == CLI_TEXT)
        buf_put_json(&table->text, value);
    else
        buf_put_slice(&table->text, value);
    if (table->next + 1 == table->column_count)
        buf_put_byte(&table->text, '}');
    if (buf_failed(&table->text))
        give_up();
    fwrite(table->text.data, 1, table->text.len, stdout);
    buf_reset(&table->text);
}

void cli_table_cell(struct cli_table *table, struct slice value)
{
    if (table->json)
        put_json_cell(table, value);
    else
        put_text_cell(table, value);
    if (++table->next == table->column_count) {
        table->next = 0;
        table->row_count++;
    }
}

void cli_table_text(struct cli_table *table, const char *value)
{
    cli_table_cell(table, value ? slice_str(value) : (struct slice){NULL, 0});
}

void cli_table_int(struct cli_table *table, int64_t value)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%lld", (long long)value);
    cli_table_cell(table, slice_of(text, (size_t)length));
}

void cli_table_end(struct cli_table **table)
{
    struct cli_table *t = *table;
    assert(t->next == 0);
    if (t->json)
        fputs(t->row_count == 0 ? "[]\n" : "\n]\n", stdout);
    else if (!t->flowing)
        start_flowing(t);
    buf_free(&t->text);
    free(t->cells);
    free(t);
    *table = NULL;
}
