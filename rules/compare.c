/* compare.c - see compare.h: dates, phones, e-mails, companies, addresses. */
#include "rules/compare.h"

#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "rules/company_match.h"
#include "rules/han.h"
#include "rules/text.h"

#define EDIT_MAX   64
#define CLOSE_DAYS 40 /* between two dates of birth that are one, estimated or written wrongly */

static size_t code_points(struct slice s, uint32_t *out, size_t max)
{
    size_t count = 0;

    while (count < max && count < s.len && (uint8_t)s.ptr[count] < 0x80) {
        out[count] = (uint8_t)s.ptr[count];
        count++;
    }
    s = slice_sub(s, count, s.len);

    while (count < max && utf8_next(&s, &out[count]))
        count++;
    return count;
}

unsigned edit_distance(struct slice a, struct slice b, unsigned limit)
{
    uint32_t left[EDIT_MAX], right[EDIT_MAX];
    uint8_t rows[3][EDIT_MAX + 1];
    size_t n = code_points(a, left, EDIT_MAX), m = code_points(b, right, EDIT_MAX), from = 0;

    while (from < n && from < m && left[from] == right[from])
        from++;
    while (n > from && m > from && left[n - 1] == right[m - 1])
        n--, m--;
    if ((n > m ? n - m : m - n) > limit)
        return limit + 1;
    const uint32_t *x = left + from, *y = right + from;
    n -= from;
    m -= from;
    for (size_t k = 0; k <= m; k++)
        rows[0][k] = (uint8_t)k;
    for (size_t i = 1; i <= n; i++) {
        uint8_t *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        uint8_t smallest = row[0] = (uint8_t)i;
        for (size_t k = 1; k <= m; k++) {
            uint8_t best = (uint8_t)(last[k - 1] + (x[i - 1] != y[k - 1]));
            if (last[k] + 1 < best)
                best = (uint8_t)(last[k] + 1);
            if (row[k - 1] + 1 < best)
                best = (uint8_t)(row[k - 1] + 1);
            if (i > 1 && k > 1 && x[i - 1] == y[k - 2] && x[i - 2] == y[k - 1] &&
                before[k - 2] + 1 < best)
                best = (uint8_t)(before[k - 2] + 1);
            row[k] = best;
            smallest = best < smallest ? best : smallest;
        }
        if (smallest > limit)
            return limit + 1;
    }
    return rows[n % 3][m] > limit ? limit + 1 : rows[n % 3][m];
}

bool one_digit_slip(uint64_t a, uint64_t b)
{
    unsigned different = 0, digits_a[20], digits_b[20], count = 0, first = 0, last = 0;

    if (a == b)
        return false;
    for (; (a || b) && count < 20; a /= 10, b /= 10, count++) {
        if (!a != !b)
            return false;
        digits_a[count] = (unsigned)(a % 10);
        digits_b[count] = (unsigned)(b % 10);
        if (digits_a[count] != digits_b[count]) {
            if (different++ == 0)
                first = count;
            last = count;
        }
    }
    return different == 1 ||
           (different == 2 && last == first + 1 && digits_a[first] == digits_b[last] &&
            digits_a[last] == digits_b[first]);
}

static uint64_t date_number(struct feature_date d)
{
    return d.year * 10000U + d.month * 100U + d.day;
}

/* The first of January of a round year stands where somebody had to put something. */
static bool is_placeholder(struct feature_date d)
{
    return d.month == 1 && d.day == 1 && d.year % 10 == 0;
}

/* Day and month are right and the year is not, and so on; or nothing is off by more than one. */
static bool is_near(struct feature_date a, struct feature_date b)
{
    int year = abs((int)a.year - (int)b.year), month = abs((int)a.month - (int)b.month);
    int day = abs((int)a.day - (int)b.day);

    return (year <= 1 && month <= 1 && day <= 1) || (month == 0 && day == 0) ||
           (year == 0 && (month == 0 || day == 0));
}

static int day_number(struct feature_date d)
{
    return d.year * 372 + d.month * 31 + d.day;
}

/* Two digits of eight are wrong, or one part is wrong and the others are near; or the days are not far apart. */
static bool are_close(struct feature_date a, struct feature_date b)
{
    unsigned different = 0;
    uint64_t x = date_number(a), y = date_number(b);

    for (int i = 0; i < 8; i++, x /= 10, y /= 10)
        different += x % 10 != y % 10;
    return different <= 2 || abs(day_number(a) - day_number(b)) <= CLOSE_DAYS;
}

