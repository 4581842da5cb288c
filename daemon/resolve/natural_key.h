/*
 * natural_key.h - 96 bits that stand for (source, external_id, part): what a record is found by, what
 * orders ties and what decisions are keyed by.
 *
 * Two of fifty million records have the same by accident once in 6 * 10^13 databases.
 */
#ifndef TRIBUTARY_RESOLVE_NATURAL_KEY_H
#define TRIBUTARY_RESOLVE_NATURAL_KEY_H

#include "daemon/base/slice.h"

struct natural_key {
    uint64_t high;
    uint32_t low;
}; /* 0, 0 stands for none */

struct natural_key natural_key_of(struct slice source, struct slice external_id, struct slice part);
static inline bool natural_key_eq(struct natural_key a, struct natural_key b)
{
    return a.high == b.high && a.low == b.low;
}
static inline int natural_key_cmp(struct natural_key a, struct natural_key b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low == b.low ? 0 : a.low < b.low ? -1 : 1;
}
/* For hash tables; also where keys are not hashes themselves, as in tests. */
static inline uint64_t natural_key_mix(struct natural_key key)
{
    uint64_t mixed = (key.high ^ key.low * 0xD6E8FEB86659FD93u) * 0x9E3779B97F4A7C15u;
    return mixed ^ mixed >> 29;
}

#endif
