/*
 * survive.c - picks the best values. See survive.h.
 *
 * Everything compares *candidates*: one value of one record (or, in a group, all its values in one
 * record) with what the preferences ask about. Candidates are in a total order that ends with the
 * content hash, the bytes and the record's id, so no order of the input can show.
 */
#include "rules/survive_intern.h"

#include "daemon/base/utf8.h"

#include <stdlib.h>

#define SET_MAX 256 /* members of one set; the best are kept */

enum quality { QUALITY_NOT_EVIDENCE, QUALITY_DERIVED, QUALITY_STATED };

struct candidate {
    enum quality quality;
    const struct survivor_record *from;
    const struct clean_value *values; /* one; in a group: the record's run of values */
    size_t value_count;
    uint64_t frequency; /* records that say the same */
    size_t size; /* characters; in a group: 1 when it has at least half of the fullest's fields */
    size_t field_count; /* in a group */
};

struct work {
    const struct survivorship *survivorship;
    const struct survivor_record *records;
    size_t record_count;
    struct arena *arena;
    const struct clean_value **cursors; /* per record: its first value not yet looked at */
    struct candidate *candidates;
    size_t candidate_count;
    struct survivor_value *values;
    size_t value_count, value_capacity;
    struct survivor_runner *runners;
    size_t runner_count, runner_capacity;
};

static const struct clean_value *values_end(const struct clean_record *clean)
{
    return clean->values + clean->value_count;
}

static enum quality quality_of(const struct clean_value *value)
{
    if (value->flags & VALUE_NOT_EVIDENCE)
        return QUALITY_NOT_EVIDENCE;
    return value->flags & VALUE_DERIVED ? QUALITY_DERIVED : QUALITY_STATED;
}

static int compare_bytes(const struct candidate *a, const struct candidate *b)
{
    for (size_t i = 0; i < a->value_count && i < b->value_count; i++) {
        if (a->values[i].field != b->values[i].field)
            return a->values[i].field < b->values[i].field ? -1 : 1;
        int order = slice_cmp(a->values[i].value, b->values[i].value);
        if (order)
            return order;
    }
    return a->value_count < b->value_count ? -1 : a->value_count > b->value_count;
}

#define BIGGER_FIRST(x, y) ((x) > (y) ? -1 : (x) < (y))

static int compare_by(enum preference preference, const struct candidate *a,
                      const struct candidate *b)
{
    switch (preference) {
    case PREFER_VERIFIED:
        return BIGGER_FIRST(a->from->verified, b->from->verified);
    case PREFER_SOURCE:
        return BIGGER_FIRST(b->from->source_rank, a->from->source_rank);
    case PREFER_RECENT:
        return BIGGER_FIRST(a->from->effective_us, b->from->effective_us);
    case PREFER_FIRST:
        return BIGGER_FIRST(b->from->effective_us, a->from->effective_us);
    case PREFER_FREQUENT:
        return BIGGER_FIRST(a->frequency, b->frequency);
    case PREFER_COMPLETE:
        return BIGGER_FIRST(a->size, b->size);
    }
    return 0;
}

/* <0 when a is better. Total: 0 only for a candidate and itself. */
static int compare(const struct preference_list *list, const struct candidate *a,
                   const struct candidate *b)
{
    int order = BIGGER_FIRST(a->quality, b->quality);
    if (order == 0)
        order = compare_by(PREFER_VERIFIED, a, b); /* whatever the list says: a promise */
    for (size_t i = 0; i < list->count && order == 0; i++)
        order = compare_by(list->order[i], a, b);
    if (order == 0)
        order = BIGGER_FIRST(b->from->content_hash, a->from->content_hash);
    if (order == 0)
        order = compare_bytes(a, b);
    return order ? order : BIGGER_FIRST(b->from->record_id, a->from->record_id);
}

static int compare_for_sort(const void *a, const void *b, void *list)
{
    return compare(list, a, b);
}

static int compare_by_bytes(const void *a, const void *b, void *unused)
{
    (void)unused;
    const struct candidate *x = a, *y = b;
    int order = slice_cmp(x->values->value, y->values->value);
    return order                                     ? order
           : x->from->record_id < y->from->record_id ? -1
                                                     : x->from->record_id > y->from->record_id;
}

