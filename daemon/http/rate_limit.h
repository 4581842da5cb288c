/*
 * rate_limit.h - a token bucket per client address, in a table of fixed size.
 *
 * IPv6 clients count by /64. When the table is full the bucket that was used longest ago is forgotten: in a flood of
 * addresses the limit becomes looser, memory does not grow. Any thread.
 */
#ifndef TRIBUTARY_HTTP_RATE_LIMIT_H
#define TRIBUTARY_HTTP_RATE_LIMIT_H

#include "daemon/http/forwarded.h"

struct rate_limit;

/* rate_per_s > 0, burst >= 1. NULL when out of memory. */
struct rate_limit *rate_limit_new(double rate_per_s, double burst);
void rate_limit_free(struct rate_limit **limit);
/* Takes one token. 0: go on; else the number of seconds to come back after (>= 1). */
unsigned rate_limit_take(struct rate_limit *limit, const struct ip_address *client, int64_t now_us);

#endif
