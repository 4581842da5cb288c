/* routes.c - see routes.h. */
#include "daemon/console/routes.h"
#include "daemon/console/explain_svg.h"
#include "daemon/console/ops.h"

#include <stdlib.h>

#define SVG_MAX_BYTES ((size_t)4 << 20)

static unsigned status_of(const struct err *err)
{
    if (strcmp(err->id, "op.not_found") == 0)
        return 404;
    switch (err->retry) {
    case RETRY_REJECT_CONFIG:
        return 400;
    case RETRY_NONE:
        return 409;
    case RETRY_NOW:
    case RETRY_LATER:
    case RETRY_RECONNECT:
        return 503;
    default:
        return 500;
    }
}

static void answer(struct engine *engine, const char *name, const json_t *args, struct arena *arena,
                   struct api_reply *reply)
{
    struct err err = {0};
    json_t *result = NULL;
    if (op_run(engine, name, args, &result, &err) != STATUS_OK) {
        api_reply_error(reply, status_of(&err), arena, err.id, "%s", err.text);
        return;
    }
    char *text = json_dumps(result, JSON_COMPACT | JSON_ENCODE_ANY);
    struct slice copy = text ? arena_dup(arena, slice_str(text)) : SLICE_EMPTY;
    *reply = (struct api_reply){.status = text ? 200 : 503, .body = copy};
    free(text);
    json_decref(result);
}

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "a truth value";
    }
}

static void serve_op(struct engine *engine, const struct api_request *request, struct arena *arena,
                     struct api_reply *reply)
{
    json_error_t error;
    json_t *args = request->body.len ? json_loadb(request->body.ptr, request->body.len, JSON_DECODE_ANY, &error)
                                     : json_object();
    if (args == NULL) {
        api_reply_error(reply, 400, arena, "op.body", "the body is no JSON: line %d, column %d: %s", error.line,
                        error.column, error.text);
        return;
    }
    if (!json_is_object(args)) {
        api_reply_error(reply, 400, arena, "op.body",
                        "the body is %s, not an object of arguments; hint: {\"id\": 1}", type_name(args));
        json_decref(args);
        return;
    }
    if (json_object_get(args, "actor") == NULL && !slice_is(request->actor, "token"))
        json_object_set_new(args, "actor", json_stringn(request->actor.ptr, request->actor.len));
    answer(engine, arena_str(arena, api_path_param(request, "name")), args, arena, reply);
    json_decref(args);
}

/* A GET whose arguments are the path's {id} and the query's parameters of the names given. */
static void serve_get(struct engine *engine, const char *name, const char *const *parameters,
                      const struct api_request *request, struct arena *arena, struct api_reply *reply)
{
    json_t *args = json_object();
    struct slice id = api_path_param(request, "id");
    if (id.len)
        json_object_set_new(args, "id", json_stringn(id.ptr, id.len));
    for (; *parameters; parameters++) {
        struct slice value = api_query(request, arena, *parameters);
        if (value.len)
            json_object_set_new(args, *parameters, json_stringn(value.ptr, value.len));
    }
    answer(engine, name, args, arena, reply);
    json_decref(args);
}

#define SERVE(function, name, ...)                                                                 \
    static void function(struct engine *engine, const struct api_request *request,                 \
                         struct arena *arena, struct api_reply *reply)                             \
    {                                                                                              \
        static const char *const parameters[] = {__VA_ARGS__};                                     \
        serve_get(engine, name, parameters, request, arena, reply);                                \
    }

SERVE(serve_customer, "customer.show", NULL)
SERVE(serve_history, "customer.history", NULL)
SERVE(serve_find, "customer.find", "text", NULL)
SERVE(serve_explain_json, "explain", "a", "b", NULL)
SERVE(serve_reviews, "review.list", "limit", NULL)
SERVE(serve_rejects, "rejects.list", "source", "limit", NULL)
SERVE(serve_events, "events.list", "since", "limit", "type", "customer", NULL)
SERVE(serve_sources, "sources.list", NULL)

/* As a waterfall for people when ?format=svg asks so. */
static void serve_explain(struct engine *engine, const struct api_request *request, struct arena *arena,
                          struct api_reply *reply)
{
    serve_explain_json(engine, request, arena, reply);
    if (reply->status != 200 || !slice_is(api_query(request, arena, "format"), "svg"))
        return;
    struct buf out = BUF_INIT(SVG_MAX_BYTES);
    json_t *explanation = json_loadb(reply->body.ptr, reply->body.len, 0, NULL);
    explain_svg(explanation, &out);
    api_reply_json(reply, 200, arena, &out);
    if (!buf_failed(&out))
        reply->content_type = SLICE("image/svg+xml");
    json_decref(explanation);
    buf_free(&out);
}

const struct route console_routes[] = {
    {"POST", "/v1/ops/{name}", serve_op},
    {"GET", "/v1/customers", serve_find},
    {"GET", "/v1/customers/{id}", serve_customer},
    {"GET", "/v1/customers/{id}/history", serve_history},
    {"GET", "/v1/explain", serve_explain},
    {"GET", "/v1/reviews", serve_reviews},
    {"GET", "/v1/rejects", serve_rejects},
    {"GET", "/v1/events", serve_events},
    {"GET", "/v1/sources", serve_sources},
};
const size_t console_route_count = sizeof(console_routes) / sizeof(console_routes[0]);
