/* form_intern.h - what the files of the form connector share. For form_*.c only. */
#ifndef TRIBUTARY_CONNECTORS_FORM_INTERN_H
#define TRIBUTARY_CONNECTORS_FORM_INTERN_H

#include "connectors/form.h"
#include "connectors/form_body.h"
#include "connectors/repeat_window.h"
#include "daemon/base/buf.h"

struct push_source {
    struct source_context context;
    struct slice path;
    struct slice redirect, redirect_error;
    size_t origin_count, allowed_redirect_count, honeypot_count, required_count;
    const struct slice *origins, *allowed_redirects, *honeypots, *required;
    bool origins_strict;
    size_t body_max_bytes;
    int64_t fill_time_least_ms;
    struct arena *arena;  /* of the layout */
    struct slice layout;
    struct slice page;    /* HTML; empty: none */
    struct slice page_policy; /* what the page may load, and where its form may lead */
    struct repeat_window *window;
};

/* form_page.c */
MUST_CHECK enum status form_page_read(struct push_source *source, const char *path, struct err *err);
void form_page_reply(const struct push_source *source, struct push_reply *reply);

/* form_record.c: meta and layout to a record; the whole of `parse`. */
struct form_meta {
    struct slice content_type, ip, user_agent, page, key;
    int64_t received_ms; /* 0: the post names no time of its own */
};
void form_put_meta(struct buf *out, const struct form_meta *meta);
/* The layout of a source: what of its options decides how a body becomes a record. */
struct slice form_layout(const struct options *options, struct arena *arena);
enum status form_parse(const struct source_context *context, struct slice layout, struct slice meta,
                       struct slice body, struct arena *arena, struct delivery *delivery,
                       struct err *err);
/* Names that steer us and are no values (_next, captcha answers ...). */
bool form_is_control_name(struct slice name);
/* utm_source, gclid, referrer ...: says where somebody came from, not who it is. */
bool form_is_attribution_name(struct slice name);
extern const char *const form_default_honeypots[]; /* ended by NULL */

/* form_url.c */
/* An absolute http(s) URL without anything that two readers could understand in two ways. */
bool form_url_is_safe(struct slice url);
/* `url` lies under one of the prefixes (same scheme, host and port, path from its beginning). */
bool form_url_allowed(struct slice url, const struct slice *prefixes, size_t count);
/* scheme://host[:port] of a URL; empty when it has none. */
struct slice form_url_origin(struct slice url);

/* form_reply.c */
struct form_error {
    struct slice field; /* as the form names it; empty: the form as a whole */
    const char *code;
    struct slice param;
};
/* Whether the Origin (or its absence) is one the source takes; adds the CORS headers when it is. */
bool form_check_origin(const struct push_source *source, const struct push_request *request,
                       struct push_reply *reply);
void form_reply_preflight(struct push_reply *reply);
/* `form` may be NULL (its body could not be read). */
void form_reply_success(const struct push_source *source, const struct push_request *request,
                        const struct form_body *form, struct arena *arena, struct push_reply *reply);
void form_reply_errors(const struct push_source *source, const struct push_request *request,
                       const struct form_body *form, unsigned status, const struct form_error *errors,
                       size_t count, struct arena *arena, struct push_reply *reply);

#endif
