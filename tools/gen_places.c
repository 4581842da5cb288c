/*
 * gen_places.c - makes build/gen/place_table.c: names of countries in many languages (asked of ICU) and the regions of
 * China (rules/place_facts.h), sorted. A build-time tool; leaks what it allocates and stops at the first error.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/uloc.h>
#include <unicode/ustring.h>

#include "rules/place_facts.h"
#include "rules/place_table.h"

#define ROWS_MAX 12000

static struct country_row countries[ROWS_MAX];
static size_t country_count;
static struct region_row regions[ROWS_MAX];
static size_t region_count;

static void die(const char *what, const char *value)
{
    fprintf(stderr, "gen_places: %s: %s\n", what, value);
    exit(1);
}

/* The first to claim a name keeps it. */
static void add_country(const char *name, const char *code)
{
    if (strlen(name) == 0 || strlen(name) >= COUNTRY_NAME_BYTES || strpbrk(name, "\"\\"))
        return;
    for (size_t i = 0; i < country_count; i++) {
        if (strcmp(countries[i].name, name) == 0)
            return;
    }
    if (country_count == ROWS_MAX)
        die("too many names", name);
    countries[country_count].name = strdup(name);
    snprintf(countries[country_count++].code, 3, "%s", code);
}

static void add_display_name(const char *code, const char *language)
{
    UErrorCode error = U_ZERO_ERROR;
    char locale[8], text[COUNTRY_NAME_BYTES * 3], plain[COUNTRY_NAME_BYTES * 3];
    UChar name[200], folded[200];
    snprintf(locale, sizeof(locale), "_%s", code);
    int32_t length = uloc_getDisplayCountry(locale, language, name, 200, &error);
    if (U_FAILURE(error) || length >= 200)
        return;
    int32_t made = u_strFoldCase(folded, 200, name, length, U_FOLD_CASE_DEFAULT, &error);
    u_strToUTF8(text, sizeof(text), NULL, folded, made, &error);
    if (U_FAILURE(error))
        return;
    size_t used = 0;
    for (const char *p = text; *p; p++) {
        if (*p != '.')
            plain[used++] = *p;
    }
    plain[used] = '\0';
    if (strlen(plain) > 2)
        add_country(plain, code);
}

static void collect_countries(void)
{
    static const char *const languages[] = {"en", "zh", "zh_Hant", "de", "fr", "es", "it", "pt", "nl", "ja", "ko", "ru", "pl", "sv", "da", "nb", "fi", "cs", "tr", "ar", "vi", "th", "id", "el", "he", "hu", "uk", "ro"};
    for (size_t i = 0; i < sizeof(country_aliases) / sizeof(country_aliases[0]); i++)
        add_country(country_aliases[i][0], country_aliases[i][1]);
    for (const char *const *code = uloc_getISOCountries(); *code; code++) {
        char low[4] = {(char)(*code)[0], (char)(*code)[1], 0, 0}, locale[8];
        for (char *p = low; *p; p++)
            *p = (char)(*p | 0x20);
        add_country(low, *code);
        snprintf(locale, sizeof(locale), "_%s", *code);
        char alpha3[4] = "";
        snprintf(alpha3, sizeof(alpha3), "%s", uloc_getISO3Country(locale));
        for (char *p = alpha3; *p; p++)
            *p = (char)(*p | 0x20);
        add_country(alpha3, *code);
        for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++)
            add_display_name(*code, languages[i]);
    }
}

static void add_region(const char *name, const char *full, const char *province, bool is_province, bool is_full)
{
    for (size_t i = 0; i < region_count; i++) {
        if (strcmp(regions[i].name, name) == 0)
            return;
    }
    regions[region_count++] = (struct region_row){strdup(name), strdup(full), strdup(province), is_province, is_full};
}

static void collect_regions(void)
{
    for (size_t i = 0; i < sizeof(provinces) / sizeof(provinces[0]); i++) {
        const struct province_fact *p = &provinces[i];
        add_region(p->full, p->full, p->full, true, true);
        add_region(p->short_name, p->full, p->full, true, false);
    }
    for (size_t i = 0; i < sizeof(provinces) / sizeof(provinces[0]); i++) {
        char cities[2048];
        snprintf(cities, sizeof(cities), "%s", provinces[i].cities);
        for (char *city = strtok(cities, " "); city; city = strtok(NULL, " ")) {
            char full[128];
            char *equals = strchr(city, '=');
            if (equals)
                *equals = '\0';
            if (equals)
                snprintf(full, sizeof(full), "%s", equals + 1);
            else
                snprintf(full, sizeof(full), "%s市", city);
            add_region(full, full, provinces[i].full, false, true);
            add_region(city, full, provinces[i].full, false, false);
        }
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b); /* a row begins with its name */
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (out == NULL)
        die("usage", "gen_places OUTPUT.c");
    collect_countries();
    collect_regions();
    qsort(countries, country_count, sizeof(countries[0]), compare);
    qsort(regions, region_count, sizeof(regions[0]), compare);
    fprintf(out, "/* Made by tools/gen_places.c; do not edit. */\n#include \"rules/place_table.h\"\n\n");
    fprintf(out, "const struct country_row country_rows[] = {\n");
    for (size_t i = 0; i < country_count; i++)
        fprintf(out, "    {\"%s\", \"%s\"},\n", countries[i].name, countries[i].code);
    fprintf(out, "};\nconst uint16_t country_row_count = %zu;\n", country_count);
    fprintf(out, "const struct region_row region_rows[] = {\n");
    for (size_t i = 0; i < region_count; i++)
        fprintf(out, "    {\"%s\", \"%s\", \"%s\", %d, %d},\n", regions[i].name, regions[i].full, regions[i].province,
                regions[i].is_province, regions[i].is_full);
    fprintf(out, "};\nconst uint16_t region_row_count = %zu;\n", region_count);
    return fclose(out) == 0 ? 0 : 1;
}
