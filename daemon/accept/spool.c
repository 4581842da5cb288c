/*
 * spool.c - see spool.h.
 *
 * One SQLite table of frames that carry their own check. The file is locked for this process alone, which also keeps
 * SQLite from mapping memory (a full disk is then an error, not a signal). Everything is read once at the start; at
 * the first sign of damage the files are moved aside and what is whole in them goes into a new spool. SQLite's SQL
 * stands here and not in sql/, which is PostgreSQL's.
 */
#include "daemon/accept/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/accept/spool_frame.h"
#include "daemon/accept/spool_salvage.h"
#include "daemon/base/crash_point.h"
#include "daemon/base/log.h"
#include "sql_queries.h"

#define READ_MAX_BYTES ((size_t)32 << 20) /* of entries read at a time, one more not counted */
#define SHRINK_BYTES ((off_t)16 << 20) /* an empty spool larger than this is made small again */

struct spool {
    char path[PATH_MAX];
    int64_t max_bytes;
    sqlite3 *db;
    sqlite3_stmt *insert, *select, *forget;
    uint64_t count;
    int64_t bytes;
    int64_t last_id;
};

static enum status sqlite_err(const struct spool *spool, struct err *err, const char *what)
{
    int code = spool->db ? sqlite3_extended_errcode(spool->db) : SQLITE_NOMEM;
    int primary = code & 0xff;
    const char *id = primary == SQLITE_FULL ? "accept.spool_full" : "accept.spool";
    enum status status = err_set(err, RETRY_LATER, id, "spool %s: %s: %s", spool->path, what,
                                 spool->db ? sqlite3_errmsg(spool->db) : "out of memory");
    err->number = code;
    return status;
}

/* Whether a failure is the file's own: everything but a full or failing disk, memory, rights and locks. A flipped bit
 * may make a file look read-only, or its one table look like another. */
static bool is_damage(const struct spool *spool, int code)
{
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return true;
    case SQLITE_READONLY:
        return access(spool->path, W_OK) == 0;
    default:
        return code == SQLITE_IOERR_SHORT_READ;
    }
}

static void close_database(struct spool *spool)
{
    sqlite3_finalize(spool->insert);
    sqlite3_finalize(spool->select);
    sqlite3_finalize(spool->forget);
    spool->insert = spool->select = spool->forget = NULL;
    sqlite3_close(spool->db);
    spool->db = NULL;
}

static bool prepare(struct spool *spool, const char *sql, sqlite3_stmt **statement)
{
    return sqlite3_prepare_v3(spool->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK;
}

static int read_version(sqlite3 *db, int *version)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        *version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* Posts are nobody else's to read; SQLite gives its other files the mode of this one. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return; /* opening it again says why */
    (void)fchmod(fd, 0600);
    close(fd);
}

