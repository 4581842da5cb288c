/*
 * model.h - a matcher's insides: the compiled model file.
 *
 * The comparisons and their levels are code (compare.h says what each level means); the model file
 * says what each is worth: m and u, whose frequency refines u, which level caps the whole. Private
 * to rules/.
 */
#ifndef TRIBUTARY_RULES_MODEL_H
#define TRIBUTARY_RULES_MODEL_H

#include "rules/features.h"

#define LEVELS_MAX          20 /* of one comparison */
#define MATCHER_CUSTOMS_MAX 64
#define DEGREE_BANDS        8

enum comparison_id {
    /* persons */
    CMP_NAME,
    CMP_SUFFIX,
    CMP_BIRTH,
    CMP_GENDER,
    CMP_PHONE,
    CMP_EMAIL,
    CMP_EMAIL_NAME,
    CMP_WECHAT_ID,
    CMP_WECHAT_OPENID,
    CMP_NATIONAL_ID,
    CMP_MEMBER,
    CMP_COMPANY,
    CMP_ADDRESS,
    /* companies */
    CMP_COMPANY_NAME,
    CMP_CREDIT_CODE,
    CMP_COMPANY_PHONE,
    CMP_COMPANY_EMAIL,
    CMP_COMPANY_SITE,
    CMP_COMPANY_ADDRESS,
    /* what keeps evidence from being counted twice, and what caps it */
    CMP_TOGETHER,
    CMP_CEILING,
    CMP_FIXED_COUNT, /* the users' own fields follow */
};

enum name_level {
    NAME_ELSE,
    NAME_EXACT,
    NAME_SWAPPED,
    NAME_ROMANISED,
    NAME_HOMOPHONE,
    NAME_NICKNAME,
    NAME_PART,
    NAME_INITIAL,
    NAME_TYPO,
    NAME_SIMILAR,
    NAME_ONE_CHARACTER,
    NAME_ENGLISH_GIVEN,
    NAME_FAMILY_ONLY,
    NAME_GIVEN_ONLY,
    NAME_FAMILY_CHANGED,
    NAME_GIVEN_DIFFERS,
    NAME_UNLIKE,
    NAME_WORD_TYPO,
    NAME_LEVELS,
};
enum birth_level {
    BIRTH_ELSE,
    BIRTH_SAME,
    BIRTH_PLACEHOLDER,
    BIRTH_SWAPPED,
    BIRTH_SLIP,
    BIRTH_NEAR,
    BIRTH_MONTH,
    BIRTH_YEAR,
    BIRTH_YEAR_ONLY,
    BIRTH_GENERATION,
    BIRTH_TWO_SLIPS,
    BIRTH_LEVELS,
};
enum phone_level { PHONE_ELSE, PHONE_SAME, PHONE_EXTENSION, PHONE_TAIL, PHONE_SLIP, PHONE_SWITCHBOARD, PHONE_LEVELS };
enum email_level {
    EMAIL_ELSE,
    EMAIL_SAME,
    EMAIL_SAME_ROLE,
    EMAIL_DOMAIN_TYPO,
    EMAIL_LOCAL_TYPO,
    EMAIL_SAME_LOCAL,
    EMAIL_SAME_NAME_LOCAL,
    EMAIL_SIMILAR,
    EMAIL_LEVELS,
};
enum equal_level { EQUAL_ELSE, EQUAL_SAME, EQUAL_SIMILAR, EQUAL_LEVELS };
/* Of users' own fields (own_field.h). */
enum own_level {
    OWN_ELSE,
    OWN_SAME,
    OWN_SIMILAR,
    OWN_CLOSE,
    OWN_LOOSE,
    OWN_ELSEWHERE, /* the value stands in another field of the other record */
    OWN_LEVELS,
};
enum company_level {
    COMPANY_ELSE,
    COMPANY_SAME,
    COMPANY_SAME_REGION,
    COMPANY_CONTAINED,
    COMPANY_SIMILAR,
    COMPANY_BRANCH,
    COMPANY_OTHER_REGION,
    COMPANY_WORDS,
    COMPANY_LEVELS,
};
enum address_level {
    ADDRESS_ELSE,
    ADDRESS_SAME,
    ADDRESS_BUILDING,
    ADDRESS_SIMILAR,
    ADDRESS_STREET,
    ADDRESS_POSTAL,
    ADDRESS_CITY,
    ADDRESS_MOVED,
    ADDRESS_AREA,
    ADDRESS_NEAR,
    ADDRESS_LEVELS,
};

enum frequency_use {
    FREQUENCY_NONE,
    FREQUENCY_FAMILY = 1,
    FREQUENCY_GIVEN = 2,
    FREQUENCY_BOTH = 3,
    FREQUENCY_VALUE = 4, /* own fields: of the value that agrees */
};

struct level_model {
    float weight; /* log2(m / u); u is what remains beside the frequency */
    float m, u;
    float ceiling;     /* log2 odds the whole may not pass; +INFINITY when there is none */
    uint8_t frequency; /* enum frequency_use */
    bool lifts;        /* identity: ceilings give way to it */
};

struct comparison_model {
    struct level_model levels[LEVELS_MAX];
    float band_loss[DEGREE_BANDS]; /* bits lost at each degree band */
};

