/*
 * explain_text.h - the answer of the operation `explain` (docs/explain.md) as lines for people.
 */
#ifndef TRIBUTARY_CLI_EXPLAIN_TEXT_H
#define TRIBUTARY_CLI_EXPLAIN_TEXT_H

#include <jansson.h>

#include "daemon/base/buf.h"

/* Appends. Whatever is missing in `explanation` is left out. */
void explain_text(const json_t *explanation, struct buf *out);

#endif
