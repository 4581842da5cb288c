/* employer.c - see employer.h. */
#include "daemon/accept/employer.h"

bool employer_is_key(struct slice external_id, struct slice part)
{
    return slice_is(part, EMPLOYER_PART) && slice_starts(external_id, SLICE(EMPLOYER_ID_START));
}

/* Of the values by the names of their fields: ids may be others after a restart. A company that only tests name is
 * another record, so that nothing of it is told. */
static struct content_hash hash_of(const struct schema *schema, const struct clean_record *employer, bool is_test)
{
    struct content_hash hash = {is_test, 1};
    for (size_t i = 0; i < employer->value_count; i++) {
        const struct clean_value *value = &employer->values[i];
        struct slice parts[] = {slice_str(schema->fields[value->field].name), value->value,
                                slice_of((const char *)&value->flags, sizeof(value->flags))};
        for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
            hash.high = slice_hash(parts[k], hash.high + parts[k].len);
            hash.low = slice_hash(parts[k], hash.low ^ 0x9E3779B97F4A7C15ULL);
        }
    }
    return hash;
}

bool employer_attach(const struct ruleset *ruleset, struct arena *arena, struct arrival *arrival)
{
    const struct raw_record *person = arrival->raw;
    struct arrival *employer = ARENA_NEW(arena, struct arrival);
    struct raw_record *raw = ARENA_NEW(arena, struct raw_record);
    if (employer == NULL || raw == NULL)
        return false;
    *raw = (struct raw_record){.part = SLICE(EMPLOYER_PART), .is_test = person->is_test};
    *employer = *arrival;
    employer->raw = raw;
    employer->is_employer = true;
    employer->employer = NULL;
    arrival->employer = employer;
    if (person->op == RECORD_DELETE || !employer_of(ruleset, &arrival->clean, arena, &employer->clean)) {
        raw->op = RECORD_DELETE;
        employer->clean = (struct clean_record){.kind = KIND_COMPANY};
        return !arena_failed(arena);
    }
    struct content_hash hash = hash_of(ruleset_schema(ruleset), &employer->clean, person->is_test);
    raw->external_id = arena_printf(arena, EMPLOYER_ID_START "%016llx%016llx", (unsigned long long)hash.high,
                                    (unsigned long long)hash.low);
    employer->hash = hash.low | 1; /* never 0 */
    employer->key = natural_key_of(slice_str(arrival->source->name), raw->external_id, raw->part);
    return !arena_failed(arena);
}
