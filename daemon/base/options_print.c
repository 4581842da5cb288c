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
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+";
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == 0 || strchr(safe, text.ptr[i]) == NULL)
            return false;
    }
    return text.len > 0;
}

/* Plain where nobody could read anything else into it, in quotes otherwise. */
static void put_text(struct buf *out, struct slice text)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n"};
    bool plain = is_plain_safe(text) && strchr("-.+0123456789", text.ptr[0]) == NULL;
    for (size_t i = 0; plain && i < sizeof(words) / sizeof(words[0]); i++)
        plain = !slice_eq_nocase(text, slice_str(words[i]));
    if (plain)
        buf_put_slice(out, text);
    else
        buf_put_json(out, text);
}

/* Names under which a secret may stand in headers and query strings. */
static bool is_telltale(struct slice name)
{
    static const char *const marks[] = {"auth",   "cookie", "key",  "password",
                                        "secret", "sign",   "token"};
    char lower[64];
    size_t length = name.len < sizeof(lower) ? name.len : sizeof(lower) - 1;
    for (size_t i = 0; i < length; i++)
        lower[i] =
            (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] + 32 : name.ptr[i]);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (slice_find(slice_of(lower, length), slice_str(marks[i])) >= 0)
            return true;
    }
    return false;
}

/* Length of the part of `text` up to any of `ends`. */
static size_t span_until(struct slice text, const char *ends)
{
    size_t length = 0;
    while (length < text.len && (text.ptr[length] == 0 || strchr(ends, text.ptr[length]) == NULL))
        length++;
    return length;
}

static void put_masked_authority(struct buf *out, struct slice authority)
{
    ptrdiff_t at = -1, colon = slice_find_byte(authority, ':');
    for (size_t i = 0; i < authority.len; i++) {
        if (authority.ptr[i] == '@')
            at = (ptrdiff_t)i;
    }
    if (colon >= 0 && at > colon) {
        buf_put_slice(out, slice_sub(authority, 0, (size_t)colon + 1));
        buf_put_str(out, "***");
        authority = slice_sub(authority, (size_t)at, authority.len);
    }
    buf_put_slice(out, authority);
}

static void put_masked_query(struct buf *out, struct slice query)
{
    while (query.len > 0) {
        size_t length = span_until(query, "&#");
        struct slice pair = slice_sub(query, 0, length);
        ptrdiff_t equals = slice_find_byte(pair, '=');
        if (equals >= 0 && is_telltale(slice_sub(pair, 0, (size_t)equals))) {
            buf_put_slice(out, slice_sub(pair, 0, (size_t)equals + 1));
            buf_put_str(out, "***");
        } else {
            buf_put_slice(out, pair);
        }
        buf_put_slice(out, slice_sub(query, length, length + 1));
        query = slice_sub(query, length + 1, query.len);
    }
}

/* scheme://user:password@host/path?key=...: what is secret in a URL is so wherever the URL stands.
 */
static void put_shown(struct printer *printer, struct slice text)
{
    ptrdiff_t scheme = slice_find(text, SLICE("://"));
    if (printer->hash_secrets || scheme < 0) {
        put_text(printer->out, text);
        return;
    }
    struct buf masked = BUF_INIT(1 << 20);
    size_t start = (size_t)scheme + 3;
    struct slice rest = slice_sub(text, start, text.len);
    size_t authority = span_until(rest, "/?#");
    size_t path = authority + span_until(slice_sub(rest, authority, rest.len), "?");
    buf_put_slice(&masked, slice_sub(text, 0, start));
    put_masked_authority(&masked, slice_sub(rest, 0, authority));
    buf_put_slice(&masked, slice_sub(rest, authority, path));
    put_masked_query(&masked, slice_sub(rest, path, rest.len));
    put_text(printer->out, buf_failed(&masked) ? SLICE("***") : buf_slice(&masked));
    buf_free(&masked);
}

/* One text of a list or map; `node` is where it was written, NULL for a default. */
static void put_entry(struct printer *printer, const struct yaml_node *node, struct slice text)
{
    bool hide = node && node->written.len > 0 && !printer->hash_secrets;
    put_shown(printer, hide ? node->written : text);
}

static const struct yaml_node *entry_of(const struct yaml_node *list, size_t index)
{
    return list && list->kind == YAML_LIST ? list->values[index] : list;
}

