/* employer.c - see employer.h. */
#include "daemon/accept/employer.h"

bool employer_is_part(struct slice part)
{
    return slice_ends(part, SLICE(EMPLOYER_PART_END));
}

bool employer_attach(struct arena *arena, struct arrival *arrival)
{
    const struct raw_record *person = arrival->raw;
    struct arrival *employer = ARENA_NEW(arena, struct arrival);
    struct raw_record *raw = ARENA_NEW(arena, struct raw_record);
    if (employer == NULL || raw == NULL)
        return false;
    struct slice part = arena_printf(arena, SLICE_FMT EMPLOYER_PART_END, SLICE_ARG(person->part));
    *raw = (struct raw_record){.external_id = person->external_id, .part = part, .is_test = person->is_test};
    *employer = *arrival;
    employer->raw = raw;
    employer->is_employer = true;
    employer->employer = NULL;
    employer->key = natural_key_of(slice_str(arrival->source->name), raw->external_id, part);
    if (person->op == RECORD_DELETE || !employer_of(arrival->source->generation->ruleset, &arrival->clean, arena,
                                                    &employer->clean)) {
        raw->op = RECORD_DELETE;
        employer->clean = (struct clean_record){.kind = KIND_COMPANY};
    }
    arrival->employer = employer;
    return !arena_failed(arena);
}
