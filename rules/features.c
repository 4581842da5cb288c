/* features.c - see features.h: packing a clean record. */
#include "rules/features.h"

#include "daemon/base/utf8.h"
#include "rules/company_match.h"
#include "rules/han.h"
#include "rules/model.h"
#include "rules/name_intern.h"
#include "rules/name_words.h"
#include "rules/own_field.h"
#include "rules/parsed.h"
#include "rules/text.h"

/* No more of a value is looked at: folding takes many times a text's bytes, and much less than this is kept. What a value
 * this long says beyond it is lost to comparing, not to the record. */
#define LOOKED_AT_MAX_BYTES 1024
/* Of all companies and own fields of a record, of which there may be hundreds. */
#define LOOKED_AT_IN_ALL_MAX_BYTES ((size_t)32 * LOOKED_AT_MAX_BYTES)

/* What is known of the record while its values pass by. */
struct packer {
    const struct matcher *matcher;
    struct buf *out;
    struct arena *arena;
    size_t start;
    uint8_t phones, emails, customs;
    size_t looked_at_bytes;
    struct slice full_name, family, given, city, district, postal;
    struct clean_value address; /* empty: none */
    bool titled;        /* a title was found somewhere in the name */
    bool parts_derived; /* family and given were made by the cleaner, from the full name */
};

/* One entry; what would pass the maximum is left out whole. */
static void put_entry(struct packer *p, enum feature_tag tag, const void *bytes, size_t len)
{
    if (len == 0 || len > UINT8_MAX || p->out->len - p->start + len + 2 > FEATURES_MAX_BYTES)
        return;
    buf_put_byte(p->out, (uint8_t)tag);
    buf_put_byte(p->out, (uint8_t)len);
    buf_put(p->out, bytes, len);
}

static void put_text(struct packer *p, enum feature_tag tag, struct slice text)
{
    if (text.len)
        put_entry(p, tag, text.ptr, text.len > FEATURE_TEXT_MAX ? FEATURE_TEXT_MAX : text.len);
}

static void put_number(struct packer *p, enum feature_tag tag, uint64_t value)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    if (value)
        put_entry(p, tag, bytes, sizeof(bytes));
}

/* An account's name by its hash, the case of letters apart. A giant is hashed piece by piece: to its end, for two that only
 * start the same are not the same. */
static uint64_t account_hash(struct slice account)
{
    char lower[LOOKED_AT_MAX_BYTES];
    uint64_t hash = 0x6964U;

    do {
        struct slice piece = slice_sub(account, 0, sizeof(lower));
        for (size_t i = 0; i < piece.len; i++)
            lower[i] = (char)(piece.ptr[i] >= 'A' && piece.ptr[i] <= 'Z' ? piece.ptr[i] + 32 : piece.ptr[i]);
        hash = slice_hash(slice_of(lower, piece.len), hash);
        account = slice_sub(account, piece.len, account.len);
    } while (account.len);
    return hash | 1;
}

/* The value with only what is looked at; what the cleaner parsed of a giant's whole no longer speaks of it. */
static struct clean_value looked_at(const struct clean_value *value)
{
    struct clean_value cut = *value;

    cut.value = text_cut(value->value, LOOKED_AT_MAX_BYTES);
    return cut;
}

/* Whether there is room to look at one more of those that may be many. */
static bool may_look_at(struct packer *p, struct slice cut)
{
    p->looked_at_bytes += cut.len;
    return p->looked_at_bytes <= LOOKED_AT_IN_ALL_MAX_BYTES;
}

/* Several byte-counted texts in one entry. */
struct packed_texts {
    uint8_t bytes[UINT8_MAX];
    size_t len;
};

static void add_text(struct packed_texts *texts, struct slice text, size_t max)
{
    size_t len = text.len > max ? max : text.len;

    /* Never half a character: a cut name must compare the same way on both sides. */
    while (len < text.len && len > 0 && ((uint8_t)text.ptr[len] & 0xC0) == 0x80)
        len--;
    if (texts->len + 1 + len > sizeof(texts->bytes))
        len = 0;
    texts->bytes[texts->len++] = (uint8_t)len;
    memcpy(texts->bytes + texts->len, text.ptr, len);
    texts->len += len;
}

