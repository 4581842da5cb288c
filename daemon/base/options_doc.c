/* options_doc.c - a declaration as Markdown rows. See options.h. */
#include "daemon/base/buf.h"
#include "daemon/base/options_internal.h"

#include <stdio.h>

/* A '|' inside a cell would end it. */
static void put_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_put_byte(out, '\\');
        buf_put_byte(out, (uint8_t)*text);
    }
}

static void put_type(const struct option *option, struct buf *out)
{
    buf_put_str(out, option_type_word(option));
    if (option->type == OPTION_ENUM) {
        for (const char *c = option->choices, *word = c;; c++) {
            if (*c != '|' && *c != '\0')
                continue;
            buf_printf(out, "%s`%.*s`", word == option->choices ? " " : ", ", (int)(c - word),
                       word);
            word = c + 1;
            if (*c == '\0')
                break;
        }
    }
    if (option->min != 0 || option->max != 0) {
        char low[32], high[32];
        option_bound_text(option, option->min, low, sizeof(low));
        option_bound_text(option, option->max, high, sizeof(high));
        if (option->max == INT64_MAX)
            buf_printf(out, ", at least %s", low);
        else
            buf_printf(out, ", %s to %s", low, high);
    }
}

static void put_row(const struct option *option, const char *prefix, struct buf *out)
{
    buf_printf(out, "| `%s%s`", prefix, option->key);
    if (option->type == OPTION_SECRET)
        buf_printf(out, " or `%s%s_file`", prefix, option->key);
    buf_put_str(out, " | ");
    put_type(option, out);
    buf_put_str(out, " | ");
    if (option->flags & OPTION_REQUIRED) {
        buf_put_str(out, "**required**");
    } else if (option->default_text && option->default_text[0]) {
        buf_put_byte(out, '`');
        put_cell(out, option->default_text);
        buf_put_byte(out, '`');
    }
    buf_put_str(out, " | ");
    put_cell(out, option->help ? option->help : "");
    if (option->flags & OPTION_RESTART)
        buf_put_str(out, " (needs a restart)");
    buf_put_str(out, " |\n");
}

void options_document(const struct option *table, const char *prefix, struct buf *out)
{
    for (; table->key; table++) {
        put_row(table, prefix, out);
        if (table->children == NULL)
            continue;
        char below[256];
        snprintf(below, sizeof(below), "%s%s.%s", prefix, table->key,
                 table->type == OPTION_SECTIONS ? "NAME." : "");
        options_document(table->children, below, out);
    }
}