bool compare_birth(struct feature_date a, struct feature_date b, struct compared *out)
{
    out->rarity_bits = 0;
    out->key = 0;
    if (a.year == 0 || b.year == 0)
        return false;
    bool full = a.day && b.day;
    int apart = abs((int)a.year - (int)b.year);

    if (full && date_number(a) == date_number(b))
        out->level = a.month == 1 && a.day == 1 ? BIRTH_PLACEHOLDER : BIRTH_SAME;
    else if (full && apart == 0 && a.month == b.day && a.day == b.month)
        out->level = BIRTH_SWAPPED;
    else if (full && one_digit_slip(date_number(a), date_number(b)))
        out->level = BIRTH_SLIP;
    else if (full && is_near(a, b))
        out->level = BIRTH_NEAR;
    else if (full && are_close(a, b))
        out->level = BIRTH_TWO_SLIPS;
    else if (!full && apart == 0 && a.month && a.month == b.month)
        out->level = BIRTH_MONTH;
    else if (!full && apart == 0 && !(a.month && b.month))
        out->level = BIRTH_YEAR_ONLY;
    else if (apart == 0)
        out->level = BIRTH_YEAR;
    else if (is_placeholder(a) || is_placeholder(b))
        return false;
    else
        out->level = apart >= 14 ? BIRTH_GENERATION : BIRTH_ELSE;
    return true;
}

/* One was written without country code: its digits end the other's, nine of them at least. */
static bool ends_number(uint64_t a, uint64_t b)
{
    uint64_t shorter = a < b ? a : b, longer = a < b ? b : a, scale = 1000000000;

    if (shorter < 100000000)
        return false;
    while (scale <= shorter)
        scale *= 10;
    return longer % scale == shorter && longer / scale < 1000;
}

static enum phone_level phone_level(uint64_t a, uint64_t b)
{
    uint64_t number_a = a >> PHONE_EXTENSION_BITS, number_b = b >> PHONE_EXTENSION_BITS;
    uint64_t mask = (1U << PHONE_EXTENSION_BITS) - 1;

    if (number_a == number_b || ends_number(number_a, number_b))
        return (a & mask) == (b & mask)     ? PHONE_SAME
               : (a & mask) && (b & mask) ? PHONE_EXTENSION
                                          : PHONE_SWITCHBOARD;
    if (number_a % 100000000 == number_b % 100000000)
        return PHONE_TAIL;
    /* One without its country code is held against the end of the other. */
    uint64_t shorter = number_a < number_b ? number_a : number_b, longer = number_a < number_b ? number_b : number_a;
    uint64_t scale = 1000000000;
    while (scale <= shorter)
        scale *= 10;
    if (shorter >= 100000000 && longer >= scale && longer / scale < 1000)
        longer %= scale;
    return one_digit_slip(shorter, longer) ? PHONE_SLIP : PHONE_ELSE;
}

bool compare_phone(const struct features_view *a, const struct features_view *b,
                   const struct comparison_model *model, struct compared *out)
{
    out->rarity_bits = 0;
    out->key = 0;
    out->level = PHONE_ELSE;
    if (a->phone_count == 0 || b->phone_count == 0)
        return false;
    for (size_t i = 0; i < a->phone_count; i++)
        for (size_t k = 0; k < b->phone_count; k++) {
            enum phone_level level = phone_level(a->phones[i], b->phones[k]);
            if (model->levels[level].weight <= model->levels[out->level].weight)
                continue;
            out->level = (uint8_t)level;
            out->key =
                level == PHONE_SAME || level == PHONE_EXTENSION || level == PHONE_SWITCHBOARD ? key_of_phone(a, a->phones[i]) : 0;
        }
    return true;
}

/* Mueller as Muller: the letter e after a, o and u is dropped. */
static size_t without_umlaut_e(struct slice text, char *out, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len && count < max; i++) {
        char before = count ? out[count - 1] : 0;
        if (text.ptr[i] == 'e' && (before == 'a' || before == 'o' || before == 'u'))
            continue;
        out[count++] = text.ptr[i];
    }
    return count;
}

/* What is left of a local part's letters when the words of a part of the name are taken out. */
static size_t take_words(char *letters, size_t count, struct slice part, bool *found)
{
    struct slice words[NAME_TOKENS_MAX];
    size_t word_count = name_words(part, words, NAME_TOKENS_MAX);

    for (size_t i = 0; i < word_count; i++) {
        char plain[FEATURE_TEXT_MAX];
        struct slice word = slice_of(plain, without_umlaut_e(words[i], plain, sizeof(plain)));
        ptrdiff_t at = word.len > 1 ? slice_find(slice_of(letters, count), word) : -1;
        if (at < 0)
            continue;
        *found = true;
        memmove(letters + at, letters + at + word.len, count - (size_t)at - word.len);
        count -= word.len;
    }
    return count;
}

