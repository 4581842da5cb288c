/*
 * employment.h - which employer record each person's record names, and since when.
 *
 * An employer is one record however many people's records name it, so it lives as long as any does, and its time is that
 * of the oldest of them. In memory some 60 bytes for each record that names one; rebuilt at start from
 * tributary.works_for. One thread (the resolver).
 */
#ifndef TRIBUTARY_RESOLVE_EMPLOYMENT_H
#define TRIBUTARY_RESOLVE_EMPLOYMENT_H

#include "daemon/resolve/grow.intern.h"
#include "daemon/resolve/u64_map.intern.h"

struct employment_node {
    uint32_t person, employer;
    uint32_t next, previous; /* of the same employer; next also of the free ones */
    int64_t effective_us;    /* of the person's record */
};
VECTOR(employment_nodes, struct employment_node)

struct employment {
    struct employment_nodes nodes;
    uint32_t free;             /* the first unused node, from 1; 0 none */
    struct u64_map by_person;  /* record id -> node */
    struct u64_map by_employer; /* record id -> its first node */
};

void employment_free(struct employment *employment); /* it is as when zeroed */
/* The employer a person's record names; 0 none. */
uint64_t employment_of(const struct employment *employment, uint64_t person);
/* The time of that record; INT64_MAX when it names none. */
int64_t employment_time(const struct employment *employment, uint64_t person);
/* Names another one, or none (0), or the same with another time. False when out of memory: nothing is changed then. */
bool employment_set(struct employment *employment, uint64_t person, uint64_t employer, int64_t effective_us);
/* The time of the oldest record that names it. False when none does. Stops looking at one as old as `known_us`. */
bool employment_since(const struct employment *employment, uint64_t employer, int64_t known_us, int64_t *since_us);
size_t employment_bytes(const struct employment *employment);

#endif
