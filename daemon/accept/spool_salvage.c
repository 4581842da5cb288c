/* spool_salvage.c - see spool_salvage.h. */
#include "daemon/accept/spool_salvage.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/accept/spool_frame.h"
#include "sql_queries.h"

#define GAP_MAX 1000000 /* ids between two that could be read, looked up one by one */

void spool_salvage_free(struct spool_salvage *salvage)
{
    arena_free(&salvage->arena);
    free(salvage->entries);
    *salvage = (struct spool_salvage){0};
}

static bool has_id(const struct spool_salvage *salvage, int64_t id)
{
    for (size_t i = 0; i < salvage->count; i++) {
        if (salvage->entries[i].spool_id == id)
            return true;
    }
    return false;
}

static bool keep(struct spool_salvage *salvage, const struct spool_entry *entry)
{
    if (salvage->count == salvage->capacity) {
        size_t capacity = salvage->capacity ? salvage->capacity * 2 : 256;
        struct spool_entry *entries = realloc(salvage->entries, capacity * sizeof(*entries));
        if (entries == NULL)
            return false;
        salvage->entries = entries;
        salvage->capacity = capacity;
    }
    struct spool_entry *kept = &salvage->entries[salvage->count];
    *kept = *entry;
    kept->source = arena_dup(salvage->arena, entry->source);
    kept->layout = arena_dup(salvage->arena, entry->layout);
    kept->meta = arena_dup(salvage->arena, entry->meta);
    kept->position = arena_dup(salvage->arena, entry->position);
    kept->body = arena_dup(salvage->arena, entry->body);
    if (arena_failed(salvage->arena))
        return false;
    salvage->count++;
    return true;
}

/* ---- through SQLite ---- */

static bool keep_row(struct spool_salvage *salvage, sqlite3_stmt *row)
{
    struct spool_entry entry;
    size_t length;
    struct slice frame = slice_of(sqlite3_column_blob(row, 1), (size_t)sqlite3_column_bytes(row, 1));
    if (!spool_frame_read(frame, &entry, &length)) {
        salvage->damaged++;
        return true;
    }
    return keep(salvage, &entry);
}

/* Walks in one direction up to the first row that SQLite cannot read; *last is the last id it could. */
static bool walk(sqlite3 *db, const char *sql, struct spool_salvage *salvage, int64_t stop, int64_t *last)
{
    sqlite3_stmt *rows = NULL;
    bool able = true;
    if (sqlite3_prepare_v2(db, sql, -1, &rows, NULL) == SQLITE_OK) {
        while (able && sqlite3_step(rows) == SQLITE_ROW) {
            int64_t id = sqlite3_column_int64(rows, 0);
            if (id == stop)
                break;
            *last = id;
            able = keep_row(salvage, rows);
        }
    }
    sqlite3_finalize(rows);
    return able;
}

static bool look_up_between(sqlite3 *db, struct spool_salvage *salvage, int64_t after, int64_t before)
{
    sqlite3_stmt *row = NULL;
    bool able = true;
    if (before - after > GAP_MAX ||
        sqlite3_prepare_v2(db, sql_spool_one.text, -1, &row, NULL) != SQLITE_OK)
        return true;
    for (int64_t id = after + 1; able && id < before; id++) {
        sqlite3_bind_int64(row, 1, id);
        if (sqlite3_step(row) == SQLITE_ROW)
            able = keep_row(salvage, row);
        sqlite3_reset(row);
    }
    sqlite3_finalize(row);
    return able;
}

static bool read_rows(const char *path, struct spool_salvage *salvage)
{
    sqlite3 *db = NULL;
    int64_t first_end = 0, second_end = INT64_MAX;
    bool able = true;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
        sqlite3_exec(db, "PRAGMA locking_mode=EXCLUSIVE", NULL, NULL, NULL) == SQLITE_OK) {
        able = walk(db, sql_spool_all.text, salvage, -1, &first_end);
        if (able)
            able = walk(db, sql_spool_backwards.text, salvage, first_end,
                        &second_end);
        if (able && second_end > first_end && second_end != INT64_MAX)
            able = look_up_between(db, salvage, first_end, second_end);
    }
    (void)sqlite3_exec(db, "PRAGMA query_only=1", NULL, NULL, NULL);
    sqlite3_close(db);
    return able;
}

/* ---- by search ---- */

static int by_id(const void *a, const void *b)
{
    int64_t left = ((const struct spool_entry *)a)->spool_id, right = ((const struct spool_entry *)b)->spool_id;
    return left < right ? -1 : left > right;
}

static void sort_once_each(struct spool_salvage *salvage)
{
    size_t kept = 0;
    if (salvage->count == 0)
        return;
    qsort(salvage->entries, salvage->count, sizeof(*salvage->entries), by_id);
    for (size_t i = 1; i < salvage->count; i++) {
        if (salvage->entries[i].spool_id != salvage->entries[kept].spool_id)
            salvage->entries[++kept] = salvage->entries[i];
    }
    salvage->count = kept + 1;
}

static bool search_bytes(struct slice bytes, struct spool_salvage *salvage)
{
    struct spool_entry entry;
    size_t length, at = 0;
    while (at < bytes.len) {
        const char *found = memmem(bytes.ptr + at, bytes.len - at, SPOOL_FRAME_MAGIC, 8);
        if (found == NULL)
            return true;
        at = (size_t)(found - bytes.ptr);
        if (spool_frame_read(slice_sub(bytes, at, bytes.len), &entry, &length)) {
            if (!has_id(salvage, entry.spool_id) && !keep(salvage, &entry))
                return false;
            at += length;
        } else {
            at += 8;
        }
    }
    return true;
}

static bool search_file(const char *path, size_t max_bytes, struct spool_salvage *salvage)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    size_t size = fstat(fd, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size : 0;
    if (size > max_bytes)
        size = max_bytes;
    char *bytes = malloc(size + 1);
    size_t len = 0;
    while (bytes && len < size) {
        ssize_t got = pread(fd, bytes + len, size - len, (off_t)len);
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    close(fd);
    bool able = bytes != NULL && search_bytes(slice_of(bytes, len), salvage);
    free(bytes);
    return able;
}

bool spool_salvage(const char *path, size_t max_bytes, struct spool_salvage *salvage)
{
    char log_path[PATH_MAX];
    *salvage = (struct spool_salvage){.arena = arena_new(max_bytes * 2 + ((size_t)1 << 20))};
    snprintf(log_path, sizeof(log_path), "%s-wal", path);
    /* The files are searched first: SQLite may change them when it opens them. */
    bool able = salvage->arena && search_file(path, max_bytes * 2, salvage) &&
                search_file(log_path, max_bytes * 2, salvage);
    able = able && read_rows(path, salvage);
    if (able)
        sort_once_each(salvage);
    return able;
}
