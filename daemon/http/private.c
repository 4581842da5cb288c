/* private.c - see private.h. */
#include "daemon/http/private.h"

#include <stdlib.h>

#include "connectors/push_util.h"
#include "connectors/records.h"
#include "daemon/base/asset.h"
#include "daemon/base/latch.h"
#include "daemon/base/queue.h"
#include "daemon/http/token.h"

#define WORKERS           2
#define WAITING_MAX       64
#define WORKER_END_MS     1000 /* a stop waits so long before what an operation waits for is told to hurry */
#define TEXT_MAX_BYTES    ((size_t)8 << 20)
#define COOKIE_NAME       "tributary="
#define PAGES             "daemon/console/pages/"

struct worker {
    pthread_t thread;
    struct queue *queue;
    struct latch ended;
};

struct private_listener {
    struct private_settings settings;
    struct token token;
    struct http_server *server;
    struct public_dispatch *records;
    struct queue *queue, *looks; /* operations; status and metrics, which an operation must not hold up */
    struct worker workers[WORKERS + 1];
    size_t worker_count;
};

enum work { WORK_STATUS, WORK_METRICS, WORK_ROUTE };

struct job { /* in the exchange's arena */
    struct private_listener *listener;
    struct http_exchange *exchange;
    enum work work;
    const struct route *route;
    struct api_request request;
};

/* ---- replies ---- */

static void reply_text(struct http_exchange *exchange, unsigned status, const char *content_type, struct slice body)
{
    exchange->reply.status = status;
    exchange->reply.content_type = slice_str(content_type);
    exchange->reply.body = body;
}

static void reply_code(struct http_exchange *exchange, unsigned status, const char *code)
{
    reply_text(exchange, status, "application/json; charset=utf-8",
               arena_printf(exchange->arena, "{\"errors\":[{\"code\":\"%s\"}]}", code));
    if (status == 503)
        (void)push_reply_header(&exchange->reply, SLICE("Retry-After"), SLICE("5"));
    if (status == 401)
        (void)push_reply_header(&exchange->reply, SLICE("WWW-Authenticate"), SLICE("Bearer"));
}

static void page_policy(struct http_exchange *exchange)
{
    (void)push_reply_header(&exchange->reply, SLICE("Content-Security-Policy"),
                            SLICE("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
                                  "connect-src 'self'; form-action 'self'; base-uri 'none'; "
                                  "frame-ancestors 'none'"));
}

static const char *type_of(struct slice name)
{
    if (slice_ends(name, SLICE(".css")))
        return "text/css; charset=utf-8";
    if (slice_ends(name, SLICE(".js")))
        return "text/javascript; charset=utf-8";
    if (slice_ends(name, SLICE(".svg")))
        return "image/svg+xml";
    return "text/html; charset=utf-8";
}

/* The page of that name, as a file of the pages or with .html behind it. */
static bool reply_page(struct http_exchange *exchange, struct slice name)
{
    bool found = false;
    if (name.len > 64 || slice_find_byte(name, '/') >= 0)
        return false;
    struct slice path = arena_printf(exchange->arena, PAGES SLICE_FMT, SLICE_ARG(name));
    struct slice data = asset_find(arena_str(exchange->arena, path), &found);
    if (!found) {
        name = arena_printf(exchange->arena, SLICE_FMT ".html", SLICE_ARG(name));
        path = arena_printf(exchange->arena, PAGES SLICE_FMT, SLICE_ARG(name));
        data = asset_find(arena_str(exchange->arena, path), &found);
    }
    if (!found)
        return false;
    reply_text(exchange, 200, type_of(name), data);
    page_policy(exchange);
    return true;
}

/* ---- who may ---- */

static struct slice cookie_of(const struct push_request *request)
{
    struct slice rest = push_header(request, "Cookie");
    while (rest.len > 0) {
        ptrdiff_t end = slice_find_byte(rest, ';');
        struct slice one = slice_trim(slice_sub(rest, 0, end < 0 ? rest.len : (size_t)end));
        rest = end < 0 ? SLICE_EMPTY : slice_sub(rest, (size_t)end + 1, rest.len);
        if (slice_starts(one, SLICE(COOKIE_NAME)))
            return slice_sub(one, sizeof(COOKIE_NAME) - 1, one.len);
    }
    return SLICE_EMPTY;
}

