/*
 * options.h - typed options, from one declaration.
 *
 * A table of `struct option` declares keys, types, units, defaults, bounds and a sentence of help;
 * the loader, `tributary check`, `--help`, docs/configuration.md and the JSON schema all come from
 * it. Each connector and sink declares its own table. An unknown key is an error that names the
 * nearest known one. Values are read with the typed accessors below; asking for a key that was not
 * declared, or with the wrong type, is our bug and asserts.
 */
#ifndef TRIBUTARY_BASE_OPTIONS_H
#define TRIBUTARY_BASE_OPTIONS_H

#include "daemon/base/yaml.h"

enum option_type {
    OPTION_STRING,
    OPTION_INT,
    OPTION_FLOAT,
    OPTION_BOOL,
    OPTION_DURATION, /* "5m", "250ms", "2h", "7d"; read in milliseconds */
    OPTION_SIZE,     /* "64k", "10M", "1G" (powers of 1024); read in bytes */
    OPTION_ENUM,     /* one of `choices`, separated by '|' */
    OPTION_SECRET,   /* `key: value` or `key_file: path`; never printed */
    OPTION_STRINGS,  /* a list of strings; a single scalar is a list of one */
    OPTION_TEXT_MAP, /* name -> string or list of strings */
    OPTION_SECTION,  /* a nested section of `children` */
    OPTION_SECTIONS, /* name -> section of `children` (or of what `variant` picks) */
    OPTION_FREE,     /* any YAML: the owner reads the node itself */
};

enum option_flags {
    OPTION_REQUIRED = 1,
    OPTION_RESTART = 2, /* a change takes effect only at a restart */
};

struct option {
    const char *key; /* NULL ends a table */
    enum option_type type;
    const char *default_text; /* as it would be written; NULL: absent */
    int64_t min, max; /* both 0: not bounded; INT, DURATION (ms), SIZE (bytes), STRINGS (count) */
    const char *choices;
    unsigned flags;
    const char *help; /* one sentence, lowercase, with the unit */
    const struct option *children;
    /* SECTIONS only: the further table for one section, by its raw node (its `type:` or `preset:`);
     * NULL when it names nothing known (a problem was added; its keys are then not judged). Its
     * keys are allowed beside `children`; a key of the same name replaces the common one. */
    const struct option *(*variant)(const struct yaml_node *section, struct problems *problems);
};

struct options; /* one section, validated, defaults filled in; immutable; lives in its arena */

/* Validates `node` (a map; NULL counts as empty) against `table`; every problem is added.
 * `base_dir` is what relative
 * *_file paths are relative to (NULL: the directory of the file the path stands in). A key without
 * a value counts as not given. An option given wrong reads as its default. Returns NULL only when
 * out of memory; after problems the section is usable for further checks but must not be put to
 * work. */
const struct options *options_build(struct arena *arena, const struct option *table,
                                    const struct yaml_node *node, const char *base_dir,
                                    struct problems *problems);

bool options_has(const struct options *options, const char *key);           /* given in the file */
const char *options_string(const struct options *options, const char *key); /* NULL when absent */
int64_t options_int(const struct options *options,
                    const char *key); /* INT, DURATION, SIZE; 0 when absent */
double options_float(const struct options *options, const char *key);
bool options_bool(const struct options *options, const char *key);
struct slice options_secret(const struct options *options, const char *key); /* empty when absent */
size_t options_strings(const struct options *options, const char *key, const struct slice **list);
struct option_text {
    struct slice name;
    size_t count;
    const struct slice *values;
};
size_t options_text_map(const struct options *options, const char *key,
                        const struct option_text **list);
const struct options *options_section(const struct options *options,
                                      const char *key); /* never NULL */
size_t options_sections(const struct options *options, const char *key,
                        const struct options *const **list);
const char *options_name(const struct options *options); /* its key within SECTIONS; "" otherwise */
const struct yaml_node *options_node(const struct options *options,
                                     const char *key); /* FREE; or NULL */
const struct yaml_node *
options_where(const struct options *options); /* for messages; may be NULL */

/* "5m" -> 300000; "64k" -> 65536. */
bool duration_parse_ms(struct slice text, int64_t *value_ms);
bool size_parse_bytes(struct slice text, int64_t *value_bytes);

/* The section as YAML with defaults filled in, `indent` columns in. Secrets and the passwords of
 * URLs are
 * ***; what came out of the environment is shown as it was written, ${VAR}. */
struct buf;
void options_print(const struct options *options, unsigned indent, struct buf *out);
/* A hash of all values, secrets included (as hashes); false when out of memory. */
bool options_fingerprint(const struct options *options, uint64_t *hash);

/* Puts the keys, separated by ", ", that are declared OPTION_RESTART and differ between two
 * sections built from the same table; returns how many. */
size_t options_restart_changes(const struct options *before, const struct options *after,
                               struct buf *names);

/* Markdown rows of one table (recursing into sections), for docs/configuration.md. */
void options_document(const struct option *table, const char *prefix, struct buf *out);

/* JSON Schema of a table, for editors. `variants` fills in the further tables that sections of
 * `option` may have and returns how many; NULL: none. */
typedef size_t (*options_variants)(const struct option *option, const struct option **tables,
                                   size_t max);
void options_schema(const struct option *table, options_variants variants, struct buf *out);

#endif
