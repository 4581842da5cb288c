/*
 * name_latin.c - names made of words: titles, suffixes, "Family, Given", FAMILY in capitals, pinyin, particles,
 * patronymics; see name.h.
 */
#include <unicode/uchar.h>

#include "daemon/base/utf8.h"
#include "rules/han.h"
#include "rules/name_intern.h"
#include "rules/name_words.h"
#include "rules/text.h"

#define WORDS_MAX 16

struct words {
    size_t count;
    struct slice text[WORDS_MAX];
};

/* A word for looking up: lower case, without its last point; empty when it is too long to be in a list. */
struct low_word {
    char text[24];
    size_t len;
    bool point;
};

static struct low_word low_word(struct slice word)
{
    struct low_word low = {.len = 0};
    while (word.len > 0 && word.ptr[word.len - 1] == '.') {
        low.point = true;
        word.len--;
    }
    if (word.len >= sizeof(low.text))
        return low;
    for (size_t i = 0; i < word.len; i++)
        low.text[i] = word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? (char)(word.ptr[i] + 32) : word.ptr[i];
    low.len = word.len;
    return low;
}

static bool is_title(struct slice word, enum name_gender *gender)
{
    struct low_word low = low_word(word);
    return low.len > 0 && name_latin_title(slice_of(low.text, low.len), low.point, gender);
}

static bool is_suffix(struct slice word)
{
    char plain[12];
    size_t length = 0;
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (c == '.')
            continue;
        if (length == sizeof(plain))
            return false;
        plain[length++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    /* jun and sen are syllables of Chinese names, too: they are abbreviations only with their point. */
    if (length == word.len && (slice_is(slice_of(plain, length), "jun") || slice_is(slice_of(plain, length), "sen")))
        return false;
    return length > 0 && name_latin_suffix(slice_of(plain, length));
}

/* Splits at spaces, and after the point of a title glued to the next word (Dr.Müller). */
static void split_words(struct slice s, struct words *words)
{
    words->count = 0;
    while (s.len > 0 && words->count < WORDS_MAX) {
        ptrdiff_t space = slice_find_byte(s, ' ');
        struct slice word = slice_sub(s, 0, space < 0 ? s.len : (size_t)space);
        size_t used = word.len + (space >= 0);
        ptrdiff_t point = slice_find_byte(word, '.');
        enum name_gender gender;
        if (point > 1 && (size_t)point + 1 < word.len && word.ptr[point + 1] != '-' &&
            is_title(slice_sub(word, 0, (size_t)point + 1), &gender)) {
            word.len = (size_t)point + 1;
            used = word.len;
        }
        if (words->count == WORDS_MAX - 1)
            word = text_trim(s), used = s.len; /* the last place takes all that is left */
        if (word.len > 0)
            words->text[words->count++] = word;
        s = slice_sub(s, used, s.len);
    }
}

static void drop_first(struct words *words)
{
    memmove(words->text, words->text + 1, (words->count - 1) * sizeof(words->text[0]));
    words->count--;
}

static void take_titles(struct words *words, struct arena *arena, struct name_parts *parts)
{
    enum name_gender gender;
    while (words->count > 1 && is_title(words->text[0], &gender)) {
        parts->title = name_join(parts->title, " ", words->text[0], arena);
        if (gender != NAME_GENDER_NONE)
            parts->gender = gender;
        drop_first(words);
    }
}

static void take_suffixes(struct words *words, struct arena *arena, struct name_parts *parts)
{
    while (words->count > 1 && is_suffix(words->text[words->count - 1])) {
        if (words->count == 2 && parts->title.len == 0 && words->text[1].len <= 2)
            return; /* two words, the second two letters: more likely a name */
        parts->suffix = name_join(words->text[--words->count], " ", parts->suffix, arena);
    }
}

static bool all_suffixes(const struct words *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (!is_suffix(words->text[i]))
            return false;
    }
    return true;
}

static struct slice join_words(const struct words *words, size_t from, size_t to, struct arena *arena)
{
    struct slice joined = SLICE_EMPTY;
    for (size_t i = from; i < to; i++)
        joined = name_join(joined, " ", words->text[i], arena);
    return joined;
}

enum word_case { CASE_OTHER, CASE_LOWER, CASE_CAPITALS };

static enum word_case word_case(struct slice word, size_t *letters)
{
    size_t lower = 0, upper = 0;
    uint32_t c;
    while (utf8_next(&word, &c)) {
        lower += c < 0x80 ? c >= 'a' && c <= 'z' : u_islower((UChar32)c) != 0;
        upper += c < 0x80 ? c >= 'A' && c <= 'Z' : u_isupper((UChar32)c) != 0;
    }
    *letters = lower + upper;
    return upper > 0 && lower == 0 ? CASE_CAPITALS : lower > 0 && upper == 0 ? CASE_LOWER : CASE_OTHER;
}

