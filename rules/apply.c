/* apply.c - runs compiled rules over the record under way. See pack.h and docs/rules.md. */
#include "rules/cleaner.h"

#include "daemon/base/utf8.h"

#include <stdlib.h>

/* Values that are not as the customer would write them are never checked for form. */
#define NOT_CHECKED (VALUE_MASKED | VALUE_ENCRYPTED | VALUE_NOBODY)

static bool subject_has(struct cleaner *cleaner, const struct subject *subject,
                        enum field_state what)
{
    if (subject->field != FIELD_NONE)
        return cleaner_has(cleaner, subject->field, what);
    for (size_t i = 0; i < cleaner->extra_count; i++)
        if (slice_eq(cleaner->extras[i].key, subject->extra_key))
            return true;
    return false;
}

/* How many of the subjects have it. */
static size_t count_with(struct cleaner *cleaner, const struct condition *condition,
                         enum field_state what)
{
    size_t count = 0;
    for (size_t i = 0; i < condition->subject_count; i++)
        count += subject_has(cleaner, &condition->subjects[i], what);
    return count;
}

static bool is_in(const struct lookup *list, struct slice text)
{
    char folded[FOLDED_MAX];
    return lookup_find(list, fold_value(text, folded)) != NULL;
}

static bool test_text(struct cleaner *cleaner, const struct condition *condition, struct slice text,
                      const char *rule_id)
{
    if (condition->kind == CONDITION_MATCHES)
        return cleaner_match(cleaner, condition->pattern, text, rule_id) == 1;
    return is_in(condition->list, text);
}

/* matches, in, flagged: true when one of the values is so. */
static bool test_values(struct cleaner *cleaner, const struct condition *condition,
                        const char *rule_id)
{
    const struct subject *subject = condition->subjects;
    if (subject->field == FIELD_NONE) {
        if (condition->kind == CONDITION_FLAGGED)
            return false;
        for (size_t i = 0; i < cleaner->extra_count && !cleaner->stopped; i++)
            if (slice_eq(cleaner->extras[i].key, subject->extra_key) &&
                test_text(cleaner, condition, cleaner->extras[i].extra.value, rule_id))
                return true;
        return false;
    }
    if (!cleaner_has(cleaner, subject->field, FIELD_HAS_VALUE))
        return false;
    for (size_t i = 0; i < cleaner->value_count && !cleaner->stopped; i++) {
        const struct clean_value *value = &cleaner->values[i];
        if (value->field != subject->field)
            continue;
        if (condition->kind == CONDITION_FLAGGED
                ? (value->flags & condition->flags) != 0
                : test_text(cleaner, condition, value->value, rule_id))
            return true;
    }
    return false;
}

static bool has_issue(const struct cleaner *cleaner, struct slice code)
{
    bool open = code.len && code.ptr[code.len - 1] == '*';
    struct slice prefix = slice_sub(code, 0, code.len - open);
    for (size_t i = 0; i < cleaner->issue_count; i++) {
        struct slice have = slice_str(cleaner->issues[i].code);
        if (open ? slice_starts(have, prefix) : slice_eq(have, code))
            return true;
    }
    return false;
}

static bool test_words(const struct cleaner *cleaner, const struct condition *condition)
{
    struct slice part = cleaner->raw->part.len ? cleaner->raw->part : SLICE("main");
    for (size_t i = 0; i < condition->text_count; i++) {
        struct slice text = condition->texts[i];
        bool found = condition->kind == CONDITION_SOURCE ? slice_is(text, cleaner->source->name)
                     : condition->kind == CONDITION_PART ? slice_eq(text, part)
                                                         : has_issue(cleaner, text);
        if (found)
            return true;
    }
    return false;
}

static bool holds(struct cleaner *cleaner, const struct condition *condition, const char *rule_id);

static bool test_group(struct cleaner *cleaner, const struct condition *condition,
                       const char *rule_id)
{
    for (size_t i = 0; i < condition->child_count; i++) {
        bool child = holds(cleaner, &condition->children[i], rule_id);
        if (condition->kind == CONDITION_ALL ? !child : child)
            return condition->kind == CONDITION_ANY;
    }
    return condition->kind != CONDITION_ANY;
}

