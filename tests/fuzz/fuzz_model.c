/* fuzz_model.c - any bytes as a model file: a matcher or at least one problem, never both. */
#include <stdlib.h>

#include "rules/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct field fields[] = {
        {0, "full_name", FIELD_PERSON_NAME, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
        {1, "ward", FIELD_TEXT, "", SENSITIVITY_PERSONAL, false, true, "", "", ""},
    };
    struct schema schema = {sizeof(fields) / sizeof(fields[0]), fields};
    struct match_settings settings = {0.95, 0.70};
    struct problems problems = {0};
    struct matcher *matcher =
        matcher_new(&schema, "fuzz.yaml", slice_of((const char *)data, size), &settings, &problems);

    if ((matcher == NULL) != (problems.count > 0))
        abort();
    matcher_free(&matcher);
    problems_free(&problems);
    return 0;
}