/* The run of words in capitals at either end, when others are not: [*from, *to). */
static bool find_capitals(const struct words *words, size_t *from, size_t *to)
{
    bool capital[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < words->count; i++) {
        size_t letters;
        enum word_case how = word_case(words->text[i], &letters);
        struct low_word low = low_word(words->text[i]);
        unsigned rank;
        capital[i] = how == CASE_CAPITALS &&
                     (letters > 2 || (letters == 2 && pinyin_is_surname(slice_of(low.text, low.len), &rank)) ||
                      (letters == 2 && name_is_particle(slice_of(low.text, low.len))));
        count += capital[i];
    }
    if (count == 0 || count == words->count)
        return false;
    *from = 0;
    while (!capital[*from])
        (*from)++;
    *to = *from;
    while (*to < words->count && capital[*to])
        (*to)++;
    return *to - *from == count && (*from == 0 || *to == words->count);
}

struct pinyin_word {
    struct slice letters;
    size_t syllables;
    bool surname;
    unsigned rank;
};

static bool read_pinyin(struct slice word, struct arena *arena, struct pinyin_word *out)
{
    struct slice syllables[4];
    char *letters = arena_alloc(arena, word.len + 1);
    size_t length = 0;
    if (letters == NULL || word.len < 2 || !text_is_plain(word))
        return false;
    struct slice low = text_lower(word, arena);
    out->syllables = pinyin_split(low, syllables, 4);
    for (size_t i = 0; i < low.len; i++) {
        if (low.ptr[i] >= 'a' && low.ptr[i] <= 'z')
            letters[length++] = low.ptr[i];
    }
    out->letters = slice_of(letters, length);
    out->surname = pinyin_is_surname(out->letters, &out->rank);
    return out->syllables > 0;
}

/* One word that is a whole Chinese name: zhangsan, ouyangnana. Gives the bytes of the surname. */
static size_t glued_surname(struct slice word, struct arena *arena)
{
    struct slice syllables[4];
    uint16_t groups[NICKNAME_GROUPS_MAX];
    unsigned rank;
    if (!text_is_plain(word) || word.len < 4)
        return 0;
    struct slice low = text_lower(word, arena);
    size_t count = pinyin_split(low, syllables, 4);
    if (count < 2 || name_nickname_groups(low, groups) > 0)
        return 0;
    size_t two = (size_t)(syllables[1].ptr + syllables[1].len - low.ptr);
    if (count > 2 && slice_find_byte(slice_sub(low, 0, two), '\'') < 0 &&
        pinyin_is_surname(slice_sub(low, 0, two), &rank) && syllables[0].len + syllables[1].len == two)
        return two;
    return count <= 3 && pinyin_is_surname(syllables[0], &rank) && rank <= 120 ? syllables[0].len : 0;
}

/* Tells which end of 2..3 pinyin words is the surname: 0 none, 1 the first, 2 the last. */
static int pinyin_family_end(const struct words *words, struct arena *arena, bool *certain)
{
    struct pinyin_word word[3];
    size_t syllables = 0;
    if (words->count < 2 || words->count > 3)
        return 0;
    for (size_t i = 0; i < words->count; i++) {
        if (!read_pinyin(words->text[i], arena, &word[i]))
            return 0;
        syllables += word[i].syllables;
    }
    const struct pinyin_word *first = &word[0], *last = &word[words->count - 1];
    bool first_fits = first->surname && syllables - first->syllables <= 2;
    bool last_fits = last->surname && syllables - last->syllables <= 2;
    if (syllables > 4 || (!first_fits && !last_fits))
        return 0;
    *certain = first_fits != last_fits;
    if (first_fits && last_fits)
        return last->rank < first->rank ? 2 : 1;
    return first_fits ? 1 : 2;
}

static bool is_patronymic(struct slice word, struct arena *arena)
{
    struct slice low = text_ascii(word, arena);
    return low.len > 6 && (slice_ends(low, SLICE("ovich")) || slice_ends(low, SLICE("evich")) ||
                           slice_ends(low, SLICE("ovna")) || slice_ends(low, SLICE("evna")) ||
                           slice_ends(low, SLICE("ichna")));
}

/* Splits `words` into family and given by position: [0, n) and the rest, the family last unless told. */
static void set_parts(const struct words *words, size_t from, size_t to, enum name_casing casing, struct arena *arena,
                      struct name_parts *parts)
{
    struct slice before = join_words(words, 0, from, arena);
    struct slice after = join_words(words, to, words->count, arena);
    parts->family = name_recase(join_words(words, from, to, arena), casing, arena);
    parts->given = name_recase(name_join(before, " ", after, arena), casing, arena);
}

