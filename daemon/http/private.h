/*
 * private.h - the private listener: records as JSON, the API, the console, health and metrics.
 *
 *   GET  /livez              the process runs (no token)
 *   GET  /readyz[?strict]    200 `ok`, or 200 `degraded: why` while posts are kept in the spool (503 with ?strict),
 *                            503 when nothing can be kept (no token)
 *   GET  /metrics            Prometheus text (token, or from loopback when so configured)
 *   POST /v1/records         connectors/records.h
 *   GET  /v1/status          docs/status.md
 *   ...  the routes given
 *   GET  /                   the console; /NAME is daemon/console/pages/NAME or NAME.html
 *
 * Everything else needs the token: `Authorization: Bearer`, or the cookie that the login page (or /?token=) gives a
 * browser. What changes something must not come from another site's page. Handlers run on two threads of their own
 * and may block; status and metrics on a third, so that nothing holds them up.
 */
#ifndef TRIBUTARY_HTTP_PRIVATE_H
#define TRIBUTARY_HTTP_PRIVATE_H

#include "daemon/console/api.h"
#include "daemon/http/http_server.h"
#include "daemon/http/public.h"

struct private_readiness {
    bool can_accept;    /* posts can be kept */
    bool ready;         /* records are resolved, too */
    char trouble[256];  /* "database": why not ready */
};

struct private_settings {
    struct http_settings http; /* address, clock, limits; its callbacks are not used */
    const char *state_dir;     /* of the token */
    struct slice token;        /* configured; empty: state_dir/token */
    bool metrics_without_token_from_loopback;
    struct sources *sources;
    struct acceptor *acceptor;
    struct engine *engine;     /* passed on to the handlers */
    size_t route_count;
    const struct route *routes;
    /* Listener threads; must not block. */
    void (*readiness)(void *data, struct private_readiness *readiness);
    /* Worker threads; may block. */
    void (*status_json)(void *data, struct buf *out);
    void (*metrics_text)(void *data, struct buf *out);
    /* At a stop, once, when a worker is still busy after the wait: must make it end soon. May be NULL. */
    void (*hasten)(void *data);
    void *data;
};

struct private_listener;

struct private_listener *private_start(const struct private_settings *settings, struct err *err);
void private_stop(struct private_listener **listener, int64_t wait_ms);
unsigned private_port(const struct private_listener *listener);
/* The token in use, NUL-terminated; for `tributary run` to print the console's address. */
const char *private_token(const struct private_listener *listener);
void private_state(struct private_listener *listener, struct http_server_state *state);

#endif
