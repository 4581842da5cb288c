/* name_intern.h - what the files behind name.h share. */
#ifndef TRIBUTARY_RULES_NAME_INTERN_H
#define TRIBUTARY_RULES_NAME_INTERN_H

#include "rules/name.h"

/* A name of Han characters (spaces, middle dots and digits may be in it). */
void name_parse_han(struct slice name, struct arena *arena, struct name_parts *parts);
/* A name of words: Latin, Cyrillic and every other script with spaces. */
void name_parse_words(struct slice name, struct arena *arena, struct name_parts *parts);
/* Fills family_folded, given_folded and the tokens from family and given. */
void name_fold_han(struct arena *arena, struct name_parts *parts);
void name_fold_words(struct arena *arena, struct name_parts *parts);
/* Capitals one way for a part of a name. */
enum name_casing {
    NAME_MIXED,    /* written with both: only words in one case change */
    NAME_SHOUTED,  /* the whole name is in capitals: particles become small */
    NAME_PINYIN,   /* no particles in it */
};
struct slice name_recase(struct slice part, enum name_casing casing, struct arena *arena);
/* "a b" in the arena; one of them alone when the other is empty. */
struct slice name_join(struct slice a, const char *between, struct slice b, struct arena *arena);

#endif
