/*
 * form_body.h - the fields of a posted form, whatever way it was written.
 *
 * application/x-www-form-urlencoded, multipart/form-data and JSON (a flat object; nested ones with dots, lists of
 * plain values joined by "; "; HubSpot's {fields:[{name,value}],context,legalConsentOptions}). The charset is what
 * the content type or a field `_charset_` says, else UTF-8, and GB18030 when the bytes are not UTF-8. Pure; fuzzed.
 */
#ifndef TRIBUTARY_CONNECTORS_FORM_BODY_H
#define TRIBUTARY_CONNECTORS_FORM_BODY_H

#include <jansson.h>

#include "daemon/base/arena.h"
#include "rules/record.h"

#define FORM_FIELDS_MAX 400 /* distinct names; parts of a multipart body too */
#define FORM_VALUES_MAX 2000 /* values of all names */
#define FORM_DEPTH_MAX  8   /* of JSON */

struct form_field {
    struct slice name;  /* without a trailing [] */
    struct slice value; /* all values of that name, joined by "; " */
    bool is_file;       /* value tells its name and size; what is in it is not read */
    size_t room;        /* of a joined value, in bytes */
};

struct form_body {
    size_t count;
    struct form_field *fields;
    size_t value_count; /* before joining */
    bool is_json;
    struct slice page_url; /* of HubSpot's context */
    int64_t submitted_us;  /* HubSpot's submittedAt; 0 none */
    size_t consent_count;  /* of HubSpot's legalConsentOptions */
    struct consent *consents;
};

/* NULL when read; else a stable code: form.content_type, form.too_many_fields, form.multipart, form.json,
 * form.too_deep, form.encoding, form.nul, form.memory. Fields live in `arena` or in `body`. */
const char *form_body_parse(struct slice content_type, struct slice body, struct arena *arena,
                            struct form_body *form);

/* An object's members as fields of a form, as those of a posted one. form->fields is the caller's array of
 * FORM_FIELDS_MAX. The same codes. */
const char *form_flatten(json_t *object, struct arena *arena, struct form_body *form);

/* The value of a field; empty when absent. */
struct slice form_value(const struct form_body *form, const char *name);

/* A parameter of a header value such as `multipart/form-data; boundary="x"`; empty when absent. Quotes are taken
 * off; with \" inside as browsers write it. */
struct slice header_parameter(struct arena *arena, struct slice value, const char *name);

#endif
