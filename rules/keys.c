/*
 * keys.c - the blocking keys of a record: what two records must share to be judged at all.
 *
 * Value keys stand for one shared value. Combinations join a name with something weaker, chosen so
 * that people who merely have a common name do not all meet: a name alone is never a key, and a
 * name with a city only when the name is rare. The hash takes in which key it is, the kind of the
 * record and its space.
 */
#include "rules/han.h"
#include "rules/compare.h"
#include "rules/key_recipe.h"

enum key_kind {
    KEY_PHONE,
    KEY_EMAIL,
    KEY_WECHAT_ID,
    KEY_WECHAT_OPENID,
    KEY_IDENTITY,
    KEY_MEMBER,
    KEY_ADDRESS,
    KEY_CUSTOM,
    KEY_VALUE_COUNT,
    KEY_WORD_BIRTH = KEY_VALUE_COUNT,
    KEY_NAME_YEAR,
    KEY_NAME_DAY,
    KEY_NAME_PHONE_TAIL,
    KEY_NAME_PHONE_MIDDLE,
    KEY_NAME_EMAIL_TAIL,
    KEY_NAME_DOMAIN,
    KEY_EMAIL_LOCAL,
    KEY_NAME_COMPANY,
    KEY_NAME_POSTAL,
    KEY_NAME_STREET,
    KEY_NAME_CITY,
    KEY_EMAIL_START,
    KEY_LETTER_BIRTH,
    KEY_PLACE_BIRTH,
    KEY_WORD_YEAR,
    KEY_WORD_PLACE,
    KEY_WORD_STREET,
    KEY_PLACE_STREET,
    KEY_COMPANY_CORE,
    KEY_COMPANY_START,
    KEY_COMPANY_SITE,
    KEY_COMPANY_WORDS,
    KEY_COMPANY_STREET,
    KEY_COUNT,
};

static const char *const key_names[KEY_COUNT] = {
    "phone",         "email",          "wechat_id",         "wechat_openid",  "identity",
    "member_no",     "address",        "own_field",         "name_birth",     "name_birth_year",
    "name_birthday", "name_phone_end", "name_phone_middle", "name_email_end", "name_email_domain",
    "email_local",   "name_company",   "name_postal_code",  "name_street",    "name_city",
    "email_start",   "letter_birth",   "place_birth",       "word_birth_year", "word_place",
    "word_street",   "place_street",   "company_core",      "company_start",  "company_site",
    "company_words", "company_street",
};

/* A name as common as this meets too many of its kind in one city, or in one year of birth. */
#define RARE_IN_CITY_LOG2 (-13.0F)
#define RARE_IN_YEAR_LOG2 (-9.5F)
#define RARE_WORD_LOG2    (-9.0F) /* one word of a name, in one city */

const char *matcher_key_name(const struct matcher *matcher, uint8_t kind)
{
    if (kind < KEY_COUNT)
        return key_names[kind];
    return (size_t)(kind - KEY_COUNT) < matcher->recipe_count ? matcher->recipes[kind - KEY_COUNT].name
                                                              : "unknown";
}

