/*
 * typed.c - every mapped value through its type's cleaner, and what values say besides themselves
 * into the fields that are still empty.
 */
#include "rules/cleaner.h"

#include "daemon/base/utf8.h"
#include "rules/phone_plan.h"
#include "rules/text.h"

#include <unicode/uchar.h>

#define TAGS_MAX 64

/* What a value said besides itself, kept until all stated values are in. */
struct pending {
    uint16_t field;
    uint16_t flags;
    uint8_t rank; /* smaller is asked first */
    struct slice value;
};
#define PENDING_MAX 64

struct typed {
    struct cleaner *cleaner;
    size_t pending_count;
    struct pending pending[PENDING_MAX];
};

static uint16_t side_field(const struct known_fields *known, const struct field *from,
                           enum side_kind kind, uint8_t *rank)
{
    bool is_address = from->type == FIELD_ADDRESS;
    bool is_name = from->id == known->full_name;
    *rank = is_address || is_name ? 0 : 1;
    switch (kind) {
    case SIDE_FULL_NAME:
        return from->type == FIELD_EMAIL ? known->full_name : FIELD_NONE;
    case SIDE_FAMILY_NAME:
        return is_name ? known->family_name : FIELD_NONE;
    case SIDE_GIVEN_NAME:
        return is_name ? known->given_name : FIELD_NONE;
    case SIDE_TITLE:
        return is_name ? known->name_title : FIELD_NONE;
    case SIDE_SUFFIX:
        return is_name ? known->name_suffix : FIELD_NONE;
    case SIDE_NOTE:
        return is_name ? known->name_note : FIELD_NONE;
    case SIDE_GENDER:
        *rank = from->id == known->national_id ? 0 : 1;
        return is_name || from->id == known->national_id ? known->gender : FIELD_NONE;
    case SIDE_BIRTH_DATE:
        return from->id == known->national_id ? known->birth_date : FIELD_NONE;
    case SIDE_COUNTRY:
        return from->id == known->address_line ? known->country : FIELD_NONE;
    case SIDE_PROVINCE:
        return from->id == known->address_line ? known->province : FIELD_NONE;
    case SIDE_CITY:
        return from->id == known->address_line ? known->city : FIELD_NONE;
    case SIDE_DISTRICT:
        return from->id == known->address_line ? known->district : FIELD_NONE;
    case SIDE_POSTAL_CODE:
        return from->id == known->address_line ? known->postal_code : FIELD_NONE;
    default:
        return FIELD_NONE;
    }
}

static bool in_list(const struct lookup *list, struct slice text)
{
    char folded[FOLDED_MAX];
    return list->slots && text.len && lookup_find(list, fold_value(text, folded)) != NULL;
}

static bool names_nobody(struct cleaner *cleaner, uint16_t field, struct slice value,
                         struct slice original)
{
    const struct nobody *nobody = cleaner->ruleset->nobody[field];
    if (nobody == NULL)
        return false;
    if (in_list(&nobody->list, value) || in_list(&nobody->list, original))
        return true;
    for (size_t i = 0; i < nobody->pattern_count && !cleaner->stopped; i++)
        if (cleaner_match(cleaner, nobody->patterns[i], value, "nobody") == 1)
            return true;
    return false;
}

static void clean_country_field(struct slice text, struct cleaned *out)
{
    const char *code = clean_country(out->value);
    if (code == NULL)
        code = clean_country(text);
    if (code) {
        out->original = slice_is(text, code) ? SLICE_EMPTY : text;
        out->value = slice_str(code);
    } else if (!(out->flags & VALUE_NOT_EVIDENCE) && out->issue_count < CLEANED_ISSUES_MAX) {
        out->flags |= VALUE_INVALID;
        out->issues[out->issue_count++] =
            (struct cleaned_issue){ISSUE_WARN, "country.unknown", SLICE_EMPTY};
    }
}

/* "n/a" in a date or a category is no value; in a name it is a value that names nobody. */
static bool is_blank(const struct field *field, struct slice text)
{
    if (!text_is_missing(text))
        return false;
    switch (field->type) {
    case FIELD_PERSON_NAME:
    case FIELD_EMAIL:
    case FIELD_PHONE:
    case FIELD_COMPANY:
        for (uint32_t c; utf8_next(&text, &c);)
            if (u_isalnum((UChar32)c))
                return false; /* words, not dashes */
        return true;
    default:
        return true;
    }
}