static int open_file(struct spool *spool)
{
    int version = 0;
    make_private(spool->path);
    int code = sqlite3_open_v2(spool->path, &spool->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        (void)sqlite3_extended_result_codes(spool->db, 1);
    if (code == SQLITE_OK)
        code = sqlite3_exec(spool->db, sql_spool_open.text, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = read_version(spool->db, &version);
    if (code == SQLITE_OK && version == 0)
        code = sqlite3_exec(spool->db, sql_spool_create.text, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_exec(spool->db, sql_spool_probe.text, NULL, NULL, NULL);
    return code;
}

/* Opens and counts; every row is read, so that damage is found now and not when it is needed. */
static enum status open_database(struct spool *spool, bool *damaged, struct err *err)
{
    sqlite3_stmt *rows = NULL;
    int code = open_file(spool);
    if (code == SQLITE_OK &&
        (!prepare(spool, sql_spool_put.text, &spool->insert) ||
         !prepare(spool, sql_spool_first.text, &spool->select) ||
         !prepare(spool, sql_spool_forget.text, &spool->forget) ||
         !prepare(spool, sql_spool_all.text, &rows)))
        code = sqlite3_extended_errcode(spool->db);
    spool->count = 0;
    spool->bytes = 0;
    spool->last_id = 0;
    while (code == SQLITE_OK) {
        struct spool_entry entry;
        size_t length;
        code = sqlite3_step(rows);
        if (code != SQLITE_ROW)
            break;
        struct slice frame = slice_of(sqlite3_column_blob(rows, 1), (size_t)sqlite3_column_bytes(rows, 1));
        code = spool_frame_read(frame, &entry, &length) && entry.spool_id == sqlite3_column_int64(rows, 0)
                   ? SQLITE_OK : SQLITE_CORRUPT;
        spool->count++;
        spool->bytes += (int64_t)frame.len;
        spool->last_id = entry.spool_id;
    }
    *damaged = is_damage(spool, code);
    enum status status = code == SQLITE_OK || code == SQLITE_DONE ? STATUS_OK : sqlite_err(spool, err, "opening");
    if (*damaged)
        (void)err_set(err, RETRY_LATER, "accept.spool_damaged", "spool %s is damaged", spool->path);
    sqlite3_finalize(rows);
    return status;
}

static enum status insert_frame(struct spool *spool, int64_t id, const struct spool_entry *entry,
                                struct buf *frame, struct err *err)
{
    buf_reset(frame);
    spool_frame_put(frame, id, entry);
    if (buf_failed(frame))
        return err_set(err, RETRY_REJECT_RECORD, "accept.spool_entry", "a post is too large for the spool");
    sqlite3_bind_int64(spool->insert, 1, id);
    sqlite3_bind_blob64(spool->insert, 2, frame->data, frame->len, SQLITE_STATIC);
    int code = sqlite3_step(spool->insert);
    enum status status = code == SQLITE_DONE ? STATUS_OK : sqlite_err(spool, err, "writing");
    sqlite3_reset(spool->insert);
    sqlite3_clear_bindings(spool->insert);
    return status;
}

/* All entries in one transaction; ids as they are, or the next ones. */
static enum status insert_all(struct spool *spool, const struct spool_entry *entries, size_t count,
                              bool keep_ids, struct err *err)
{
    struct buf frame = BUF_INIT(SPOOL_FRAME_MAX_BYTES);
    enum status status = STATUS_OK;
    int64_t id = spool->last_id, bytes = 0;
    if (sqlite3_exec(spool->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_err(spool, err, "beginning");
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        id = keep_ids ? entries[i].spool_id : id + 1;
        status = insert_frame(spool, id, &entries[i], &frame, err);
        bytes += (int64_t)frame.len;
    }
    buf_free(&frame);
    CRASH_POINT("spool.before_commit");
    if (status == STATUS_OK && sqlite3_exec(spool->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        status = sqlite_err(spool, err, "committing");
    if (status != STATUS_OK) {
        (void)sqlite3_exec(spool->db, "ROLLBACK", NULL, NULL, NULL);
        return status;
    }
    spool->count += count;
    spool->bytes += bytes;
    spool->last_id = id;
    return STATUS_OK;
}

static void move_aside(const char *path, const char *suffix, const char *stamp)
{
    char from[PATH_MAX + 8], to[PATH_MAX + 64];
    snprintf(from, sizeof(from), "%s%s", path, suffix);
    snprintf(to, sizeof(to), "%s.damaged-%s%s", path, stamp, suffix);
    if (rename(from, to) != 0 && errno != ENOENT)
        log_warn("accept.spool_damaged", "cannot move %s aside: %s", from, strerror(errno));
}

static void remove_files(const char *path)
{
    char name[PATH_MAX + 8];
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

/* Makes a new spool beside the damaged one, of what is whole in that. */
static enum status write_new(const struct spool *spool, const char *new_path, const struct spool_salvage *salvage,
                             struct err *err)
{
    struct spool *fresh = calloc(1, sizeof(*fresh));
    bool damaged;
    if (fresh == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "out of memory for a new spool");
    remove_files(new_path);
    strcpy(fresh->path, new_path);
    fresh->max_bytes = spool->max_bytes;
    enum status status = open_database(fresh, &damaged, err);
    if (status == STATUS_OK && salvage->count > 0)
        status = insert_all(fresh, salvage->entries, salvage->count, true, err);
    close_database(fresh); /* brings the log into the file */
    free(fresh);
    return status;
}

/* A crash between the two renames leaves only the new file, which is whole. */
static void finish_renewal(const char *path, const char *new_path)
{
    char log_path[PATH_MAX + 8];
    if (access(path, F_OK) == 0 || access(new_path, F_OK) != 0)
        return;
    snprintf(log_path, sizeof(log_path), "%s-wal", path);
    (void)unlink(log_path);
    if (rename(new_path, path) != 0)
        log_warn("accept.spool_damaged", "cannot rename %s: %s", new_path, strerror(errno));
}

/* Moves the damaged files aside and goes on with what is whole in them. */
static enum status renew(struct spool *spool, struct err *err)
{
    struct spool_salvage salvage;
    struct timespec now;
    char stamp[48], new_path[PATH_MAX + 8];
    bool damaged;
    close_database(spool);
    snprintf(new_path, sizeof(new_path), "%s.new", spool->path);
    enum status status = STATUS_OK;
    if (!spool_salvage(spool->path, (size_t)spool->max_bytes + ((size_t)64 << 20), &salvage))
        status = err_set(err, RETRY_LATER, "base.memory", "spool %s: out of memory for what is whole in it",
                         spool->path);
    if (status == STATUS_OK)
        status = write_new(spool, new_path, &salvage, err);
    if (status == STATUS_OK) {
        clock_gettime(CLOCK_REALTIME, &now); /* only a name */
        snprintf(stamp, sizeof(stamp), "%lld%09ld", (long long)now.tv_sec, now.tv_nsec);
        move_aside(spool->path, "", stamp);
        move_aside(spool->path, "-wal", stamp);
        finish_renewal(spool->path, new_path);
        status = open_database(spool, &damaged, err);
    }
    if (status == STATUS_OK)
        log_warn("accept.spool_damaged", "the spool was damaged: %zu posts were taken over from it, %zu could not be "
                 "read; it is kept as %s.damaged-%s", salvage.count, salvage.damaged, spool->path, stamp);
    spool_salvage_free(&salvage);
    return status;
}

struct spool *spool_open(const char *path, int64_t max_bytes, struct err *err)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    bool damaged = false;
    if (spool == NULL || strlen(path) >= sizeof(spool->path) - 96) {
        (void)err_set(err, RETRY_LATER, "accept.spool", "spool %s: cannot be opened", path);
        free(spool);
        return NULL;
    }
    strcpy(spool->path, path);
    spool->max_bytes = max_bytes;
    char new_path[PATH_MAX + 8];
    snprintf(new_path, sizeof(new_path), "%s.new", path);
    finish_renewal(path, new_path);
    enum status status = open_database(spool, &damaged, err);
    if (status != STATUS_OK && damaged)
        status = renew(spool, err);
    if (status != STATUS_OK)
        spool_close(&spool);
    return spool;
}

void spool_close(struct spool **spool)
{
    if (*spool == NULL)
        return;
    close_database(*spool);
    free(*spool);
    *spool = NULL;
}

/* After a failure that damage explains: a new spool, and the caller's work once more. */
static bool renewed(struct spool *spool, const struct err *err)
{
    struct err renew_err;
    if (!is_damage(spool, err->number))
        return false;
    if (renew(spool, &renew_err) == STATUS_OK)
        return true;
    log_err(LOG_LEVEL_ERROR, &renew_err, "the damaged spool cannot be replaced");
    return false;
}

static enum status reopen(struct spool *spool, struct err *err)
{
    bool damaged;
    close_database(spool);
    enum status status = open_database(spool, &damaged, err);
    return status != STATUS_OK && damaged ? renew(spool, err) : status;
}

enum status spool_put(struct spool *spool, const struct spool_entry *entries, size_t count, struct err *err)
{
    int64_t more = 0;
    for (size_t i = 0; i < count; i++)
        more += (int64_t)(entries[i].source.len + entries[i].layout.len + entries[i].meta.len +
                          entries[i].position.len + entries[i].body.len) + 64;
    if (spool->bytes + more > spool->max_bytes)
        return err_set(err, RETRY_LATER, "accept.spool_full", "spool %s is full at %lld bytes", spool->path,
                       (long long)spool->bytes);
    if (spool->db == NULL && reopen(spool, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = insert_all(spool, entries, count, false, err);
    if (status != STATUS_OK && renewed(spool, err))
        status = insert_all(spool, entries, count, false, err);
    return status;
}

static enum status read_once(struct spool *spool, size_t max, struct arena *arena, struct spool_entry *entries,
                             size_t *count, struct err *err)
{
    int code;
    size_t bytes = 0;
    *count = 0;
    sqlite3_bind_int64(spool->select, 1, (sqlite3_int64)max);
    while ((code = sqlite3_step(spool->select)) == SQLITE_ROW) {
        size_t length;
        struct slice frame = arena_dup(arena, slice_of(sqlite3_column_blob(spool->select, 1),
                                                       (size_t)sqlite3_column_bytes(spool->select, 1)));
        if (arena_failed(arena) || !spool_frame_read(frame, &entries[*count], &length)) {
            code = arena_failed(arena) ? SQLITE_NOMEM : SQLITE_CORRUPT;
            break;
        }
        (*count)++;
        bytes += length;
        if (bytes >= READ_MAX_BYTES)
            break;
    }
    enum status status = STATUS_OK;
    if (code != SQLITE_DONE && *count == 0) {
        status = code == SQLITE_NOMEM ? err_set(err, RETRY_LATER, "base.memory", "no room for spooled posts")
                                      : sqlite_err(spool, err, "reading");
        err->number = code;
    }
    sqlite3_reset(spool->select);
    return status;
}

enum status spool_read(struct spool *spool, size_t max, struct arena *arena, struct spool_entry **entries,
                       size_t *count, struct err *err)
{
    *count = 0;
    *entries = ARENA_ARRAY(arena, struct spool_entry, max);
    if (*entries == NULL)
        return err_set(err, RETRY_LATER, "base.memory", "no room for spooled posts");
    if (spool->db == NULL && reopen(spool, err) != STATUS_OK)
        return STATUS_FAILED;
    enum status status = read_once(spool, max, arena, *entries, count, err);
    if (status != STATUS_OK && renewed(spool, err))
        status = read_once(spool, max, arena, *entries, count, err);
    return status;
}

/* What is left after entries went. */
static void recount(struct spool *spool)
{
    sqlite3_stmt *total = NULL;
    if (prepare(spool, sql_spool_total.text, &total) &&
        sqlite3_step(total) == SQLITE_ROW) {
        spool->count = (uint64_t)sqlite3_column_int64(total, 0);
        spool->bytes = sqlite3_column_int64(total, 1);
    }
    sqlite3_finalize(total);
}

static void shrink(struct spool *spool)
{
    struct stat info;
    if (spool->count > 0)
        return;
    (void)sqlite3_exec(spool->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    if (stat(spool->path, &info) == 0 && info.st_size > SHRINK_BYTES)
        (void)sqlite3_exec(spool->db, "VACUUM", NULL, NULL, NULL);
}

enum status spool_forget(struct spool *spool, int64_t up_to_spool_id, struct err *err)
{
    if (spool->db == NULL && reopen(spool, err) != STATUS_OK)
        return STATUS_FAILED;
    sqlite3_bind_int64(spool->forget, 1, up_to_spool_id);
    enum status status = sqlite3_step(spool->forget) == SQLITE_DONE ? STATUS_OK
                                                                    : sqlite_err(spool, err, "forgetting");
    sqlite3_reset(spool->forget);
    if (status != STATUS_OK && renewed(spool, err))
        return spool_forget(spool, up_to_spool_id, err);
    recount(spool);
    shrink(spool);
    return status;
}

uint64_t spool_count(const struct spool *spool)
{
    return spool->count;
}

int64_t spool_bytes(const struct spool *spool)
{
    return spool->bytes;
}