/* What training must leave out of a pass over the pairs that such a key brings together. */
#define SEES(comparison) (1U << (comparison))
static const uint32_t key_comparisons[KEY_COUNT] = {
    [KEY_PHONE] = SEES(CMP_PHONE) | SEES(CMP_COMPANY_PHONE),
    [KEY_EMAIL] = SEES(CMP_EMAIL) | SEES(CMP_COMPANY_EMAIL),
    [KEY_WECHAT_ID] = SEES(CMP_WECHAT_ID),
    [KEY_WECHAT_OPENID] = SEES(CMP_WECHAT_OPENID),
    [KEY_IDENTITY] = SEES(CMP_NATIONAL_ID) | SEES(CMP_CREDIT_CODE),
    [KEY_MEMBER] = SEES(CMP_MEMBER),
    [KEY_ADDRESS] = SEES(CMP_ADDRESS),
    [KEY_WORD_BIRTH] = SEES(CMP_NAME) | SEES(CMP_BIRTH),
    [KEY_NAME_YEAR] = SEES(CMP_NAME) | SEES(CMP_BIRTH),
    [KEY_NAME_DAY] = SEES(CMP_NAME) | SEES(CMP_BIRTH),
    [KEY_NAME_PHONE_TAIL] = SEES(CMP_NAME) | SEES(CMP_PHONE),
    [KEY_NAME_PHONE_MIDDLE] = SEES(CMP_NAME) | SEES(CMP_PHONE),
    [KEY_NAME_EMAIL_TAIL] = SEES(CMP_NAME) | SEES(CMP_EMAIL),
    [KEY_NAME_DOMAIN] = SEES(CMP_NAME) | SEES(CMP_EMAIL),
    [KEY_EMAIL_LOCAL] = SEES(CMP_EMAIL),
    [KEY_NAME_COMPANY] = SEES(CMP_NAME) | SEES(CMP_COMPANY),
    [KEY_NAME_POSTAL] = SEES(CMP_NAME) | SEES(CMP_ADDRESS),
    [KEY_NAME_STREET] = SEES(CMP_NAME) | SEES(CMP_ADDRESS),
    [KEY_NAME_CITY] = SEES(CMP_NAME) | SEES(CMP_ADDRESS),
    [KEY_CUSTOM] = KEY_SEES_OWN,
    [KEY_EMAIL_START] = SEES(CMP_EMAIL),
    [KEY_LETTER_BIRTH] = SEES(CMP_NAME) | SEES(CMP_BIRTH),
    [KEY_PLACE_BIRTH] = SEES(CMP_ADDRESS) | SEES(CMP_BIRTH),
    [KEY_WORD_YEAR] = SEES(CMP_NAME) | SEES(CMP_BIRTH),
    [KEY_WORD_PLACE] = SEES(CMP_NAME) | SEES(CMP_ADDRESS),
    [KEY_WORD_STREET] = SEES(CMP_NAME) | SEES(CMP_ADDRESS),
    [KEY_PLACE_STREET] = SEES(CMP_ADDRESS),
    [KEY_COMPANY_CORE] = SEES(CMP_COMPANY_NAME),
    [KEY_COMPANY_START] = SEES(CMP_COMPANY_NAME),
    [KEY_COMPANY_SITE] = SEES(CMP_COMPANY_SITE) | SEES(CMP_COMPANY_EMAIL),
    [KEY_COMPANY_WORDS] = SEES(CMP_COMPANY_NAME),
    [KEY_COMPANY_STREET] = SEES(CMP_COMPANY_ADDRESS),
};

static const uint8_t key_classes[KEY_COUNT] = {
    [KEY_WORD_BIRTH] = KEY_CLASS_NARROW,
    [KEY_NAME_YEAR] = KEY_CLASS_LOOSE,
    [KEY_NAME_DAY] = KEY_CLASS_LOOSE,
    [KEY_NAME_PHONE_TAIL] = KEY_CLASS_NARROW,
    [KEY_NAME_PHONE_MIDDLE] = KEY_CLASS_NARROW,
    [KEY_NAME_EMAIL_TAIL] = KEY_CLASS_LOOSE,
    [KEY_NAME_DOMAIN] = KEY_CLASS_NARROW,
    [KEY_EMAIL_LOCAL] = KEY_CLASS_LOOSE,
    [KEY_NAME_COMPANY] = KEY_CLASS_NARROW,
    [KEY_NAME_POSTAL] = KEY_CLASS_NARROW,
    [KEY_NAME_STREET] = KEY_CLASS_NARROW,
    [KEY_NAME_CITY] = KEY_CLASS_LOOSE,
    [KEY_EMAIL_START] = KEY_CLASS_WEAK,
    [KEY_LETTER_BIRTH] = KEY_CLASS_WEAK,
    [KEY_PLACE_BIRTH] = KEY_CLASS_WEAK,
    [KEY_WORD_YEAR] = KEY_CLASS_WEAK,
    [KEY_WORD_PLACE] = KEY_CLASS_WEAK,
    [KEY_WORD_STREET] = KEY_CLASS_WEAK,
    [KEY_PLACE_STREET] = KEY_CLASS_WEAK,
    [KEY_COMPANY_CORE] = KEY_CLASS_COMPANY,
    [KEY_COMPANY_START] = KEY_CLASS_NARROW,
    [KEY_COMPANY_SITE] = KEY_CLASS_COMPANY,
    [KEY_COMPANY_WORDS] = KEY_CLASS_NARROW,
    [KEY_COMPANY_STREET] = KEY_CLASS_NARROW,
};

uint8_t key_kind_count(void)
{
    return KEY_COUNT;
}

