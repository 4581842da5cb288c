/*
 * json_path.h - where in a JSON document a value stands: a small subset of JSONPath.
 *
 *     billing.first_name        members
 *     items[0].id               the first item
 *     attendees[*]              every item
 *     meta_data[?key=x].value   the items whose `key` is x
 *     ["odd name"].value        a name with other characters
 *     (nothing)                 the document itself
 *
 * A leading `$.` is allowed. A condition is a path with an optional comparison: `cancelled`,
 * `!refunded`, `status=paid`, `status!=draft`. A template is text with paths in braces:
 * `order/{id}`. Paths are compiled once, immutable, and live in the arena given.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_PATH_H
#define TRIBUTARY_CONNECTORS_JSON_PATH_H

#include "connectors/json_scan.h"

#define JSON_PATH_STEPS_MAX 16

enum json_step_kind { JSON_STEP_MEMBER, JSON_STEP_INDEX, JSON_STEP_EACH, JSON_STEP_WHERE };

struct json_step {
    enum json_step_kind kind;
    struct slice name;  /* MEMBER, WHERE: the member looked at */
    struct slice value; /* WHERE: what it must be, as plain text */
    size_t index;
};

struct json_path {
    size_t count;
    const struct json_step *steps;
};

/* False when `text` is no path (then *where is the offset of what is wrong) or the arena is full.
 */
bool json_path_compile(struct slice text, struct arena *arena, struct json_path *path,
                       size_t *where);

/* The values at the path, in order, at most `max`; returns how many there are in all (but never
 * counts on beyond max). */
size_t json_path_find(const struct json_path *path, struct slice document, struct slice *values,
                      size_t max);
/* The first of them, or an empty slice. */
struct slice json_path_first(const struct json_path *path, struct slice document);

enum json_test { JSON_TEST_TRUTHY, JSON_TEST_NOT, JSON_TEST_EQUAL, JSON_TEST_DIFFERENT };

struct json_condition {
    struct json_path path;
    enum json_test test;
    struct slice value;
};

bool json_condition_compile(struct slice text, struct arena *arena,
                            struct json_condition *condition, size_t *where);
/* `arena` is for scratch. */
bool json_condition_holds(const struct json_condition *condition, struct slice document,
                          struct arena *arena);

struct json_template {
    size_t count;
    struct json_template_piece {
        struct slice text; /* literal when there is no path */
        bool is_path;
        struct json_path path;
    } * pieces;
};

bool json_template_compile(struct slice text, struct arena *arena, struct json_template *template,
                           size_t *where);
/* Empty when any of its paths gives nothing. A text without braces is taken as a path: `id` means
 * `{id}`. */
struct slice json_template_fill(const struct json_template *template, struct slice document,
                                struct arena *arena, enum json_scan_flaw *flaw);

#endif