static bool holds(struct cleaner *cleaner, const struct condition *condition, const char *rule_id)
{
    switch (condition->kind) {
    case CONDITION_ALL:
    case CONDITION_ANY:
    case CONDITION_NONE:
        return test_group(cleaner, condition, rule_id);
    case CONDITION_SOURCE:
    case CONDITION_PART:
    case CONDITION_ISSUE:
        return test_words(cleaner, condition);
    case CONDITION_KIND:
        return cleaner->kind == condition->record_kind;
    case CONDITION_TEST:
        return cleaner->raw->is_test == condition->truth;
    case CONDITION_PRESENT:
        return count_with(cleaner, condition, FIELD_HAS_VALUE) == condition->subject_count;
    case CONDITION_PRESENT_ANY:
        return count_with(cleaner, condition, FIELD_HAS_VALUE) > 0;
    case CONDITION_ABSENT:
        return count_with(cleaner, condition, FIELD_HAS_VALUE) == 0;
    case CONDITION_USABLE:
        return count_with(cleaner, condition, FIELD_HAS_USABLE) == condition->subject_count;
    case CONDITION_USABLE_ANY:
        return count_with(cleaner, condition, FIELD_HAS_USABLE) > 0;
    case CONDITION_UNUSABLE:
        return count_with(cleaner, condition, FIELD_HAS_USABLE) == 0;
    case CONDITION_MATCHES:
    case CONDITION_IN:
    case CONDITION_FLAGGED:
        return test_values(cleaner, condition, rule_id);
    }
    return false;
}

static void report(struct cleaner *cleaner, const struct rule *rule, uint16_t field,
                   struct slice param)
{
    cleaner_issue(cleaner, rule->severity, rule->code, field, param);
}

static bool number_of(struct slice text, double *number)
{
    char copy[64];
    size_t len = 0;
    while (len < text.len && len < sizeof(copy) - 1 && text.ptr[len] != ' ')
        len++;
    memcpy(copy, text.ptr, len);
    copy[len] = '\0';
    char *end;
    *number = strtod(copy, &end);
    return len > 0 && *end == '\0';
}

/* The bound that was passed; ptr NULL when none was. */
static struct slice passed_bound(const struct cleaner *cleaner, const struct rule *rule,
                                 const struct clean_value *value)
{
    const struct slice none = {NULL, 0};
    enum field_type type = cleaner->ruleset->fields[value->field].type;
    if (rule->action == ACTION_RANGE && (type == FIELD_DATE || type == FIELD_TIMESTAMP)) {
        /* ISO dates order as text; a year alone is compared as a year. */
        size_t least = rule->min.len < value->value.len ? rule->min.len : value->value.len;
        size_t most = rule->max.len < value->value.len ? rule->max.len : value->value.len;
        if (rule->min.ptr && memcmp(value->value.ptr, rule->min.ptr, least) < 0)
            return rule->min;
        return rule->max.ptr && memcmp(value->value.ptr, rule->max.ptr, most) > 0 ? rule->max
                                                                                  : none;
    }
    double number = 0;
    if (rule->action == ACTION_LENGTH)
        number = (double)utf8_length(value->value);
    else if (!number_of(value->value, &number))
        return none; /* the type has said what is wrong */
    if (rule->min.ptr && number < rule->min_number)
        return rule->min;
    return rule->max.ptr && number > rule->max_number ? rule->max : none;
}

static void check_value(struct cleaner *cleaner, const struct rule *rule, size_t index)
{
    struct clean_value *value = &cleaner->values[index];
    struct slice param = rule->param;
    bool passes = true;
    if (rule->action == ACTION_USABLE) {
        if (value->flags & (VALUE_NOBODY | VALUE_INVALID))
            report(cleaner, rule, value->field, param);
        return;
    }
    if (value->flags & NOT_CHECKED)
        return;
    if (rule->action == ACTION_PATTERN) {
        int matched = cleaner_match(cleaner, rule->pattern, value->value, rule->id);
        passes = matched != 0;
    } else if (rule->action == ACTION_ONE_OF) {
        passes = is_in(rule->table, value->value);
    } else {
        struct slice bound = passed_bound(cleaner, rule, value);
        passes = bound.ptr == NULL;
        param = bound;
    }
    if (passes)
        return;
    value->flags |= VALUE_INVALID;
    cleaner->state_is_stale = true;
    report(cleaner, rule, value->field, param);
}

