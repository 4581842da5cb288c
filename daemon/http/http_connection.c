/*
 * http_connection.c - connections, how many there may be, and the watch that cuts slow ones.
 *
 * libmicrohttpd tells when a socket appears and before it is closed; in between it is on our list and its descriptor is valid
 * under server->lock. Cutting is shutdown(2): libmicrohttpd sees the end of input and cleans up itself.
 */
#include "daemon/http/http_internal.h"

#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define CUT_LINGER_US 3000000 /* for the client to end its body and read why */

static bool limits_apply(const struct http_server *server, const struct ip_address *address)
{
    return !ip_is_loopback(address) &&
           !ip_in(address, server->proxies, server->proxy_count);
}

/* The slot of an address, or a free one. The table is twice as large as the number of connections. */
static struct address_count *count_slot(struct http_server *server, const struct ip_address *address)
{
    size_t at = slice_hash(slice_of((const char *)address->bytes, 16), 0) % server->count_slots;
    while (server->counts[at].count > 0 &&
           memcmp(&server->counts[at].address, address, sizeof(*address)) != 0)
        at = (at + 1) % server->count_slots;
    return &server->counts[at];
}

/* Closes the gap that a freed slot leaves in its run. */
static void count_remove(struct http_server *server, struct address_count *slot)
{
    if (--slot->count > 0)
        return;
    size_t at = (size_t)(slot - server->counts);
    for (;;) {
        at = (at + 1) % server->count_slots;
        struct address_count moved = server->counts[at];
        if (moved.count == 0)
            return;
        server->counts[at].count = 0;
        *count_slot(server, &moved.address) = moved;
    }
}

enum MHD_Result http_accept_policy(void *data, const struct sockaddr *socket, socklen_t length)
{
    struct http_server *server = data;
    struct ip_address address;
    (void)length;
    if (!ip_from_socket(socket, &address))
        return MHD_NO;
    bool refused = atomic_load(&server->connection_count) >= server->settings.connections_max;
    if (!refused && limits_apply(server, &address)) {
        pthread_mutex_lock(&server->lock);
        refused = count_slot(server, &address)->count >= server->settings.connections_per_ip_max;
        pthread_mutex_unlock(&server->lock);
    }
    if (refused)
        atomic_fetch_add(&server->refused_connections, 1);
    return refused ? MHD_NO : MHD_YES;
}

static void connection_add(struct http_server *server, struct MHD_Connection *mhd, void **context)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *context = connection;
    if (connection == NULL)
        return; /* requests on it are refused */
    connection->fd = fd ? fd->connect_fd : -1;
    connection->since_us = clock_monotonic_us(server->settings.clock);
    connection->phase = PHASE_HEADERS;
    bool known = peer && ip_from_socket(peer->client_addr, &connection->peer);
    atomic_fetch_add(&server->connection_count, 1);
    pthread_mutex_lock(&server->lock);
    if (known && limits_apply(server, &connection->peer) &&
        atomic_load(&server->connection_count) < server->count_slots) {
        struct address_count *slot = count_slot(server, &connection->peer);
        slot->address = connection->peer;
        slot->count++;
        connection->counted = true;
    }
    connection->next = server->connections;
    if (connection->next)
        connection->next->previous = connection;
    server->connections = connection;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

static void connection_remove(struct http_server *server, struct connection *connection)
{
    pthread_mutex_lock(&server->lock);
    if (connection->counted)
        count_remove(server, count_slot(server, &connection->peer));
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_sub(&server->connection_count, 1);
    free(connection);
}

void http_connection_notice(void *data, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_add(data, mhd, socket_context);
    } else if (*socket_context) {
        connection_remove(data, *socket_context);
        *socket_context = NULL;
    }
}

static uint64_t bytes_received(const struct connection *connection)
{
    struct tcp_info info = {0};
    socklen_t length = sizeof(info);
    if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
        return connection->bytes_received;
    return info.tcpi_bytes_received;
}

void http_phase(struct http_server *server, struct connection *connection, enum phase phase)
{
    if (connection == NULL)
        return;
    int64_t now_us = clock_monotonic_us(server->settings.clock);
    pthread_mutex_lock(&server->lock);
    if (connection->phase != PHASE_CUT) {
        connection->phase = phase;
        connection->since_us = now_us;
    }
    pthread_mutex_unlock(&server->lock);
}

void http_request_ended(struct http_server *server, struct connection *connection)
{
    if (connection == NULL)
        return;
    pthread_mutex_lock(&server->lock);
    connection->bytes_received = bytes_received(connection);
    pthread_mutex_unlock(&server->lock);
    http_phase(server, connection, PHASE_IDLE);
}

