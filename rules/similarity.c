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

/* The words run together, beginning with the word `first` and going round. */
static struct slice run_together(const struct words *words, size_t first, char letters[64])
{
    size_t count = 0;

    for (size_t i = 0; i < words->count; i++) {
        struct slice word = words->list[(first + i) % words->count];
        for (size_t k = 0; k < word.len && count < 64; k++)
            letters[count++] = word.ptr[k];
    }
    return slice_of(letters, count);
}

/* SergeiLavrov, Sergei Lavrov. A slip for every eight letters is forgiven. */
static double joined_similarity(const struct words *a, const struct words *b)
{
    char left[64], right[64];
    double best = 0;

    for (size_t i = 0; a->count != b->count && i < a->count; i++)
        for (size_t k = 0; k < b->count; k++) {
            struct slice x = run_together(a, i, left), y = run_together(b, k, right);
            unsigned allowed = (unsigned)((x.len > y.len ? x.len : y.len) / 8);
            unsigned edits = x.len && y.len ? edit_distance(x, y, allowed) : allowed + 1;
            best = greater(best, edits <= allowed ? 0.97 - 0.1 * edits : 0);
        }
    return best;
}

/* The scores of words put so that 0.5 parts what one would take for one from what one would not. */
static double centred(double score, double middle)
{
    return score < middle ? 0.5 * score / middle : 0.5 + 0.5 * (score - middle) / (1 - middle);
}

/* First and 1st, forty-four and 44. */
static struct slice number_word(struct slice word)
{
    static const struct {
        const char *word, *digits;
    } known[] = {{"one", "1"},   {"two", "2"},    {"three", "3"},  {"four", "4"},   {"five", "5"},  {"six", "6"},
                 {"seven", "7"}, {"eight", "8"},  {"nine", "9"},   {"ten", "10"},   {"first", "1"}, {"1st", "1"},
                 {"second", "2"}, {"2nd", "2"},   {"third", "3"},  {"3rd", "3"},    {"fourth", "4"}, {"4th", "4"},
                 {"fifth", "5"}, {"5th", "5"},    {"twenty", "20"}, {"thirty", "30"}, {"forty", "40"}, {"fifty", "50"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (slice_is(word, known[i].word))
            return slice_str(known[i].digits);
    return word;
}

static struct words words_of(struct slice text, struct arena *arena)
{
    struct words words;
    size_t kept = 0;

    words.count = name_words(text_ascii(text, arena), words.list, NAME_TOKENS_MAX * 2);
    for (size_t i = 0; i < words.count; i++) {
        struct slice word = number_word(words.list[i]), last = kept ? words.list[kept - 1] : SLICE_EMPTY;
        /* 40 and 4 are 44. */
        if (last.len == 2 && last.ptr[0] >= '2' && last.ptr[0] <= '9' && last.ptr[1] == '0' && word.len == 1 &&
            word.ptr[0] >= '1' && word.ptr[0] <= '9')
            words.list[kept - 1] = arena_printf(arena, "%c%c", last.ptr[0], word.ptr[0]);
        else
            words.list[kept++] = word;
    }
    words.count = kept;
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

/* Forms of one country's law that cannot both be right. */
static bool forms_conflict(struct slice a, struct slice b)
{
    static const char *const families[][3] = {{"ag", "gmbh", "se"}, {"sa", "sarl", "sas"}, {"spa", "srl", ""}};

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        int in_a = -1, in_b = -1;
        for (int k = 0; k < 3; k++) {
            in_a = slice_is(a, families[i][k]) ? k : in_a;
            in_b = slice_is(b, families[i][k]) ? k : in_b;
        }
        if (a.len && b.len && in_a >= 0 && in_b >= 0)
            return in_a != in_b;
    }
    return false;
}

static bool has_word(const struct words *words, struct slice word)
{
    for (size_t i = 0; i < words->count; i++)
        if (slice_eq(words->list[i], word))
            return true;
    return false;
}

/* One names a country that the other does not: the house and its daughter there. */
static bool country_beside(const struct words *a, const struct words *b)
{
    const struct words *both[2] = {a, b};

    for (int side = 0; side < 2; side++)
        for (size_t i = 1; i < both[side]->count; i++) {
            struct slice word = both[side]->list[i];
            if (word.len > 3 && clean_country(word) && !has_word(both[!side], word))
                return true;
        }
    return false;
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
        for (int i = 0; i < 2; i++)
            if (parts[i].region.len == 0)
                cores[i] = company_core_without(cores[i], parts[!i].region, arena);
        score = han_core_similarity(cores[0], cores[1]);
    } else {
        struct words left = words_of(cores[0], arena), right = words_of(cores[1], arena);
        score = greater(words_similarity(&left, &right, false), joined_similarity(&left, &right));
        score = centred(score, COMPANY_MIDDLE);
        /* SiemensAG: the form run together with the name. */
        struct words whole[2] = {words_of(a, arena), words_of(b, arena)};
        if (whole[0].count && whole[1].count)
            score = greater(score, joined_similarity(&whole[0], &whole[1]));
        /* An AG and a GmbH of one name are two; so are those of two places. */
        if (forms_conflict(parts[0].legal, parts[1].legal))
            score *= 0.45;
        else if (parts[0].legal.len && parts[1].legal.len && !slice_eq(parts[0].legal, parts[1].legal))
            score *= 0.8;
        if (country_beside(&left, &right))
            score *= 0.45;
        if (!slice_eq(parts[0].note, parts[1].note) && parts[0].note.len && parts[1].note.len)
            score *= 0.45;
    }
    if (!company_branches_agree(branches[0], branches[1]))
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
