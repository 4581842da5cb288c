/* form_reply.c - what people and scripts hear: CORS, redirects, JSON, and two small pages of our own. */
#include "connectors/form_intern.h"
#include "connectors/push_page.h"

#define REPLY_MAX_BYTES ((size_t)256 << 10)

/* ---- who may post ---- */

static bool origin_listed(const struct push_source *source, struct slice origin, bool *any)
{
    *any = false;
    for (size_t i = 0; i < source->origin_count; i++) {
        if (slice_is(source->origins[i], "*")) {
            *any = true;
            return true;
        }
    }
    for (size_t i = 0; i < source->origin_count; i++) {
        struct slice listed = source->origins[i];
        if (listed.len > 0 && listed.ptr[listed.len - 1] == '/')
            listed.len--;
        if (slice_eq_nocase(listed, origin))
            return true;
    }
    return false;
}

bool form_check_origin(const struct push_source *source, const struct push_request *request,
                       struct push_reply *reply)
{
    struct slice origin = push_header(request, "Origin");
    bool any;
    if (origin.len == 0) {
        struct slice from = form_url_origin(push_header(request, "Referer"));
        return !source->origins_strict || (from.len > 0 && origin_listed(source, from, &any));
    }
    bool own = request->base_url.len > 0 && slice_eq_nocase(origin, request->base_url);
    if (!origin_listed(source, origin, &any) && !own)
        return false;
    (void)push_reply_header(reply, SLICE("Access-Control-Allow-Origin"), any ? SLICE("*") : origin);
    (void)push_reply_header(reply, SLICE("Access-Control-Expose-Headers"), SLICE("Retry-After"));
    (void)push_reply_header(reply, SLICE("Vary"), SLICE("Origin"));
    return true;
}

void form_reply_preflight(struct push_reply *reply)
{
    reply->status = 204;
    (void)push_reply_header(reply, SLICE("Access-Control-Allow-Methods"), SLICE("POST, OPTIONS"));
    (void)push_reply_header(reply, SLICE("Access-Control-Allow-Headers"),
                            SLICE("Accept, Content-Type, X-Requested-With, Authorization, Idempotency-Key, "
                                  "X-Idempotency-Key"));
    (void)push_reply_header(reply, SLICE("Access-Control-Max-Age"), SLICE("86400"));
}

/* ---- how to answer ---- */

static bool wants_json(const struct push_request *request, const struct form_body *form)
{
    return (form && (form->is_json || slice_is(form_value(form, "_format"), "json"))) || push_wants_json(request);
}

static bool wants_chinese(const struct push_request *request, const struct form_body *form)
{
    return push_wants_chinese(request, form ? form_value(form, "_language") : SLICE_EMPTY);
}

/* Where to go on: what the form asks for if that is allowed, else what the source has; empty: nowhere. */
static struct slice next_url(const struct push_source *source, const struct push_request *request,
                             const struct form_body *form, struct arena *arena)
{
    struct slice wanted = form ? form_value(form, "_next") : SLICE_EMPTY;
    if (wanted.len == 0 && form)
        wanted = form_value(form, "_redirect");
    if (slice_starts(wanted, SLICE("/")) && !slice_starts(wanted, SLICE("//"))) {
        struct slice from = form_url_origin(push_header(request, "Referer"));
        wanted = arena_printf(arena, SLICE_FMT SLICE_FMT, SLICE_ARG(from), SLICE_ARG(wanted));
    }
    if (wanted.len > 0 &&
        form_url_allowed(wanted, source->allowed_redirects, source->allowed_redirect_count))
        return wanted;
    return source->redirect;
}

static void redirect_to(struct push_reply *reply, struct slice url)
{
    reply->status = 303;
    reply->content_type = SLICE("text/plain");
    reply->body = SLICE_EMPTY;
    if (!push_reply_header(reply, SLICE("Location"), url))
        reply->status = 200;
}

static void thank(const struct push_request *request, const struct form_body *form, struct arena *arena,
                  struct push_reply *reply)
{
    bool chinese = wants_chinese(request, form);
    struct slice from = push_header(request, "Referer");
    struct buf text = BUF_INIT(REPLY_MAX_BYTES / 2);
    buf_put_str(&text, chinese ? "<p>您填写的内容已经收到。</p>" : "<p>We have received your message.</p>");
    if (form_url_is_safe(from) && form_url_origin(from).len > 0) {
        buf_put_str(&text, "<p><a href=\"");
        put_html(&text, from);
        buf_put_str(&text, chinese ? "\">返回</a></p>" : "\">Back</a></p>");
    }
    push_reply_page(reply, 200, arena, chinese, chinese ? "谢谢！" : "Thank you!", buf_slice(&text));
    buf_free(&text);
}

