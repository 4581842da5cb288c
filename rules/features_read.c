/* features_read.c - see features.h: unpacking, and what keys and degrees take from it. */
#include "rules/features.h"

#include "rules/han.h"

#define FREE_DOMAIN_COUNT (sizeof(free_domains) / sizeof(free_domains[0]))
#define ROLE_COUNT        (sizeof(roles) / sizeof(roles[0]))

/* Mailboxes anybody can have; sorted by bytes. */
static const char *const free_domains[] = {
    "126.com",    "139.com",        "163.com",       "188.com",        "189.cn",
    "aliyun.com", "aol.com",        "comcast.net",   "foxmail.com",    "free.fr",
    "gmail.com",  "gmx.at",         "gmx.ch",        "gmx.com",        "gmx.de",
    "gmx.net",    "googlemail.com", "hotmail.co.uk", "hotmail.com",    "hotmail.de",
    "hotmail.es", "hotmail.fr",     "icloud.com",    "laposte.net",    "libero.it",
    "live.cn",    "live.com",       "mail.com",      "mail.ru",        "me.com",
    "msn.com",    "naver.com",      "orange.fr",     "outlook.com",    "outlook.de",
    "outlook.es", "outlook.fr",     "proton.me",     "protonmail.com", "qq.com",
    "sfr.fr",     "sina.cn",        "sina.com",      "sohu.com",       "t-online.de",
    "tom.com",    "vip.163.com",    "vip.qq.com",    "vip.sina.com",   "wanadoo.fr",
    "web.de",     "wo.cn",          "yahoo.cn",      "yahoo.co.jp",    "yahoo.co.uk",
    "yahoo.com",  "yahoo.com.cn",   "yahoo.de",      "yahoo.es",       "yahoo.fr",
    "yandex.ru",  "yeah.net",       "ymail.com",     "zoho.com",
};

/* Mailboxes of an office, not of a person; sorted by bytes. */
static const char *const roles[] = {
    "accounting",   "accounts",    "admin",    "billing",    "booking",
    "bookings",     "buchhaltung", "contact",  "contacto",   "customerservice",
    "einkauf",      "enquiries",   "events",   "finance",    "frontdesk",
    "hello",        "help",        "helpdesk", "hr",         "info",
    "information",  "inquiry",     "invoice",  "invoices",   "jobs",
    "kefu",         "kontakt",     "mail",     "market",     "marketing",
    "noreply",      "office",      "order",    "orders",     "postmaster",
    "press",        "procurement", "purchase", "purchasing", "reception",
    "reservations", "sale",        "sales",    "secretary",  "service",
    "services",     "shop",        "support",  "team",       "vertrieb",
    "webmaster",    "welcome",
};

static bool in_sorted(const char *const *list, size_t count, struct slice word)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_cmp(slice_str(list[middle]), word);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool email_domain_is_free(struct slice domain)
{
    return in_sorted(free_domains, FREE_DOMAIN_COUNT, domain);
}

bool email_local_is_role(struct slice local)
{
    return in_sorted(roles, ROLE_COUNT, local);
}

struct feature_email feature_email_of(struct slice whole)
{
    ptrdiff_t at = slice_find_byte(whole, '@');
    struct feature_email email = {0, whole, whole, SLICE_EMPTY};

    if (at < 0)
        return email;
    email.local = slice_sub(whole, 0, (size_t)at);
    email.domain = slice_sub(whole, (size_t)at + 1, whole.len);
    return email;
}

struct feature_date feature_date_parse(struct slice iso)
{
    static const size_t ends[3] = {4, 7, 10};
    unsigned parts[3] = {0, 0, 0};
    struct feature_date date = {0, 0, 0};
    size_t at = 0;

    for (size_t i = 0; i < 3 && iso.len >= ends[i]; i++) {
        if (i > 0 && iso.ptr[at++] != '-')
            break;
        for (; at < ends[i]; at++) {
            if (iso.ptr[at] < '0' || iso.ptr[at] > '9')
                return date;
            parts[i] = parts[i] * 10 + (unsigned)(iso.ptr[at] - '0');
        }
    }
    if (parts[0] == 0 || parts[1] > 12 || parts[2] > 31)
        return date;
    date.year = (uint16_t)parts[0];
    date.month = (uint8_t)parts[1];
    date.day = (uint8_t)parts[2];
    return date;
}