static void add_tags(struct cleaner *cleaner, const struct clean_value *from)
{
    struct slice tags[TAGS_MAX];
    size_t count = clean_tags(from->value, cleaner->arena, tags, TAGS_MAX);
    for (size_t i = 0; i < count; i++) {
        bool nobody = names_nobody(cleaner, from->field, tags[i], SLICE_EMPTY);
        cleaner_add(cleaner, from->field, (uint16_t)(from->flags | (nobody ? VALUE_NOBODY : 0)),
                    tags[i], SLICE_EMPTY);
    }
    if (count == TAGS_MAX)
        cleaner_issue(cleaner, ISSUE_WARN, "tags.too_many", from->field, SLICE_EMPTY);
}

static void clean_one(struct cleaner *cleaner, const struct field *field, struct slice text,
                      struct cleaned *out)
{
    struct clean_context context = cleaner->context;
    if (field->type == FIELD_ID_NUMBER && field->country[0])
        context.country = field->country;
    clean_value_typed(field->type, &context, text, cleaner->arena, out);
    if (field->id == cleaner->ruleset->known.country)
        clean_country_field(text, out);
}

static void add_cleaned(struct cleaner *cleaner, uint16_t field, uint16_t flags, const struct cleaned *cleaned,
                        struct slice original)
{
    size_t at = cleaner->value_count;
    cleaner_add(cleaner, field, flags, cleaned->value, original);
    if (cleaner->value_count > at)
        cleaner->values[at].parsed = cleaned->parsed;
}

static void keep_issues(struct cleaner *cleaner, uint16_t field, const struct cleaned *cleaned)
{
    for (size_t i = 0; i < cleaned->issue_count; i++)
        cleaner_issue(cleaner, cleaned->issues[i].severity, cleaned->issues[i].code, field,
                      cleaned->issues[i].param);
}

static void add_pending(struct typed *typed, uint16_t field, uint16_t flags, uint8_t rank,
                        struct slice value)
{
    if (field != FIELD_NONE && value.len && typed->pending_count < PENDING_MAX)
        typed->pending[typed->pending_count++] = (struct pending){field, flags, rank, value};
}

static void keep_sides(struct typed *typed, const struct field *field,
                       const struct cleaned *cleaned)
{
    struct cleaner *cleaner = typed->cleaner;
    for (size_t i = 0; i < cleaned->side_count; i++) {
        const struct cleaned_side *side = &cleaned->sides[i];
        if (side->kind == SIDE_ANOTHER && field->multiple && side->value.len) {
            bool nobody = names_nobody(cleaner, field->id, side->value, SLICE_EMPTY);
            cleaner_add(cleaner, field->id,
                        (uint16_t)((side->flags & ~VALUE_DERIVED) | (nobody ? VALUE_NOBODY : 0)),
                        side->value, SLICE_EMPTY);
            continue;
        }
        uint8_t rank;
        uint16_t target = side_field(&cleaner->ruleset->known, field, side->kind, &rank);
        if (!(cleaned->flags & VALUE_NOT_EVIDENCE & ~VALUE_MASKED))
            add_pending(typed, target, (uint16_t)(side->flags | VALUE_DERIVED), rank, side->value);
    }
}

/* The country of a phone: +1 and +7 are shared by large ones, so there only the context's own
 * counts. */
static void keep_phone_country(struct typed *typed, const struct cleaned *cleaned)
{
    struct cleaner *cleaner = typed->cleaner;
    if (cleaned->value.len < 3 || cleaned->value.ptr[0] != '+' ||
        (cleaned->flags & VALUE_NOT_EVIDENCE & ~VALUE_VIRTUAL))
        return;
    const struct phone_plan *plan =
        phone_plan_of_digits(slice_sub(cleaned->value, 1, cleaned->value.len));
    const char *own = cleaner->context.country;
    const struct phone_plan *own_plan = own && own[0] ? phone_plan_of_country(own) : NULL;
    if (plan == NULL)
        return;
    const char *country = plan->country;
    if (own_plan && strcmp(own_plan->code, plan->code) == 0)
        country = own;
    else if (strcmp(plan->code, "1") == 0 || strcmp(plan->code, "7") == 0)
        return;
    add_pending(typed, cleaner->ruleset->known.country, VALUE_DERIVED, 1,
                arena_dup(cleaner->arena, slice_str(country)));
}

