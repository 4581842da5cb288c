/* pinyin.c - pinyin written in Latin letters; see han.h. */
#include "rules/han.h"
#include "rules/han_table.h"
#include "rules/name_table.h"
#include "rules/sorted_text.h"

#define SYLLABLE_MAX 6 /* letters: "zhuang" */
#define PINYIN_MAX   40 /* letters of a word worth splitting */

/* The letters a..z of a set as bits. */
#define LETTER(c) (1u << ((c) - 'a'))
#define VOWELS    (LETTER('a') | LETTER('e') | LETTER('i') | LETTER('o') | LETTER('u') | LETTER('v'))
/* With what syllables end; test_word_lists.c asks the table. */
#define LAST_LETTERS (VOWELS | LETTER('n') | LETTER('g') | LETTER('r'))

static bool is_letter_of(char c, uint32_t set)
{
    return c >= 'a' && c <= 'z' && (set >> (c - 'a') & 1);
}

static bool has_vowel(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (is_letter_of(s.ptr[i], VOWELS))
            return true;
    }
    return false;
}

bool pinyin_is_syllable(struct slice s)
{
    /* As passports and people without a ü key write lü, nü, lüe, nüe. */
    static const char *const others[] = {"lyu", "nyu", "lue", "nue"};
    if (s.len == 0 || s.len > SYLLABLE_MAX || !is_letter_of(s.ptr[s.len - 1], LAST_LETTERS) ||
        !has_vowel(s))
        return false;
    for (size_t i = 0; s.len == 3 && i < sizeof(others) / sizeof(others[0]); i++) {
        if (slice_is(s, others[i]))
            return true;
    }
    return sorted_text_find(s, han_syllable_names[1], han_syllable_count, HAN_SYLLABLE_BYTES, HAN_SYLLABLE_BYTES);
}

bool pinyin_is_surname(struct slice s, unsigned *rank)
{
    const struct pinyin_surname *found =
        sorted_text_find(s, pinyin_surnames, pinyin_surname_count, sizeof(pinyin_surnames[0]), READING_BYTES);
    *rank = found ? found->rank : 0;
    return found != NULL;
}

#define VOWEL_COST 8 /* inside a word a syllable that begins with a vowel wants an apostrophe: nana is na na */
#define NO_WAY     UINT8_MAX

/* What it costs to start a syllable at i: one, and more for a vowel inside the word. */
static unsigned start_cost(struct slice s, size_t i)
{
    bool inside = i > 0 && s.ptr[i - 1] != '\'' && s.ptr[i - 1] != '-';
    return inside && strchr("aeo", s.ptr[i]) ? 1 + VOWEL_COST : 1;
}

size_t pinyin_split(struct slice s, struct slice *syllables, size_t max)
{
    /* From the end: cheapest[i] is what s[i..] costs; among equals the longest first syllable. */
    uint8_t cheapest[PINYIN_MAX + 1], step[PINYIN_MAX + 1];
    if (s.len == 0 || s.len > PINYIN_MAX)
        return 0;
    cheapest[s.len] = 0;
    for (size_t i = s.len; i-- > 0;) {
        cheapest[i] = NO_WAY;
        step[i] = 0;
        if (s.ptr[i] == '\'' || s.ptr[i] == '-') {
            cheapest[i] = cheapest[i + 1];
            continue;
        }
        unsigned start = start_cost(s, i);
        size_t longest = s.len - i < SYLLABLE_MAX ? s.len - i : SYLLABLE_MAX;
        for (size_t width = longest; width > 0; width--) {
            if (cheapest[i + width] == NO_WAY || cheapest[i + width] + start >= cheapest[i])
                continue;
            if (pinyin_is_syllable(slice_sub(s, i, i + width))) {
                cheapest[i] = (uint8_t)(cheapest[i + width] + start);
                step[i] = (uint8_t)width;
            }
        }
    }
    if (cheapest[0] == NO_WAY)
        return 0;
    size_t count = 0;
    for (size_t i = 0; i < s.len;) {
        if (step[i] == 0) {
            i++;
            continue;
        }
        if (count == max)
            return 0;
        syllables[count++] = slice_sub(s, i, i + step[i]);
        i += step[i];
    }
    return count;
}