/* So rare a surname is more often the first word of something else: 简单点, 阳光. */
#define SURNAME_RANK_USUAL 300

static bool is_usual_surname(struct slice surname)
{
    unsigned rank = han_surname_rank(surname);

    return (rank > 0 && rank <= SURNAME_RANK_USUAL) || han_is_compound_surname(surname);
}

/* A chat name rather than a person's: characters that start with no surname, one word, or a word
 * with digits. */
static bool is_doubtful(const struct name_parts *parts)
{
    if (parts->family_only)
        return false;
    if (parts->script == NAME_SCRIPT_HAN)
        return !is_usual_surname(parts->family) || utf8_length(parts->given) > 2;
    for (size_t i = 0; i < parts->display.len; i++)
        if (parts->display.ptr[i] >= '0' && parts->display.ptr[i] <= '9')
            return true;
    return parts->token_count < 2 || parts->family_folded.len == 1;
}

/* Nothing is left to strip: the cleaner made the parts from the whole, or the whole from just these
 * parts. */
static bool parts_are_bare(const struct packer *p)
{
    struct slice whole = p->full_name;

    if (p->family.len == 0 || p->given.len == 0)
        return false;
    if (p->parts_derived)
        return true;
    if (p->titled)
        return false;
    if (whole.len == p->family.len + p->given.len)
        return slice_starts(whole, p->family) && slice_ends(whole, p->given);
    return whole.len == p->family.len + p->given.len + 1 && slice_starts(whole, p->given) &&
           slice_ends(whole, p->family) && whole.ptr[p->given.len] == ' ';
}

/* 李 工; 王 军峰工: three characters of a given name, the last of them a title, are two. */
static void strip_title(struct name_parts *parts)
{
    enum name_gender gender;
    bool weak;
    size_t width = name_han_title(parts->given, &gender, &weak);

    if (width == 0 || (utf8_length(parts->given) < 3 && width < parts->given.len))
        return;
    parts->given = slice_sub(parts->given, 0, parts->given.len - width);
    parts->family_only = parts->given.len == 0;
}

static void fold_parts(struct packer *p, struct name_parts *parts)
{
    parts->family = p->family;
    parts->given = p->given;
    parts->display = p->full_name;
    parts->title = parts->suffix = parts->note = SLICE_EMPTY;
    parts->family_folded = parts->given_folded = SLICE_EMPTY;
    if (han_all(p->family) && han_all(p->given)) {
        parts->script = NAME_SCRIPT_HAN;
        /* Written into each other's column. */
        if (!han_is_surname(parts->family) && han_is_surname(parts->given)) {
            parts->family = p->given;
            parts->given = p->family;
        }
        strip_title(parts);
        name_fold_han(p->arena, parts);
    } else {
        parts->script = NAME_SCRIPT_LATIN;
        name_fold_words(p->arena, parts);
    }
}

/* The words of a folded part that are no titles, in the arena. */
static struct slice without_titles(struct slice part, struct arena *arena)
{
    struct slice words[NAME_TOKENS_MAX], kept = SLICE_EMPTY;
    size_t count = name_words(part, words, NAME_TOKENS_MAX), titles = 0;
    enum name_gender gender;

    for (size_t i = 0; i < count; i++)
        titles += name_latin_title(words[i], false, &gender);
    if (titles == 0)
        return part;
    for (size_t i = 0; i < count; i++)
        if (!name_latin_title(words[i], false, &gender))
            kept = name_join(kept, " ", words[i], arena);
    return kept;
}

/* A title in the column of a name: Prof. | Werner, Sir Thomas | Butler. */
static void drop_latin_titles(struct packer *p, struct name_parts *parts)
{
    struct slice family = without_titles(parts->family_folded, p->arena);
    struct slice given = without_titles(parts->given_folded, p->arena);

    bool found = family.len != parts->family_folded.len || given.len != parts->given_folded.len;

    if (!found || (family.len == 0 && given.len == 0))
        return;
    parts->family_folded = family.len ? family : given;
    parts->given_folded = family.len ? given : SLICE_EMPTY;
    parts->family_only = parts->family_only || (parts->given_folded.len == 0 && p->family.len && p->given.len);
}

