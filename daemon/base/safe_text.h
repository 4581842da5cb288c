/*
 * safe_text.h - text that PostgreSQL will take: well-formed UTF-8 without NUL.
 */
#ifndef TRIBUTARY_BASE_SAFE_TEXT_H
#define TRIBUTARY_BASE_SAFE_TEXT_H

#include "daemon/base/arena.h"

/* The text itself when it is safe; else a copy with U+FFFD for each malformed byte and each NUL. */
struct slice safe_text(struct arena *arena, struct slice text);

#endif
