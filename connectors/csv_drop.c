/* csv_drop.c - see csv_drop.h. */
#include "connectors/csv_drop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/crash_point.h"
#include "daemon/base/log.h"

#define CANDIDATES_MAX  4096 /* looked at in one scan; the others wait for the next */
#define OPEN_GRACE      30   /* times settle, for a file whose writer cannot be asked about */
#define EXPIRE_EVERY_US ((int64_t)3600 * 1000000)
#define NAME_TRIES      10000
#define SHOWN_MAX       200 /* of a name, so that a token and a suffix find room beside it */
#define TAIL_MAX        16  /* of an extension */

struct candidate {
    char name[CSV_DROP_NAME_MAX];
    off_t size;
    struct timespec written;
    int64_t changed_us; /* monotonic: since when it has been the same */
    bool writing;       /* inotify saw a write after the last close */
    bool seen;          /* in this scan */
    bool told;          /* that it cannot be read */
    bool is_file;       /* and no link, pipe ... */
};

struct csv_drop {
    char *dir;
    int64_t settle_us;
    const struct clock *clock;
    int dir_fd, work_fd, done_fd, failed_fd;
    int inotify_fd;
    struct candidate *candidates;
    size_t count, capacity;
    uint64_t claims;
    int64_t expired_us; /* monotonic, when files were last expired */
};

/* --- folders --- */

static enum status make_dirs(const char *path, struct err *err)
{
    char part[4096];
    if (strlen(path) >= sizeof(part))
        return err_set(err, RETRY_REJECT_CONFIG, "csv.drop", "the folder's name '%s' is too long",
                       path);
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0770) != 0 && errno != EEXIST)
            return err_set_errno(err, errno, "csv.drop", "cannot make the folder '%s'", part);
    }
    return STATUS_OK;
}

