/*
 * han.h - Chinese characters: readings, simplified forms, surnames, pinyin.
 *
 * The table of readings is made at build time by tools/gen_tables.c from ICU (Han-Latin, tones off;
 * Traditional-Simplified). ü is written v ("lv", "nv"). Everything is pure and const.
 */
#ifndef TRIBUTARY_RULES_HAN_H
#define TRIBUTARY_RULES_HAN_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

bool han_is(uint32_t code_point);
bool han_all(struct slice s); /* at least one, and nothing else */
/* Toneless reading: "zhang"; "" when unknown. */
const char *han_pinyin(uint32_t code_point);
/* The reading's number: 0 unknown, equal for homophones; stable within one build only. */
uint16_t han_syllable(uint32_t code_point);
char han_initial(uint32_t code_point); /* 'z'; 0 when unknown */
uint32_t han_simplified(uint32_t code_point); /* itself when it has no other form */
struct slice han_simplify(struct slice text, struct arena *arena);

/* Pinyin of all Han characters, other characters as text_ascii has them; syllables joined by
 * `separator` (0 for none). "张三" -> "zhang san". */
struct slice han_romanize(struct slice text, char separator, struct arena *arena);
/* Hash of the readings of the text's Han characters and of its ASCII letters and digits (case folded): equal for
 * homophones and for traditional and simplified spelling. */
uint64_t han_homophone_hash(struct slice text);

/* Bytes of the surname a Chinese name starts with: compound surnames (欧阳) first, then known single ones,
 * else the first character when the name has 2..3 characters. 0 when there is none to see. */
size_t han_family_width(struct slice name);
bool han_is_surname(struct slice s);
unsigned han_surname_rank(struct slice s); /* 1 is the commonest; 0 when it is none */
bool han_is_compound_surname(struct slice s);
/* How a surname is read: the reading used in names first (单 "shan", 尉迟 "yu chi" as "yuchi"), then the
 * common reading when it differs. Returns how many. */
#define HAN_READINGS_MAX 4
struct han_reading {
    char text[16];
};
size_t han_surname_readings(struct slice surname, struct han_reading readings[HAN_READINGS_MAX]);

/* Pinyin written in Latin letters. */
bool pinyin_is_syllable(struct slice lower_ascii);
/* A Chinese surname in pinyin ("zhang", "ouyang"); *rank is smaller for commoner ones. */
bool pinyin_is_surname(struct slice lower_ascii, unsigned *rank);
/* Splits "xiaoming" into syllables (fewest, longest first, consonants at their start; an apostrophe divides); returns how many,
 * 0 when it is no pinyin or needs more than max. */
size_t pinyin_split(struct slice lower_ascii, struct slice *syllables, size_t max);

#endif