static bool has_bearer(const struct private_listener *listener, const struct push_request *request)
{
    struct slice value = push_header(request, "Authorization");
    return value.len > 7 && slice_eq_nocase(slice_sub(value, 0, 7), SLICE("Bearer ")) &&
           token_is(&listener->token, slice_trim(slice_sub(value, 7, value.len)));
}

static bool is_reading(const struct push_request *request)
{
    return slice_is(request->method, "GET") || slice_is(request->method, "HEAD");
}

/* A cookie goes with whatever page asks the browser; a change must come from our own. */
static bool is_allowed(const struct private_listener *listener, const struct push_request *request)
{
    if (has_bearer(listener, request))
        return true;
    struct slice origin = push_header(request, "Origin"), site = push_header(request, "Sec-Fetch-Site");
    bool own = (origin.len == 0 || slice_eq_nocase(origin, request->base_url)) &&
               (site.len == 0 || slice_is(site, "same-origin") || slice_is(site, "none"));
    return token_cookie_is(&listener->token, cookie_of(request)) && (is_reading(request) || own);
}

static bool path_is(const struct http_exchange *exchange, const char *path)
{
    return slice_is(exchange->request.path, path);
}

static bool is_open(const struct private_listener *listener, const struct http_exchange *exchange)
{
    /* Behind a proxy on this machine everybody comes from loopback: what counts is the resolved address. */
    bool metrics = path_is(exchange, "/metrics") && listener->settings.metrics_without_token_from_loopback &&
                   ip_is_loopback(&exchange->client);
    return metrics || path_is(exchange, "/livez") || path_is(exchange, "/readyz") || path_is(exchange, "/login") ||
           path_is(exchange, "/login.css") || path_is(exchange, "/");
}

static bool admit(void *data, struct http_exchange *exchange)
{
    struct private_listener *listener = data;
    if (path_is(exchange, RECORDS_PATH))
        exchange->body_max_bytes = RECORDS_BODY_MAX_BYTES;
    if (is_open(listener, exchange) || is_allowed(listener, &exchange->request))
        return true;
    reply_code(exchange, 401, "http.token");
    return false;
}

/* ---- the door ---- */

static void let_in(const struct private_listener *listener, struct http_exchange *exchange)
{
    bool tls = slice_starts(exchange->request.base_url, SLICE("https://"));
    reply_text(exchange, 303, "text/plain", SLICE_EMPTY);
    (void)push_reply_header(&exchange->reply, SLICE("Location"), SLICE("/"));
    (void)push_reply_header(&exchange->reply, SLICE("Set-Cookie"),
                            arena_printf(exchange->arena, COOKIE_NAME "%s; Path=/; Max-Age=2592000; HttpOnly; "
                                         "SameSite=Strict%s", listener->token.cookie, tls ? "; Secure" : ""));
}

/* The page that asks for the token; `wrong`: it was asked before. */
static void ask_token(struct http_exchange *exchange, bool wrong)
{
    (void)reply_page(exchange, SLICE("login"));
    struct slice page = exchange->reply.body, mark = SLICE("<!--said-->");
    ptrdiff_t at = slice_find(page, mark);
    if (wrong && at >= 0) {
        struct slice rest = slice_sub(page, (size_t)at + mark.len, page.len);
        exchange->reply.body =
            arena_printf(exchange->arena, SLICE_FMT "<p class=\"wrong\" role=\"alert\">That is not the token.</p>" SLICE_FMT,
                         (int)at, page.ptr, SLICE_ARG(rest));
    }
    exchange->reply.status = wrong ? 403 : 401;
}

static void handle_login(const struct private_listener *listener, struct http_exchange *exchange)
{
    struct slice given = query_param(exchange->arena, exchange->request.body, "token");
    if (slice_is(exchange->request.method, "POST") && token_is(&listener->token, slice_trim(given))) {
        let_in(listener, exchange);
        return;
    }
    ask_token(exchange, slice_is(exchange->request.method, "POST"));
    if (!slice_is(exchange->request.method, "POST"))
        exchange->reply.status = 200;
}

static void handle_front(const struct private_listener *listener, struct http_exchange *exchange)
{
    struct slice given = query_param(exchange->arena, exchange->request.query, "token");
    if (given.len > 0 && token_is(&listener->token, given)) {
        let_in(listener, exchange);
    } else if (is_allowed(listener, &exchange->request)) {
        (void)reply_page(exchange, SLICE("index"));
    } else {
        ask_token(exchange, given.len > 0);
    }
}

