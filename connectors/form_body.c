/* form_body.c - see form_body.h: which way a body is written, and its charset. */
#include "connectors/form_body_intern.h"

#include "connectors/push_util.h"
#include "connectors/text_encoding.h"
#include "daemon/base/utf8.h"

struct slice form_value(const struct form_body *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (slice_is(form->fields[i].name, name))
            return form->fields[i].value;
    }
    return SLICE_EMPTY;
}

/* Joins in a buffer that doubles, so that a thousand values of one name cost what their bytes cost. */
static bool join_value(struct form_field *field, struct arena *arena, struct slice value)
{
    size_t needed = field->value.len + 2 + value.len;
    if (needed > field->room) {
        char *joined = arena_alloc(arena, needed * 2);
        if (joined == NULL)
            return false;
        memcpy(joined, field->value.ptr, field->value.len);
        field->value.ptr = joined;
        field->room = needed * 2;
    }
    char *end = (char *)(uintptr_t)field->value.ptr + field->value.len; /* ours: in the arena */
    memcpy(end, "; ", 2);
    memcpy(end + 2, value.ptr, value.len);
    field->value.len = needed;
    return true;
}

bool form_add(struct form_body *form, struct arena *arena, struct slice name, struct slice value,
              bool is_file)
{
    if (++form->value_count > FORM_VALUES_MAX)
        return false;
    if (slice_ends(name, SLICE("[]")))
        name = slice_sub(name, 0, name.len - 2);
    for (size_t i = 0; i < form->count; i++) {
        struct form_field *field = &form->fields[i];
        if (!slice_eq(field->name, name) || field->is_file != is_file)
            continue;
        if (field->value.len == 0)
            field->value = value;
        else if (value.len > 0)
            return join_value(field, arena, value);
        return true;
    }
    if (form->count == FORM_FIELDS_MAX)
        return false;
    form->fields[form->count++] = (struct form_field){.name = name, .value = value, .is_file = is_file};
    return true;
}

/* The quoted string or token at the front of `text`. */
static struct slice parameter_value(struct arena *arena, struct slice text)
{
    if (text.len == 0 || text.ptr[0] != '"') {
        size_t end = 0;
        while (end < text.len && text.ptr[end] != ';')
            end++;
        return slice_trim(slice_sub(text, 0, end));
    }
    char *out = arena_alloc(arena, text.len);
    size_t length = 0;
    for (size_t i = 1; out && i < text.len && text.ptr[i] != '"'; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len && (text.ptr[i + 1] == '"' || text.ptr[i + 1] == '\\'))
            i++;
        out[length++] = text.ptr[i];
    }
    return out ? slice_of(out, length) : SLICE_EMPTY;
}

/* Skips to just after the next ';' outside quotes. */
static struct slice next_parameter(struct slice text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && quoted)
            i++;
        else if (text.ptr[i] == '"')
            quoted = !quoted;
        else if (text.ptr[i] == ';' && !quoted)
            return slice_trim(slice_sub(text, i + 1, text.len));
    }
    return SLICE_EMPTY;
}

struct slice header_parameter(struct arena *arena, struct slice value, const char *name)
{
    size_t length = strlen(name);
    for (struct slice rest = next_parameter(value); rest.len > 0; rest = next_parameter(rest)) {
        if (rest.len > length && rest.ptr[length] == '=' &&
            slice_eq_nocase(slice_sub(rest, 0, length), slice_of(name, length)))
            return parameter_value(arena, slice_sub(rest, length + 1, rest.len));
    }
    return SLICE_EMPTY;
}

const char *form_parse_urlencoded(struct slice body, struct arena *arena, struct form_body *form)
{
    struct slice rest = body, name, value;
    while (query_next(&rest, &name, &value)) {
        name = percent_decode(arena, name, true);
        if (name.len > 0 && !form_add(form, arena, name, percent_decode(arena, value, true), false))
            return arena_failed(arena) ? "form.memory" : "form.too_many_fields";
    }
    return NULL;
}

/* ---- charset ---- */

static bool is_all_utf8(const struct form_body *form)
{
    for (size_t i = 0; i < form->count; i++) {
        if (!utf8_valid(form->fields[i].name) || !utf8_valid(form->fields[i].value))
            return false;
    }
    return true;
}

