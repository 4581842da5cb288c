/*
 * provenance.h - where the values of a golden record come from, as the JSON kept in tributary.customer, and what
 * differs between two of them.
 *
 * [[field, value, record_id, flags, agreeing records, [[runner-up value, record_id], ...]], ...], by field id. The column
 * is json, not jsonb: the bytes come back as they were written, so equal values have equal bytes. Pure; a scratch belongs
 * to one thread.
 */
#ifndef TRIBUTARY_RESOLVE_PROVENANCE_H
#define TRIBUTARY_RESOLVE_PROVENANCE_H

#include "daemon/base/buf.h"
#include "rules/survive.h"

/* One value of a provenance, its text still in JSON. */
struct provenance_value {
    uint16_t field;
    struct slice json;
};

/* Memory that is used again from customer to customer. */
struct provenance_scratch {
    struct provenance_value *values;
    size_t capacity;
    struct buf json;
};
void provenance_scratch_free(struct provenance_scratch *scratch);

/* members: the record ids that golden's values index. */
void provenance_put(const struct schema *schema, const struct golden_record *golden,
                    const uint64_t *members, struct buf *out);
/* Puts {"field": [old, new]} of what differs into `changes`; true when anything does. Fields the schema does not
 * know any more are passed over. `old` that is no provenance counts as empty. */
bool provenance_diff(const struct schema *schema, struct slice old, const struct golden_record *golden,
                     struct provenance_scratch *scratch, struct buf *changes);

#endif
