/* json_scan.c - see json_scan.h. */
#include "connectors/json_scan.h"

#include "daemon/base/utf8.h"

/* --- checking --- */

struct check {
    const char *p, *end;
};

static void skip_space(const char **p, const char *end)
{
    while (*p < end && (**p == ' ' || **p == '\n' || **p == '\r' || **p == '\t'))
        (*p)++;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool check_escape(struct check *c)
{
    c->p++;
    if (c->p == c->end)
        return false;
    if (*c->p == 'u') {
        for (int i = 1; i <= 4; i++) {
            if (c->p + i >= c->end || !is_hex(c->p[i]))
                return false;
        }
        c->p += 5;
        return true;
    }
    if (*c->p == '\0' || strchr("\"\\/bfnrt", *c->p) == NULL)
        return false;
    c->p++;
    return true;
}

static bool check_string(struct check *c)
{
    c->p++;
    while (c->p < c->end) {
        unsigned char byte = (unsigned char)*c->p;
        if (byte == '"') {
            c->p++;
            return true;
        }
        if (byte < 0x20)
            return false;
        if (byte == '\\') {
            if (!check_escape(c))
                return false;
        } else if (byte < 0x80) {
            c->p++;
        } else {
            size_t width = utf8_valid_width(slice_of(c->p, (size_t)(c->end - c->p)));
            if (width == 0)
                return false;
            c->p += width;
        }
    }
    return false;
}

static bool check_digits(struct check *c)
{
    const char *start = c->p;
    while (c->p < c->end && is_digit(*c->p))
        c->p++;
    return c->p > start;
}

static bool check_number(struct check *c)
{
    if (*c->p == '-')
        c->p++;
    bool zero = c->p < c->end && *c->p == '0';
    const char *start = c->p;
    if (!check_digits(c) || (zero && c->p > start + 1))
        return false;
    if (c->p < c->end && *c->p == '.') {
        c->p++;
        if (!check_digits(c))
            return false;
    }
    if (c->p < c->end && (*c->p == 'e' || *c->p == 'E')) {
        c->p++;
        if (c->p < c->end && (*c->p == '+' || *c->p == '-'))
            c->p++;
        return check_digits(c);
    }
    return true;
}

static bool check_word(struct check *c, struct slice word)
{
    if (!slice_starts(slice_of(c->p, (size_t)(c->end - c->p)), word))
        return false;
    c->p += word.len;
    return true;
}

static bool check_scalar(struct check *c)
{
    switch (*c->p) {
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, SLICE("true"));
    case 'f':
        return check_word(c, SLICE("false"));
    case 'n':
        return check_word(c, SLICE("null"));
    default:
        return (*c->p == '-' || is_digit(*c->p)) && check_number(c);
    }
}

static bool check_key(struct check *c)
{
    skip_space(&c->p, c->end);
    if (c->p == c->end || *c->p != '"' || !check_string(c))
        return false;
    skip_space(&c->p, c->end);
    if (c->p == c->end || *c->p != ':')
        return false;
    c->p++;
    return true;
}

/* After a value: closes what ends here, steps over a comma. False: wrong. *done: the document is
 * complete. */
static bool check_after(struct check *c, char *stack, size_t *depth, bool *done)
{
    for (;;) {
        *done = *depth == 0;
        if (*done)
            return true;
        skip_space(&c->p, c->end);
        if (c->p == c->end)
            return false;
        bool object = stack[*depth - 1] == '{';
        if (*c->p == ',') {
            c->p++;
            return !object || check_key(c);
        }
        if (*c->p != (object ? '}' : ']'))
            return false;
        c->p++;
        (*depth)--;
    }
}

/* A value begins at c->p. Without recursion, so that depth costs one byte. */
static bool check_value(struct check *c)
{
    char stack[JSON_SCAN_DEPTH_MAX];
    size_t depth = 0;
    for (bool done = false; !done;) {
        skip_space(&c->p, c->end);
        if (c->p == c->end)
            return false;
        char first = *c->p;
        if (first == '{' || first == '[') {
            if (depth == JSON_SCAN_DEPTH_MAX)
                return false;
            stack[depth++] = first;
            c->p++;
            skip_space(&c->p, c->end);
            if (c->p == c->end)
                return false;
            if (*c->p != (first == '{' ? '}' : ']')) {
                if (first == '{' && !check_key(c))
                    return false;
                continue;
            }
            c->p++;
            depth--;
        } else if (!check_scalar(c)) {
            return false;
        }
        if (!check_after(c, stack, &depth, &done))
            return false;
    }
    return true;
}

