/*
 * gen_names.c - makes build/gen/name_table.c: surnames, their readings and nicknames in sorted tables, from the facts
 * in rules/name_facts.h and the readings in build/gen/han_table.c. A build-time tool; stops at the first error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/utf8.h"
#include "rules/han_table.h"
#include "rules/name_facts.h"
#include "rules/name_table.h"

#define ROWS_MAX 3000

static struct surname_row surnames[ROWS_MAX];
static size_t surname_count;
static struct pinyin_surname readings[ROWS_MAX * 2];
static size_t reading_count;
static struct nickname_row nicknames[ROWS_MAX];
static size_t nickname_total;

static void die(const char *what, const char *value)
{
    fprintf(stderr, "gen_names: %s: %s\n", what, value);
    exit(1);
}

static const char *pinyin(uint32_t c)
{
    for (size_t b = 0; b < HAN_BLOCK_COUNT; b++) {
        if (c >= han_blocks[b].first && c <= han_blocks[b].last)
            return han_syllable_names[han_blocks[b].syllables[c - han_blocks[b].first]];
    }
    return "";
}

static void add_reading(const char *reading, uint16_t rank)
{
    for (size_t i = 0; i < reading_count; i++) {
        if (strcmp(readings[i].reading, reading) == 0)
            return;
    }
    strcpy(readings[reading_count].reading, reading);
    readings[reading_count++].rank = rank;
}

static void add_surname(const char *surname)
{
    for (size_t i = 0; i < surname_count; i++) {
        if (strcmp(surnames[i].surname, surname) == 0)
            return;
    }
    struct surname_row *row = &surnames[surname_count];
    if (strlen(surname) >= SURNAME_BYTES)
        die("too long", surname);
    strcpy(row->surname, surname);
    struct slice rest = slice_str(surname);
    uint32_t c;
    while (utf8_next(&rest, &c)) {
        if (pinyin(c)[0] == '\0' || strlen(row->common) + strlen(pinyin(c)) >= READING_BYTES)
            die("no reading", surname);
        strcat(row->common, pinyin(c));
    }
    strcpy(row->reading, row->common);
    for (size_t i = 0; i < sizeof(surname_readings) / sizeof(surname_readings[0]); i++) {
        if (strcmp(surname_readings[i].surname, surname) == 0)
            strcpy(row->reading, surname_readings[i].reading);
    }
    row->rank = (uint16_t)++surname_count;
    add_reading(row->reading, row->rank);
}

static void add_nickname(const char *name, uint16_t group)
{
    size_t i = 0;
    while (i < nickname_total && strcmp(nicknames[i].name, name) != 0)
        i++;
    if (i == nickname_total) {
        if (strlen(name) >= NICKNAME_BYTES || nickname_total == ROWS_MAX)
            die("too long or too many", name);
        strcpy(nicknames[nickname_total++].name, name);
    }
    size_t used = 0;
    while (used < NICKNAME_ROWS && nicknames[i].groups[used] != 0) {
        if (nicknames[i].groups[used] == group)
            die("twice in one row", name);
        used++;
    }
    if (used == NICKNAME_ROWS)
        die("in too many rows", name);
    nicknames[i].groups[used] = group;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b); /* every row begins with its name */
}

static void collect(void)
{
    struct slice rest = slice_str(surnames_single);
    uint32_t c;
    while (utf8_next(&rest, &c)) {
        char text[5] = "";
        utf8_encode(c, text);
        add_surname(text);
    }
    for (size_t i = 0; i < sizeof(surnames_compound) / sizeof(surnames_compound[0]); i++)
        add_surname(surnames_compound[i]);
    for (size_t i = 0; i < sizeof(surname_readings) / sizeof(surname_readings[0]); i++)
        add_surname(surname_readings[i].surname);
    for (size_t i = 0; i < sizeof(nickname_rows) / sizeof(nickname_rows[0]); i++) {
        char row[256];
        strcpy(row, nickname_rows[i]);
        for (char *word = strtok(row, " "); word; word = strtok(NULL, " "))
            add_nickname(word, (uint16_t)(i + 1));
    }
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (out == NULL)
        die("usage", "gen_names OUTPUT.c");
    collect();
    qsort(surnames, surname_count, sizeof(surnames[0]), compare);
    qsort(readings, reading_count, sizeof(readings[0]), compare);
    qsort(nicknames, nickname_total, sizeof(nicknames[0]), compare);
    fprintf(out, "/* Made by tools/gen_names.c; do not edit. */\n#include \"rules/name_table.h\"\n\n");
    fprintf(out, "const struct surname_row surname_rows[] = {\n");
    for (size_t i = 0; i < surname_count; i++)
        fprintf(out, "    {\"%s\", \"%s\", \"%s\", %d},\n", surnames[i].surname, surnames[i].reading,
                surnames[i].common, surnames[i].rank);
    fprintf(out, "};\nconst uint16_t surname_row_count = %zu;\n", surname_count);
    fprintf(out, "const struct pinyin_surname pinyin_surnames[] = {\n");
    for (size_t i = 0; i < reading_count; i++)
        fprintf(out, "    {\"%s\", %d},\n", readings[i].reading, readings[i].rank);
    fprintf(out, "};\nconst uint16_t pinyin_surname_count = %zu;\n", reading_count);
    fprintf(out, "const struct nickname_row nickname_table[] = {\n");
    for (size_t i = 0; i < nickname_total; i++) {
        fprintf(out, "    {\"%s\", {", nicknames[i].name);
        for (size_t j = 0; j < NICKNAME_ROWS; j++)
            fprintf(out, "%d,", nicknames[i].groups[j]);
        fprintf(out, "}},\n");
    }
    fprintf(out, "};\nconst uint16_t nickname_count = %zu;\n", nickname_total);
    return fclose(out) == 0 ? 0 : 1;
}