uint64_t feature_phone_pack(struct slice canonical)
{
    uint64_t number = 0, extension = 0;
    size_t digits = 0, i = 0;

    if (canonical.len && canonical.ptr[0] == '+')
        i = 1;
    for (; i < canonical.len && canonical.ptr[i] >= '0' && canonical.ptr[i] <= '9'; i++, digits++)
        number = number * 10 + (uint64_t)(canonical.ptr[i] - '0');
    if (digits < 5 || digits > 15)
        return 0;
    ptrdiff_t ext = slice_find(canonical, SLICE(";ext="));
    if (ext >= 0) {
        struct slice rest = slice_sub(canonical, (size_t)ext + 5, canonical.len);
        for (i = 0; i < rest.len && i < 9; i++)
            if (rest.ptr[i] >= '0' && rest.ptr[i] <= '9')
                extension = extension * 10 + (uint64_t)(rest.ptr[i] - '0');
        /* 0 is "none": an extension of 0 and one that does not fit share the highest numbers. */
        if (extension == 0 || extension >= (1U << PHONE_EXTENSION_BITS))
            extension = (1U << PHONE_EXTENSION_BITS) - 1 - extension % 97;
    }
    return number << PHONE_EXTENSION_BITS | extension;
}

static uint64_t read_u64(struct slice s)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8 && i < s.len; i++)
        value = value << 8 | (uint8_t)s.ptr[i];
    return s.len == 8 ? value : 0;
}

/* Takes a byte-counted text off the front. */
static struct slice take_text(struct slice *payload)
{
    struct slice text = SLICE_EMPTY;

    if (payload->len == 0)
        return text;
    size_t len = (uint8_t)payload->ptr[0];
    text = slice_sub(*payload, 1, 1 + len);
    *payload = slice_sub(*payload, 1 + len, payload->len);
    return text;
}

static void read_name(struct slice payload, struct features_view *view)
{
    struct feature_name *name = &view->name;

    if (payload.len < 2 || view->has_name)
        return;
    uint8_t flags = (uint8_t)payload.ptr[0];
    name->packed = payload;
    name->script = (enum name_script)(flags & 7);
    name->order_certain = flags & 8;
    name->family_only = flags & 16;
    name->doubtful = flags & 32;
    payload = slice_sub(payload, 1, payload.len);
    name->family = take_text(&payload);
    name->given = take_text(&payload);
    name->family_han = take_text(&payload);
    name->given_han = take_text(&payload);
    view->has_name = name->family.len || name->given.len;
}

static void read_custom(struct slice payload, struct features_view *view)
{
    if (payload.len < 4 || view->custom_count >= FEATURE_CUSTOMS_MAX)
        return;
    view->customs[view->custom_count++] = (struct feature_custom){
        (uint16_t)((uint8_t)payload.ptr[0] << 8 | (uint8_t)payload.ptr[1]),
        (uint8_t)payload.ptr[2],
        slice_sub(payload, 3, payload.len),
    };
}

static void read_date(struct slice payload, struct feature_date *date)
{
    if (payload.len != 4)
        return;
    date->year = (uint16_t)((uint8_t)payload.ptr[0] << 8 | (uint8_t)payload.ptr[1]);
    date->month = (uint8_t)payload.ptr[2];
    date->day = (uint8_t)payload.ptr[3];
}

static void read_email(struct slice payload, struct features_view *view)
{
    if (payload.len < 4 || view->email_count >= FEATURE_EMAILS_MAX)
        return;
    struct feature_email email = feature_email_of(slice_sub(payload, 1, payload.len));
    email.flags = (uint8_t)payload.ptr[0];
    view->emails[view->email_count++] = email;
}

static void read_entry(enum feature_tag tag, struct slice payload, struct features_view *view)
{
    switch (tag) {
    case TAG_NAME:
        read_name(payload, view);
        break;
    case TAG_SUFFIX:
        view->suffix = payload.len ? (uint8_t)payload.ptr[0] : 0;
        break;
    case TAG_GENDER:
        view->gender = payload.len ? (uint8_t)payload.ptr[0] : 0;
        break;
    case TAG_PHONE:
        if (view->phone_count < FEATURE_PHONES_MAX && read_u64(payload))
            view->phones[view->phone_count++] = read_u64(payload);
        break;
    case TAG_EMAIL:
        read_email(payload, view);
        break;
    case TAG_BIRTH:
        read_date(payload, &view->birth);
        break;
    case TAG_IDENTITY:
        view->identity = read_u64(payload);
        break;
    case TAG_WECHAT_ID:
        view->wechat_id = read_u64(payload);
        break;
    case TAG_WECHAT_OPENID:
        view->wechat_openid = read_u64(payload);
        break;
    case TAG_MEMBER:
        view->member = read_u64(payload);
        break;
    case TAG_COMPANY:
        view->company = take_text(&payload);
        view->branch = take_text(&payload);
        view->region = take_text(&payload);
        view->has_company = view->company.len > 0;
        break;
    case TAG_CITY:
        view->city = payload;
        break;
    case TAG_DISTRICT:
        view->district = payload;
        break;
    case TAG_POSTAL:
        view->postal = payload;
        break;
    case TAG_ADDRESS:
        view->street = take_text(&payload);
        view->numbers = take_text(&payload);
        view->has_address = view->street.len > 0;
        break;
    case TAG_WEBSITE:
        view->website = payload;
        break;
    case TAG_CUSTOM:
        read_custom(payload, view);
        break;
    default:
        break;
    }
}

