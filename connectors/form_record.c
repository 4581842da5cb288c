/*
 * form_record.c - from the stored bytes of a post to its record: a pure function of (layout, meta, body).
 *
 * Nothing of the record depends on when it came, but its effective time, which the daemon gives; so the same form
 * posted twice is the same content.
 */
#include <stdio.h>

#include "connectors/form_intern.h"
#include "connectors/json_text.h"
#include "connectors/push_util.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"

#define MESSAGE_MAX_BYTES ((size_t)8 << 10)
#define EXTRA_COLUMNS     40 /* attribution, form, campaign, landing page */

const char *const form_default_honeypots[] = {"_gotcha", "bot-field", "_honey", "wpforms[hp]", NULL};

static bool is_one_of(struct slice name, const char *const *names)
{
    for (; *names; names++) {
        if (slice_is(name, *names))
            return true;
    }
    return false;
}

bool form_is_control_name(struct slice name)
{
    static const char *const names[] = {
        "_next", "_redirect", "_subject", "_cc", "_replyto", "_language", "_format", "_charset_", "_captcha",
        "_template", "_autoresponse", "_host_nonce", "_idempotency_key", "_started_at", "_method",
        "g-recaptcha-response", "h-captcha-response", "cf-turnstile-response", "form-name", "csrfmiddlewaretoken",
        "authenticity_token", NULL};
    return is_one_of(name, names) || is_one_of(name, form_default_honeypots) ||
           slice_starts(name, SLICE("_wpcf7"));
}

static const char *const attribution_names[] = {
    "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id", "gclid", "gbraid", "wbraid",
    "fbclid", "msclkid", "ttclid", "li_fat_id", "bd_vid", "clickid", "adid", "creativeid", "gdt_vid", "qz_gdt",
    "callback", "hmsr", "hmpl", "hmcu", "hmkw", "hmci", "sojumpparm", NULL};

bool form_is_attribution_name(struct slice name)
{
    static const char *const further[] = {"referrer", "referer", "landing_page", "page_url", "campaign", NULL};
    return is_one_of(name, attribution_names) || is_one_of(name, further);
}

/* ---- layout and meta ---- */

static void put_member(struct buf *out, const char *key, struct slice value, bool *first)
{
    if (value.len == 0)
        return;
    buf_printf(out, "%s\"%s\":", *first ? "" : ",", key);
    buf_put_json(out, value);
    *first = false;
}

void form_put_meta(struct buf *out, const struct form_meta *meta)
{
    bool first = true;
    buf_put_str(out, "{");
    put_member(out, "type", meta->content_type, &first);
    put_member(out, "ip", meta->ip, &first);
    put_member(out, "agent", meta->user_agent, &first);
    put_member(out, "page", meta->page, &first);
    put_member(out, "key", meta->key, &first);
    if (meta->received_ms > 0)
        buf_printf(out, "%s\"received_ms\":%lld", first ? "" : ",", (long long)meta->received_ms);
    buf_put_str(out, "}");
}

static void put_consents(struct buf *out, const struct options *options)
{
    const struct options *const *consents;
    size_t count = options_sections(options, "consent", &consents);
    buf_put_str(out, ",\"consents\":[");
    for (size_t i = 0; i < count; i++) {
        bool first = true;
        const char *purpose = options_string(consents[i], "purpose");
        buf_put_str(out, i ? ",{" : "{");
        put_member(out, "name", slice_str(options_name(consents[i])), &first);
        put_member(out, "purpose", slice_str(purpose ? purpose : options_name(consents[i])), &first);
        put_member(out, "text", slice_str(options_string(consents[i], "text")), &first);
        put_member(out, "version", slice_str(options_string(consents[i], "version")), &first);
        buf_put_str(out, "}");
    }
    buf_put_str(out, "]");
}

struct slice form_layout(const struct options *options, struct arena *arena)
{
    struct buf out = BUF_INIT((size_t)1 << 18);
    const struct slice *honeypots;
    size_t count = options_strings(options, "honeypot", &honeypots);
    bool first = true;
    buf_put_str(&out, "{");
    put_member(&out, "form", slice_str(options_string(options, "path")), &first);
    put_member(&out, "activity", slice_str(options_string(options, "activity")), &first);
    put_member(&out, "campaign", slice_str(options_string(options, "campaign")), &first);
    buf_put_str(&out, ",\"drop\":[");
    for (size_t i = 0; i < count; i++) {
        buf_put_str(&out, i ? "," : "");
        buf_put_json(&out, honeypots[i]);
    }
    buf_put_str(&out, "]");
    put_consents(&out, options);
    buf_put_str(&out, "}");
    struct slice layout = buf_failed(&out) ? SLICE_EMPTY : arena_dup(arena, buf_slice(&out));
    buf_free(&out);
    return layout;
}

