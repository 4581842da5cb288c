/*
 * http_exchange.c - one request from its first line to the end of its reply.
 *
 * libmicrohttpd calls http_access: once with the headers, once for each piece of the body, once at its end, and
 * once more after a suspended connection was resumed. The exchange is counted: libmicrohttpd holds it until
 * http_completed, the handler from HTTP_LATER until http_exchange_finish.
 */
#include "daemon/http/http_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "connectors/push_util.h"

#define BODY_START_BYTES ((size_t)4 << 10)

static void exchange_release(struct exchange *exchange)
{
    if (atomic_fetch_sub(&exchange->references, 1) > 1)
        return;
    struct http_server *server = exchange->server;
    atomic_fetch_sub(&server->body_bytes, exchange->body_capacity);
    free(exchange->body);
    arena_free(&exchange->open.arena);
    pthread_mutex_destroy(&exchange->lock);
    free(exchange);
    http_server_release(server);
}

void *http_request_begins(void *data, const char *uri, struct MHD_Connection *mhd)
{
    struct http_server *server = data;
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange == NULL)
        return NULL;
    exchange->open.arena = arena_new(HTTP_REPLY_ARENA_MAX_BYTES);
    if (exchange->open.arena == NULL) {
        free(exchange);
        return NULL;
    }
    const union MHD_ConnectionInfo *context =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    atomic_fetch_add(&server->references, 1);
    exchange->server = server;
    exchange->mhd = mhd;
    exchange->connection = context ? context->socket_context : NULL;
    exchange->open.body_max_bytes = server->settings.body_max_bytes;
    atomic_init(&exchange->references, 1);
    pthread_mutex_init(&exchange->lock, NULL);
    int length = snprintf(exchange->uri, sizeof(exchange->uri), "%s", uri);
    exchange->uri_too_long = length >= (int)sizeof(exchange->uri);
    return exchange;
}