static void handle_readiness(const struct private_listener *listener, struct http_exchange *exchange)
{
    struct private_readiness now = {0};
    struct slice name, value, rest = exchange->request.query;
    bool strict = false;
    while (query_next(&rest, &name, &value))
        strict = strict || (slice_is(name, "strict") && !slice_is(value, "0"));
    listener->settings.readiness(listener->settings.data, &now);
    unsigned status = !now.can_accept || (strict && !now.ready) ? 503 : 200;
    struct slice text = now.ready && now.can_accept
                            ? SLICE("ok\n")
                            : arena_printf(exchange->arena, "degraded: %s\n", now.trouble[0] ? now.trouble : "starting");
    reply_text(exchange, status, "text/plain; charset=utf-8", text);
}

/* ---- work that may block ---- */

static void reply_buf(struct http_exchange *exchange, const char *content_type, struct buf *text)
{
    if (buf_failed(text))
        reply_code(exchange, 503, "http.busy");
    else
        reply_text(exchange, 200, content_type, arena_dup(exchange->arena, buf_slice(text)));
}

static void do_work(struct job *job)
{
    const struct private_settings *settings = &job->listener->settings;
    struct http_exchange *exchange = job->exchange;
    struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    struct api_reply reply = {0};
    switch (job->work) {
    case WORK_STATUS:
        settings->status_json(settings->data, &text);
        reply_buf(exchange, "application/json; charset=utf-8", &text);
        break;
    case WORK_METRICS:
        settings->metrics_text(settings->data, &text);
        reply_buf(exchange, "text/plain; version=0.0.4; charset=utf-8", &text);
        break;
    case WORK_ROUTE:
        job->route->handler(settings->engine, &job->request, exchange->arena, &reply);
        reply_text(exchange, reply.status ? reply.status : 204, "application/json; charset=utf-8", reply.body);
        if (reply.content_type.len > 0)
            exchange->reply.content_type = reply.content_type;
        if (exchange->reply.status == 503)
            (void)push_reply_header(&exchange->reply, SLICE("Retry-After"), SLICE("5"));
        break;
    }
    buf_free(&text);
}

static void *work_loop(void *data)
{
    struct worker *worker = data;
    void *item;
    enum status status;
    while ((status = queue_take(worker->queue, -1, &item)) != STATUS_EMPTY) {
        if (status != STATUS_OK)
            continue;
        struct job *job = item;
        do_work(job);
        http_exchange_finish(job->exchange);
    }
    latch_set(&worker->ended);
    return NULL;
}

static enum http_when hand_over(struct private_listener *listener, struct http_exchange *exchange, enum work work,
                                const struct route *route, const struct api_request *request)
{
    struct job *job = ARENA_NEW(exchange->arena, struct job);
    if (job) {
        *job = (struct job){.listener = listener, .exchange = exchange, .work = work, .route = route};
        if (request)
            job->request = *request;
        if (queue_put(work == WORK_ROUTE ? listener->queue : listener->looks, job, 0) == STATUS_OK)
            return HTTP_LATER;
    }
    reply_code(exchange, 503, "http.busy");
    return HTTP_NOW;
}

static struct slice actor_of(const struct push_request *request)
{
    struct slice actor = push_header(request, "X-Actor");
    return actor.len > 0 && actor.len <= 100 ? actor : SLICE("token");
}

static enum http_when handle_route(struct private_listener *listener, struct http_exchange *exchange)
{
    const struct push_request *asked = &exchange->request;
    struct api_request request = {.method = asked->method, .path = asked->path, .query = asked->query,
                                  .content_type = push_header(asked, "Content-Type"),
                                  .accept = push_header(asked, "Accept"), .body = asked->body,
                                  .client_ip = asked->client_ip, .actor = actor_of(asked)};
    bool other_method = false;
    for (size_t i = 0; i < listener->settings.route_count; i++) {
        const struct route *route = &listener->settings.routes[i];
        if (!api_route_match(route, asked->path, &request))
            continue;
        bool head = slice_is(asked->method, "HEAD") && strcmp(route->method, "GET") == 0;
        if (head || slice_is(asked->method, route->method))
            return hand_over(listener, exchange, WORK_ROUTE, route, &request);
        other_method = true;
    }
    if (!other_method && is_reading(asked) && reply_page(exchange, slice_sub(asked->path, 1, asked->path.len)))
        return HTTP_NOW;
    reply_code(exchange, other_method ? 405 : 404, other_method ? "http.method" : "http.not_found");
    return HTTP_NOW;
}