static bool has_nul(const struct form_body *form)
{
    for (size_t i = 0; i < form->count; i++) {
        const struct form_field *field = &form->fields[i];
        if ((field->name.len > 0 && memchr(field->name.ptr, '\0', field->name.len)) ||
            (field->value.len > 0 && memchr(field->value.ptr, '\0', field->value.len)))
            return true;
    }
    return false;
}

static struct slice decode_text(struct text_decoder *decoder, struct slice raw, struct arena *arena,
                                unsigned *flags)
{
    struct buf utf8 = BUF_INIT(raw.len * 3 + 16);
    text_decode(decoder, raw, &utf8, flags);
    if (buf_failed(&utf8))
        *flags |= TEXT_IS_BAD;
    struct slice text = arena_dup(arena, buf_slice(&utf8));
    buf_free(&utf8);
    return text;
}

static const char *decode_fields(struct form_body *form, enum text_encoding encoding, struct arena *arena)
{
    struct err err;
    struct text_decoder *decoder = text_decoder_new(encoding, &err);
    unsigned flags = 0;
    if (decoder == NULL)
        return "form.memory";
    for (size_t i = 0; i < form->count; i++) {
        form->fields[i].name = decode_text(decoder, form->fields[i].name, arena, &flags);
        form->fields[i].value = decode_text(decoder, form->fields[i].value, arena, &flags);
    }
    text_decoder_free(&decoder);
    return flags & TEXT_IS_BAD ? "form.encoding" : NULL;
}

/* What the sender says, when it is one we know and not UTF-8 (which is checked, not believed). */
static bool charset_said(struct slice label, enum text_encoding *encoding)
{
    if (slice_eq_nocase(label, SLICE("iso-8859-1")) || slice_eq_nocase(label, SLICE("latin1"))) {
        *encoding = TEXT_WINDOWS_1252;
        return true;
    }
    return text_encoding_parse(label, encoding) && *encoding != TEXT_UTF8 && text_unit_bytes(*encoding) == 1;
}

static const char *to_utf8(struct slice content_type, struct form_body *form, struct arena *arena)
{
    struct slice label = header_parameter(arena, content_type, "charset");
    enum text_encoding encoding = TEXT_GB18030;
    if (label.len == 0)
        label = form_value(form, "_charset_");
    bool said = charset_said(slice_trim(label), &encoding);
    if (!said && is_all_utf8(form))
        return NULL;
    return decode_fields(form, encoding, arena);
}

static const char *parse_json_bytes(struct slice body, struct arena *arena, struct form_body *form)
{
    form->is_json = true;
    if (!utf8_valid(body)) {
        struct err err;
        unsigned flags = 0;
        struct text_decoder *decoder = text_decoder_new(TEXT_GB18030, &err);
        if (decoder == NULL)
            return "form.memory";
        body = decode_text(decoder, body, arena, &flags);
        text_decoder_free(&decoder);
        if (flags & TEXT_IS_BAD)
            return "form.encoding";
    }
    return form_parse_json(body, arena, form);
}

const char *form_body_parse(struct slice content_type, struct slice body, struct arena *arena,
                            struct form_body *form)
{
    ptrdiff_t semicolon = slice_find_byte(content_type, ';');
    struct slice type =
        slice_trim(slice_sub(content_type, 0, semicolon < 0 ? content_type.len : (size_t)semicolon));
    bool looks_json = slice_starts(slice_trim(body), SLICE("{"));
    const char *code;
    *form = (struct form_body){.fields = ARENA_ARRAY(arena, struct form_field, FORM_FIELDS_MAX)};
    if (form->fields == NULL)
        return "form.memory";
    if (slice_eq_nocase(type, SLICE("application/json")) || slice_ends(type, SLICE("+json")) ||
        (looks_json && (type.len == 0 || slice_eq_nocase(type, SLICE("text/plain"))))) {
        code = parse_json_bytes(body, arena, form);
    } else if (slice_eq_nocase(type, SLICE("multipart/form-data"))) {
        code = form_parse_multipart(content_type, body, arena, form);
        code = code ? code : to_utf8(content_type, form, arena);
    } else if (slice_eq_nocase(type, SLICE("application/x-www-form-urlencoded")) || type.len == 0) {
        code = form_parse_urlencoded(body, arena, form);
        code = code ? code : to_utf8(content_type, form, arena);
    } else {
        return "form.content_type";
    }
    if (code == NULL && arena_failed(arena))
        code = "form.memory";
    return code ? code : has_nul(form) ? "form.nul" : NULL;
}