static void sort(struct candidate *candidates, size_t count,
                 int (*order)(const void *, const void *, void *), const void *context)
{
    if (count > 1)
        qsort_r(candidates, count, sizeof(*candidates), order, (void *)(uintptr_t)context);
}

static size_t record_index(const struct work *work, const struct candidate *candidate)
{
    return (size_t)(candidate->from - work->records);
}

static void put_value(struct work *work, const struct clean_value *value, size_t record,
                      size_t agree_count, size_t rival_count)
{
    if (value->value.len == 0) /* a record of higher rank blanks the field */
        return;
    if (work->value_count == work->value_capacity) {
        arena_fail(work->arena);
        return;
    }
    work->values[work->value_count++] = (struct survivor_value){.field = value->field,
                                                                .flags = value->flags,
                                                                .value = value->value,
                                                                .record = record,
                                                                .agree_count = agree_count,
                                                                .rival_count = rival_count};
}

static void put_runner(struct work *work, const struct clean_value *value, size_t record)
{
    if (work->runner_count < work->runner_capacity && value->value.len)
        work->runners[work->runner_count++] =
            (struct survivor_runner){value->field, value->value, record};
}

/* Every value of one field, one candidate each. */
static void gather(struct work *work, uint16_t field)
{
    work->candidate_count = 0;
    for (size_t i = 0; i < work->record_count; i++) {
        const struct clean_value *end = values_end(work->records[i].clean);
        const struct clean_value *value = work->cursors[i];
        for (; value < end && value->field == field; value++)
            work->candidates[work->candidate_count++] =
                (struct candidate){.quality = quality_of(value),
                                   .from = &work->records[i],
                                   .values = value,
                                   .value_count = 1,
                                   .frequency = 1,
                                   .size = utf8_length(value->value)};
        work->cursors[i] = value;
    }
}

/* One candidate a distinct value: the best of those that say it, with how many records do. */
static void unite_equal(struct work *work, const struct preference_list *list)
{
    struct candidate *all = work->candidates;
    size_t distinct = 0;
    sort(all, work->candidate_count, compare_by_bytes, NULL);
    for (size_t from = 0, to; from < work->candidate_count; from = to) {
        size_t records = 1, best = from;
        for (to = from + 1;
             to < work->candidate_count && slice_eq(all[to].values->value, all[from].values->value);
             to++)
            records += all[to].from != all[to - 1].from;
        for (size_t i = from; i < to; i++)
            all[i].frequency = records;
        for (size_t i = from + 1; i < to; i++)
            if (compare(list, &all[i], &all[best]) < 0)
                best = i;
        all[distinct++] = all[best];
    }
    work->candidate_count = distinct;
    sort(all, distinct, compare_for_sort, list);
}

/* A set keeps every member that is evidence, else the best there is. */
static size_t members_of(const struct work *work, bool multiple)
{
    if (!multiple || work->candidate_count == 0)
        return work->candidate_count > 0;
    size_t members = 0;
    while (members < work->candidate_count && members < SET_MAX &&
           work->candidates[members].quality != QUALITY_NOT_EVIDENCE)
        members++;
    return members ? members : work->candidate_count < SET_MAX ? work->candidate_count : SET_MAX;
}

static void survive_field(struct work *work, const struct field *field)
{
    gather(work, field->id);
    if (work->candidate_count == 0)
        return;
    unite_equal(work, &work->survivorship->lists[field->id]);
    size_t members = members_of(work, field->multiple);
    for (size_t i = 0; i < members; i++) {
        const struct candidate *winner = &work->candidates[i];
        put_value(work, winner->values, record_index(work, winner), winner->frequency,
                  work->candidate_count - 1);
    }
    for (size_t i = members; i < work->candidate_count && i < members + SURVIVOR_RUNNERS_MAX; i++)
        put_runner(work, work->candidates[i].values, record_index(work, &work->candidates[i]));
}

/* -- groups -- */

static const struct clean_value *value_in(const struct candidate *candidate, uint16_t field)
{
    for (size_t i = 0; i < candidate->value_count; i++)
        if (candidate->values[i].field == field)
            return &candidate->values[i];
    return NULL;
}

/* Fields of one group stand apart in a record when others have their ids between; a candidate is a
 * copy of the run. */
