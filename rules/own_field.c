/* own_field.c - see own_field.h. */
#include "rules/own_field.h"

#include <stdlib.h>

#include "daemon/base/utf8.h"
#include "rules/frequency.h"
#include "rules/han.h"
#include "rules/text.h"

/* Shares of the words' weight, twice the common over both. */
#define SHARE_SIMILAR 0.85F
#define SHARE_CLOSE   0.60F
#define SHARE_LOOSE   0.35F
#define RARITY_MAX    16.0F /* the rarest value says no more than the rarest name */

bool own_type_is_compared(enum field_type type)
{
    return type < FIELD_TYPE_COUNT && type != FIELD_GEO && type != FIELD_TAGS &&
           type != FIELD_TIMESTAMP;
}

bool own_type_has_frequency(enum field_type type)
{
    return own_type_is_compared(type) && type != FIELD_PHONE;
}

/* ---- packing ---- */

/* No more of a value is folded, some times what is kept: folding takes many times a text's bytes. */
#define FOLDED_MAX_BYTES ((size_t)8 * OWN_TEXT_MAX)

/* Folded, marks as spaces, one space between words; cut at a whole character. */
static struct slice plain_text(struct slice value, struct arena *arena)
{
    struct slice seen = text_cut(value, FOLDED_MAX_BYTES);
    struct slice folded = text_fold(han_simplify(seen, arena), arena);
    char *out = arena_alloc(arena, folded.len + 1);
    size_t len = 0;

    for (size_t i = 0; out && i < folded.len; i++) {
        unsigned char c = (unsigned char)folded.ptr[i];
        bool mark = c < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9');
        if (!mark)
            out[len++] = (char)c;
        else if (len > 0 && out[len - 1] != ' ')
            out[len++] = ' ';
    }
    while (len > 0 && out[len - 1] == ' ')
        len--;
    /* Of nothing but marks the marks are all there is. */
    return text_cut(len ? slice_of(out, len) : folded, OWN_TEXT_MAX);
}

/* Letters and digits only: how a number is grouped says nothing. */
static struct slice plain_number(struct slice value, struct arena *arena)
{
    struct slice folded = text_fold(text_cut(value, FOLDED_MAX_BYTES), arena);
    char *out = arena_alloc(arena, folded.len + 1);
    size_t len = 0;

    for (size_t i = 0; out && i < folded.len; i++) {
        unsigned char c = (unsigned char)folded.ptr[i];
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out[len++] = (char)c;
    }
    return text_cut(slice_of(out, len), OWN_TEXT_MAX);
}

static struct slice phone_payload(struct slice value, struct arena *arena)
{
    uint64_t number = feature_phone_pack(value);
    char *bytes = arena_alloc(arena, 8);

    if (number == 0 || bytes == NULL)
        return SLICE_EMPTY;
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(uint8_t)(number >> (56 - 8 * i));
    return slice_of(bytes, 8);
}

struct slice own_field_payload(enum field_type type, struct slice value, struct arena *arena)
{
    if (!own_type_is_compared(type))
        return SLICE_EMPTY;
    switch (type) {
    case FIELD_PHONE:
        return phone_payload(value, arena);
    case FIELD_DATE:
        return feature_date_parse(value).year ? text_cut(value, 10) : SLICE_EMPTY;
    case FIELD_ID_NUMBER:
        return plain_number(value, arena);
    case FIELD_NUMBER:
    case FIELD_MONEY:
    case FIELD_EMAIL:
    case FIELD_URL:
        return text_lower(text_cut(value, OWN_TEXT_MAX), arena);
    default:
        return plain_text(value, arena);
    }
}

/* ---- comparing ---- */

size_t own_field_tokens(struct slice payload, struct slice tokens[OWN_TOKENS_MAX])
{
    size_t count = 0, from = 0;
    struct slice rest = payload;
    uint32_t c;

    while (rest.len && count < OWN_TOKENS_MAX) {
        size_t at = payload.len - rest.len;
        if (!utf8_next(&rest, &c))
            break;
        size_t next = payload.len - rest.len;
        bool han = han_is(c), word = c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (word && !han)
            continue;
        if (at > from)
            tokens[count++] = slice_sub(payload, from, at);
        if (han && count < OWN_TOKENS_MAX)
            tokens[count++] = slice_sub(payload, at, next);
        from = next;
    }
    if (from < payload.len && rest.len == 0 && count < OWN_TOKENS_MAX)
        tokens[count++] = slice_sub(payload, from, payload.len);
    return count;
}

static float token_weight(const struct matcher *matcher, const struct custom_field *field,
                          struct slice token)
{
    float known = frequency_own_token(matcher, field, token);

    if (known < 0)
        return -known;
    return 2.0F + (float)(token.len < 8 ? token.len : 8) / 2;
}

