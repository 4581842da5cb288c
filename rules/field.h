/*
 * field.h - the fields a record can have: names, types, and what the type brings.
 *
 * A schema is the immutable list of fields of one generation: the canonical fields of the packs and
 * the users' own (their golden column is x_NAME). A field id is its place in the schema.
 */
#ifndef TRIBUTARY_RULES_FIELD_H
#define TRIBUTARY_RULES_FIELD_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

enum field_type {
    FIELD_TEXT,
    FIELD_PERSON_NAME,
    FIELD_EMAIL,
    FIELD_PHONE,
    FIELD_ADDRESS, /* one line of an address, or the whole of it */
    FIELD_COMPANY,
    FIELD_DATE,
    FIELD_ID_NUMBER,
    FIELD_URL,
    FIELD_GEO,
    FIELD_CATEGORY,
    FIELD_TAGS,
    FIELD_NUMBER,
    FIELD_MONEY, /* minor units and a currency: "1250 CNY" */
    FIELD_TIMESTAMP,
    FIELD_TYPE_COUNT,
};

enum sensitivity { SENSITIVITY_PUBLIC, SENSITIVITY_PERSONAL, SENSITIVITY_SENSITIVE };

#define FIELD_NONE     UINT16_MAX
#define FIELDS_MAX     256 /* in one schema */
#define FIELD_NAME_MAX 56  /* bytes; fits a PostgreSQL identifier with x_ before it */

struct field {
    uint16_t id;
    const char *name; /* snake_case, e.g. "given_name" */
    enum field_type type;
    const char *group;      /* fields of one group survive together ("address"); "" for none */
    enum sensitivity sensitivity;
    bool multiple;          /* a set: all values are kept and sets unite (tags, interest) */
    bool custom;            /* a user's own field: golden column x_NAME */
    const char *country;    /* ID_NUMBER: "CN" and so on; "" for any */
    const char *label;      /* English, for people */
    const char *label_zh;   /* Chinese; "" when there is none */
};

struct schema {
    size_t count;
    const struct field *fields;
};

/* The field of that name, or NULL. Linear in the count: look up once, keep the id. */
const struct field *schema_find(const struct schema *schema, const char *name);
const char *field_type_name(enum field_type type);       /* "person_name" */
bool field_type_parse(struct slice name, enum field_type *type);
const char *sensitivity_name(enum sensitivity sensitivity);

#endif
