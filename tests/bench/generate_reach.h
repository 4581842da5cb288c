/*
 * The reachable bound: what a perfect judge could still join.
 *
 * Two records of one customer are joined by sufficient evidence when, with "agree" meaning that
 * both speak of the same true value and at most one of them speaks of it nearly (a slip, another
 * form),
 *
 *  1. they agree on a strong identifier: a phone number, e-mail address or wechat id that, in this
 *     data set, records of no other customer carry. When the agreement is only near (one digit, one
 *     letter) a second thing must agree: any other attribute, or the name at least in part; or
 *  2. they agree on one thing of the person (the full name, or the birth date) and on one other
 *     thing (name, birth date, phone, e-mail, address line, company; shared ones count; a birth
 * date and the other thing not both nearly), and this combination of two values belongs to one
 *     customer only in this data set. So father and son of one name at one address, twins at one
 * address, two 王伟 in one company, are not joined by these.
 *
 * Agreement in name: full when both give the whole name (another script, spelling, order, short
 * form or slip counts as whole: a judge can undo those), partial when one gives an initial, only
 * the surname, or another surname before marriage. A masked number, a junk value, a city, a gender,
 * a job title are never evidence here. The reachable groups are the connected components of these
 * pairs inside each customer. Nothing joins different customers, so precision is 1 by definition.
 *
 * It is the bound of careful judging, not of luck: a matcher that joins two records of one customer
 * on, say, a rare name and a city, goes past it, and pays elsewhere in precision. evaluate counts
 * such pairs apart.
 */
#ifndef TESTS_BENCH_GENERATE_REACH_H
#define TESTS_BENCH_GENERATE_REACH_H

#include "generate_record.h"

#define RECORDS_PER_CUSTOMER_MAX 24

/* Which customers carry a value: open addressing, 32 bits of the value, the first customer seen. */
struct holders {
    uint32_t *tag, *entity;
    uint8_t *shared;
    size_t mask, used;
};

static void holders_make(struct holders *holders, size_t expected)
{
    size_t size = 1024;

    while (size < expected + expected / 3)
        size *= 2;
    holders->tag = must_allocate(size, sizeof(*holders->tag));
    holders->entity = must_allocate(size, sizeof(*holders->entity));
    holders->shared = must_allocate(size, sizeof(*holders->shared));
    holders->mask = size - 1;
    holders->used = 0;
}

static void holders_free(struct holders *holders)
{
    free(holders->tag);
    free(holders->entity);
    free(holders->shared);
}

static size_t holders_find(const struct holders *holders, uint64_t value)
{
    uint32_t tag = (uint32_t)(value >> 32) | 1U;
    size_t i = (size_t)mix(value) & holders->mask;

    while (holders->tag[i] && holders->tag[i] != tag)
        i = (i + 1) & holders->mask;
    return i;
}

static void holders_full(struct holders *holders);

static void holders_add(struct holders *holders, uint64_t value, uint32_t entity)
{
    size_t i = holders_find(holders, value);

    if (!holders->tag[i]) {
        if (holders->used > holders->mask - holders->mask / 8) {
            holders_full(holders);
            i = holders_find(holders, value);
        }
        holders->tag[i] = (uint32_t)(value >> 32) | 1U;
        holders->entity[i] = entity;
        holders->used++;
    } else if (holders->entity[i] != entity) {
        holders->shared[i] = 1;
    }
}

/* A table that is too small would loop for ever, and its entries cannot be moved: stop instead. */
static void holders_full(struct holders *holders)
{
    fprintf(stderr, "generate: more than %zu distinct values; the estimate in main is too low\n",
            holders->used);
    exit(1);
}

static bool held_by_one(const struct holders *holders, uint64_t value)
{
    return !holders->shared[holders_find(holders, value)];
}

static const enum attribute strong_attributes[] = {ATTRIBUTE_PHONE, ATTRIBUTE_EMAIL,
                                                   ATTRIBUTE_WECHAT};
