/* parsed.c - see parsed.h. */
#include "rules/parsed.h"

const struct parsed_value *parsed_company_keep(struct slice of, const struct company_parts *parts, struct arena *arena)
{
    struct parsed_value *parsed = ARENA_NEW(arena, struct parsed_value);
    if (parsed)
        *parsed = (struct parsed_value){.of = of, .company = *parts};
    return parsed;
}

const struct parsed_value *parsed_address_keep(struct slice of, const struct address_parts *parts, struct arena *arena)
{
    struct parsed_value *parsed = ARENA_NEW(arena, struct parsed_value);
    if (parsed)
        *parsed = (struct parsed_value){.of = of, .address = *parts};
    return parsed;
}

static const struct parsed_value *kept(const struct clean_value *value)
{
    const struct parsed_value *parsed = value->parsed;
    bool same = parsed && parsed->of.ptr == value->value.ptr && parsed->of.len == value->value.len;
    return same ? parsed : NULL;
}

void parsed_company(const struct clean_value *value, struct arena *arena, struct company_parts *parts)
{
    const struct parsed_value *parsed = kept(value);
    if (parsed)
        *parts = parsed->company;
    else
        company_parse(value->value, arena, parts);
}

void parsed_address(const struct clean_value *value, struct arena *arena, struct address_parts *parts)
{
    const struct parsed_value *parsed = kept(value);
    if (parsed)
        *parts = parsed->address;
    else
        address_parse(value->value, "", arena, parts);
}
