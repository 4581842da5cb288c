/* provenance.c - see provenance.h. */
#include "daemon/resolve/provenance.h"

#include <stdlib.h>

void provenance_scratch_free(struct provenance_scratch *scratch)
{
    free(scratch->values);
    buf_free(&scratch->json);
    *scratch = (struct provenance_scratch){.json = {.max_bytes = scratch->json.max_bytes}};
}

/* ---- writing ---- */

static void put_runners(const struct golden_record *golden, size_t *runner, uint16_t field,
                        const uint64_t *members, struct buf *out)
{
    bool first = true;
    for (; *runner < golden->runner_count && golden->runners[*runner].field == field; (*runner)++) {
        const struct survivor_runner *rival = &golden->runners[*runner];
        buf_put_str(out, first ? "[" : ",[");
        buf_put_json(out, rival->value);
        buf_put_byte(out, ',');
        buf_put_decimal(out, members[rival->record]);
        buf_put_byte(out, ']');
        first = false;
    }
}

void provenance_put(const struct schema *schema, const struct golden_record *golden,
                    const uint64_t *members, struct buf *out)
{
    size_t runner = 0;
    buf_put_byte(out, '[');
    for (size_t i = 0; i < golden->value_count; i++) {
        const struct survivor_value *value = &golden->values[i];
        buf_put_str(out, i ? ",[" : "[");
        buf_put_json(out, slice_str(schema->fields[value->field].name));
        buf_put_byte(out, ',');
        buf_put_json(out, value->value);
        buf_put_byte(out, ',');
        buf_put_decimal(out, members[value->record]);
        buf_put_byte(out, ',');
        buf_put_decimal(out, value->flags);
        buf_put_byte(out, ',');
        buf_put_decimal(out, value->agree_count);
        buf_put_str(out, ",[");
        while (runner < golden->runner_count && golden->runners[runner].field < value->field)
            runner++;
        if (i + 1 == golden->value_count || golden->values[i + 1].field != value->field)
            put_runners(golden, &runner, value->field, members, out);
        buf_put_str(out, "]]");
    }
    buf_put_byte(out, ']');
}

/* ---- reading ---- */

/* `at` stands on a quote; the place behind the closing one, or NULL. */
static const char *skip_string(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            return at + 1;
    }
    return NULL;
}

/* Looks onwards from the field found last: values stand in the schema's order. */
static uint16_t field_of(const struct schema *schema, struct slice name, size_t from)
{
    for (size_t i = 0; i < schema->count; i++) {
        size_t field = from + i < schema->count ? from + i : from + i - schema->count;
        if (slice_is(name, schema->fields[field].name))
            return (uint16_t)field;
    }
    return FIELD_NONE;
}

/* Keeps the order of the values of one field. */
static bool add_value(struct provenance_scratch *scratch, size_t count, struct provenance_value value)
{
    if (count == scratch->capacity) {
        size_t capacity = scratch->capacity ? scratch->capacity * 2 : 64;
        struct provenance_value *grown = realloc(scratch->values, capacity * sizeof(*grown));
        if (grown == NULL)
            return false;
        scratch->values = grown;
        scratch->capacity = capacity;
    }
    size_t at = count;
    for (; at > 0 && scratch->values[at - 1].field > value.field; at--)
        scratch->values[at] = scratch->values[at - 1];
    scratch->values[at] = value;
    return true;
}

/* The first two texts of each inner array; how many there are of known fields. */
static size_t read_values(const struct schema *schema, struct slice json,
                          struct provenance_scratch *scratch)
{
    const char *at = json.ptr, *end = json.ptr + json.len;
    size_t count = 0, depth = 0, texts = 0;
    uint16_t field = 0;
    while (at && at < end) {
        const char *start = at++;
        if (*start == '[') {
            texts = depth++ == 1 ? 0 : texts;
        } else if (*start == ']' && depth > 0) {
            depth--;
        } else if (*start == '"') {
            at = skip_string(start, end);
            if (at == NULL || depth != 2)
                continue;
            texts++;
            if (texts == 1)
                field = field_of(schema, slice_of(start + 1, (size_t)(at - start) - 2),
                                 field == FIELD_NONE ? 0 : field);
            else if (texts == 2 && field != FIELD_NONE &&
                     add_value(scratch, count,
                               (struct provenance_value){field, slice_of(start, (size_t)(at - start))}))
                count++;
        }
    }
    return count;
}

