/* stop.c - see stop.h. */
#include "daemon/base/stop.h"
#include "daemon/base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum status stop_init(struct stop *stop, struct err *err)
{
    atomic_init(&stop->set, false);
    stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (stop->fd < 0)
        return err_set_errno(err, errno, "base.eventfd", "cannot make the stop signal");
    return STATUS_OK;
}

void stop_close(struct stop *stop)
{
    if (stop->fd >= 0)
        close(stop->fd);
    stop->fd = -1;
}

void stop_set(struct stop *stop)
{
    atomic_store(&stop->set, true);
    uint64_t one = 1;
    int saved = errno;
    ssize_t written = write(stop->fd, &one, sizeof(one));
    (void)written; /* a full counter is readable all the same */
    errno = saved;
}

bool stop_wait_ms(const struct stop *stop, int64_t wait_ms)
{
    int64_t until_us = clock_monotonic_us(clock_system()) + wait_ms * 1000;
    while (!stop_is_set(stop)) {
        int64_t left_us = until_us - clock_monotonic_us(clock_system());
        if (left_us <= 0)
            return false;
        struct pollfd fd = {.fd = stop->fd, .events = POLLIN};
        int64_t left_ms = (left_us + 999) / 1000;
        if (poll(&fd, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms) < 0 && errno != EINTR)
            return stop_is_set(stop);
    }
    return true;
}
