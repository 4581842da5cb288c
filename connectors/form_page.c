/* form_page.c - the page a form may bring along: an HTML file of the operator's, served where the form posts to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/form_intern.h"

#define PAGE_MAX_BYTES ((size_t)1 << 20)

/* A browser holds form-action against the redirect that answers the form, too. */
static void allow_origin(struct buf *policy, struct slice url)
{
    struct slice origin = form_url_origin(url);
    for (size_t i = 0; i < origin.len; i++) {
        if (strchr("; ,'", origin.ptr[i]))
            return;
    }
    if (origin.len > 0)
        buf_printf(policy, " " SLICE_FMT, SLICE_ARG(origin));
}

/* The page is the operator's own: it may carry its style and script, load pictures, and post here. */
static void make_policy(struct push_source *source)
{
    struct buf policy = BUF_INIT((size_t)64 << 10);
    buf_put_str(&policy, "default-src 'self' 'unsafe-inline' https: data:; base-uri 'self'; form-action 'self'");
    allow_origin(&policy, source->redirect);
    allow_origin(&policy, source->redirect_error);
    for (size_t i = 0; i < source->allowed_redirect_count; i++)
        allow_origin(&policy, source->allowed_redirects[i]);
    source->page_policy = arena_dup(source->arena, buf_slice(&policy));
    buf_free(&policy);
}

enum status form_page_read(struct push_source *source, const char *path, struct err *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return err_set_errno(err, errno, "form.page", "source %s: cannot read its page %s",
                             source->context.name, path);
    char *text = malloc(PAGE_MAX_BYTES + 1);
    size_t len = text ? fread(text, 1, PAGE_MAX_BYTES + 1, file) : 0;
    bool failed = text == NULL || ferror(file) || len > PAGE_MAX_BYTES;
    fclose(file);
    if (!failed)
        source->page = arena_dup(source->arena, slice_of(text, len));
    if (!failed)
        make_policy(source);
    free(text);
    if (failed || arena_failed(source->arena))
        return err_set(err, RETRY_REJECT_CONFIG, "form.page",
                       "source %s: its page %s cannot be read or is over 1 MiB", source->context.name,
                       path);
    return STATUS_OK;
}

void form_page_reply(const struct push_source *source, struct push_reply *reply)
{
    *reply = (struct push_reply){.status = 200, .content_type = SLICE("text/html; charset=utf-8"),
                                 .body = source->page};
    reply->headers[reply->header_count++] =
        (struct http_header){SLICE("Content-Security-Policy"), source->page_policy};
    /* The post tells where it comes from: its Origin, which may be asked for, and the page's utm_source. */
    reply->headers[reply->header_count++] =
        (struct http_header){SLICE("Referrer-Policy"), SLICE("strict-origin-when-cross-origin")};
}
