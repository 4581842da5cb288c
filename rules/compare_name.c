/* compare_name.c - see compare.h: two names of persons. */
#include "rules/compare.h"

#include "daemon/base/utf8.h"
#include "rules/han.h"
#include "rules/name_words.h"
#include "rules/text.h"

/* How one part (family, given) of two names relates. */
enum part_relation {
    PART_MISSING,
    PART_SAME,
    PART_SOUND, /* other characters, same pinyin */
    PART_NICKNAME,
    PART_SUBSET, /* a word of a longer name: Maria and Maria Teresa */
    PART_INITIAL,
    PART_TYPO,
    PART_SIMILAR,
    PART_CHARACTER, /* Chinese: one of two characters differs */
    PART_ENGLISH,   /* Chinese here, an English given name there */
    PART_DIFFERENT,
};

struct part {
    struct slice folded, han;
    bool chinese; /* Chinese characters or pinyin */
};

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/* "j", "j r", "xm": single letters, or two or three consonants. */
static bool is_initials(struct slice part)
{
    struct slice words[NAME_TOKENS_MAX];

    if (part.len > 3 && part.ptr[1] != ' ')
        return false;
    size_t count = name_words(part, words, NAME_TOKENS_MAX);

    if (count == 1 && words[0].len > 1 && words[0].len <= 3) {
        for (size_t i = 0; i < words[0].len; i++)
            if (words[0].ptr[i] != 'y' && is_vowel(words[0].ptr[i]))
                return false;
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (words[i].len != 1)
            return false;
    return count > 0;
}

/* Kevin Zhang: the given name is one among friends, and 张伟 may be his real one. */
static bool is_english_given(const struct feature_name *name)
{
    unsigned rank;
    struct slice syllables[NAME_TOKENS_MAX];

    return name->script == NAME_SCRIPT_LATIN && pinyin_is_surname(name->family, &rank) &&
           pinyin_split(name->given, syllables, NAME_TOKENS_MAX) == 0;
}

bool name_is_whole(const struct feature_name *name)
{
    return !is_english_given(name) && !name->doubtful && !name->family_only && name->family.len > 1 && name->given.len &&
           (name->given_han.len || !is_initials(name->given));
}

/* First letters of a part's words; of a Chinese part, of its syllables. */
static size_t initials_of(const struct part *part, char *letters, size_t max)
{
    struct slice words[NAME_TOKENS_MAX], rest = part->han;
    size_t count = 0, written = 0;
    uint32_t code_point;

    if (part->han.len) {
        while (written < max && utf8_next(&rest, &code_point))
            letters[written++] = han_initial(code_point);
        return written;
    }
    if (part->chinese && slice_find_byte(part->folded, ' ') < 0)
        count = pinyin_split(part->folded, words, NAME_TOKENS_MAX);
    if (count == 0)
        count = name_words(part->folded, words, NAME_TOKENS_MAX);
    for (size_t i = 0; i < count && written < max; i++)
        letters[written++] = words[i].ptr[0];
    return written;
}

static bool initials_fit(const struct part *short_one, const struct part *long_one)
{
    char wanted[NAME_TOKENS_MAX], have[NAME_TOKENS_MAX];
    size_t count = 0, have_count = initials_of(long_one, have, sizeof(have));

    for (size_t i = 0; i < short_one->folded.len && count < sizeof(wanted); i++)
        if (short_one->folded.ptr[i] != ' ')
            wanted[count++] = short_one->folded.ptr[i];
    size_t compared = count < have_count ? count : have_count;
    return compared > 0 && memcmp(wanted, have, compared) == 0;
}

static bool equal_without_spaces(struct slice a, struct slice b)
{
    size_t i = 0, k = 0;

    for (;;) {
        while (i < a.len && a.ptr[i] == ' ')
            i++;
        while (k < b.len && b.ptr[k] == ' ')
            k++;
        if (i == a.len || k == b.len)
            return i == a.len && k == b.len;
        if (a.ptr[i++] != b.ptr[k++])
            return false;
    }
}

/* Mueller and Müller, Schaefer and Schäfer: the e that stands for the dots is passed over. */
static bool equal_but_umlauts(struct slice a, struct slice b)
{
    size_t i = 0, k = 0;

    while (i < a.len && k < b.len) {
        if (a.ptr[i] != b.ptr[k])
            return false;
        char c = a.ptr[i++];
        k++;
        if (c != 'a' && c != 'o' && c != 'u')
            continue;
        bool e_in_a = i < a.len && a.ptr[i] == 'e', e_in_b = k < b.len && b.ptr[k] == 'e';
        if (e_in_a != e_in_b)
            e_in_a ? i++ : k++;
    }
    return i == a.len && k == b.len;
}

/* A word (not a particle, not a letter) that both have while one has more. */
static bool shares_word(struct slice a, struct slice b)
{
    struct slice left[NAME_TOKENS_MAX], right[NAME_TOKENS_MAX];

    if (slice_find_byte(a, ' ') < 0 && slice_find_byte(b, ' ') < 0)
        return false;
    size_t left_count = name_words(a, left, NAME_TOKENS_MAX);
    size_t right_count = name_words(b, right, NAME_TOKENS_MAX);
    for (size_t i = 0; i < left_count; i++)
        for (size_t k = 0; k < right_count; k++)
            if (left[i].len > 3 && slice_eq(left[i], right[k]))
                return true;
    return left_count && right_count && left[0].len > 1 && slice_eq(left[0], right[0]);
}

/* The first word of one is the nickname of the other's. */
static bool nickname_fits(struct slice a, struct slice b)
{
    ptrdiff_t left = slice_find_byte(a, ' '), right = slice_find_byte(b, ' ');
    struct slice first_a = slice_sub(a, 0, left < 0 ? a.len : (size_t)left);
    struct slice first_b = slice_sub(b, 0, right < 0 ? b.len : (size_t)right);

    return first_a.len > 1 && first_b.len > 1 && name_same_nickname(first_a, first_b);
}

/* Daniel and Daniela, Mario and Maria: an ending that tells a son from a daughter. */
static bool differs_by_gendered_ending(struct slice a, struct slice b)
{
    size_t least = a.len < b.len ? a.len : b.len, same = 0;

    while (same < least && a.ptr[same] == b.ptr[same])
        same++;
    struct slice rest_a = slice_sub(a, same, a.len), rest_b = slice_sub(b, same, b.len);
    if (rest_a.len > 2 || rest_b.len > 2 || (rest_a.len == 0 && rest_b.len == 0))
        return false;
    return (rest_a.len == 0 || is_vowel(rest_a.ptr[rest_a.len - 1])) &&
           (rest_b.len == 0 || is_vowel(rest_b.ptr[rest_b.len - 1]));
}

/* Two names that people bear, and that are not said alike, are two names rather than a slip: Jason and Alison, Peter
 * and Petra, Parker and Palmer. */
static bool are_two_known(const struct matcher *matcher, struct slice a, struct slice b, bool given)
{
    uint16_t groups[NICKNAME_GROUPS_MAX];
    struct slice words[2] = {a, b};

    for (int i = 0; i < 2; i++)
        if (!frequency_is_listed(matcher, given ? FREQUENCY_GIVEN_NAME : FREQUENCY_SURNAME, words[i]) &&
            !(given && name_nickname_groups(words[i], groups) > 0))
            return false;
    return true;
}

static enum part_relation compare_letters(const struct matcher *matcher, struct slice a, struct slice b, bool given)
{
    size_t least = a.len < b.len ? a.len : b.len, most = a.len < b.len ? b.len : a.len;
    unsigned edits = edit_distance(a, b, 3);
    /* Vowels make no code: Petra and Peter sound alike to it, so that more than one slip needs one
     * ending. */
    bool may_sound =
        least > 2 &&
        (edits <= 1 || (edits == 2 && least >= 5 && a.ptr[a.len - 1] == b.ptr[b.len - 1]));
    bool sounds = may_sound && strcmp(name_phonetic(a).code, name_phonetic(b).code) == 0;

    bool cut_short = slice_starts(a, b) || slice_starts(b, a);

    if (!(edits <= 1 && sounds) && !cut_short && are_two_known(matcher, a, b, given))
        return PART_DIFFERENT;
    if ((edits == 1 && least >= 4) || (edits == 2 && least >= 8) || sounds)
        return given && differs_by_gendered_ending(a, b) ? PART_SIMILAR : PART_TYPO;
    if (edits <= 3 && (edits <= (most + 2) / 4 || (least >= 4 && text_jaro_winkler(a, b) >= 0.82)))
        return PART_SIMILAR;
    /* Cut short: "christo" and "christopher"; "ken" and "kennet"; "andi" and "andreas". */
    size_t stem = least;
    struct slice shorter = a.len < b.len ? a : b;
    if (given && least >= 4 && (shorter.ptr[least - 1] == 'i' || shorter.ptr[least - 1] == 'y'))
        stem--;
    if (stem >= (given ? 2U : 4U) && most > least && memcmp(a.ptr, b.ptr, stem) == 0)
        return PART_SIMILAR;
    return PART_DIFFERENT;
}

/* Pairs off the words of the shorter name, two at least, with words of the longer one: NAME_PART
 * when all are there, NAME_SIMILAR when all but one are and that one is mistyped, else NAME_ELSE.
 */
static enum name_level compare_words(const struct matcher *matcher, const struct feature_name *a,
                                     const struct feature_name *b)
{
    struct slice left[2 * NAME_TOKENS_MAX], right[2 * NAME_TOKENS_MAX], odd = SLICE_EMPTY;
    size_t left_count = name_words(a->given, left, NAME_TOKENS_MAX), exact = 0;
    size_t right_count = name_words(b->given, right, NAME_TOKENS_MAX);

    left_count += name_words(a->family, left + left_count, NAME_TOKENS_MAX);
    right_count += name_words(b->family, right + right_count, NAME_TOKENS_MAX);
    const struct slice *shorter = left_count < right_count ? left : right;
    const struct slice *longer = left_count < right_count ? right : left;
    size_t least_count = left_count < right_count ? left_count : right_count;
    size_t most_count = left_count < right_count ? right_count : left_count;
    if (least_count < 2 || most_count < 3)
        return NAME_ELSE;
    for (size_t i = 0; i < least_count; i++) {
        bool found = false;
        for (size_t k = 0; k < most_count && !found; k++)
            found = shorter[i].len > 1 && slice_eq(shorter[i], longer[k]);
        exact += found;
        odd = found ? odd : shorter[i];
    }
    if (exact == least_count)
        return NAME_PART;
    /* P. Cortés García and Pablo Cortés. */
    for (size_t k = 0; exact + 1 == least_count && k < most_count; k++)
        if ((odd.len == 1) != (longer[k].len == 1) && odd.ptr[0] == longer[k].ptr[0])
            return NAME_INITIAL;
    for (size_t k = 0; exact + 1 == least_count && odd.len > 3 && k < most_count; k++)
        if (longer[k].len > 3 && compare_letters(matcher, odd, longer[k], true) == PART_TYPO)
            return NAME_SIMILAR;
    return NAME_ELSE;
}

/* n and ng, z and zh, s and sh, c and ch, l and n are often heard as one in the south. */
static bool sounds_southern(struct slice a, struct slice b)
{
    char left[FEATURE_TEXT_MAX], right[FEATURE_TEXT_MAX];
    char *outs[2] = {left, right};
    struct slice ins[2] = {a, b};
    size_t lens[2] = {0, 0};

    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < ins[side].len && lens[side] < FEATURE_TEXT_MAX; i++) {
            char c = ins[side].ptr[i], before = i ? ins[side].ptr[i - 1] : 0;
            if (c == ' ' || (c == 'h' && (before == 'z' || before == 's' || before == 'c')) ||
                (c == 'g' && before == 'n'))
                continue;
            outs[side][lens[side]++] = c;
        }
    return lens[0] == lens[1] && memcmp(left, right, lens[0]) == 0;
}

