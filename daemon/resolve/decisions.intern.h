/*
 * decisions.intern.h - what stewards decided, by natural key.
 *
 * A *verdict* is a pair of natural keys with the decisions made on it, newest first: the newest one
 * stands. The records of a pair need not be there. A verdict also remembers what the last settle
 * reported of it; once it has neither decisions nor a report, it is released.
 */
#ifndef TRIBUTARY_RESOLVE_DECISIONS_INTERN_H
#define TRIBUTARY_RESOLVE_DECISIONS_INTERN_H

#include "daemon/resolve/entries.intern.h"
#include "daemon/resolve/u64_map.intern.h"

#define NO_VERDICT  UINT32_MAX
#define NO_DECISION UINT32_MAX

struct decision {
    uint64_t order;
    uint32_t verdict;
    uint32_t next; /* the next older one on the pair, or the next free one */
    enum decision_kind kind;
};
VECTOR(decision_list, struct decision)

/* What a settle found out about a pair that was decided. */
struct verdict_state {
    uint64_t linked; /* the decision that is an edge of the spanning forest; 0 for none */
    uint64_t bridge_a, bridge_b;
    double weight;
    enum review_reason review; /* an `always` that was refused; 0 for none */
};

struct verdict {
    struct natural_key low, high;       /* low < high */
    uint32_t next_of_low, next_of_high; /* chains of all verdicts on a natural key */
    uint32_t first;                     /* newest decision, NO_DECISION when there is none */
    bool used;
    uint64_t id_low, id_high; /* record ids, as reported */
    struct verdict_state reported, found;
    uint64_t found_in; /* number of the settle that found `found` */
};
VECTOR(verdict_list, struct verdict)

struct decisions {
    struct decision_list decisions;
    struct verdict_list verdicts;
    uint32_t free_decision, free_verdict; /* chained by next, next_of_low */
    struct u64_map by_order;
    struct u64_map
        by_key; /* hash of a natural key -> its first verdict; equal hashes share a chain */
    size_t verdict_count;
};

void decisions_init(struct decisions *decisions);
void decisions_free(struct decisions *decisions);
/* Adds one whose order is not in use; a and b differ. Its verdict, or NO_VERDICT when out of
 * memory. */
uint32_t decisions_add(struct decisions *decisions, uint64_t order, enum decision_kind kind,
                       struct natural_key a, struct natural_key b);
/* Takes one out. Its verdict stays until decisions_tidy; NO_VERDICT when there was none. */
uint32_t decisions_remove(struct decisions *decisions, uint64_t order);
/* Releases a verdict that has no decision and nothing reported. */
void decisions_tidy(struct decisions *decisions, uint32_t verdict);
/* The verdicts on a natural key one after another; NO_VERDICT at the end. */
uint32_t verdict_first(const struct decisions *decisions, struct natural_key key);
uint32_t verdict_next(const struct decisions *decisions, struct natural_key key, uint32_t verdict);
uint32_t verdict_of_pair(const struct decisions *decisions, struct natural_key a,
                         struct natural_key b);
static inline struct verdict *verdict_at(const struct decisions *decisions, uint32_t verdict)
{
    return &decisions->verdicts.items[verdict];
}
/* The decision that stands, or NULL. */
static inline const struct decision *verdict_stands(const struct decisions *decisions,
                                                    uint32_t verdict)
{
    uint32_t first = decisions->verdicts.items[verdict].first;
    return first == NO_DECISION ? NULL : &decisions->decisions.items[first];
}
size_t decisions_bytes(const struct decisions *decisions);

#endif
