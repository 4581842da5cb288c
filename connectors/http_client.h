/*
 * http_client.h - one HTTP request at a time, with deadlines of our own.
 *
 * Over libcurl. The whole exchange ends by its deadline however slowly the other side trickles; the
 * stop signal is heard at once; a body (after decompression) has a maximum; certificates are
 * verified; redirects are followed to the same host only (never from https to http), five at most,
 * so that credentials stay where they belong. One thread per client; connections are kept between
 * requests.
 */
#ifndef TRIBUTARY_CONNECTORS_HTTP_CLIENT_H
#define TRIBUTARY_CONNECTORS_HTTP_CLIENT_H

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/clock.h"
#include "daemon/base/err.h"
#include "daemon/base/stop.h"

struct http_client;

/* Borrows clock and stop. NULL with err filled. */
struct http_client *http_client_new(const struct clock *clock, const struct stop *stop,
                                    struct err *err);
void http_client_free(struct http_client **client);

struct http_field {
    struct slice name;
    struct slice value;
};

struct http_request {
    const char *url;
    size_t header_count;
    const struct http_field *headers; /* no CR or LF in them */
    const struct slice *post;         /* NULL: GET */
    int64_t deadline_ms;              /* for the whole exchange, redirects too */
    size_t max_bytes;                 /* of the body */
};

struct http_response {
    unsigned status;
    struct slice body;
    size_t header_count;
    struct http_field *headers; /* of the last answer */
};

/* STATUS_OK: any complete answer, whatever its status code. STATUS_TIMEOUT: the deadline;
 * STATUS_STOPPED; STATUS_FAILED: no answer (RETRY_LATER) or one that may not be used (RETRY_NONE:
 * too large, a redirect elsewhere). The response's memory is the arena's. */
MUST_CHECK enum status http_client_send(struct http_client *client,
                                        const struct http_request *request, struct arena *arena,
                                        struct http_response *response, struct err *err);

/* The value of a header (name without regard to case), or an empty slice. */
struct slice http_header(const struct http_response *response, const char *name);
/* Retry-After as seconds, with a fraction, or as a date: milliseconds from now, at least 0; -1 when
 * there is none. */
int64_t http_retry_after_ms(const struct http_response *response, const struct clock *clock);
/* The target of rel="next" in Link headers (RFC 8288), or an empty slice. */
struct slice http_link_next(const struct http_response *response);
/* `reference` (absolute or relative) as seen from `url`, when a request with credentials may go
 * there: the same host, and scheme and port too, or from http up to https. NULL when not. */
const char *http_resolve(const char *url, struct slice reference, struct arena *arena);
/* user:password in base 64, for Authorization: Basic. */
struct slice http_basic(struct slice user_and_password, struct arena *arena);
/* Appends ?name=value or &name=value, escaped. */
void http_url_add(struct buf *url, struct slice name, struct slice value);

#endif
