/* csv_layout.c - a sheet's layout as JSON and back, and what is no sheet at all. */
#include <errno.h>
#include <jansson.h>

#include "connectors/csv_reader.h"

const char *csv_not_text(struct slice head)
{
    static const struct {
        struct slice magic;
        const char *what;
    } magics[] = {
        {{"\x1F\x8B", 2}, "a gzip archive"},
        {{"PK\x03\x04", 4}, "a zip archive or an xlsx workbook"},
        {{"\xD0\xCF\x11\xE0", 4}, "an old xls workbook or an encrypted one"},
        {{"%PDF", 4}, "a PDF document"},
        {{"\x28\xB5\x2F\xFD", 4}, "a zstd archive"},
        {{"BZh", 3}, "a bzip2 archive"},
        {{"\xFD"
          "7zXZ",
          5},
         "an xz archive"},
        {{"7z\xBC\xAF\x27\x1C", 6}, "a 7z archive"},
        {{"Rar!", 4}, "a rar archive"},
        {{"\x89PNG", 4}, "a picture"},
        {{"\xFF\xD8\xFF", 3}, "a picture"},
        {{"\x7F"
          "ELF",
          4},
         "a program"},
        {{"SQLite format 3", 15}, "a database"},
    };
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        if (slice_starts(head, magics[i].magic))
            return magics[i].what;
    }
    if (slice_starts(head, SLICE("\xEF\xBB\xBF")))
        head = slice_sub(head, 3, head.len);
    struct slice text = slice_trim(head);
    static const char *const html[] = {"<html", "<!doctype html", "<table",
                                       "<head", "<body",          "<meta"};
    for (size_t i = 0; i < sizeof(html) / sizeof(html[0]); i++) {
        if (slice_eq_nocase(slice_sub(text, 0, strlen(html[i])), slice_str(html[i])))
            return "an HTML page";
    }
    return slice_starts(text, SLICE("<?xml")) ? "an XML document" : NULL;
}

void csv_layout_write(const struct csv_layout *layout, struct buf *out)
{
    buf_printf(out, "{\"encoding\":\"%s\",\"delimiter\":", text_encoding_name(layout->encoding));
    buf_put_json(out, slice_of(&layout->delimiter, 1));
    buf_put_str(out, ",\"quote\":");
    buf_put_json(out, slice_of(&layout->quote, layout->quote != 0));
    buf_put_str(out, ",\"columns\":[");
    for (size_t i = 0; i < layout->column_count; i++) {
        buf_put_str(out, i ? "," : "");
        buf_put_json(out, layout->columns[i]);
    }
    buf_put_str(out, "]}");
}

static struct slice string_of(const json_t *value)
{
    return json_is_string(value) ? slice_of(json_string_value(value), json_string_length(value))
                                 : SLICE_EMPTY;
}

enum status csv_layout_read(struct slice json, struct arena *arena, struct csv_layout *layout,
                            struct err *err)
{
    *layout = (struct csv_layout){0};
    json_error_t problem;
    json_t *root = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES, &problem);
    const json_t *columns = json_object_get(root, "columns");
    struct slice delimiter = string_of(json_object_get(root, "delimiter"));
    struct slice quote = string_of(json_object_get(root, "quote"));
    bool good =
        json_is_array(columns) && delimiter.len == 1 && quote.len <= 1 &&
        json_array_size(columns) <= CSV_CELLS_MAX &&
        text_encoding_parse(string_of(json_object_get(root, "encoding")), &layout->encoding);
    if (good) {
        layout->delimiter = delimiter.ptr[0];
        layout->quote = quote.len ? quote.ptr[0] : '\0';
        layout->column_count = json_array_size(columns);
        struct slice *names = ARENA_ARRAY(arena, struct slice, layout->column_count);
        for (size_t i = 0; names && i < layout->column_count; i++)
            names[i] = arena_dup(arena, string_of(json_array_get(columns, i)));
        layout->columns = names;
    }
    json_decref(root);
    if (!good)
        return err_set(err, RETRY_NONE, "csv.layout", "cannot read the layout of a sheet");
    return arena_failed(arena) ? err_set_errno(err, ENOMEM, "csv.memory", "cannot hold a layout")
                               : STATUS_OK;
}
