/* state_dir.c - see state_dir.h. */
#include "daemon/store/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define PATH_BYTES    (PATH_MAX + 8)
#define LOCK_ATTEMPTS 10 /* 20 ms apart */

static const char *lock_path(const char *state_dir, char path[PATH_BYTES])
{
    snprintf(path, PATH_BYTES, "%s/lock", state_dir);
    return path;
}

enum status state_dir_lock(const char *state_dir, int *fd, struct err *err)
{
    char path[PATH_BYTES];
    *fd = open(lock_path(state_dir, path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return err_set_errno(err, errno, "engine.lock", "cannot open %s", path);
    /* A command that looks whether we run holds it for a moment. */
    struct timespec pause = {.tv_nsec = 20000000};
    bool locked = false;
    for (int attempt = 0; attempt < LOCK_ATTEMPTS && !locked; attempt++) {
        locked = flock(*fd, LOCK_EX | LOCK_NB) == 0;
        if (!locked)
            nanosleep(&pause, NULL);
    }
    if (!locked)
        return err_set(err, RETRY_LATER, "engine.locked",
                       "another tributary uses state_dir %s; hint: stop it, or give this one a state_dir of its own",
                       state_dir);
    return STATUS_OK;
}

enum state_dir_holder state_dir_find_holder(const char *state_dir)
{
    char path[PATH_BYTES];
    int fd = open(lock_path(state_dir, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? STATE_DIR_FREE : STATE_DIR_UNKNOWN;
    int taken = flock(fd, LOCK_SH | LOCK_NB);
    close(fd);
    return taken == 0 ? STATE_DIR_FREE : STATE_DIR_HELD;
}