/* Whoever may drop files may make links too: through one that stands for done/, expiring would delete elsewhere. */
static int open_sub(struct csv_drop *drop, const char *name)
{
    if (mkdirat(drop->dir_fd, name, 0770) != 0 && errno != EEXIST)
        return -1;
    return openat(drop->dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static enum status open_dirs(struct csv_drop *drop, struct err *err)
{
    enum status status = make_dirs(drop->dir, err);
    if (status != STATUS_OK)
        return status;
    drop->dir_fd = open(drop->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (drop->dir_fd >= 0) {
        drop->work_fd = open_sub(drop, "work");
        drop->done_fd = open_sub(drop, "done");
        drop->failed_fd = open_sub(drop, "failed");
    }
    if (drop->dir_fd < 0 || drop->work_fd < 0 || drop->done_fd < 0 || drop->failed_fd < 0)
        return err_set_errno(err, errno, "csv.drop",
                             "cannot use the folder '%s' or work/, done/, failed/ in it, which must be folders and "
                             "no links", drop->dir);
    drop->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    uint32_t mask = IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_ONLYDIR;
    if (drop->inotify_fd >= 0 && inotify_add_watch(drop->inotify_fd, drop->dir, mask) < 0) {
        close(drop->inotify_fd);
        drop->inotify_fd = -1;
    }
    if (drop->inotify_fd < 0) /* scanning alone will do */
        log_warn("csv.watch",
                 "cannot watch '%s': %s; looking into it every second; hint: raise "
                 "fs.inotify.max_user_instances",
                 drop->dir, strerror(errno));
    return STATUS_OK;
}

struct csv_drop *csv_drop_new(const char *dir, int64_t settle_ms, const struct clock *clock,
                              struct err *err)
{
    struct csv_drop *drop = calloc(1, sizeof(*drop));
    char *copy = strdup(dir);
    if (drop == NULL || copy == NULL) {
        (void)err_set_errno(err, ENOMEM, "csv.memory", "cannot watch '%s'", dir);
        free(drop);
        free(copy);
        return NULL;
    }
    drop->dir = copy;
    drop->settle_us = settle_ms * 1000;
    drop->clock = clock;
    drop->dir_fd = drop->work_fd = drop->done_fd = drop->failed_fd = drop->inotify_fd = -1;
    if (open_dirs(drop, err) != STATUS_OK)
        csv_drop_free(&drop);
    return drop;
}

void csv_drop_free(struct csv_drop **drop)
{
    if (*drop == NULL)
        return;
    int fds[] = {(*drop)->dir_fd, (*drop)->work_fd, (*drop)->done_fd, (*drop)->failed_fd,
                 (*drop)->inotify_fd};
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    free((*drop)->candidates);
    free((*drop)->dir);
    free(*drop);
    *drop = NULL;
}

/* --- who is ready --- */

static bool is_wanted(const char *name)
{
    static const char *const unfinished[] = {".tmp",      ".part", ".partial", ".crdownload",
                                             ".filepart", ".swp",  ".writing", "~"};
    struct slice text = slice_str(name);
    if (name[0] == '.' || text.len >= CSV_DROP_NAME_MAX)
        return false;
    for (size_t i = 0; i < sizeof(unfinished) / sizeof(unfinished[0]); i++) {
        if (slice_ends(text, slice_str(unfinished[i])))
            return false;
    }
    return true;
}

static struct candidate *find_candidate(struct csv_drop *drop, const char *name, bool add)
{
    for (size_t i = 0; i < drop->count; i++) {
        if (strcmp(drop->candidates[i].name, name) == 0)
            return &drop->candidates[i];
    }
    if (!add || drop->count == CANDIDATES_MAX)
        return NULL;
    if (drop->count == drop->capacity) {
        size_t capacity = drop->capacity ? drop->capacity * 2 : 16;
        struct candidate *more = realloc(drop->candidates, capacity * sizeof(*more));
        if (more == NULL)
            return NULL;
        drop->candidates = more;
        drop->capacity = capacity;
    }
    struct candidate *fresh = &drop->candidates[drop->count++];
    *fresh = (struct candidate){.size = -1};
    snprintf(fresh->name, sizeof(fresh->name), "%s", name);
    return fresh;
}

static void take_event(struct csv_drop *drop, const struct inotify_event *event)
{
    if (event->len == 0 || (event->mask & IN_ISDIR) || !is_wanted(event->name))
        return;
    struct candidate *candidate = find_candidate(drop, event->name, true);
    if (candidate == NULL)
        return;
    candidate->changed_us = clock_monotonic_us(drop->clock);
    candidate->writing = !(event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO));
}

static void take_events(struct csv_drop *drop)
{
    _Alignas(struct inotify_event) char bytes[8192];
    ssize_t got;
    while (drop->inotify_fd >= 0 && (got = read(drop->inotify_fd, bytes, sizeof(bytes))) > 0) {
        for (char *p = bytes; p < bytes + got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)p;
            take_event(drop, event);
            p += sizeof(*event) + event->len;
        }
    }
}

static void look_at(struct csv_drop *drop, const char *name)
{
    struct stat about;
    if (!is_wanted(name) || fstatat(drop->dir_fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(about.st_mode))
        return;
    struct candidate *candidate = find_candidate(drop, name, true);
    if (candidate == NULL)
        return;
    candidate->seen = true;
    candidate->is_file = S_ISREG(about.st_mode);
    if (!candidate->is_file && !candidate->told)
        log_warn("csv.no_file", "'%s/%s' is a link or a device and is not read; hint: drop the file itself", drop->dir,
                 name);
    candidate->told = candidate->told || !candidate->is_file;
    if (candidate->size == about.st_size && candidate->written.tv_sec == about.st_mtim.tv_sec &&
        candidate->written.tv_nsec == about.st_mtim.tv_nsec)
        return;
    candidate->size = about.st_size;
    candidate->written = about.st_mtim;
    candidate->changed_us = clock_monotonic_us(drop->clock);
}

static enum status scan(struct csv_drop *drop, struct err *err)
{
    int fd = openat(drop->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        int number = errno;
        if (fd >= 0)
            close(fd);
        return err_set_errno(err, number, "csv.drop", "cannot look into '%s'", drop->dir);
    }
    for (size_t i = 0; i < drop->count; i++)
        drop->candidates[i].seen = false;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        look_at(drop, entry->d_name);
    closedir(dir);
    size_t kept = 0;
    for (size_t i = 0; i < drop->count; i++) {
        if (drop->candidates[i].seen)
            drop->candidates[kept++] = drop->candidates[i];
    }
    drop->count = kept;
    return STATUS_OK;
}

enum writer { WRITER_NONE, WRITER_SOME, WRITER_UNKNOWN };

/* The kernel grants a read lease only when no descriptor is open for writing. A writer that comes
 * while we hold it is signalled with SIGURG, which is ignored unless somebody handles it. */
static enum writer ask_for_writer(int fd)
{
    if (fcntl(fd, F_SETSIG, SIGURG) != 0 || fcntl(fd, F_SETLEASE, F_RDLCK) != 0)
        return errno == EAGAIN ? WRITER_SOME : WRITER_UNKNOWN;
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return WRITER_NONE;
}

static bool is_ready(struct csv_drop *drop, struct candidate *candidate)
{
    int64_t same_us = clock_monotonic_us(drop->clock) - candidate->changed_us;
    if (!candidate->is_file || same_us < drop->settle_us)
        return false;
    int fd = openat(drop->dir_fd, candidate->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        if (!candidate->told)
            log_warn("csv.unreadable",
                     "cannot read '%s/%s': %s; hint: let the daemon's user read it", drop->dir,
                     candidate->name, strerror(errno));
        candidate->told = true;
        return false;
    }
    enum writer writer = ask_for_writer(fd);
    close(fd);
    if (writer == WRITER_UNKNOWN)
        return !candidate->writing || same_us > OPEN_GRACE * (drop->settle_us + 1000000);
    return writer == WRITER_NONE;
}

/* --- claiming and putting away --- */

/* The name in work/: a token, which is unique and in order, and the name, of which a very long one loses its middle. */
static void name_claimed(struct csv_drop *drop, const char *shown, char name[CSV_DROP_NAME_MAX])
{
    size_t len = strlen(shown), kept = len, tail = 0;
    if (len > SHOWN_MAX) {
        const char *dot = strrchr(shown, '.');
        tail = dot && len - (size_t)(dot - shown) <= TAIL_MAX ? len - (size_t)(dot - shown) : 0;
        kept = SHOWN_MAX - tail;
        while (kept > 0 && ((unsigned char)shown[kept] & 0xC0) == 0x80)
            kept--; /* not in the middle of a character */
    }
    snprintf(name, CSV_DROP_NAME_MAX, "%015llx%04x~%.*s%s", (unsigned long long)clock_wall_us(drop->clock),
             (unsigned)(drop->claims++ & 0xFFFF), (int)kept, shown, shown + len - tail);
}

enum status csv_drop_claim(struct csv_drop *drop, char name[CSV_DROP_NAME_MAX], struct err *err)
{
    take_events(drop);
    enum status status = scan(drop, err);
    if (status != STATUS_OK)
        return status;
    for (;;) {
        struct candidate *oldest = NULL;
        for (size_t i = 0; i < drop->count; i++) {
            struct candidate *each = &drop->candidates[i];
            bool older = oldest == NULL || each->written.tv_sec < oldest->written.tv_sec ||
                         (each->written.tv_sec == oldest->written.tv_sec &&
                          (each->written.tv_nsec < oldest->written.tv_nsec ||
                           (each->written.tv_nsec == oldest->written.tv_nsec &&
                            strcmp(each->name, oldest->name) < 0)));
            if (each->seen && older)
                oldest = each;
        }
        if (oldest == NULL)
            return STATUS_EMPTY;
        oldest->seen = false;
        if (!is_ready(drop, oldest))
            continue;
        name_claimed(drop, oldest->name, name);
        CRASH_POINT("csv.before_claim");
        if (renameat2(drop->dir_fd, oldest->name, drop->work_fd, name, RENAME_NOREPLACE) == 0) {
            CRASH_POINT("csv.claimed");
            return STATUS_OK;
        }
        if (errno != ENOENT && errno != EEXIST)
            return err_set_errno(err, errno, "csv.claim", "cannot claim '%s/%s'", drop->dir,
                                 oldest->name);
    }
}

static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("0123456789abcdef", text.ptr[i]) == NULL)
            return false;
    }
    return text.len == 19;
}

