/* employer.c - see employer.h. */
#include "rules/employer.h"

#include "rules/features.h"
#include "rules/pack.h"
#include "rules/parsed.h"
#include "rules/text.h"

/* Who works under his own name names no company. */
static bool is_own_name(const struct known_fields *known, const struct clean_record *person,
                        struct slice company, struct arena *arena)
{
    const struct clean_value *name = clean_find(person, known->full_name, true);
    return name && slice_eq(text_fold(name->value, arena), text_fold(company, arena));
}

/* The domain of the first mailbox that is not at a provider's. */
static struct slice work_domain(const struct known_fields *known, const struct clean_record *person)
{
    for (size_t i = 0; i < person->value_count; i++) {
        const struct clean_value *value = &person->values[i];
        if (value->field != known->email || (value->flags & VALUE_NOT_EVIDENCE))
            continue;
        struct feature_email email = feature_email_of(value->value);
        if (email.domain.len && !email_domain_is_free(email.domain))
            return email.domain;
    }
    return SLICE_EMPTY;
}

struct taking {
    const struct known_fields *known;
    bool place; /* the company's name tells no region */
};

static bool is_taken(const struct taking *taking, const struct clean_value *value)
{
    const struct known_fields *known = taking->known;
    if (value->flags & VALUE_NOT_EVIDENCE)
        return false;
    if (value->field == known->company || value->field == known->credit_code ||
        value->field == known->industry || value->field == known->website)
        return true;
    return taking->place && (value->field == known->city || value->field == known->province);
}

/* Values stay ordered by field. */
static void put_value(struct clean_value *values, size_t *count, struct clean_value value)
{
    size_t at = (*count)++;
    for (; at > 0 && values[at - 1].field > value.field; at--)
        values[at] = values[at - 1];
    values[at] = value;
}

bool employer_of(const struct ruleset *ruleset, const struct clean_record *person, struct arena *arena,
                 struct clean_record *employer)
{
    const struct known_fields *known = &ruleset->known;
    if (person->kind != KIND_PERSON || person->outcome != CLEAN_OK)
        return false;
    const struct clean_value *name = clean_find(person, known->company, false);
    const struct clean_value *code = clean_find(person, known->credit_code, false);
    if (name && code == NULL && is_own_name(known, person, name->value, arena))
        return false;
    if (name == NULL && code == NULL)
        return false;
    struct company_parts parts = {0};
    if (name)
        parsed_company(name, arena, &parts);
    struct taking taking = {known, parts.region.len == 0};
    struct clean_value *values = ARENA_ARRAY(arena, struct clean_value, person->value_count + 1);
    size_t count = 0;
    for (size_t i = 0; values && i < person->value_count; i++) {
        const struct clean_value *value = &person->values[i];
        if (is_taken(&taking, value)) /* as it was written is the person's affair */
            values[count++] = (struct clean_value){.field = value->field, .flags = value->flags,
                                                   .value = value->value, .parsed = value->parsed};
    }
    struct slice domain = work_domain(known, person);
    if (values && name && domain.len && known->website != FIELD_NONE &&
        clean_find(person, known->website, false) == NULL)
        put_value(values, &count,
                  (struct clean_value){.field = known->website, .flags = VALUE_DERIVED,
                                       .value = arena_printf(arena, "https://" SLICE_FMT, SLICE_ARG(domain))});
    *employer = (struct clean_record){.kind = KIND_COMPANY, .outcome = CLEAN_OK,
                                      .value_count = count, .values = values};
    return values != NULL;
}
