/* connectors.c - the tables of connectors; a new one is a line here and its file pair. See
 * connector.h. */
#include "connectors/connector.h"
#include "connectors/form.h"
#include "connectors/records.h"

#include "connectors/csv.h"
#include "connectors/json_api.h"

const struct pull_connector *const pull_connectors[] = {
    &csv_connector,
    &json_api_connector,
    NULL,
};

const struct push_connector *const push_connectors[] = {
    &form_connector,
    &records_connector,
    NULL,
};

const struct pull_connector *pull_connector_find(const char *type)
{
    for (size_t i = 0; pull_connectors[i]; i++) {
        if (strcmp(pull_connectors[i]->type, type) == 0)
            return pull_connectors[i];
    }
    return NULL;
}

const struct push_connector *push_connector_find(const char *type)
{
    for (size_t i = 0; push_connectors[i]; i++) {
        if (strcmp(push_connectors[i]->type, type) == 0)
            return push_connectors[i];
    }
    return NULL;
}