static bool first_is_asian(struct slice s)
{
    uint32_t c = 0;
    return utf8_next(&s, &c) && ((c >= 0x3040 && c <= 0x30FF) || (c >= 0xAC00 && c <= 0xD7A3) || han_is(c));
}

static void parse_single(const struct words *words, enum name_casing casing, struct arena *arena, struct name_parts *parts)
{
    struct slice word = name_recase(words->text[0], casing, arena);
    size_t characters = utf8_length(word);
    parts->display = word;
    parts->given = word;
    if (parts->title.len > 0 && parts->script == NAME_SCRIPT_LATIN) {
        parts->family = word;
        parts->given = SLICE_EMPTY;
        parts->family_only = true;
        parts->display = name_join(parts->title, " ", word, arena);
        return;
    }
    uint32_t c = 0;
    struct slice rest = word;
    utf8_next(&rest, &c);
    if (c >= 0xAC00 && c <= 0xD7A3 && characters >= 2 && characters <= 4) { /* Korean: one syllable */
        parts->family = slice_sub(word, 0, 3);
        parts->given = slice_sub(word, 3, word.len);
        return;
    }
    size_t width = glued_surname(word, arena);
    if (width > 0) {
        struct slice given = slice_sub(word, width, word.len);
        while (given.len > 0 && (given.ptr[0] == '\'' || given.ptr[0] == '-'))
            given = slice_sub(given, 1, given.len);
        parts->script = NAME_SCRIPT_PINYIN;
        parts->family = slice_sub(word, 0, width);
        parts->given = name_recase(given, NAME_PINYIN, arena);
    }
}

static bool is_small_particle(struct slice word)
{
    struct low_word low = low_word(word);
    return !low.point && low.len > 0 && word.ptr[0] >= 'a' && word.ptr[0] <= 'z' &&
           name_is_particle(slice_of(low.text, low.len));
}

/* First of the words of the family name when the name is in the usual order. */
static size_t family_start(const struct words *words)
{
    size_t letters;
    if (is_small_particle(words->text[0]) &&
        (is_small_particle(words->text[1]) || word_case(words->text[1], &letters) == CASE_OTHER))
        return 0; /* "van der Berg" alone */
    for (size_t i = 1; i + 1 < words->count; i++) {
        struct low_word low = low_word(words->text[i]);
        if (!low.point && low.len > 0 && name_is_particle(slice_of(low.text, low.len)))
            return i;
    }
    return words->count - 1;
}

static void parse_ordered(const struct words *words, enum name_casing casing, struct arena *arena,
                          struct name_parts *parts)
{
    size_t from = 0, to = 0;
    bool certain = false;
    if (find_capitals(words, &from, &to)) {
        set_parts(words, from, to, NAME_MIXED, arena, parts);
        parts->order_certain = true;
        bool ignored;
        if (from == 0 && pinyin_family_end(words, arena, &ignored))
            parts->display = name_join(parts->family, " ", parts->given, arena);
        return;
    }
    int end = pinyin_family_end(words, arena, &certain);
    if (end != 0) {
        parts->script = NAME_SCRIPT_PINYIN;
        parts->order_certain = certain;
        if (end == 1)
            set_parts(words, 0, 1, NAME_PINYIN, arena, parts);
        else
            set_parts(words, words->count - 1, words->count, NAME_PINYIN, arena, parts);
        parts->display = end == 1 ? name_join(parts->family, " ", parts->given, arena) : SLICE_EMPTY;
        return;
    }
    if (words->count == 3 && is_patronymic(words->text[2], arena)) {
        set_parts(words, 0, 1, casing, arena, parts);
        parts->order_certain = true;
        return;
    }
    if (words->count == 2 && first_is_asian(words->text[0])) {
        set_parts(words, 0, 1, NAME_MIXED, arena, parts);
        parts->display = name_join(parts->family, " ", parts->given, arena);
        return;
    }
    from = family_start(words);
    set_parts(words, from, words->count, casing, arena, parts);
    parts->family_only = from == 0;
    parts->order_certain = from > 0 && from + 1 < words->count;
}

static bool is_shouting(struct slice s)
{
    size_t letters;
    return word_case(s, &letters) == CASE_CAPITALS && letters > 2;
}

static bool is_latin(struct slice s)
{
    uint32_t c;
    while (utf8_next(&s, &c)) {
        if (u_isalpha((UChar32)c))
            return c < 0x250 || (c >= 0x1E00 && c < 0x1F00);
    }
    return false;
}