uint32_t key_kind_comparisons(uint8_t kind)
{
    return kind < KEY_COUNT ? key_comparisons[kind] : 0;
}

struct key_list {
    const struct features_view *view;
    struct match_key *keys;
    size_t count;
};

static uint64_t key_hash(const struct features_view *view, uint8_t kind, uint64_t a, uint64_t b)
{
    uint64_t scope = (uint64_t)kind << 40 | (uint64_t)view->kind << 32 | view->space;

    return key_hash_of_class(hash_mix(hash_mix(a, b), scope * 0x9E3779B97F4A7C15ULL + 1), key_classes[kind]);
}

static uint64_t key_of_number(const struct features_view *view, uint8_t kind, uint64_t value)
{
    return key_hash(view, kind, value, 0);
}

/* The last eight digits: with and without country or area code are one key. */
uint64_t key_of_phone(const struct features_view *view, uint64_t phone)
{
    return key_of_number(view, KEY_PHONE, (phone >> PHONE_EXTENSION_BITS) % 100000000);
}

uint64_t key_of_email(const struct features_view *view, struct slice email)
{
    return key_of_number(view, KEY_EMAIL, slice_hash(email, 0));
}

uint64_t key_of_address(const struct features_view *view)
{
    struct slice place = view->postal.len ? view->postal : view->city;

    if (!view->has_address || view->numbers.len == 0 || place.len == 0)
        return 0;
    /* The city rather than the postal code where both are there: it is said more often. */
    if (view->city.len)
        place = view->city;
    return key_hash(view, KEY_ADDRESS, slice_hash(view->street, slice_hash(view->numbers, 1)),
                    slice_hash(place, 2));
}

uint64_t key_of_wechat_id(const struct features_view *view)
{
    return key_of_number(view, KEY_WECHAT_ID, view->wechat_id);
}

uint64_t key_of_wechat_openid(const struct features_view *view)
{
    return key_of_number(view, KEY_WECHAT_OPENID, view->wechat_openid);
}

uint64_t key_of_member(const struct features_view *view)
{
    return key_of_number(view, KEY_MEMBER, view->member);
}

uint64_t key_of_custom(const struct features_view *view, const struct feature_custom *custom)
{
    if (custom->type != FIELD_PHONE && custom->type != FIELD_EMAIL &&
        custom->type != FIELD_ID_NUMBER)
        return 0;
    return key_hash(view, KEY_CUSTOM, custom->name_hash, slice_hash(custom->payload, 1));
}

static void add(struct key_list *list, uint8_t kind, uint64_t hash)
{
    if (list->count < MATCH_KEYS_MAX)
        list->keys[list->count++] =
            (struct match_key){.hash = hash, .kind = kind, .is_value = kind < KEY_VALUE_COUNT};
}

static void add_pair(struct key_list *list, uint8_t kind, uint64_t a, uint64_t b)
{
    add(list, kind, key_hash(list->view, kind, a, b));
}

static void add_custom_keys(struct key_list *list)
{
    const struct features_view *view = list->view;

    for (size_t i = 0; i < view->custom_count; i++) {
        uint64_t key = key_of_custom(view, &view->customs[i]);
        if (key)
            add(list, KEY_CUSTOM, key);
    }
}

static void add_value_keys(struct key_list *list)
{
    const struct features_view *view = list->view;

    for (size_t i = 0; i < view->phone_count; i++)
        add(list, KEY_PHONE, key_of_phone(view, view->phones[i]));
    for (size_t i = 0; i < view->email_count; i++)
        add(list, KEY_EMAIL, key_of_email(view, view->emails[i].whole));
    if (view->identity)
        add(list, KEY_IDENTITY, key_of_number(view, KEY_IDENTITY, view->identity));
    if (view->wechat_id)
        add(list, KEY_WECHAT_ID, key_of_wechat_id(view));
    if (view->wechat_openid)
        add(list, KEY_WECHAT_OPENID, key_of_wechat_openid(view));
    if (view->member)
        add(list, KEY_MEMBER, key_of_member(view));
    if (key_of_address(view))
        add(list, KEY_ADDRESS, key_of_address(view));
    add_custom_keys(list);
}

/* One word of a name for blocking: pinyin as it is (homophones meet), nicknames by their group,
 * else by sound. */
