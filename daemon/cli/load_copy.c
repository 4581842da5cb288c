/* load_copy.c - see load_copy.h. */
#include "daemon/cli/load_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/load_dirs.h"

#define PIECE_BYTES ((size_t)1 << 20)

static enum status fail(const char *path, const struct config *config, struct err *err)
{
    return err_set_errno(err, errno, "cli.load_copy",
                         "cannot put a copy of %s into %s/" LOAD_DIR_NAME ", where the daemon takes files from; hint: "
                         "add its folder to load_dirs of the configuration", path, config->state_dir);
}

static bool write_all(int to, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(to, bytes, len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        len -= (size_t)written;
    }
    return true;
}

static bool copy_bytes(int from, int to)
{
    char *piece = malloc(PIECE_BYTES);
    ssize_t got = -1;
    while (piece && (got = read(from, piece, PIECE_BYTES)) > 0) {
        if (!write_all(to, piece, (size_t)got)) {
            got = -1;
            break;
        }
    }
    int number = errno;
    free(piece);
    errno = number;
    return got == 0;
}

/* The daemon's user is the owner of state_dir. */
static bool give_away(const struct config *config, const char *path)
{
    struct stat owner;
    return stat(config->state_dir, &owner) == 0 &&
           (geteuid() != 0 || owner.st_uid == 0 || chown(path, owner.st_uid, owner.st_gid) == 0);
}

static bool fill(const struct config *config, int from, const char *folder, const char *path)
{
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool done = to >= 0 && copy_bytes(from, to);
    done = (to < 0 || close(to) == 0) && done;
    return done && give_away(config, path) && give_away(config, folder);
}

enum status load_copy_make(const struct config *config, const char *path, char **copy, struct err *err)
{
    char folder[PATH_MAX], target[PATH_MAX];
    const char *slash = strrchr(path, '/');
    *copy = NULL;
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return err_set_errno(err, errno, "cli.load_file", "cannot read %s", path);
    bool fits = snprintf(folder, sizeof(folder), "%s/" LOAD_DIR_NAME "/" LOAD_COPY_PREFIX "XXXXXX",
                         config->state_dir) < (int)sizeof(folder);
    bool made = fits && mkdtemp(folder) != NULL;
    bool done = made && snprintf(target, sizeof(target), "%s/%s", folder, slash ? slash + 1 : path) < (int)sizeof(target) &&
                fill(config, from, folder, target);
    if (done)
        *copy = strdup(target);
    int number = errno;
    close(from);
    if (*copy)
        return STATUS_OK;
    if (made)
        load_copy_remove(folder);
    errno = number;
    return fail(path, config, err);
}

void load_copy_end(char **copy)
{
    if (*copy == NULL)
        return;
    char *slash = strrchr(*copy, '/');
    if (slash) {
        *slash = '\0';
        load_copy_remove(*copy);
    }
    free(*copy);
    *copy = NULL;
}
