/*
 * api.h - handlers of the private API: plain functions from a request to a reply.
 *
 * They run on the private listener's worker threads and may block (a query, a decision). The command line reaches the same
 * functions over HTTP. A handler fills *reply with memory of `arena` (or literals); a reply left untouched is 204.
 */
#ifndef TRIBUTARY_CONSOLE_API_H
#define TRIBUTARY_CONSOLE_API_H

#include "daemon/base/arena.h"
#include "daemon/base/buf.h"
#include "daemon/base/err.h"

#define API_PARAMS_MAX 4

struct engine;

struct api_param {
    const char *name; /* as in the pattern, without braces; ends at '}' */
    struct slice value;
};

struct api_request {
    struct slice method;
    struct slice path;
    struct slice query; /* raw; see api_query */
    struct slice content_type;
    struct slice accept;
    struct slice body;
    struct slice client_ip;
    struct slice actor; /* who asks: the header X-Actor of a trusted caller, else "token" */
    size_t param_count;
    struct api_param params[API_PARAMS_MAX];
};

struct api_reply {
    unsigned status; /* 0: 204 */
    struct slice content_type; /* empty: application/json */
    struct slice body;
};

typedef void api_handler(struct engine *engine, const struct api_request *request, struct arena *arena,
                         struct api_reply *reply);

struct route {
    const char *method;  /* "GET"; serves HEAD, too */
    const char *pattern; /* "/v1/customers/{id}/history": {name} is one whole segment */
    api_handler *handler;
};

/* A {name} of the pattern; empty when there is none. */
struct slice api_path_param(const struct api_request *request, const char *name);
/* A parameter of the query, decoded; empty when absent. */
struct slice api_query(const struct api_request *request, struct arena *arena, const char *name);
/* Whether the route serves method and path; fills the request's params. */
bool api_route_match(const struct route *route, struct slice path, struct api_request *request);

/* 200 (or `status`) with a copy of the JSON; 503 when the buffer failed. */
void api_reply_json(struct api_reply *reply, unsigned status, struct arena *arena, const struct buf *json);
/* {"errors":[{"code":...,"text":...}]}. */
void api_reply_error(struct api_reply *reply, unsigned status, struct arena *arena, const char *code,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The status that fits an err: 503 for what passes, 404 ..., 500. */
void api_reply_err(struct api_reply *reply, struct arena *arena, const struct err *err);

#endif
