/* cleaner.c - a raw record through mapping, types, derivation and rules. See ruleset.h, cleaner.h.
 */
#include "rules/cleaner.h"

#include "rules/text.h"

#include <stdlib.h>

#define JIT_STACK_FIRST ((size_t)32 << 10)
#define JIT_STACK_MOST  ((size_t)512 << 10)

struct cleaner *cleaner_new(const struct ruleset *ruleset)
{
    struct cleaner *cleaner = calloc(1, sizeof(*cleaner));
    if (cleaner == NULL)
        return NULL;
    cleaner->ruleset = ruleset;
    cleaner->match_data = pcre2_match_data_create(ruleset->capture_max + 1, NULL);
    cleaner->match_context = pcre2_match_context_create(NULL);
    cleaner->jit_stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST, NULL);
    if (cleaner->match_data == NULL || cleaner->match_context == NULL) {
        cleaner_free(&cleaner);
        return NULL;
    }
    pcre2_set_match_limit(cleaner->match_context, PATTERN_MATCH_LIMIT);
    pcre2_set_depth_limit(cleaner->match_context, PATTERN_DEPTH_LIMIT);
    pcre2_set_heap_limit(cleaner->match_context, PATTERN_HEAP_KIB);
    if (cleaner->jit_stack) /* NULL where there is no JIT */
        pcre2_jit_stack_assign(cleaner->match_context, NULL, cleaner->jit_stack);
    return cleaner;
}

void cleaner_free(struct cleaner **cleaner)
{
    if (*cleaner == NULL)
        return;
    for (size_t i = 0; i < MAPPING_SLOTS; i++)
        mapping_free(&(*cleaner)->mappings[i]);
    pcre2_match_data_free((*cleaner)->match_data);
    pcre2_match_context_free((*cleaner)->match_context);
    pcre2_jit_stack_free((*cleaner)->jit_stack);
    free(*cleaner);
    *cleaner = NULL;
}

void cleaner_issue(struct cleaner *cleaner, enum issue_severity severity, const char *code,
                   uint16_t field, struct slice param)
{
    if (severity == ISSUE_REJECT)
        cleaner->worst = CLEAN_REJECT;
    else if (severity == ISSUE_QUARANTINE && cleaner->worst == CLEAN_OK)
        cleaner->worst = CLEAN_QUARANTINE;
    struct issue *issues = cleaner->issues;
    for (size_t i = 0; i < cleaner->issue_count; i++) {
        if (issues[i].field != field || strcmp(issues[i].code, code) != 0)
            continue;
        if (issues[i].severity < severity)
            issues[i].severity = severity;
        return;
    }
    size_t at = cleaner->issue_count;
    if (at == ISSUES_MAX) { /* a graver one takes the place of a warning */
        for (at = 0; at < ISSUES_MAX && issues[at].severity >= severity; at++)
            ;
        if (at == ISSUES_MAX)
            return;
    } else {
        cleaner->issue_count++;
    }
    issues[at] = (struct issue){severity, code, field, param};
}

void cleaner_add(struct cleaner *cleaner, uint16_t field, uint16_t flags, struct slice value,
                 struct slice original)
{
    if (cleaner->value_count == VALUES_MAX) {
        cleaner_issue(cleaner, ISSUE_WARN, "record.too_many_values", field, SLICE_EMPTY);
        return;
    }
    cleaner->values[cleaner->value_count++] =
        (struct clean_value){.field = field, .flags = flags, .value = value, .original = original};
    cleaner->state_is_stale = true;
}

void cleaner_remove(struct cleaner *cleaner, size_t index)
{
    cleaner->value_count--;
    memmove(&cleaner->values[index], &cleaner->values[index + 1],
            (cleaner->value_count - index) * sizeof(cleaner->values[0]));
    cleaner->state_is_stale = true;
}

bool cleaner_has(struct cleaner *cleaner, uint16_t field, enum field_state what)
{
    if (cleaner->state_is_stale) {
        memset(cleaner->state, 0, cleaner->ruleset->schema.count);
        for (size_t i = 0; i < cleaner->value_count; i++) {
            const struct clean_value *value = &cleaner->values[i];
            cleaner->state[value->field] |= value->flags & (VALUE_NOBODY | VALUE_INVALID)
                                                ? FIELD_HAS_VALUE
                                                : FIELD_HAS_VALUE | FIELD_HAS_USABLE;
        }
        cleaner->state_is_stale = false;
    }
    return field != FIELD_NONE && (cleaner->state[field] & what);
}