static uint64_t word_code(struct slice word, bool chinese)
{
    uint16_t groups[NICKNAME_GROUPS_MAX];
    unsigned rank;

    /* Whether a word is a family or a given name is not always known: the code must not depend on
     * it. */
    if (chinese || pinyin_is_surname(word, &rank))
        return slice_hash(word, 1);
    if (word.len > 1 && name_nickname_groups(word, groups) == 1)
        return hash_mix(groups[0], 3);
    struct name_phonetic sound = name_phonetic(word);
    return slice_hash(slice_str(sound.code), 2);
}

/* The words of a part that block: all of a Chinese part as one; of others the first and the last
 * that is no particle or initial. */
static size_t part_codes(struct slice part, bool chinese, uint64_t codes[2])
{
    struct slice words[NAME_TOKENS_MAX];
    char joined[FEATURE_TEXT_MAX];
    size_t count, len = 0, long_count = 0;

    if (chinese) {
        for (size_t i = 0; i < part.len && len < sizeof(joined); i++)
            if (part.ptr[i] != ' ')
                joined[len++] = part.ptr[i];
        codes[0] = word_code(slice_of(joined, len), true);
        return len > 1;
    }
    count = name_words(part, words, NAME_TOKENS_MAX);
    for (size_t i = 0; i < count; i++)
        if (words[i].len > 3 || (count == 1 && words[i].len > 1))
            words[long_count++] = words[i];
    if (long_count == 0 && count > 0 && words[0].len > 1)
        words[long_count++] = words[0];
    if (long_count == 0)
        return 0;
    codes[0] = word_code(words[0], false);
    if (long_count == 1)
        return 1;
    codes[1] = word_code(words[long_count - 1], false);
    return codes[0] == codes[1] ? 1 : 2;
}

struct name_codes {
    size_t family_count, given_count;
    uint64_t family[2], given[2];
    size_t pair_count;
    uint64_t pairs[2]; /* first given word with each family word, in no order */
    float log2_frequency;
};

static struct name_codes name_codes_of(const struct matcher *matcher,
                                       const struct features_view *view)
{
    struct name_codes codes = {0};
    const struct feature_name *name = &view->name;
    bool chinese = name->script == NAME_SCRIPT_HAN || name->script == NAME_SCRIPT_PINYIN;

    if (!view->has_name)
        return codes;
    codes.family_count = part_codes(name->family, chinese, codes.family);
    codes.given_count = part_codes(name->given, chinese, codes.given);
    if (codes.given_count)
        for (size_t i = 0; i < codes.family_count; i++) {
            uint64_t a = codes.family[i], b = codes.given[0];
            codes.pairs[codes.pair_count++] = hash_mix(a < b ? a : b, a < b ? b : a);
        }
    if (codes.pair_count)
        codes.log2_frequency = frequency_family(matcher, name->family, SLICE_EMPTY) +
                               frequency_given(matcher, name->given, SLICE_EMPTY, chinese);
    return codes;
}

size_t key_name_codes(const struct matcher *matcher, const struct features_view *view, bool family,
                      uint64_t codes[2])
{
    const struct feature_name *name = &view->name;
    bool chinese = name->script == NAME_SCRIPT_HAN || name->script == NAME_SCRIPT_PINYIN;

    (void)matcher;
    return view->has_name ? part_codes(family ? name->family : name->given, chinese, codes) : 0;
}

static void add_birth_keys(struct key_list *list, const struct name_codes *codes)
{
    struct feature_date birth = list->view->birth;
    uint64_t date = (uint64_t)birth.year << 16 | (uint64_t)birth.month << 8 | birth.day;

    if (birth.year == 0)
        return;
    for (size_t i = 0; birth.day && i < codes->family_count; i++)
        add_pair(list, KEY_WORD_BIRTH, codes->family[i], date);
    for (size_t i = 0; birth.day && i < codes->given_count; i++)
        add_pair(list, KEY_WORD_BIRTH, codes->given[i], date);
    for (size_t i = 0; i < codes->pair_count; i++) {
        if (codes->log2_frequency < RARE_IN_YEAR_LOG2)
            add_pair(list, KEY_NAME_YEAR, codes->pairs[i], birth.year);
        if (birth.day)
            add_pair(list, KEY_NAME_DAY, codes->pairs[i], date & 0xFFFF);
    }
}

