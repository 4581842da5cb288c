/* http_internal.h - what the files of the HTTP server share. For http_*.c only. */
#ifndef TRIBUTARY_HTTP_HTTP_INTERNAL_H
#define TRIBUTARY_HTTP_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "daemon/http/http_server.h"
#include "daemon/http/rate_limit.h"

#define URI_MAX_BYTES        8192
#define HEADERS_MAX          100
#define CONNECTION_POOL_BYTES ((size_t)32 << 10) /* libmicrohttpd's memory for one connection */
#define OVERRUN_MAX_BYTES    ((size_t)8 << 20)   /* of a refused body thrown away after its answer, so that the answer is read */
#define PROXIES_MAX          100

enum phase {
    PHASE_IDLE,    /* nothing of a request has come */
    PHASE_HEADERS,
    PHASE_BODY,
    PHASE_WAITING, /* for the handler */
    PHASE_REPLY,   /* the client is to read it */
    PHASE_CUT,     /* ended by us; a moment is left for the client to see why */
};

/* One connection; made and removed by libmicrohttpd's notices, watched by our thread. Under server->lock. */
struct connection {
    struct connection *next, *previous;
    int fd;
    enum phase phase;
    int64_t since_us;       /* monotonic: when the phase began */
    uint64_t bytes_received; /* when the last request ended */
    struct ip_address peer;
    bool counted;           /* in the per-address table */
};

struct exchange {
    struct http_exchange open; /* first: the handler's view */
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct connection *connection;
    char uri[URI_MAX_BYTES];
    bool uri_too_long;
    bool headers_seen;
    bool overrun;           /* refused in the middle of the body: the rest is thrown away */
    size_t overrun_bytes;
    char *body;
    size_t body_len, body_capacity;
    struct http_header headers[HEADERS_MAX];
    bool too_many_headers;
    pthread_mutex_t lock;   /* the four below */
    bool called;            /* the handler was */
    bool finished;          /* the reply is there */
    bool suspended;
    bool abandoned;         /* the server stops: answered without the handler */
    atomic_uint references; /* libmicrohttpd's and the handler's */
    struct exchange *next, *previous; /* of those that wait; under server->lock */
    bool listed;
};

struct address_count {
    struct ip_address address;
    unsigned count; /* 0: free */
};

struct http_server {
    struct http_settings settings;
    char *base_url;
    struct ip_range proxies[PROXIES_MAX];
    size_t proxy_count;
    struct rate_limit *rate;
    struct MHD_Daemon *daemon;
    unsigned port;
    pthread_t watch;
    bool watching;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* connections appeared, waiting ones ended, stop */
    struct connection *connections;
    struct exchange *waiting;
    size_t answering; /* requests whose handler was called and whose reply has not left */
    bool drained;  /* nothing may wait any more */
    bool stopping; /* the watch may end */
    atomic_uint references; /* the owner's and each exchange's */
    struct address_count *counts; /* twice as many as connections */
    size_t count_slots;
    atomic_size_t body_bytes;
    atomic_uint_fast64_t requests, replies[6], cut_slow, rate_limited, refused_connections;
    atomic_uint_fast64_t connection_count, suspended;
};

/* http_connection.c */
enum MHD_Result http_accept_policy(void *data, const struct sockaddr *socket, socklen_t length);
void http_connection_notice(void *data, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code);
void http_phase(struct http_server *server, struct connection *connection, enum phase phase);
void http_request_ended(struct http_server *server, struct connection *connection);
/* Writes a whole reply past libmicrohttpd, which cannot answer in the middle of a body, and ends the connection. */
void http_cut(struct http_server *server, struct connection *connection, unsigned status);
/* The same with a whole reply, head and body. */
void http_cut_with(struct http_server *server, struct connection *connection, unsigned status, struct slice reply);
void *http_watch(void *data);

/* http_exchange.c */
void *http_request_begins(void *data, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_access(void *data, struct MHD_Connection *mhd, const char *url,
                            const char *method, const char *version, const char *upload,
                            size_t *upload_len, void **context);
void http_completed(void *data, struct MHD_Connection *mhd, void **context,
                    enum MHD_RequestTerminationCode code);
/* With a reference of its own, which it gives back. */
void http_exchange_abandon(struct exchange *exchange);

/* http_server.c */
void http_server_release(struct http_server *server);

/* http_reply.c */
enum MHD_Result http_send(struct exchange *exchange, bool close);
/* Sends the reply now, past libmicrohttpd, while the client is still sending its body; the connection then only throws
 * away what comes. */
void http_send_early(struct exchange *exchange);
/* Fills a short JSON error: {"ok":false,"errors":[{"code":CODE}]}. */
void http_error(struct http_exchange *exchange, unsigned status, const char *code);
const char *http_status_text(unsigned status);

/* http_headers.c: reads the headers into exchange->open.request; false: refused, exchange->open.reply is filled. */
bool http_read_head(struct exchange *exchange, const char *method);

#endif