bool json_scan_check(struct slice document, size_t *where)
{
    struct check c = {document.ptr, document.ptr + document.len};
    bool good = check_value(&c);
    if (good) {
        skip_space(&c.p, c.end);
        good = c.p == c.end;
    }
    *where = (size_t)(c.p - document.ptr);
    return good;
}

/* --- looking (at what was checked) --- */

struct slice json_scan_value(struct slice document)
{
    return slice_trim(document);
}

enum json_scan_kind json_scan_kind(struct slice value)
{
    if (value.len == 0)
        return JSON_SCAN_NONE;
    switch (value.ptr[0]) {
    case '{':
        return JSON_SCAN_OBJECT;
    case '[':
        return JSON_SCAN_ARRAY;
    case '"':
        return JSON_SCAN_STRING;
    case 't':
        return JSON_SCAN_TRUE;
    case 'f':
        return JSON_SCAN_FALSE;
    case 'n':
        return JSON_SCAN_NULL;
    default:
        return JSON_SCAN_NUMBER;
    }
}

static const char *after_string(const char *p, const char *end)
{
    for (p++; p < end && *p != '"'; p++)
        p += *p == '\\';
    return p < end ? p + 1 : end;
}

static const char *after_value(const char *p, const char *end)
{
    size_t depth = 0;
    if (p < end && *p != '{' && *p != '[' && *p != '"') {
        while (p < end && strchr(",]} \t\r\n", *p) == NULL)
            p++;
        return p;
    }
    while (p < end) {
        if (*p == '"') {
            p = after_string(p, end);
        } else {
            depth += *p == '{' || *p == '[';
            depth -= *p == '}' || *p == ']';
            p++;
        }
        if (depth == 0)
            return p;
    }
    return end;
}

struct json_scan_walk json_scan_walk(struct slice value)
{
    enum json_scan_kind kind = json_scan_kind(value);
    if (kind != JSON_SCAN_OBJECT && kind != JSON_SCAN_ARRAY)
        return (struct json_scan_walk){"", ""};
    return (struct json_scan_walk){value.ptr, value.ptr + value.len};
}

bool json_scan_next(struct json_scan_walk *walk, struct slice *key, struct slice *value)
{
    const char *p = walk->p, *end = walk->end;
    if (p >= end)
        return false;
    bool first = *p == '{' || *p == '[';
    bool object = end[-1] == '}';
    p += first;
    skip_space(&p, end);
    if (!first && p < end && *p == ',') {
        p++;
        skip_space(&p, end);
    }
    if (p >= end - 1) { /* at the closing bracket */
        walk->p = end;
        return false;
    }
    *key = SLICE_EMPTY;
    if (object) {
        const char *after = after_string(p, end);
        *key = slice_of(p + 1, (size_t)(after - p) - 2);
        p = after;
        skip_space(&p, end);
        p += p < end; /* the colon */
        skip_space(&p, end);
    }
    const char *after = after_value(p, end);
    *value = slice_of(p, (size_t)(after - p));
    skip_space(&after, end);
    walk->p = after;
    return true;
}

static bool key_is(struct slice raw, struct slice key)
{
    if (slice_find_byte(raw, '\\') < 0)
        return slice_eq(raw, key);
    struct arena *arena = arena_new(raw.len + 8192);
    if (arena == NULL)
        return false;
    enum json_scan_flaw flaw = JSON_SCAN_FINE;
    struct slice quoted = slice_of(raw.ptr - 1, raw.len + 2);
    bool same = slice_eq(json_scan_string(quoted, arena, &flaw), key);
    arena_free(&arena);
    return same;
}

struct slice json_scan_member(struct slice object, struct slice key)
{
    struct slice found = SLICE_EMPTY, name, value;
    if (json_scan_kind(object) != JSON_SCAN_OBJECT)
        return found;
    struct json_scan_walk walk = json_scan_walk(object);
    while (json_scan_next(&walk, &name, &value)) {
        if (key_is(name, key))
            found = value;
    }
    return found;
}

static uint32_t hex4(const char *p)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 32) - 'a' + 10);
    return value;
}

