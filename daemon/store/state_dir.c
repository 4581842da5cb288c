/* state_dir.c - see state_dir.h. */
#include "daemon/store/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum state_dir_holder state_dir_find_holder(const char *state_dir)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof(path), "%s/lock", state_dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? STATE_DIR_FREE : STATE_DIR_UNKNOWN;
    int taken = flock(fd, LOCK_SH | LOCK_NB);
    close(fd);
    return taken == 0 ? STATE_DIR_FREE : STATE_DIR_HELD;
}