/* 墨 and 墨总, 峰 and 峰经理: the same name with a title behind it. */
static bool differ_by_title(struct slice a, struct slice b)
{
    struct slice longer = a.len > b.len ? a : b, shorter = a.len > b.len ? b : a;
    enum name_gender gender;
    bool weak;

    return shorter.len && slice_starts(longer, shorter) &&
           longer.len - shorter.len == name_han_title(longer, &gender, &weak);
}

/* 小明 and 小名 are SOUND already; here 建国 and 建军, 小明 and 明. */
static enum part_relation compare_characters(struct slice a, struct slice b)
{
    size_t left = utf8_length(a), right = utf8_length(b);

    if ((left > 1 || right > 1) && edit_distance(a, b, 1) <= 1)
        return PART_CHARACTER;
    return PART_DIFFERENT;
}

static enum part_relation compare_chinese(const struct part *a, const struct part *b)
{
    if (a->han.len && b->han.len) {
        if (slice_eq(a->han, b->han) || differ_by_title(a->han, b->han))
            return PART_SAME;
        if (equal_without_spaces(a->folded, b->folded))
            return PART_SOUND;
        return sounds_southern(a->folded, b->folded) ? PART_TYPO
                                                     : compare_characters(a->han, b->han);
    }
    if (sounds_southern(a->folded, b->folded))
        return PART_TYPO;
    /* Letters of pinyin are few: one wrong letter makes another name unless the name is long. */
    size_t least = a->folded.len < b->folded.len ? a->folded.len : b->folded.len;
    if (least >= 5 && edit_distance(a->folded, b->folded, 1) <= 1)
        return PART_TYPO;
    return PART_DIFFERENT;
}

