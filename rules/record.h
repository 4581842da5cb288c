/*
 * record.h - a record on its way: as its source says it (raw) and after the rules (clean).
 *
 * Both are plain data in somebody's arena (one a batch). All text is UTF-8 without NUL once a
 * raw_record exists: connectors decode, and refuse what cannot be decoded.
 */
#ifndef TRIBUTARY_RULES_RECORD_H
#define TRIBUTARY_RULES_RECORD_H

#include "rules/field.h"

enum record_op { RECORD_UPSERT, RECORD_DELETE };
enum record_kind { KIND_PERSON = 1, KIND_COMPANY = 2 };

/* Named columns shared by many records (one sheet, one JSON mapping): `id` is a hash of the names, by which a
 * cleaner may remember how they map onto fields. */
struct columns {
    uint64_t id;
    size_t count;
    const struct slice *names;
};

/* Something the customer did. `key` makes it one activity however often it is delivered
 * (unique within the source). */
struct activity {
    struct slice type;    /* "order", "registration", "check_in", "form", "call" ... */
    struct slice key;
    int64_t at_us;        /* 0: the record's effective time */
    struct slice data;    /* a JSON object, or empty */
};

struct consent {
    struct slice purpose; /* "marketing", "privacy_policy" ... */
    bool granted;
    struct slice text;    /* the wording the person saw */
    struct slice version;
    int64_t at_us;        /* 0: the record's effective time */
    struct slice ip;
    struct slice user_agent;
    struct slice method;  /* "form", "import", "api" */
};

#define ACTIVITIES_MAX 64 /* of one record */
#define CONSENTS_MAX   32

/* What a source says of one party, before any rule. */
struct raw_record {
    struct slice external_id; /* never empty in an accepted record */
    struct slice part;        /* "main" when there is one party */
    enum record_op op;
    int64_t effective_us;     /* the source's time; 0 when it gave none (acceptance time then) */
    const struct columns *columns;
    const struct slice *values; /* columns->count of them; an empty slice is a missing value */
    size_t activity_count;
    const struct activity *activities;
    size_t consent_count;
    const struct consent *consents;
    bool is_test;               /* the sender says it is a test: kept, never a lead */
};

enum value_flag {
    VALUE_MASKED = 1,     /* 138****1234: shown, never evidence */
    VALUE_NOBODY = 2,     /* 13800000000, test@test.com, n/a: names nobody */
    VALUE_VIRTUAL = 4,    /* a marketplace's relay number */
    VALUE_ENCRYPTED = 8,  /* a marketplace's cipher text */
    VALUE_INVALID = 16,   /* fails its check but is kept with a warning */
    VALUE_DERIVED = 32,   /* made from another value (title out of the name) */
};
/* None of these is ever compared, keyed or counted. */
#define VALUE_NOT_EVIDENCE (VALUE_MASKED | VALUE_NOBODY | VALUE_VIRTUAL | VALUE_ENCRYPTED | VALUE_INVALID)

struct clean_value {
    uint16_t field;
    uint16_t flags;
    struct slice value;    /* canonical: E.164 (";ext=12" after it), lower-case e-mail, ISO date ... */
    struct slice original; /* as written, trimmed; empty when the same as value */
    const struct parsed_value *parsed; /* parsed.h; NULL: nobody has parsed it, or nobody knows any more */
};

struct extra_value { /* a column that maps onto no field, kept */
    struct slice name;
    struct slice value;
};

enum clean_outcome {
    CLEAN_OK,
    CLEAN_REJECT,     /* refused: not stored, kept as a reject with raw bytes */
    CLEAN_QUARANTINE, /* held for a person: stored as a reject that can be retried */
    CLEAN_SUPPRESS,   /* must not be kept as a customer (opted out, is a deleted person) */
};

enum issue_severity { ISSUE_WARN, ISSUE_QUARANTINE, ISSUE_REJECT };

/* One thing a rule has to say. Code and parameters, never a translated sentence: the form's reply, the
 * reject and the metrics are made from it. */
struct issue {
    enum issue_severity severity;
    const char *code;      /* "phone.too_short", "required", "pattern" ... stable */
    uint16_t field;        /* FIELD_NONE for the record as a whole */
    struct slice param;    /* e.g. the bound that was passed; may be empty; never the value itself */
};

#define VALUES_MAX 512 /* clean values and extras of one record, each */
#define ISSUES_MAX 64

/* A record after the rules. Values are ordered by field id, a set's values by bytes, so that equal
 * records are equal bytes. */
struct clean_record {
    enum record_kind kind;
    enum clean_outcome outcome;
    size_t value_count;
    const struct clean_value *values;
    size_t extra_count;
    const struct extra_value *extras;
    size_t issue_count;
    const struct issue *issues;
};

/* The first value of a field that is evidence (or any, with not_evidence_too), or NULL. */
const struct clean_value *clean_find(const struct clean_record *record, uint16_t field,
                                     bool not_evidence_too);

#endif