/* zhangwei, wei.zhang, w.zhang, john.smith, jsmith, smithj: made of the name, with at most initials
 * beside it. *digits counts what a person may have added of the own. */
static bool local_is_name(struct slice local, const struct feature_name *name, unsigned *digits)
{
    char all[FEATURE_TEXT_MAX], letters[FEATURE_TEXT_MAX];
    size_t count = 0;
    bool found = false;

    *digits = 0;
    for (size_t i = 0; i < local.len; i++) {
        if (local.ptr[i] >= 'a' && local.ptr[i] <= 'z' && count < sizeof(all))
            all[count++] = local.ptr[i];
        *digits += local.ptr[i] >= '0' && local.ptr[i] <= '9';
    }
    count = without_umlaut_e(slice_of(all, count), letters, sizeof(letters));
    /* Initials and a number: whose they are, the number says. */
    if (count <= 2)
        return *digits < 4;
    count = take_words(letters, count, name->family, &found);
    count = take_words(letters, count, name->given, &found);
    return found && count <= 2;
}

/* By either record's name: one may be a typing slip or a nickname. */
static bool local_is_a_name(struct slice local, const struct feature_name *const names[2],
                            unsigned *digits)
{
    return local_is_name(local, names[0], digits) || local_is_name(local, names[1], digits);
}

/* The digits of both, in order, are the same. */
static bool same_digits(struct slice a, struct slice b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.len && !(a.ptr[i] >= '0' && a.ptr[i] <= '9'))
            i++;
        while (k < b.len && !(b.ptr[k] >= '0' && b.ptr[k] <= '9'))
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (a.ptr[i++] != b.ptr[k++])
            return false;
    }
}

/* Bits that digits beside a name add, each: a year of birth is some six. */
#define DIGIT_BITS     1.5F
#define DIGIT_BITS_MAX 6.0F

/* dmacdonald@rivers-glass.biz and dracdonald@river-glass.biz: slips on both sides. Not of the great providers, where
 * every short distance is somebody else. */
static bool are_one_misspelt(const struct feature_email *a, const struct feature_email *b)
{
    size_t least = a->whole.len < b->whole.len ? a->whole.len : b->whole.len;
    unsigned allowed = least < 12 ? 1 : least < 20 ? 3 : 4;

    if ((a->flags | b->flags) & (EMAIL_FREE | EMAIL_ROLE) || least < 8)
        return false;
    /* The part of the person may not be another one altogether; numbers count people, they are not mistyped. */
    return same_digits(a->whole, b->whole) && edit_distance(a->whole, b->whole, allowed) <= allowed &&
           edit_distance(a->local, b->local, 2) <= (a->local.len < 5 || b->local.len < 5 ? 1U : 2U);
}

static enum email_level email_level(const struct feature_email *a, const struct feature_email *b,
                                    const struct feature_name *const names[2], unsigned *digits)
{
    *digits = 0;
    if (slice_eq(a->whole, b->whole))
        return (a->flags & EMAIL_ROLE) ? EMAIL_SAME_ROLE : EMAIL_SAME;
    if ((a->flags & EMAIL_ROLE) || (b->flags & EMAIL_ROLE))
        return EMAIL_ELSE;
    if (slice_eq(a->local, b->local)) {
        bool typo = !((a->flags & EMAIL_FREE) && (b->flags & EMAIL_FREE)) &&
                    edit_distance(a->domain, b->domain, 2) <= 2;
        if (typo)
            return EMAIL_DOMAIN_TYPO;
        if (local_is_a_name(a->local, names, digits))
            return EMAIL_SAME_NAME_LOCAL;
        *digits = 0;
        return a->local.len >= 6 ? EMAIL_SAME_LOCAL : EMAIL_SAME_NAME_LOCAL;
    }
    size_t least = a->local.len < b->local.len ? a->local.len : b->local.len;
    if (slice_eq(a->domain, b->domain) && least >= 5 && edit_distance(a->local, b->local, 1) <= 1) {
        /* zhang1 and zhang2 are two people more often than one who slipped. */
        char last_a = a->local.ptr[a->local.len - 1], last_b = b->local.ptr[b->local.len - 1];
        bool counted = last_a != last_b &&
                       ((last_a >= '0' && last_a <= '9') || (last_b >= '0' && last_b <= '9'));
        if (counted || local_is_a_name(a->local, names, digits)) {
            /* john.smith and john_smith are as far apart as two John Smiths; with 1953 behind both it is a slip. */
            if (!same_digits(a->local, b->local))
                *digits = 0;
            return counted ? EMAIL_ELSE : EMAIL_SAME_NAME_LOCAL;
        }
        *digits = 0;
        return EMAIL_LOCAL_TYPO;
    }
    return are_one_misspelt(a, b) ? EMAIL_SIMILAR : EMAIL_ELSE;
}