static void put_name(struct packer *p)
{
    struct name_parts parts = {0};
    struct packed_texts texts = {{0}, 1};

    if (parts_are_bare(p))
        fold_parts(p, &parts);
    else if (p->family.len && p->given.len)
        name_parse_split(p->family, p->given, p->arena, &parts);
    else if (p->full_name.len)
        name_parse(p->full_name, p->arena, &parts);
    else if (p->family.len || p->given.len)
        name_parse_split(p->family, p->given, p->arena, &parts);
    else
        return;
    if ((parts.flags & VALUE_NOT_EVIDENCE) || (!parts.family_folded.len && !parts.given_folded.len))
        return;
    if (parts.script == NAME_SCRIPT_LATIN)
        drop_latin_titles(p, &parts);
    texts.bytes[0] = (uint8_t)((unsigned)parts.script | (parts.order_certain ? 8U : 0U) |
                               (parts.family_only ? 16U : 0U) | (is_doubtful(&parts) ? 32U : 0U));
    add_text(&texts, parts.family_folded, 48);
    add_text(&texts, parts.given_folded, 48);
    if (parts.script == NAME_SCRIPT_HAN) {
        add_text(&texts, han_simplify(parts.family, p->arena), 24);
        add_text(&texts, han_simplify(parts.given, p->arena), 36);
    }
    put_entry(p, TAG_NAME, texts.bytes, texts.len);
    if (parts.suffix.len && slice_eq_nocase(slice_sub(parts.suffix, 0, 2), SLICE("jr")))
        put_entry(p, TAG_SUFFIX, "J", 1);
    else if (parts.suffix.len && slice_eq_nocase(slice_sub(parts.suffix, 0, 2), SLICE("sr")))
        put_entry(p, TAG_SUFFIX, "S", 1);
}

