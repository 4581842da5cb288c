/* region.c - countries, and provinces and cities of China; see address.h and clean.h. */
#include <stdlib.h>

#include "rules/address.h"
#include "rules/clean.h"
#include "rules/han.h"
#include "rules/place_table.h"
#include "rules/text.h"

static const struct region_row *find_region(struct slice name)
{
    size_t low = 0, high = region_row_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_cmp(slice_str(region_rows[middle].name), name);
        if (order == 0)
            return &region_rows[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct slice region_province(struct slice text)
{
    const struct region_row *row = find_region(text);
    return row && row->is_province ? slice_str(row->full) : SLICE_EMPTY;
}

struct slice region_city(struct slice text)
{
    const struct region_row *row = find_region(text);
    static const char *const cities[] = {"北京市", "天津市", "上海市", "重庆市"}; /* provinces and cities at once */
    if (row && !row->is_province)
        return slice_str(row->full);
    for (size_t i = 0; row && i < 4; i++) {
        if (strcmp(row->full, cities[i]) == 0)
            return slice_str(row->full);
    }
    return SLICE_EMPTY;
}

struct slice region_province_of_city(struct slice city)
{
    const struct region_row *row = find_region(city);
    return row ? slice_str(row->province) : SLICE_EMPTY;
}

size_t region_prefix(struct slice text, struct slice *full_name, bool *is_province)
{
    /* The rows that begin with the same character stand together; the longest that fits wins. */
    struct slice first = slice_sub(text, 0, 3);
    size_t low = 0, high = region_row_count, best = 0;
    if (first.len < 3)
        return 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (memcmp(region_rows[middle].name, first.ptr, 3) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < region_row_count && memcmp(region_rows[low].name, first.ptr, 3) == 0; low++) {
        struct slice name = slice_str(region_rows[low].name);
        if (name.len > best && slice_starts(text, name)) {
            best = name.len;
            *full_name = slice_str(region_rows[low].full);
            *is_province = region_rows[low].is_province;
        }
    }
    return best;
}

static int compare_country(const void *key, const void *row)
{
    return strcmp(key, ((const struct country_row *)row)->name);
}

const char *clean_country(struct slice text)
{
    char name[COUNTRY_NAME_BYTES];
    size_t length = 0;
    text = text_trim(text);
    if (text.len == 0 || text.len >= sizeof(name))
        return NULL;
    /* Folding wants an arena; country names are short, so ASCII is folded here and other scripts are looked up as
     * ICU folds them. */
    struct arena *arena = NULL;
    struct slice folded = text;
    if (!text_is_plain(text) && !han_all(text)) {
        arena = arena_new(65536);
        if (arena == NULL)
            return NULL;
        folded = text_fold(text, arena);
    }
    for (size_t i = 0; i < folded.len && length + 1 < sizeof(name); i++) {
        char c = folded.ptr[i];
        if (c == '.')
            continue;
        name[length++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    name[length] = '\0';
    arena_free(&arena);
    const struct country_row *row =
        bsearch(name, country_rows, country_row_count, sizeof(country_rows[0]), compare_country);
    return row ? row->code : NULL;
}