static enum http_when handle(void *data, struct http_exchange *exchange)
{
    struct private_listener *listener = data;
    if (path_is(exchange, RECORDS_PATH))
        return public_handle(listener->records, exchange);
    if (path_is(exchange, "/livez")) {
        reply_text(exchange, 200, "text/plain; charset=utf-8", SLICE("ok\n"));
        return HTTP_NOW;
    }
    if (path_is(exchange, "/login")) {
        handle_login(listener, exchange);
        return HTTP_NOW;
    }
    if (is_reading(&exchange->request)) {
        if (path_is(exchange, "/metrics"))
            return hand_over(listener, exchange, WORK_METRICS, NULL, NULL);
        if (path_is(exchange, "/v1/status"))
            return hand_over(listener, exchange, WORK_STATUS, NULL, NULL);
        if (path_is(exchange, "/") || path_is(exchange, "/readyz")) {
            if (path_is(exchange, "/"))
                handle_front(listener, exchange);
            else
                handle_readiness(listener, exchange);
            return HTTP_NOW;
        }
    }
    return handle_route(listener, exchange);
}

static void finish(void *data, struct http_exchange *exchange)
{
    struct private_listener *listener = data;
    public_finish(listener->records, exchange);
}

/* ---- start and stop ---- */

struct private_listener *private_start(const struct private_settings *settings, struct err *err)
{
    struct private_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for the private listener");
        return NULL;
    }
    listener->settings = *settings;
    if (token_load(settings->state_dir, settings->token, &listener->token, err) != STATUS_OK) {
        private_stop(&listener, 0);
        return NULL;
    }
    listener->queue = queue_new(WAITING_MAX);
    listener->looks = queue_new(WAITING_MAX);
    listener->records = public_new(&(struct public_settings){.sources = settings->sources,
                                                             .acceptor = settings->acceptor, .records = true});
    bool able = listener->queue && listener->looks && listener->records;
    for (size_t i = 0; able && i < WORKERS + 1; i++) {
        struct worker *worker = &listener->workers[i];
        worker->queue = i < WORKERS ? listener->queue : listener->looks;
        latch_init(&worker->ended);
        able = pthread_create(&worker->thread, NULL, work_loop, worker) == 0;
        if (able)
            listener->worker_count++;
        else
            latch_close(&worker->ended);
    }
    if (!able)
        (void)err_set(err, RETRY_FATAL, "base.memory", "cannot start the workers of the private listener");
    struct http_settings http = settings->http;
    http.name = "private";
    http.admit = admit;
    http.handle = handle;
    http.finish = finish;
    http.data = listener;
    if (able)
        listener->server = http_server_start(&http, err);
    if (listener->server == NULL)
        private_stop(&listener, 0);
    return listener;
}

/* An operation may wait for a database that does not answer, and for longer than a stop may take. */
static void join_workers(struct private_listener *listener)
{
    for (size_t i = 0; i < listener->worker_count; i++) {
        struct worker *worker = &listener->workers[i];
        if (listener->settings.hasten && !latch_wait_ms(&worker->ended, WORKER_END_MS)) {
            listener->settings.hasten(listener->settings.data);
            listener->settings.hasten = NULL;
        }
        pthread_join(worker->thread, NULL);
        latch_close(&worker->ended);
    }
}

void private_stop(struct private_listener **listener_place, int64_t wait_ms)
{
    struct private_listener *listener = *listener_place;
    if (listener == NULL)
        return;
    http_server_stop(&listener->server, wait_ms);
    if (listener->queue)
        queue_close(listener->queue);
    if (listener->looks)
        queue_close(listener->looks);
    join_workers(listener);
    queue_free(&listener->queue);
    queue_free(&listener->looks);
    public_free(&listener->records);
    free(listener);
    *listener_place = NULL;
}

unsigned private_port(const struct private_listener *listener)
{
    return http_server_port(listener->server);
}

const char *private_token(const struct private_listener *listener)
{
    return listener->token.text;
}

void private_state(struct private_listener *listener, struct http_server_state *state)
{
    http_server_state(listener->server, state);
}

