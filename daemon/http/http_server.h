/*
 * http_server.h - one HTTP/1.1 listener: bounded, with deadlines of its own.
 *
 * libmicrohttpd reads and writes; it has no whole-request deadline (a client at one byte every two seconds is
 * never cut by its timeout), so a watch thread of ours cuts connections whose headers, body, pause or reply take
 * too long: 408 where the request had begun. Bodies are held whole and bounded, each and all together; a larger one is
 * answered 413 as soon as it is known. A request that could be read in two ways (two lengths, length and
 * chunked) is answered 400 and the connection closed.
 *
 * The handler runs on a listener thread and must not block. It either fills exchange->reply and returns
 * HTTP_NOW, or returns HTTP_LATER and has http_exchange_finish called once, from any thread, when the
 * reply is there; meanwhile the connection is suspended and costs no thread.
 */
#ifndef TRIBUTARY_HTTP_HTTP_SERVER_H
#define TRIBUTARY_HTTP_HTTP_SERVER_H

#include "connectors/connector.h"
#include "daemon/http/forwarded.h"

#define HTTP_REPLY_ARENA_MAX_BYTES ((size_t)64 << 20)

struct http_server;

/* One request and its reply. `reply` slices and `data` live in `arena` (or are literals). The exchange is valid until
 * its reply is sent; after http_exchange_finish it is not the handler's any more. */
struct http_exchange {
    struct push_request request;
    struct ip_address client;
    struct ip_address peer;
    struct arena *arena;
    struct push_reply reply;
    size_t body_max_bytes; /* may be changed by `admit` */
    void *data;            /* the handler's */
};

enum http_when { HTTP_NOW, HTTP_LATER };

struct http_settings {
    const char *name;    /* for messages: "public" */
    const char *address; /* "0.0.0.0:8080", "[::]:8080", "127.0.0.1:0" */
    const struct clock *clock;
    const char *public_base_url; /* "" or NULL: what the request says */
    size_t trusted_proxy_count;
    const struct slice *trusted_proxies; /* addresses or ranges: 127.0.0.1, 10.0.0.0/8 */

    /* 0 takes the default in brackets. */
    unsigned threads;               /* [2] */
    size_t body_max_bytes;          /* of one request [1 MiB] */
    size_t bodies_max_bytes;        /* of all requests at once; beyond, 503 [64 MiB] */
    unsigned connections_max;       /* [1024] */
    unsigned connections_per_ip_max; /* not for loopback and trusted proxies [256] */
    double requests_per_s_per_ip;   /* [0: no limit] */
    double burst_per_ip;            /* [10 seconds' worth, at least 20] */
    int64_t header_deadline_ms;     /* from connecting, or from a request's first byte [10 s] */
    int64_t body_deadline_ms;       /* from the end of the headers [30 s] */
    int64_t idle_deadline_ms;       /* between requests [60 s] */
    int64_t reply_deadline_ms;      /* for the client to read the reply [60 s] */

    /* Called when the headers are there, before the body: false refuses with exchange->reply. May be NULL. */
    bool (*admit)(void *data, struct http_exchange *exchange);
    enum http_when (*handle)(void *data, struct http_exchange *exchange);
    /* After http_exchange_finish, on a listener thread: may still fill the reply. May be NULL. */
    void (*finish)(void *data, struct http_exchange *exchange);
    void *data;
};

/* NULL: err says why (address in use ...: RETRY_REJECT_CONFIG). */
struct http_server *http_server_start(const struct http_settings *settings, struct err *err);
/* Takes no new connections, waits up to wait_ms for replies that are still to come (those answer 503 then),
 * closes everything. */
void http_server_stop(struct http_server **server, int64_t wait_ms);
/* The port listened on. */
unsigned http_server_port(const struct http_server *server);

void http_exchange_finish(struct http_exchange *exchange);

struct http_server_state {
    uint64_t requests;
    uint64_t replies_2xx, replies_3xx, replies_4xx, replies_5xx;
    uint64_t cut_slow;      /* connections closed at a deadline of ours */
    uint64_t rate_limited;  /* answered 429 */
    uint64_t refused_connections; /* over the limits */
    uint64_t connections;   /* now */
    uint64_t suspended;     /* requests waiting for their reply now */
    uint64_t body_bytes;    /* held now */
};
void http_server_state(struct http_server *server, struct http_server_state *state);

#endif