/* ---- the record ---- */

struct making {
    struct arena *arena;
    struct form_body *form;
    const json_t *layout, *meta;
    size_t count;
    struct slice *names, *values;
};

static bool is_dropped(const struct making *m, struct slice name)
{
    size_t index;
    json_t *item;
    if (form_is_control_name(name))
        return true;
    json_array_foreach(json_object_get(m->layout, "drop"), index, item) {
        if (slice_is(name, json_string_value(item)))
            return true;
    }
    json_array_foreach(json_object_get(m->layout, "consents"), index, item) {
        if (slice_eq(name, json_member(item, "name")))
            return true;
    }
    return false;
}

static bool has_column(const struct making *m, struct slice name)
{
    for (size_t i = 0; i < m->count; i++) {
        if (slice_eq(m->names[i], name))
            return true;
    }
    return false;
}

static void add_column(struct making *m, struct slice name, struct slice value)
{
    if (value.len == 0)
        return;
    m->names[m->count] = name;
    m->values[m->count++] = value;
}

static void add_if_missing(struct making *m, const char *name, struct slice value)
{
    if (!has_column(m, slice_str(name)))
        add_column(m, slice_str(name), value);
}

/* Names and values of the page's query are percent-encoded UTF-8, or they are left out. */
static void add_attribution(struct making *m, struct slice page)
{
    ptrdiff_t mark = slice_find_byte(page, '?');
    struct slice query = mark < 0 ? SLICE_EMPTY : slice_sub(page, (size_t)mark + 1, page.len);
    ptrdiff_t hash = slice_find_byte(query, '#');
    if (hash >= 0)
        query = slice_sub(query, 0, (size_t)hash);
    for (const char *const *name = attribution_names; *name; name++) {
        struct slice value = query_param(m->arena, query, *name);
        if (utf8_valid(value) && (value.len == 0 || memchr(value.ptr, '\0', value.len) == NULL))
            add_if_missing(m, *name, arena_dup(m->arena, value));
    }
}

static void add_columns(struct making *m)
{
    const struct form_body *form = m->form;
    for (size_t i = 0; i < form->count; i++) {
        bool named_twice = has_column(m, form->fields[i].name); /* a file and a text */
        if (!is_dropped(m, form->fields[i].name) && !named_twice)
            add_column(m, form->fields[i].name, form->fields[i].value);
    }
    if (!has_column(m, SLICE("email")) && !has_column(m, SLICE("Email")))
        add_column(m, SLICE("email"), form_value(form, "_replyto"));
    struct slice page = form->page_url.len ? form->page_url : json_member(m->meta, "page");
    add_attribution(m, page);
    add_if_missing(m, "landing_page", arena_dup(m->arena, page));
    add_if_missing(m, "campaign", arena_dup(m->arena, json_member(m->layout, "campaign")));
    add_if_missing(m, "form", arena_dup(m->arena, json_member(m->layout, "form")));
}

static bool is_ticked(struct slice value)
{
    static const char *const no[] = {"0", "false", "no", "off", "n", "\xE5\x90\xA6" /* fou */, NULL};
    for (const char *const *word = no; *word; word++) {
        if (slice_eq_nocase(value, slice_str(*word)))
            return false;
    }
    return value.len > 0;
}

/* What a record's consent rows say of where it was given. */
static void finish_consent(const struct making *m, struct consent *consent)
{
    consent->method = SLICE("form");
    consent->ip = arena_dup(m->arena, json_member(m->meta, "ip"));
    consent->user_agent = arena_dup(m->arena, json_member(m->meta, "agent"));
}

static void add_consents(struct making *m, struct raw_record *record)
{
    struct consent *list = ARENA_ARRAY(m->arena, struct consent, CONSENTS_MAX);
    size_t count = 0, index;
    json_t *item;
    for (size_t i = 0; list && i < m->form->consent_count && count < CONSENTS_MAX; i++) {
        list[count] = m->form->consents[i];
        finish_consent(m, &list[count++]);
    }
    json_array_foreach(json_object_get(m->layout, "consents"), index, item) {
        struct slice name = json_member(item, "name");
        for (size_t i = 0; list && i < m->form->count && count < CONSENTS_MAX; i++) {
            if (!slice_eq(m->form->fields[i].name, name))
                continue;
            list[count] = (struct consent){
                .purpose = arena_dup(m->arena, json_member(item, "purpose")),
                .granted = is_ticked(m->form->fields[i].value),
                .text = arena_dup(m->arena, json_member(item, "text")),
                .version = arena_dup(m->arena, json_member(item, "version"))};
            finish_consent(m, &list[count++]);
            break;
        }
    }
    record->consents = list;
    record->consent_count = count;
}

