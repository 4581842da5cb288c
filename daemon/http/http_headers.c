/* http_headers.c - the head of a request, read strictly: what could be understood in two ways is refused. */
#include "daemon/http/http_internal.h"

#include "connectors/push_util.h"
#include "daemon/base/utf8.h"

static enum MHD_Result take_header(void *data, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    struct exchange *exchange = data;
    struct push_request *request = &exchange->open.request;
    (void)kind;
    if (request->header_count == HEADERS_MAX) {
        exchange->too_many_headers = true;
        return MHD_NO;
    }
    exchange->headers[request->header_count++] =
        (struct http_header){slice_of(name, name_len), slice_of(value, value_len)};
    return MHD_YES;
}

static size_t count_headers(const struct push_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += slice_eq_nocase(request->headers[i].name, slice_str(name));
    return count;
}

/* A name that is not a token (a space before the colon) means different things to different proxies. */
static bool names_are_tokens(const struct push_request *request)
{
    for (size_t i = 0; i < request->header_count; i++) {
        struct slice name = request->headers[i].name;
        if (name.len == 0)
            return false;
        for (size_t j = 0; j < name.len; j++) {
            unsigned char c = (unsigned char)name.ptr[j];
            if (c <= ' ' || c >= 127 || strchr("\"(),/:;<=>?@[\\]{}", c))
                return false;
        }
        struct slice value = request->headers[i].value;
        if (value.len > 0 && memchr(value.ptr, '\0', value.len))
            return false;
    }
    return true;
}

static bool refuse(struct exchange *exchange, unsigned status, const char *code)
{
    http_error(&exchange->open, status, code);
    return false;
}

static bool check_framing(struct exchange *exchange)
{
    const struct push_request *request = &exchange->open.request;
    size_t lengths = count_headers(request, "Content-Length");
    size_t codings = count_headers(request, "Transfer-Encoding");
    if (exchange->too_many_headers)
        return refuse(exchange, 431, "http.too_many_headers");
    if (lengths > 1 || codings > 1 || (lengths && codings) || count_headers(request, "Host") > 1 ||
        !names_are_tokens(request))
        return refuse(exchange, 400, "http.ambiguous");
    if (codings && !slice_eq_nocase(push_header(request, "Transfer-Encoding"), SLICE("chunked")))
        return refuse(exchange, 501, "http.transfer_encoding");
    struct slice encoding = push_header(request, "Content-Encoding");
    if (encoding.len > 0 && !slice_eq_nocase(encoding, SLICE("identity")))
        return refuse(exchange, 415, "http.content_encoding");
    struct slice length_text = push_header(request, "Content-Length");
    int64_t length = 0;
    if (lengths && (!slice_to_int64(length_text, &length) || length < 0 || length_text.ptr[0] == '+'))
        return refuse(exchange, 400, "http.content_length");
    return true;
}

static bool read_target(struct exchange *exchange)
{
    struct push_request *request = &exchange->open.request;
    struct slice uri = slice_str(exchange->uri);
    if (exchange->uri_too_long)
        return refuse(exchange, 414, "http.uri_too_long");
    /* absolute form: http://host/path */
    if (slice_starts(uri, SLICE("http://")) || slice_starts(uri, SLICE("https://"))) {
        size_t host = slice_starts(uri, SLICE("http://")) ? 7 : 8;
        ptrdiff_t slash = slice_find_byte(slice_sub(uri, host, uri.len), '/');
        uri = slash < 0 ? SLICE("/") : slice_sub(uri, host + (size_t)slash, uri.len);
    }
    if (uri.len == 0 || uri.ptr[0] != '/')
        return refuse(exchange, 400, "http.target");
    ptrdiff_t mark = slice_find_byte(uri, '?');
    struct slice path = mark < 0 ? uri : slice_sub(uri, 0, (size_t)mark);
    request->query = mark < 0 ? SLICE_EMPTY : slice_sub(uri, (size_t)mark + 1, uri.len);
    request->path = percent_decode(exchange->open.arena, path, false);
    if (!utf8_valid(request->path))
        return refuse(exchange, 400, "http.target");
    for (size_t i = 0; i < request->path.len; i++) {
        if ((unsigned char)request->path.ptr[i] < ' ' || request->path.ptr[i] == 127)
            return refuse(exchange, 400, "http.target");
    }
    return true;
}

static bool is_host_text(struct slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              strchr(".-_:[]", c)) || c == '\0')
            return false;
    }
    return host.len > 0 && host.len < 256;
}

static void set_base_url(struct exchange *exchange, bool peer_is_proxy)
{
    struct push_request *request = &exchange->open.request;
    const char *configured = exchange->server->base_url;
    request->base_url = slice_str(configured);
    struct slice host = push_header(request, "Host");
    if (request->base_url.len > 0 || !is_host_text(host))
        return;
    struct slice protocol = push_header(request, "X-Forwarded-Proto");
    bool tls = peer_is_proxy && slice_eq_nocase(protocol, SLICE("https"));
    request->base_url = arena_printf(exchange->open.arena, "%s://" SLICE_FMT, tls ? "https" : "http",
                                     SLICE_ARG(host));
}

bool http_read_head(struct exchange *exchange, const char *method)
{
    struct http_server *server = exchange->server;
    struct http_exchange *open = &exchange->open;
    struct push_request *request = &open->request;
    request->method = slice_str(method);
    request->headers = exchange->headers;
    request->received_us = clock_wall_us(server->settings.clock);
    (void)MHD_get_connection_values_n(exchange->mhd, MHD_HEADER_KIND, take_header, exchange);
    open->peer = exchange->connection->peer;
    open->client = forwarded_client(&open->peer, request->headers, request->header_count,
                                    server->proxies, server->proxy_count);
    char *text = arena_alloc(open->arena, ADDRESS_TEXT_MAX);
    if (text == NULL)
        return refuse(exchange, 503, "http.busy");
    ip_format(&open->client, text);
    request->client_ip = slice_str(text);
    set_base_url(exchange, ip_in(&open->peer, server->proxies, server->proxy_count));
    if (!check_framing(exchange) || !read_target(exchange))
        return false;
    if (slice_is(request->method, "TRACE") || slice_is(request->method, "CONNECT"))
        return refuse(exchange, 405, "http.method");
    return true;
}