struct slice csv_drop_shown(struct slice name)
{
    ptrdiff_t tilde = slice_find_byte(name, '~');
    if (tilde > 0 && is_token(slice_sub(name, 0, (size_t)tilde)) && (size_t)tilde + 1 < name.len)
        return slice_sub(name, (size_t)tilde + 1, name.len);
    return name;
}

enum status csv_drop_leftover(struct csv_drop *drop, const char *after,
                              char name[CSV_DROP_NAME_MAX], struct err *err)
{
    int fd = openat(drop->work_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        int number = errno;
        if (fd >= 0)
            close(fd);
        return err_set_errno(err, number, "csv.drop", "cannot look into '%s/work'", drop->dir);
    }
    bool found = false;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat about;
        if (entry->d_name[0] == '.' || strcmp(entry->d_name, after) <= 0 ||
            (found && strcmp(entry->d_name, name) >= 0) ||
            fstatat(drop->work_fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(about.st_mode))
            continue;
        snprintf(name, CSV_DROP_NAME_MAX, "%s", entry->d_name);
        found = true;
    }
    closedir(dir);
    return found ? STATUS_OK : STATUS_EMPTY;
}

/* "orders.csv", then "orders-2.csv", "orders-3.csv" ... */
static void suffixed(struct slice shown, int try, char *out, size_t size)
{
    size_t dot = shown.len;
    while (dot > 1 && shown.ptr[dot - 1] != '.')
        dot--;
    dot = dot > 1 ? dot - 1 : shown.len;
    if (try == 1)
        snprintf(out, size, "%.*s", (int)shown.len, shown.ptr);
    else
        snprintf(out, size, "%.*s-%d%.*s", (int)dot, shown.ptr, try, (int)(shown.len - dot),
                 shown.ptr + dot);
}