void form_reply_success(const struct push_source *source, const struct push_request *request,
                        const struct form_body *form, struct arena *arena, struct push_reply *reply)
{
    struct slice next = next_url(source, request, form, arena);
    if (wants_json(request, form)) {
        struct buf json = BUF_INIT(REPLY_MAX_BYTES);
        buf_put_str(&json, "{\"ok\":true");
        if (next.len > 0) {
            buf_put_str(&json, ",\"next\":");
            buf_put_json(&json, next);
        }
        buf_put_str(&json, "}");
        push_reply_json(reply, 200, arena, &json);
        buf_free(&json);
    } else if (next.len > 0) {
        redirect_to(reply, next);
    } else {
        thank(request, form, arena, reply);
    }
}

/* ---- errors ---- */

static void put_errors(struct buf *out, const struct form_error *errors, size_t count)
{
    buf_put_str(out, "{\"ok\":false,\"errors\":[");
    for (size_t i = 0; i < count; i++) {
        buf_put_str(out, i ? ",{" : "{");
        if (errors[i].field.len > 0) {
            buf_put_str(out, "\"field\":");
            buf_put_json(out, errors[i].field);
            buf_put_str(out, ",");
        }
        buf_put_str(out, "\"code\":");
        buf_put_json(out, slice_str(errors[i].code));
        if (errors[i].param.len > 0) {
            buf_put_str(out, ",\"param\":");
            buf_put_json(out, errors[i].param);
        }
        buf_put_str(out, "}");
    }
    buf_put_str(out, "]}");
}

static void redirect_with_error(const struct push_source *source, const struct form_error *error,
                                struct arena *arena, struct push_reply *reply)
{
    struct buf url = BUF_INIT(REPLY_MAX_BYTES);
    ptrdiff_t hash = slice_find_byte(source->redirect_error, '#');
    struct slice base = slice_sub(source->redirect_error, 0,
                                  hash < 0 ? source->redirect_error.len : (size_t)hash);
    buf_put_slice(&url, base);
    buf_put_str(&url, slice_find_byte(base, '?') < 0 ? "?error=" : "&error=");
    percent_encode(&url, slice_str(error->code));
    if (error->field.len > 0) {
        buf_put_str(&url, "&field=");
        percent_encode(&url, error->field);
    }
    redirect_to(reply, arena_dup(arena, buf_slice(&url)));
    buf_free(&url);
}

/* What a person is told; the code stands behind it for those who ask us. */
static const char *sentence(const char *code, unsigned status, bool chinese)
{
    if (strcmp(code, "required") == 0)
        return chinese ? "此项必填" : "This is required";
    if (strcmp(code, "form.empty") == 0)
        return chinese ? "表单是空的" : "The form is empty";
    return push_refusal_sentence(status, chinese);
}

static void error_page(const struct push_request *request, const struct form_body *form, unsigned status,
                       const struct form_error *errors, size_t count, struct arena *arena,
                       struct push_reply *reply)
{
    bool chinese = wants_chinese(request, form);
    struct buf text = BUF_INIT(REPLY_MAX_BYTES / 2);
    buf_put_str(&text, "<ul>");
    for (size_t i = 0; i < count; i++) {
        buf_put_str(&text, "<li>");
        if (errors[i].field.len > 0) {
            buf_put_str(&text, "<b>");
            put_html(&text, errors[i].field);
            buf_put_str(&text, chinese ? "</b>：" : "</b>: ");
        }
        buf_put_str(&text, sentence(errors[i].code, status, chinese));
        buf_put_str(&text, " <small>(");
        put_html(&text, slice_str(errors[i].code));
        buf_put_str(&text, ")</small></li>");
    }
    buf_printf(&text, "</ul><p>%s</p>", push_refusal_advice(status, chinese));
    push_reply_page(reply, status, arena, chinese, chinese ? "没有收到" : "Not received", buf_slice(&text));
    buf_free(&text);
}

void form_reply_errors(const struct push_source *source, const struct push_request *request,
                       const struct form_body *form, unsigned status, const struct form_error *errors,
                       size_t count, struct arena *arena, struct push_reply *reply)
{
    if (status == 503)
        (void)push_reply_header(reply, SLICE("Retry-After"), SLICE("5"));
    if (status == 405)
        (void)push_reply_header(reply, SLICE("Allow"), source->page.len > 0 ? SLICE("GET, HEAD, POST, OPTIONS") : SLICE("POST, OPTIONS"));
    if (wants_json(request, form)) {
        struct buf json = BUF_INIT(REPLY_MAX_BYTES);
        put_errors(&json, errors, count);
        push_reply_json(reply, status, arena, &json);
        buf_free(&json);
    } else if (source->redirect_error.len > 0 && count > 0 && status != 503 && status != 403) {
        redirect_with_error(source, &errors[0], arena, reply);
    } else {
        error_page(request, form, status, errors, count, arena, reply);
    }
}
