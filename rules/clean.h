/*
 * clean.h - cleaning one value of a known type.
 *
 * clean_value_typed() is a pure function of (type, context, input). It never fails: what it cannot make
 * sense of is kept as written with VALUE_INVALID and an issue. Text that comes back lies in the
 * arena or is part of the input; it is valid UTF-8, trimmed, in Unicode form NFKC and holds no NUL or
 * control character (a long text keeps its line feeds). When the arena is full the arena says so.
 *
 * Issue codes: value.too_long, text.bad_encoding; email.syntax, email.domain_typo (param: suggestion), phone.invalid,
 * phone.precision_lost, phone.no_country, phone.too_short, phone.too_long, date.invalid, date.implausible,
 * date.precision_lost, timestamp.invalid, id_number.invalid, id_number.checksum, id_number.precision_lost,
 * number.invalid, money.invalid, money.no_currency, url.invalid, geo.invalid, country.unknown, name.no_letters.
 * All are ISSUE_WARN: a pack may raise them.
 */
#ifndef TRIBUTARY_RULES_CLEAN_H
#define TRIBUTARY_RULES_CLEAN_H

#include "rules/record.h"

struct clean_context {
    const char *country;   /* ISO 3166 alpha-2 in capitals for numbers without a country; "" or NULL unknown.
                            * For FIELD_ID_NUMBER give the field's own country when it has one. */
    const char *time_zone; /* IANA name for times without a zone; "" or NULL is UTC */
    bool day_first;        /* 03/04/2026 is the third of April */
};

#define CLEAN_INPUT_MAX_BYTES 65536
#define CLEANED_ISSUES_MAX    2
#define CLEANED_SIDES_MAX     12

/* What a value says besides itself; the caller decides which field takes it (VALUE_DERIVED). */
enum side_kind {
    SIDE_ANOTHER,      /* one more canonical value of the same field (second phone; each further tag) */
    SIDE_FULL_NAME,    /* of an e-mail written "Li Wei <li@example.com>" */
    SIDE_FAMILY_NAME,
    SIDE_GIVEN_NAME,
    SIDE_TITLE,        /* 经理, Dr., Herr */
    SIDE_SUFFIX,       /* Jr., III */
    SIDE_NOTE,         /* what stood in brackets */
    SIDE_GENDER,       /* "male", "female": from 先生, Mrs, an identity card ... */
    SIDE_EXTENSION,    /* of a phone, digits; it is also in the value after ";ext=" */
    SIDE_BIRTH_DATE,   /* ISO, from an identity card */
    SIDE_EMAIL_ROLE,   /* "info", "sales": a mailbox of many people */
    SIDE_COUNTRY,      /* ISO 3166 alpha-2 */
    SIDE_PROVINCE,
    SIDE_CITY,
    SIDE_DISTRICT,
    SIDE_STREET,       /* the address without country, province, city, district and postal code */
    SIDE_POSTAL_CODE,
    SIDE_CURRENCY,     /* ISO 4217 */
    SIDE_KIND_COUNT,
};

struct cleaned_side {
    enum side_kind kind;
    uint16_t flags; /* VALUE_DERIVED, and what the value itself has */
    struct slice value;
};

struct cleaned_issue {
    enum issue_severity severity;
    const char *code;
    struct slice param;
};

struct cleaned {
    struct slice value;    /* canonical; empty when the input is blank */
    struct slice original; /* trimmed, as written; empty when the same as value */
    const struct parsed_value *parsed; /* of a company and, mostly, of an address; else NULL */
    uint16_t flags;        /* enum value_flag */
    uint8_t issue_count;
    uint8_t side_count;
    struct cleaned_issue issues[CLEANED_ISSUES_MAX];
    struct cleaned_side sides[CLEANED_SIDES_MAX];
};

/*
 * Canonical forms by type:
 *   TEXT, CATEGORY   NFKC, spaces collapsed (a text keeps its line feeds)
 *   PERSON_NAME      the name alone, as one writes it: "张三", "Hans-Peter Müller"; see name.h
 *   EMAIL            lower case, provider rules applied (gmail dots, +tags), domain as A-labels
 *   PHONE            "+8613812345678", "+862161234567;ext=123"
 *   ADDRESS          NFKC, abbreviations one way; province, city, district ... as sides
 *   COMPANY          NFKC, spaces and brackets one way; see company.h for its parts
 *   DATE             "1990-03-05", or what is known of it: "1990-03", "1990"
 *   TIMESTAMP        "2026-03-01T01:00:00Z" or with microseconds "2026-03-01T01:00:00.250000Z"
 *   ID_NUMBER        capitals, no separators
 *   URL              scheme and host in lower case, host as A-labels
 *   GEO              "31.230400,121.473700" (latitude, longitude)
 *   TAGS             the first tag; the others are SIDE_ANOTHER (at most CLEANED_SIDES_MAX; use
 *                    clean_tags() for all of them)
 *   NUMBER           "1234.5": no grouping, point, no trailing zeros
 *   MONEY            "1250 CNY" in minor units; "1250" when the currency is unknown
 */
void clean_value_typed(enum field_type type, const struct clean_context *context,
                       struct slice input, struct arena *arena, struct cleaned *out);

/* First side of that kind, or NULL. */
const struct cleaned_side *cleaned_find(const struct cleaned *cleaned, enum side_kind kind);

/* Splits on , ; | and their full-width forms; trims, drops blanks and doubles. Returns how many, at most max. */
size_t clean_tags(struct slice input, struct arena *arena, struct slice *tags, size_t max);

/* A timestamp's value, or a date's midnight UTC, as microseconds since 1970. False when it is neither. */
bool clean_timestamp_us(struct slice canonical, int64_t *at_us);

/* A country by its code or name in English, Chinese or its own languages: ISO 3166 alpha-2, or NULL. */
const char *clean_country(struct slice text);

#endif
