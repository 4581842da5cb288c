/*
 * rematch_text.h - what another generation would change, as text for people.
 */
#ifndef TRIBUTARY_CLI_REMATCH_TEXT_H
#define TRIBUTARY_CLI_REMATCH_TEXT_H

#include <jansson.h>

#include "daemon/base/buf.h"

/* `preview` is the result of the operation rematch.preview; what is missing in it is left out. */
void rematch_preview_text(const json_t *preview, struct buf *out);

#endif
