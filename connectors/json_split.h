/*
 * json_split.h - the exact bytes of each record in a JSON document.
 *
 * The document is one object, an array of objects, an object with a member that is such an array, or objects one after
 * another (JSON lines). Only brackets and strings are looked at: each piece must still be parsed, which finds what is
 * wrong inside it. Constant memory whatever the depth. Pure; fuzzed.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_SPLIT_H
#define TRIBUTARY_CONNECTORS_JSON_SPLIT_H

#include "daemon/base/slice.h"

struct json_split {
    struct slice rest;
    bool in_array;
    bool first;
    bool ended;
};

/* False when the text is none of these, or empty. */
bool json_split_begin(struct json_split *split, struct slice text, const char *member);

enum json_piece { JSON_PIECE, JSON_END, JSON_MALFORMED };
enum json_piece json_split_next(struct json_split *split, struct slice *piece);

#endif
