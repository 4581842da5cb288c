/*
 * name.h - the parts of a person's name, for showing and for comparing.
 */
#ifndef TRIBUTARY_RULES_NAME_H
#define TRIBUTARY_RULES_NAME_H

#include "rules/record.h"

enum name_script {
    NAME_SCRIPT_NONE,
    NAME_SCRIPT_HAN,
    NAME_SCRIPT_LATIN,
    NAME_SCRIPT_PINYIN, /* Latin letters that read as a Chinese name */
    NAME_SCRIPT_OTHER,  /* Cyrillic, kana, Hangul ... */
};

enum name_gender { NAME_GENDER_NONE, NAME_GENDER_MALE, NAME_GENDER_FEMALE };

#define NAME_TOKENS_MAX 8
#define NAME_MAX_CODE_POINTS 100

/* Written parts are as one shows them; folded ones ([a-z0-9], spaces between words of one part) are for
 * comparing. Nothing here is NULL; what is not known is empty. */
struct name_parts {
    enum name_script script;
    enum name_gender gender;   /* from a title only */
    uint16_t flags;            /* VALUE_MASKED, VALUE_NOBODY */
    bool order_certain;        /* family and given are told apart by more than position */
    bool family_only;          /* 李先生, Mr Smith: weak evidence */
    struct slice display;      /* whole name without titles, notes and suffixes */
    struct slice family, given;
    struct slice title, suffix, note;
    struct slice family_folded; /* "zhang", "muller ludenscheidt", "van der berg" */
    struct slice given_folded;  /* "san", "xiaoming", "hans peter" */
    size_t token_count;         /* words of family_folded, then of given_folded (Chinese: the family is one) */
    struct slice tokens[NAME_TOKENS_MAX];
};

/* Parses a full name. Never fails; a name over NAME_MAX_CODE_POINTS is cut. */
void name_parse(struct slice full_name, struct arena *arena, struct name_parts *parts);
/* The same from fields that already are family and given (either may be empty). */
void name_parse_split(struct slice family, struct slice given, struct arena *arena,
                      struct name_parts *parts);

/* Western nicknames: the number of the group a given name belongs to ("bill" and "william" share one), up to
 * max groups, sorted; 0 when it is in none. Takes a folded word. */
#define NICKNAME_GROUPS_MAX 6
size_t name_nickname_groups(struct slice given_folded, uint16_t groups[NICKNAME_GROUPS_MAX]);
bool name_same_nickname(struct slice a_folded, struct slice b_folded);

/* Phonetic code of a folded Latin word, at most 8 letters: consonant classes after the manner of L. Philips'
 * Metaphone (1990), simplified; German and romanised spellings meet (mueller, muller). */
#define NAME_PHONETIC_MAX 9
struct name_phonetic {
    char code[NAME_PHONETIC_MAX];
};
struct name_phonetic name_phonetic(struct slice folded_word);

#endif