/* ---- comparing ---- */

static void put_list(const struct provenance_value *values, size_t count, bool multiple, struct buf *out)
{
    if (count == 0) {
        buf_put_str(out, "null");
        return;
    }
    for (size_t i = 0; i < (multiple ? count : 1); i++) {
        if (multiple)
            buf_put_byte(out, i ? ',' : '[');
        buf_put_slice(out, values[i].json);
    }
    if (multiple)
        buf_put_byte(out, ']');
}

static bool same_lists(const struct provenance_value *old, size_t old_count,
                       const struct provenance_value *new, size_t new_count, bool multiple)
{
    if (!multiple && old_count > 0 && new_count > 0)
        return slice_eq(old[0].json, new[0].json);
    bool same = old_count == new_count;
    for (size_t i = 0; i < new_count && same; i++)
        same = slice_eq(old[i].json, new[i].json);
    return same;
}

/* The golden values in the same form, behind the `count` old ones. Their texts are encoded first: memory may move. */
static bool add_golden(const struct golden_record *golden, struct provenance_scratch *scratch,
                       size_t count)
{
    buf_reset(&scratch->json);
    for (size_t i = 0; i < golden->value_count; i++)
        buf_put_json(&scratch->json, golden->values[i].value);
    if (buf_failed(&scratch->json))
        return false;
    size_t needed = count + golden->value_count;
    if (needed > scratch->capacity) {
        struct provenance_value *grown = realloc(scratch->values, needed * 2 * sizeof(*grown));
        if (grown == NULL)
            return false;
        scratch->values = grown;
        scratch->capacity = needed * 2;
    }
    struct slice json = buf_slice(&scratch->json); /* of no value at all: an empty one, not NULL */
    const char *at = json.ptr, *end = at + json.len;
    for (size_t i = 0; i < golden->value_count; i++) {
        const char *next = skip_string(at, end);
        scratch->values[count + i] =
            (struct provenance_value){golden->values[i].field, slice_of(at, (size_t)(next - at))};
        at = next;
    }
    return true;
}

static size_t run_of(const struct provenance_value *values, size_t count, uint16_t field)
{
    size_t length = 0;
    while (length < count && values[length].field == field)
        length++;
    return length;
}

bool provenance_diff(const struct schema *schema, struct slice old_json,
                     const struct golden_record *golden, struct provenance_scratch *scratch,
                     struct buf *changes)
{
    size_t old_left = read_values(schema, old_json, scratch), new_left = golden->value_count;
    bool any = false;
    if (!add_golden(golden, scratch, old_left)) {
        changes->failed = true;
        return true;
    }
    const struct provenance_value *old = scratch->values, *new = old ? old + old_left : NULL;
    buf_put_byte(changes, '{');
    while (old_left > 0 || new_left > 0) {
        uint16_t field = old_left > 0 ? old->field : new->field;
        if (new_left > 0 && new->field < field)
            field = new->field;
        size_t old_count = run_of(old, old_left, field), new_count = run_of(new, new_left, field);
        bool multiple = schema->fields[field].multiple;
        if (!same_lists(old, old_count, new, new_count, multiple)) {
            if (any)
                buf_put_byte(changes, ',');
            buf_put_json(changes, slice_str(schema->fields[field].name));
            buf_put_str(changes, ":[");
            put_list(old, old_count, multiple, changes);
            buf_put_byte(changes, ',');
            put_list(new, new_count, multiple, changes);
            buf_put_byte(changes, ']');
            any = true;
        }
        old += old_count;
        old_left -= old_count;
        new += new_count;
        new_left -= new_count;
    }
    buf_put_byte(changes, '}');
    return any;
}
