/*
 * parsed.h - what the cleaner found in a value when it parsed it, kept so that whoever needs the parts of a company or an
 * address need not parse it again.
 *
 * A pure memory: asked for the parts of a value, these functions give the same as parsing it would, whether it was kept
 * or not. It lies in the arena of the clean record, and is not stored: a record read back has none.
 */
#ifndef TRIBUTARY_RULES_PARSED_H
#define TRIBUTARY_RULES_PARSED_H

#include "rules/address.h"
#include "rules/company.h"
#include "rules/record.h"

struct parsed_value {
    struct slice of; /* the bytes that were parsed: of a value changed since, it says nothing */
    union {
        struct company_parts company;
        struct address_parts address; /* as parsed without a country */
    };
};

/* Keeps the parts of `of`. NULL when the arena is full. */
const struct parsed_value *parsed_company_keep(struct slice of, const struct company_parts *parts, struct arena *arena);
const struct parsed_value *parsed_address_keep(struct slice of, const struct address_parts *parts, struct arena *arena);

/* company_parse and address_parse (without a country) of a value of that type. */
void parsed_company(const struct clean_value *value, struct arena *arena, struct company_parts *parts);
void parsed_address(const struct clean_value *value, struct arena *arena, struct address_parts *parts);

#endif
