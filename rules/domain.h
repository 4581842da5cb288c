/* domain.h - host names in one form. */
#ifndef TRIBUTARY_RULES_DOMAIN_H
#define TRIBUTARY_RULES_DOMAIN_H

#include "daemon/base/arena.h"
#include "daemon/base/slice.h"

/* Lower-case A-labels ("bücher.de" -> "xn--bcher-kva.de"), without a last dot; empty when it is no host name with at
 * least two labels and a top label of letters. */
struct slice domain_canonical(struct slice domain, struct arena *arena);

#endif
