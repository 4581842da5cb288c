/* record.c - see record.h. */
#include "rules/record.h"

const struct clean_value *clean_find(const struct clean_record *record, uint16_t field,
                                     bool not_evidence_too)
{
    const struct clean_value *any = NULL;
    for (size_t i = 0; i < record->value_count; i++) {
        const struct clean_value *value = &record->values[i];
        if (value->field > field)
            break;
        if (value->field != field)
            continue;
        if (!(value->flags & VALUE_NOT_EVIDENCE))
            return value;
        if (any == NULL)
            any = value;
    }
    return not_evidence_too ? any : NULL;
}
