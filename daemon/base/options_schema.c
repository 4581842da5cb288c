/* options_schema.c - a declaration as JSON Schema (2020-12), for editors. See options.h. */
#include "daemon/base/buf.h"
#include "daemon/base/options_internal.h"

#define TABLES_MAX 64

static const char *json_type(const struct option *option)
{
    switch (option->type) {
    case OPTION_INT:
        return "\"type\": [\"integer\", \"string\"]"; /* a string: "${PORT}" */
    case OPTION_FLOAT:
        return "\"type\": [\"number\", \"string\"]";
    case OPTION_BOOL:
        return "\"type\": [\"boolean\", \"string\"]";
    case OPTION_SIZE:
    case OPTION_DURATION:
        return "\"type\": [\"string\", \"integer\"]";
    case OPTION_STRINGS:
        return "\"type\": [\"array\", \"string\", \"number\"]";
    case OPTION_STRING:
    case OPTION_ENUM:
    case OPTION_SECRET:
        return "\"type\": [\"string\", \"number\", \"boolean\"]";
    case OPTION_TEXT_MAP:
    case OPTION_SECTION:
    case OPTION_SECTIONS:
        return "\"type\": [\"object\", \"null\"]";
    case OPTION_FREE:
        break;
    }
    return NULL;
}

static void put_choices(const char *choices, struct buf *out)
{
    struct slice rest = slice_str(choices);
    buf_put_str(out, ", \"anyOf\": [{\"enum\": [");
    for (bool first = true; rest.len > 0; first = false) {
        ptrdiff_t bar = slice_find_byte(rest, '|');
        size_t length = bar < 0 ? rest.len : (size_t)bar;
        buf_put_str(out, first ? "" : ", ");
        buf_put_json(out, slice_sub(rest, 0, length));
        rest = slice_sub(rest, length + 1, rest.len);
    }
    buf_put_str(out, "]}, {\"pattern\": \"\\\\$\\\\{\"}]");
}

static void put_tables(const struct option *const *tables, size_t count, options_variants variants,
                       struct buf *out);

static void put_option(const struct option *option, options_variants variants, struct buf *out)
{
    const char *type = json_type(option);
    buf_put_str(out, "{\"description\": ");
    buf_put_json(out, slice_str(option->help));
    if (option->default_text) {
        buf_put_str(out, ", \"default\": ");
        buf_put_json(out, slice_str(option->default_text));
    }
    if (type) {
        buf_put_str(out, ", ");
        buf_put_str(out, type);
    }
    if (option->type == OPTION_INT && (option->min != 0 || option->max != 0))
        buf_printf(out, ", \"minimum\": %lld, \"maximum\": %lld", (long long)option->min,
                   (long long)option->max);
    if (option->type == OPTION_ENUM)
        put_choices(option->choices, out);
    if (option->children) {
        const struct option *tables[TABLES_MAX] = {option->children};
        size_t count = 1;
        if (option->variant && variants)
            count += variants(option, tables + 1, TABLES_MAX - 1);
        buf_put_str(out, ", ");
        if (option->type == OPTION_SECTIONS)
            buf_put_str(out, "\"additionalProperties\": {\"type\": \"object\", ");
        put_tables(tables, count, variants, out);
        if (option->type == OPTION_SECTIONS)
            buf_put_byte(out, '}');
    }
    buf_put_byte(out, '}');
}

static bool is_declared(const struct option *const *tables, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        for (const struct option *option = tables[i]; option->key; option++) {
            if (strcmp(option->key, key) == 0)
                return true;
        }
    }
    return false;
}

/* The keys of all tables together; of keys in several the first speaks. */
static void put_tables(const struct option *const *tables, size_t count, options_variants variants,
                       struct buf *out)
{
    const char *separator = "";
    buf_put_str(out, "\"additionalProperties\": false, \"properties\": {");
    for (size_t i = 0; i < count; i++) {
        for (const struct option *option = tables[i]; option->key; option++) {
            if (is_declared(tables, i, option->key))
                continue;
            buf_printf(out, "%s\n\"%s\": ", separator, option->key);
            separator = ",";
            put_option(option, variants, out);
            if (option->type == OPTION_SECRET)
                buf_printf(out,
                           ",\n\"%s_file\": {\"description\": \"the file that holds %s\", "
                           "\"type\": \"string\"}",
                           option->key, option->key);
        }
    }
    buf_put_byte(out, '}');
}

void options_schema(const struct option *table, options_variants variants, struct buf *out)
{
    buf_put_str(out, "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", "
                     "\"type\": \"object\", ");
    put_tables(&table, 1, variants, out);
    buf_put_str(out, "}\n");
}
