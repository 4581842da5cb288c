/* clean.c - see clean.h: what every value goes through, and the small types. */
#include "rules/clean.h"

#include "daemon/base/utf8.h"
#include "rules/clean_intern.h"
#include "rules/company.h"
#include "rules/name.h"
#include "rules/parsed.h"
#include "rules/text.h"

void cleaned_add_issue(struct cleaned *out, const char *code, struct slice param)
{
    if (out->issue_count < CLEANED_ISSUES_MAX)
        out->issues[out->issue_count++] = (struct cleaned_issue){ISSUE_WARN, code, param};
}

void cleaned_add_side(struct cleaned *out, enum side_kind kind, uint16_t flags, struct slice value)
{
    if (value.len > 0 && out->side_count < CLEANED_SIDES_MAX)
        out->sides[out->side_count++] =
            (struct cleaned_side){kind, (uint16_t)(flags | (kind == SIDE_ANOTHER ? 0 : VALUE_DERIVED)), value};
}

void cleaned_invalid(struct cleaned *out, struct slice as_written, const char *code)
{
    out->value = as_written;
    out->flags |= VALUE_INVALID;
    cleaned_add_issue(out, code, SLICE_EMPTY);
}

const struct cleaned_side *cleaned_find(const struct cleaned *cleaned, enum side_kind kind)
{
    for (size_t i = 0; i < cleaned->side_count; i++) {
        if (cleaned->sides[i].kind == kind)
            return &cleaned->sides[i];
    }
    return NULL;
}

void clean_text(const struct clean_context *context, struct slice input, struct arena *arena, struct cleaned *out)
{
    (void)context;
    out->value = text_clean(input, false, arena);
}

static void clean_long_text(const struct clean_context *context, struct slice input, struct arena *arena,
                            struct cleaned *out)
{
    (void)context;
    out->value = text_clean(input, true, arena);
}

void clean_person_name(const struct clean_context *context, struct slice input, struct arena *arena,
                       struct cleaned *out)
{
    (void)context;
    struct name_parts parts;
    name_parse(input, arena, &parts);
    out->value = parts.display;
    out->flags |= parts.flags;
    if (parts.flags & VALUE_NOBODY)
        return;
    if (parts.display.len == 0) {
        cleaned_invalid(out, text_clean(input, false, arena), "name.no_letters");
        return;
    }
    cleaned_add_side(out, SIDE_FAMILY_NAME, parts.flags, parts.family);
    cleaned_add_side(out, SIDE_GIVEN_NAME, parts.flags, parts.given);
    cleaned_add_side(out, SIDE_TITLE, 0, parts.title);
    cleaned_add_side(out, SIDE_SUFFIX, 0, parts.suffix);
    cleaned_add_side(out, SIDE_NOTE, 0, parts.note);
    if (parts.gender != NAME_GENDER_NONE)
        cleaned_add_side(out, SIDE_GENDER, 0,
                         parts.gender == NAME_GENDER_MALE ? SLICE("male") : SLICE("female"));
}

static size_t separator_width(struct slice s)
{
    static const char *const separators[] = {",", ";", "|", "\n", "，", "；", "、", "｜"};
    for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++) {
        if (slice_starts(s, slice_str(separators[i])))
            return strlen(separators[i]);
    }
    return 0;
}

size_t clean_tags(struct slice input, struct arena *arena, struct slice *tags, size_t max)
{
    size_t count = 0;
    while (input.len > 0 && count < max) {
        size_t end = 0, width = 0;
        while (end < input.len && (width = separator_width(slice_sub(input, end, input.len))) == 0)
            end++;
        struct slice tag = text_clean(text_unguard(slice_sub(input, 0, end)), false, arena);
        input = slice_sub(input, end + width, input.len);
        bool seen = tag.len == 0 || text_is_missing(tag);
        for (size_t i = 0; i < count && !seen; i++)
            seen = slice_eq(tags[i], tag);
        if (!seen)
            tags[count++] = tag;
    }
    return count;
}

void clean_tag_list(const struct clean_context *context, struct slice input, struct arena *arena,
                    struct cleaned *out)
{
    (void)context;
    struct slice tags[CLEANED_SIDES_MAX + 1];
    size_t count = clean_tags(input, arena, tags, CLEANED_SIDES_MAX + 1);
    if (count > 0)
        out->value = tags[0];
    for (size_t i = 1; i < count; i++)
        cleaned_add_side(out, SIDE_ANOTHER, 0, tags[i]);
}

/* Folded: what people without a company write. */
static bool names_no_company(struct slice core)
{
    static const char *const words[] = {"个人", "个体", "个体户", "自由职业", "自由职业者", "无业", "无公司", "学生", "在校学生", "待业", "退休", "测试", "测试公司", "自己", "self employed",
                                        "selfemployed", "self", "freelance", "freelancer", "private", "individual", "personal", "test", "test company", "student", "retired", "unemployed", "home", "myself", "privat", "xxx", "asdf", "na"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_is(core, words[i]))
            return true;
    }
    return false;
}

void clean_company(const struct clean_context *context, struct slice input, struct arena *arena,
                   struct cleaned *out)
{
    (void)context;
    struct company_parts parts;
    out->value = text_clean(input, false, arena);
    company_parse(out->value, arena, &parts);
    out->parsed = parsed_company_keep(out->value, &parts, arena);
    if (parts.core.len == 0 || names_no_company(parts.core))
        out->flags |= VALUE_NOBODY;
}

static clean_function *const functions[FIELD_TYPE_COUNT] = {
    [FIELD_TEXT] = clean_long_text,
    [FIELD_PERSON_NAME] = clean_person_name,
    [FIELD_EMAIL] = clean_email,
    [FIELD_PHONE] = clean_phone,
    [FIELD_ADDRESS] = clean_address,
    [FIELD_COMPANY] = clean_company,
    [FIELD_DATE] = clean_date,
    [FIELD_ID_NUMBER] = clean_id_number,
    [FIELD_URL] = clean_url,
    [FIELD_GEO] = clean_geo,
    [FIELD_CATEGORY] = clean_text,
    [FIELD_TAGS] = clean_tag_list,
    [FIELD_NUMBER] = clean_number,
    [FIELD_MONEY] = clean_money,
    [FIELD_TIMESTAMP] = clean_timestamp,
};

void clean_value_typed(enum field_type type, const struct clean_context *context, struct slice input,
                       struct arena *arena, struct cleaned *out)
{
    out->value = out->original = SLICE_EMPTY;
    out->parsed = NULL;
    out->flags = 0;
    out->issue_count = out->side_count = 0;
    if (input.len > CLEAN_INPUT_MAX_BYTES) {
        out->flags = VALUE_INVALID;
        cleaned_add_issue(out, "value.too_long", SLICE("65536"));
        return;
    }
    bool broken = !utf8_valid(input);
    if (broken || memchr(input.ptr, '\0', input.len)) {
        input = text_clean(input, true, arena); /* bad bytes become U+FFFD, NULs vanish */
        if (broken)
            cleaned_add_issue(out, "text.bad_encoding", SLICE_EMPTY);
    }
    bool free_text = type == FIELD_TEXT || type == FIELD_TAGS;
    struct slice trimmed = free_text ? text_trim(input) : text_unguard(input);
    if (trimmed.len == 0)
        return;
    if (type != FIELD_TEXT && text_is_missing(trimmed)) {
        out->value = text_clean(trimmed, false, arena);
        out->flags |= VALUE_NOBODY;
    } else {
        functions[type](context, trimmed, arena, out);
    }
    if (!slice_eq(out->value, trimmed))
        out->original = trimmed;
}