bool compare_email(const struct features_view *a, const struct features_view *b,
                   const struct comparison_model *model, struct compared *out)
{
    out->rarity_bits = 0;
    out->key = 0;
    out->level = EMAIL_ELSE;
    if (a->email_count == 0 || b->email_count == 0)
        return false;
    const struct feature_name *names[2] = {&a->name, &b->name};
    for (size_t i = 0; i < a->email_count; i++)
        for (size_t k = 0; k < b->email_count; k++) {
            unsigned digits;
            enum email_level level = email_level(&a->emails[i], &b->emails[k], names, &digits);
            float bits = (float)digits * DIGIT_BITS;
            bits = bits > DIGIT_BITS_MAX ? DIGIT_BITS_MAX : bits;
            if (model->levels[level].weight + bits <=
                model->levels[out->level].weight + out->rarity_bits)
                continue;
            out->level = (uint8_t)level;
            out->rarity_bits = bits;
            out->key = level <= EMAIL_SAME_ROLE ? key_of_email(a, a->emails[i].whole) : 0;
        }
    return true;
}

static bool email_fits_name(const struct features_view *mail, const struct features_view *named)
{
    unsigned digits;

    for (size_t i = 0; i < mail->email_count; i++)
        if (!(mail->emails[i].flags & EMAIL_ROLE) &&
            local_is_name(mail->emails[i].local, &named->name, &digits))
            return true;
    return false;
}

/* What the letters of a local part leave beside the family name, "" when it is not at either end. */
static struct slice beside_family(struct slice local, struct slice family, char letters[FEATURE_TEXT_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < local.len && count < FEATURE_TEXT_MAX; i++)
        if (local.ptr[i] >= 'a' && local.ptr[i] <= 'z')
            letters[count++] = local.ptr[i];
    struct slice all = slice_of(letters, count);
    if (family.len < 2 || slice_find_byte(family, ' ') >= 0)
        return SLICE_EMPTY;
    if (slice_starts(all, family))
        return slice_sub(all, family.len, count);
    return slice_ends(all, family) ? slice_sub(all, 0, count - family.len) : SLICE_EMPTY;
}

/* yepeng@ is of another of the family than 叶建英, sarah.king@ of another than Thomas King. */
static bool is_of_another(const struct matcher *matcher, struct slice local, const struct feature_name *name)
{
    char letters[FEATURE_TEXT_MAX];
    struct slice rest = beside_family(local, name->family, letters), syllables[NAME_TOKENS_MAX];
    struct slice words[NAME_TOKENS_MAX];
    uint16_t groups[NICKNAME_GROUPS_MAX];
    size_t count = name_words(name->given, words, NAME_TOKENS_MAX);
    bool known = frequency_is_listed(matcher, FREQUENCY_GIVEN_NAME, rest) || name_nickname_groups(rest, groups) > 0;
    bool chinese = name->script == NAME_SCRIPT_HAN || name->script == NAME_SCRIPT_PINYIN;

    if (rest.len < 3 || (chinese ? known || pinyin_split(rest, syllables, NAME_TOKENS_MAX) == 0 : !known))
        return false;
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!chinese && (rest.ptr[0] == words[i].ptr[0] || name_same_nickname(rest, words[i])))
            return false;
        at += at + words[i].len <= rest.len && memcmp(rest.ptr + at, words[i].ptr, words[i].len) == 0 ? words[i].len : 0;
    }
    return !chinese || at == 0;
}

/* A record that says no whole name, and an address that says whose it is. */
static bool email_is_of_another(const struct matcher *matcher, const struct features_view *mail,
                                const struct features_view *named)
{
    if ((mail->has_name && name_is_whole(&mail->name)) || !named->has_name || !name_is_whole(&named->name))
        return false;
    for (size_t i = 0; i < mail->email_count; i++)
        if (!(mail->emails[i].flags & EMAIL_ROLE) && is_of_another(matcher, mail->emails[i].local, &named->name))
            return true;
    return false;
}

