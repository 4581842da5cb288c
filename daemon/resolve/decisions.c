/* decisions.c - see decisions.intern.h. */
#include "daemon/resolve/decisions.intern.h"

static uint64_t chain_key(struct natural_key key)
{
    return key.high * 0x9E3779B97F4A7C15u ^ key.low;
}

void decisions_init(struct decisions *decisions)
{
    *decisions = (struct decisions){.free_decision = NO_DECISION, .free_verdict = NO_VERDICT};
}

void decisions_free(struct decisions *decisions)
{
    decision_list_free(&decisions->decisions);
    verdict_list_free(&decisions->verdicts);
    u64_map_free(&decisions->by_order);
    u64_map_free(&decisions->by_key);
}

/* Two natural keys may share a chain (equal chain_key): the link of a verdict in a chain is chosen
 * by chain_key, and readers compare whole keys. A verdict whose both keys share a chain hangs in it
 * once, by its low key. */
static uint32_t *link_in_chain(struct verdict *verdict, uint64_t chain)
{
    return chain_key(verdict->low) == chain ? &verdict->next_of_low : &verdict->next_of_high;
}

static uint32_t seek(const struct decisions *decisions, struct natural_key key, uint32_t verdict)
{
    while (verdict != NO_VERDICT) {
        struct verdict *v = verdict_at(decisions, verdict);
        if (natural_key_eq(v->low, key) || natural_key_eq(v->high, key))
            return verdict;
        verdict = *link_in_chain(v, chain_key(key));
    }
    return NO_VERDICT;
}

uint32_t verdict_first(const struct decisions *decisions, struct natural_key key)
{
    return seek(decisions, key, u64_map_get(&decisions->by_key, chain_key(key)));
}

uint32_t verdict_next(const struct decisions *decisions, struct natural_key key, uint32_t verdict)
{
    return seek(decisions, key, *link_in_chain(verdict_at(decisions, verdict), chain_key(key)));
}

uint32_t verdict_of_pair(const struct decisions *decisions, struct natural_key a,
                         struct natural_key b)
{
    uint32_t verdict = verdict_first(decisions, a);
    while (verdict != NO_VERDICT) {
        const struct verdict *v = verdict_at(decisions, verdict);
        if (natural_key_eq(natural_key_eq(v->low, a) ? v->high : v->low, b))
            return verdict;
        verdict = verdict_next(decisions, a, verdict);
    }
    return NO_VERDICT;
}

static bool hang(struct decisions *decisions, uint32_t verdict, uint64_t chain)
{
    uint32_t first = u64_map_get(&decisions->by_key, chain);
    *link_in_chain(verdict_at(decisions, verdict), chain) = first;
    return u64_map_set(&decisions->by_key, chain, verdict);
}

static void unhang(struct decisions *decisions, uint32_t verdict, uint64_t chain)
{
    uint32_t next = *link_in_chain(verdict_at(decisions, verdict), chain);
    uint32_t at = u64_map_get(&decisions->by_key, chain);
    if (at == verdict && next == NO_VERDICT) {
        u64_map_remove(&decisions->by_key, chain);
        return;
    }
    if (at == verdict) {
        (void)u64_map_set(&decisions->by_key, chain, next); /* it is there: needs no memory */
        return;
    }
    while (at != NO_VERDICT) {
        uint32_t *link = link_in_chain(verdict_at(decisions, at), chain);
        if (*link == verdict) {
            *link = next;
            return;
        }
        at = *link;
    }
}