static size_t run_together(struct slice first, struct slice second, char letters[2 * FEATURE_TEXT_MAX])
{
    struct slice parts[2] = {first, second};
    size_t count = 0;

    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < parts[i].len && count < 2 * FEATURE_TEXT_MAX; k++)
            if (parts[i].ptr[k] != ' ')
                letters[count++] = parts[i].ptr[k];
    return count;
}

/* Anna and Lisa read as pinyin, too. */
static bool is_western_given(const struct matcher *matcher, const struct part *given)
{
    char letters[2 * FEATURE_TEXT_MAX];
    size_t count = run_together(given->folded, SLICE_EMPTY, letters);

    return given->han.len == 0 && frequency_is_listed(matcher, FREQUENCY_GIVEN_NAME, slice_of(letters, count));
}

static enum part_relation compare_part(const struct matcher *matcher, const struct part *a, const struct part *b,
                                       bool given)
{
    if (a->folded.len == 0 || b->folded.len == 0)
        return PART_MISSING;
    if (a->han.len && b->han.len)
        return compare_chinese(a, b);
    if (equal_without_spaces(a->folded, b->folded))
        return PART_SAME;
    if (!a->chinese && !b->chinese && equal_but_umlauts(a->folded, b->folded))
        return PART_SAME;
    bool initials_a = is_initials(a->folded), initials_b = is_initials(b->folded);
    if (initials_a && initials_fit(a, b))
        return PART_INITIAL;
    if (initials_b && initials_fit(b, a))
        return PART_INITIAL;
    if ((initials_a && a->folded.len == 1) || (initials_b && b->folded.len == 1))
        return PART_DIFFERENT;
    if (a->chinese && b->chinese) {
        enum part_relation relation = compare_chinese(a, b);
        /* Anna reads as pinyin, too. */
        return given && relation == PART_DIFFERENT && (is_western_given(matcher, a) || is_western_given(matcher, b))
                   ? PART_ENGLISH
                   : relation;
    }
    if (given && nickname_fits(a->folded, b->folded))
        return PART_NICKNAME;
    if (shares_word(a->folded, b->folded))
        return PART_SUBSET;
    enum part_relation relation = compare_letters(matcher, a->folded, b->folded, given);
    if (given && relation == PART_DIFFERENT && a->chinese != b->chinese)
        return PART_ENGLISH;
    return relation;
}