static bool gather_group(struct work *work, uint16_t group)
{
    const uint16_t *group_of = work->survivorship->group_of;
    size_t fullest = 0;
    work->candidate_count = 0;
    for (size_t i = 0; i < work->record_count; i++) {
        const struct clean_record *clean = work->records[i].clean;
        size_t count = 0;
        for (size_t k = 0; k < clean->value_count; k++)
            count += group_of[clean->values[k].field] == group;
        if (count == 0)
            continue;
        struct clean_value *copy = ARENA_ARRAY(work->arena, struct clean_value, count);
        if (copy == NULL)
            return false;
        struct candidate candidate = {.from = &work->records[i], .values = copy, .frequency = 1};
        for (size_t k = 0; k < clean->value_count; k++) {
            const struct clean_value *value = &clean->values[k];
            /* The first of several values of a single-valued field speaks. */
            if (group_of[value->field] != group || value_in(&candidate, value->field))
                continue;
            copy[candidate.value_count++] = *value;
            if (quality_of(value) > candidate.quality)
                candidate.quality = quality_of(value);
            candidate.field_count += value->value.len > 0;
        }
        if (candidate.quality != QUALITY_NOT_EVIDENCE && candidate.field_count > fullest)
            fullest = candidate.field_count;
        work->candidates[work->candidate_count++] = candidate;
    }
    for (size_t i = 0; i < work->candidate_count; i++)
        work->candidates[i].size = 2 * work->candidates[i].field_count >= fullest;
    return true;
}

static int compare_group_bytes(const void *a, const void *b, void *unused)
{
    (void)unused;
    return compare_bytes(a, b);
}

/* `richer` says all that `poorer` says, and more. */
static bool contains(const struct candidate *richer, const struct candidate *poorer)
{
    if (richer->field_count <= poorer->field_count || richer->quality < poorer->quality)
        return false;
    for (size_t i = 0; i < poorer->value_count; i++) {
        const struct clean_value *same = value_in(richer, poorer->values[i].field);
        if (same == NULL || !slice_eq(same->value, poorer->values[i].value))
            return false;
    }
    return true;
}

static void count_group_frequency(struct work *work)
{
    struct candidate *all = work->candidates;
    sort(all, work->candidate_count, compare_group_bytes, NULL);
    for (size_t from = 0, to; from < work->candidate_count; from = to) {
        for (to = from + 1; to < work->candidate_count && compare_bytes(&all[to], &all[from]) == 0;
             to++)
            ;
        for (size_t i = from; i < to; i++)
            all[i].frequency = to - from;
    }
}

/* Values of one field of the group that the winner does not have, best first. */
static void put_group_runners(struct work *work, const struct candidate *winner, uint16_t field,
                              size_t *agree, size_t *rivals)
{
    const struct clean_value *won = winner ? value_in(winner, field) : NULL;
    *agree = *rivals = 0;
    struct slice seen[64];
    for (size_t i = 0; i < work->candidate_count; i++) {
        const struct clean_value *value = value_in(&work->candidates[i], field);
        if (value == NULL)
            continue;
        if (won && slice_eq(value->value, won->value)) {
            (*agree)++;
            continue;
        }
        bool known = false;
        for (size_t k = 0; k < *rivals && !known; k++)
            known = slice_eq(seen[k], value->value);
        if (known || *rivals == sizeof(seen) / sizeof(seen[0]))
            continue;
        if (*rivals < SURVIVOR_RUNNERS_MAX)
            put_runner(work, value, record_index(work, &work->candidates[i]));
        seen[(*rivals)++] = value->value;
    }
}

/* The whole group from one record: the best one, or one that says the same and more. */
static bool survive_group(struct work *work, uint16_t group)
{
    const struct schema *schema = work->survivorship->schema;
    if (!gather_group(work, group))
        return false;
    if (work->candidate_count == 0)
        return true;
    if (work->candidate_count > 1) {
        count_group_frequency(work);
        sort(work->candidates, work->candidate_count, compare_for_sort,
             &work->survivorship->lists[group]);
    }
    const struct candidate *winner = &work->candidates[0];
    for (size_t i = 1; i < work->candidate_count; i++)
        if (contains(&work->candidates[i], winner))
            winner = &work->candidates[i];
    for (uint16_t field = group; field < schema->count; field++) {
        if (work->survivorship->group_of[field] != group)
            continue;
        size_t agree, rivals;
        put_group_runners(work, winner, field, &agree, &rivals);
        const struct clean_value *value = value_in(winner, field);
        if (value)
            put_value(work, value, record_index(work, winner), agree, rivals);
    }
    return true;
}

