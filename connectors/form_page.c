/* form_page.c - the page a form may bring along: an HTML file of the operator's, served where the form posts to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/form_intern.h"

#define PAGE_MAX_BYTES ((size_t)1 << 20)

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
    /* The page is the operator's own: it may carry its style and script, load pictures, and post here. */
    reply->headers[reply->header_count++] = (struct http_header){
        SLICE("Content-Security-Policy"),
        SLICE("default-src 'self' 'unsafe-inline' https: data:; form-action 'self'; base-uri 'self'")};
}