/* Neither part is missing. */
static enum name_level level_of_both(enum part_relation family, enum part_relation given,
                                     bool chinese)
{
    /* By given name, from PART_SAME: what a family name of the given closeness makes of it. */
    static const uint8_t same[] = {
        NAME_EXACT, NAME_HOMOPHONE, NAME_NICKNAME,      NAME_PART,          NAME_INITIAL,
        NAME_TYPO,  NAME_SIMILAR,   NAME_ONE_CHARACTER, NAME_ENGLISH_GIVEN, NAME_GIVEN_DIFFERS};
    static const uint8_t sound[] = {NAME_HOMOPHONE, NAME_HOMOPHONE, NAME_ELSE,    NAME_SIMILAR,
                                    NAME_SIMILAR,   NAME_SIMILAR,   NAME_SIMILAR, NAME_SIMILAR,
                                    NAME_ELSE,      NAME_ELSE};
    static const uint8_t subset[] = {NAME_PART,    NAME_SIMILAR,      NAME_NICKNAME, NAME_PART,
                                     NAME_INITIAL, NAME_SIMILAR,      NAME_SIMILAR,  NAME_SIMILAR,
                                     NAME_ELSE,    NAME_GIVEN_DIFFERS};
    static const uint8_t typo[] = {NAME_TYPO,    NAME_TYPO,    NAME_TYPO, NAME_TYPO, NAME_SIMILAR,
                                   NAME_SIMILAR, NAME_SIMILAR, NAME_ELSE, NAME_ELSE, NAME_ELSE};
    static const uint8_t similar[] = {NAME_SIMILAR, NAME_SIMILAR, NAME_SIMILAR, NAME_SIMILAR,
                                      NAME_ELSE,    NAME_SIMILAR, NAME_ELSE,    NAME_ELSE,
                                      NAME_ELSE,    NAME_ELSE};
    size_t at = (size_t)given - PART_SAME;

    switch (family) {
    case PART_SAME:
        return (enum name_level)same[at];
    case PART_SOUND:
        return (enum name_level)sound[at];
    case PART_SUBSET:
        return (enum name_level)subset[at];
    case PART_TYPO:
    case PART_NICKNAME:
        return (enum name_level)typo[at];
    case PART_SIMILAR:
        return (enum name_level)similar[at];
    case PART_INITIAL:
        return given == PART_SAME ? NAME_INITIAL : NAME_ELSE;
    case PART_CHARACTER:
        return given == PART_SAME ? NAME_ONE_CHARACTER : NAME_ELSE;
    default:
        return !chinese && (given == PART_SAME || given == PART_NICKNAME) ? NAME_FAMILY_CHANGED
                                                                          : NAME_ELSE;
    }
}

