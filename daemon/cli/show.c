/* show.c - see show.h. */
#include "daemon/cli/show.h"

#include <stdio.h>
#include <stdlib.h>

#define VALUE_MAX_BYTES ((size_t)16 << 20)
#define SHOWN_DEPTH     4

void show_json(const json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(1) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(8));
    putchar('\n');
}

/* 2026-11-22T08:15:30.123456+00:00 without fraction and zone, which is always UTC. */
static bool is_time(struct slice text)
{
    return text.len >= 20 && text.len <= 35 && text.ptr[4] == '-' && text.ptr[7] == '-' &&
           text.ptr[10] == 'T' && text.ptr[13] == ':' && text.ptr[16] == ':' && text.ptr[0] >= '0' &&
           text.ptr[0] <= '9';
}

static void put_text(struct slice text, struct buf *out)
{
    if (is_time(text)) {
        buf_put(out, text.ptr, 10);
        buf_put_byte(out, ' ');
        buf_put(out, text.ptr + 11, 8);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        buf_put_byte(out, byte < 0x20 || byte == 0x7f ? ' ' : byte);
    }
}

static void put_value(const json_t *value, struct buf *out, int depth)
{
    size_t i;
    json_t *item;
    const char *key;
    bool first = true;
    if (json_is_string(value))
        put_text(slice_of(json_string_value(value), json_string_length(value)), out);
    else if (json_is_integer(value))
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        buf_printf(out, "%.2f", json_real_value(value));
    else if (json_is_boolean(value))
        buf_put_str(out, json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value) && json_array_size(value) > 0 && depth < SHOWN_DEPTH) {
        json_array_foreach(value, i, item) {
            buf_put_str(out, i ? ", " : "");
            put_value(item, out, depth + 1);
        }
    } else if (json_is_object(value) && json_object_size(value) > 0 && depth < SHOWN_DEPTH) {
        json_object_foreach((json_t *)(uintptr_t)value, key, item) {
            buf_printf(out, "%s%s: ", first ? "" : "; ", key);
            put_value(item, out, depth + 1);
            first = false;
        }
    } else {
        buf_put_byte(out, '-');
    }
}

void show_value(const json_t *value, struct buf *out)
{
    put_value(value, out, 0);
}

void show_member(const json_t *object, const char *key)
{
    struct buf out = BUF_INIT(VALUE_MAX_BYTES);
    show_value(json_object_get(object, key), &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

void show_table(const struct cli *cli, const json_t *rows, const struct show_column *columns)
{
    struct cli_column shown[CLI_COLUMNS_MAX + 1];
    size_t count = 0, i;
    json_t *row;
    struct buf out = BUF_INIT(VALUE_MAX_BYTES);
    for (; columns[count].name && count < CLI_COLUMNS_MAX; count++)
        shown[count] = (struct cli_column){columns[count].name, columns[count].kind};
    shown[count] = (struct cli_column){NULL, CLI_TEXT};
    struct cli_table *table = cli_table_new(cli, shown);
    json_array_foreach(rows, i, row) {
        for (size_t j = 0; j < count; j++) {
            const json_t *value = json_object_get(row, columns[j].key);
            buf_reset(&out);
            if (value && !json_is_null(value))
                show_value(value, &out);
            cli_table_cell(table, out.len ? buf_slice(&out) : (struct slice){NULL, 0});
        }
    }
    cli_table_end(&table);
    buf_free(&out);
}

void show_rows(const struct cli *cli, const json_t *rows, const struct show_column *columns)
{
    if (cli_wants_json(cli))
        show_json(rows);
    else
        show_table(cli, rows, columns);
}

static void put_names(struct buf *out, const char *before, const json_t *names)
{
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) {
        buf_put_str(out, i ? ", " : before);
        show_value(name, out);
    }
}

void show_difference(const json_t *difference, struct buf *out)
{
    const json_t *columns = json_object_get(difference, "columns");
    put_names(out, ": other ", json_object_get(difference, "differs"));
    put_names(out, "; new fields ", json_object_get(columns, "added"));
    put_names(out, "; without fields ", json_object_get(columns, "removed"));
    put_names(out, "; fields of another type (it cannot be applied) ", json_object_get(columns, "retyped"));
}

long long show_int(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}