size_t pattern_subject_len(struct slice subject)
{
    size_t len = subject.len;
    if (len > PATTERN_SUBJECT_MAX)
        for (len = PATTERN_SUBJECT_MAX; len > 0 && (subject.ptr[len] & 0xc0) == 0x80; len--)
            ;
    return len;
}

int cleaner_match(struct cleaner *cleaner, const struct pattern *pattern, struct slice subject,
                  const char *rule_id)
{
    size_t len = pattern_subject_len(subject);
    int rc = pcre2_match(pattern->code, (PCRE2_SPTR)subject.ptr, len, 0,
                         len < subject.len ? PCRE2_NOTEOL : 0, cleaner->match_data,
                         cleaner->match_context);
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
        return rc >= 0;
    cleaner_issue(cleaner, ISSUE_REJECT, "rule.limit", FIELD_NONE, slice_str(rule_id));
    cleaner->stopped = true;
    return -1;
}

/* The name is the raw record's own: a mapping may be forgotten while the clean record lives. */
static void add_extra(struct cleaner *cleaner, uint16_t column, struct slice key, struct slice value)
{
    struct slice name = cleaner->raw->columns->names[column];
    if (cleaner->extra_count == VALUES_MAX) {
        cleaner_issue(cleaner, ISSUE_WARN, "record.too_many_values", FIELD_NONE, SLICE_EMPTY);
        return;
    }
    cleaner->extras[cleaner->extra_count++] = (struct work_extra){{name, value}, key};
}

/* An address's second line goes behind the first, a street before it. */
static struct slice joined(struct cleaner *cleaner, struct slice first, struct slice second)
{
    bool han = first.len && second.len && ((first.ptr[first.len - 1] | second.ptr[0]) & 0x80);
    return arena_printf(cleaner->arena, "%.*s%s%.*s", (int)first.len, first.ptr, han ? "" : " ",
                        (int)second.len, second.ptr);
}

/* All columns of one single-valued field: the first with a value wins, the others stay as extras.
 */
static void collect_single(struct cleaner *cleaner, const struct mapping *mapping, size_t from,
                           size_t to)
{
    struct slice value = SLICE_EMPTY;
    for (int role = COLUMN_VALUE; role <= COLUMN_SUFFIX; role++) {
        for (size_t i = from; i < to; i++) {
            const struct column_target *target = &mapping->targets[i];
            struct slice text = text_trim(cleaner->raw->values[target->column]);
            if (target->role != role || text.len == 0)
                continue;
            bool fits = text.len + value.len < CLEAN_INPUT_MAX_BYTES;
            if (value.len == 0)
                value = text;
            else if (role == COLUMN_PREFIX && fits)
                value = joined(cleaner, text, value);
            else if (role == COLUMN_SUFFIX && fits)
                value = joined(cleaner, value, text);
            else if (!slice_eq(text, value))
                add_extra(cleaner, target->column, SLICE_EMPTY, text);
        }
    }
    if (value.len)
        cleaner_add(cleaner, mapping->targets[from].field, 0, value, SLICE_EMPTY);
}

static void collect(struct cleaner *cleaner, const struct mapping *mapping)
{
    const struct schema *schema = &cleaner->ruleset->schema;
    for (size_t from = 0, to; from < mapping->target_count; from = to) {
        uint16_t field = mapping->targets[from].field;
        for (to = from + 1; to < mapping->target_count && mapping->targets[to].field == field; to++)
            ;
        if (!schema->fields[field].multiple) {
            collect_single(cleaner, mapping, from, to);
            continue;
        }
        for (size_t i = from; i < to; i++) {
            struct slice text = text_trim(cleaner->raw->values[mapping->targets[i].column]);
            if (text.len)
                cleaner_add(cleaner, field, 0, text, SLICE_EMPTY);
        }
    }
    for (size_t i = 0; i < mapping->extra_count; i++) {
        const struct extra_column *column = &mapping->extras[i];
        struct slice text = text_trim(cleaner->raw->values[column->column]);
        if (text.len)
            add_extra(cleaner, column->column, column->key, text);
    }
    if (mapping->column_count > MAPPING_COLUMNS_MAX)
        cleaner_issue(cleaner, ISSUE_WARN, "record.too_many_values", FIELD_NONE, SLICE_EMPTY);
}

static int compare_values(const struct clean_value *a, const struct clean_value *b)
{
    if (a->field != b->field)
        return a->field < b->field ? -1 : 1;
    int order = slice_cmp(a->value, b->value);
    /* Of equal ones the best first: evidence, then stated rather than derived. */
    return order ? order : (int)a->flags - (int)b->flags;
}

