/* name_sound.c - nicknames and a phonetic code of Latin names; see name.h. */
#include "rules/name.h"
#include "rules/name_table.h"
#include "rules/sorted_text.h"

_Static_assert(NICKNAME_ROWS == NICKNAME_GROUPS_MAX, "one row holds all groups of a name");

size_t name_nickname_groups(struct slice given, uint16_t groups[NICKNAME_GROUPS_MAX])
{
    const struct nickname_row *found = NULL;
    size_t count = 0;
    if (given.len > 1)
        found = sorted_text_find(given, nickname_table, nickname_count, sizeof(nickname_table[0]), NICKNAME_BYTES);
    while (found && count < NICKNAME_ROWS && found->groups[count] != 0) {
        groups[count] = found->groups[count];
        count++;
    }
    return count;
}

bool name_same_nickname(struct slice a, struct slice b)
{
    uint16_t x[NICKNAME_GROUPS_MAX], y[NICKNAME_GROUPS_MAX];
    size_t m = name_nickname_groups(a, x), n = name_nickname_groups(b, y);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < n; j++) {
            if (x[i] == y[j])
                return true;
        }
    }
    return false;
}

static bool is_vowel(char c)
{
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/* The class of the letters at `at`, and how many of them it takes; 0 for a silent place. */
static char sound(struct slice s, size_t at, size_t *width)
{
    char c = s.ptr[at];
    char next = at + 1 < s.len ? s.ptr[at + 1] : '\0';
    char after = at + 2 < s.len ? s.ptr[at + 2] : '\0';
    *width = 1;
    switch (c) {
    case 'b':
        return at + 1 == s.len && at > 0 && s.ptr[at - 1] == 'm' ? 0 : 'P';
    case 'p':
        *width = next == 'h' || next == 'f' ? 2 : 1;
        return *width == 2 ? 'F' : 'P';
    case 'c':
        if (next == 'z' || (next == 'h' && after != 's')) { /* chs as in Sachs is KS */
            *width = 2;
            return 'X';
        }
        if (next == 'k' || next == 'q' || next == 'h')
            *width = 2;
        return next == 'e' || next == 'i' || next == 'y' ? 'S' : 'K';
    case 's':
        if (next == 'c' && after == 'h') {
            *width = 3;
            return 'X';
        }
        if (next == 'h' || next == 'z') {
            *width = 2;
            return next == 'h' ? 'X' : 'S';
        }
        return 'S';
    case 'z':
        *width = next == 'h' ? 2 : 1;
        return next == 'h' ? 'X' : 'S';
    case 't':
        if (next == 'c' && after == 'h') {
            *width = 3;
            return 'X';
        }
        if (next == 'z' || next == 's') {
            *width = 2;
            return 'S';
        }
        *width = next == 'h' ? 2 : 1;
        return 'T';
    case 'd':
        *width = next == 't' || next == 'h' ? 2 : 1;
        return 'T';
    case 'g':
        if (next == 'h') {
            *width = 2;
            return at == 0 ? 'K' : 0;
        }
        return at == 0 && next == 'n' ? 0 : 'K';
    case 'k':
        *width = next == 'h' ? 2 : 1;
        return at == 0 && next == 'n' ? 0 : 'K';
    case 'q':
        return 'K';
    case 'x':
        return at == 0 ? 'S' : 'K';
    case 'f':
    case 'v':
    case 'w':
        if (c == 'w' && next == 'r')
            return 0;
        return 'F';
    case 'j':
        return 'J';
    case 'l':
    case 'm':
    case 'n':
    case 'r':
        return (char)(c - 32);
    default:
        return 0;
    }
}

struct name_phonetic name_phonetic(struct slice word)
{
    struct name_phonetic result = {""};
    size_t length = 0;
    char last = 0;
    if (word.len > 0 && is_vowel(word.ptr[0]))
        result.code[length++] = 'A'; /* all vowels alike at the start, silent elsewhere */
    for (size_t at = 0; at < word.len && length < NAME_PHONETIC_MAX - 1;) {
        size_t width;
        char code = sound(word, at, &width);
        if (code != 0 && code != last)
            result.code[length++] = code;
        if (code != 0 || is_vowel(word.ptr[at]))
            last = is_vowel(word.ptr[at]) ? 0 : code;
        at += width;
    }
    return result;
}
