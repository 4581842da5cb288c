/*
 * form_json.c - a form posted as JSON. See form_body.h.
 *
 * The shape of HubSpot's Forms API v3 is understood beside plain objects:
 * {"submittedAt":ms,"fields":[{"name","value"}],"context":{"pageUri"},"legalConsentOptions":{...}}.
 */
#include <stdio.h>

#include "connectors/form_body_intern.h"
#include "connectors/json_text.h"

#define NAME_MAX_BYTES 512

struct flattening {
    struct form_body *form;
    struct arena *arena;
    const char *code; /* why it failed */
};

static bool add_value(struct flattening *f, const char *name, struct slice value)
{
    if (form_add(f->form, f->arena, arena_dup(f->arena, slice_str(name)), value, false))
        return true;
    f->code = arena_failed(f->arena) ? "form.memory" : "form.too_many_fields";
    return false;
}

static bool is_plain(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

static bool flatten(struct flattening *f, const char *prefix, json_t *value, unsigned depth);

static bool flatten_child(struct flattening *f, const char *prefix, const char *key, json_t *value,
                          unsigned depth)
{
    char name[NAME_MAX_BYTES];
    int length = snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "." : "", key);
    if (length < 0 || (size_t)length >= sizeof(name)) {
        f->code = "form.json";
        return false;
    }
    return flatten(f, name, value, depth);
}

static bool flatten(struct flattening *f, const char *prefix, json_t *value, unsigned depth)
{
    if (depth > FORM_DEPTH_MAX) {
        f->code = "form.too_deep";
        return false;
    }
    if (json_is_object(value)) {
        const char *key;
        json_t *child;
        json_object_foreach(value, key, child) {
            if (!flatten_child(f, prefix, key, child, depth + 1))
                return false;
        }
        return true;
    }
    if (!json_is_array(value))
        return add_value(f, prefix, json_plain_text(f->arena, value));
    size_t index;
    json_t *child;
    json_array_foreach(value, index, child) {
        char number[24];
        snprintf(number, sizeof(number), "%zu", index);
        bool added = is_plain(child) ? add_value(f, prefix, json_plain_text(f->arena, child))
                                     : flatten_child(f, prefix, number, child, depth + 1);
        if (!added)
            return false;
    }
    return true;
}

/* ---- HubSpot's shape ---- */

static bool is_hubspot(json_t *root)
{
    json_t *fields = json_object_get(root, "fields");
    size_t index;
    json_t *field;
    if (!json_is_array(fields) || json_array_size(fields) == 0)
        return false;
    json_array_foreach(fields, index, field) {
        if (!json_is_string(json_object_get(field, "name")))
            return false;
    }
    return true;
}

static void add_consent(struct flattening *f, struct slice purpose, const json_t *granted, const json_t *text)
{
    if (f->form->consent_count == CONSENTS_MAX || granted == NULL)
        return;
    struct slice said = json_plain_text(f->arena, granted);
    f->form->consents[f->form->consent_count++] =
        (struct consent){.purpose = purpose,
                         .granted = json_is_true(granted) || slice_eq_nocase(said, SLICE("true")),
                         .text = json_is_string(text) ? json_plain_text(f->arena, text) : SLICE_EMPTY,
                         .method = SLICE("form")};
}

static struct slice subscription_purpose(struct flattening *f, const char *sort, const json_t *item)
{
    struct slice id = json_plain_text(f->arena, json_object_get(item, "subscriptionTypeId"));
    return id.len > 0 ? arena_printf(f->arena, "%s:" SLICE_FMT, sort, SLICE_ARG(id)) : slice_str(sort);
}

static void take_consents(struct flattening *f, json_t *options)
{
    json_t *consent = json_object_get(options, "consent");
    json_t *interest = json_object_get(options, "legitimateInterest");
    f->form->consents = ARENA_ARRAY(f->arena, struct consent, CONSENTS_MAX);
    if (f->form->consents == NULL)
        return;
    add_consent(f, SLICE("processing"), json_object_get(consent, "consentToProcess"),
                json_object_get(consent, "text"));
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(consent, "communications"), index, item) {
        add_consent(f, subscription_purpose(f, "communication", item), json_object_get(item, "value"),
                    json_object_get(item, "text"));
    }
    if (json_is_object(interest))
        add_consent(f, subscription_purpose(f, "legitimate_interest", interest),
                    json_object_get(interest, "value"), json_object_get(interest, "text"));
}

static void take_hubspot(struct flattening *f, json_t *root)
{
    size_t index;
    json_t *field;
    json_array_foreach(json_object_get(root, "fields"), index, field) {
        json_t *value = json_object_get(field, "value");
        if (value && !flatten(f, json_string_value(json_object_get(field, "name")), value, 1))
            return;
    }
    json_t *context = json_object_get(root, "context");
    json_t *page = json_object_get(context, "pageUri");
    if (json_is_string(page))
        f->form->page_url = json_plain_text(f->arena, page);
    json_t *cookie = json_object_get(context, "hutk");
    if (json_is_string(cookie) && !add_value(f, "hutk", json_plain_text(f->arena, cookie)))
        return;
    int64_t submitted_ms = 0;
    if (slice_to_int64(json_plain_text(f->arena, json_object_get(root, "submittedAt")), &submitted_ms) &&
        submitted_ms > 0 && submitted_ms < INT64_MAX / 1000)
        f->form->submitted_us = submitted_ms * 1000;
    take_consents(f, json_object_get(root, "legalConsentOptions"));
}

const char *form_flatten(json_t *object, struct arena *arena, struct form_body *form)
{
    struct flattening f = {form, arena, NULL};
    (void)flatten(&f, "", object, 0);
    return f.code;
}

const char *form_parse_json(struct slice body, struct arena *arena, struct form_body *form)
{
    struct flattening f = {form, arena, NULL};
    json_error_t error;
    json_t *root = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root))
        f.code = "form.json";
    else if (is_hubspot(root))
        take_hubspot(&f, root);
    else
        (void)flatten(&f, "", root, 0);
    json_decref(root);
    return f.code;
}
