/*
 * features.h - the packed comparison values of one record, read back.
 *
 * Features are a header (layout, kind, space) and a run of (tag, length, payload). They hold what
 * keys and comparisons need and nothing for show: names folded and romanised beside their
 * simplified characters, phones as numbers, e-mails as text, hashes where only equality counts.
 * They may come back from a database, so a reader believes nothing: what does not parse is left
 * out, and reading stops at the first torn entry.
 *
 * Private to rules/: the rest of the daemon uses match.h.
 */
#ifndef TRIBUTARY_RULES_FEATURES_H
#define TRIBUTARY_RULES_FEATURES_H

#include "rules/match.h"
#include "rules/name.h"

#define FEATURES_LAYOUT      3
#define FEATURES_HEAD_BYTES  6 /* layout, kind, space_key (big-endian) */
#define FEATURE_PHONES_MAX   4
#define FEATURE_EMAILS_MAX   3
#define FEATURE_CUSTOMS_MAX  24
#define FEATURE_TEXT_MAX     64 /* bytes of one text kept for comparing */
#define PHONE_EXTENSION_BITS 14

enum feature_tag {
    TAG_NONE,
    TAG_NAME,
    TAG_SUFFIX,
    TAG_GENDER,
    TAG_PHONE,
    TAG_EMAIL,
    TAG_BIRTH,
    TAG_IDENTITY,
    TAG_WECHAT_ID,
    TAG_WECHAT_OPENID,
    TAG_MEMBER,
    TAG_COMPANY,
    TAG_CITY,
    TAG_DISTRICT,
    TAG_POSTAL,
    TAG_ADDRESS,
    TAG_WEBSITE,
    TAG_CUSTOM,
    TAG_COUNT,
    /* Fields that are gathered before they are packed. */
    TAG_FULL_NAME = 64,
    TAG_FAMILY_NAME,
    TAG_GIVEN_NAME,
    TAG_NAME_TITLE,
};

struct feature_name {
    enum name_script script;
    bool order_certain;
    bool family_only;
    bool doubtful;              /* hardly a person's name: 追梦人, SJG, Lucky */
    struct slice family, given; /* folded: "zhang", "xiaoming", "hans peter" */
    struct slice family_han,
        given_han;       /* simplified characters; empty when it was not written in them */
    struct slice packed; /* the entry as it lies there: equal bytes, equal name */
};

enum email_flag { EMAIL_ROLE = 1, EMAIL_FREE = 2 };

struct feature_email {
    uint8_t flags;
    struct slice whole, local, domain;
};

struct feature_date { /* 0 where unknown */
    uint16_t year;
    uint8_t month, day;
};

struct feature_custom {
    uint16_t name_hash; /* of the field's name: survives a change of the schema */
    uint8_t type;       /* enum field_type */
    struct slice payload;
};

struct features_view {
    enum record_kind kind;
    uint32_t space;
    bool has_name, has_company, has_address;
    uint8_t gender; /* 'm', 'f' or 0 */
    uint8_t suffix; /* 'J', 'S', '2' .. '9' or 0 */
    uint8_t phone_count, email_count, custom_count;
    struct feature_date birth;
    uint64_t identity, wechat_id, wechat_openid, member; /* 0: none */
    struct slice company, branch, region;
    struct slice city, district, postal, website;
    struct slice street;  /* the words of it: "elm st", "公园路水岸新城" */
    struct slice numbers; /* house, unit, room: "12 5" */
    struct feature_name name;
    uint64_t phones[FEATURE_PHONES_MAX]; /* number << PHONE_EXTENSION_BITS | extension */
    struct feature_email emails[FEATURE_EMAILS_MAX];
    struct feature_custom customs[FEATURE_CUSTOMS_MAX];
};

/* False (and an empty view of kind 0) when the head is not one of ours. */
bool features_read(struct slice features, struct features_view *view);

/* One phone or e-mail or date as packed; used for the users' own fields too. 0 / empty / year 0
 * when it is none. */
uint64_t feature_phone_pack(struct slice canonical);
struct feature_date feature_date_parse(struct slice iso);
struct feature_email feature_email_of(struct slice whole);
struct address_parts;
void feature_street(const struct address_parts *parts, struct arena *arena, struct slice *words,
                    struct slice *numbers);
bool email_domain_is_free(struct slice domain); /* gmail.com, qq.com: anybody's */
bool email_local_is_role(struct slice local);   /* info@, sales@: many people's */

/* A family name and a given name that is more than initials, and no chat name: who it is, rather than a hint at it. */
bool name_is_whole(const struct feature_name *name);

/* Words of a folded part. */
size_t name_words(struct slice part, struct slice *words, size_t max);

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t h = (a ^ (b + 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2))) * 0xFF51AFD7ED558CCDULL;
    h ^= h >> 32;
    h *= 0xC4CEB9FE1A85EC53ULL;
    return h ^ h >> 29;
}

#endif