/* Takes ", Jr." and ", PhD" off the end; true when what is left has the form "Family, Given". */
static bool split_comma(struct slice s, struct words *before, struct words *after, struct arena *arena,
                        struct name_parts *parts)
{
    after->count = 0;
    for (;;) {
        ptrdiff_t comma = slice_find_byte(s, ',');
        split_words(text_trim(slice_sub(s, 0, comma < 0 ? s.len : (size_t)comma)), before);
        if (comma < 0)
            return false;
        const char *last = memrchr(s.ptr, ',', s.len);
        struct slice tail = text_trim(slice_sub(s, (size_t)(last - s.ptr) + 1, s.len));
        split_words(tail, after);
        if (after->count > 0 && !all_suffixes(after)) {
            split_words(text_trim(slice_sub(s, (size_t)comma + 1, s.len)), after);
            for (size_t i = 0; i < after->count; i++) /* further commas are of no use */
                while (after->text[i].len > 1 && after->text[i].ptr[after->text[i].len - 1] == ',')
                    after->text[i].len--;
            return before->count > 0;
        }
        parts->suffix = name_join(tail, " ", parts->suffix, arena);
        s = slice_sub(s, 0, (size_t)(last - s.ptr));
        after->count = 0;
    }
}

void name_parse_words(struct slice s, struct arena *arena, struct name_parts *parts)
{
    struct words words, after;
    enum name_casing casing = is_shouting(s) ? NAME_SHOUTED : NAME_MIXED;
    parts->script = is_latin(s) ? NAME_SCRIPT_LATIN : NAME_SCRIPT_OTHER;
    bool reversed = split_comma(s, &words, &after, arena, parts);
    take_titles(&words, arena, parts);
    if (reversed) {
        take_titles(&after, arena, parts);
        take_suffixes(&words, arena, parts);
        take_suffixes(&after, arena, parts);
        parts->family = name_recase(join_words(&words, 0, words.count, arena), casing, arena);
        parts->given = name_recase(join_words(&after, 0, after.count, arena), casing, arena);
        parts->order_certain = true;
    } else {
        take_suffixes(&words, arena, parts);
        if (words.count == 1)
            parse_single(&words, casing, arena, parts);
        else if (words.count > 1) {
            parts->display = SLICE_EMPTY;
            parse_ordered(&words, casing, arena, parts);
        }
    }
    if (words.count == 0) {
        parts->flags |= VALUE_NOBODY;
        return;
    }
    if (reversed || parts->display.len == 0)
        parts->display = name_join(parts->given, " ", parts->family, arena);
    name_fold_words(arena, parts);
}

/* Syllables of each pinyin word apart, so that "Xiaoming" and 小明 fold alike; empty when it is no pinyin. */
static struct slice spell_pinyin(struct slice folded, struct arena *arena)
{
    struct slice syllables[6], joined = SLICE_EMPTY;
    while (folded.len > 0) {
        ptrdiff_t space = slice_find_byte(folded, ' ');
        struct slice word = slice_sub(folded, 0, space < 0 ? folded.len : (size_t)space);
        size_t count = pinyin_split(word, syllables, 6);
        if (count == 0)
            return SLICE_EMPTY;
        for (size_t i = 0; i < count; i++)
            joined = name_join(joined, " ", syllables[i], arena);
        folded = slice_sub(folded, word.len + 1, folded.len);
    }
    return joined;
}

void name_fold_words(struct arena *arena, struct name_parts *parts)
{
    unsigned rank;
    parts->token_count = 0;
    parts->family_folded = text_ascii(parts->family, arena);
    parts->given_folded = text_ascii(parts->given, arena);
    bool is_surname = pinyin_is_surname(parts->family_folded, &rank) || han_is_surname(parts->family);
    struct slice spelled = is_surname && parts->given.len > 0 ? spell_pinyin(parts->given_folded, arena) : SLICE_EMPTY;
    if (spelled.len > 0 && (parts->script == NAME_SCRIPT_PINYIN || parts->script == NAME_SCRIPT_LATIN)) {
        parts->script = NAME_SCRIPT_PINYIN;
        parts->given_folded = spelled;
    }
    struct slice all[2] = {parts->family_folded, parts->given_folded};
    if (parts->script == NAME_SCRIPT_PINYIN && parts->family_folded.len > 0) {
        parts->tokens[parts->token_count++] = parts->family_folded;
        all[0] = SLICE_EMPTY;
    }
    for (size_t i = 0; i < 2; i++) {
        while (all[i].len > 0 && parts->token_count < NAME_TOKENS_MAX) {
            ptrdiff_t space = slice_find_byte(all[i], ' ');
            size_t width = space < 0 ? all[i].len : (size_t)space;
            parts->tokens[parts->token_count++] = slice_sub(all[i], 0, width);
            all[i] = slice_sub(all[i], width + 1, all[i].len);
        }
    }
}
