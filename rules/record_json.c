/* record_json.c - see record_json.h. Strings are decoded in place in one copy of the text. */
#include "rules/record_json.h"

#include "daemon/base/utf8.h"

#include <stdlib.h>

static const char *const kind_names[] = {[KIND_PERSON] = "person", [KIND_COMPANY] = "company"};
static const char *const outcome_names[] = {"ok", "reject", "quarantine", "suppress"};
static const char *const severity_names[] = {"warn", "quarantine", "reject"};

static void put_string(struct buf *out, struct slice text)
{
    bool plain = true;
    unsigned char high = 0;
    for (size_t i = 0; i < text.len && plain; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        high |= byte;
        plain = byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f;
    }
    if (!plain || ((high & 0x80) && !utf8_valid(text))) {
        buf_put_json(out, text);
        return;
    }
    char *room = buf_reserve(out, text.len + 2);
    if (room == NULL)
        return;
    room[0] = '"';
    if (text.len)
        memcpy(room + 1, text.ptr, text.len);
    room[text.len + 1] = '"';
    out->len += text.len + 2;
}

static void put_number(struct buf *out, unsigned value)
{
    char digits[16];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_put(out, digits + at, sizeof(digits) - at);
}

static void put_values(const struct schema *schema, const struct clean_record *clean,
                       struct buf *out)
{
    buf_put_str(out, ",\"v\":[");
    for (size_t i = 0; i < clean->value_count; i++) {
        const struct clean_value *value = &clean->values[i];
        buf_put_str(out, i ? ",[\"" : "[\"");
        buf_put_str(out, schema->fields[value->field].name);
        buf_put_str(out, "\",");
        put_number(out, value->flags);
        buf_put_str(out, ",");
        put_string(out, value->value);
        if (value->original.len) {
            buf_put_str(out, ",");
            put_string(out, value->original);
        }
        buf_put_str(out, "]");
    }
    buf_put_str(out, "]");
}

static void put_issues(const struct schema *schema, const struct clean_record *clean,
                       struct buf *out)
{
    buf_put_str(out, ",\"i\":[");
    for (size_t i = 0; i < clean->issue_count; i++) {
        const struct issue *issue = &clean->issues[i];
        const char *field = issue->field < schema->count ? schema->fields[issue->field].name : "";
        buf_put_str(out, i ? ",[" : "[");
        put_string(out, slice_str(severity_names[issue->severity]));
        buf_put_str(out, ",");
        put_string(out, slice_str(issue->code));
        buf_put_str(out, ",");
        put_string(out, slice_str(field));
        buf_put_str(out, ",");
        put_string(out, issue->param);
        buf_put_str(out, "]");
    }
    buf_put_str(out, "]");
}

void clean_record_to_json(const struct schema *schema, const struct clean_record *clean,
                          struct buf *out)
{
    buf_put_str(out,
                clean->kind == KIND_COMPANY ? "{\"kind\":\"company\"" : "{\"kind\":\"person\"");
    if (clean->outcome != CLEAN_OK) {
        buf_put_str(out, ",\"outcome\":");
        put_string(out, slice_str(outcome_names[clean->outcome]));
    }
    put_values(schema, clean, out);
    if (clean->extra_count) {
        buf_put_str(out, ",\"x\":[");
        for (size_t i = 0; i < clean->extra_count; i++) {
            buf_put_str(out, i ? ",[" : "[");
            put_string(out, clean->extras[i].name);
            buf_put_str(out, ",");
            put_string(out, clean->extras[i].value);
            buf_put_str(out, "]");
        }
        buf_put_str(out, "]");
    }
    if (clean->issue_count)
        put_issues(schema, clean, out);
    buf_put_str(out, "}");
}

/* -- reading -- */

struct reader {
    const struct schema *schema;
    struct arena *arena;
    char *at;
    char *end;           /* a NUL stands there, so one byte may be looked at without a check */
    uint16_t field_hint; /* values come in schema order: look from the last hit on */
    bool unsorted;
    size_t value_count, extra_count, issue_count;
    struct clean_value values[VALUES_MAX];
    struct extra_value extras[VALUES_MAX];
    struct issue issues[ISSUES_MAX];
};

static void skip_space(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t' || *reader->at == '\r')
        reader->at++;
}

static bool take(struct reader *reader, char byte)
{
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != byte)
        return false;
    reader->at++;
    return true;
}

/* After an element: true when another follows, false at the closing bracket or on an error (*ok).
 */
