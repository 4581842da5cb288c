/*
 * similarity.c - how alike two single values are, 0 to 1, for trying a type on labelled pairs.
 *
 * The levels are those of compare.h; a number from 0 to 1 orders them. From 0.5 up two values would
 * be taken for one by somebody who has nothing else to go by.
 */
#include "daemon/base/utf8.h"
#include "rules/address.h"
#include "rules/clean.h"
#include "rules/company_match.h"
#include "rules/compare.h"
#include "rules/han.h"
#include "rules/text.h"

#define SCRATCH_BYTES  ((size_t)1 << 20)
#define NAME_MIDDLE    0.73
#define COMPANY_MIDDLE 0.80

static double greater(double a, double b)
{
    return a > b ? a : b;
}

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

/* Two words of names or companies, in ASCII letters. */
static double word_similarity(struct slice a, struct slice b, bool person)
{
    size_t most = a.len > b.len ? a.len : b.len, least = a.len > b.len ? b.len : a.len;

    if (slice_eq(a, b))
        return 1;
    if (least == 0)
        return 0;
    if (least == 1)
        return a.ptr[0] == b.ptr[0] ? 0.75 : 0;
    if (person && name_same_nickname(a, b))
        return 0.9;
    unsigned edits = edit_distance(a, b, (unsigned)most);
    double ratio = 1 - (double)edits / (double)most;
    if (edits == 1 && least >= 4)
        ratio = greater(ratio, 0.82);
    if (person && least >= 3 && strcmp(name_phonetic(a).code, name_phonetic(b).code) == 0)
        ratio = greater(ratio, 0.5 + ratio / 2);
    return ratio;
}

struct words {
    size_t count;
    struct slice list[NAME_TOKENS_MAX * 2];
};

static size_t words_length(const struct words *words)
{
    size_t total = 0;

    for (size_t i = 0; i < words->count; i++)
        total += words->list[i].len;
    return total;
}

/*
 * Pairs the words off, best pair first, whatever their order. The score follows the worst-matched
 * word of the shorter name as much as the mean: one wrong word is another name however long the
 * rest is. Words that only the longer one has count a little.
 */
static double words_similarity(const struct words *a, const struct words *b, bool person)
{
    const struct words *shorter = a->count <= b->count ? a : b,
                       *longer = a->count <= b->count ? b : a;
    bool used_short[NAME_TOKENS_MAX * 2] = {false}, used_long[NAME_TOKENS_MAX * 2] = {false};
    double total = 0, weights = 0, worst = 1;
    size_t left_over = words_length(longer);

    if (shorter->count == 0)
        return 0;
    for (size_t round = 0; round < shorter->count; round++) {
        double best = -1;
        size_t best_i = 0, best_k = 0;
        for (size_t i = 0; i < shorter->count; i++)
            for (size_t k = 0; !used_short[i] && k < longer->count; k++) {
                double s =
                    used_long[k] ? -1 : word_similarity(shorter->list[i], longer->list[k], person);
                if (s > best) {
                    best = s;
                    best_i = i;
                    best_k = k;
                }
            }
        used_short[best_i] = used_long[best_k] = true;
        double weight = 2 + (double)shorter->list[best_i].len;
        total += best * weight;
        weights += weight;
        worst = lesser(worst, best);
        left_over -= longer->list[best_k].len;
    }
    double extra = (double)left_over / (double)(words_length(longer) + 1);
    return (0.45 * total / weights + 0.55 * worst) * (1 - (person ? 0.45 : 0.7) * extra);
}

/* The words run together: SergeiLavrov, Sergei Lavrov. A slip for every eight letters is forgiven.
 */
static double joined_similarity(const struct words *a, const struct words *b)
{
    char left[256], right[256];
    size_t lens[2] = {0, 0};
    char *outs[2] = {left, right};
    const struct words *ins[2] = {a, b};

    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < ins[side]->count; i++)
            for (size_t k = 0; k < ins[side]->list[i].len && lens[side] < sizeof(left); k++)
                outs[side][lens[side]++] = ins[side]->list[i].ptr[k];
    size_t most = lens[0] > lens[1] ? lens[0] : lens[1];
    if (most == 0 || a->count == b->count)
        return 0;
    unsigned allowed = (unsigned)(most / 8);
    unsigned edits = edit_distance(slice_of(left, lens[0]), slice_of(right, lens[1]), allowed);
    return edits <= allowed ? 0.97 - 0.1 * edits : 0;
}

/* The scores of words put so that 0.5 parts what one would take for one from what one would not. */
static double centred(double score, double middle)
{
    return score < middle ? 0.5 * score / middle : 0.5 + 0.5 * (score - middle) / (1 - middle);
}

