/* push_util.c - see push_util.h. */
#include "connectors/push_util.h"

struct slice push_header(const struct push_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (slice_eq_nocase(request->headers[i].name, slice_str(name)))
            return slice_trim(request->headers[i].value);
    }
    return SLICE_EMPTY;
}

static bool is_header_text(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return true;
}

bool push_reply_header(struct push_reply *reply, struct slice name, struct slice value)
{
    size_t room = sizeof(reply->headers) / sizeof(reply->headers[0]);
    if (reply->header_count == room || !is_header_text(name) || !is_header_text(value))
        return false;
    reply->headers[reply->header_count++] = (struct http_header){name, value};
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

struct slice percent_decode(struct arena *arena, struct slice text, bool plus_is_space)
{
    bool plain = slice_find_byte(text, '%') < 0 && (!plus_is_space || slice_find_byte(text, '+') < 0);
    if (plain)
        return text;
    char *out = arena_alloc(arena, text.len);
    if (out == NULL)
        return SLICE_EMPTY;
    size_t length = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%' && i + 2 < text.len && hex_digit(text.ptr[i + 1]) >= 0 &&
            hex_digit(text.ptr[i + 2]) >= 0) {
            c = (char)(hex_digit(text.ptr[i + 1]) * 16 + hex_digit(text.ptr[i + 2]));
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[length++] = c;
    }
    return slice_of(out, length);
}

void percent_encode(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain)
            buf_put_byte(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

bool query_next(struct slice *rest, struct slice *name, struct slice *value)
{
    while (rest->len > 0) {
        ptrdiff_t end = slice_find_byte(*rest, '&');
        struct slice piece = slice_sub(*rest, 0, end < 0 ? rest->len : (size_t)end);
        *rest = slice_sub(*rest, piece.len + 1, rest->len);
        if (piece.len == 0)
            continue;
        ptrdiff_t equals = slice_find_byte(piece, '=');
        *name = slice_sub(piece, 0, equals < 0 ? piece.len : (size_t)equals);
        *value = equals < 0 ? SLICE_EMPTY : slice_sub(piece, (size_t)equals + 1, piece.len);
        return true;
    }
    return false;
}

struct slice query_param(struct arena *arena, struct slice query, const char *name)
{
    struct slice piece_name, value;
    while (query_next(&query, &piece_name, &value)) {
        if (slice_is(percent_decode(arena, piece_name, true), name))
            return percent_decode(arena, value, true);
    }
    return SLICE_EMPTY;
}

void put_html(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '&':
            buf_put_str(out, "&amp;");
            break;
        case '<':
            buf_put_str(out, "&lt;");
            break;
        case '>':
            buf_put_str(out, "&gt;");
            break;
        case '"':
            buf_put_str(out, "&quot;");
            break;
        case '\'':
            buf_put_str(out, "&#39;");
            break;
        default:
            buf_put_byte(out, (uint8_t)text.ptr[i]);
        }
    }
}

static void reply_with(struct push_reply *reply, unsigned status, struct slice content_type,
                       struct arena *arena, const struct buf *body)
{
    reply->status = status;
    reply->content_type = content_type;
    reply->body = arena_dup(arena, buf_slice(body));
    if (buf_failed(body) || (reply->body.len == 0 && body->len > 0)) {
        reply->status = 503;
        reply->body = SLICE_EMPTY;
    }
}

void push_reply_json(struct push_reply *reply, unsigned status, struct arena *arena, const struct buf *json)
{
    reply_with(reply, status, SLICE("application/json; charset=utf-8"), arena, json);
}

void push_reply_html(struct push_reply *reply, unsigned status, struct arena *arena, const struct buf *html)
{
    reply_with(reply, status, SLICE("text/html; charset=utf-8"), arena, html);
}