static void put_suffix(struct packer *p, struct slice value)
{
    static const struct {
        const char *text, *code;
    } known[] = {{"jr", "J"},     {"jr.", "J"}, {"junior", "J"}, {"sr", "S"}, {"sr.", "S"},
                 {"senior", "S"}, {"ii", "2"},  {"iii", "3"},    {"iv", "4"}, {"v", "5"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_eq_nocase(value, slice_str(known[i].text)))
            put_entry(p, TAG_SUFFIX, known[i].code, 1);
}

static void put_gender(struct packer *p, struct slice value)
{
    if (slice_eq_nocase(value, SLICE("male")) || slice_eq_nocase(value, SLICE("m")) ||
        slice_is(value, "男"))
        put_entry(p, TAG_GENDER, "m", 1);
    else if (slice_eq_nocase(value, SLICE("female")) || slice_eq_nocase(value, SLICE("f")) ||
             slice_is(value, "女"))
        put_entry(p, TAG_GENDER, "f", 1);
}

static size_t date_bytes(struct slice value, uint8_t bytes[4])
{
    struct feature_date date = feature_date_parse(value);

    bytes[0] = (uint8_t)(date.year >> 8);
    bytes[1] = (uint8_t)date.year;
    bytes[2] = date.month;
    bytes[3] = date.day;
    return date.year ? 4 : 0;
}

static void put_email(struct packer *p, struct slice value)
{
    uint8_t bytes[UINT8_MAX];
    struct feature_email email = feature_email_of(value);

    if (email.domain.len == 0 || email.local.len == 0 || value.len + 1 > sizeof(bytes) ||
        p->emails >= FEATURE_EMAILS_MAX)
        return;
    bytes[0] = (uint8_t)((email_local_is_role(email.local) ? EMAIL_ROLE : 0) |
                         (email_domain_is_free(email.domain) ? EMAIL_FREE : 0));
    memcpy(bytes + 1, value.ptr, value.len);
    put_entry(p, TAG_EMAIL, bytes, value.len + 1);
    p->emails++;
}

static void put_company(struct packer *p, const struct clean_value *value)
{
    struct clean_value seen = looked_at(value);
    struct company_parts parts;
    struct packed_texts texts = {{0}, 0};

    if (!may_look_at(p, seen.value))
        return;
    parsed_company(&seen, p->arena, &parts);
    if (parts.core.len == 0)
        return;
    add_text(&texts, company_match_core(parts.core, p->arena), FEATURE_TEXT_MAX);
    add_text(&texts, company_match_branch(parts.branch, p->arena), 32);
    add_text(&texts, parts.region, 24);
    put_entry(p, TAG_COMPANY, texts.bytes, texts.len);
}

/* Host of a URL without "www.". */
static void put_website(struct packer *p, struct slice value)
{
    ptrdiff_t scheme = slice_find(value, SLICE("://"));
    size_t end;

    if (scheme >= 0)
        value = slice_sub(value, (size_t)scheme + 3, value.len);
    if (slice_starts(value, SLICE("www.")))
        value = slice_sub(value, 4, value.len);
    for (end = 0; end < value.len && !strchr("/?#:", value.ptr[end]); end++)
        continue;
    put_text(p, TAG_WEBSITE, slice_sub(value, 0, end));
}

/* 省 市 区 县 off the end, so that 上海 and 上海市 are one place. */
static struct slice place_core(struct slice place)
{
    static const char *const suffixes[] = {"自治区", "自治州", "地区", "市",
                                           "省",     "区",     "县",   "州"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct slice suffix = slice_str(suffixes[i]);
        if (slice_ends(place, suffix) && place.len >= suffix.len + 6)
            return slice_sub(place, 0, place.len - suffix.len);
    }
    return place;
}

static void put_place(struct packer *p, enum feature_tag tag, struct slice place)
{
    if (place.len)
        put_text(p, tag, place_core(text_fold(han_simplify(place, p->arena), p->arena)));
}

/* Unit words: the numbers beside them say enough. */
static bool is_unit_word(struct slice word)
{
    static const char *const words[] = {"apt", "apartment", "flat", "suite",    "ste",  "unit",
                                        "no",  "nr",        "fl",   "floor",    "room", "rm",
                                        "bis", "piso",      "esc",  "building", "bldg", "block"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_is(word, words[i]))
            return true;
    return false;
}

static bool is_unit_character(uint32_t c)
{
    static const uint32_t characters[] = {0x53F7 /* 号 */, 0x680B /* 栋 */, 0x5E62 /* 幢 */,
                                          0x5EA7 /* 座 */, 0x5BA4 /* 室 */, 0x697C /* 楼 */,
                                          0x5C42 /* 层 */, 0x623F /* 房 */, 0x6237 /* 户 */,
                                          0x5F04 /* 弄 */, 0x5355 /* 单 */, 0x5143 /* 元 */};

    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++)
        if (characters[i] == c)
            return true;
    return false;
}

struct street {
    char words[FEATURE_TEXT_MAX], numbers[32];
    size_t words_len, numbers_len;
};

static void add_number(struct street *street, struct slice digits)
{
    if (digits.len == 0 || street->numbers_len + digits.len + 1 > sizeof(street->numbers))
        return;
    if (street->numbers_len)
        street->numbers[street->numbers_len++] = ' ';
    memcpy(street->numbers + street->numbers_len, digits.ptr, digits.len);
    street->numbers_len += digits.len;
}

/* Chinese: digits apart, unit characters and marks dropped, the rest is the words. */
static void split_han_street(struct slice text, struct street *street)
{
    struct slice rest = text;
    uint32_t c;

    while (rest.len) {
        size_t digits = 0;
        while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
            digits++;
        add_number(street, slice_sub(rest, 0, digits));
        struct slice before = rest = slice_sub(rest, digits, rest.len);
        if (!utf8_next(&rest, &c))
            return;
        size_t width = before.len - rest.len;
        bool letter = c >= 0x80 ? han_is(c) && !is_unit_character(c) : c >= 'a' && c <= 'z';
        if (letter && street->words_len + width <= sizeof(street->words)) {
            memcpy(street->words + street->words_len, before.ptr, width);
            street->words_len += width;
        }
    }
}

