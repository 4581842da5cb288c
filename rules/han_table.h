/*
 * han_table.h - the tables tools/gen_tables.c makes at build time from ICU (build/gen/han_table.c).
 */
#ifndef TRIBUTARY_RULES_HAN_TABLE_H
#define TRIBUTARY_RULES_HAN_TABLE_H

#include <stdint.h>

#define HAN_BLOCK_COUNT 2
#define HAN_SYLLABLE_BYTES 8

/* The code points [first, last] and, by code point - first, the number of the syllable (0 unknown). */
struct han_block {
    uint32_t first, last;
    const uint16_t *syllables;
};
extern const struct han_block han_blocks[HAN_BLOCK_COUNT];

/* Toneless pinyin by syllable number, alphabetical from 1; [0] is "". */
extern const uint16_t han_syllable_count;
extern const char han_syllable_names[][HAN_SYLLABLE_BYTES];

/* Simplified forms, sorted by `from`; only characters that have another form. Offsets by high byte of
 * the code point make a look-up short: entries of page p are [pages[p], pages[p + 1]). */
struct han_simple_pair {
    uint32_t from, to;
};
extern const uint16_t han_simple_pages[0x400 + 1];
extern const struct han_simple_pair han_simple_pairs[];

/* ASCII letters of other scripts: latin_pages[code_point >> 8] is NULL or 256 offsets into
 * latin_letters (offset 0 is ""). Code points below 0x10000. */
extern const uint16_t *const latin_pages[256];
extern const char latin_letters[];

#endif