/* The first characters of a text, four letters or two of Chinese, spaces passed over: what a slip further on leaves. */
static uint64_t start_of(struct slice text)
{
    char start[8];
    size_t len = 0, width = text.len && (uint8_t)text.ptr[0] >= 0x80 ? 6 : 4;

    for (size_t i = 0; i < text.len && len < width; i++)
        if (text.ptr[i] != ' ')
            start[len++] = text.ptr[i];
    return slice_hash(slice_of(start, len), 5);
}

/* Consonants of the domain and the first letters of the local part: a slip elsewhere. */
static void add_email_start(struct key_list *list, const struct feature_email *email)
{
    char consonants[5];
    size_t len = 0;

    if (email->local.len < 3 || (email->flags & (EMAIL_FREE | EMAIL_ROLE)))
        return;
    for (size_t i = 0; i < email->domain.len && len < sizeof(consonants); i++)
        if (!strchr("aeiou.-", email->domain.ptr[i]))
            consonants[len++] = email->domain.ptr[i];
    add_pair(list, KEY_EMAIL_START, slice_hash(slice_of(consonants, len), 4),
             slice_hash(slice_sub(email->local, 0, 2), 5));
}

static void add_contact_keys(struct key_list *list, const struct name_codes *codes)
{
    const struct features_view *view = list->view;

    for (size_t i = 0; i < codes->pair_count; i++)
        for (size_t k = 0; k < view->phone_count; k++) {
            uint64_t number = view->phones[k] >> PHONE_EXTENSION_BITS;
            add_pair(list, KEY_NAME_PHONE_TAIL, codes->pairs[i], number % 10000);
            add_pair(list, KEY_NAME_PHONE_MIDDLE, codes->pairs[i], number / 10000 % 10000);
        }
    for (size_t k = 0; k < view->email_count; k++) {
        const struct feature_email *email = &view->emails[k];
        if (email->flags & EMAIL_ROLE)
            continue;
        if (email->local.len >= 6)
            add_pair(list, KEY_EMAIL_LOCAL, slice_hash(email->local, 1), 0);
        add_email_start(list, email);
        size_t from = email->local.len > 4 ? email->local.len - 4 : 0;
        for (size_t i = 0; i < codes->pair_count; i++) {
            add_pair(list, KEY_NAME_EMAIL_TAIL, codes->pairs[i],
                     slice_hash(slice_sub(email->local, from, email->local.len), 2));
            if (!(email->flags & EMAIL_FREE))
                add_pair(list, KEY_NAME_DOMAIN, codes->pairs[i], slice_hash(email->domain, 3));
        }
    }
}

static void add_place_keys(struct key_list *list, const struct name_codes *codes)
{
    const struct features_view *view = list->view;
    for (size_t i = 0; i < codes->pair_count; i++) {
        if (view->has_company)
            add_pair(list, KEY_NAME_COMPANY, codes->pairs[i], slice_hash(view->company, 1));
        if (view->postal.len)
            add_pair(list, KEY_NAME_POSTAL, codes->pairs[i], slice_hash(view->postal, 1));
        if (view->street.len)
            add_pair(list, KEY_NAME_STREET, codes->pairs[i], slice_hash(view->street, 1));
        if (view->city.len && codes->log2_frequency < RARE_IN_CITY_LOG2)
            add_pair(list, KEY_NAME_CITY, codes->pairs[i], slice_hash(view->city, 1));
    }
}

/* A person of whom neither phone nor messenger nor number is known is looked for by whatever there is, two weak things
 * at a time, each of which a slip elsewhere leaves alone. */
static bool is_thin(const struct features_view *view)
{
    return view->phone_count == 0 && !view->identity && !view->wechat_id && !view->wechat_openid &&
           !view->member;
}

static void add_thin_birth_keys(struct key_list *list, const uint64_t words[4], size_t word_count,
                                uint64_t place)
{
    const struct features_view *view = list->view;
    struct feature_date birth = view->birth;
    uint64_t date = (uint64_t)birth.year << 16 | (uint64_t)birth.month << 8 | birth.day;

    if (birth.year == 0)
        return;
    for (size_t i = 0; i < word_count; i++)
        add_pair(list, KEY_WORD_YEAR, words[i], birth.year);
    if (birth.day == 0)
        return;
    if (view->has_name && view->name.family.len)
        add_pair(list, KEY_LETTER_BIRTH, (uint8_t)view->name.family.ptr[0], date);
    if (view->has_name && view->name.given.len)
        add_pair(list, KEY_LETTER_BIRTH, (uint8_t)view->name.given.ptr[0], date);
    if (place)
        add_pair(list, KEY_PLACE_BIRTH, place, date);
}

