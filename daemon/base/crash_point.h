/*
 * crash_point.h - named places where a test ends the process as a power failure would.
 *
 * Always compiled in: a point that was not asked for costs the look at one pointer. tests/fault/test_crash_points.py
 * visits each of them. main() sets the one that is wanted, before any thread is started.
 */
#ifndef TRIBUTARY_BASE_CRASH_POINT_H
#define TRIBUTARY_BASE_CRASH_POINT_H

#include <stddef.h>

extern const char *crash_point_wanted; /* NULL: none */

/* "NAME" or "NAME:N" (the N-th time it is passed, from 1); NULL and "" change nothing. Kept, not copied. */
void crash_point_set(const char *point);
/* Kills the process when it is the wanted point and its time has come. */
void crash_point_pass(const char *name);

#define CRASH_POINT(name)             \
    do {                              \
        if (crash_point_wanted)       \
            crash_point_pass(name);   \
    } while (0)

#endif
