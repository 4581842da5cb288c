/* key_recipe.c - see key_recipe.h. */
#include "rules/key_recipe.h"

#include "daemon/base/utf8.h"
#include "rules/own_field.h"
#include "rules/text.h"

static const struct {
    const char *name;
    uint8_t person, company; /* comparisons */
} parts[PART_FIXED_COUNT] = {
    [PART_GIVEN] = {"given_name", CMP_NAME, CMP_NAME},
    [PART_FAMILY] = {"family_name", CMP_NAME, CMP_NAME},
    [PART_BIRTH_DATE] = {"birth_date", CMP_BIRTH, CMP_BIRTH},
    [PART_BIRTH_YEAR] = {"birth_year", CMP_BIRTH, CMP_BIRTH},
    [PART_BIRTH_DAY] = {"birth_day", CMP_BIRTH, CMP_BIRTH},
    [PART_PHONE] = {"phone", CMP_PHONE, CMP_COMPANY_PHONE},
    [PART_PHONE_END] = {"phone_end", CMP_PHONE, CMP_COMPANY_PHONE},
    [PART_EMAIL] = {"email", CMP_EMAIL, CMP_COMPANY_EMAIL},
    [PART_EMAIL_LOCAL] = {"email_local", CMP_EMAIL, CMP_COMPANY_EMAIL},
    [PART_EMAIL_DOMAIN] = {"email_domain", CMP_EMAIL, CMP_COMPANY_EMAIL},
    [PART_STREET] = {"street", CMP_ADDRESS, CMP_COMPANY_ADDRESS},
    [PART_HOUSE_NUMBER] = {"house_number", CMP_ADDRESS, CMP_COMPANY_ADDRESS},
    [PART_POSTAL_CODE] = {"postal_code", CMP_ADDRESS, CMP_COMPANY_ADDRESS},
    [PART_CITY] = {"city", CMP_ADDRESS, CMP_COMPANY_ADDRESS},
    [PART_DISTRICT] = {"district", CMP_ADDRESS, CMP_COMPANY_ADDRESS},
    [PART_COMPANY] = {"company", CMP_COMPANY, CMP_COMPANY_NAME},
    [PART_WEBSITE] = {"website", CMP_COMPANY_SITE, CMP_COMPANY_SITE},
};
static const char *const own_endings[OWN_PART_COUNT] = {"", ":start", ":words"};

uint8_t key_part_comparison(size_t part)
{
    return part < PART_FIXED_COUNT
               ? parts[part].person
               : (uint8_t)(CMP_FIXED_COUNT + (part - PART_FIXED_COUNT) / OWN_PART_COUNT);
}

const char *key_part_name(const struct matcher *matcher, size_t part, struct arena *arena)
{
    if (part < PART_FIXED_COUNT)
        return parts[part].name;
    size_t own = (part - PART_FIXED_COUNT) / OWN_PART_COUNT;
    const char *ending = own_endings[(part - PART_FIXED_COUNT) % OWN_PART_COUNT];
    if (own >= matcher->custom_count)
        return "";
    struct slice text = arena_printf(arena, "%s%s", matcher->custom_fields[own].name, ending);
    return text.len ? text.ptr : "";
}

size_t key_part_find(const struct matcher *matcher, struct slice name)
{
    ptrdiff_t colon = slice_find_byte(name, ':');
    struct slice field = colon < 0 ? name : slice_sub(name, 0, (size_t)colon);
    struct slice ending = colon < 0 ? SLICE_EMPTY : slice_sub(name, (size_t)colon, name.len);

    for (size_t i = 0; i < PART_FIXED_COUNT; i++)
        if (slice_is(name, parts[i].name))
            return i;
    for (size_t c = 0; c < matcher->custom_count; c++)
        for (size_t k = 0; k < OWN_PART_COUNT && slice_is(field, matcher->custom_fields[c].name); k++)
            if (slice_is(ending, own_endings[k]))
                return PART_FIXED_COUNT + c * OWN_PART_COUNT + k;
    return SIZE_MAX;
}