/* -- the whole -- */

static int compare_survivors(const void *a, const void *b)
{
    const struct survivor_value *x = a, *y = b;
    return (int)x->field - (int)y->field;
}

/* Groups put their fields out of turn; within a field the order made stays. */
static void sort_by_field(struct work *work)
{
    bool sorted = true;
    for (size_t i = 1; i < work->value_count && sorted; i++)
        sorted = compare_survivors(&work->values[i - 1], &work->values[i]) <= 0;
    for (size_t i = 1; i < work->value_count && !sorted; i++) {
        struct survivor_value value = work->values[i];
        size_t at = i;
        for (; at > 0 && work->values[at - 1].field > value.field; at--)
            work->values[at] = work->values[at - 1];
        work->values[at] = value;
    }
    for (size_t i = 1; i < work->runner_count; i++) {
        struct survivor_runner runner = work->runners[i];
        size_t at = i;
        for (; at > 0 && work->runners[at - 1].field > runner.field; at--)
            work->runners[at] = work->runners[at - 1];
        work->runners[at] = runner;
    }
}

static enum record_kind kind_of(const struct work *work)
{
    static const struct preference_list list = {3, {PREFER_VERIFIED, PREFER_SOURCE, PREFER_RECENT}};
    const struct survivor_record *best = work->records;
    for (size_t i = 1; i < work->record_count; i++) {
        struct candidate a = {.from = &work->records[i]}, b = {.from = best};
        if (compare(&list, &a, &b) < 0)
            best = &work->records[i];
    }
    return best->clean->kind;
}

static bool prepare(struct work *work)
{
    size_t total = 0;
    for (size_t i = 0; i < work->record_count; i++)
        total += work->records[i].clean->value_count;
    size_t candidates = total > work->record_count ? total : work->record_count;
    work->candidates = ARENA_ARRAY(work->arena, struct candidate, candidates);
    work->cursors = ARENA_ARRAY(work->arena, const struct clean_value *, work->record_count);
    work->value_capacity = total;
    work->values = ARENA_ARRAY(work->arena, struct survivor_value, total);
    size_t most = work->survivorship->schema->count * SURVIVOR_RUNNERS_MAX;
    work->runner_capacity = work->record_count == 1 ? total : total < most ? total : most;
    work->runners = ARENA_ARRAY(work->arena, struct survivor_runner, work->runner_capacity);
    return !arena_failed(work->arena);
}

static void run(struct work *work)
{
    const struct survivorship *survivorship = work->survivorship;
    for (size_t i = 0; i < work->record_count; i++)
        work->cursors[i] = work->records[i].clean->values;
    for (;;) {
        uint16_t field = FIELD_NONE; /* the next one that any record has */
        for (size_t i = 0; i < work->record_count; i++)
            if (work->cursors[i] < values_end(work->records[i].clean) &&
                work->cursors[i]->field < field)
                field = work->cursors[i]->field;
        if (field == FIELD_NONE)
            break;
        if (survivorship->group_of[field] == FIELD_NONE) {
            survive_field(work, &survivorship->schema->fields[field]);
            continue;
        }
        for (size_t i = 0; i < work->record_count; i++) /* groups have their own pass */
            while (work->cursors[i] < values_end(work->records[i].clean) &&
                   work->cursors[i]->field == field)
                work->cursors[i]++;
    }
    for (uint16_t i = 0; i < survivorship->schema->count; i++)
        if (survivorship->group_of[i] == i && !survive_group(work, i))
            return;
}

enum status survive(const struct survivorship *survivorship, const struct survivor_record *records,
                    size_t count, struct arena *arena, struct golden_record *golden,
                    struct err *err)
{
    struct work work = {
        .survivorship = survivorship, .records = records, .record_count = count, .arena = arena};
    *golden = (struct golden_record){.kind = KIND_PERSON};
    if (count == 0)
        return STATUS_OK;
    if (prepare(&work))
        run(&work);
    if (arena_failed(arena))
        return err_set(
            err, RETRY_LATER, "survive.arena_full",
            "the golden record of %zu records does not fit in memory; hint: smaller flushes",
            count);
    sort_by_field(&work);
    golden->kind = kind_of(&work);
    golden->value_count = work.value_count;
    golden->values = work.values;
    golden->runner_count = work.runner_count;
    golden->runners = work.runners;
    return STATUS_OK;
}
