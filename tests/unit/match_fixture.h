/*
 * match_fixture.h - clean records by hand, and the shipped model, for the tests of the matcher.
 */
#ifndef TESTS_MATCH_FIXTURE_H
#define TESTS_MATCH_FIXTURE_H

#include <stdio.h>

#include "daemon/base/asset.h"
#include "rules/match.h"

#define FIXTURE_VALUES_MAX 24

static const struct field fixture_fields[] = {
    {0, "full_name", FIELD_PERSON_NAME, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {1, "given_name", FIELD_PERSON_NAME, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {2, "family_name", FIELD_PERSON_NAME, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {3, "name_suffix", FIELD_TEXT, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {4, "email", FIELD_EMAIL, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {5, "phone", FIELD_PHONE, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {6, "wechat_id", FIELD_TEXT, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {7, "wechat_openid", FIELD_TEXT, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {8, "company", FIELD_COMPANY, "", SENSITIVITY_PUBLIC, false, false, "", "", ""},
    {9, "address_line", FIELD_ADDRESS, "address", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {10, "district", FIELD_TEXT, "address", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {11, "city", FIELD_TEXT, "address", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {12, "postal_code", FIELD_TEXT, "address", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {13, "birth_date", FIELD_DATE, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {14, "gender", FIELD_CATEGORY, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {15, "national_id", FIELD_ID_NUMBER, "", SENSITIVITY_SENSITIVE, false, false, "", "", ""},
    {16, "credit_code", FIELD_ID_NUMBER, "", SENSITIVITY_PUBLIC, false, false, "CN", "", ""},
    {17, "website", FIELD_URL, "", SENSITIVITY_PUBLIC, false, false, "", "", ""},
    {18, "member_no", FIELD_TEXT, "", SENSITIVITY_PERSONAL, false, false, "", "", ""},
    {19, "ward", FIELD_TEXT, "", SENSITIVITY_PERSONAL, false, true, "", "", ""},
    {20, "policy_no", FIELD_ID_NUMBER, "", SENSITIVITY_PERSONAL, false, true, "", "", ""},
};
static const struct schema fixture_schema = {sizeof(fixture_fields) / sizeof(fixture_fields[0]),
                                             fixture_fields};

static inline struct matcher *fixture_matcher(void)
{
    struct problems problems = {0};
    bool found;
    struct slice model = asset_find("rules/models/people.yaml", &found);
    struct match_settings settings = {0.95, 0.70};
    struct matcher *matcher =
        matcher_new(&fixture_schema, "rules/models/people.yaml", model, &settings, &problems);

    for (size_t i = 0; i < problems.count; i++)
        fprintf(stderr, "%s:%u:%u: %s\n", problems.list[i].file ? problems.list[i].file : "-",
                problems.list[i].line, problems.list[i].column, problems.list[i].text);
    problems_free(&problems);
    return matcher;
}

/* "full_name=张伟|phone=+8613812345678" packed. The caller frees. `flags` go to every value. */
static inline struct buf fixture_pack(const struct matcher *matcher, enum record_kind kind,
                                      uint16_t space, uint16_t flags, const char *text)
{
    struct clean_value values[FIXTURE_VALUES_MAX];
    struct clean_record clean = {.kind = kind, .values = values};
    struct slice rest = slice_str(text);
    struct buf out = BUF_INIT(FEATURES_MAX_BYTES);

    while (rest.len && clean.value_count < FIXTURE_VALUES_MAX) {
        ptrdiff_t bar = slice_find_byte(rest, '|');
        struct slice one = slice_sub(rest, 0, bar < 0 ? rest.len : (size_t)bar);
        rest = slice_sub(rest, bar < 0 ? rest.len : (size_t)bar + 1, rest.len);
        ptrdiff_t equal = slice_find_byte(one, '=');
        for (size_t i = 0; equal > 0 && i < fixture_schema.count; i++)
            if (slice_is(slice_sub(one, 0, (size_t)equal), fixture_fields[i].name))
                values[clean.value_count++] = (struct clean_value){
                    .field = (uint16_t)i, .flags = flags, .value = slice_sub(one, (size_t)equal + 1, one.len)};
    }
    features_pack(matcher, &clean, space, &out);
    return out;
}

#endif