static void look_up(struct cleaner *cleaner, const struct rule *rule, size_t *index)
{
    struct clean_value *value = &cleaner->values[*index];
    char folded[FOLDED_MAX];
    const struct lookup_entry *found = lookup_find(rule->table, fold_value(value->value, folded));
    if (found && rule->target != FIELD_NONE && rule->target != value->field) {
        if (!cleaner_has(cleaner, rule->target, FIELD_HAS_VALUE))
            cleaner_add_text(cleaner, rule->target, found->text, VALUE_DERIVED);
        return;
    }
    if (found) {
        if (!slice_eq(found->text, value->value)) {
            if (value->original.len == 0)
                value->original = value->value;
            value->value = found->text;
        }
        value->flags &= (uint16_t)~VALUE_INVALID;
    } else if (rule->otherwise == OTHERWISE_DROP) {
        cleaner_remove(cleaner, *index);
        (*index)--;
    } else if (rule->otherwise == OTHERWISE_INVALID && !(value->flags & NOT_CHECKED)) {
        value->flags |= VALUE_INVALID;
        report(cleaner, rule, value->field, rule->param);
    }
    cleaner->state_is_stale = true;
}

static void replace_in(struct cleaner *cleaner, const struct rule *rule, size_t *index)
{
    struct clean_value old = cleaner->values[*index];
    PCRE2_SIZE len = sizeof(cleaner->replaced);
    size_t seen = pattern_subject_len(old.value); /* what comes after stays as it is */
    uint32_t options = PCRE2_SUBSTITUTE_GLOBAL | PCRE2_SUBSTITUTE_UNSET_EMPTY;
    if (seen < old.value.len)
        options |= PCRE2_NOTEOL;
    int count =
        pcre2_substitute(rule->pattern->code, (PCRE2_SPTR)old.value.ptr, seen, 0, options,
                         cleaner->match_data, cleaner->match_context, (PCRE2_SPTR)rule->text.ptr,
                         rule->text.len, (PCRE2_UCHAR *)cleaner->replaced, &len);
    if (count == 0)
        return;
    if (count < 0) {
        cleaner_issue(cleaner, ISSUE_REJECT, "rule.limit", FIELD_NONE, rule->param);
        cleaner->stopped = true;
        return;
    }
    cleaner_remove(cleaner, *index);
    (*index)--;
    size_t added = cleaner->value_count;
    struct slice text = arena_printf(cleaner->arena, "%.*s%.*s", (int)len, cleaner->replaced,
                                     (int)(old.value.len - seen), old.value.ptr + seen);
    cleaner_add_text(cleaner, old.field, text, old.flags & VALUE_DERIVED);
    struct slice original = old.original.len ? old.original : old.value;
    for (size_t i = added; i < cleaner->value_count; i++)
        cleaner->values[i].original =
            slice_eq(original, cleaner->values[i].value) ? SLICE_EMPTY : original;
}

/* Actions that go over the values there are. New values stand behind `end` and are not visited. */
static void act_on_values(struct cleaner *cleaner, const struct rule *rule, uint16_t field)
{
    if (!cleaner_has(cleaner, field, FIELD_HAS_VALUE))
        return;
    size_t end = cleaner->value_count;
    for (size_t i = 0; i < end && !cleaner->stopped; i++) {
        struct clean_value *value = &cleaner->values[i];
        if (value->field != field)
            continue;
        size_t at = i;
        switch (rule->action) {
        case ACTION_LOOKUP:
            look_up(cleaner, rule, &at);
            break;
        case ACTION_REPLACE:
            replace_in(cleaner, rule, &at);
            break;
        case ACTION_DROP:
            if (rule->flags == 0 || (value->flags & rule->flags)) {
                cleaner_remove(cleaner, i);
                at--;
            }
            break;
        case ACTION_MARK:
            value->flags |= rule->flags;
            cleaner->state_is_stale = true;
            break;
        default:
            check_value(cleaner, rule, i);
        }
        if (at != i) { /* it was taken out */
            i--;
            end--;
        }
    }
}