static struct words words_of(struct slice text, struct arena *arena)
{
    struct words words;

    words.count = name_words(text_ascii(text, arena), words.list, NAME_TOKENS_MAX * 2);
    return words;
}

static double name_similarity(struct slice a, struct slice b, struct arena *arena)
{
    struct name_parts parts[2];
    struct words words[2];
    struct slice texts[2] = {a, b};

    for (int i = 0; i < 2; i++) {
        name_parse(texts[i], arena, &parts[i]);
        words[i].count = 0;
        for (size_t k = 0; k < parts[i].token_count; k++)
            words[i].list[words[i].count++] = parts[i].tokens[k];
    }
    if (parts[0].script == NAME_SCRIPT_HAN && parts[1].script == NAME_SCRIPT_HAN) {
        struct slice left = han_simplify(parts[0].display, arena),
                     right = han_simplify(parts[1].display, arena);
        if (slice_eq(left, right))
            return 1;
        if (han_homophone_hash(left) == han_homophone_hash(right))
            return 0.85;
        size_t length = utf8_length(left.len > right.len ? left : right);
        unsigned edits = edit_distance(left, right, (unsigned)length);
        return 0.9 * (1 - (double)edits / (double)length) * (edits ? 0.6 : 1);
    }
    double cross =
        (parts[0].script == NAME_SCRIPT_HAN) != (parts[1].script == NAME_SCRIPT_HAN) ? 0.97 : 1;
    double score = words_similarity(&words[0], &words[1], true);
    score = greater(score, joined_similarity(&words[0], &words[1]));
    score = centred(score, NAME_MIDDLE);
    if (parts[0].suffix.len && parts[1].suffix.len &&
        !slice_eq_nocase(parts[0].suffix, parts[1].suffix))
        score = lesser(score, 0.4);
    return score * cross;
}

static double han_core_similarity(struct slice a, struct slice b)
{
    switch (compare_cores(a, b)) {
    case COMPANY_SAME:
        return 1;
    case COMPANY_SIMILAR:
        return 0.48;
    case COMPANY_CONTAINED:
        return 0.45;
    default:
        return 0.4 * text_jaro_winkler(a, b);
    }
}

static double company_similarity(struct slice a, struct slice b, struct arena *arena)
{
    struct slice texts[2] = {a, b}, cores[2], branches[2];
    struct company_parts parts[2];
    double score;

    for (int i = 0; i < 2; i++) {
        company_parse(texts[i], arena, &parts[i]);
        cores[i] = company_match_core(parts[i].core, arena);
        branches[i] = company_match_branch(parts[i].branch, arena);
    }
    if (parts[0].is_han && parts[1].is_han) {
        score = han_core_similarity(cores[0], cores[1]);
    } else {
        struct words left = words_of(cores[0], arena), right = words_of(cores[1], arena);
        score = greater(words_similarity(&left, &right, false), joined_similarity(&left, &right));
        score = centred(score, COMPANY_MIDDLE);
        /* An AG and a GmbH of one name are two; so are those of two places. */
        if (parts[0].legal.len && parts[1].legal.len && !slice_eq(parts[0].legal, parts[1].legal))
            score *= 0.8;
        if (!slice_eq(parts[0].note, parts[1].note) && parts[0].note.len && parts[1].note.len)
            score *= 0.45;
    }
    if (!slice_eq(branches[0], branches[1]))
        score *= 0.45;
    else if (parts[0].region.len && parts[1].region.len &&
             !slice_eq(parts[0].region, parts[1].region))
        score *= 0.45;
    else if (!slice_eq(parts[0].region, parts[1].region))
        score *= 0.9;
    return score;
}

static struct slice cleaned(enum field_type type, struct slice value, struct arena *arena)
{
    struct clean_context context = {"", "", false};
    struct cleaned out;

    clean_value_typed(type, &context, value, arena, &out);
    return out.value;
}

static double phone_similarity(struct slice a, struct slice b, struct arena *arena)
{
    static const double scores[PHONE_LEVELS] = {0, 1, 0.45, 0.8, 0.6, 0.8};
    struct features_view views[2] = {{.phone_count = 1}, {.phone_count = 1}};
    struct comparison_model model = {{{0}}, {0}};
    struct compared compared;
    struct slice texts[2] = {a, b};

    for (size_t i = 0; i < PHONE_LEVELS; i++)
        model.levels[i].weight = (float)scores[i];
    for (int i = 0; i < 2; i++) {
        views[i].phones[0] = feature_phone_pack(cleaned(FIELD_PHONE, texts[i], arena));
        if (views[i].phones[0] == 0)
            return slice_eq(a, b) ? 1 : 0;
    }
    return compare_phone(&views[0], &views[1], &model, &compared) ? scores[compared.level] : 0;
}