static bool level_of(enum part_relation family, enum part_relation given, bool chinese,
                     enum name_level *level)
{
    if (family == PART_MISSING && given == PART_MISSING)
        return false;
    if (given == PART_MISSING) {
        if (family == PART_INITIAL)
            return false;
        *level = family == PART_SAME || family == PART_SOUND || family == PART_SUBSET ? NAME_FAMILY_ONLY
                 : family == PART_TYPO || family == PART_SIMILAR                      ? NAME_WORD_TYPO
                                                                                      : NAME_ELSE;
    } else if (family == PART_MISSING) {
        if (given == PART_ENGLISH)
            return false;
        *level = given == PART_DIFFERENT || given == PART_CHARACTER ? NAME_ELSE
                 : given == PART_TYPO || given == PART_SIMILAR      ? NAME_WORD_TYPO
                                                                    : NAME_GIVEN_ONLY;
    } else {
        *level = level_of_both(family, given, chinese);
    }
    return true;
}

struct name_judgement {
    bool any;
    enum name_level level;
    float rarity, weight;
};

static float least(float a, float b)
{
    return a < b ? a : b;
}

static bool same_part(const struct part *a, const struct part *b)
{
    return slice_eq(a->folded, b->folded) && slice_eq(a->han, b->han);
}

/* Of one word that is a family name here and may be a given name there: it is as common as the commoner of the two. */
static float rarity_of_word(const struct matcher *matcher, const struct part *word)
{
    return least(-frequency_family(matcher, word->folded, word->han),
                 -frequency_given(matcher, word->folded, word->han, word->chinese));
}