static uint32_t new_verdict(struct decisions *decisions, struct natural_key low,
                            struct natural_key high)
{
    uint32_t verdict = decisions->free_verdict;
    if (verdict != NO_VERDICT)
        decisions->free_verdict = verdict_at(decisions, verdict)->next_of_low;
    else if (decisions->verdicts.count < NO_VERDICT - 1 &&
             verdict_list_push(&decisions->verdicts, (struct verdict){0}))
        verdict = (uint32_t)decisions->verdicts.count - 1;
    else
        return NO_VERDICT;
    *verdict_at(decisions, verdict) = (struct verdict){
        .low = low,
        .high = high,
        .next_of_low = NO_VERDICT,
        .next_of_high = NO_VERDICT,
        .first = NO_DECISION,
        .used = true,
    };
    uint64_t chain_low = chain_key(low), chain_high = chain_key(high);
    if (hang(decisions, verdict, chain_low)) {
        if (chain_high == chain_low || hang(decisions, verdict, chain_high)) {
            decisions->verdict_count++;
            return verdict;
        }
        unhang(decisions, verdict, chain_low);
    }
    verdict_at(decisions, verdict)->used = false;
    verdict_at(decisions, verdict)->next_of_low = decisions->free_verdict;
    decisions->free_verdict = verdict;
    return NO_VERDICT;
}

void decisions_tidy(struct decisions *decisions, uint32_t verdict)
{
    struct verdict *v = verdict_at(decisions, verdict);
    if (!v->used || v->first != NO_DECISION || v->reported.linked || v->reported.review)
        return;
    uint64_t chain_low = chain_key(v->low), chain_high = chain_key(v->high);
    unhang(decisions, verdict, chain_low);
    if (chain_high != chain_low)
        unhang(decisions, verdict, chain_high);
    v->used = false;
    v->next_of_low = decisions->free_verdict;
    decisions->free_verdict = verdict;
    decisions->verdict_count--;
}

static uint32_t new_decision(struct decisions *decisions)
{
    uint32_t index = decisions->free_decision;
    if (index != NO_DECISION) {
        decisions->free_decision = decisions->decisions.items[index].next;
        return index;
    }
    if (decisions->decisions.count >= NO_DECISION - 1 ||
        !decision_list_push(&decisions->decisions, (struct decision){0}))
        return NO_DECISION;
    return (uint32_t)decisions->decisions.count - 1;
}

uint32_t decisions_add(struct decisions *decisions, uint64_t order, enum decision_kind kind,
                       struct natural_key a, struct natural_key b)
{
    bool a_is_low = natural_key_cmp(a, b) < 0;
    uint32_t verdict = verdict_of_pair(decisions, a, b);
    if (verdict == NO_VERDICT)
        verdict = new_verdict(decisions, a_is_low ? a : b, a_is_low ? b : a);
    if (verdict == NO_VERDICT)
        return NO_VERDICT;
    uint32_t index = new_decision(decisions);
    if (index == NO_DECISION || !u64_map_set(&decisions->by_order, order, index)) {
        if (index != NO_DECISION) {
            decisions->decisions.items[index].next = decisions->free_decision;
            decisions->free_decision = index;
        }
        decisions_tidy(decisions, verdict);
        return NO_VERDICT;
    }
    uint32_t *link = &verdict_at(decisions, verdict)->first;
    while (*link != NO_DECISION && decisions->decisions.items[*link].order > order)
        link = &decisions->decisions.items[*link].next;
    decisions->decisions.items[index] =
        (struct decision){.order = order, .verdict = verdict, .next = *link, .kind = kind};
    *link = index;
    return verdict;
}

uint32_t decisions_remove(struct decisions *decisions, uint64_t order)
{
    uint32_t index = u64_map_get(&decisions->by_order, order);
    if (index == NO_VALUE)
        return NO_VERDICT;
    u64_map_remove(&decisions->by_order, order);
    struct decision *gone = &decisions->decisions.items[index];
    uint32_t *link = &verdict_at(decisions, gone->verdict)->first;
    while (*link != index)
        link = &decisions->decisions.items[*link].next;
    *link = gone->next;
    gone->next = decisions->free_decision;
    decisions->free_decision = index;
    return gone->verdict;
}

size_t decisions_bytes(const struct decisions *decisions)
{
    return decisions->decisions.capacity * sizeof(struct decision) +
           decisions->verdicts.capacity * sizeof(struct verdict) +
           u64_map_bytes(&decisions->by_order) + u64_map_bytes(&decisions->by_key);
}
