/*
 * explain_svg.h - the answer of the operation `explain` as a waterfall: from the prior, comparison by comparison, to the total,
 * with the two thresholds.
 *
 * A whole SVG document without scripts or outside references, with text alternatives; light and dark by the reader's
 * preference. Values of the records are not in it, so it may be shown around.
 */
#ifndef TRIBUTARY_CONSOLE_EXPLAIN_SVG_H
#define TRIBUTARY_CONSOLE_EXPLAIN_SVG_H

#include <jansson.h>

#include "daemon/base/buf.h"

void explain_svg(const json_t *explanation, struct buf *out);

#endif