static double email_similarity(struct slice a, struct slice b, struct arena *arena)
{
    static const double scores[EMAIL_LEVELS] = {0, 1, 0.95, 0.85, 0.7, 0.6, 0.4, 0.7};
    struct features_view views[2] = {{.email_count = 1}, {.email_count = 1}};
    struct comparison_model model = {{{0}}, {0}};
    struct compared compared;
    struct slice texts[2] = {a, b};

    for (size_t i = 0; i < EMAIL_LEVELS; i++)
        model.levels[i].weight = (float)scores[i];
    for (int i = 0; i < 2; i++) {
        views[i].emails[0] = feature_email_of(cleaned(FIELD_EMAIL, texts[i], arena));
        views[i].emails[0].flags =
            (uint8_t)((email_local_is_role(views[i].emails[0].local) ? EMAIL_ROLE : 0) |
                      (email_domain_is_free(views[i].emails[0].domain) ? EMAIL_FREE : 0));
    }
    if (!compare_email(&views[0], &views[1], &model, &compared))
        return 0;
    return scores[compared.level];
}

static double date_similarity(struct slice a, struct slice b, struct arena *arena)
{
    static const double scores[BIRTH_LEVELS] = {0, 1, 1, 0.7, 0.6, 0.3, 0.6, 0.2, 0.4, 0, 0.3};
    struct compared compared;

    return compare_birth(feature_date_parse(cleaned(FIELD_DATE, a, arena)),
                         feature_date_parse(cleaned(FIELD_DATE, b, arena)), &compared)
               ? scores[compared.level]
               : 0;
}

static double address_similarity(struct slice a, struct slice b, struct arena *arena)
{
    static const double scores[ADDRESS_LEVELS] = {0, 1, 0.75, 0.8, 0.4, 0.25, 0.15, 0.1, 0.3, 0.2};
    struct features_view views[2];
    struct compared compared;
    struct slice texts[2] = {a, b};

    memset(views, 0, sizeof(views));
    for (int i = 0; i < 2; i++) {
        struct address_parts parts;
        address_parse(texts[i], "", arena, &parts);
        feature_street(&parts, arena, &views[i].street, &views[i].numbers);
        views[i].has_address = views[i].street.len > 0;
        views[i].city = parts.city;
        views[i].postal = parts.postal_code;
    }
    if (!compare_address(&views[0], &views[1], &compared))
        return 0;
    return compared.level ? scores[compared.level]
                          : 0.3 * text_jaro_winkler(views[0].street, views[1].street);
}

static double text_similarity(struct slice a, struct slice b, struct arena *arena)
{
    struct slice left = han_simplify(text_fold(a, arena), arena),
                 right = han_simplify(text_fold(b, arena), arena);

    return slice_eq(left, right) ? 1 : lesser(0.99, text_jaro_winkler(left, right));
}

static double similarity(enum field_type type, struct slice a, struct slice b, struct arena *arena)
{
    switch (type) {
    case FIELD_PERSON_NAME:
        return name_similarity(a, b, arena);
    case FIELD_COMPANY:
        return company_similarity(a, b, arena);
    case FIELD_PHONE:
        return phone_similarity(a, b, arena);
    case FIELD_EMAIL:
        return email_similarity(a, b, arena);
    case FIELD_DATE:
        return date_similarity(a, b, arena);
    case FIELD_ADDRESS:
        return address_similarity(a, b, arena);
    case FIELD_ID_NUMBER:
    case FIELD_URL:
    case FIELD_NUMBER:
    case FIELD_MONEY:
    case FIELD_TIMESTAMP:
    case FIELD_GEO:
        return slice_eq(cleaned(type, a, arena), cleaned(type, b, arena)) ? 1 : 0;
    default:
        return text_similarity(a, b, arena);
    }
}

double match_similarity(const struct matcher *matcher, enum field_type type, struct slice a,
                        struct slice b)
{
    struct arena *arena = arena_new(SCRATCH_BYTES);
    double result = 0;

    (void)matcher;
    a = slice_trim(a);
    b = slice_trim(b);
    if (arena && a.len && b.len && a.len < SCRATCH_BYTES / 64 && b.len < SCRATCH_BYTES / 64)
        result =
            slice_cmp(a, b) <= 0 ? similarity(type, a, b, arena) : similarity(type, b, a, arena);
    if (arena)
        arena_free(&arena);
    return result < 0 ? 0 : result > 1 ? 1 : result;
}
