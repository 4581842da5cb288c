/*
 * condition.h - condition variables whose waits end by the monotonic clock, so that a wall clock that is set hurries and
 * delays nobody.
 */
#ifndef TRIBUTARY_BASE_CONDITION_H
#define TRIBUTARY_BASE_CONDITION_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Like pthread_cond_init; pthread_cond_destroy ends it. */
void condition_init(pthread_cond_t *condition);
/* The moment, wait_ms from now, at which pthread_cond_timedwait on such a condition gives up. wait_ms >= 0. */
struct timespec condition_deadline(int64_t wait_ms);

#endif
