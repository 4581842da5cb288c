/* derive.c - what a record's values together say: names from their parts, provinces from cities. */
#include "rules/cleaner.h"

#include "rules/address.h"
#include "rules/name.h"

static const struct clean_value *first_of(struct cleaner *cleaner, uint16_t field)
{
    if (!cleaner_has(cleaner, field, FIELD_HAS_VALUE))
        return NULL;
    for (size_t i = 0; i < cleaner->value_count; i++)
        if (cleaner->values[i].field == field)
            return &cleaner->values[i];
    return NULL;
}

static void add_derived(struct cleaner *cleaner, uint16_t field, uint16_t flags, struct slice value)
{
    if (field != FIELD_NONE && value.len && !cleaner_has(cleaner, field, FIELD_HAS_VALUE))
        cleaner_add(cleaner, field, (uint16_t)(flags | VALUE_DERIVED), value, SLICE_EMPTY);
}

/* A full name out of given and family. */
static void derive_full_name(struct cleaner *cleaner)
{
    const struct known_fields *known = &cleaner->ruleset->known;
    const struct clean_value *family = first_of(cleaner, known->family_name);
    const struct clean_value *given = first_of(cleaner, known->given_name);
    if (known->full_name == FIELD_NONE || cleaner_has(cleaner, known->full_name, FIELD_HAS_VALUE) ||
        (family == NULL && given == NULL))
        return;
    uint16_t flags = (uint16_t)(((family ? family->flags : 0) | (given ? given->flags : 0)) &
                                VALUE_NOT_EVIDENCE);
    struct name_parts parts;
    name_parse_split(family ? family->value : SLICE_EMPTY, given ? given->value : SLICE_EMPTY,
                     cleaner->arena, &parts);
    size_t before = cleaner->value_count;
    cleaner_add_text(cleaner, known->full_name, parts.display, flags | VALUE_DERIVED);
    for (size_t i = before; i < cleaner->value_count; i++)
        cleaner->values[i].original = SLICE_EMPTY;
    add_derived(cleaner, known->name_title, 0, parts.title);
    add_derived(cleaner, known->name_suffix, 0, parts.suffix);
}

/* "上海" in a province column is 上海市; the province of a city is known. */
static void complete_regions(struct cleaner *cleaner)
{
    const struct known_fields *known = &cleaner->ruleset->known;
    struct slice city = SLICE_EMPTY;
    for (size_t i = 0; i < cleaner->value_count; i++) {
        struct clean_value *value = &cleaner->values[i];
        bool is_city = value->field == known->city;
        if (!is_city && value->field != known->province)
            continue;
        if (value->flags & VALUE_NOT_EVIDENCE)
            continue;
        struct slice full = is_city ? region_city(value->value) : region_province(value->value);
        if (full.len && !slice_eq(full, value->value)) {
            if (value->original.len == 0)
                value->original = value->value;
            value->value = full;
        }
        if (is_city)
            city = value->value;
    }
    if (city.len && known->province != FIELD_NONE)
        add_derived(cleaner, known->province, 0, region_province_of_city(city));
}

void derive(struct cleaner *cleaner)
{
    derive_full_name(cleaner);
    complete_regions(cleaner);
}