/* Open addressing; key 0 is an empty slot. */
struct frequency_slot {
    uint64_t key;
    float log2_frequency;
};
struct frequency_table {
    struct frequency_slot *slots;
    size_t mask;
};

enum frequency_kind {
    FREQUENCY_SURNAME = 1,
    FREQUENCY_GIVEN_NAME,
    FREQUENCY_CHARACTER,
    FREQUENCY_SYLLABLE,
    FREQUENCY_OWN = 16, /* values and words of own fields; the field's hash goes in, too */
};

struct custom_field {
    uint16_t field; /* id in the schema */
    uint16_t name_hash;
    enum field_type type;
    enum sensitivity sensitivity; /* of its values: only those of public fields stand in a file */
    const char *name;
    const struct comparison_model *model; /* its own, else that of its type */
    float default_log2;                   /* of a value not in the table; 0: no table */
    float default_token_log2;             /* of a word not in the table; 0: no table */
};

/* A learned blocking key (key_recipe.h): parts of a record that must all agree. */
#define RECIPES_MAX      40
#define RECIPE_PARTS_MAX 3
struct key_recipe {
    uint8_t count;
    uint8_t slots[RECIPE_PARTS_MAX]; /* into recipe_parts */
    uint64_t seed;                   /* of its parts' names: the same recipe gives the same keys in any model */
    const char *name;                /* "given_name, occupation" */
};

struct matcher {
    const char *name; /* of the model file, for problems */
    struct arena *arena;
    uint64_t fingerprint;
    double prior_weight, link_weight, review_weight;
    float ceiling_excess;  /* share of the evidence above a ceiling that still counts */
    float together_factor; /* of the lesser one of phone and address when both agree */
    float name_and_address_max;
    float name_bits_max;   /* the most a name may say, level and rarity together */
    float default_log2[5]; /* by enum frequency_kind: names not in the table */
    struct frequency_table frequencies;
    struct comparison_model comparisons[CMP_FIXED_COUNT];
    struct comparison_model customs[FIELD_TYPE_COUNT];
    size_t custom_count;
    struct custom_field custom_fields[MATCHER_CUSTOMS_MAX];
    uint16_t identity_fields[2]; /* national_id, credit_code; FIELD_NONE */
    size_t field_count;
    uint8_t *field_tags;   /* by field id: enum feature_tag */
    uint8_t *field_custom; /* by field id: index into custom_fields when the tag is TAG_CUSTOM */
    size_t recipe_count, recipe_part_count;
    struct key_recipe recipes[RECIPES_MAX];
    uint16_t recipe_parts[RECIPES_MAX * RECIPE_PARTS_MAX]; /* enum key_part and on, each once */
    uint8_t first_recipe_kind;                             /* key kinds of recipes begin here */
    /* Bits that two comparisons say twice, [a * n + b] with n = matcher_comparison_count; NULL: none. */
    float *both_agree, *both_differ;
};

/* Names of fixed comparisons and of their levels, as the model file spells them. */
extern const char *const comparison_names[CMP_FIXED_COUNT];
extern const char *const *const comparison_levels[CMP_FIXED_COUNT];
extern const uint8_t comparison_level_counts[CMP_FIXED_COUNT];
/* How many of them a model must name. One that came later takes what `else` says: the models that stand in databases do not
 * have it. */
size_t comparison_levels_needed(uint8_t comparison);
extern const char *const own_levels[OWN_LEVELS];

/* log2 of how common a part of a name is; at most 0. `han` may be empty. */
float frequency_family(const struct matcher *matcher, struct slice folded, struct slice han);
float frequency_given(const struct matcher *matcher, struct slice folded, struct slice han,
                      bool pinyin);

/* Whether the tables know the name at all. */
bool frequency_is_listed(const struct matcher *matcher, enum frequency_kind kind, struct slice folded);

/* Adds a learned key; false when there is no room, or a part twice. For the reader and for training. */
bool matcher_add_recipe(struct matcher *matcher, const size_t *parts, size_t count);

/* Codes of the words of a name that block (keys.c), at most two; how many. */
size_t key_name_codes(const struct matcher *matcher, const struct features_view *view, bool family,
                      uint64_t codes[2]);
/* How many key kinds keys.c itself has, and which fixed comparisons (bits) one looks at; KEY_SEES_OWN: at own
 * fields. 0: not told, so that no pass of training is made of it. */
#define KEY_SEES_OWN (1U << 31)
uint8_t key_kind_count(void);
uint32_t key_kind_comparisons(uint8_t kind);

/* The hash of the value key of a value, as features_keys makes it: to find its band. */
uint64_t key_of_phone(const struct features_view *view, uint64_t phone);
uint64_t key_of_email(const struct features_view *view, struct slice email);
uint64_t key_of_wechat_id(const struct features_view *view);
uint64_t key_of_wechat_openid(const struct features_view *view);
uint64_t key_of_member(const struct features_view *view);
uint64_t key_of_custom(const struct features_view *view,
                       const struct feature_custom *custom); /* 0: none */
uint64_t key_of_address(const struct features_view *view);   /* 0 when it has none */

#endif