bool compare_email_name(const struct matcher *matcher, const struct features_view *a,
                        const struct features_view *b, struct compared *out)
{
    bool named_a = a->has_name && a->name.given.len && a->name.family.len;
    bool named_b = b->has_name && b->name.given.len && b->name.family.len;

    out->level = EQUAL_ELSE;
    out->rarity_bits = 0;
    out->key = 0;
    if (email_is_of_another(matcher, a, b) || email_is_of_another(matcher, b, a))
        return true;
    out->level = EQUAL_SAME;
    /* With two names, or two e-mails, those have spoken. */
    if (named_a == named_b || (a->email_count && b->email_count))
        return false;
    return named_a ? email_fits_name(b, a) : email_fits_name(a, b);
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.ptr[i] >= 0x80)
            return false;
    return true;
}

enum company_level compare_cores(struct slice a, struct slice b)
{
    struct slice shorter = a.len < b.len ? a : b, longer = a.len < b.len ? b : a;

    if (slice_eq(a, b))
        return COMPANY_SAME;
    size_t enough = is_ascii(shorter) ? 4 : 6;
    if (shorter.len >= enough && slice_starts(longer, shorter) &&
        (!is_ascii(shorter) || longer.ptr[shorter.len] == ' '))
        return COMPANY_CONTAINED;
    enum company_level by_words = is_ascii(longer) ? company_words_level(a, b) : COMPANY_ELSE;
    if (by_words == COMPANY_CONTAINED || by_words == COMPANY_SIMILAR)
        return by_words;
    size_t length = utf8_length(longer);
    if (length >= 4 && edit_distance(a, b, 2) <= (length >= 10 ? 2 : 1))
        return COMPANY_SIMILAR;
    return length >= 8 && text_jaro_winkler(a, b) >= 0.93 ? COMPANY_SIMILAR : by_words;
}

bool compare_company(const struct features_view *a, const struct features_view *b,
                     struct compared *out)
{
    out->rarity_bits = 0;
    out->key = 0;
    if (!a->has_company || !b->has_company)
        return false;
    enum company_level level = compare_cores(a->company, b->company);
    /* An English and a Chinese name say nothing of each other. */
    if (level == COMPANY_ELSE && is_ascii(a->company) != is_ascii(b->company))
        return false;
    bool regions = a->region.len && b->region.len;
    if (level == COMPANY_SAME && regions && slice_eq(a->region, b->region))
        level = COMPANY_SAME_REGION;
    if (level != COMPANY_ELSE && !company_branches_agree(a->branch, b->branch))
        level = COMPANY_BRANCH;
    else if (level != COMPANY_ELSE && regions && !slice_eq(a->region, b->region))
        level = COMPANY_OTHER_REGION;
    out->level = (uint8_t)level;
    return true;
}

enum numbers_relation { NUMBERS_DIFFER, NUMBERS_SAME, NUMBERS_SLIP, NUMBERS_UNIT, NUMBERS_WITHIN };

/* House, building, unit, room, in whatever order: flat 8, 181 Kings Ave. */
static enum numbers_relation compare_numbers(struct slice a, struct slice b)
{
    struct slice left[NAME_TOKENS_MAX], right[NAME_TOKENS_MAX], odd = SLICE_EMPTY;
    bool used[NAME_TOKENS_MAX] = {false};
    size_t n = name_words(a, left, NAME_TOKENS_MAX), m = name_words(b, right, NAME_TOKENS_MAX);
    const struct slice *shorter = n <= m ? left : right, *longer = n <= m ? right : left;
    size_t least = n <= m ? n : m, most = n <= m ? m : n, found = 0;

    if (least == 0)
        return most ? NUMBERS_WITHIN : NUMBERS_SAME;
    for (size_t i = 0; i < least; i++) {
        size_t k = 0;
        while (k < most && (used[k] || !slice_eq(shorter[i], longer[k])))
            k++;
        if (k < most) {
            used[k] = true;
            found++;
        } else {
            odd = shorter[i];
        }
    }
    if (found == least && least == most)
        return NUMBERS_SAME;
    if (found == least)
        return used[most - 1] && least > 1 ? NUMBERS_UNIT : NUMBERS_WITHIN;
    if (least != most || found + 1 != least || least < 2)
        return NUMBERS_DIFFER;
    size_t k = 0;
    while (used[k])
        k++;
    return least > 2 || edit_distance(odd, longer[k], 1) <= 1 ? NUMBERS_SLIP : NUMBERS_DIFFER;
}

