/* crash_point.c - see crash_point.h. */
#include "daemon/base/crash_point.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *crash_point_wanted;
static atomic_long passes_left;

void crash_point_set(const char *point)
{
    if (point == NULL || point[0] == '\0')
        return;
    const char *colon = strrchr(point, ':');
    long pass = colon ? strtol(colon + 1, NULL, 10) : 1;
    atomic_store(&passes_left, pass > 0 ? pass : 1);
    crash_point_wanted = point;
}

void crash_point_pass(const char *name)
{
    size_t len = strlen(name);
    if (strncmp(crash_point_wanted, name, len) != 0 ||
        (crash_point_wanted[len] != '\0' && crash_point_wanted[len] != ':'))
        return;
    if (atomic_fetch_sub(&passes_left, 1) == 1)
        (void)kill(getpid(), SIGKILL); /* no exit handler, no flush: what is durable is all there is */
}
