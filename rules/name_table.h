/*
 * name_table.h - the tables tools/gen_names.c makes at build time from name_facts.h (build/gen/name_table.c).
 */
#ifndef TRIBUTARY_RULES_NAME_TABLE_H
#define TRIBUTARY_RULES_NAME_TABLE_H

#include <stdint.h>

#define SURNAME_BYTES  13 /* four characters and a NUL */
#define READING_BYTES  16
#define NICKNAME_BYTES 14
#define NICKNAME_ROWS  6

struct surname_row { /* sorted by bytes */
    char surname[SURNAME_BYTES];
    char reading[READING_BYTES]; /* as a surname */
    char common[READING_BYTES];  /* as characters; equal to reading for most */
    uint16_t rank;               /* 1 is the commonest */
};
extern const struct surname_row surname_rows[];
extern const uint16_t surname_row_count;

struct pinyin_surname { /* sorted by reading */
    char reading[READING_BYTES];
    uint16_t rank; /* of the commonest surname read so */
};
extern const struct pinyin_surname pinyin_surnames[];
extern const uint16_t pinyin_surname_count;

struct nickname_row { /* sorted by name */
    char name[NICKNAME_BYTES];
    uint16_t groups[NICKNAME_ROWS]; /* from 1, ascending; 0 ends */
};
extern const struct nickname_row nickname_table[];
extern const uint16_t nickname_count;

#endif
