/*
 * named.h - the customers an event names besides the one it is about: the one that was merged, those a split led to.
 *
 * An event keeps its place in the order of each of them, so that none is told of after it was said to be gone, or before it
 * was said to stand. Lists are owned by whoever holds them. Pure.
 */
#ifndef TRIBUTARY_EVENTS_NAMED_H
#define TRIBUTARY_EVENTS_NAMED_H

#include "daemon/base/slice.h"

struct named {
    uint64_t subject;  /* the customer it is about; 0 none */
    uint64_t *others;  /* ascending, distinct; neither 0 nor the subject */
    size_t other_count;
};

#define NAMED_MAX 65536 /* others of one event (limits.customer_records is 1,000 unless told); the rest have no place in its order */

/* From "2210,2305" as the queries of events give it; what is no number is passed over. False: out of memory. */
bool named_parse(struct named *named, uint64_t subject, struct slice others);
bool named_copy(struct named *named, const struct named *from);
void named_free(struct named *named);
/* Whether both name one customer. */
bool named_meet(const struct named *a, const struct named *b);
static inline size_t named_count(const struct named *named)
{
    return (named->subject != 0) + named->other_count;
}
/* The i-th of them, the subject first. */
static inline uint64_t named_at(const struct named *named, size_t i)
{
    if (named->subject != 0)
        return i == 0 ? named->subject : named->others[i - 1];
    return named->others[i];
}

#endif
