/* clock.c - see clock.h. */
#include "daemon/base/clock.h"
#include "daemon/base/digits.h"

#include <stdio.h>
#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_MONOTONIC);
}

const struct clock *clock_system(void)
{
    static const struct clock system = {system_wall_us, system_monotonic_us};
    return &system;
}

void clock_format_utc(int64_t wall_us, char *out, size_t size)
{
    int64_t seconds = wall_us / 1000000;
    int64_t rest_us = wall_us % 1000000;
    if (rest_us < 0) {
        rest_us += 1000000;
        seconds--;
    }
    time_t time = (time_t)seconds;
    struct tm parts;
    gmtime_r(&time, &parts);
    int second_of_day = (parts.tm_hour * 60 + parts.tm_min) * 60 + parts.tm_sec;
    if (size >= 28 && parts.tm_year >= -1900 && parts.tm_year <= 8099) {
        *digits_put_utc(out, parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, second_of_day,
                        (int)rest_us) = '\0';
        return;
    }
    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
             parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
             (int)rest_us);
}
