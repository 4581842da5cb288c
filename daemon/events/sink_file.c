/*
 * sink_file.c - appends events to a file, one CloudEvent a line.
 *
 * A batch is one write and one fdatasync; the cursor follows. When the file under the path is
 * another one (rotated) it is opened anew before the next batch. What a full disk left of a batch
 * is cut off again; a line torn by a crash is ended, and its event is told again.
 */
#include "daemon/events/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX_BYTES ((size_t)64 << 20)

struct file_log {
    const char *path;
    int fd;
    bool is_torn; /* the last byte is not a newline */
    struct buf lines;
};

static enum status open_file(struct sink *sink, struct err *err)
{
    struct file_log *file = sink->file = calloc(1, sizeof(*file));
    if (file == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory");
    file->fd = -1;
    file->path = options_string(sink->options, "path");
    file->lines = BUF_INIT(LINES_MAX_BYTES);
    if (file->path == NULL || file->path[0] != '/')
        return err_set(err, RETRY_REJECT_CONFIG, "events.path", "path must be absolute");
    return STATUS_OK;
}

static void close_log(struct file_log *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
}

static void close_file(struct sink *sink)
{
    if (sink->file == NULL)
        return;
    close_log(sink->file);
    buf_free(&sink->file->lines);
    free(sink->file);
    sink->file = NULL;
}

/* A new name is only as durable as its directory. */
static void sync_directory(const char *path)
{
    char copy[4096];
    snprintf(copy, sizeof(copy), "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
}

/* Whether the file under the path is still the one that is open. */
static bool is_current(const struct file_log *file)
{
    struct stat open_one, named;
    return file->fd >= 0 && fstat(file->fd, &open_one) == 0 && stat(file->path, &named) == 0 &&
           open_one.st_ino == named.st_ino && open_one.st_dev == named.st_dev;
}

static enum status reopen(struct file_log *file, struct err *err)
{
    struct stat status;
    char last = '\n';
    if (is_current(file))
        return STATUS_OK;
    close_log(file);
    file->fd = open(file->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (file->fd < 0)
        return err_set_errno(err, errno, "events.file", "cannot open %s", file->path);
    if (fstat(file->fd, &status) != 0)
        return err_set_errno(err, errno, "events.file", "cannot read the size of %s", file->path);
    if (S_ISREG(status.st_mode) && status.st_size == 0)
        sync_directory(file->path);
    if (S_ISREG(status.st_mode) && status.st_size > 0 &&
        pread(file->fd, &last, 1, status.st_size - 1) != 1)
        return err_set_errno(err, errno, "events.file", "cannot read the end of %s", file->path);
    file->is_torn = last != '\n';
    return STATUS_OK;
}

static enum status append(struct file_log *file, struct slice bytes, struct err *err)
{
    struct stat before;
    if (fstat(file->fd, &before) != 0)
        return err_set_errno(err, errno, "events.file", "cannot read the size of %s", file->path);
    for (size_t done = 0; done < bytes.len;) {
        ssize_t written = write(file->fd, bytes.ptr + done, bytes.len - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            int number = written == 0 ? ENOSPC : errno;
            if (S_ISREG(before.st_mode) && ftruncate(file->fd, before.st_size) != 0)
                file->is_torn = done > 0;
            return err_set_errno(err, number, "events.file", "cannot write %s", file->path);
        }
        done += (size_t)written;
    }
    if (S_ISREG(before.st_mode) && fdatasync(file->fd) != 0) {
        int number = errno;
        close_log(file); /* what did not reach the disk is written again elsewhere in it */
        return err_set_errno(err, number, "events.file", "cannot sync %s", file->path);
    }
    file->is_torn = false;
    return STATUS_OK;
}

static enum status write_lines(struct file_log *file, struct event_item *const *items, size_t count,
                               struct err *err)
{
    if (reopen(file, err) != STATUS_OK)
        return STATUS_FAILED;
    buf_reset(&file->lines);
    if (file->is_torn)
        buf_put_byte(&file->lines, '\n');
    for (size_t i = 0; i < count; i++) {
        buf_put_slice(&file->lines, items[i]->body);
        buf_put_byte(&file->lines, '\n');
    }
    if (buf_failed(&file->lines))
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a batch of %zu events",
                       count);
    return append(file, buf_slice(&file->lines), err);
}

static enum status pump_file(struct sink *sink, struct db *db, struct err *err)
{
    struct event_item *taken[2 * SINK_WINDOW_MAX];
    size_t count = 0, bytes = 0;
    (void)db;
    (void)err; /* its own failures are the sink's, not the database's */
    while (count < 2 * SINK_WINDOW_MAX && bytes < LINES_MAX_BYTES / 2 - CLOUDEVENT_MAX_BYTES / 2) {
        struct event_item *item = sink_next(sink);
        if (item == NULL)
            break;
        bytes += item->body.len + 1;
        taken[count++] = item;
    }
    if (count == 0)
        return STATUS_OK;
    struct err file_err;
    struct outcome outcome = {.kind = OUTCOME_DELIVERED, .retry_after_ms = -1};
    if (write_lines(sink->file, taken, count, &file_err) != STATUS_OK) {
        outcome.kind = OUTCOME_HELD;
        snprintf(outcome.error, sizeof(outcome.error), "%s", file_err.text);
    }
    for (size_t i = 0; i < count; i++)
        sink_settle(sink, taken[i], &outcome);
    return STATUS_OK;
}

const struct sink_driver sink_file = {.type = "file",
                                      .open = open_file,
                                      .pump = pump_file,
                                      .close = close_file,
                                      .in_order = true,
                                      .has_body = true};
