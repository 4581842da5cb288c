/*
 * gen_tables.c - makes build/gen/han_table.c: readings and simplified forms of Chinese characters and the ASCII
 * letters of other scripts, all asked of ICU one code point at a time (see rules/han_table.h).
 *
 * A build-time tool: it leaks what it allocates and stops at the first error.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

#define SYLLABLES_MAX 2000
#define TEXT_MAX      128

static const uint32_t blocks[][2] = {{0x3400, 0x9FFF}, {0x20000, 0x2EBE0}};

static char syllables[SYLLABLES_MAX][8];
static size_t syllable_count;

static void die(const char *what, UErrorCode code)
{
    fprintf(stderr, "gen_tables: %s: %s\n", what, u_errorName(code));
    exit(1);
}

static UTransliterator *open_transliterator(const char *id)
{
    UChar name[TEXT_MAX];
    UErrorCode code = U_ZERO_ERROR;
    u_uastrncpy(name, id, TEXT_MAX);
    UTransliterator *made = utrans_openU(name, -1, UTRANS_FORWARD, NULL, 0, NULL, &code);
    if (U_FAILURE(code))
        die(id, code);
    return made;
}

/* Transliterates one code point; the result is decomposed when `decompose`. Returns UTF-16 units. */
static int32_t apply(const UTransliterator *how, uint32_t code_point, bool decompose, UChar out[TEXT_MAX])
{
    UErrorCode code = U_ZERO_ERROR;
    UChar text[TEXT_MAX];
    int32_t length = 0;
    U16_APPEND_UNSAFE(text, length, code_point);
    int32_t limit = length;
    utrans_transUChars(how, text, &length, TEXT_MAX, 0, &limit, &code);
    if (U_FAILURE(code))
        die("transliterate", code);
    if (!decompose) {
        memcpy(out, text, sizeof(UChar) * (size_t)length);
        return length;
    }
    length = unorm2_normalize(unorm2_getNFDInstance(&code), text, length, out, TEXT_MAX, &code);
    if (U_FAILURE(code))
        die("decompose", code);
    return length;
}

