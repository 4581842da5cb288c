/* model_names.c - the names of comparisons and levels, as model files and explanations spell them.
 */
#include "rules/model.h"

const char *const comparison_names[CMP_FIXED_COUNT] = {
    [CMP_NAME] = "name",
    [CMP_SUFFIX] = "suffix",
    [CMP_BIRTH] = "birth_date",
    [CMP_GENDER] = "gender",
    [CMP_PHONE] = "phone",
    [CMP_EMAIL] = "email",
    [CMP_EMAIL_NAME] = "email_name",
    [CMP_WECHAT_ID] = "wechat_id",
    [CMP_WECHAT_OPENID] = "wechat_openid",
    [CMP_NATIONAL_ID] = "national_id",
    [CMP_MEMBER] = "member_no",
    [CMP_COMPANY] = "company",
    [CMP_ADDRESS] = "address",
    [CMP_COMPANY_NAME] = "company_name",
    [CMP_CREDIT_CODE] = "credit_code",
    [CMP_COMPANY_PHONE] = "company_phone",
    [CMP_COMPANY_EMAIL] = "company_email",
    [CMP_COMPANY_SITE] = "company_site",
    [CMP_COMPANY_ADDRESS] = "company_address",
    [CMP_TOGETHER] = "together",
    [CMP_CEILING] = "ceiling",
};

static const char *const name_levels[NAME_LEVELS] = {
    "else",          "exact",         "swapped",     "romanised",  "homophone",
    "nickname",      "part",          "initial",     "typo",       "similar",
    "one_character", "english_given", "family_only", "given_only", "family_changed",
    "given_differs", "unlike",        "word_typo",
};
static const char *const birth_levels[BIRTH_LEVELS] = {
    "else", "same", "placeholder", "swapped", "slip", "near", "month", "year", "year_only", "generation",
    "two_slips",
};
static const char *const phone_levels[PHONE_LEVELS] = {"else", "same", "extension", "tail", "slip", "switchboard"};
static const char *const email_levels[EMAIL_LEVELS] = {
    "else", "same", "same_role", "domain_typo", "local_typo", "same_local", "same_name_local", "similar",
};
static const char *const equal_levels[EQUAL_LEVELS] = {"else", "same", "similar"};
const char *const own_levels[OWN_LEVELS] = {"else",  "same",  "similar",
                                                   "close", "loose", "elsewhere"};
static const char *const company_levels[COMPANY_LEVELS] = {
    "else", "same", "same_region", "contained", "similar", "branch", "other_region", "words",
};
static const char *const address_levels[ADDRESS_LEVELS] = {
    "else", "same", "building", "similar", "street", "postal", "city", "moved", "area", "near",
};
static const char *const together_levels[] = {"none", "phone_and_address", "name_and_address", "company",
                                              "fields"};

const char *const *const comparison_levels[CMP_FIXED_COUNT] = {
    [CMP_NAME] = name_levels,
    [CMP_SUFFIX] = equal_levels,
    [CMP_BIRTH] = birth_levels,
    [CMP_GENDER] = equal_levels,
    [CMP_PHONE] = phone_levels,
    [CMP_EMAIL] = email_levels,
    [CMP_EMAIL_NAME] = equal_levels,
    [CMP_WECHAT_ID] = equal_levels,
    [CMP_WECHAT_OPENID] = equal_levels,
    [CMP_NATIONAL_ID] = equal_levels,
    [CMP_MEMBER] = equal_levels,
    [CMP_COMPANY] = company_levels,
    [CMP_ADDRESS] = address_levels,
    [CMP_COMPANY_NAME] = company_levels,
    [CMP_CREDIT_CODE] = equal_levels,
    [CMP_COMPANY_PHONE] = phone_levels,
    [CMP_COMPANY_EMAIL] = email_levels,
    [CMP_COMPANY_SITE] = equal_levels,
    [CMP_COMPANY_ADDRESS] = address_levels,
    [CMP_TOGETHER] = together_levels,
    [CMP_CEILING] = comparison_names, /* which comparison set it */
};

const uint8_t comparison_level_counts[CMP_FIXED_COUNT] = {
    [CMP_NAME] = NAME_LEVELS,
    [CMP_SUFFIX] = EQUAL_LEVELS,
    [CMP_BIRTH] = BIRTH_LEVELS,
    [CMP_GENDER] = EQUAL_LEVELS,
    [CMP_PHONE] = PHONE_LEVELS,
    [CMP_EMAIL] = EMAIL_LEVELS,
    [CMP_EMAIL_NAME] = EQUAL_LEVELS,
    [CMP_WECHAT_ID] = EQUAL_LEVELS,
    [CMP_WECHAT_OPENID] = EQUAL_LEVELS,
    [CMP_NATIONAL_ID] = EQUAL_LEVELS,
    [CMP_MEMBER] = EQUAL_LEVELS,
    [CMP_COMPANY] = COMPANY_LEVELS,
    [CMP_ADDRESS] = ADDRESS_LEVELS,
    [CMP_COMPANY_NAME] = COMPANY_LEVELS,
    [CMP_CREDIT_CODE] = EQUAL_LEVELS,
    [CMP_COMPANY_PHONE] = PHONE_LEVELS,
    [CMP_COMPANY_EMAIL] = EMAIL_LEVELS,
    [CMP_COMPANY_SITE] = EQUAL_LEVELS,
    [CMP_COMPANY_ADDRESS] = ADDRESS_LEVELS,
    [CMP_TOGETHER] = 5,
    [CMP_CEILING] = CMP_FIXED_COUNT,
};

size_t comparison_levels_needed(uint8_t comparison)
{
    return comparison_levels[comparison] == company_levels ? COMPANY_WORDS : comparison_level_counts[comparison];
}

size_t matcher_comparison_count(const struct matcher *matcher)
{
    return CMP_FIXED_COUNT + matcher->custom_count;
}

const char *matcher_comparison_name(const struct matcher *matcher, uint8_t comparison)
{
    if (comparison < CMP_FIXED_COUNT)
        return comparison_names[comparison];
    size_t custom = comparison - (size_t)CMP_FIXED_COUNT;
    return custom < matcher->custom_count ? matcher->custom_fields[custom].name : "unknown";
}

const char *matcher_level_name(const struct matcher *matcher, uint8_t comparison, uint8_t level)
{
    if (comparison >= matcher_comparison_count(matcher))
        return "unknown";
    if (comparison >= CMP_FIXED_COUNT)
        return level < OWN_LEVELS ? own_levels[level] : "unknown";
    return level < comparison_level_counts[comparison] ? comparison_levels[comparison][level]
                                                       : "unknown";
}
