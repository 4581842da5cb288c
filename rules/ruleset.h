/*
 * ruleset.h - one compiled generation of rules: fields, aliases, cleaning, checks, look-ups.
 *
 * Built once from YAML texts (packs) and the users' fields; immutable and shared by all threads after
 * that. ruleset_clean() is a pure function of (ruleset, source rules, raw record).
 */
#ifndef TRIBUTARY_RULES_RULESET_H
#define TRIBUTARY_RULES_RULESET_H

#include "daemon/base/yaml.h"
#include "rules/record.h"

struct ruleset;

struct pack_text { /* one pack: a shipped one or a user's file, read by the caller */
    const char *name; /* shipped: "people" or "rules/packs/people.yaml"; else the path. Must outlive problems */
    struct slice text;
};

/* What the rules must know of a source. Borrowed for the call. */
struct source_rules {
    const char *name;
    const char *country;       /* "CN": for numbers and dates without a country; "" unknown */
    const char *time_zone;     /* IANA; "" is UTC */
    enum record_kind kind;     /* when the record itself does not say */
    size_t map_count;          /* explicit mapping, field <- columns (first that has a value wins) */
    const struct source_map *map;
    bool day_first;            /* 03/04/2026 is the third of April */
};

struct source_map {
    struct slice field;
    size_t column_count;
    const struct slice *columns;
};

/* Compiles the packs in order (a later pack may override an earlier rule by its id; docs/rules.md). Fields of
 * shipped packs are canonical, all others custom. user_fields is needed for the call only. NULL when a
 * problem was added. Free with ruleset_free. */
struct ruleset *ruleset_new(const struct pack_text *packs, size_t pack_count,
                            const struct yaml_node *user_fields, struct problems *problems);
void ruleset_free(struct ruleset **ruleset);

const struct schema *ruleset_schema(const struct ruleset *ruleset);
/* A hash of everything that decides what ruleset_clean returns. */
uint64_t ruleset_fingerprint(const struct ruleset *ruleset);

/* A field by alias ("手机", "Phone Number", "phone"), or NULL. */
const struct field *ruleset_alias(const struct ruleset *ruleset, struct slice name);

/* Per thread: scratch memory, compiled-pattern match data, the cache of column mappings. */
struct cleaner;
struct cleaner *cleaner_new(const struct ruleset *ruleset); /* NULL when out of memory */
void cleaner_free(struct cleaner **cleaner);

/* Cleans one record into `arena`. Always fills *clean (a rule's limit, too, is an issue in it); returns
 * STATUS_FAILED only when the arena is full. */
enum status ruleset_clean(struct cleaner *cleaner, const struct source_rules *source,
                          const struct raw_record *raw, struct arena *arena,
                          struct clean_record *clean, struct err *err);

/* Runs the tests written beside the rules in the packs; one line per failure is put to `out`. Tests of
 * shipped packs are run only when there is no pack of the user's own, which may well change them. */
struct buf;
struct ruleset_test_counts {
    size_t passed, failed;
};
struct ruleset_test_counts ruleset_run_tests(const struct ruleset *ruleset, struct buf *out);

#endif
