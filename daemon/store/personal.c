/* personal.c - see personal.h. */
#include "daemon/store/personal.h"

#define T(table, column, class) {"tributary", table, column, PERSONAL_##class}
#define G(view, column, class)  {"golden", view, column, PERSONAL_##class}

const struct personal_column personal_columns[] = {
    T("migration", "name", NEVER),
    T("migration", "sha256", NEVER),
    T("leader", "holder", NEVER),
    T("counter", "name", NEVER),
    T("generation", "fingerprint", NEVER),
    T("generation", "detail", NEVER),
    T("generation", "actor", STAFF),
    T("source", "name", NEVER),
    T("source", "space", NEVER),
    T("source", "type", NEVER),
    T("source", "cursor", NEVER),
    T("source", "lawful_basis", NEVER),
    T("layout", "hash", NEVER),
    T("layout", "layout", NEVER),
    T("raw", "refusal", NEVER),
    T("raw", "refusal_param", NEVER), /* a bound, never the value */
    T("raw", "position", NEVER),
    T("raw", "meta", CONTENT),
    T("raw", "body", CONTENT),
    T("record", "space", NEVER),
    T("record", "external_id", IDENTIFIER),
    T("record", "part", NEVER),
    T("record", "clean", CONTENT),
    T("record", "clean_json", CONTENT),
    T("record", "features", IDENTIFIER),
    T("link", "evidence", NEVER), /* levels and weights, no values */
    T("link", "evidence_json", NEVER),
    T("assignment", "owner", STAFF),
    T("assignment", "team", NEVER),
    T("assignment", "actor", STAFF),
    T("customer", "space", NEVER),
    T("customer", "lead_source", NEVER),
    T("customer", "owner", STAFF),
    T("customer", "team", NEVER),
    T("customer", "provenance", CONTENT),
    T("customer", "provenance_json", CONTENT),
    T("history", "what", NEVER),
    T("history", "actor", STAFF),
    T("history", "changes", CONTENT),
    T("history", "changes_json", CONTENT),
    T("activity", "type", NEVER),
    T("activity", "key", IDENTIFIER),
    T("activity", "data", CONTENT),
    T("consent", "purpose", NEVER),
    T("consent", "method", NEVER),
    T("consent", "version", NEVER),
    T("consent", "wording", NEVER),
    T("consent", "ip", IDENTIFIER),
    T("consent", "user_agent", CONTENT),
    T("reject", "state", NEVER),
    T("reject", "code", NEVER),
    T("reject", "field", NEVER),
    T("reject", "param", NEVER),
    T("reject", "position", NEVER),
    T("reject", "external_id", IDENTIFIER),
    T("reject", "part", NEVER),
    T("reject", "meta", CONTENT),
    T("reject", "body", CONTENT),
    T("reject", "identifiers", IDENTIFIER),
    T("reject", "body_key", IDENTIFIER),
    T("decision", "kind", NEVER),
    T("decision", "origin", NEVER),
    T("decision", "a_source", NEVER),
    T("decision", "a_external_id", IDENTIFIER),
    T("decision", "a_part", NEVER),
    T("decision", "b_source", NEVER),
    T("decision", "b_external_id", IDENTIFIER),
    T("decision", "b_part", NEVER),
    T("decision", "actor", STAFF),
    T("decision", "note", CONTENT),
    T("decision", "retracted_by", STAFF),
    T("event", "type", NEVER),
    T("event", "sources", NEVER),
    T("event", "data", CONTENT),
    T("event_body", "data", CONTENT),
    T("secret", "name", NEVER),
    T("secret", "bytes", SECRET),
    T("sink", "name", NEVER),
    T("sink", "type", NEVER),
    T("sink", "state", NEVER),
    T("sink", "reason", NEVER),
    T("sink_parked", "sink", NEVER),
    T("sink_parked", "last_error", CONTENT), /* a receiver may echo what it was sent */
    T("ledger", "source", NEVER),
    G("record_customer", "lawful_basis", NEVER),
    G("record_customer", "source", NEVER),
    G("record_customer", "external_id", IDENTIFIER),
    G("record_customer", "part", NEVER),
    G("identity", "type", NEVER),
    G("identity", "value", CONTENT),
    G("identity", "source", NEVER),
    G("identity", "external_id", IDENTIFIER),
    G("identity", "role", NEVER),
    G("history", "what", NEVER),
    G("history", "actor", STAFF),
    G("history", "changes", CONTENT),
    G("provenance", "field", NEVER),
    G("provenance", "value", CONTENT),
    G("provenance", "source", NEVER),
    G("provenance", "runners_up", CONTENT),
    G("activity", "type", NEVER),
    G("activity", "key", IDENTIFIER),
    G("activity", "data", CONTENT),
    G("activity", "source", NEVER),
    G("activity", "external_id", IDENTIFIER),
    G("activity", "part", NEVER),
    G("consent", "purpose", NEVER),
    G("works_for", "job_title", CONTENT),
    G("works_for", "sources", NEVER),
    G("works_for", "person_records", NEVER),
    G("works_for", "company_records", NEVER),
    G("event", "type", NEVER),
    G("event", "source", NEVER),
    G("event", "data", CONTENT),
    G("customer", "kind", NEVER),
    G("customer", "space", NEVER),
    G("customer", "lead_source", NEVER),
    G("customer", "owner", STAFF),
    G("customer", "team", NEVER),
    G("customer_masked", "kind", NEVER),
    G("customer_masked", "space", NEVER),
    G("customer_masked", "lead_source", NEVER),
    G("customer_masked", "owner", STAFF),
    G("customer_masked", "team", NEVER),
};
const size_t personal_column_count = sizeof(personal_columns) / sizeof(personal_columns[0]);

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* A golden column is NAME, x_NAME, and NAME_currency for money. */
static enum personal_class class_of_field(const char *column, const struct schema *fields)
{
    struct slice name = slice_str(column);
    bool custom = slice_starts(name, SLICE("x_"));
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->fields[i];
        struct slice bare = field->custom && custom ? slice_sub(name, 2, name.len) : name;
        if (field->type == FIELD_MONEY && slice_ends(bare, SLICE("_currency")))
            bare = slice_sub(bare, 0, bare.len - 9);
        if (slice_is(bare, field->name) && (!field->custom || custom))
            return field->sensitivity == SENSITIVITY_PUBLIC ? PERSONAL_NEVER : PERSONAL_CONTENT;
    }
    return PERSONAL_UNKNOWN;
}

enum personal_class personal_class_of(const char *schema, const char *table, const char *column,
                                      const struct schema *fields)
{
    for (size_t i = 0; i < personal_column_count; i++) {
        const struct personal_column *entry = &personal_columns[i];
        if (is(entry->schema, schema) && is(entry->table, table) && is(entry->column, column))
            return entry->class;
    }
    if (fields && (is(table, "customer") || is(table, "customer_masked")))
        return class_of_field(column, fields);
    return PERSONAL_UNKNOWN;
}