static void put_list(struct printer *printer, const struct yaml_node *node,
                     const struct slice *list, size_t count)
{
    buf_put_byte(printer->out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_put_str(printer->out, i ? ", " : "");
        put_entry(printer, entry_of(node, i), list[i]);
    }
    buf_put_byte(printer->out, ']');
}

static void put_node(struct printer *printer, const struct yaml_node *node)
{
    struct buf *out = printer->out;
    if (node->kind == YAML_SCALAR) {
        if (node->is_null)
            buf_put_str(out, "null");
        else if (!node->quoted && is_plain_safe(node->text) && node->written.len == 0)
            buf_put_slice(out, node->text);
        else
            put_entry(printer, node, node->text);
        return;
    }
    buf_put_byte(out, node->kind == YAML_MAP ? '{' : '[');
    for (size_t i = 0; i < node->count; i++) {
        buf_put_str(out, i ? ", " : "");
        if (node->kind == YAML_MAP) {
            put_text(out, node->keys[i]->text);
            buf_put_str(out, ": ");
        }
        put_node(printer, node->values[i]);
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

static void print_sections(struct printer *printer, const struct option_value *value,
                           unsigned indent)
{
    for (size_t i = 0; i < value->count; i++) {
        buf_put_byte(printer->out, '\n');
        put_indent(printer->out, indent);
        put_text(printer->out, slice_str(value->sections[i]->name));
        buf_put_byte(printer->out, ':');
        print_section(printer, value->sections[i], indent + 2);
    }
}

static void print_text_map(struct printer *printer, const struct option_value *value,
                           unsigned indent)
{
    for (size_t i = 0; i < value->count; i++) {
        const struct option_text *text = &value->texts[i];
        bool from_variable = value->node && value->node->values[i]->written.len > 0;
        buf_put_byte(printer->out, '\n');
        put_indent(printer->out, indent);
        put_text(printer->out, text->name);
        buf_put_str(printer->out, ": ");
        if (is_telltale(text->name) && !from_variable && !printer->hash_secrets)
            buf_put_str(printer->out, "[\"***\"]");
        else
            put_list(printer, value->node ? value->node->values[i] : NULL, text->values,
                     text->count);
    }
}

static void print_value(struct printer *printer, const struct option_value *value, unsigned indent)
{
    char text[40];
    switch (value->option->type) {
    case OPTION_STRING:
    case OPTION_ENUM:
        put_entry(printer, value->node, value->text);
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
        put_list(printer, value->node, value->strings, value->count);
        break;
    case OPTION_TEXT_MAP:
        print_text_map(printer, value, indent);
        break;
    case OPTION_SECTION:
        print_section(printer, value->section, indent);
        break;
    case OPTION_SECTIONS:
        print_sections(printer, value, indent);
        break;
    case OPTION_FREE:
        put_node(printer, value->node);
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

static bool same_value(const struct option_value *a, const struct option_value *b)
{
    struct buf x = BUF_INIT(FINGERPRINT_MAX_BYTES), y = BUF_INIT(FINGERPRINT_MAX_BYTES);
    struct printer print_x = {.out = &x, .hash_secrets = true};
    struct printer print_y = {.out = &y, .hash_secrets = true};
    if (is_shown(a))
        print_value(&print_x, a, 0);
    if (is_shown(b))
        print_value(&print_y, b, 0);
    bool same = is_shown(a) == is_shown(b) && slice_eq(buf_slice(&x), buf_slice(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

static size_t put_changes(const struct options *before, const struct options *after,
                          const char *prefix, size_t count, struct buf *names)
{
    for (size_t i = 0; i < before->count && i < after->count; i++) {
        const struct option_value *a = &before->values[i], *b = &after->values[i];
        char path[256];
        snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] ? "." : "", a->option->key);
        if (a->option->type == OPTION_SECTION && a->section && b->section) {
            count = put_changes(a->section, b->section, path, count, names);
        } else if ((a->option->flags & OPTION_RESTART) && !same_value(a, b)) {
            buf_put_str(names, count++ ? ", " : "");
            buf_put_str(names, path);
        }
    }
    return count;
}

size_t options_restart_changes(const struct options *before, const struct options *after,
                               struct buf *names)
{
    return put_changes(before, after, "", 0, names);
}
