/* missing.c - see missing.h. */
#include "rules/missing.h"

#include "rules/model.h"

#define AGREES 1 /* the level of equal values in every comparison */

static bool has_own_domain(const struct features_view *view)
{
    for (size_t i = 0; i < view->email_count; i++) {
        if (!(view->emails[i].flags & EMAIL_FREE))
            return true;
    }
    return false;
}

static bool has_place(const struct features_view *view)
{
    return view->has_address || view->city.len > 0 || view->postal.len > 0;
}

static bool person_has(const struct features_view *view, enum comparison_id comparison)
{
    switch (comparison) {
    case CMP_NAME:
        return view->has_name;
    case CMP_BIRTH:
        return view->birth.year != 0;
    case CMP_PHONE:
        return view->phone_count > 0;
    case CMP_EMAIL:
        return view->email_count > 0;
    case CMP_WECHAT_ID:
        return view->wechat_id != 0;
    case CMP_WECHAT_OPENID:
        return view->wechat_openid != 0;
    case CMP_NATIONAL_ID:
        return view->identity != 0;
    case CMP_MEMBER:
        return view->member != 0;
    case CMP_COMPANY:
        return view->has_company;
    default:
        return has_place(view);
    }
}

static bool company_has(const struct features_view *view, enum comparison_id comparison)
{
    switch (comparison) {
    case CMP_COMPANY_NAME:
        return view->has_company;
    case CMP_CREDIT_CODE:
        return view->identity != 0;
    case CMP_COMPANY_PHONE:
        return view->phone_count > 0;
    case CMP_COMPANY_EMAIL:
        return view->email_count > 0;
    case CMP_COMPANY_SITE:
        return view->website.len > 0 || has_own_domain(view);
    default:
        return has_place(view);
    }
}

static bool own_has(const struct features_view *view, const struct custom_field *field)
{
    for (size_t i = 0; i < view->custom_count; i++) {
        if (view->customs[i].name_hash == field->name_hash && view->customs[i].type == (uint8_t)field->type)
            return true;
    }
    return false;
}

size_t match_missing(const struct matcher *matcher, struct slice features_a, struct slice features_b,
                     struct missing_evidence *list, size_t max)
{
    static const enum comparison_id of_person[] = {
        CMP_NAME, CMP_PHONE, CMP_EMAIL, CMP_WECHAT_ID, CMP_WECHAT_OPENID,
        CMP_NATIONAL_ID, CMP_MEMBER, CMP_BIRTH, CMP_COMPANY, CMP_ADDRESS};
    static const enum comparison_id of_company[] = {CMP_COMPANY_NAME, CMP_CREDIT_CODE, CMP_COMPANY_PHONE,
                                                    CMP_COMPANY_EMAIL, CMP_COMPANY_SITE, CMP_COMPANY_ADDRESS};
    struct features_view a, b;
    size_t count = 0;
    if (!features_read(features_a, &a) || !features_read(features_b, &b) || a.kind != b.kind ||
        a.space != b.space)
        return 0;
    bool company = a.kind == KIND_COMPANY;
    const enum comparison_id *comparisons = company ? of_company : of_person;
    size_t fixed = company ? sizeof(of_company) / sizeof(of_company[0]) : sizeof(of_person) / sizeof(of_person[0]);
    for (size_t i = 0; i < fixed && count < max; i++) {
        enum comparison_id id = comparisons[i];
        bool in_a = company ? company_has(&a, id) : person_has(&a, id);
        bool in_b = company ? company_has(&b, id) : person_has(&b, id);
        float weight = id == CMP_NAME ? 0 : matcher->comparisons[id].levels[AGREES].weight;
        if (!in_a || !in_b)
            list[count++] = (struct missing_evidence){(uint8_t)id, in_a, in_b, weight};
    }
    for (size_t i = 0; i < matcher->custom_count && count < max; i++) {
        const struct custom_field *field = &matcher->custom_fields[i];
        bool in_a = own_has(&a, field), in_b = own_has(&b, field);
        if (!in_a || !in_b)
            list[count++] = (struct missing_evidence){(uint8_t)(CMP_FIXED_COUNT + i), in_a, in_b, 0};
    }
    return count;
}