/* Letters of a decomposed reading with the tone marks off and ü as v; false when anything else is in it. */
static bool toneless(const UChar *text, int32_t length, char out[8])
{
    size_t used = 0;
    for (int32_t i = 0; i < length; i++) {
        UChar c = text[i];
        if (c == ' ' || c == 0x0300 || c == 0x0301 || c == 0x0304 || c == 0x030C)
            continue;
        if (c == 0x0308 && used > 0 && out[used - 1] == 'u') {
            out[used - 1] = 'v';
            continue;
        }
        if (c < 'a' || c > 'z' || used == 7)
            return false;
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return used > 0;
}

static int compare_syllables(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void add_syllable(const char *name)
{
    for (size_t i = 0; i < syllable_count; i++) {
        if (strcmp(syllables[i], name) == 0)
            return;
    }
    if (syllable_count == SYLLABLES_MAX) {
        fprintf(stderr, "gen_tables: more than %d syllables\n", SYLLABLES_MAX);
        exit(1);
    }
    strcpy(syllables[syllable_count++], name);
}

static void write_readings(FILE *out)
{
    UTransliterator *pinyin = open_transliterator("Han-Latin");
    char(*readings[2])[8];
    for (size_t b = 0; b < 2; b++) {
        uint32_t count = blocks[b][1] - blocks[b][0] + 1;
        readings[b] = calloc(count, 8);
        for (uint32_t i = 0; i < count; i++) {
            UChar text[TEXT_MAX];
            char name[8];
            int32_t length = apply(pinyin, blocks[b][0] + i, true, text);
            if (toneless(text, length, name)) {
                strcpy(readings[b][i], name);
                add_syllable(name);
            }
        }
    }
    qsort(syllables, syllable_count, sizeof(syllables[0]), compare_syllables);
    fprintf(out, "const uint16_t han_syllable_count = %zu;\n", syllable_count);
    fprintf(out, "const char han_syllable_names[][HAN_SYLLABLE_BYTES] = {\n    \"\",\n");
    for (size_t i = 0; i < syllable_count; i++)
        fprintf(out, "    \"%s\",\n", syllables[i]);
    fprintf(out, "};\n");
    for (size_t b = 0; b < 2; b++) {
        uint32_t count = blocks[b][1] - blocks[b][0] + 1;
        fprintf(out, "static const uint16_t block_%zu[] = {", b);
        for (uint32_t i = 0; i < count; i++) {
            char(*found)[8] = bsearch(readings[b][i], syllables, syllable_count, 8, compare_syllables);
            fprintf(out, "%s%d,", i % 24 == 0 ? "\n    " : "", found ? (int)(found - syllables) + 1 : 0);
        }
        fprintf(out, "\n};\n");
    }
    fprintf(out, "const struct han_block han_blocks[HAN_BLOCK_COUNT] = {\n");
    for (size_t b = 0; b < 2; b++)
        fprintf(out, "    {0x%X, 0x%X, block_%zu},\n", blocks[b][0], blocks[b][1], b);
    fprintf(out, "};\n");
}

static void write_simplified(FILE *out)
{
    UTransliterator *simple = open_transliterator("Traditional-Simplified");
    static uint16_t pages[0x401];
    size_t count = 0;
    uint32_t next_page = 0;
    fprintf(out, "const struct han_simple_pair han_simple_pairs[] = {\n");
    for (size_t b = 0; b < 2; b++) {
        for (uint32_t c = blocks[b][0]; c <= blocks[b][1]; c++) {
            UChar text[TEXT_MAX];
            int32_t length = apply(simple, c, false, text);
            UChar32 to = 0;
            int32_t at = 0;
            U16_NEXT(text, at, length, to);
            while (next_page <= c >> 8)
                pages[next_page++] = (uint16_t)count;
            if (at != length || (uint32_t)to == c || to == 0)
                continue;
            fprintf(out, "    {0x%X, 0x%X},\n", c, to);
            count++;
        }
    }
    while (next_page <= 0x400)
        pages[next_page++] = (uint16_t)count;
    fprintf(out, "    {0, 0},\n};\nconst uint16_t han_simple_pages[0x400 + 1] = {");
    for (size_t i = 0; i <= 0x400; i++)
        fprintf(out, "%s%d,", i % 24 == 0 ? "\n    " : "", pages[i]);
    fprintf(out, "\n};\n");
}

/* Scripts whose letters stand for sounds; Han is looked up by reading instead. */
static bool wanted(uint32_t c)
{
    return (c >= 0xC0 && c < 0x600) || (c >= 0x620 && c < 0x700) || (c >= 0x900 && c < 0xE80) ||
           (c >= 0x10A0 && c < 0x1200) || (c >= 0x1E00 && c < 0x2000) ||
           (c >= 0x3040 && c < 0x3100) || (c >= 0xAC00 && c < 0xD7A4);
}

static void write_latin(FILE *out)
{
    /* BGN's romanisation of Cyrillic (zh, kh, shch) is what people write; ICU's own is ISO 9. */
    UTransliterator *latin = open_transliterator("Russian-Latin/BGN; Any-Latin; NFD; [:Mn:] Remove; Latin-ASCII; Any-Lower");
    static char letters[1 << 16];
    static bool used[256];
    size_t filled = 1; /* offset 0 is the empty string */
    for (uint32_t page = 0; page < 256; page++) {
        uint16_t offsets[256] = {0};
        for (uint32_t low = 0; low < 256; low++) {
            uint32_t c = page << 8 | low;
            if (!wanted(c) || !u_isalpha((UChar32)c))
                continue;
            UChar text[TEXT_MAX];
            char name[TEXT_MAX];
            size_t length = 0;
            int32_t units = apply(latin, c, false, text);
            for (int32_t i = 0; i < units; i++) {
                if ((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '0' && text[i] <= '9'))
                    name[length++] = (char)text[i];
            }
            name[length] = '\0';
            if (length == 0)
                continue;
            size_t at = 1;
            while (at < filled && strcmp(letters + at, name) != 0)
                at += strlen(letters + at) + 1;
            if (at >= filled) {
                if (filled + length + 1 > sizeof(letters))
                    die("letters", U_BUFFER_OVERFLOW_ERROR);
                memcpy(letters + filled, name, length + 1);
                at = filled;
                filled += length + 1;
            }
            offsets[low] = (uint16_t)at;
            used[page] = true;
        }
        if (!used[page])
            continue;
        fprintf(out, "static const uint16_t latin_page_%02x[256] = {", page);
        for (uint32_t low = 0; low < 256; low++)
            fprintf(out, "%s%d,", low % 24 == 0 ? "\n    " : "", offsets[low]);
        fprintf(out, "\n};\n");
    }
    fprintf(out, "const uint16_t *const latin_pages[256] = {\n");
    for (uint32_t page = 0; page < 256; page++) {
        if (used[page])
            fprintf(out, "    [0x%02x] = latin_page_%02x,\n", page, page);
    }
    fprintf(out, "};\nconst char latin_letters[] =\n    \"\\0\"\n");
    for (size_t at = 1; at < filled; at += strlen(letters + at) + 1)
        fprintf(out, "    \"%s\\0\"\n", letters + at);
    fprintf(out, "    ;\n");
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (out == NULL) {
        fprintf(stderr, "usage: gen_tables OUTPUT.c\n");
        return 64;
    }
    fprintf(out, "/* Made by tools/gen_tables.c from ICU %s; do not edit. */\n", U_ICU_VERSION);
    fprintf(out, "#include \"rules/han_table.h\"\n\n");
    write_readings(out);
    write_simplified(out);
    write_latin(out);
    return fclose(out) == 0 ? 0 : 1;
}
