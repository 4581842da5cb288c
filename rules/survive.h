/*
 * survive.h - survivorship: the best value per field among the records of one customer.
 *
 * Pure. Per field a preference list picks (`verified`, `source`, `recent`, `frequent`, `complete`); last ties go
 * by content hash, then bytes, so that the result does not depend on the order of the records. A
 * group (address) survives from one record together; multiple-valued fields unite.
 */
#ifndef TRIBUTARY_RULES_SURVIVE_H
#define TRIBUTARY_RULES_SURVIVE_H

#include "daemon/base/yaml.h"
#include "rules/record.h"

struct survivorship;

/* `golden` is the configuration's golden: section (may be NULL: shipped defaults): field -> preferences,
 * source_rank -> list of source names, best first. */
struct survivorship *survivorship_new(const struct schema *schema, const struct yaml_node *golden,
                                      struct problems *problems);
void survivorship_free(struct survivorship **survivorship);
uint64_t survivorship_fingerprint(const struct survivorship *survivorship);
/* Rank of a source by name: smaller is better; sources not listed come after all listed ones. */
unsigned survivorship_source_rank(const struct survivorship *survivorship, const char *source);

struct survivor_record {
    uint64_t record_id;
    unsigned source_rank;
    bool verified;          /* the source's identifiers are verified */
    int64_t effective_us;
    uint64_t content_hash;
    const struct clean_record *clean;
};

struct survivor_value {
    uint16_t field;
    uint16_t flags;         /* enum value_flag */
    struct slice value;     /* sets: one survivor_value per member */
    size_t record;          /* index into the records given */
    size_t agree_count;     /* records that hold the same value */
    size_t rival_count;     /* distinct other values */
};

#define SURVIVOR_RUNNERS_MAX 3
struct survivor_runner {    /* a value that did not win, best first */
    uint16_t field;
    struct slice value;
    size_t record;
};

struct golden_record {
    enum record_kind kind;
    size_t value_count;
    const struct survivor_value *values; /* by field id */
    size_t runner_count;
    const struct survivor_runner *runners; /* at most SURVIVOR_RUNNERS_MAX per field */
};

/* Values flagged VALUE_NOBODY or VALUE_INVALID win only when there is nothing better and never beat a real one; masked,
 * virtual and encrypted ones likewise. An unverified value never beats a verified one. */
MUST_CHECK enum status survive(const struct survivorship *survivorship,
                               const struct survivor_record *records, size_t count,
                               struct arena *arena, struct golden_record *golden, struct err *err);

#endif
