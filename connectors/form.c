/* form.c - see form.h: options, and the way of one post. */
#include "connectors/form.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>

#include "connectors/form_intern.h"
#include "connectors/push_util.h"

#define WINDOW_ENTRIES    100000
#define WINDOW_MS         600000
#define KEY_MAX_BYTES     200
#define LAYOUT_MAX_BYTES  ((size_t)4 << 20) /* and the page */
#define ERRORS_MAX        64

static const struct option consent_options[] = {
    {.key = "purpose", .type = OPTION_STRING, .help = "what is consented to, such as marketing; default: the box's name"},
    {.key = "text", .type = OPTION_STRING, .default_text = "", .help = "the wording the person sees"},
    {.key = "version", .type = OPTION_STRING, .default_text = "", .help = "the version of the wording"},
    {.key = NULL},
};

static const struct option form_options[] = {
    {.key = "path", .type = OPTION_STRING, .flags = OPTION_REQUIRED, .help = "where the form posts to, such as /f/landing"},
    {.key = "page", .type = OPTION_STRING, .help = "an HTML file served to who opens the path; its form posts to it"},
    {.key = "redirect", .type = OPTION_STRING, .help = "the page shown after a success; without it a small one of ours"},
    {.key = "redirect_error", .type = OPTION_STRING, .help = "the page shown after a failure, given ?error=code&field=name"},
    {.key = "allowed_redirects", .type = OPTION_STRINGS, .default_text = "[]", .max = 100,
     .help = "beginnings of URLs that a form's own _next or _redirect may name"},
    {.key = "origins", .type = OPTION_STRINGS, .default_text = "[\"*\"]", .max = 200,
     .help = "sites whose pages may post, such as https://www.example.com; * is any"},
    {.key = "origins_strict", .type = OPTION_BOOL, .default_text = "false",
     .help = "refuse posts that do not say which site they come from"},
    {.key = "honeypot", .type = OPTION_STRINGS, .default_text = "[]", .max = 20,
     .help = "further names of fields that only robots fill; _gotcha, bot-field, _honey, wpforms[hp] always are"},
    {.key = "required", .type = OPTION_STRINGS, .default_text = "[]", .max = 100,
     .help = "names of fields that must not be empty"},
    {.key = "consent", .type = OPTION_SECTIONS, .children = consent_options,
     .help = "boxes to tick, by their name in the form"},
    {.key = "max_body", .type = OPTION_SIZE, .default_text = "1M", .min = 256, .max = 1048576,
     .help = "most bytes of one post"},
    {.key = "min_fill_time", .type = OPTION_DURATION, .default_text = "0s", .min = 0, .max = 3600000,
     .help = "a post sooner after the page's _started_at (milliseconds since 1970) is a robot's"},
    {.key = "campaign", .type = OPTION_STRING, .default_text = "", .help = "the campaign of posts that do not name one"},
    {.key = "activity", .type = OPTION_STRING, .default_text = "form", .help = "the type of activity a post is"},
    {.key = NULL},
};

/* ---- the source ---- */

static void check_urls(const struct options *options, const char *key, struct problems *problems)
{
    const char *url = options_string(options, key);
    if (url && url[0] && !form_url_is_safe(slice_str(url)))
        problems_add(problems, options_where(options), "%s: '%s' is not a URL to send people to; hint: it begins "
                     "with https:// and has no spaces", key, url);
}

static void check(const struct options *options, struct problems *problems)
{
    const struct slice *list;
    const char *path = options_string(options, "path");
    if (path && path[0] != '/')
        problems_add(problems, options_where(options), "path: '%s' does not begin with /", path);
    check_urls(options, "redirect", problems);
    check_urls(options, "redirect_error", problems);
    size_t count = options_strings(options, "allowed_redirects", &list);
    for (size_t i = 0; i < count; i++) {
        if (!form_url_is_safe(list[i]))
            problems_add(problems, options_where(options), "allowed_redirects: '" SLICE_FMT "' is not the beginning "
                         "of a URL; hint: such as https://www.example.com/", SLICE_ARG(list[i]));
    }
    count = options_strings(options, "origins", &list);
    for (size_t i = 0; i < count; i++) {
        struct slice origin = form_url_origin(list[i]);
        bool whole = origin.len == list[i].len || (origin.len + 1 == list[i].len && list[i].ptr[origin.len] == '/');
        if (!slice_is(list[i], "*") && (origin.len == 0 || !whole))
            problems_add(problems, options_where(options), "origins: '" SLICE_FMT "' is not a site; hint: such as "
                         "https://www.example.com, without a path", SLICE_ARG(list[i]));
    }
}