static bool words_are_near(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;

    return (least >= 6 && (slice_starts(a, b) || slice_starts(b, a))) ||
           edit_distance(a, b, 3) <= (least < 9 ? 1U : 3U) || text_jaro_winkler(a, b) >= 0.92;
}

static enum address_level street_level(const struct features_view *a, const struct features_view *b)
{
    bool places_conflict = a->postal.len && b->postal.len && !slice_eq(a->postal, b->postal) &&
                           a->city.len && b->city.len && !slice_eq(a->city, b->city);

    if (places_conflict)
        return ADDRESS_ELSE;
    bool same_words = slice_eq(a->street, b->street);
    if (!same_words && !words_are_near(a->street, b->street))
        return ADDRESS_ELSE;
    switch (compare_numbers(a->numbers, b->numbers)) {
    case NUMBERS_SAME:
        return same_words ? ADDRESS_SAME : ADDRESS_SIMILAR;
    case NUMBERS_SLIP:
    case NUMBERS_UNIT:
        return ADDRESS_SIMILAR;
    case NUMBERS_WITHIN:
        return a->numbers.len && b->numbers.len ? ADDRESS_BUILDING : ADDRESS_STREET;
    default:
        return same_words ? ADDRESS_STREET : ADDRESS_ELSE;
    }
}

/* London and Lodnon. */
static bool places_agree(struct slice a, struct slice b)
{
    size_t length = a.len < b.len ? a.len : b.len;

    return length && (slice_eq(a, b) || ((uint8_t)a.ptr[0] < 0x80 && length >= 5 &&
                                         edit_distance(a, b, 2) <= (length < 8 ? 1U : 2U)));
}

/* What the rest of an address says when the street does not agree. */
static enum address_level place_level(const struct features_view *a, const struct features_view *b,
                                      bool streets)
{
    bool postal = a->postal.len && slice_eq(a->postal, b->postal);
    bool district = places_agree(a->district, b->district), city = places_agree(a->city, b->city);

    if (!streets && postal)
        return ADDRESS_POSTAL;
    if (streets && postal && (district || (city && !(a->district.len && b->district.len))))
        return ADDRESS_AREA;
    if (streets && (postal || (district && (city || !(a->city.len && b->city.len)))))
        return ADDRESS_NEAR;
    if (city)
        return streets ? ADDRESS_MOVED : ADDRESS_CITY;
    return district ? ADDRESS_NEAR : ADDRESS_ELSE;
}

bool compare_address(const struct features_view *a, const struct features_view *b,
                     struct compared *out)
{
    enum address_level level = ADDRESS_ELSE;
    bool streets = a->has_address && b->has_address;
    bool cities = a->city.len && b->city.len, postals = a->postal.len && b->postal.len;
    bool districts = a->district.len && b->district.len;

    out->rarity_bits = 0;
    out->key = 0;
    if (!streets && !cities && !postals && !districts)
        return false;
    if (streets)
        level = street_level(a, b);
    if (level == ADDRESS_SAME)
        out->key = key_of_address(a) == key_of_address(b) ? key_of_address(a) : 0;
    if (level == ADDRESS_ELSE)
        level = place_level(a, b, streets);
    out->level = (uint8_t)level;
    return true;
}

static bool website_is(const struct features_view *site, const struct features_view *mail)
{
    for (size_t i = 0; i < mail->email_count; i++)
        if (!(mail->emails[i].flags & EMAIL_FREE) &&
            slice_eq(mail->emails[i].domain, site->website))
            return true;
    return false;
}

bool compare_website(const struct features_view *a, const struct features_view *b,
                     struct compared *out)
{
    out->rarity_bits = 0;
    out->key = 0;
    out->level = EQUAL_SAME;
    if (a->website.len && b->website.len) {
        if (!slice_eq(a->website, b->website))
            out->level = EQUAL_ELSE;
        return true;
    }
    if ((a->website.len && website_is(a, b)) || (b->website.len && website_is(b, a)))
        return true;
    /* Two mailboxes under one domain of their own. */
    for (size_t i = 0; i < a->email_count; i++)
        for (size_t k = 0; k < b->email_count; k++)
            if (!(a->emails[i].flags & EMAIL_FREE) &&
                slice_eq(a->emails[i].domain, b->emails[k].domain))
                return true;
    return false;
}
