/*
 * cleaner.h - one thread's tools for cleaning: scratch memory, match data, remembered mappings, and
 * the record under way. Private to rules/.
 */
#ifndef TRIBUTARY_RULES_CLEANER_H
#define TRIBUTARY_RULES_CLEANER_H

#include "rules/clean.h"
#include "rules/pack.h"

#define MAPPING_SLOTS       256  /* remembered mappings, one per hash slot */
#define MAPPING_COLUMNS_MAX 4096 /* columns looked at; the others are reported */
#define REPLACED_MAX_BYTES  65536

struct column_target {
    uint16_t column;
    uint16_t field;
    uint16_t order;
    uint8_t role; /* enum column_role */
};

struct extra_column {
    uint16_t column;
    struct slice key; /* folded heading */
};

/* How the columns of one sheet (or form, or JSON document) map onto fields for one source. */
struct mapping {
    struct arena *arena; /* holds all of it */
    uint64_t columns_id, source_hash;
    size_t column_count;
    struct slice *names;
    size_t target_count;
    struct column_target *targets; /* by field, then order, then column */
    size_t extra_count;
    struct extra_column *extras; /* by name */
};

struct work_extra {
    struct extra_value extra;
    struct slice key;
};

enum field_state { FIELD_HAS_VALUE = 1, FIELD_HAS_USABLE = 2 };

struct cleaner {
    const struct ruleset *ruleset;
    pcre2_match_data *match_data;
    pcre2_match_context *match_context;
    pcre2_jit_stack *jit_stack;
    struct mapping *mappings[MAPPING_SLOTS];

    /* The record under way. */
    const struct source_rules *source;
    const struct raw_record *raw;
    struct arena *arena;
    struct clean_context context;
    enum record_kind kind;
    bool cleaned; /* types have cleaned: values are canonical */
    bool suppressed;
    bool stopped; /* a limit was hit: no more rules */
    enum clean_outcome worst;
    size_t value_count;
    size_t extra_count;
    size_t issue_count;
    bool state_is_stale;
    uint8_t state[FIELDS_MAX]; /* enum field_state */
    struct clean_value values[VALUES_MAX];
    struct clean_value before[VALUES_MAX]; /* as mapped, while types clean */
    struct work_extra extras[VALUES_MAX];
    struct issue issues[ISSUES_MAX];
    char replaced[REPLACED_MAX_BYTES];
};

/* cleaner.c */
void cleaner_issue(struct cleaner *cleaner, enum issue_severity severity, const char *code,
                   uint16_t field, struct slice param);
/* Adds a value as it is; an issue when there is no room. */
void cleaner_add(struct cleaner *cleaner, uint16_t field, uint16_t flags, struct slice value,
                 struct slice original);
/* Cleans `text` as the field's type does and adds what comes out, sides left out. */
void cleaner_add_text(struct cleaner *cleaner, uint16_t field, struct slice text, uint16_t flags);
void cleaner_remove(struct cleaner *cleaner, size_t index);
bool cleaner_has(struct cleaner *cleaner, uint16_t field, enum field_state what);
/* Bytes of a value that patterns see, whole characters. */
size_t pattern_subject_len(struct slice subject);
/* 1 it matches, 0 it does not, -1 a limit was hit (and said). */
int cleaner_match(struct cleaner *cleaner, const struct pattern *pattern, struct slice subject,
                  const char *rule_id);

/* mapping.c: NULL when out of memory. Stays the cleaner's. */
const struct mapping *mapping_of(struct cleaner *cleaner, const struct source_rules *source,
                                 const struct columns *columns);
void mapping_free(struct mapping **mapping);

/* typed.c: turns the values as mapped into canonical ones, with what they say besides themselves.
 */
void typed_clean(struct cleaner *cleaner);
/* derive.c: names from their parts and back, regions from cities. */
void derive(struct cleaner *cleaner);

/* apply.c: runs the rules of one stage over the record under way. */
void apply_rules(struct cleaner *cleaner, bool before);

#endif