static void close_form(struct push_source **source_place)
{
    struct push_source *source = *source_place;
    if (source == NULL)
        return;
    repeat_window_free(&source->window);
    arena_free(&source->arena);
    free(source);
    *source_place = NULL;
}

static struct push_source *open_form(const struct source_context *context, struct err *err)
{
    const struct options *options = context->options;
    struct push_source *source = calloc(1, sizeof(*source));
    if (source) {
        source->arena = arena_new(LAYOUT_MAX_BYTES);
        source->window = repeat_window_new(WINDOW_ENTRIES, WINDOW_MS);
    }
    if (source == NULL || source->arena == NULL || source->window == NULL) {
        close_form(&source);
        (void)err_set(err, RETRY_LATER, "base.memory", "out of memory for source %s", context->name);
        return NULL;
    }
    source->context = *context;
    source->path = slice_str(options_string(options, "path"));
    source->redirect = slice_str(options_string(options, "redirect"));
    source->redirect_error = slice_str(options_string(options, "redirect_error"));
    source->origin_count = options_strings(options, "origins", &source->origins);
    source->allowed_redirect_count =
        options_strings(options, "allowed_redirects", &source->allowed_redirects);
    source->honeypot_count = options_strings(options, "honeypot", &source->honeypots);
    source->required_count = options_strings(options, "required", &source->required);
    source->origins_strict = options_bool(options, "origins_strict");
    source->body_max_bytes = (size_t)options_int(options, "max_body");
    source->fill_time_least_ms = options_int(options, "min_fill_time");
    source->layout = form_layout(options, source->arena);
    const char *page = options_string(options, "page");
    if (source->layout.len == 0) {
        close_form(&source);
        (void)err_set(err, RETRY_REJECT_CONFIG, "form.layout", "source %s: its consent texts are too long",
                      context->name);
    } else if (page && page[0] && form_page_read(source, page, err) != STATUS_OK) {
        close_form(&source);
    }
    return source;
}

static bool match(const struct push_source *source, const struct push_request *request)
{
    struct slice path = request->path;
    if (path.len > 1 && path.ptr[path.len - 1] == '/' && path.len == source->path.len + 1)
        path.len--;
    return slice_eq(path, source->path);
}

/* ---- one post ---- */

static bool is_robot(const struct push_source *source, const struct push_request *request,
                     const struct form_body *form)
{
    for (const char *const *name = form_default_honeypots; *name; name++) {
        if (slice_trim(form_value(form, *name)).len > 0)
            return true;
    }
    for (size_t i = 0; i < form->count; i++) {
        for (size_t j = 0; j < source->honeypot_count; j++) {
            if (slice_eq(form->fields[i].name, source->honeypots[j]) &&
                slice_trim(form->fields[i].value).len > 0)
                return true;
        }
    }
    /* A visitor's clock that runs ahead of ours says nothing: a lead is not lost to it. */
    int64_t started_ms, now_ms = request->received_us / 1000;
    return source->fill_time_least_ms > 0 && slice_to_int64(form_value(form, "_started_at"), &started_ms) &&
           started_ms <= now_ms && started_ms > now_ms - source->fill_time_least_ms;
}

static bool is_empty(const struct form_body *form)
{
    if (form_value(form, "_replyto").len > 0 || form->consent_count > 0)
        return false;
    for (size_t i = 0; i < form->count; i++) {
        struct slice name = form->fields[i].name;
        if (slice_trim(form->fields[i].value).len > 0 && !form_is_control_name(name) &&
            !form_is_attribution_name(name))
            return false;
    }
    return true;
}

static size_t missing_fields(const struct push_source *source, const struct form_body *form,
                             struct form_error *errors)
{
    size_t count = 0;
    for (size_t i = 0; i < source->required_count && count < ERRORS_MAX; i++) {
        bool given = false;
        for (size_t j = 0; j < form->count && !given; j++)
            given = slice_eq(form->fields[j].name, source->required[i]) &&
                    slice_trim(form->fields[j].value).len > 0;
        if (!given)
            errors[count++] = (struct form_error){.field = source->required[i], .code = "required"};
    }
    return count;
}