static void copy_from(struct cleaner *cleaner, const struct rule *rule, uint16_t field)
{
    bool multiple = cleaner->ruleset->fields[field].multiple;
    if (rule->from.field == FIELD_NONE) {
        for (size_t i = 0; i < cleaner->extra_count; i++) {
            if (!slice_eq(cleaner->extras[i].key, rule->from.extra_key))
                continue;
            cleaner_add_text(cleaner, field, cleaner->extras[i].extra.value, 0);
            if (!multiple)
                return;
        }
        return;
    }
    size_t end = cleaner->value_count;
    for (size_t i = 0; i < end; i++) {
        struct clean_value from = cleaner->values[i];
        if (from.field != rule->from.field)
            continue;
        cleaner_add_text(cleaner, field, from.value,
                         (uint16_t)((from.flags & VALUE_NOT_EVIDENCE) | VALUE_DERIVED));
        if (!multiple)
            return;
    }
}

static void act_on_field(struct cleaner *cleaner, const struct rule *rule, uint16_t field)
{
    bool has = cleaner_has(cleaner, field, FIELD_HAS_VALUE);
    if (rule->action == ACTION_DEFAULT && !has)
        cleaner_add_text(cleaner, field, rule->text, VALUE_DERIVED);
    if (rule->action == ACTION_COPY && !has)
        copy_from(cleaner, rule, field);
    if (rule->action != ACTION_SET)
        return;
    for (size_t i = cleaner->value_count; i-- > 0;)
        if (cleaner->values[i].field == field)
            cleaner_remove(cleaner, i);
    cleaner_add_text(cleaner, field, rule->text, VALUE_DERIVED);
}

static void require(struct cleaner *cleaner, const struct rule *rule)
{
    size_t usable = 0;
    for (size_t i = 0; i < rule->field_count; i++) {
        bool has = cleaner_has(cleaner, rule->fields[i], FIELD_HAS_USABLE);
        usable += has;
        if (!has && rule->action == ACTION_REQUIRE)
            report(cleaner, rule, rule->fields[i], SLICE_EMPTY);
    }
    if (usable == 0 && rule->action == ACTION_REQUIRE_ONE)
        report(cleaner, rule, FIELD_NONE, rule->param);
}

static void act(struct cleaner *cleaner, const struct rule *rule)
{
    switch (rule->action) {
    case ACTION_REQUIRE:
    case ACTION_REQUIRE_ONE:
        require(cleaner, rule);
        return;
    case ACTION_REPORT:
        report(cleaner, rule, rule->field_count ? rule->fields[0] : FIELD_NONE, SLICE_EMPTY);
        return;
    case ACTION_TAG:
        cleaner_add_text(cleaner, cleaner->ruleset->known.tags, rule->text, VALUE_DERIVED);
        return;
    case ACTION_KIND:
        cleaner->kind = rule->kind;
        return;
    case ACTION_SUPPRESS:
        cleaner->suppressed = true;
        return;
    case ACTION_SET:
    case ACTION_DEFAULT:
    case ACTION_COPY:
        for (size_t i = 0; i < rule->field_count; i++)
            act_on_field(cleaner, rule, rule->fields[i]);
        return;
    default:
        for (size_t i = 0; i < rule->field_count; i++)
            act_on_values(cleaner, rule, rule->fields[i]);
    }
}

void apply_rules(struct cleaner *cleaner, bool before)
{
    const struct ruleset *ruleset = cleaner->ruleset;
    for (size_t i = 0; i < ruleset->rule_count && !cleaner->stopped; i++) {
        const struct rule *rule = &ruleset->rules[i];
        if (rule->off || rule->before != before)
            continue;
        if (rule->when == NULL || holds(cleaner, rule->when, rule->id))
            act(cleaner, rule);
    }
}
