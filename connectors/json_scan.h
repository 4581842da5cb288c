/*
 * json_scan.h - JSON looked at where it lies: nothing is copied, numbers stay as they were written.
 *
 * Values are slices of the document, so an item of a page is its exact bytes, an id of thirty
 * digits keeps them all, and 29.350 does not become 29.350000000000001. json_scan_check() proves
 * once that a document is well formed (RFC 8259, UTF-8, JSON_SCAN_DEPTH_MAX levels); the other
 * functions take values out of a checked document.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_SCAN_H
#define TRIBUTARY_CONNECTORS_JSON_SCAN_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

#define JSON_SCAN_DEPTH_MAX 100

enum json_scan_kind {
    JSON_SCAN_NONE, /* an empty slice: nothing there */
    JSON_SCAN_OBJECT,
    JSON_SCAN_ARRAY,
    JSON_SCAN_STRING,
    JSON_SCAN_NUMBER,
    JSON_SCAN_TRUE,
    JSON_SCAN_FALSE,
    JSON_SCAN_NULL,
};

/* One value and white space around it. On failure *where is the offset of the first wrong byte. */
bool json_scan_check(struct slice document, size_t *where);
/* The value without white space around it. */
struct slice json_scan_value(struct slice document);
enum json_scan_kind json_scan_kind(struct slice value);

/* Goes through the members of an object or the items of an array; over anything else there are
 * none. */
struct json_scan_walk {
    const char *p, *end;
};
struct json_scan_walk json_scan_walk(struct slice value);
/* key: without quotes, still escaped; empty for an array's items. */
bool json_scan_next(struct json_scan_walk *walk, struct slice *key, struct slice *value);
/* The last member of that name (`key` unescaped), or an empty slice. */
struct slice json_scan_member(struct slice object, struct slice key);

enum json_scan_flaw { JSON_SCAN_FINE, JSON_SCAN_HAS_NUL, JSON_SCAN_LONE_SURROGATE };

/* The first flaw in any string of the value, names of members too. */
enum json_scan_flaw json_scan_look_for_flaws(struct slice value);

/* What a string says, unescaped (in the arena only when it must be). Not a string: "". */
struct slice json_scan_string(struct slice value, struct arena *arena, enum json_scan_flaw *flaw);
/* A scalar as text: a string's content, a number as written, true, false; null and nothing are "".
 * An array of scalars is its texts joined by ", "; anything else is its JSON. */
struct slice json_scan_plain(struct slice value, struct arena *arena, enum json_scan_flaw *flaw);
/* Neither nothing, null, false, "", 0, [] nor {}. */
bool json_scan_truthy(struct slice value);

#endif