static struct slice message_of(const struct form_body *form)
{
    static const char *const names[] = {"message", "Message", "comments", "comment",
                                        "\xE7\x95\x99\xE8\xA8\x80" /* liu yan */,
                                        "\xE5\xA4\x87\xE6\xB3\xA8" /* bei zhu */, NULL};
    for (const char *const *name = names; *name; name++) {
        struct slice message = form_value(form, *name);
        if (message.len > 0)
            return message.len > MESSAGE_MAX_BYTES ? SLICE_EMPTY : message; /* it is in the record anyway */
    }
    return SLICE_EMPTY;
}

static void add_activity(struct making *m, struct raw_record *record)
{
    struct activity *activity = ARENA_NEW(m->arena, struct activity);
    struct buf data = BUF_INIT((size_t)256 << 10);
    bool first = true;
    if (activity == NULL)
        return;
    buf_put_str(&data, "{");
    put_member(&data, "form", json_member(m->layout, "form"), &first);
    put_member(&data, "subject", form_value(m->form, "_subject"), &first);
    put_member(&data, "message", message_of(m->form), &first);
    buf_put_str(&data, "}");
    activity->type = arena_dup(m->arena, json_member(m->layout, "activity"));
    if (activity->type.len == 0)
        activity->type = SLICE("form");
    activity->key = record->external_id;
    activity->data = buf_failed(&data) ? SLICE_EMPTY : arena_dup(m->arena, buf_slice(&data));
    buf_free(&data);
    record->activities = activity;
    record->activity_count = 1;
}

static void make_columns(struct making *m, struct raw_record *record)
{
    struct columns *columns = ARENA_NEW(m->arena, struct columns);
    uint64_t id = 0;
    if (columns == NULL)
        return;
    for (size_t i = 0; i < m->count; i++)
        id = slice_hash(m->names[i], id + 1);
    columns->id = id;
    columns->count = m->count;
    columns->names = m->names;
    record->columns = columns;
    record->values = m->values;
}

/* The time a post gives itself, unless that is still to come: anybody may post, and the newest wins. */
static int64_t effective_us(const struct making *m)
{
    int64_t received_ms = json_integer_value(json_object_get(m->meta, "received_ms"));
    bool is_future = received_ms > 0 && m->form->submitted_us / 1000 > received_ms;
    return is_future ? 0 : m->form->submitted_us;
}

static void make_record(struct making *m, struct delivery *delivery)
{
    const char *code = form_body_parse(json_member(m->meta, "type"), delivery->body, m->arena, m->form);
    struct raw_record *record = &delivery->records[0];
    m->names = ARENA_ARRAY(m->arena, struct slice, FORM_FIELDS_MAX + EXTRA_COLUMNS);
    m->values = ARENA_ARRAY(m->arena, struct slice, FORM_FIELDS_MAX + EXTRA_COLUMNS);
    if (code || m->names == NULL || m->values == NULL) {
        delivery->refusal = code ? code : "form.memory";
        return;
    }
    record->external_id = arena_dup(m->arena, json_member(m->meta, "key"));
    record->part = SLICE("main");
    record->op = RECORD_UPSERT;
    record->effective_us = effective_us(m);
    add_columns(m);
    make_columns(m, record);
    add_consents(m, record);
    add_activity(m, record);
    delivery->record_count = 1;
}

enum status form_parse(const struct source_context *context, struct slice layout, struct slice meta,
                       struct slice body, struct arena *arena, struct delivery *delivery,
                       struct err *err)
{
    struct form_body form = {0};
    json_error_t error;
    json_t *layout_json = json_loadb(layout.ptr, layout.len, 0, &error);
    json_t *meta_json = json_loadb(meta.ptr, meta.len, 0, &error);
    struct making making = {.arena = arena, .form = &form, .layout = layout_json, .meta = meta_json};
    *delivery = (struct delivery){.body = body, .meta = meta, .position = SLICE("post")};
    enum status status = STATUS_OK;
    if (json_is_object(layout_json) && json_is_object(meta_json))
        make_record(&making, delivery);
    else
        status = err_set(err, RETRY_REJECT_RECORD, "form.meta", "source %s: what was stored with a post "
                         "is not ours", context->name);
    json_decref(layout_json);
    json_decref(meta_json);
    if (arena_failed(arena))
        status = err_set(err, RETRY_LATER, "base.memory", "out of room for a post of source %s", context->name);
    return status;
}
