/* http_server.c - see http_server.h: starting, stopping, settings. */
#include "daemon/http/http_internal.h"
#include "daemon/base/condition.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/log.h"

#define LISTEN_BACKLOG 511
#define LEAVE_MS 2000 /* for replies under way, when the server stops */

static void fill_defaults(struct http_settings *s)
{
    s->threads = s->threads ? s->threads : 2;
    s->body_max_bytes = s->body_max_bytes ? s->body_max_bytes : (size_t)1 << 20;
    s->bodies_max_bytes = s->bodies_max_bytes ? s->bodies_max_bytes : (size_t)64 << 20;
    s->connections_max = s->connections_max ? s->connections_max : 1024;
    s->connections_per_ip_max = s->connections_per_ip_max ? s->connections_per_ip_max : 256;
    if (s->burst_per_ip < 1)
        s->burst_per_ip = s->requests_per_s_per_ip * 10 < 20 ? 20 : s->requests_per_s_per_ip * 10;
    s->header_deadline_ms = s->header_deadline_ms ? s->header_deadline_ms : 10000;
    s->body_deadline_ms = s->body_deadline_ms ? s->body_deadline_ms : 30000;
    s->idle_deadline_ms = s->idle_deadline_ms ? s->idle_deadline_ms : 60000;
    s->reply_deadline_ms = s->reply_deadline_ms ? s->reply_deadline_ms : 60000;
}

/* "host:port", "[v6]:port", ":port" or "port" to a bound, listening socket; -1 with err. */
static int open_listener(const char *name, const char *address, struct err *err)
{
    char host[256] = "";
    const char *colon = strrchr(address, ':');
    const char *port = colon ? colon + 1 : address;
    size_t length = colon ? (size_t)(colon - address) : 0;
    if (length >= sizeof(host)) {
        (void)err_set(err, RETRY_REJECT_CONFIG, "http.address", "http.%s: address too long", name);
        return -1;
    }
    memcpy(host, address, length);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        memmove(host, host + 1, length - 2);
        host[length - 2] = '\0';
    }
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    int failed = getaddrinfo(host[0] ? host : "0.0.0.0", port, &hints, &found);
    if (failed) {
        (void)err_set(err, RETRY_REJECT_CONFIG, "http.address",
                      "http.%s: '%s' is not an address and port: %s; hint: such as 0.0.0.0:8080 or [::]:8080",
                      name, address, gai_strerror(failed));
        return -1;
    }
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int number = errno;
        (void)err_set_errno(err, number, "http.listen", "http.%s: cannot listen on %s; hint: another "
                            "program may listen there, or the address is not of this machine", name, address);
        err->retry = number == EADDRINUSE || number == EADDRNOTAVAIL || number == EACCES
                         ? RETRY_REJECT_CONFIG : err->retry;
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

static unsigned bound_port(int fd)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    if (getsockname(fd, (struct sockaddr *)&bound, &length) != 0)
        return 0;
    return bound.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&bound)->sin6_port)
                                       : ntohs(((struct sockaddr_in *)&bound)->sin_port);
}

static bool take_proxies(struct http_server *server, struct err *err)
{
    const struct http_settings *settings = &server->settings;
    for (size_t i = 0; i < settings->trusted_proxy_count; i++) {
        if (server->proxy_count == PROXIES_MAX ||
            !ip_range_parse(settings->trusted_proxies[i], &server->proxies[server->proxy_count])) {
            (void)err_set(err, RETRY_REJECT_CONFIG, "http.trusted_proxies",
                          "http.trusted_proxies: '" SLICE_FMT "' is not an address or a range; hint: "
                          "such as 127.0.0.1 or 10.0.0.0/8", SLICE_ARG(settings->trusted_proxies[i]));
            return false;
        }
        server->proxy_count++;
    }
    return true;
}

void http_server_release(struct http_server *server)
{
    if (atomic_fetch_sub(&server->references, 1) > 1)
        return;
    rate_limit_free(&server->rate);
    free(server->base_url);
    free(server->counts);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

static struct http_server *server_new(const struct http_settings *settings, struct err *err)
{
    struct http_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for a listener");
        return NULL;
    }
    server->settings = *settings;
    fill_defaults(&server->settings);
    atomic_init(&server->references, 1);
    pthread_mutex_init(&server->lock, NULL);
    condition_init(&server->changed);
    server->count_slots = (size_t)server->settings.connections_max * 2 + 1;
    server->counts = calloc(server->count_slots, sizeof(*server->counts));
    server->base_url = strdup(settings->public_base_url ? settings->public_base_url : "");
    if (server->settings.requests_per_s_per_ip > 0)
        server->rate = rate_limit_new(server->settings.requests_per_s_per_ip, server->settings.burst_per_ip);
    if (!take_proxies(server, err) || server->counts == NULL || server->base_url == NULL ||
        (server->settings.requests_per_s_per_ip > 0 && server->rate == NULL)) {
        if (server->counts == NULL || server->base_url == NULL)
            (void)err_set(err, RETRY_FATAL, "base.memory", "out of memory for a listener");
        http_server_release(server);
        return NULL;
    }
    while (server->base_url[0] && server->base_url[strlen(server->base_url) - 1] == '/')
        server->base_url[strlen(server->base_url) - 1] = '\0';
    return server;
}

