/*
 * text.h - characters: spaces, guards, width, case, and folding to ASCII.
 *
 * Results lie in the arena or are part of the argument. Everything is linear in the input.
 */
#ifndef TRIBUTARY_RULES_TEXT_H
#define TRIBUTARY_RULES_TEXT_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

/* Unicode white space, zero-width and bidi marks, byte-order mark, controls. */
bool text_is_space(uint32_t code_point);
/* Without those at both ends. */
struct slice text_trim(struct slice s);
/* text_trim, and without the guards spreadsheets put around numbers: ="138...", a leading ', quotes
 * around the whole. */
struct slice text_unguard(struct slice s);
/* NFKC (full width becomes half width), controls and zero-width marks dropped, runs of white space one space,
 * trimmed. Invalid bytes become U+FFFD. With keep_lines, line feeds stay. */
struct slice text_clean(struct slice s, bool keep_lines, struct arena *arena);
/* text_clean and Unicode case folding: for comparing, not for showing. */
struct slice text_fold(struct slice s, struct arena *arena);
/* Folded further to [a-z0-9 ]: diacritics off (ß ss, ø o, ł l), Cyrillic, Greek, kana, Hangul and Han
 * transliterated, all else a space; runs of spaces one space, trimmed. Apostrophes vanish. */
struct slice text_ascii(struct slice s, struct arena *arena);
/* The ASCII letters for one code point ("ss" for ß), lower case; "" when there are none. */
const char *text_ascii_of(uint32_t code_point);

/* The first max_bytes at most, cut between characters. */
struct slice text_cut(struct slice s, size_t max_bytes);
/* Only ASCII bytes 0x20..0x7E. */
bool text_is_plain(struct slice s);
bool text_all_digits(struct slice s); /* and not empty */
/* ASCII lower case in the arena (the same slice when nothing changes). */
struct slice text_lower(struct slice s, struct arena *arena);
struct slice text_upper(struct slice s, struct arena *arena);
/* n/a, null, none, -, --, unknown, 无, 未填写 ... : a cell that means "no value". */
bool text_is_missing(struct slice s);
/* Jaro-Winkler, 0 to 1, by bytes of ASCII or by code points; inputs over 256 code points are cut there. */
double text_jaro_winkler(struct slice a, struct slice b);

#endif