static enum status put_away(struct csv_drop *drop, const char *name, int to_fd, const char *to,
                            char final[CSV_DROP_NAME_MAX + 16], struct err *err)
{
    CRASH_POINT("csv.before_done");
    for (int try = 1; try < NAME_TRIES; try++) {
        suffixed(csv_drop_shown(slice_str(name)), try, final, CSV_DROP_NAME_MAX + 16);
        if (renameat2(drop->work_fd, name, to_fd, final, RENAME_NOREPLACE) == 0) {
            CRASH_POINT("csv.done");
            return STATUS_OK;
        }
        if (errno == ENOENT)
            return STATUS_EMPTY; /* moved already, or taken away by somebody */
        if (errno != EEXIST)
            break;
    }
    return err_set_errno(err, errno, "csv.move", "cannot move '%s/work/%s' to %s/", drop->dir, name,
                         to);
}

enum status csv_drop_done(struct csv_drop *drop, const char *name, struct err *err)
{
    char final[CSV_DROP_NAME_MAX + 16];
    enum status status = put_away(drop, name, drop->done_fd, "done", final, err);
    return status == STATUS_EMPTY ? STATUS_OK : status;
}

enum status csv_drop_failed(struct csv_drop *drop, const char *name, const char *reason,
                            struct err *err)
{
    char final[CSV_DROP_NAME_MAX + 16], beside[CSV_DROP_NAME_MAX + 32];
    enum status status = put_away(drop, name, drop->failed_fd, "failed", final, err);
    if (status != STATUS_OK)
        return status == STATUS_EMPTY ? STATUS_OK : status;
    snprintf(beside, sizeof(beside), "%s.reason.txt", final);
    int fd = openat(drop->failed_fd, beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                    0660);
    bool written = fd >= 0 && dprintf(fd, "%s\n", reason) > 0;
    if (!written)
        log_warn("csv.reason", "cannot write '%s/failed/%s': %s", drop->dir, beside,
                 strerror(errno));
    if (fd >= 0)
        close(fd);
    return STATUS_OK;
}

static void expire_in(int dir_fd, int64_t before_us)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct stat about;
        /* A rename sets the change time: when it was put away. */
        if (fstatat(dir_fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(about.st_mode) && (int64_t)about.st_ctim.tv_sec * 1000000 < before_us)
            (void)unlinkat(dir_fd, entry->d_name, 0);
    }
    closedir(dir);
}

void csv_drop_expire(struct csv_drop *drop, int64_t keep_ms)
{
    int64_t now_us = clock_monotonic_us(drop->clock);
    if (keep_ms <= 0 || (drop->expired_us != 0 && now_us - drop->expired_us < EXPIRE_EVERY_US))
        return;
    drop->expired_us = now_us;
    int64_t before_us = clock_wall_us(drop->clock) - keep_ms * 1000;
    expire_in(drop->done_fd, before_us);
    expire_in(drop->failed_fd, before_us);
}

void csv_drop_wait(struct csv_drop *drop, const struct stop *stop, int64_t wait_ms)
{
    int64_t settle_ms = drop->settle_us / 1000;
    bool soon = false;
    for (size_t i = 0; i < drop->count; i++)
        soon = soon || !drop->candidates[i].told;
    if (soon && wait_ms > settle_ms)
        wait_ms = settle_ms < 10 ? 10 : settle_ms;
    struct pollfd fds[2] = {{.fd = stop->fd, .events = POLLIN},
                            {.fd = drop->inotify_fd, .events = POLLIN}};
    (void)poll(fds, drop->inotify_fd >= 0 ? 2 : 1, (int)wait_ms);
}

void csv_drop_path(const struct csv_drop *drop, const char *name, struct buf *out)
{
    buf_reset(out);
    buf_printf(out, "%s/work/%s", drop->dir, name);
    buf_put_byte(out, '\0');
}