/* One letter wrong in a word of four or more. */
static bool tokens_are_near(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;

    return least >= 4 && edit_distance(a, b, 1) <= 1;
}

/* The words that both have, by weight: 0 to 1. A word that is nearly there counts for three quarters. */
static float common_share(const struct matcher *matcher, const struct custom_field *field, struct slice a,
                          struct slice b, bool *contained)
{
    struct slice left[OWN_TOKENS_MAX], right[OWN_TOKENS_MAX];
    bool used[OWN_TOKENS_MAX] = {false};
    size_t n = own_field_tokens(a, left), m = own_field_tokens(b, right), found = 0;
    float total = 0, common = 0;

    *contained = false;
    for (size_t k = 0; k < m; k++)
        total += token_weight(matcher, field, right[k]);
    for (size_t i = 0; i < n; i++) {
        float weight = token_weight(matcher, field, left[i]);
        size_t at = m;
        bool near = false;
        total += weight;
        for (size_t k = 0; k < m && (at == m || near); k++)
            if (!used[k] && slice_eq(left[i], right[k])) {
                at = k;
                near = false;
            } else if (!used[k] && at == m && tokens_are_near(left[i], right[k])) {
                at = k;
                near = true;
            }
        if (at == m)
            continue;
        used[at] = true;
        found++;
        common += near ? weight * 0.75F : weight;
    }
    *contained = found == (n < m ? n : m) && found > 1;
    return total > 0 ? 2 * common / total : 0;
}

static bool has_many_words(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == ' ' || (uint8_t)text.ptr[i] >= 0x80)
            return true;
    return false;
}

/* Which letters and digits occur: texts with few in common are not alike, which is soon known. */
static uint64_t letters_of(struct slice text)
{
    uint64_t letters = 0;

    for (size_t i = 0; i < text.len; i++)
        letters |= 1ULL << (text.ptr[i] & 63);
    return letters;
}

static bool may_be_alike(struct slice a, struct slice b)
{
    uint64_t x = letters_of(a), y = letters_of(b);
    int most = __builtin_popcountll(x) > __builtin_popcountll(y) ? __builtin_popcountll(x)
                                                                  : __builtin_popcountll(y);

    return __builtin_popcountll(x & y) * 2 >= most;
}

static enum own_level text_level(const struct matcher *matcher, const struct custom_field *field,
                                 struct slice a, struct slice b)
{
    size_t length = utf8_length(a.len > b.len ? a : b);
    bool possible = may_be_alike(a, b);
    unsigned distance = possible ? edit_distance(a, b, 3) : 4;

    if (length >= 3 && length <= 64 && distance <= (length >= 9 ? 2U : 1U))
        return OWN_SIMILAR;
    double alike = possible && length >= 4 && length <= 64 ? text_jaro_winkler(a, b) : 0;
    bool contained = false;
    float share = has_many_words(a) || has_many_words(b) ? common_share(matcher, field, a, b, &contained)
                                                         : 0;
    if (alike >= 0.95 || share >= SHARE_SIMILAR)
        return OWN_SIMILAR;
    size_t least = a.len < b.len ? a.len : b.len;
    bool starts = least >= 3 && (slice_starts(a, b) || slice_starts(b, a));
    if (alike >= 0.90 || share >= SHARE_CLOSE || contained || (length >= 9 && distance <= 3))
        return OWN_CLOSE;
    return alike >= 0.82 || share >= SHARE_LOOSE || starts ? OWN_LOOSE : OWN_ELSE;
}

static bool read_decimal(struct slice text, double *value)
{
    char copy[40] = {0}, *end = copy;

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.ptr, text.len);
    *value = strtod(copy, &end);
    return end != copy && (*end == '\0' || *end == ' ');
}

/* The digits are a keystroke apart, or the values lie near each other. */
static enum own_level number_level(struct slice a, struct slice b)
{
    double x, y;
    size_t least = a.len < b.len ? a.len : b.len;
    bool slip = least >= 2 && edit_distance(a, b, 1) <= 1;

    if (!read_decimal(a, &x) || !read_decimal(b, &y))
        return slip ? OWN_SIMILAR : OWN_ELSE;
    double apart = x > y ? x - y : y - x;
    double size = (x < 0 ? -x : x) > (y < 0 ? -y : y) ? (x < 0 ? -x : x) : (y < 0 ? -y : y);
    if (x == y || (slip && least >= 3) || apart < size / 1000)
        return OWN_SIMILAR;
    if (slip || apart <= 1 || apart <= size / 100)
        return OWN_CLOSE;
    return apart <= size / 10 ? OWN_LOOSE : OWN_ELSE;
}

static enum own_level date_level(struct slice a, struct slice b)
{
    struct compared compared;

