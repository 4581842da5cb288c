/*
 * retry.h - when a delivery that failed is tried again.
 *
 * The schedule is that of Standard Webhooks 1.0.0: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h,
 * 24 h after the attempt before; a sink may have one of its own. Pure: time and chance are passed
 * in.
 */
#ifndef TRIBUTARY_EVENTS_RETRY_H
#define TRIBUTARY_EVENTS_RETRY_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#define RETRY_WAITS_MAX    32
#define RETRY_AFTER_MAX_MS ((int64_t)86400000)

struct retry_schedule {
    size_t count; /* at least 1 */
    int64_t waits_ms[RETRY_WAITS_MAX];
};

void retry_schedule_default(struct retry_schedule *schedule);
/* Durations such as "5s"; none given: the default. RETRY_REJECT_CONFIG for anything else. */
MUST_CHECK enum status retry_schedule_parse(const struct slice *waits, size_t count,
                                            struct retry_schedule *schedule, struct err *err);
/* The wait after `attempts` (1 or more) attempts; past its end the schedule stays at its last wait.
 * `chance` is any random number; the wait is made up to a tenth longer by it. */
int64_t retry_wait_ms(const struct retry_schedule *schedule, unsigned attempts, uint64_t chance);
/* Between probes of an endpoint that is down: the first wait of the schedule, doubling, at most
 * five minutes or the last wait of the schedule. `probes` counts those that failed. */
int64_t retry_probe_ms(const struct retry_schedule *schedule, unsigned probes, uint64_t chance);

/* Value of a Retry-After header: seconds or an HTTP date; cut to [0, 24 h]. False when it is
 * neither. */
bool retry_after_parse(struct slice value, int64_t now_wall_us, int64_t *wait_ms);

#endif
