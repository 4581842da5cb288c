/*
 * name_words.h - the words around a name: titles, suffixes, particles, and what names nobody.
 */
#ifndef TRIBUTARY_RULES_NAME_WORDS_H
#define TRIBUTARY_RULES_NAME_WORDS_H

#include "rules/name.h"

/* A title at the end of a Chinese name (总经理, 先生): its bytes, 0 when there is none. *weak: one that also ends
 * given names, so that it counts only after a bare surname (王总, 李工). */
size_t name_han_title(struct slice name, enum name_gender *gender, bool *weak);
/* A Western title ("dr", "herr"); the word is lower case without its point; *point: it had one. */
bool name_latin_title(struct slice word, bool point, enum name_gender *gender);
bool name_latin_suffix(struct slice word); /* "jr", "iii", "phd": lower case, without points */
bool name_is_particle(struct slice word);  /* "van", "de", lower case */
/* 微信用户, test, customer 12 ...: names nobody. Takes the folded text. */
bool name_is_nobody(struct slice folded);

#endif
