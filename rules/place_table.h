/* place_table.h - the tables tools/gen_places.c makes at build time (build/gen/place_table.c). */
#ifndef TRIBUTARY_RULES_PLACE_TABLE_H
#define TRIBUTARY_RULES_PLACE_TABLE_H

#include <stdint.h>

#define COUNTRY_NAME_BYTES 80

struct country_row { /* sorted by name */
    const char *name; /* lower case, no points */
    char code[3];
};
extern const struct country_row country_rows[];
extern const uint16_t country_row_count;

struct region_row { /* sorted by name */
    const char *name;     /* short or full */
    const char *full;     /* full name */
    const char *province; /* full name of its province; its own for a province */
    uint8_t is_province, is_full;
};
extern const struct region_row region_rows[];
extern const uint16_t region_row_count;

#endif
