/*
 * pack.h - the compiled form of rule packs. Private to rules/: ruleset.h is the way in.
 *
 * Everything here is immutable once ruleset_new() has returned and lives in the ruleset's arena,
 * but for the compiled patterns, which PCRE2 owns. docs/rules.md describes the language.
 */
#ifndef TRIBUTARY_RULES_PACK_H
#define TRIBUTARY_RULES_PACK_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "daemon/base/yaml.h"
#include "rules/lookup.h"
#include "rules/ruleset.h"

#define PACK_ARENA_MAX_BYTES ((size_t)64 << 20)
#define PACK_RULES_MAX       2000
#define PACK_PATTERN_MAX     4096 /* bytes of one pattern */
#define PACK_CONDITION_DEPTH 6
#define PATTERN_SUBJECT_MAX                                                                        \
    2048 /* bytes of a value that patterns see: JIT does not count every step */
#define PATTERN_MATCH_LIMIT 20000 /* PCRE2's count of steps for one match */
#define PATTERN_DEPTH_LIMIT 500
#define PATTERN_HEAP_KIB    1024

struct pattern {
    struct pattern *next;
    pcre2_code *code;
};

/* What a condition looks at: a field, or a column that maps onto none. */
struct subject {
    uint16_t field;         /* FIELD_NONE: an extra */
    struct slice extra_key; /* folded heading */
};

enum condition_kind {
    CONDITION_ALL, /* of the children */
    CONDITION_ANY,
    CONDITION_NONE,
    CONDITION_SOURCE,
    CONDITION_KIND,
    CONDITION_PART,
    CONDITION_TEST,
    CONDITION_PRESENT, /* every subject has a value of whatever sort */
    CONDITION_PRESENT_ANY,
    CONDITION_ABSENT, /* no subject has any value */
    CONDITION_USABLE, /* every subject has a value that names somebody and passed its check */
    CONDITION_USABLE_ANY,
    CONDITION_UNUSABLE, /* no subject has one */
    CONDITION_MATCHES,
    CONDITION_IN,
    CONDITION_FLAGGED,
    CONDITION_ISSUE,
};

struct condition {
    enum condition_kind kind;
    bool truth;     /* TEST */
    uint16_t flags; /* FLAGGED */
    enum record_kind record_kind;
    const struct pattern *pattern;
    const struct lookup *list; /* IN */
    size_t subject_count;
    struct subject *subjects;
    size_t text_count; /* SOURCE, PART, ISSUE */
    struct slice *texts;
    size_t child_count;
    struct condition *children;
};

enum action {
    ACTION_REQUIRE,
    ACTION_REQUIRE_ONE,
    ACTION_PATTERN,
    ACTION_LENGTH,
    ACTION_ONE_OF,
    ACTION_RANGE,
    ACTION_USABLE,
    ACTION_REPORT,
    ACTION_SET,
    ACTION_DEFAULT,
    ACTION_COPY,
    ACTION_LOOKUP,
    ACTION_REPLACE,
    ACTION_DROP,
    ACTION_MARK,
    ACTION_TAG,
    ACTION_KIND,
    ACTION_SUPPRESS,
    ACTION_COUNT,
};

enum otherwise { OTHERWISE_KEEP, OTHERWISE_DROP, OTHERWISE_INVALID };

struct rule {
    const char *id;
    bool before; /* runs on the text as written, before types clean it */
    bool off;
    const struct condition *when; /* NULL: always */
    size_t field_count;           /* what it works on; for `require` what must be there */
    uint16_t *fields;
    enum action action;
    enum issue_severity severity;
    const char *code;
    struct slice param;
    struct slice text; /* SET, DEFAULT, TAG; REPLACE: the replacement */
    const struct pattern *pattern;
    const struct lookup *table; /* LOOKUP, ONE_OF */
    enum otherwise otherwise;
    uint16_t target;     /* LOOKUP: where the answer goes; FIELD_NONE: in place */
    struct subject from; /* COPY */
    uint16_t flags;      /* MARK, DROP (0: every value) */
    enum record_kind kind;
    struct slice min, max; /* LENGTH, RANGE; ptr NULL: open */
    double min_number, max_number;
};

/* Values that name nobody, of one field. */
struct nobody {
    struct lookup list;
    size_t pattern_count;
    const struct pattern **patterns;
};

/* A heading's field. Several headings of one field are tried in `order`. */
enum column_role { COLUMN_VALUE, COLUMN_PREFIX, COLUMN_SUFFIX };
struct alias {
    uint16_t field;
    uint8_t role;
    uint8_t layer; /* of files, while they are read */
    uint16_t order;
};

/* The fields the code itself knows (derivation); FIELD_NONE where the packs do not declare them. */
struct known_fields {
    uint16_t full_name, given_name, family_name, name_title, name_suffix, name_note;
    uint16_t email, phone, address_line, district, city, province, postal_code, country;
    uint16_t birth_date, gender, national_id, tags;
    uint16_t company, credit_code, industry, website;
};

struct pack_test {
    const struct yaml_node *node;
    struct slice name;
    const struct yaml_node *given, *source, *expect;
};

struct ruleset {
    struct arena *arena;
    struct schema schema;
    struct field *fields; /* the schema's, FIELDS_MAX of room */
    struct known_fields known;
    uint64_t fingerprint;
    struct pattern *patterns;
    uint32_t capture_max;  /* over all patterns */
    struct lookup aliases; /* number: index into alias_list */
    struct alias *alias_list;
    struct lookup ignored;  /* headings of columns that are dropped */
    struct nobody **nobody; /* by field; NULL where there is none */
    size_t rule_count;
    struct rule *rules;
    size_t test_count;
    struct pack_test *tests;
};

/* The compiler's hands, shared by ruleset.c (fields, tables) and pack.c (rules). */
struct compiler {
    struct ruleset *ruleset;
    struct problems *problems;
    size_t table_count;
    struct table {
        struct slice name;
        struct lookup list;
    } * tables;
    size_t table_capacity;
};

/* Adds a problem for each key of the map that is not among `keys`. */
void pack_check_keys(struct compiler *compiler, const struct yaml_node *map, const char *what,
                     const char *const *keys, size_t count);
/* The field of that name; a problem (with the nearest name) and FIELD_NONE when there is none. */
uint16_t pack_field(struct compiler *compiler, const struct yaml_node *node);
/* NULL, with a problem, when it does not compile. */
const struct pattern *pack_pattern(struct compiler *compiler, const struct yaml_node *node);
/* A list's, or one scalar's, texts as a set of folded values. */
bool pack_value_list(struct compiler *compiler, const struct yaml_node *node, struct lookup *list);
const struct lookup *pack_table(struct compiler *compiler, const struct yaml_node *name);
/* `a` or `[a, b]`; *count and the nodes. False, with a problem, when it is a map. */
bool pack_scalars(struct compiler *compiler, const struct yaml_node *node, size_t *count,
                  struct yaml_node *const **nodes);
bool pack_flags(struct compiler *compiler, const struct yaml_node *node, uint16_t *flags);
bool pack_bool(struct compiler *compiler, const struct yaml_node *node, bool *truth);
bool pack_kind(struct compiler *compiler, const struct yaml_node *node, enum record_kind *kind);

/* pack_condition.c: a `when:` map. */
bool pack_condition(struct compiler *compiler, const struct yaml_node *node, int depth,
                    struct condition *condition);
bool pack_subject(struct compiler *compiler, const struct yaml_node *node, struct subject *subject);
/* pack.c: one rule of a list; false when it was not understood. */
bool pack_rule(struct compiler *compiler, const struct yaml_node *node, struct rule *rule);

#endif
