/* http_reply.c - replies and the headers that every reply has. */
#include "daemon/http/http_internal.h"

#include <stdlib.h>

#include "connectors/push_page.h"

const char *http_status_text(unsigned status)
{
    switch (status) {
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Error";
    }
}

void http_error(struct http_exchange *exchange, unsigned status, const char *code)
{
    exchange->reply = (struct push_reply){0};
    push_reply_code(&exchange->reply, &exchange->request, status, code, exchange->arena);
}

static bool has_header(const struct push_reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->header_count; i++) {
        if (slice_eq_nocase(reply->headers[i].name, slice_str(name)))
            return true;
    }
    return false;
}

static void add_header(struct exchange *exchange, struct MHD_Response *response, struct slice name,
                       struct slice value)
{
    (void)MHD_add_response_header(response, arena_str(exchange->open.arena, name),
                                  arena_str(exchange->open.arena, value));
}

static const char *const safety_headers[][2] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; "
                                "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"},
};
#define SAFETY_HEADERS (sizeof(safety_headers) / sizeof(safety_headers[0]))

static void add_safety_headers(const struct push_reply *reply, struct MHD_Response *response)
{
    for (size_t i = 0; i < SAFETY_HEADERS; i++) {
        if (!has_header(reply, safety_headers[i][0]))
            (void)MHD_add_response_header(response, safety_headers[i][0], safety_headers[i][1]);
    }
}

void http_send_early(struct exchange *exchange)
{
    const struct push_reply *reply = &exchange->open.reply;
    struct buf out = BUF_INIT(HTTP_REPLY_ARENA_MAX_BYTES);
    buf_printf(&out, "HTTP/1.1 %u %s\r\nContent-Length: %zu\r\nConnection: close\r\n", reply->status,
               MHD_get_reason_phrase_for(reply->status), reply->body.len);
    if (reply->content_type.len > 0)
        buf_printf(&out, "Content-Type: " SLICE_FMT "\r\n", SLICE_ARG(reply->content_type));
    for (size_t i = 0; i < reply->header_count; i++)
        buf_printf(&out, SLICE_FMT ": " SLICE_FMT "\r\n", SLICE_ARG(reply->headers[i].name),
                   SLICE_ARG(reply->headers[i].value));
    for (size_t i = 0; i < SAFETY_HEADERS; i++) {
        if (!has_header(reply, safety_headers[i][0]))
            buf_printf(&out, "%s: %s\r\n", safety_headers[i][0], safety_headers[i][1]);
    }
    buf_put_str(&out, "\r\n");
    buf_put_slice(&out, reply->body);
    if (buf_failed(&out))
        http_cut(exchange->server, exchange->connection, 503);
    else
        http_cut_with(exchange->server, exchange->connection, reply->status, buf_slice(&out));
    buf_free(&out);
}

enum MHD_Result http_send(struct exchange *exchange, bool close)
{
    struct push_reply *reply = &exchange->open.reply;
    struct http_server *server = exchange->server;
    if (reply->status < 200 || reply->status > 599)
        reply->status = 500;
    struct MHD_Response *response = MHD_create_response_from_buffer(
        reply->body.len, (void *)(uintptr_t)reply->body.ptr, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    if (reply->content_type.len > 0)
        add_header(exchange, response, SLICE("Content-Type"), reply->content_type);
    for (size_t i = 0; i < reply->header_count; i++)
        add_header(exchange, response, reply->headers[i].name, reply->headers[i].value);
    add_safety_headers(reply, response);
    if (close)
        (void)MHD_add_response_header(response, "Connection", "close");
    atomic_fetch_add(&server->replies[reply->status / 100], 1);
    http_phase(server, exchange->connection, PHASE_REPLY);
    enum MHD_Result result = MHD_queue_response(exchange->mhd, reply->status, response);
    MHD_destroy_response(response);
    return result;
}