uint32_t space_key_of(struct slice name)
{
    return (uint32_t)slice_hash(name, 0);
}

static uint32_t space_in(struct slice features)
{
    uint32_t space = 0;
    for (size_t i = 2; i < FEATURES_HEAD_BYTES; i++)
        space = space << 8 | (uint8_t)features.ptr[i];
    return space;
}

bool features_fit(struct slice features, uint32_t space_key)
{
    return features.len >= FEATURES_HEAD_BYTES && features.ptr[0] == FEATURES_LAYOUT && space_in(features) == space_key;
}

bool features_read(struct slice features, struct features_view *view)
{
    memset(view, 0, sizeof(*view));
    if (features.len < FEATURES_HEAD_BYTES || features.ptr[0] != FEATURES_LAYOUT ||
        (features.ptr[1] != KIND_PERSON && features.ptr[1] != KIND_COMPANY))
        return false;
    view->kind = (enum record_kind)features.ptr[1];
    view->space = space_in(features);
    for (size_t at = FEATURES_HEAD_BYTES; at + 2 <= features.len;) {
        size_t len = (uint8_t)features.ptr[at + 1];
        if (len > features.len - at - 2)
            break;
        read_entry((enum feature_tag)(uint8_t)features.ptr[at],
                   slice_of(features.ptr + at + 2, len), view);
        at += 2 + len;
    }
    return true;
}

enum record_kind features_kind(struct slice features)
{
    return features.len >= FEATURES_HEAD_BYTES && features.ptr[1] == KIND_COMPANY ? KIND_COMPANY
                                                                                  : KIND_PERSON;
}

uint64_t features_identity(struct slice features)
{
    struct features_view view;

    return features_read(features, &view) ? view.identity : 0;
}

size_t name_words(struct slice part, struct slice *words, size_t max)
{
    size_t count = 0, from = 0;

    for (size_t i = 0; i <= part.len && count < max; i++) {
        if (i < part.len && part.ptr[i] != ' ')
            continue;
        if (i > from)
            words[count++] = slice_sub(part, from, i);
        from = i + 1;
    }
    return count;
}

/* By sound and by how it starts, so that most slips of the keyboard are one and John and Jane are two; nicknames by their
 * group. */
static uint64_t word_code(struct slice word)
{
    uint16_t groups[NICKNAME_GROUPS_MAX];

    if (word.len > 1 && name_nickname_groups(word, groups) == 1)
        return hash_mix(groups[0], 0x6e69636bU);
    struct name_phonetic sound = name_phonetic(word);
    return slice_hash(slice_str(sound.code), slice_hash(slice_sub(word, 0, word.len < 2 ? word.len : 2), 3));
}

/* The syllables of a Chinese part run together, zh, ch, sh and ng as z, c, s and n. */
static uint64_t syllables_code(struct slice part)
{
    char joined[2 * FEATURE_TEXT_MAX];
    size_t len = 0;

    for (size_t i = 0; i < part.len && len < sizeof(joined); i++) {
        char c = part.ptr[i], before = len ? joined[len - 1] : ' ';
        if (c != ' ' && !(c == 'h' && strchr("zcs", before)) && !(c == 'g' && before == 'n'))
            joined[len++] = c;
    }
    return slice_hash(slice_of(joined, len), 0x776f7264U);
}

/* Of other names the first word that is no particle: Delgado and Delgado Muñoz, Karen and Karen A. are one. */
static uint64_t part_code(struct slice part, bool chinese)
{
    struct slice words[NAME_TOKENS_MAX];
    size_t count = name_words(part, words, NAME_TOKENS_MAX), at = 0;
    unsigned rank;

    if (chinese || (count == 1 && pinyin_is_surname(part, &rank)))
        return syllables_code(part);
    while (at < count && words[at].len <= 3)
        at++;
    return word_code(count == 0 ? part : words[at < count ? at : 0]);
}

uint64_t features_name_key(struct slice features)
{
    struct features_view view;

    if (!features_read(features, &view))
        return 0;
    if (view.kind == KIND_COMPANY)
        return view.company.len ? slice_hash(view.company, slice_hash(view.branch, 3)) | 1 : 0;
    if (!view.has_name || !name_is_whole(&view.name))
        return 0;
    bool han = view.name.script == NAME_SCRIPT_HAN || view.name.script == NAME_SCRIPT_PINYIN;
    uint64_t a = part_code(view.name.family, han), b = part_code(view.name.given, han);
    return hash_mix(a < b ? a : b, a < b ? b : a) | 1;
}
