/*
 * address.h - the parts of an address line, and regions of China.
 */
#ifndef TRIBUTARY_RULES_ADDRESS_H
#define TRIBUTARY_RULES_ADDRESS_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

struct address_parts {
    struct slice line;        /* the whole, abbreviations one way, for showing */
    struct slice country;     /* alpha-2; empty when it is not written */
    struct slice province, city, district; /* Chinese addresses: full names (上海市, 浦东新区) */
    struct slice street;      /* the rest */
    struct slice postal_code;
    struct slice folded;      /* street for comparing: lower case, words one way, no punctuation */
    struct slice numbers;     /* its numbers in order, "88 5 301": building, unit, room */
    bool is_han;
    bool by_country;          /* another country might have given other parts */
};

void address_parse(struct slice text, const char *country, struct arena *arena,
                   struct address_parts *parts);

/* Full name of a Chinese province or prefecture city by any of its names ("上海", "上海市", "shanghai" is
 * not one); empty when unknown. */
struct slice region_province(struct slice text);
struct slice region_city(struct slice text);
/* Province a prefecture city lies in, full names; empty when unknown. */
struct slice region_province_of_city(struct slice city);
/* Bytes of the province or city name the text starts with, long or short form; 0 when it starts with none. */
size_t region_prefix(struct slice text, struct slice *full_name, bool *is_province);

#endif