    if (!compare_birth(feature_date_parse(a), feature_date_parse(b), &compared))
        return OWN_ELSE;
    switch (compared.level) {
    case BIRTH_SAME:
    case BIRTH_PLACEHOLDER:
        return OWN_SAME;
    case BIRTH_SWAPPED:
    case BIRTH_SLIP:
        return OWN_SIMILAR;
    case BIRTH_NEAR:
    case BIRTH_MONTH:
        return OWN_CLOSE;
    case BIRTH_YEAR:
    case BIRTH_YEAR_ONLY:
        return OWN_LOOSE;
    default:
        return OWN_ELSE;
    }
}

static uint64_t phone_of(struct slice payload)
{
    uint64_t number = 0;

    for (size_t i = 0; i < payload.len && i < 8; i++)
        number = number << 8 | (uint8_t)payload.ptr[i];
    return number >> PHONE_EXTENSION_BITS;
}

static enum own_level phone_level(struct slice a, struct slice b)
{
    uint64_t x = phone_of(a), y = phone_of(b);

    if (x == y)
        return OWN_SAME;
    return x % 100000000 == y % 100000000 || one_digit_slip(x, y) ? OWN_SIMILAR : OWN_ELSE;
}

static enum own_level email_level(struct slice a, struct slice b)
{
    struct feature_email x = feature_email_of(a), y = feature_email_of(b);

    if (edit_distance(a, b, 2) <= 2)
        return OWN_SIMILAR;
    if (x.local.len >= 5 && slice_eq(x.local, y.local))
        return OWN_CLOSE;
    return x.domain.len && slice_eq(x.domain, y.domain) && !email_domain_is_free(x.domain) ? OWN_LOOSE
                                                                                         : OWN_ELSE;
}

static enum own_level id_level(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;

    if (least < 3)
        return OWN_ELSE;
    unsigned distance = edit_distance(a, b, 2);
    return distance <= 1 ? OWN_SIMILAR : distance == 2 && least >= 6 ? OWN_CLOSE : OWN_ELSE;
}

static enum own_level category_level(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len;

    if (least >= 3 && edit_distance(a, b, 1) <= 1)
        return OWN_SIMILAR;
    return slice_starts(a, b) || slice_starts(b, a) ? OWN_CLOSE : OWN_ELSE;
}

bool compare_own(const struct matcher *matcher, const struct custom_field *field, struct slice a, struct slice b,
                 struct compared *out)
{
    enum own_level level = OWN_SAME;

    out->rarity_bits = 0;
    out->key = 0;
    if (!own_type_is_compared(field->type) || a.len == 0 || b.len == 0)
        return false;
    if (!slice_eq(a, b)) {
        switch (field->type) {
        case FIELD_NUMBER:
        case FIELD_MONEY:
            level = number_level(a, b);
            break;
        case FIELD_DATE:
            level = date_level(a, b);
            break;
        case FIELD_PHONE:
            level = phone_level(a, b);
            break;
        case FIELD_EMAIL:
            level = email_level(a, b);
            break;
        case FIELD_ID_NUMBER:
            level = id_level(a, b);
            break;
        case FIELD_CATEGORY:
            level = category_level(a, b);
            break;
        default:
            level = text_level(matcher, field, a, b);
        }
    }
    out->level = (uint8_t)level;
    if (field->model->levels[level].frequency == FREQUENCY_VALUE) {
        /* Of two values that are nearly the same the commoner one is the one meant. */
        float common = frequency_own(matcher, field, a);
        float other = level == OWN_SAME ? common : frequency_own(matcher, field, b);
        common = other > common ? other : common;
        out->rarity_bits = -common > RARITY_MAX ? RARITY_MAX : -common;
    }
    return true;
}

static bool holds_text(enum field_type type)
{
    return type == FIELD_TEXT || type == FIELD_ADDRESS || type == FIELD_COMPANY || type == FIELD_PERSON_NAME;
}

static bool is_nearly(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len, most = a.len < b.len ? b.len : a.len;

    if (least < 4 || most - least > 2)
        return false;
    return slice_eq(a, b) || (least >= 8 && may_be_alike(a, b) && edit_distance(a, b, 2) <= 2);
}

bool own_field_stands_elsewhere(const struct feature_custom *custom, const struct features_view *b)
{
    if (!holds_text((enum field_type)custom->type))
        return false;
    if (is_nearly(custom->payload, b->street) || is_nearly(custom->payload, b->city) ||
        is_nearly(custom->payload, b->district))
        return true;
    for (size_t i = 0; i < b->custom_count; i++)
        if (b->customs[i].name_hash != custom->name_hash && holds_text((enum field_type)b->customs[i].type) &&
            is_nearly(custom->payload, b->customs[i].payload))
            return true;
    return false;
}