/* The combinations of rule 2: a thing of the person, and another. */
static const enum attribute combinations[][2] = {
    {ATTRIBUTE_NAME, ATTRIBUTE_BIRTH},    {ATTRIBUTE_NAME, ATTRIBUTE_PHONE},
    {ATTRIBUTE_NAME, ATTRIBUTE_EMAIL},    {ATTRIBUTE_NAME, ATTRIBUTE_ADDRESS},
    {ATTRIBUTE_NAME, ATTRIBUTE_COMPANY},  {ATTRIBUTE_BIRTH, ATTRIBUTE_PHONE},
    {ATTRIBUTE_BIRTH, ATTRIBUTE_EMAIL},   {ATTRIBUTE_BIRTH, ATTRIBUTE_ADDRESS},
    {ATTRIBUTE_BIRTH, ATTRIBUTE_COMPANY},
};

static uint64_t combination_value(const struct plan *plan, unsigned i)
{
    return hash_of(1000 + i, plan->evidence[combinations[i][0]].value,
                   plan->evidence[combinations[i][1]].value);
}

/*
 * Notes what the customer's records carry. Combinations are noted even where a part was lost or a
 * name is only partial in this record: the customer does hold it, and a judge may not be sure.
 */
static void reach_note(struct holders *holders, const struct plan *plan)
{
    uint32_t entity = plan->person->entity;

    for (unsigned i = 0; i < COUNT_OF(strong_attributes); i++) {
        if (plan->evidence[strong_attributes[i]].value)
            holders_add(holders, plan->evidence[strong_attributes[i]].value, entity);
    }
    for (unsigned i = 0; i < COUNT_OF(combinations); i++) {
        if (plan->evidence[combinations[i][0]].value && plan->evidence[combinations[i][1]].value)
            holders_add(holders, combination_value(plan, i), entity);
    }
}

static enum quality agreement(const struct plan *a, const struct plan *b, enum attribute attribute)
{
    const struct evidence *x = &a->evidence[attribute], *y = &b->evidence[attribute];
    enum quality lower = x->quality < y->quality ? x->quality : y->quality;

    if (lower == LOST)
        return LOST;
    if (attribute == ATTRIBUTE_NAME)
        return x->value != y->value ? PARTIAL : lower;
    if (x->value != y->value || (x->quality == NEAR && y->quality == NEAR))
        return LOST;
    return lower;
}

static bool sufficient(const struct holders *holders, const struct plan *a, const struct plan *b)
{
    enum quality agreed[ATTRIBUTE_COUNT];
    unsigned agreeing = 0;

    for (unsigned i = 0; i < ATTRIBUTE_COUNT; i++) {
        agreed[i] = agreement(a, b, (enum attribute)i);
        agreeing += agreed[i] != LOST;
    }
    for (unsigned i = 0; i < COUNT_OF(strong_attributes); i++) {
        enum attribute strong = strong_attributes[i];

        if (agreed[strong] != LOST && held_by_one(holders, a->evidence[strong].value) &&
            (agreed[strong] == EXACT || agreeing > 1))
            return true;
    }
    for (unsigned i = 0; i < COUNT_OF(combinations); i++) {
        enum quality one = agreed[combinations[i][0]], other = agreed[combinations[i][1]];
        bool both_near = one == NEAR && other == NEAR && combinations[i][0] != ATTRIBUTE_NAME;

        if (one >= NEAR && other >= NEAR && !both_near &&
            held_by_one(holders, combination_value(a, i)))
            return true;
    }
    return false;
}

/*
 * Groups the `count` records of one customer: group[i] is the smallest j joined with i, directly or
 * through others.
 */
static void reach_groups(const struct holders *holders, const struct plan *plans, unsigned count,
                         unsigned *group)
{
    for (unsigned i = 0; i < count; i++) {
        group[i] = i;
        for (unsigned j = 0; j < i; j++) {
            if (group[j] == group[i] || !sufficient(holders, &plans[i], &plans[j]))
                continue;
            unsigned from = group[i] > group[j] ? group[i] : group[j];
            unsigned to = group[i] > group[j] ? group[j] : group[i];

            for (unsigned k = 0; k <= i; k++) {
                if (group[k] == from)
                    group[k] = to;
            }
        }
    }
}

#endif