static size_t one(uint64_t values[PART_VALUES_MAX], struct slice text, uint64_t seed)
{
    values[0] = slice_hash(text, seed);
    return text.len > 0;
}

static size_t birth_values(struct feature_date birth, size_t part, uint64_t values[PART_VALUES_MAX])
{
    if (birth.year == 0 || (part != PART_BIRTH_YEAR && birth.day == 0))
        return 0;
    values[0] = part == PART_BIRTH_YEAR ? birth.year : (uint64_t)birth.month << 8 | birth.day;
    if (part == PART_BIRTH_DATE)
        values[0] |= (uint64_t)birth.year << 16;
    return 1;
}

static size_t phone_values(const struct features_view *view, bool end, uint64_t values[PART_VALUES_MAX])
{
    size_t count = view->phone_count < PART_VALUES_MAX ? view->phone_count : PART_VALUES_MAX;

    for (size_t i = 0; i < count; i++)
        values[i] = (view->phones[i] >> PHONE_EXTENSION_BITS) % (end ? 10000 : 100000000);
    return count;
}

static size_t email_values(const struct features_view *view, size_t part, uint64_t values[PART_VALUES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < view->email_count && count < PART_VALUES_MAX; i++) {
        const struct feature_email *email = &view->emails[i];
        if ((part == PART_EMAIL_DOMAIN && (email->flags & EMAIL_FREE)) ||
            (part == PART_EMAIL_LOCAL && (email->flags & EMAIL_ROLE)))
            continue;
        struct slice text = part == PART_EMAIL         ? email->whole
                            : part == PART_EMAIL_LOCAL ? email->local
                                                       : email->domain;
        values[count++] = slice_hash(text, 7);
    }
    return count;
}

static size_t fixed_values(const struct matcher *matcher, const struct features_view *view, size_t part,
                           uint64_t values[PART_VALUES_MAX])
{
    switch ((enum key_part)part) {
    case PART_GIVEN:
    case PART_FAMILY:
        return key_name_codes(matcher, view, part == PART_FAMILY, values);
    case PART_BIRTH_DATE:
    case PART_BIRTH_YEAR:
    case PART_BIRTH_DAY:
        return birth_values(view->birth, part, values);
    case PART_PHONE:
    case PART_PHONE_END:
        return phone_values(view, part == PART_PHONE_END, values);
    case PART_EMAIL:
    case PART_EMAIL_LOCAL:
    case PART_EMAIL_DOMAIN:
        return email_values(view, part, values);
    case PART_STREET:
        return one(values, view->street, 1);
    case PART_HOUSE_NUMBER:
        return one(values, view->numbers, 1);
    case PART_POSTAL_CODE:
        return one(values, view->postal, 1);
    case PART_CITY:
        return one(values, view->city, 1);
    case PART_DISTRICT:
        return one(values, view->district, 1);
    case PART_COMPANY:
        return one(values, view->company, 1);
    case PART_WEBSITE:
        return one(values, view->website, 1);
    case PART_FIXED_COUNT:
        break;
    }
    return 0;
}

/* Four letters or two characters; of a date its year, of other numbers nothing. */
static size_t start_values(const struct feature_custom *custom, uint64_t values[PART_VALUES_MAX])
{
    struct slice text = custom->payload;

    if (custom->type == FIELD_NUMBER || custom->type == FIELD_MONEY || custom->type == FIELD_PHONE ||
        custom->type == FIELD_CATEGORY)
        return 0;
    size_t width = text.len && (uint8_t)text.ptr[0] >= 0x80 ? 6 : 4;
    return text.len > width ? one(values, text_cut(text, width), 3) : 0;
}

