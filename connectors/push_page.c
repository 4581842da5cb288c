/* push_page.c - see push_page.h. */
#include "connectors/push_page.h"

#define PAGE_MAX_BYTES ((size_t)256 << 10)

bool push_wants_json(const struct push_request *request)
{
    struct slice mode = push_header(request, "Sec-Fetch-Mode");
    return slice_find(push_header(request, "Accept"), SLICE("application/json")) >= 0 ||
           slice_eq_nocase(push_header(request, "X-Requested-With"), SLICE("XMLHttpRequest")) ||
           slice_starts(push_header(request, "Content-Type"), SLICE("application/json")) ||
           slice_is(mode, "cors") || slice_is(mode, "same-origin");
}

bool push_wants_chinese(const struct push_request *request, struct slice asked)
{
    if (asked.len == 0)
        asked = push_header(request, "Accept-Language");
    ptrdiff_t chinese = slice_find(asked, SLICE("zh")), english = slice_find(asked, SLICE("en"));
    return chinese >= 0 && (english < 0 || chinese < english);
}

void push_reply_page(struct push_reply *reply, unsigned status, struct arena *arena, bool chinese, const char *title,
                     struct slice text_html)
{
    struct buf html = BUF_INIT(PAGE_MAX_BYTES);
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

struct sentence {
    unsigned status; /* 0 ends a table */
    const char *english, *chinese;
};

static const char *said(const struct sentence *sentences, unsigned status, bool chinese)
{
    while (sentences->status != 0 && sentences->status != status)
        sentences++;
    return chinese ? sentences->chinese : sentences->english;
}

const char *push_refusal_sentence(unsigned status, bool chinese)
{
    static const struct sentence sentences[] = {
        {403, "The page you come from may not send to this address", "您所在的网站不能向这个地址提交"},
        {404, "There is nothing at this address", "这个地址没有内容"},
        {405, "This address takes forms that are sent to it, nothing else", "这个地址只接受提交的表单"},
        {413, "It is too large", "提交的内容太大"},
        {415, "This kind of content is not taken here", "这里不接受这种格式的内容"},
        {429, "Too much came at once", "提交得太频繁"},
        {503, "It could not be received right now", "暂时无法接收"},
        {0, "This does not look right. Please check it", "内容有误，请检查"},
    };
    return said(sentences, status, chinese);
}

const char *push_refusal_advice(unsigned status, bool chinese)
{
    static const struct sentence advice[] = {
        {403, "", ""},
        {404, "", ""},
        {405, "", ""},
        {415, "", ""},
        {429, "Please go back and send it again in a moment.", "请返回上一页，稍后再提交一次。"},
        {503, "Please go back and send it again in a moment.", "请返回上一页，稍后再提交一次。"},
        {0, "Please go back, correct it and send it again.", "请返回上一页修改后重新提交。"},
    };
    return said(advice, status, chinese);
}

static void reply_page(struct push_reply *reply, const struct push_request *request, unsigned status, const char *code,
                       struct arena *arena)
{
    bool chinese = push_wants_chinese(request, SLICE_EMPTY);
    bool lost = status == 404 || status == 405;
    struct buf text = BUF_INIT(4096);
    buf_printf(&text, "<p>%s <small>(", push_refusal_sentence(status, chinese));
    put_html(&text, slice_str(code));
    buf_printf(&text, ")</small></p><p>%s</p>", push_refusal_advice(status, chinese));
    push_reply_page(reply, status, arena, chinese,
                    lost ? chinese ? "没有这个页面" : "Nothing here" : chinese ? "没有收到" : "Not received", buf_slice(&text));
    buf_free(&text);
}

void push_reply_code(struct push_reply *reply, const struct push_request *request, unsigned status, const char *code,
                     struct arena *arena)
{
    if (!push_wants_json(request) && slice_find(push_header(request, "Accept"), SLICE("text/html")) >= 0) {
        reply_page(reply, request, status, code, arena);
    } else {
        struct buf json = BUF_INIT(4096);
        buf_printf(&json, "{\"ok\":false,\"errors\":[{\"code\":\"%s\"}]}", code);
        push_reply_json(reply, status, arena, &json);
        buf_free(&json);
    }
    if (status == 503)
        (void)push_reply_header(reply, SLICE("Retry-After"), SLICE("5"));
}
