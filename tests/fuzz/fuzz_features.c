/* fuzz_features.c - features come back from a database: any bytes, as two records, give keys and a
 * score; both directions give the same score. The first byte is how many bytes the first record
 * has. */
#include <stdlib.h>

#include "daemon/base/asset.h"
#include "rules/match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field fields[] = {
    {0, "full_name", FIELD_PERSON_NAME, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {1, "ward", FIELD_TEXT, "", SENSITIVITY_PERSONAL, false, true, "", "", ""},
    {2, "second_phone", FIELD_PHONE, "", SENSITIVITY_PERSONAL, false, true, "", "", ""},
};

static struct matcher *make_matcher(void)
{
    struct schema schema = {sizeof(fields) / sizeof(fields[0]), fields};
    struct match_settings settings = {0.95, 0.70};
    struct problems problems = {0};
    bool found;
    struct slice model = asset_find("rules/models/people.yaml", &found);
    struct matcher *matcher = matcher_new(&schema, "people.yaml", model, &settings, &problems);

    problems_free(&problems);
    if (matcher == NULL)
        abort();
    return matcher;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct matcher *matcher;
    struct match_key keys[2][MATCH_KEYS_MAX];
    struct shared_key shared[MATCH_KEYS_MAX];
    struct match_result there, back;
    size_t counts[2], shared_count = 0;

    if (matcher == NULL)
        matcher = make_matcher();
    if (size < 1 || size > 1 + 2 * FEATURES_MAX_BYTES)
        return 0;
    size_t cut = data[0] < size - 1 ? data[0] : size - 1;
    struct slice records[2] = {slice_of((const char *)data + 1, cut),
                               slice_of((const char *)data + 1 + cut, size - 1 - cut)};
    for (int i = 0; i < 2; i++) {
        counts[i] = features_keys(matcher, records[i], keys[i]);
        (void)features_name_key(records[i]);
        (void)features_identity(records[i]);
        (void)features_kind(records[i]);
        for (size_t k = 1; k < counts[i]; k++)
            if (keys[i][k - 1].hash >= keys[i][k].hash)
                abort();
    }
    for (size_t i = 0; i < counts[0]; i++)
        for (size_t k = 0; k < counts[1]; k++)
            if (keys[0][i].hash == keys[1][k].hash)
                shared[shared_count++] =
                    (struct shared_key){keys[0][i].hash, keys[0][i].kind, (uint8_t)(i % 8)};
    match_score(matcher, records[0], records[1], shared, shared_count, &there);
    match_score(matcher, records[1], records[0], shared, shared_count, &back);
    if (memcmp(&there.weight, &back.weight, sizeof(double)) != 0 || there.count != back.count ||
        there.weight != there.weight)
        abort();
    return 0;
}