static void clean_value(struct typed *typed, const struct clean_value *from)
{
    struct cleaner *cleaner = typed->cleaner;
    const struct field *field = &cleaner->ruleset->schema.fields[from->field];
    if (is_blank(field, from->value))
        return;
    if (field->type == FIELD_TAGS) {
        add_tags(cleaner, from);
        return;
    }
    struct cleaned cleaned;
    clean_one(cleaner, field, from->value, &cleaned);
    keep_issues(cleaner, field->id, &cleaned);
    if (cleaned.value.len == 0 && cleaned.side_count == 0)
        return;
    struct slice original = from->original.len ? from->original : cleaned.original;
    if (names_nobody(cleaner, field->id, cleaned.value, original))
        cleaned.flags |= VALUE_NOBODY;
    if (cleaned.value.len)
        add_cleaned(cleaner, field->id, (uint16_t)(cleaned.flags | from->flags), &cleaned,
                    slice_eq(original, cleaned.value) ? SLICE_EMPTY : original);
    keep_sides(typed, field, &cleaned);
    if (field->id == cleaner->ruleset->known.phone)
        keep_phone_country(typed, &cleaned);
}

/* A phone without a country code is read by the country the record itself names. */
static void find_own_country(struct typed *typed, size_t count)
{
    struct cleaner *cleaner = typed->cleaner;
    uint16_t country = cleaner->ruleset->known.country;
    for (size_t i = 0; i < count && country != FIELD_NONE; i++) {
        if (cleaner->before[i].field != country)
            continue;
        const char *code = clean_country(cleaner->before[i].value);
        if (code)
            cleaner->context.country = code;
    }
}

static void keep_pending(struct typed *typed)
{
    struct cleaner *cleaner = typed->cleaner;
    for (uint8_t rank = 0; rank <= 1; rank++) {
        for (size_t i = 0; i < typed->pending_count; i++) {
            const struct pending *pending = &typed->pending[i];
            if (pending->rank == rank && !cleaner_has(cleaner, pending->field, FIELD_HAS_VALUE))
                cleaner_add(cleaner, pending->field, pending->flags, pending->value, SLICE_EMPTY);
        }
    }
}

void typed_clean(struct cleaner *cleaner)
{
    struct typed typed;
    typed.cleaner = cleaner;
    typed.pending_count = 0;
    size_t count = cleaner->value_count;
    memcpy(cleaner->before, cleaner->values, count * sizeof(cleaner->values[0]));
    cleaner->value_count = 0;
    cleaner->state_is_stale = true;
    cleaner->cleaned = true;
    find_own_country(&typed, count);
    for (size_t i = 0; i < count; i++)
        clean_value(&typed, &cleaner->before[i]);
    keep_pending(&typed);
}

void cleaner_add_text(struct cleaner *cleaner, uint16_t field_id, struct slice text, uint16_t flags)
{
    const struct field *field = &cleaner->ruleset->schema.fields[field_id];
    struct slice trimmed = text_trim(text);
    if (trimmed.len == 0)
        return;
    if (!cleaner->cleaned) {
        cleaner_add(cleaner, field_id, flags, trimmed, SLICE_EMPTY);
        return;
    }
    if (field->type == FIELD_TAGS) {
        add_tags(cleaner, &(struct clean_value){.field = field_id, .flags = flags, .value = trimmed});
        return;
    }
    struct cleaned cleaned;
    clean_one(cleaner, field, trimmed, &cleaned);
    keep_issues(cleaner, field_id, &cleaned);
    if (cleaned.value.len == 0)
        return;
    if (names_nobody(cleaner, field_id, cleaned.value, cleaned.original))
        cleaned.flags |= VALUE_NOBODY;
    add_cleaned(cleaner, field_id, (uint16_t)(cleaned.flags | flags), &cleaned, cleaned.original);
}