static void add_thin_keys(const struct matcher *matcher, struct key_list *list, const struct name_codes *codes)
{
    const struct features_view *view = list->view;
    const struct feature_name *name = &view->name;
    bool chinese = name->script == NAME_SCRIPT_HAN || name->script == NAME_SCRIPT_PINYIN;
    struct slice where = view->district.len ? view->district : view->city;
    uint64_t place = where.len ? start_of(where) : 0;
    uint64_t street = view->street.len ? start_of(view->street) : 0, words[4];
    bool rare[4];
    size_t count = 0;

    for (size_t i = 0; i < codes->family_count; i++) {
        rare[count] = frequency_family(matcher, name->family, SLICE_EMPTY) < RARE_WORD_LOG2;
        words[count++] = codes->family[i];
    }
    for (size_t i = 0; i < codes->given_count; i++) {
        rare[count] = frequency_given(matcher, name->given, SLICE_EMPTY, chinese) < RARE_WORD_LOG2;
        words[count++] = codes->given[i];
    }
    add_thin_birth_keys(list, words, count, place);
    for (size_t i = 0; i < count; i++) {
        if (place && (view->district.len || rare[i]))
            add_pair(list, KEY_WORD_PLACE, words[i], place);
        if (street)
            add_pair(list, KEY_WORD_STREET, words[i], street);
    }
    if (place && street)
        add_pair(list, KEY_PLACE_STREET, place, street);
}

static void add_company_keys(struct key_list *list)
{
    const struct features_view *view = list->view;

    if (view->has_company) {
        add_pair(list, KEY_COMPANY_CORE, slice_hash(view->company, 1), 0);
        uint64_t words = company_words_hash(view->company);
        if (words)
            add_pair(list, KEY_COMPANY_WORDS, words, 0);
        /* The first two characters or four letters with the place: a slip later in the name. */
        struct slice place = view->region.len ? view->region : view->city;
        size_t width = (uint8_t)view->company.ptr[0] >= 0x80 ? 6 : 4;
        if (place.len && view->company.len > width)
            add_pair(list, KEY_COMPANY_START, slice_hash(slice_sub(view->company, 0, width), 2),
                     slice_hash(place, 3));
    }
    if (view->street.len && view->numbers.len)
        add_pair(list, KEY_COMPANY_STREET, start_of(view->street), slice_hash(view->numbers, 4));
    if (view->website.len)
        add_pair(list, KEY_COMPANY_SITE, slice_hash(view->website, 1), 0);
    for (size_t i = 0; i < view->email_count; i++)
        if (!(view->emails[i].flags & EMAIL_FREE))
            add_pair(list, KEY_COMPANY_SITE, slice_hash(view->emails[i].domain, 1), 0);
}

/* By hash; of two equal ones the value key first. */
static size_t sort_keys(struct match_key *keys, size_t count)
{
    size_t kept = 0;

    for (size_t i = 1; i < count; i++) {
        struct match_key key = keys[i];
        size_t k = i;
        for (; k > 0 && keys[k - 1].hash > key.hash; k--)
            keys[k] = keys[k - 1];
        keys[k] = key;
    }
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || keys[kept - 1].hash != keys[i].hash)
            keys[kept++] = keys[i];
    return kept;
}

size_t features_keys(const struct matcher *matcher, struct slice features,
                     struct match_key keys[MATCH_KEYS_MAX])
{
    struct features_view view;
    struct key_list list = {&view, keys, 0};

    if (!features_read(features, &view))
        return 0;
    add_value_keys(&list);
    if (view.kind == KIND_COMPANY) {
        add_company_keys(&list);
    } else {
        struct name_codes codes = name_codes_of(matcher, &view);
        add_contact_keys(&list, &codes);
        add_birth_keys(&list, &codes);
        add_place_keys(&list, &codes);
        if (is_thin(&view))
            add_thin_keys(matcher, &list, &codes);
    }
    if (matcher->recipe_count)
        list.count += key_recipes_add(matcher, &view, keys + list.count, MATCH_KEYS_MAX - list.count);
    return sort_keys(keys, list.count);
}