static bool take_more(struct reader *reader, char close, bool *ok)
{
    skip_space(reader);
    char byte = *reader->at;
    if (reader->at < reader->end && (byte == ',' || byte == close)) {
        reader->at++;
        return byte == ',';
    }
    *ok = false;
    return false;
}

static bool read_hex4(struct reader *reader, uint32_t *value)
{
    if (reader->end - reader->at < 4)
        return false;
    *value = 0;
    for (int i = 0; i < 4; i++) {
        char byte = *reader->at++;
        uint32_t digit;
        if (byte >= '0' && byte <= '9')
            digit = (uint32_t)(byte - '0');
        else if (byte >= 'a' && byte <= 'f')
            digit = (uint32_t)(byte - 'a') + 10;
        else if (byte >= 'A' && byte <= 'F')
            digit = (uint32_t)(byte - 'A') + 10;
        else
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

/* After "\u". A pair of surrogates is one character. */
static bool read_unicode_escape(struct reader *reader, char **out)
{
    uint32_t code, low;
    if (!read_hex4(reader, &code) || code == 0)
        return false;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return false;
        reader->at += 2;
        if (!read_hex4(reader, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    char encoded[4];
    size_t width = utf8_encode(code, encoded);
    memcpy(*out, encoded, width);
    *out += width;
    return width != 0;
}

static bool read_escape(struct reader *reader, char **out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    char byte = *reader->at++;
    if (byte == 'u')
        return read_unicode_escape(reader, out);
    const char *found = byte ? strchr(from, byte) : NULL;
    if (found == NULL)
        return false;
    *(*out)++ = to[found - from];
    return true;
}

/* Decodes over the text itself: what is written is never longer than what was read. */
static bool read_string(struct reader *reader, struct slice *text)
{
    if (!take(reader, '"'))
        return false;
    char *start = reader->at, *out = start;
    for (;;) {
        unsigned char byte = (unsigned char)*reader->at;
        if (reader->at >= reader->end || byte < 0x20)
            return false;
        reader->at++;
        if (byte == '"')
            break;
        if (byte != '\\')
            *out++ = (char)byte;
        else if (reader->at >= reader->end || !read_escape(reader, &out))
            return false;
    }
    *text = slice_of(start, (size_t)(out - start));
    return true;
}

static bool read_flags(struct reader *reader, uint16_t *flags)
{
    skip_space(reader);
    uint32_t value = 0;
    size_t digits = 0;
    while (*reader->at >= '0' && *reader->at <= '9' && digits++ < 5)
        value = value * 10 + (uint32_t)(*reader->at++ - '0');
    *flags = (uint16_t)value;
    return digits > 0 && value <= UINT16_MAX;
}

static uint16_t find_field(struct reader *reader, struct slice name)
{
    const struct schema *schema = reader->schema;
    for (size_t i = 0; i < schema->count; i++) {
        size_t id = reader->field_hint + i;
        if (id >= schema->count)
            id -= schema->count;
        const char *known = schema->fields[id].name;
        if (strncmp(known, name.ptr, name.len) == 0 && known[name.len] == '\0') {
            reader->field_hint = (uint16_t)id;
            return (uint16_t)id;
        }
    }
    return FIELD_NONE;
}

static bool add_extra(struct reader *reader, struct slice name, struct slice value)
{
    if (reader->extra_count == VALUES_MAX)
        return false;
    reader->extras[reader->extra_count++] = (struct extra_value){name, value};
    return true;
}

static bool read_value(struct reader *reader)
{
    struct slice name, text, original = SLICE_EMPTY;
    uint16_t flags;
    bool ok = true;
    if (!take(reader, '[') || !read_string(reader, &name) || !take(reader, ',') ||
        !read_flags(reader, &flags) || !take(reader, ',') || !read_string(reader, &text))
        return false;
    if (take_more(reader, ']', &ok) && (!read_string(reader, &original) || !take(reader, ']')))
        return false;
    if (!ok)
        return false;
    uint16_t field = find_field(reader, name);
    if (field == FIELD_NONE)
        return add_extra(reader, name, text);
    if (reader->value_count == VALUES_MAX)
        return false;
    if (reader->value_count && reader->values[reader->value_count - 1].field > field)
        reader->unsorted = true;
    reader->values[reader->value_count++] =
        (struct clean_value){.field = field, .flags = flags, .value = text, .original = original};
    return true;
}

static bool read_extra(struct reader *reader)
{
    struct slice name, value;
    return take(reader, '[') && read_string(reader, &name) && take(reader, ',') &&
           read_string(reader, &value) && take(reader, ']') && add_extra(reader, name, value);
}

static bool name_index(struct slice name, const char *const *names, size_t count, unsigned *index)
{
    for (unsigned i = 0; i < count; i++) {
        if (names[i] && slice_is(name, names[i])) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool read_issue(struct reader *reader)
{
    struct slice severity, code, field, param;
    unsigned index;
    if (!take(reader, '[') || !read_string(reader, &severity) || !take(reader, ',') ||
        !read_string(reader, &code) || !take(reader, ',') || !read_string(reader, &field) ||
        !take(reader, ',') || !read_string(reader, &param) || !take(reader, ']') ||
        !name_index(severity, severity_names, 3, &index) || reader->issue_count == ISSUES_MAX)
        return false;
    reader->issues[reader->issue_count++] =
        (struct issue){.severity = (enum issue_severity)index,
                       .code = arena_str(reader->arena, code),
                       .field = field.len ? find_field(reader, field) : FIELD_NONE,
                       .param = param};
    return true;
}

static bool read_list(struct reader *reader, bool (*element)(struct reader *))
{
    if (!take(reader, '['))
        return false;
    if (take(reader, ']'))
        return true;
    bool ok = true;
    do {
        if (!element(reader))
            return false;
    } while (take_more(reader, ']', &ok));
    return ok;
}

static bool read_member(struct reader *reader, struct clean_record *clean, unsigned *seen)
{
    static const char *const keys[] = {"kind", "v", "x", "i", "outcome"};
    struct slice key, text;
    unsigned which, index;
    if (!read_string(reader, &key) || !take(reader, ':') || !name_index(key, keys, 5, &which) ||
        (*seen & 1u << which))
        return false;
    *seen |= 1u << which;
    switch (which) {
    case 1:
        return read_list(reader, read_value);
    case 2:
        return read_list(reader, read_extra);
    case 3:
        return read_list(reader, read_issue);
    default:
        break;
    }
    if (!read_string(reader, &text))
        return false;
    if (which == 0) {
        if (!name_index(text, kind_names, 3, &index))
            return false;
        clean->kind = (enum record_kind)index;
    } else {
        if (!name_index(text, outcome_names, 4, &index))
            return false;
        clean->outcome = (enum clean_outcome)index;
    }
    return true;
}

static int compare_values(const void *a, const void *b)
{
    const struct clean_value *left = a, *right = b;
    if (left->field != right->field)
        return left->field < right->field ? -1 : 1;
    return slice_cmp(left->value, right->value);
}

static bool keep(struct reader *reader, struct clean_record *clean)
{
    if (reader->unsorted)
        qsort(reader->values, reader->value_count, sizeof(reader->values[0]), compare_values);
    struct clean_value *values =
        ARENA_ARRAY(reader->arena, struct clean_value, reader->value_count);
    struct extra_value *extras =
        ARENA_ARRAY(reader->arena, struct extra_value, reader->extra_count);
    struct issue *issues = ARENA_ARRAY(reader->arena, struct issue, reader->issue_count);
    if (arena_failed(reader->arena))
        return false;
    memcpy(values, reader->values, reader->value_count * sizeof(*values));
    memcpy(extras, reader->extras, reader->extra_count * sizeof(*extras));
    memcpy(issues, reader->issues, reader->issue_count * sizeof(*issues));
    clean->value_count = reader->value_count;
    clean->values = values;
    clean->extra_count = reader->extra_count;
    clean->extras = extras;
    clean->issue_count = reader->issue_count;
    clean->issues = issues;
    return true;
}

bool clean_record_from_json(const struct schema *schema, struct slice json, struct arena *arena,
                            struct clean_record *clean)
{
    struct slice copy = arena_dup(arena, json);
    if (arena_failed(arena) || !utf8_valid(copy))
        return false;
    struct reader reader; /* 50 KB: only what the counts cover is ever read */
    reader.schema = schema;
    reader.arena = arena;
    reader.at = (char *)(uintptr_t)copy.ptr;
    reader.end = reader.at + copy.len;
    reader.field_hint = 0;
    reader.unsorted = false;
    reader.value_count = reader.extra_count = reader.issue_count = 0;

    *clean = (struct clean_record){.outcome = CLEAN_OK};
    unsigned seen = 0;
    bool ok = true;
    if (!take(&reader, '{'))
        return false;
    do {
        if (!read_member(&reader, clean, &seen))
            return false;
    } while (take_more(&reader, '}', &ok));
    skip_space(&reader);
    if (!ok || reader.at != reader.end || !(seen & 1u))
        return false;
    return keep(&reader, clean);
}
