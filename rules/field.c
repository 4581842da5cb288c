/* field.c - see field.h. */
#include "rules/field.h"

static const char *const type_names[FIELD_TYPE_COUNT] = {
    [FIELD_TEXT] = "text",
    [FIELD_PERSON_NAME] = "person_name",
    [FIELD_EMAIL] = "email",
    [FIELD_PHONE] = "phone",
    [FIELD_ADDRESS] = "address",
    [FIELD_COMPANY] = "company",
    [FIELD_DATE] = "date",
    [FIELD_ID_NUMBER] = "id_number",
    [FIELD_URL] = "url",
    [FIELD_GEO] = "geo",
    [FIELD_CATEGORY] = "category",
    [FIELD_TAGS] = "tags",
    [FIELD_NUMBER] = "number",
    [FIELD_MONEY] = "money",
    [FIELD_TIMESTAMP] = "timestamp",
};

const struct field *schema_find(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->count; i++)
        if (strcmp(schema->fields[i].name, name) == 0)
            return &schema->fields[i];
    return NULL;
}

const char *field_type_name(enum field_type type)
{
    return type < FIELD_TYPE_COUNT ? type_names[type] : "unknown";
}

bool field_type_parse(struct slice name, enum field_type *type)
{
    for (size_t i = 0; i < FIELD_TYPE_COUNT; i++) {
        if (slice_is(name, type_names[i])) {
            *type = (enum field_type)i;
            return true;
        }
    }
    return false;
}

const char *sensitivity_name(enum sensitivity sensitivity)
{
    switch (sensitivity) {
    case SENSITIVITY_PUBLIC:
        return "public";
    case SENSITIVITY_PERSONAL:
        return "personal";
    case SENSITIVITY_SENSITIVE:
        return "sensitive";
    }
    return "unknown";
}
