/*
 * clock.h - the one source of time, passed in where time is needed.
 *
 * Wall time (microseconds since 1970-01-01 UTC) is only stored and compared as data; deadlines and
 * intervals use the monotonic reading. A test passes its own clock.
 */
#ifndef TRIBUTARY_BASE_CLOCK_H
#define TRIBUTARY_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_us)(const struct clock *clock);
    int64_t (*monotonic_us)(const struct clock *clock);
};

/* The machine's clock; static, never freed. */
const struct clock *clock_system(void);

static inline int64_t clock_wall_us(const struct clock *clock)
{
    return clock->wall_us(clock);
}

static inline int64_t clock_monotonic_us(const struct clock *clock)
{
    return clock->monotonic_us(clock);
}

/* 2026-11-22T08:15:30.123456Z; out holds at least 32 bytes. */
void clock_format_utc(int64_t wall_us, char *out, size_t size);

#endif
