/* options_print.c - the effective values as YAML, and their hash. See options.h. */
#include "daemon/base/buf.h"
#include "daemon/base/options_internal.h"

#include <stdio.h>

#define FINGERPRINT_MAX_BYTES ((size_t)16 << 20)

struct printer {
    struct buf *out;
    bool hash_secrets; /* for the fingerprint; never shown */
};

static void print_section(struct printer *printer, const struct options *options, unsigned indent);

static bool is_plain_safe(struct slice text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+";
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == 0 || strchr(safe, text.ptr[i]) == NULL)
            return false;
    }
    return text.len > 0;
}

/* Plain where nobody could read anything else into it, in quotes otherwise. */
static void put_text(struct buf *out, struct slice text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"};
    bool plain = is_plain_safe(text) && strchr("-.+0123456789", text.ptr[0]) == NULL;
    for (size_t i = 0; plain && i < sizeof(words) / sizeof(words[0]); i++)
        plain = !slice_eq_nocase(text, slice_str(words[i]));
    if (plain)
        buf_put_slice(out, text);
    else
        buf_put_json(out, text);
}

static void put_list(struct buf *out, const struct slice *list, size_t count)
{
    buf_put_byte(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_put_str(out, i ? ", " : "");
        put_text(out, list[i]);
    }
    buf_put_byte(out, ']');
}

static void put_node(struct buf *out, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        if (node->is_null)
            buf_put_str(out, "null");
        else if (!node->quoted && is_plain_safe(node->text))
            buf_put_slice(out, node->text);
        else
            buf_put_json(out, node->text);
        return;
    }
    buf_put_byte(out, node->kind == YAML_MAP ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        buf_put_str(out, i ? ", " : "");
        if (node->kind == YAML_MAP) {
            put_text(out, node->keys[i]->text);
            buf_put_str(out, ": ");
        }
        put_node(out, node->values[i]);
    }
    buf_put_byte(out, node->kind == YAML_MAP ? '}' : ']');
}

static void put_indent(struct buf *out, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++)
        buf_put_byte(out, ' ');
}

static void put_secret(struct printer *printer, struct slice secret)
{
    if (printer->hash_secrets)
        buf_printf(printer->out, "%016llx", (unsigned long long)slice_hash(secret, 1));
    else
        buf_put_str(printer->out, "\"***\"");
}

static void print_sections(struct printer *printer, const struct option_value *value, unsigned indent)
{
    for (size_t i = 0; i < value->count; i++) {
        buf_put_byte(printer->out, '\n');
        put_indent(printer->out, indent);
        put_text(printer->out, slice_str(value->sections[i]->name));
        buf_put_byte(printer->out, ':');
        print_section(printer, value->sections[i], indent + 2);
    }
}

static void print_value(struct printer *printer, const struct option_value *value, unsigned indent)
{
    char text[40];
    switch (value->option->type) {
    case OPTION_STRING:
    case OPTION_ENUM:
        put_text(printer->out, value->text);
        break;
    case OPTION_INT:
    case OPTION_DURATION:
    case OPTION_SIZE:
        option_bound_text(value->option, value->integer, text, sizeof(text));
        buf_put_str(printer->out, text);
        break;
    case OPTION_FLOAT:
        buf_printf(printer->out, "%.15g", value->real);
        break;
    case OPTION_BOOL:
        buf_put_str(printer->out, value->integer ? "true" : "false");
        break;
    case OPTION_SECRET:
        put_secret(printer, value->text);
        break;
    case OPTION_STRINGS:
        put_list(printer->out, value->strings, value->count);
        break;
    case OPTION_TEXT_MAP:
        for (size_t i = 0; i < value->count; i++) {
            buf_put_byte(printer->out, '\n');
            put_indent(printer->out, indent);
            put_text(printer->out, value->texts[i].name);
            buf_put_str(printer->out, ": ");
            put_list(printer->out, value->texts[i].values, value->texts[i].count);
        }
        break;
    case OPTION_SECTION:
        print_section(printer, value->section, indent);
        break;
    case OPTION_SECTIONS:
        print_sections(printer, value, indent);
        break;
    case OPTION_FREE:
        put_node(printer->out, value->node);
        break;
    }
}

static bool has_anything(const struct options *options);

static bool is_shown(const struct option_value *value)
{
    if (value->option->type == OPTION_SECTION)
        return value->section != NULL && has_anything(value->section);
    if (value->option->type == OPTION_SECTIONS || value->option->type == OPTION_TEXT_MAP)
        return value->present && value->count > 0;
    return value->present;
}

static bool has_anything(const struct options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        if (is_shown(&options->values[i]))
            return true;
    }
    return false;
}

/* Every line starts with its own line break, so that an empty section is `name:`. */
static void print_section(struct printer *printer, const struct options *options, unsigned indent)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct option_value *value = &options->values[i];
        if (!is_shown(value))
            continue;
        enum option_type type = value->option->type;
        bool nested = type == OPTION_SECTION || type == OPTION_SECTIONS || type == OPTION_TEXT_MAP;
        buf_put_byte(printer->out, '\n');
        put_indent(printer->out, indent);
        buf_put_str(printer->out, value->option->key);
        buf_put_str(printer->out, nested ? ":" : ": ");
        print_value(printer, value, indent + 2);
    }
}

void options_print(const struct options *options, unsigned indent, struct buf *out)
{
    size_t start = out->len;
    struct printer printer = {.out = out};
    print_section(&printer, options, indent);
    if (buf_failed(out) || out->len == start)
        return;
    memmove(out->data + start, out->data + start + 1, out->len - start - 1); /* the first break */
    out->data[out->len - 1] = '\n';
}

bool options_fingerprint(const struct options *options, uint64_t *hash)
{
    struct buf text = BUF_INIT(FINGERPRINT_MAX_BYTES);
    struct printer printer = {.out = &text, .hash_secrets = true};
    print_section(&printer, options, 0);
    bool good = !buf_failed(&text);
    *hash = slice_hash(buf_slice(&text), 0);
    buf_free(&text);
    return good;
}
