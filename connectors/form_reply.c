/* form_reply.c - what people and scripts hear: CORS, redirects, JSON, and two small pages of our own. */
#include "connectors/form_intern.h"
#include "connectors/push_util.h"

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
    if (form && (form->is_json || slice_is(form_value(form, "_format"), "json")))
        return true;
    struct slice type = push_header(request, "Content-Type");
    struct slice mode = push_header(request, "Sec-Fetch-Mode");
    return slice_find(push_header(request, "Accept"), SLICE("application/json")) >= 0 ||
           slice_eq_nocase(push_header(request, "X-Requested-With"), SLICE("XMLHttpRequest")) ||
           slice_starts(type, SLICE("application/json")) || slice_is(mode, "cors") ||
           slice_is(mode, "same-origin");
}

/* Chinese when it is asked for before English. */
static bool wants_chinese(const struct push_request *request, const struct form_body *form)
{
    struct slice asked = form ? form_value(form, "_language") : SLICE_EMPTY;
    if (asked.len == 0)
        asked = push_header(request, "Accept-Language");
    ptrdiff_t chinese = slice_find(asked, SLICE("zh")), english = slice_find(asked, SLICE("en"));
    return chinese >= 0 && (english < 0 || chinese < english);
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

static void page(struct push_reply *reply, unsigned status, struct arena *arena, bool chinese,
                 const char *title, struct slice text_html)
{
    struct buf html = BUF_INIT(REPLY_MAX_BYTES);
    buf_printf(&html,
               "<!doctype html><html lang=\"%s\"><head><meta charset=\"utf-8\">"
               "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>%s</title>"
               "<style>:root{color-scheme:light dark}body{font:1.1rem/1.6 system-ui,sans-serif;"
               "max-width:34rem;margin:18vh auto 0;padding:0 1.5rem}h1{font-size:1.6rem}</style></head>"
               "<body><h1>%s</h1>", chinese ? "zh" : "en", title, title);
    buf_put_slice(&html, text_html);
    buf_put_str(&html, "</body></html>\n");
    push_reply_html(reply, status, arena, &html);
    buf_free(&html);
}

static void redirect_to(struct push_reply *reply, struct slice url)
{
    reply->status = 303;
    reply->content_type = SLICE("text/plain");
    reply->body = SLICE_EMPTY;
    if (!push_reply_header(reply, SLICE("Location"), url))
        reply->status = 200;
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
        bool chinese = wants_chinese(request, form);
        page(reply, 200, arena, chinese, chinese ? "谢谢！" : "Thank you!",
             chinese ? SLICE("<p>您填写的内容已经收到。</p>") : SLICE("<p>We have received your message.</p>"));
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
    if (status == 503)
        return chinese ? "暂时无法接收，请稍后再试" : "It could not be received right now. Please try again in a moment";
    if (strcmp(code, "required") == 0)
        return chinese ? "此项必填" : "This is required";
    if (strcmp(code, "form.empty") == 0)
        return chinese ? "表单是空的" : "The form is empty";
    return chinese ? "内容有误，请检查" : "This does not look right. Please check it";
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
    buf_put_str(&text, chinese ? "</ul><p>请返回上一页修改后重新提交。</p>"
                               : "</ul><p>Please go back, correct it and send it again.</p>");
    page(reply, status, arena, chinese, chinese ? "没有收到" : "Not received", buf_slice(&text));
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
    if (wants_json(request, form) || status == 403) {
        struct buf json = BUF_INIT(REPLY_MAX_BYTES);
        put_errors(&json, errors, count);
        push_reply_json(reply, status, arena, &json);
        buf_free(&json);
    } else if (source->redirect_error.len > 0 && count > 0 && status != 503) {
        redirect_with_error(source, &errors[0], arena, reply);
    } else {
        error_page(request, form, status, errors, count, arena, reply);
    }
}