/* Keys go into a text column and into people's eyes: printable and short, or by their hash. */
static struct slice sent_key(struct slice key, struct arena *arena)
{
    bool plain = key.len <= KEY_MAX_BYTES;
    for (size_t i = 0; i < key.len && plain; i++)
        plain = key.ptr[i] > ' ' && key.ptr[i] < 127;
    if (plain)
        return arena_printf(arena, "i:" SLICE_FMT, SLICE_ARG(key));
    XXH128_hash_t hash = XXH3_128bits(key.ptr, key.len);
    return arena_printf(arena, "i:#%016llx%016llx", (unsigned long long)hash.high64,
                        (unsigned long long)hash.low64);
}

static struct window_hash post_hash(const struct push_request *request, const struct form_body *form)
{
    XXH3_state_t *state = XXH3_createState();
    struct window_hash result = {0, 0};
    if (state == NULL)
        return result;
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, request->client_ip.ptr, request->client_ip.len);
    for (size_t i = 0; i < form->count; i++) {
        const struct slice parts[] = {form->fields[i].name, form->fields[i].value};
        for (size_t j = 0; j < 2; j++) {
            uint64_t length = parts[j].len;
            XXH3_128bits_update(state, &length, sizeof(length));
            XXH3_128bits_update(state, parts[j].ptr, parts[j].len);
        }
    }
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    return (struct window_hash){hash.high64, hash.low64};
}

static struct slice choose_key(struct push_source *source, const struct push_request *request,
                               const struct form_body *form, struct arena *arena)
{
    struct slice key = push_header(request, "Idempotency-Key");
    if (key.len == 0)
        key = push_header(request, "X-Idempotency-Key");
    if (key.len == 0)
        key = slice_trim(form_value(form, "_idempotency_key"));
    if (key.len > 0)
        return sent_key(key, arena);
    uint8_t id[WINDOW_KEY_BYTES];
    if (getrandom(id, sizeof(id), 0) != sizeof(id))
        return SLICE_EMPTY;
    repeat_window_key(source->window, post_hash(request, form),
                      clock_monotonic_us(source->context.clock), id);
    char text[WINDOW_KEY_BYTES * 2 + 1];
    for (size_t i = 0; i < sizeof(id); i++)
        snprintf(text + 2 * i, 3, "%02x", id[i]);
    return arena_printf(arena, "r:%s", text);
}

static enum push_decision refuse(const struct push_source *source, const struct push_request *request,
                                 const struct form_body *form, unsigned status, const char *code,
                                 struct arena *arena, struct push_reply *reply)
{
    struct form_error error = {.field = SLICE_EMPTY, .code = code, .param = SLICE_EMPTY};
    form_reply_errors(source, request, form, status, &error, 1, arena, reply);
    return PUSH_REPLY_ONLY;
}

/* The delivery of a post that is to be kept. */
static bool make_delivery(struct push_source *source, const struct push_request *request,
                          const struct form_body *form, struct arena *arena,
                          struct delivery_batch *batch)
{
    struct form_meta meta = {.content_type = push_header(request, "Content-Type"),
                             .ip = request->client_ip,
                             .user_agent = push_header(request, "User-Agent"),
                             .page = push_header(request, "Referer"),
                             .key = choose_key(source, request, form, arena),
                             .received_ms = form->submitted_us ? request->received_us / 1000 : 0};
    struct buf meta_json = BUF_INIT((size_t)128 << 10);
    struct delivery *delivery = ARENA_NEW(arena, struct delivery);
    struct err err;
    form_put_meta(&meta_json, &meta);
    struct slice stored_meta = arena_dup(arena, buf_slice(&meta_json));
    bool made = delivery && !buf_failed(&meta_json) && meta.key.len > 0;
    buf_free(&meta_json);
    made = made && form_parse(&source->context, source->layout, stored_meta, arena_dup(arena, request->body),
                              arena, delivery, &err) == STATUS_OK && delivery->refusal == NULL;
    if (!made)
        return false;
    delivery->position = arena_printf(arena, "post to " SLICE_FMT, SLICE_ARG(source->path));
    batch->count = 1;
    batch->deliveries = delivery;
    batch->layout = arena_dup(arena, source->layout);
    batch->cursor = SLICE_EMPTY;
    return !arena_failed(arena);
}