/* Folded words: those with a digit are numbers; unit words and single letters are dropped. */
static void split_latin_street(struct slice folded, struct street *street)
{
    struct slice words[2 * NAME_TOKENS_MAX];
    size_t count = name_words(folded, words, 2 * NAME_TOKENS_MAX);

    for (size_t i = 0; i < count; i++) {
        size_t from = 0, to;
        while (from < words[i].len && !(words[i].ptr[from] >= '0' && words[i].ptr[from] <= '9'))
            from++;
        for (to = from; to < words[i].len && words[i].ptr[to] >= '0' && words[i].ptr[to] <= '9';
             to++)
            continue;
        if (to > from) {
            add_number(street, slice_sub(words[i], from, to));
            continue;
        }
        if (words[i].len == 1 || is_unit_word(words[i]) ||
            street->words_len + words[i].len + 1 > sizeof(street->words))
            continue;
        if (street->words_len)
            street->words[street->words_len++] = ' ';
        memcpy(street->words + street->words_len, words[i].ptr, words[i].len);
        street->words_len += words[i].len;
    }
}

void feature_street(const struct address_parts *parts, struct arena *arena, struct slice *words,
                    struct slice *numbers)
{
    struct street street = {.words_len = 0};

    if (parts->is_han)
        split_han_street(text_fold(han_simplify(parts->street, arena), arena), &street);
    else
        split_latin_street(parts->folded, &street);
    *words = arena_dup(arena, slice_of(street.words, street.words_len));
    *numbers = arena_dup(arena, slice_of(street.numbers, street.numbers_len));
}

static void put_street(struct packer *p, const struct address_parts *parts)
{
    struct packed_texts texts = {{0}, 0};
    struct slice words, numbers;

    feature_street(parts, p->arena, &words, &numbers);
    if (words.len == 0)
        return;
    add_text(&texts, words, 48);
    add_text(&texts, numbers, 24);
    put_entry(p, TAG_ADDRESS, texts.bytes, texts.len);
}

static void put_address(struct packer *p)
{
    struct address_parts parts = {0};

    if (p->address.value.len) {
        parsed_address(&p->address, p->arena, &parts);
        put_street(p, &parts);
    }
    put_place(p, TAG_CITY, p->city.len ? p->city : parts.city);
    put_place(p, TAG_DISTRICT, p->district.len ? p->district : parts.district);
    struct slice postal = p->postal.len ? p->postal : parts.postal_code;
    char letters[16];
    size_t len = 0;
    for (size_t i = 0; i < postal.len && len < sizeof(letters); i++)
        if (postal.ptr[i] != ' ' && postal.ptr[i] != '-')
            letters[len++] =
                (char)(postal.ptr[i] >= 'a' && postal.ptr[i] <= 'z' ? postal.ptr[i] - 32
                                                                    : postal.ptr[i]);
    put_text(p, TAG_POSTAL, slice_of(letters, len));
}

static void put_custom(struct packer *p, const struct clean_value *value)
{
    const struct custom_field *custom =
        &p->matcher->custom_fields[p->matcher->field_custom[value->field]];
    uint8_t bytes[3 + OWN_TEXT_MAX];

    struct slice seen = looked_at(value).value;

    if (p->customs >= FEATURE_CUSTOMS_MAX || !may_look_at(p, seen))
        return;
    struct slice payload = own_field_payload(custom->type, seen, p->arena);
    if (payload.len == 0)
        return;
    bytes[0] = (uint8_t)(custom->name_hash >> 8);
    bytes[1] = (uint8_t)custom->name_hash;
    bytes[2] = (uint8_t)custom->type;
    memcpy(bytes + 3, payload.ptr, payload.len);
    put_entry(p, TAG_CUSTOM, bytes, 3 + payload.len);
    p->customs++;
}

