/*
 * yaml.h - a YAML document as a tree of nodes that remember where they stood.
 *
 * Built on libyaml. Depth, node count and size are bounded; anchors and aliases are refused (they
 * are how a small file becomes a large one), duplicate keys are errors. Nodes live in the arena
 * given. Serves the configuration, rule packs, presets and models alike; parses text already in
 * memory, so rules/ may use it.
 */
#ifndef TRIBUTARY_BASE_YAML_H
#define TRIBUTARY_BASE_YAML_H

#include "daemon/base/arena.h"
#include "daemon/base/err.h"
#include "daemon/base/slice.h"

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_kind kind;
    struct slice text;    /* scalar: the value; "" for null */
    bool quoted;          /* scalar was quoted (so "5" is text, not a number) */
    bool is_null;         /* plain empty, ~ or null */
    struct slice written; /* the text before ${VAR} was put in; len 0 when nothing was. For messages
                             and print */
    const char *file;
    unsigned line, column;     /* from 1 */
    size_t count;              /* list or map entries */
    struct yaml_node **keys;   /* map: scalar nodes */
    struct yaml_node **values; /* map and list */
};

/* Where something is wrong, and what. Errors accumulate so that `check` reports all of them. */
struct problem {
    const char *file;
    unsigned line, column;
    char text[400];
};

struct problems {
    struct problem *list;
    size_t count;
    size_t capacity;
    size_t dropped; /* over the maximum of 200 */
};

void problems_free(struct problems *problems);
/* node may be NULL (no position). */
void problems_add(struct problems *problems, const struct yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Parses `text`; `file` is for messages and must outlive the tree. NULL when a problem was added.
 */
struct yaml_node *yaml_parse(struct arena *arena, const char *file, struct slice text,
                             struct problems *problems);
/* The value under a key, or NULL. map may be NULL or not a map. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* The scalar under a key, else `otherwise`. */
struct slice yaml_text(const struct yaml_node *map, const char *key, struct slice otherwise);
/* What messages may show of a scalar: as it was written, never what came out of the environment. */
struct slice yaml_shown(const struct yaml_node *node);
/* The candidate nearest to `word` by edit distance (at most a third of its length away), or NULL.
 */
const char *nearest_word(struct slice word, const char *const *candidates, size_t count);
/* Adds a problem for each key of a map that is none of `keys`, with the nearest of them. True when there was none. */
bool problems_check_keys(struct problems *problems, const struct yaml_node *map, const char *const *keys, size_t count);

#endif