/* How rare what agrees is: of two spellings the commoner one counts. */
static float rarity_of(const struct matcher *matcher, const struct part family[2],
                       const struct part given[2], const struct level_model *model, bool by_sound)
{
    float family_bits = 0, given_bits = 0;

    bool no_family = family[0].folded.len == 0 || family[1].folded.len == 0;
    bool no_given = given[0].folded.len == 0 || given[1].folded.len == 0;

    if (no_family || no_given) {
        const struct part *word = no_family ? given : family;
        for (int side = 0; side < 2 && model->frequency; side++) {
            float now = rarity_of_word(matcher, &word[side]);
            family_bits = side == 0 ? now : least(family_bits, now);
        }
        return least(family_bits, matcher->name_bits_max - model->weight);
    }
    for (int side = 0; side < 2 && (model->frequency & FREQUENCY_FAMILY); side++) {
        if (side == 1 && same_part(&family[0], &family[1]))
            break;
        float now = -frequency_family(matcher, family[side].folded,
                                      by_sound ? SLICE_EMPTY : family[side].han);
        family_bits = side == 0 ? now : least(family_bits, now);
    }
    for (int side = 0; side < 2 && (model->frequency & FREQUENCY_GIVEN); side++) {
        if (side == 1 && same_part(&given[0], &given[1]))
            break;
        float now = -frequency_given(matcher, given[side].folded,
                                     by_sound ? SLICE_EMPTY : given[side].han, given[side].chinese);
        given_bits = side == 0 ? now : least(given_bits, now);
    }
    return least(family_bits + given_bits, matcher->name_bits_max - model->weight);
}

static struct name_judgement judge(const struct matcher *matcher, const struct part family[2],
                                   const struct part given[2], bool swapped)
{
    struct name_judgement judgement = {0};
    bool chinese = family[0].han.len || family[1].han.len;
    bool scripts_differ =
        (family[0].han.len || given[0].han.len) != (family[1].han.len || given[1].han.len);

    judgement.any = level_of(compare_part(matcher, &family[0], &family[1], swapped),
                             compare_part(matcher, &given[0], &given[1], true), chinese, &judgement.level);
    if (!judgement.any)
        return judgement;
    if (judgement.level == NAME_EXACT && scripts_differ)
        judgement.level = NAME_ROMANISED;
    else if (judgement.level == NAME_EXACT && swapped)
        judgement.level = NAME_SWAPPED;
    const struct level_model *model = &matcher->comparisons[CMP_NAME].levels[judgement.level];
    bool by_sound = judgement.level == NAME_HOMOPHONE || judgement.level == NAME_ROMANISED;
    judgement.rarity = rarity_of(matcher, family, given, model, by_sound);
    /* Which of the two is the family name is open: it is as common as the commoner reading. */
    if (swapped && family[0].folded.len && family[1].folded.len && given[0].folded.len && given[1].folded.len)
        judgement.rarity =
            least(judgement.rarity, rarity_of(matcher, given, family, model, by_sound));
    judgement.weight = model->weight + judgement.rarity;
    return judgement;
}

/* Family and given name run together in either order, spaces apart: zhaochun jing, Chunjing Zhao. */
static bool letters_are_equal(const struct feature_name *a, const struct feature_name *b)
{
    char left[2 * FEATURE_TEXT_MAX], right[2 * FEATURE_TEXT_MAX];

    for (int order = 0; order < 4; order++) {
        size_t count = order & 1 ? run_together(a->given, a->family, left) : run_together(a->family, a->given, left);
        size_t other = order & 2 ? run_together(b->given, b->family, right) : run_together(b->family, b->given, right);
        if (count >= 6 && count == other && memcmp(left, right, count) == 0)
            return true;
    }
    return false;
}

/* First letters of the whole name, family first. */
static size_t all_initials(const struct feature_name *name, char *letters, size_t max)
{
    bool chinese = name->script == NAME_SCRIPT_HAN || name->script == NAME_SCRIPT_PINYIN;
    struct part family = {name->family, name->family_han, chinese};
    struct part given = {name->given, name->given_han, chinese};
    size_t count = initials_of(&family, letters, max);

    return count + initials_of(&given, letters + count, max - count);
}