/* Paths and queries are decoded by us, strictly. */
static size_t keep_escapes(void *data, struct MHD_Connection *mhd, char *text)
{
    (void)data;
    (void)mhd;
    return strlen(text);
}

static void say_nothing(void *data, const char *format, va_list arguments)
{
    (void)data;
    (void)format;
    (void)arguments; /* what clients do wrong is counted, not logged */
}

struct http_server *http_server_start(const struct http_settings *settings, struct err *err)
{
    struct http_server *server = server_new(settings, err);
    if (server == NULL)
        return NULL;
    int fd = open_listener(settings->name, settings->address, err);
    if (fd < 0) {
        http_server_release(server);
        return NULL;
    }
    server->port = bound_port(fd);
    const struct http_settings *s = &server->settings;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    server->daemon = MHD_start_daemon(
        flags, 0, http_accept_policy, server, http_access, server,
        MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, s->threads,
        MHD_OPTION_CONNECTION_LIMIT, s->connections_max + s->threads,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_POOL_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, http_connection_notice, server,
        MHD_OPTION_NOTIFY_COMPLETED, http_completed, server,
        MHD_OPTION_URI_LOG_CALLBACK, http_request_begins, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (server->daemon == NULL) {
        (void)err_set(err, RETRY_LATER, "http.start", "http.%s: the HTTP library did not start", s->name);
        close(fd);
        http_server_release(server);
        return NULL;
    }
    int failed = pthread_create(&server->watch, NULL, http_watch, server);
    server->watching = failed == 0;
    if (failed) {
        (void)err_set_errno(err, failed, "base.thread", "cannot start the watch of http.%s", s->name);
        http_server_stop(&server, 0);
        return NULL;
    }
    return server;
}

static struct exchange *pop_waiting(struct http_server *server)
{
    struct exchange *exchange = server->waiting;
    if (exchange) {
        server->waiting = exchange->next;
        if (server->waiting)
            server->waiting->previous = NULL;
        exchange->listed = false;
        atomic_fetch_add(&exchange->references, 1);
    }
    return exchange;
}

/* Waits until nothing waits for a reply, or wait_ms passed; then lets go of those that still do, and gives the
 * replies under way a moment to leave, since MHD_stop_daemon closes connections as they stand. */
static void drain_waiting(struct http_server *server, int64_t wait_ms)
{
    struct timespec deadline = condition_deadline(wait_ms);
    pthread_mutex_lock(&server->lock);
    while (server->waiting &&
           pthread_cond_timedwait(&server->changed, &server->lock, &deadline) != ETIMEDOUT)
        ;
    for (struct exchange *exchange; (exchange = pop_waiting(server)) != NULL;) {
        pthread_mutex_unlock(&server->lock);
        http_exchange_abandon(exchange);
        pthread_mutex_lock(&server->lock);
    }
    server->drained = true;
    deadline = condition_deadline(LEAVE_MS);
    while (server->answering > 0 &&
           pthread_cond_timedwait(&server->changed, &server->lock, &deadline) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&server->lock);
}

void http_server_stop(struct http_server **server_place, int64_t wait_ms)
{
    struct http_server *server = *server_place;
    if (server == NULL)
        return;
    *server_place = NULL;
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR); /* nobody connects any more; a worker may be about to accept, so it stays open */
    drain_waiting(server, wait_ms);
    MHD_stop_daemon(server->daemon);
    if (fd >= 0)
        close(fd);
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (server->watching)
        pthread_join(server->watch, NULL);
    http_server_release(server);
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_state(struct http_server *server, struct http_server_state *state)
{
    *state = (struct http_server_state){
        .requests = atomic_load(&server->requests),
        .replies_2xx = atomic_load(&server->replies[2]),
        .replies_3xx = atomic_load(&server->replies[3]),
        .replies_4xx = atomic_load(&server->replies[4]),
        .replies_5xx = atomic_load(&server->replies[5]),
        .cut_slow = atomic_load(&server->cut_slow),
        .rate_limited = atomic_load(&server->rate_limited),
        .refused_connections = atomic_load(&server->refused_connections),
        .connections = atomic_load(&server->connection_count),
        .suspended = atomic_load(&server->suspended),
        .body_bytes = atomic_load(&server->body_bytes),
    };
}