/* The two longest words: the ones that say most, as far as one can know without a table. */
static size_t word_values(const struct feature_custom *custom, uint64_t values[PART_VALUES_MAX])
{
    struct slice words[OWN_TOKENS_MAX];
    size_t best[2] = {SIZE_MAX, SIZE_MAX}, count;

    if (custom->type == FIELD_NUMBER || custom->type == FIELD_MONEY || custom->type == FIELD_PHONE ||
        custom->type == FIELD_DATE)
        return 0;
    count = own_field_tokens(custom->payload, words);
    if (count < 2)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (best[0] == SIZE_MAX || words[i].len > words[best[0]].len) {
            best[1] = best[0];
            best[0] = i;
        } else if (best[1] == SIZE_MAX || words[i].len > words[best[1]].len) {
            best[1] = i;
        }
    }
    values[0] = slice_hash(words[best[0]], 4);
    values[1] = slice_hash(words[best[1]], 4);
    return values[0] == values[1] ? 1 : 2;
}

size_t key_part_values(const struct matcher *matcher, const struct features_view *view, size_t part,
                       uint64_t values[PART_VALUES_MAX])
{
    size_t count = 0;

    if (part < PART_FIXED_COUNT)
        return fixed_values(matcher, view, part, values);
    size_t own = (part - PART_FIXED_COUNT) / OWN_PART_COUNT, kind = (part - PART_FIXED_COUNT) % OWN_PART_COUNT;
    if (own >= matcher->custom_count)
        return 0;
    for (size_t i = 0; i < view->custom_count && count < PART_VALUES_MAX; i++) {
        const struct feature_custom *custom = &view->customs[i];
        if (custom->name_hash != matcher->custom_fields[own].name_hash)
            continue;
        if (kind == OWN_PART_VALUE)
            values[count++] = slice_hash(custom->payload, 2);
        else
            return kind == OWN_PART_START ? start_values(custom, values) : word_values(custom, values);
    }
    return count;
}

uint64_t key_recipe_hash(const struct features_view *view, const struct key_recipe *recipe,
                         const uint64_t *values)
{
    uint64_t hash = recipe->seed ^ ((uint64_t)view->kind << 16 | view->space);

    for (size_t i = 0; i < recipe->count; i++)
        hash = hash_mix(hash, values[i]);
    return key_hash_of_class(hash, KEY_CLASS_NARROW);
}

static size_t add_recipe(const struct features_view *view, const struct key_recipe *recipe, uint8_t kind,
                         uint64_t (*const values)[PART_VALUES_MAX], const uint8_t *counts,
                         struct match_key *keys, size_t max)
{
    size_t chosen[RECIPE_PARTS_MAX] = {0}, added = 0, at;

    for (size_t i = 0; i < recipe->count; i++)
        if (counts[recipe->slots[i]] == 0)
            return 0;
    do {
        uint64_t picked[RECIPE_PARTS_MAX];
        for (size_t i = 0; i < recipe->count; i++)
            picked[i] = values[recipe->slots[i]][chosen[i]];
        if (added < max)
            keys[added++] = (struct match_key){.hash = key_recipe_hash(view, recipe, picked), .kind = kind};
        for (at = 0; at < recipe->count; at++) {
            if (++chosen[at] < counts[recipe->slots[at]])
                break;
            chosen[at] = 0;
        }
    } while (at < recipe->count);
    return added;
}

size_t key_recipes_add(const struct matcher *matcher, const struct features_view *view,
                       struct match_key *keys, size_t max)
{
    uint64_t values[RECIPES_MAX * RECIPE_PARTS_MAX][PART_VALUES_MAX];
    uint8_t counts[RECIPES_MAX * RECIPE_PARTS_MAX];
    size_t added = 0;

    for (size_t i = 0; i < matcher->recipe_part_count; i++)
        counts[i] = (uint8_t)key_part_values(matcher, view, matcher->recipe_parts[i], values[i]);
    for (size_t i = 0; i < matcher->recipe_count; i++)
        added += add_recipe(view, &matcher->recipes[i], (uint8_t)(matcher->first_recipe_kind + i), values,
                            counts, keys + added, max - added);
    return added;
}