/* "SJG" and 宋建国. */
static bool is_all_initials(const struct feature_name *letters, const struct feature_name *name)
{
    char have[2 * NAME_TOKENS_MAX], wanted[2 * NAME_TOKENS_MAX];
    size_t count = all_initials(name, have, sizeof(have)), wanted_count = 0;
    struct slice parts[2] = {letters->family, letters->given};

    for (int i = 0; i < 2; i++)
        for (size_t k = 0; k < parts[i].len && wanted_count < sizeof(wanted); k++)
            if (parts[i].ptr[k] != ' ')
                wanted[wanted_count++] = parts[i].ptr[k];
    return wanted_count >= 2 && slice_eq(slice_of(wanted, wanted_count), slice_of(have, count));
}

/* A chat name that does not fit says little; its letters may still be somebody's initials. */
static struct name_judgement judge_doubtful(const struct matcher *matcher,
                                            const struct feature_name *a,
                                            const struct feature_name *b,
                                            struct name_judgement best)
{
    if (is_all_initials(a, b) || is_all_initials(b, a)) {
        best.any = true;
        best.level = NAME_INITIAL;
        best.rarity = 0;
    } else if (!best.any || best.level == NAME_ELSE ||
               (best.level >= NAME_FAMILY_CHANGED && best.level != NAME_WORD_TYPO) ||
               matcher->comparisons[CMP_NAME].levels[best.level].weight + best.rarity < 0) {
        best.any = true;
        best.level = NAME_UNLIKE;
        best.rarity = 0;
    }
    return best;
}

bool compare_name(const struct matcher *matcher, const struct features_view *a,
                  const struct features_view *b, struct compared *out)
{
    const struct feature_name *names[2] = {&a->name, &b->name};
    struct part family[2], given[2];

    if (!a->has_name || !b->has_name)
        return false;
    for (int i = 0; i < 2; i++) {
        bool chinese =
            names[i]->script == NAME_SCRIPT_HAN || names[i]->script == NAME_SCRIPT_PINYIN;
        family[i] = (struct part){names[i]->family, names[i]->family_han, chinese};
        given[i] = (struct part){names[i]->given, names[i]->given_han, chinese};
    }
    struct name_judgement best = judge(matcher, family, given, false);
    /* Characters keep their order; letters do not. */
    if ((!best.any || best.level == NAME_ELSE || best.level >= NAME_TYPO) &&
        !(family[0].han.len && family[1].han.len)) {
        struct part other_family[2] = {family[0], given[1]}, other_given[2] = {given[0], family[1]};
        struct name_judgement swapped = judge(matcher, other_family, other_given, true);
        if (swapped.any && (best.any ? swapped.weight > best.weight : swapped.weight > 0) &&
            swapped.level != NAME_FAMILY_CHANGED && swapped.level != NAME_GIVEN_DIFFERS)
            best = swapped;
    }
    if (!family[0].chinese && !family[1].chinese && best.any &&
        (best.level == NAME_ELSE || best.level >= NAME_FAMILY_ONLY)) {
        enum name_level words = compare_words(matcher, &a->name, &b->name);
        if (words != NAME_ELSE) {
            const struct level_model *model = &matcher->comparisons[CMP_NAME].levels[words];
            best.level = words;
            best.rarity = rarity_of(matcher, family, given, model, false);
        }
    }
    if ((best.level == NAME_ELSE || best.level >= NAME_FAMILY_ONLY) &&
        !(family[0].han.len && family[1].han.len) && letters_are_equal(&a->name, &b->name)) {
        best.any = true;
        best.level = NAME_TYPO;
        best.rarity = rarity_of(matcher, family, given, &matcher->comparisons[CMP_NAME].levels[NAME_TYPO], true);
    }
    if (a->name.doubtful || b->name.doubtful)
        best = judge_doubtful(matcher, &a->name, &b->name, best);
    out->level = (uint8_t)best.level;
    out->rarity_bits = best.rarity;
    out->key = 0;
    return best.any;
}
