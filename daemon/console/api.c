/* api.c - see api.h. */
#include "daemon/console/api.h"

#include <stdarg.h>
#include <stdio.h>

#include "connectors/push_util.h"

static bool param_named(const struct api_param *param, const char *name)
{
    size_t length = strlen(name);
    return strncmp(param->name, name, length) == 0 && param->name[length] == '}';
}

struct slice api_path_param(const struct api_request *request, const char *name)
{
    for (size_t i = 0; i < request->param_count; i++) {
        if (param_named(&request->params[i], name))
            return request->params[i].value;
    }
    return SLICE_EMPTY;
}

struct slice api_query(const struct api_request *request, struct arena *arena, const char *name)
{
    return query_param(arena, request->query, name);
}

/* Takes the next segment off the front of a path that begins with '/'. */
static bool take_segment(struct slice *path, struct slice *segment)
{
    if (path->len == 0 || path->ptr[0] != '/')
        return false;
    size_t end = 1;
    while (end < path->len && path->ptr[end] != '/')
        end++;
    *segment = slice_sub(*path, 1, end);
    *path = slice_sub(*path, end, path->len);
    return true;
}

bool api_route_match(const struct route *route, struct slice path, struct api_request *request)
{
    struct slice pattern = slice_str(route->pattern), wanted, given;
    request->param_count = 0;
    while (pattern.len > 0) {
        if (!take_segment(&pattern, &wanted) || !take_segment(&path, &given))
            return false;
        bool is_param = wanted.len > 2 && wanted.ptr[0] == '{' && wanted.ptr[wanted.len - 1] == '}';
        if (!is_param && !slice_eq(wanted, given))
            return false;
        if (is_param && (given.len == 0 || request->param_count == API_PARAMS_MAX))
            return false;
        if (is_param)
            request->params[request->param_count++] = (struct api_param){wanted.ptr + 1, given};
    }
    return path.len == 0;
}

void api_reply_json(struct api_reply *reply, unsigned status, struct arena *arena, const struct buf *json)
{
    reply->status = buf_failed(json) ? 503 : status;
    reply->content_type = SLICE("application/json; charset=utf-8");
    reply->body = buf_failed(json) ? SLICE("{\"errors\":[{\"code\":\"api.too_large\"}]}")
                                   : arena_dup(arena, buf_slice(json));
}

void api_reply_error(struct api_reply *reply, unsigned status, struct arena *arena, const char *code,
                     const char *format, ...)
{
    char text[600];
    struct buf json = BUF_INIT(8192);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buf_put_str(&json, "{\"errors\":[{\"code\":");
    buf_put_json(&json, slice_str(code));
    buf_put_str(&json, ",\"text\":");
    buf_put_json(&json, slice_str(text));
    buf_put_str(&json, "}]}");
    api_reply_json(reply, status, arena, &json);
    buf_free(&json);
}

void api_reply_err(struct api_reply *reply, struct arena *arena, const struct err *err)
{
    unsigned status = 500;
    switch (err->retry) {
    case RETRY_NOW:
    case RETRY_LATER:
    case RETRY_RECONNECT:
        status = 503;
        break;
    case RETRY_REJECT_RECORD:
        status = 422;
        break;
    case RETRY_REJECT_CONFIG:
        status = 409;
        break;
    default:
        break;
    }
    api_reply_error(reply, status, arena, err->id, "%s", err->text);
}
