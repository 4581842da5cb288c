/* options_secret.c - secrets kept in files of their own. See options.h. */
#include "daemon/base/options_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX_BYTES 65536

static const char *path_of_file(struct arena *arena, const char *base_dir,
                                const struct yaml_node *node)
{
    const char *given = arena_str(arena, node->text);
    if (given[0] == '/')
        return given;
    if (base_dir)
        return arena_printf(arena, "%s/%s", base_dir, given).ptr;
    const char *slash = node->file ? strrchr(node->file, '/') : NULL;
    if (slash == NULL)
        return given;
    return arena_printf(arena, "%.*s/%s", (int)(slash - node->file), node->file, given).ptr;
}

/* Returns an errno, or 0 with *text filled; EFBIG over the maximum, EINVAL for what is not a
 * regular file. */
static int read_small_file(struct arena *arena, const char *path, struct slice *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno;
    struct stat about;
    char *data = NULL;
    int failure = fstat(fd, &about) != 0 ? errno : !S_ISREG(about.st_mode) ? EINVAL : 0;
    if (failure == 0 && (data = arena_alloc(arena, SECRET_MAX_BYTES + 2)) == NULL)
        failure = ENOMEM;
    size_t length = 0;
    while (failure == 0 && length <= SECRET_MAX_BYTES) {
        ssize_t got = read(fd, data + length, SECRET_MAX_BYTES + 1 - length);
        if (got == 0)
            break;
        if (got > 0)
            length += (size_t)got;
        else if (errno != EINTR)
            failure = errno;
    }
    close(fd);
    if (failure == 0 && length > SECRET_MAX_BYTES)
        failure = EFBIG;
    if (failure == 0) {
        data[length] = '\0';
        *text = slice_of(data, length);
    }
    return failure;
}

bool option_read_secret_file(struct arena *arena, const char *base_dir, const char *path,
                             const struct yaml_node *node, struct slice *secret,
                             struct problems *problems)
{
    const char *file = path_of_file(arena, base_dir, node);
    struct slice text = SLICE_EMPTY;
    char reason[128];
    int failure = read_small_file(arena, file, &text);
    if (failure != 0) {
        problems_add(problems, node, "%s_file: cannot read '%s': %s", path, file,
                     failure == EINVAL ? "not a regular file"
                                       : strerror_r(failure, reason, sizeof(reason)));
        return false;
    }
    size_t length = text.len;
    while (length > 0 && (text.ptr[length - 1] == '\n' || text.ptr[length - 1] == '\r'))
        length--;
    ((char *)(uintptr_t)text.ptr)[length] = '\0'; /* our own copy, just read */
    *secret = slice_of(text.ptr, length);
    if (length == 0 || memchr(text.ptr, 0, length)) {
        problems_add(problems, node, "%s_file: '%s' %s", path, file,
                     length == 0 ? "is empty" : "holds a NUL character");
        return false;
    }
    return true;
}
