/*
 * stop.h - the one signal that ends waits.
 *
 * Set once, from any thread or a signal handler; every wait of ours listens to it. fd becomes readable
 * (and stays so) when it is set, for poll().
 */
#ifndef TRIBUTARY_BASE_STOP_H
#define TRIBUTARY_BASE_STOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/err.h"

struct stop {
    atomic_bool set;
    int fd;
};

MUST_CHECK enum status stop_init(struct stop *stop, struct err *err);
void stop_close(struct stop *stop);
void stop_set(struct stop *stop); /* async-signal-safe */
static inline bool stop_is_set(const struct stop *stop)
{
    return atomic_load(&((struct stop *)(uintptr_t)stop)->set);
}
/* Waits until the stop or the time has passed; true when stopped. */
bool stop_wait_ms(const struct stop *stop, int64_t wait_ms);

#endif
