/*
 * options_internal.h - how a built section looks inside; for options_*.c only.
 */
#ifndef TRIBUTARY_BASE_OPTIONS_INTERNAL_H
#define TRIBUTARY_BASE_OPTIONS_INTERNAL_H

#include "daemon/base/options.h"

struct option_value {
    const struct option *option;
    bool given;                            /* in the file */
    bool present;                          /* given and well formed, or by default */
    int64_t integer;                       /* INT, DURATION, SIZE, BOOL */
    double real;                           /* FLOAT */
    struct slice text;                     /* STRING, ENUM, SECRET: NUL-terminated */
    size_t count;                          /* of the list that follows */
    const struct slice *strings;           /* STRINGS */
    const struct option_text *texts;       /* TEXT_MAP */
    const struct options *section;         /* SECTION */
    const struct options *const *sections; /* SECTIONS */
    const struct yaml_node *node;          /* as written; FREE: also by default */
};

struct options {
    const char *name;
    const struct yaml_node *where;
    size_t count;
    struct option_value *values; /* in the order of the tables */
};

/* The scalar types' readers: NULL when good, else what is wrong ("expected ..."). */
const char *option_read_int(struct slice text, int64_t *value);
const char *option_read_float(struct slice text, double *value);
const char *option_read_bool(struct slice text, int64_t *value);

/* The secret in the file `node` names, without line breaks at its end; `path` is the option's, for
 * messages. False when a problem was added. */
bool option_read_secret_file(struct arena *arena, const char *base_dir, const char *path,
                             const struct yaml_node *node, struct slice *secret,
                             struct problems *problems);

/* "text", "number", "duration" ... for people. */
const char *option_type_word(const struct option *option);
/* One bound of an option as a person would write it: "5m", "64k", "10". */
void option_bound_text(const struct option *option, int64_t bound, char *out, size_t size);

#endif
