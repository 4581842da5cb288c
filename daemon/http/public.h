/*
 * public.h - requests to push sources: who serves them, what the rules say of them, and that they are kept.
 *
 * The first source that matches a request handles it. Its records are handed to the acceptor and the client hears of them
 * only when they are durable (or that they are not: 503). Where a person is still there to correct it
 * (push_connector.refuses_invalid), what the rules refuse is answered at once and kept nowhere. Used by both listeners:
 * the public one serves every type but `records`, the private one only that.
 */
#ifndef TRIBUTARY_HTTP_PUBLIC_H
#define TRIBUTARY_HTTP_PUBLIC_H

#include "daemon/accept/acceptor.h"
#include "daemon/http/http_server.h"

struct public_settings {
    struct sources *sources;
    struct acceptor *acceptor;
    bool records; /* true: sources of type `records` only; false: all others */
};

struct public_dispatch;

struct public_dispatch *public_new(const struct public_settings *settings); /* NULL: out of memory */
/* After the listener has stopped and the acceptor has completed everything. */
void public_free(struct public_dispatch **dispatch);

/* The `handle` and `finish` of http_settings; data is the dispatch. Unmatched requests are answered 404. */
enum http_when public_handle(void *dispatch, struct http_exchange *exchange);
void public_finish(void *dispatch, struct http_exchange *exchange);
/* After the rules of the sources were changed: cleaners of the old ones are let go. */
void public_forget_cleaners(struct public_dispatch *dispatch);

#endif