static void count_answering(struct http_server *server, bool more)
{
    pthread_mutex_lock(&server->lock);
    if (more)
        server->answering++;
    else if (--server->answering == 0)
        pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

void http_completed(void *data, struct MHD_Connection *mhd, void **context,
                    enum MHD_RequestTerminationCode code)
{
    struct exchange *exchange = *context;
    (void)mhd;
    (void)code;
    *context = NULL;
    if (exchange == NULL)
        return;
    if (exchange->called)
        count_answering(exchange->server, false);
    http_request_ended(data, exchange->connection);
    exchange_release(exchange);
}

/* ---- the body ---- */

/* Room for `more` bytes; the total of all bodies is bounded. */
static bool body_reserve(struct exchange *exchange, size_t more)
{
    size_t needed = exchange->body_len + more, capacity = exchange->body_capacity;
    if (needed <= capacity)
        return true;
    if (capacity == 0)
        capacity = BODY_START_BYTES;
    while (capacity < needed)
        capacity *= 2;
    if (capacity > exchange->open.body_max_bytes)
        capacity = exchange->open.body_max_bytes;
    struct http_server *server = exchange->server;
    size_t growth = capacity - exchange->body_capacity;
    if (atomic_fetch_add(&server->body_bytes, growth) + growth > server->settings.bodies_max_bytes) {
        atomic_fetch_sub(&server->body_bytes, growth);
        return false;
    }
    char *body = realloc(exchange->body, capacity);
    if (body == NULL) {
        atomic_fetch_sub(&server->body_bytes, growth);
        return false;
    }
    exchange->body = body;
    exchange->body_capacity = capacity;
    return true;
}

static enum MHD_Result take_body(struct exchange *exchange, const char *piece, size_t *piece_len)
{
    size_t len = *piece_len;
    *piece_len = 0;
    if (exchange->overrun) {
        exchange->overrun_bytes += len;
        return exchange->overrun_bytes > OVERRUN_MAX_BYTES ? MHD_NO : MHD_YES;
    }
    if (len > exchange->open.body_max_bytes - exchange->body_len) {
        exchange->overrun = true;
        http_error(&exchange->open, 413, "http.body_too_large");
        http_send_early(exchange);
        return MHD_YES;
    }
    if (!body_reserve(exchange, len)) {
        exchange->overrun = true;
        http_error(&exchange->open, 503, "http.busy");
        http_send_early(exchange);
        return MHD_YES;
    }
    memcpy(exchange->body + exchange->body_len, piece, len);
    exchange->body_len += len;
    return MHD_YES;
}

/* ---- the head ---- */

static bool within_rate(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    if (server->rate == NULL)
        return true;
    unsigned wait_s = rate_limit_take(server->rate, &exchange->open.client,
                                      clock_monotonic_us(server->settings.clock));
    if (wait_s == 0)
        return true;
    atomic_fetch_add(&server->rate_limited, 1);
    http_error(&exchange->open, 429, "http.too_many_requests");
    (void)push_reply_header(&exchange->open.reply, SLICE("Retry-After"),
                            arena_printf(exchange->open.arena, "%u", wait_s));
    return false;
}

static bool has_body(const struct push_request *request)
{
    struct slice length = push_header(request, "Content-Length");
    return push_header(request, "Transfer-Encoding").len > 0 ||
           (length.len > 0 && !slice_is(length, "0"));
}

static bool admit(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    struct http_exchange *open = &exchange->open;
    if (!within_rate(exchange))
        return false;
    if (server->settings.admit && !server->settings.admit(server->settings.data, open))
        return false;
    int64_t length = 0;
    if (slice_to_int64(push_header(&open->request, "Content-Length"), &length) &&
        (uint64_t)length > open->body_max_bytes) {
        http_error(open, 413, "http.body_too_large");
        return false;
    }
    if (length > 0 &&
        atomic_load(&server->body_bytes) + (size_t)length > server->settings.bodies_max_bytes) {
        http_error(open, 503, "http.busy");
        return false;
    }
    return true;
}

/* A client that is still sending when we close hears a reset, not the answer: the answer goes out at once and
 * what comes is thrown away, up to a bound. Who asks before it sends (Expect) has nothing under way. */
static bool is_answered_early(const struct exchange *exchange)
{
    const struct push_request *request = &exchange->open.request;
    return has_body(request) && push_header(request, "Expect").len == 0 && !slice_is(request->method, "HEAD");
}

static enum MHD_Result take_head(struct exchange *exchange, const char *method)
{
    exchange->headers_seen = true;
    atomic_fetch_add(&exchange->server->requests, 1);
    if (exchange->connection == NULL)
        return MHD_NO;
    bool well_formed = http_read_head(exchange, method);
    bool body = has_body(&exchange->open.request);
    if (!well_formed || !admit(exchange)) {
        if (!well_formed || !is_answered_early(exchange))
            return http_send(exchange, !well_formed || body);
        exchange->overrun = true;
        http_send_early(exchange);
        return MHD_YES;
    }
    http_phase(exchange->server, exchange->connection, PHASE_BODY);
    return MHD_YES;
}

/* ---- the handler ---- */

static bool list_waiting(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    bool taken = !server->drained;
    if (taken) {
        exchange->previous = NULL;
        exchange->next = server->waiting;
        if (exchange->next)
            exchange->next->previous = exchange;
        server->waiting = exchange;
        exchange->listed = true;
    }
    pthread_mutex_unlock(&server->lock);
    return taken;
}

static void unlist_waiting(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&server->lock);
    if (exchange->listed) {
        if (exchange->previous)
            exchange->previous->next = exchange->next;
        else
            server->waiting = exchange->next;
        if (exchange->next)
            exchange->next->previous = exchange->previous;
        exchange->listed = false;
    }
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result send_finished(struct exchange *exchange)
{
    const struct http_settings *settings = &exchange->server->settings;
    if (settings->finish)
        settings->finish(settings->data, &exchange->open);
    return http_send(exchange, false);
}

/* The server stops; the handler may still be writing the reply, which is left alone. */
static enum MHD_Result give_up(struct exchange *exchange)
{
    http_cut(exchange->server, exchange->connection, 503);
    return MHD_NO;
}

static enum MHD_Result call_handler(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    exchange->called = true;
    count_answering(server, true);
    exchange->open.request.body = slice_of(exchange->body, exchange->body_len);
    http_phase(server, exchange->connection, PHASE_WAITING);
    atomic_fetch_add(&exchange->references, 1);
    if (server->settings.handle(server->settings.data, &exchange->open) == HTTP_NOW) {
        exchange_release(exchange);
        return http_send(exchange, false);
    }
    pthread_mutex_lock(&exchange->lock);
    bool finished = exchange->finished;
    if (!finished && list_waiting(exchange)) {
        exchange->suspended = true;
        atomic_fetch_add(&server->suspended, 1);
        MHD_suspend_connection(exchange->mhd);
    } else if (!finished) {
        exchange->abandoned = true;
    }
    bool abandoned = exchange->abandoned;
    pthread_mutex_unlock(&exchange->lock);
    if (abandoned)
        return give_up(exchange);
    return finished ? send_finished(exchange) : MHD_YES;
}

void http_exchange_finish(struct http_exchange *open)
{
    struct exchange *exchange = (struct exchange *)open;
    struct http_server *server = exchange->server;
    pthread_mutex_lock(&exchange->lock);
    bool resume = exchange->suspended && !exchange->abandoned;
    exchange->finished = true;
    if (resume)
        MHD_resume_connection(exchange->mhd);
    pthread_mutex_unlock(&exchange->lock);
    if (resume) {
        atomic_fetch_sub(&server->suspended, 1);
        unlist_waiting(exchange);
    }
    exchange_release(exchange);
}

/* The server stops before the reply came: the client hears 503, the handler's finish changes nothing any more. */
void http_exchange_abandon(struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    if (!exchange->finished && exchange->suspended) {
        exchange->abandoned = true;
        MHD_resume_connection(exchange->mhd);
        atomic_fetch_sub(&exchange->server->suspended, 1);
    }
    pthread_mutex_unlock(&exchange->lock);
    exchange_release(exchange);
}

static enum MHD_Result after_resume(struct exchange *exchange)
{
    pthread_mutex_lock(&exchange->lock);
    bool finished = exchange->finished, abandoned = exchange->abandoned;
    exchange->suspended = false;
    pthread_mutex_unlock(&exchange->lock);
    if (abandoned)
        return give_up(exchange);
    return finished ? send_finished(exchange) : MHD_YES;
}

enum MHD_Result http_access(void *data, struct MHD_Connection *mhd, const char *url,
                            const char *method, const char *version, const char *upload,
                            size_t *upload_len, void **context)
{
    struct exchange *exchange = *context;
    (void)data;
    (void)mhd;
    (void)url;
    (void)version;
    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->headers_seen)
        return take_head(exchange, method);
    if (*upload_len > 0)
        return take_body(exchange, upload, upload_len);
    if (exchange->overrun)
        return MHD_NO;
    return exchange->called ? after_resume(exchange) : call_handler(exchange);
}
