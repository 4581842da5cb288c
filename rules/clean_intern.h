/* clean_intern.h - what the cleaners share; see clean.h. One function a type, called by clean_value_typed(). */
#ifndef TRIBUTARY_RULES_CLEAN_INTERN_H
#define TRIBUTARY_RULES_CLEAN_INTERN_H

#include "rules/clean.h"

/* Input is trimmed, without guards, valid UTF-8, not blank, not "n/a" and at most CLEAN_INPUT_MAX_BYTES. */
typedef void clean_function(const struct clean_context *context, struct slice input, struct arena *arena,
                            struct cleaned *out);

clean_function clean_text, clean_person_name, clean_email, clean_phone, clean_address, clean_company, clean_date,
    clean_id_number, clean_url, clean_geo, clean_tag_list, clean_number, clean_money, clean_timestamp;

/* Beyond their maxima these do nothing. Empty values make no side. */
void cleaned_add_issue(struct cleaned *out, const char *code, struct slice param);
void cleaned_add_side(struct cleaned *out, enum side_kind kind, uint16_t flags, struct slice value);
/* Kept as written, flagged VALUE_INVALID, with an issue. */
void cleaned_invalid(struct cleaned *out, struct slice as_written, const char *code);

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static inline bool context_country_is(const struct clean_context *context, const char *code)
{
    return context->country && strcmp(context->country, code) == 0;
}

#endif