static void take_first(struct slice *into, struct slice value)
{
    if (into->len == 0)
        *into = text_cut(value, LOOKED_AT_MAX_BYTES);
}

static void pack_value(struct packer *p, const struct clean_value *value)
{
    struct slice text = value->value;
    uint8_t date[4];

    switch ((int)p->matcher->field_tags[value->field]) {
    case TAG_FULL_NAME:
        take_first(&p->full_name, text);
        break;
    case TAG_FAMILY_NAME:
        take_first(&p->family, text);
        p->parts_derived = value->flags & VALUE_DERIVED;
        break;
    case TAG_NAME_TITLE:
        p->titled = true;
        break;
    case TAG_GIVEN_NAME:
        take_first(&p->given, text);
        break;
    case TAG_SUFFIX:
        put_suffix(p, text);
        break;
    case TAG_GENDER:
        put_gender(p, text);
        break;
    case TAG_PHONE:
        if (p->phones < FEATURE_PHONES_MAX && feature_phone_pack(text)) {
            put_number(p, TAG_PHONE, feature_phone_pack(text));
            p->phones++;
        }
        break;
    case TAG_EMAIL:
        put_email(p, text);
        break;
    case TAG_BIRTH:
        put_entry(p, TAG_BIRTH, date, date_bytes(text, date));
        break;
    case TAG_IDENTITY:
        put_number(p, TAG_IDENTITY, slice_hash(text, 0x6964U) | 1);
        break;
    case TAG_WECHAT_ID:
    case TAG_WECHAT_OPENID:
    case TAG_MEMBER:
        put_number(p, (enum feature_tag)p->matcher->field_tags[value->field], account_hash(text));
        break;
    case TAG_COMPANY:
        put_company(p, value);
        break;
    case TAG_ADDRESS:
        if (p->address.value.len == 0)
            p->address = looked_at(value);
        break;
    case TAG_CITY:
        take_first(&p->city, text);
        break;
    case TAG_DISTRICT:
        take_first(&p->district, text);
        break;
    case TAG_POSTAL:
        take_first(&p->postal, text);
        break;
    case TAG_WEBSITE:
        put_website(p, text);
        break;
    case TAG_CUSTOM:
        put_custom(p, value);
        break;
    default:
        break;
    }
}

/* national_id speaks of persons, credit_code of companies: one identity, by kind. */
static bool is_evidence(const struct packer *p, const struct clean_record *clean,
                        const struct clean_value *value)
{
    if ((value->flags & VALUE_NOT_EVIDENCE) || value->value.len == 0 ||
        value->field >= p->matcher->field_count)
        return false;
    /* A country made of the phone's code says what the phone has said. */
    if (p->matcher->field_tags[value->field] == TAG_CUSTOM && (value->flags & VALUE_DERIVED))
        return false;
    if (p->matcher->field_tags[value->field] == TAG_IDENTITY)
        return p->matcher->identity_fields[clean->kind == KIND_COMPANY] == value->field;
    return true;
}

void features_pack_using(const struct matcher *matcher, const struct clean_record *clean, uint32_t space_key,
                         struct arena *scratch, struct buf *out)
{
    struct packer p = {.matcher = matcher, .out = out, .arena = scratch, .start = out->len};

    buf_put_byte(out, FEATURES_LAYOUT);
    buf_put_byte(out, (uint8_t)clean->kind);
    buf_put_u32(out, space_key);
    for (size_t i = 0; i < clean->value_count; i++)
        if (is_evidence(&p, clean, &clean->values[i]))
            pack_value(&p, &clean->values[i]);
    if (clean->kind == KIND_PERSON)
        put_name(&p);
    put_address(&p);
    if (arena_failed(p.arena))
        out->failed = true;
}

void features_pack(const struct matcher *matcher, const struct clean_record *clean, uint32_t space_key,
                   struct buf *out)
{
    struct arena *scratch = arena_new(FEATURES_SCRATCH_BYTES);

    if (scratch)
        features_pack_using(matcher, clean, space_key, scratch, out);
    else
        out->failed = true;
    arena_free(&scratch);
}