static enum push_decision handle_body(struct push_source *source, const struct push_request *request,
                                      struct arena *arena, struct delivery_batch *batch,
                                      struct push_reply *reply)
{
    struct form_body form;
    struct form_error errors[ERRORS_MAX];
    const char *code = form_body_parse(push_header(request, "Content-Type"), request->body, arena, &form);
    if (code) {
        unsigned status = strcmp(code, "form.content_type") == 0 ? 415 : strcmp(code, "form.memory") == 0 ? 503 : 400;
        return refuse(source, request, NULL, status, code, arena, reply);
    }
    if (is_robot(source, request, &form)) {
        form_reply_success(source, request, &form, arena, reply);
        return PUSH_SUPPRESS;
    }
    if (is_empty(&form))
        return refuse(source, request, &form, 400, "form.empty", arena, reply);
    size_t missing = missing_fields(source, &form, errors);
    if (missing > 0) {
        form_reply_errors(source, request, &form, 422, errors, missing, arena, reply);
        return PUSH_REPLY_ONLY;
    }
    if (!make_delivery(source, request, &form, arena, batch))
        return refuse(source, request, &form, 503, "form.memory", arena, reply);
    return PUSH_ACCEPT;
}

static enum push_decision handle(struct push_source *source, const struct push_request *request,
                                 struct arena *arena, struct delivery_batch *batch,
                                 struct push_reply *reply)
{
    if (!form_check_origin(source, request, reply))
        return refuse(source, request, NULL, 403, "form.origin", arena, reply);
    if (slice_is(request->method, "OPTIONS")) {
        form_reply_preflight(reply);
        return PUSH_REPLY_ONLY;
    }
    bool is_reading = slice_is(request->method, "GET") || slice_is(request->method, "HEAD");
    if (source->page.len > 0 && is_reading) {
        form_page_reply(source, reply);
        return PUSH_REPLY_ONLY;
    }
    if (!slice_is(request->method, "POST"))
        return refuse(source, request, NULL, 405, "form.method", arena, reply);
    if (request->body.len > source->body_max_bytes)
        return refuse(source, request, NULL, 413, "form.too_large", arena, reply);
    return handle_body(source, request, arena, batch, reply);
}

/* ---- the answer ---- */

/* A field as the form names it, for a page to put the message beside it. */
static struct slice own_name(const struct push_source *source, const struct form_body *form,
                             const struct push_verdict *verdict, uint16_t field)
{
    if (field == FIELD_NONE || verdict->schema == NULL || field >= verdict->schema->count)
        return SLICE_EMPTY;
    for (size_t i = 0; i < form->count && source->context.field_of_column; i++) {
        if (source->context.field_of_column(&source->context, form->fields[i].name) == field)
            return form->fields[i].name;
    }
    return slice_str(verdict->schema->fields[field].name);
}

static void answer(struct push_source *source, const struct push_request *request,
                   const struct push_verdict *verdict, struct arena *arena, struct push_reply *reply)
{
    struct form_body form;
    struct form_error errors[ERRORS_MAX];
    size_t count = 0;
    const char *code = form_body_parse(push_header(request, "Content-Type"), request->body, arena, &form);
    (void)form_check_origin(source, request, reply);
    if (!verdict->durable || code) {
        (void)refuse(source, request, code ? NULL : &form, 503, verdict->trouble ? verdict->trouble : "form.busy", arena, reply);
        return;
    }
    for (size_t i = 0; i < verdict->issue_count && count < ERRORS_MAX; i++) {
        const struct issue *issue = &verdict->issues[i];
        if (issue->severity == ISSUE_REJECT)
            errors[count++] = (struct form_error){.field = own_name(source, &form, verdict, issue->field),
                                                  .code = issue->code, .param = issue->param};
    }
    if (count > 0)
        form_reply_errors(source, request, &form, 422, errors, count, arena, reply);
    else
        form_reply_success(source, request, &form, arena, reply);
}

const struct push_connector form_connector = {
    .type = "form",
    .options = form_options,
    .refuses_invalid = true,
    .check = check,
    .open = open_form,
    .match = match,
    .handle = handle,
    .answer = answer,
    .parse = form_parse,
    .close = close_form,
};
