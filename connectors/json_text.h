/*
 * json_text.h - a JSON value as the text a record has.
 */
#ifndef TRIBUTARY_CONNECTORS_JSON_TEXT_H
#define TRIBUTARY_CONNECTORS_JSON_TEXT_H

#include <jansson.h>

#include "daemon/base/arena.h"

/* Strings as they are, numbers in their shortest exact form, true and false; null and absent are empty, and so are
 * objects and lists. A copy in `arena`. */
struct slice json_plain_text(struct arena *arena, const json_t *value);
/* A string member; empty when absent or not a string. Borrowed from the object. */
struct slice json_member(const json_t *object, const char *key);

#endif