static void sort_values(struct cleaner *cleaner)
{
    struct clean_value *values = cleaner->values;
    for (size_t i = 1; i < cleaner->value_count; i++) { /* nearly sorted already */
        struct clean_value value = values[i];
        size_t at = i;
        for (; at > 0 && compare_values(&value, &values[at - 1]) < 0; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
    size_t kept = 0;
    for (size_t i = 0; i < cleaner->value_count; i++) {
        if (kept && values[kept - 1].field == values[i].field &&
            slice_eq(values[kept - 1].value, values[i].value))
            continue;
        values[kept++] = values[i];
    }
    cleaner->value_count = kept;
}

static int compare_extras(const struct work_extra *a, const struct work_extra *b)
{
    int order = slice_cmp(a->extra.name, b->extra.name);
    return order ? order : slice_cmp(a->extra.value, b->extra.value);
}

/* Columns that lost to another came first, the rest is in order already. */
static void sort_extras(struct cleaner *cleaner)
{
    struct work_extra *extras = cleaner->extras;
    for (size_t i = 1; i < cleaner->extra_count; i++) {
        struct work_extra extra = extras[i];
        size_t at = i;
        for (; at > 0 && compare_extras(&extra, &extras[at - 1]) < 0; at--)
            extras[at] = extras[at - 1];
        extras[at] = extra;
    }
}

static void finish(struct cleaner *cleaner, struct clean_record *clean)
{
    sort_values(cleaner);
    sort_extras(cleaner);
    struct arena *arena = cleaner->arena;
    struct clean_value *values = ARENA_ARRAY(arena, struct clean_value, cleaner->value_count);
    struct extra_value *extras = ARENA_ARRAY(arena, struct extra_value, cleaner->extra_count);
    struct issue *issues = ARENA_ARRAY(arena, struct issue, cleaner->issue_count);
    clean->kind = cleaner->kind;
    clean->outcome = cleaner->suppressed ? CLEAN_SUPPRESS : cleaner->worst;
    if (arena_failed(arena))
        return;
    memcpy(values, cleaner->values, cleaner->value_count * sizeof(*values));
    for (size_t i = 0; i < cleaner->extra_count; i++)
        extras[i] = cleaner->extras[i].extra;
    memcpy(issues, cleaner->issues, cleaner->issue_count * sizeof(*issues));
    clean->value_count = cleaner->value_count;
    clean->values = values;
    clean->extra_count = cleaner->extra_count;
    clean->extras = extras;
    clean->issue_count = cleaner->issue_count;
    clean->issues = issues;
}

static void begin(struct cleaner *cleaner, const struct source_rules *source,
                  const struct raw_record *raw, struct arena *arena)
{
    cleaner->source = source;
    cleaner->raw = raw;
    cleaner->arena = arena;
    cleaner->context = (struct clean_context){
        .country = source->country, .time_zone = source->time_zone, .day_first = source->day_first};
    cleaner->kind = source->kind == KIND_COMPANY ? KIND_COMPANY : KIND_PERSON;
    cleaner->cleaned = cleaner->suppressed = cleaner->stopped = false;
    cleaner->worst = CLEAN_OK;
    cleaner->value_count = cleaner->extra_count = cleaner->issue_count = 0;
    cleaner->state_is_stale = true;
}

enum status ruleset_clean(struct cleaner *cleaner, const struct source_rules *source,
                          const struct raw_record *raw, struct arena *arena,
                          struct clean_record *clean, struct err *err)
{
    static const struct columns no_columns = {0, 0, NULL};
    *clean = (struct clean_record){.kind = KIND_PERSON, .outcome = CLEAN_OK};
    begin(cleaner, source, raw, arena);
    const struct mapping *mapping =
        mapping_of(cleaner, source, raw->columns ? raw->columns : &no_columns);
    if (mapping == NULL)
        return err_set(err, RETRY_LATER, "rules.memory", "out of memory while mapping columns");
    collect(cleaner, mapping);
    apply_rules(cleaner, true);
    typed_clean(cleaner);
    derive(cleaner);
    apply_rules(cleaner, false);
    finish(cleaner, clean);
    if (arena_failed(arena))
        return err_set(
            err, RETRY_REJECT_RECORD, "rules.arena_full",
            "the cleaned records do not fit in the batch's memory; hint: smaller batches");
    return STATUS_OK;
}