/* `p` is after the 'u'. Returns how many bytes were used. */
static size_t unescape_unit(const char *p, const char *end, char *out, size_t *len,
                            enum json_scan_flaw *flaw)
{
    uint32_t unit = hex4(p);
    size_t used = 4;
    if (unit >= 0xD800 && unit <= 0xDBFF && end - p >= 10 && p[4] == '\\' && p[5] == 'u') {
        uint32_t low = hex4(p + 6);
        if (low >= 0xDC00 && low <= 0xDFFF) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            used = 10;
        }
    }
    size_t width = utf8_encode(unit, out + *len);
    if (width == 0) {
        *flaw = JSON_SCAN_LONE_SURROGATE;
        memcpy(out + *len, "\xEF\xBF\xBD", 3);
        width = 3;
    }
    if (unit == 0)
        *flaw = JSON_SCAN_HAS_NUL;
    *len += width;
    return used;
}

enum json_scan_flaw json_scan_look_for_flaws(struct slice value)
{
    const char *p = value.ptr, *end = value.ptr + value.len;
    while ((p = p < end ? memchr(p, '\\', (size_t)(end - p)) : NULL) != NULL && end - p >= 2) {
        if (p[1] != 'u') {
            p += 2;
            continue;
        }
        char out[4];
        size_t len = 0;
        enum json_scan_flaw flaw = JSON_SCAN_FINE;
        p += 2 + unescape_unit(p + 2, end, out, &len, &flaw);
        if (flaw != JSON_SCAN_FINE)
            return flaw;
    }
    return JSON_SCAN_FINE;
}

struct slice json_scan_string(struct slice value, struct arena *arena, enum json_scan_flaw *flaw)
{
    if (json_scan_kind(value) != JSON_SCAN_STRING || value.len < 2)
        return SLICE_EMPTY;
    struct slice inside = slice_sub(value, 1, value.len - 1);
    if (slice_find_byte(inside, '\\') < 0)
        return inside;
    char *out =
        arena_alloc(arena, inside.len); /* unescaping never lengthens: \uXXXX is at most 3 bytes */
    if (out == NULL)
        return SLICE_EMPTY;
    size_t len = 0;
    const char *p = inside.ptr, *end = inside.ptr + inside.len;
    while (p < end) {
        if (*p != '\\') {
            out[len++] = *p++;
            continue;
        }
        static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
        const char *simple = strchr(from, p[1]);
        if (p[1] == 'u') {
            p += 2 + unescape_unit(p + 2, end, out, &len, flaw);
        } else {
            out[len++] = simple ? to[simple - from] : p[1];
            p += 2;
        }
    }
    return slice_of(out, len);
}

static struct slice joined(struct slice array, struct arena *arena, enum json_scan_flaw *flaw)
{
    struct slice text = SLICE_EMPTY, key, item;
    struct json_scan_walk walk = json_scan_walk(array);
    char *out = arena_alloc(arena, 2 * array.len); /* an item of n bytes needs at most n + 2 */
    size_t len = 0;
    while (out && json_scan_next(&walk, &key, &item)) {
        enum json_scan_kind kind = json_scan_kind(item);
        if (kind == JSON_SCAN_OBJECT || kind == JSON_SCAN_ARRAY)
            return array;
        text = json_scan_plain(item, arena, flaw);
        if (text.len == 0)
            continue;
        if (len > 0) {
            memcpy(out + len, ", ", 2);
            len += 2;
        }
        memcpy(out + len, text.ptr, text.len);
        len += text.len;
    }
    return slice_of(out, len);
}

struct slice json_scan_plain(struct slice value, struct arena *arena, enum json_scan_flaw *flaw)
{
    switch (json_scan_kind(value)) {
    case JSON_SCAN_NONE:
    case JSON_SCAN_NULL:
        return SLICE_EMPTY;
    case JSON_SCAN_STRING:
        return json_scan_string(value, arena, flaw);
    case JSON_SCAN_ARRAY:
        return joined(value, arena, flaw);
    default:
        return value;
    }
}

bool json_scan_truthy(struct slice value)
{
    struct slice key, item;
    switch (json_scan_kind(value)) {
    case JSON_SCAN_NONE:
    case JSON_SCAN_NULL:
    case JSON_SCAN_FALSE:
        return false;
    case JSON_SCAN_STRING:
        return value.len > 2;
    case JSON_SCAN_NUMBER:
        for (size_t i = 0; i < value.len && value.ptr[i] != 'e' && value.ptr[i] != 'E'; i++) {
            if (value.ptr[i] >= '1' && value.ptr[i] <= '9')
                return true;
        }
        return false;
    case JSON_SCAN_OBJECT:
    case JSON_SCAN_ARRAY: {
        struct json_scan_walk walk = json_scan_walk(value);
        return json_scan_next(&walk, &key, &item);
    }
    default:
        return true;
    }
}