static void cut_with_locked(struct http_server *server, struct connection *connection, unsigned status,
                            struct slice reply)
{
    (void)!send(connection->fd, reply.ptr, reply.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)shutdown(connection->fd, SHUT_WR);
    connection->phase = PHASE_CUT;
    connection->since_us = clock_monotonic_us(server->settings.clock);
    atomic_fetch_add(&server->replies[status / 100], 1);
}

static void cut_locked(struct http_server *server, struct connection *connection, unsigned status)
{
    char text[256];
    char json[96];
    const char *code = status == 408 ? "timeout" : status == 413 ? "body_too_large" : "busy";
    int length = snprintf(json, sizeof(json), "{\"ok\":false,\"errors\":[{\"code\":\"http.%s\"}]}", code);
    length = snprintf(text, sizeof(text),
                      "HTTP/1.1 %u %s\r\nContent-Type: application/json; charset=utf-8\r\n"
                      "Content-Length: %d\r\nConnection: close\r\n%s\r\n%s",
                      status, http_status_text(status), length,
                      status == 503 ? "Retry-After: 5\r\n" : "", json);
    cut_with_locked(server, connection, status, slice_of(text, (size_t)length));
}

void http_cut_with(struct http_server *server, struct connection *connection, unsigned status, struct slice reply)
{
    pthread_mutex_lock(&server->lock);
    if (connection->phase != PHASE_CUT)
        cut_with_locked(server, connection, status, reply);
    pthread_mutex_unlock(&server->lock);
}

void http_cut(struct http_server *server, struct connection *connection, unsigned status)
{
    pthread_mutex_lock(&server->lock);
    if (connection->phase != PHASE_CUT)
        cut_locked(server, connection, status);
    pthread_mutex_unlock(&server->lock);
}

/* Judges one connection; server->lock is held. */
static void watch_one(struct http_server *server, struct connection *connection, int64_t now_us)
{
    const struct http_settings *settings = &server->settings;
    int64_t passed_us = now_us - connection->since_us;
    switch (connection->phase) {
    case PHASE_IDLE:
        if (bytes_received(connection) > connection->bytes_received) {
            connection->phase = PHASE_HEADERS;
            connection->since_us = now_us;
        } else if (passed_us > settings->idle_deadline_ms * 1000) {
            (void)shutdown(connection->fd, SHUT_RDWR);
            connection->phase = PHASE_CUT;
        }
        break;
    case PHASE_HEADERS:
    case PHASE_BODY:
        if (passed_us > 1000 * (connection->phase == PHASE_BODY ? settings->body_deadline_ms
                                                                : settings->header_deadline_ms)) {
            atomic_fetch_add(&server->cut_slow, 1);
            if (bytes_received(connection) > connection->bytes_received)
                cut_locked(server, connection, 408);
            (void)shutdown(connection->fd, SHUT_RDWR);
            connection->phase = PHASE_CUT;
        }
        break;
    case PHASE_WAITING:
        break; /* the acceptor has deadlines of its own */
    case PHASE_REPLY:
        if (passed_us > settings->reply_deadline_ms * 1000) {
            atomic_fetch_add(&server->cut_slow, 1);
            (void)shutdown(connection->fd, SHUT_RDWR);
            connection->phase = PHASE_CUT;
        }
        break;
    case PHASE_CUT:
        if (passed_us > CUT_LINGER_US)
            (void)shutdown(connection->fd, SHUT_RDWR);
        break;
    }
}

static int64_t tick_ms(const struct http_settings *settings)
{
    int64_t least = settings->header_deadline_ms;
    if (settings->body_deadline_ms < least)
        least = settings->body_deadline_ms;
    if (settings->idle_deadline_ms < least)
        least = settings->idle_deadline_ms;
    int64_t tick = least / 8;
    return tick < 10 ? 10 : tick > 250 ? 250 : tick;
}

void *http_watch(void *data)
{
    struct http_server *server = data;
    int64_t wait_ms = tick_ms(&server->settings);
    pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        if (server->connections == NULL) {
            pthread_cond_wait(&server->changed, &server->lock);
            continue;
        }
        int64_t now_us = clock_monotonic_us(server->settings.clock);
        for (struct connection *c = server->connections; c; c = c->next)
            watch_one(server, c, now_us);
        pthread_mutex_unlock(&server->lock);
        struct timespec tick = {wait_ms / 1000, wait_ms % 1000 * 1000000};
        nanosleep(&tick, NULL);
        pthread_mutex_lock(&server->lock);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}
