/* csv_file.c - see csv_file.h. */
#define XXH_INLINE_ALL
#include "connectors/csv_file.h"
#include "daemon/base/digits.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "daemon/base/log.h"

#define LAYOUT_ARENA_BYTES ((size_t)16 << 20)
#define BATCH_BYTES        ((size_t)8 << 20)
#define DELIVERIES_MAX     (BATCH_BYTES / sizeof(struct delivery))
#define HEAD_BYTES         ((size_t)64 << 10) /* hashed, to know the file again */
#define TAIL_BYTES         ((size_t)4 << 10)  /* likewise, just before the offset */
#define REFUSED_BYTES      ((size_t)4 << 10)  /* of a refused file, kept in its reject */
#define REREADS_MAX        3

struct known_columns {
    struct csv_known_columns base;
    const struct source_context *context;
};

struct csv_file {
    const struct source_context *context;
    int fd;
    const char *name, *shown;
    struct arena *arena; /* names, layout, plan */
    struct csv_reader *reader;
    struct csv_layout layout;
    struct slice layout_json;
    struct csv_plan plan;
    enum csv_file_state state;
    bool end_given; /* the batch that ends the file */
    const char *refusal_code;
    const char *reason;
    uint64_t device, inode, size;
    uint64_t rows;
    size_t head_bytes; /* of the file when it was opened */
    uint64_t head_hash;
    int rereads;
};

/* --- the cursor --- */

static uint64_t number_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static struct slice text_of(const json_t *object, const char *key, struct arena *arena)
{
    const json_t *value = json_object_get(object, key);
    return json_is_string(value)
               ? arena_dup(arena, slice_of(json_string_value(value), json_string_length(value)))
               : SLICE_EMPTY;
}

static const char *const state_names[] = {"reading", "finished", "refused"};

void csv_cursor_read(struct slice json, struct arena *arena, struct csv_cursor *cursor)
{
    json_error_t problem;
    *cursor = (struct csv_cursor){0};
    json_t *root = json.len ? json_loadb(json.ptr, json.len, 0, &problem) : NULL;
    if (!json_is_object(root)) {
        json_decref(root);
        return;
    }
    cursor->file = text_of(root, "file", arena);
    cursor->prefix = text_of(root, "prefix", arena);
    cursor->reason = text_of(root, "reason", arena);
    cursor->device = number_of(root, "device");
    cursor->inode = number_of(root, "inode");
    cursor->size = number_of(root, "size");
    cursor->offset = number_of(root, "offset");
    cursor->line = number_of(root, "line");
    cursor->rows = number_of(root, "rows");
    struct slice state = text_of(root, "state", arena);
    for (int i = 0; i < 3; i++) {
        if (slice_is(state, state_names[i]))
            cursor->state = (enum csv_file_state)i;
    }
    char *layout = json_dumps(json_object_get(root, "layout"), JSON_COMPACT | JSON_ENCODE_ANY);
    if (layout && layout[0] == '{')
        cursor->layout = arena_dup(arena, slice_str(layout));
    free(layout);
    json_decref(root);
}

static bool hash_range(int fd, uint64_t from, size_t len, char *scratch, uint64_t *hash)
{
    size_t got = 0;
    while (got < len) {
        ssize_t count = pread(fd, scratch + got, len - got, (off_t)(from + got));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        got += (size_t)count;
    }
    *hash = XXH3_64bits_withSeed(scratch, len, *hash);
    return true;
}

/* Of the first bytes and of those before `offset`; false when the file does not reach that far. */
static bool prefix_hash(int fd, uint64_t offset, uint64_t *hash)
{
    char scratch[HEAD_BYTES];
    size_t head = offset < HEAD_BYTES ? (size_t)offset : HEAD_BYTES;
    size_t tail = offset < TAIL_BYTES ? (size_t)offset : TAIL_BYTES;
    *hash = offset;
    return hash_range(fd, 0, head, scratch, hash) &&
           hash_range(fd, offset - tail, tail, scratch, hash);
}

static struct slice write_cursor(struct csv_file *file, struct arena *arena)
{
    uint64_t offset = file->reader ? csv_reader_offset(file->reader) : 0, hash = 0;
    struct buf json = BUF_INIT(LAYOUT_ARENA_BYTES);
    if (!prefix_hash(file->fd, offset, &hash))
        hash = 0; /* the file was cut meanwhile: it will not be known again, and be read from its
                     start */
    buf_put_str(&json, "{\"file\":");
    buf_put_json(&json, slice_str(file->name));
    buf_printf(&json, ",\"state\":\"%s\",\"device\":%llu,\"inode\":%llu,\"size\":%llu",
               state_names[file->state], (unsigned long long)file->device,
               (unsigned long long)file->inode, (unsigned long long)file->size);
    buf_printf(&json, ",\"offset\":%llu,\"line\":%llu,\"rows\":%llu,\"prefix\":\"%016llx\"",
               (unsigned long long)offset,
               (unsigned long long)(file->reader ? csv_reader_line(file->reader) : 1),
               (unsigned long long)file->rows, (unsigned long long)hash);
    buf_put_str(&json, ",\"reason\":");
    buf_put_json(&json, slice_str(file->reason));
    if (file->layout_json.len) {
        buf_put_str(&json, ",\"layout\":");
        buf_put_slice(&json, file->layout_json);
    }
    buf_put_str(&json, "}");
    struct slice copy = arena_dup(arena, buf_slice(&json));
    if (buf_failed(&json))
        arena_fail(arena);
    buf_free(&json);
    return copy;
}

/* --- opening --- */

static bool is_known(const struct csv_known_columns *known, struct slice name)
{
    const struct source_context *context =
        ((const struct known_columns *)(const void *)known)->context;
    return context->field_of_column(context, name) != FIELD_NONE;
}

static char chosen_byte(const char *text, char guess)
{
    if (text == NULL || strcmp(text, "auto") == 0)
        return guess;
    if (strcmp(text, "none") == 0)
        return '\0';
    return strcmp(text, "tab") == 0 || strcmp(text, "\\t") == 0 ? '\t' : text[0];
}

static struct csv_settings settings_of(const struct options *options,
                                       const struct known_columns *known)
{
    struct csv_settings settings = {.known = &known->base};
    const char *header = options_string(options, "header");
    settings.encoding_given =
        text_encoding_parse(slice_str(options_string(options, "encoding")), &settings.encoding);
    settings.dialect.delimiter = chosen_byte(options_string(options, "delimiter"), '\0');
    settings.dialect.quote = chosen_byte(options_string(options, "quote"), CSV_QUOTE_GUESS);
    settings.header = strcmp(header, "first_row") == 0 ? CSV_HEADER_FIRST_ROW
                      : strcmp(header, "none") == 0    ? CSV_HEADER_NONE
                                                       : CSV_HEADER_GUESS;
    return settings;
}

static void refuse_file(struct csv_file *file, const char *code, struct slice reason)
{
    file->state = CSV_FILE_REFUSED;
    file->refusal_code = code;
    file->reason = arena_str(file->arena, reason);
}

static enum status plan_file(struct csv_file *file, struct err *err)
{
    struct buf json = BUF_INIT(LAYOUT_ARENA_BYTES);
    csv_layout_write(&file->layout, &json);
    file->layout_json = arena_dup(file->arena, buf_slice(&json));
    bool failed = buf_failed(&json) || arena_failed(file->arena);
    buf_free(&json);
    if (failed)
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot hold the layout of %s",
                             file->shown);
    return csv_plan_make(file->context, &file->layout, file->arena, &file->plan, err);
}

/* Judges a file that is read for the first time and finds out how to read it. */
static enum status begin_file(struct csv_file *file, struct err *err)
{
    char head[512];
    ssize_t got = pread(file->fd, head, sizeof(head), 0);
    if (got < 0)
        return err_set_errno(err, errno, "csv.read", "cannot read %s", file->shown);
    const char *what = csv_not_text(slice_of(head, (size_t)got));
    if (what) {
        refuse_file(file, "csv.not_a_text_file", arena_printf(file->arena, "the file is %s", what));
        return STATUS_OK;
    }
    struct known_columns known = {{is_known}, file->context};
    struct csv_settings settings = settings_of(file->context->options, &known);
    enum status status = csv_reader_begin(file->reader, &settings, file->arena, &file->layout, err);
    if (status == STATUS_EMPTY)
        file->state = CSV_FILE_FINISHED;
    if (status != STATUS_OK)
        return status == STATUS_EMPTY ? STATUS_OK : status;
    status = plan_file(file, err);
    if (status != STATUS_OK)
        return status;
    if (file->plan.missing.len > 0)
        refuse_file(file, "csv.no_id_column",
                    arena_printf(file->arena, "no column '%.*s', which is part of the id",
                                 SLICE_ARG(file->plan.missing)));
    else if (file->layout.column_count == 1 &&
             slice_find(file->layout.columns[0], SLICE("，")) >= 0)
        refuse_file(
            file, "csv.full_width_delimiter",
            SLICE("the columns are separated by full-width commas; hint: replace '，' by ','"));
    return STATUS_OK;
}

static bool same_file(const struct csv_file *file, const struct csv_cursor *cursor)
{
    uint64_t hash;
    char hex[32];
    if (!slice_is(cursor->file, file->name) || cursor->offset > file->size ||
        !prefix_hash(file->fd, cursor->offset, &hash))
        return false;
    snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)hash);
    return slice_is(cursor->prefix, hex);
}

/* STATUS_EMPTY: the cursor does not fit this file. */
static enum status resume_file(struct csv_file *file, const struct csv_cursor *cursor,
                               struct err *err)
{
    if (!same_file(file, cursor)) {
        if (cursor->offset > 0 && slice_is(cursor->file, file->name))
            log_warn("csv.changed",
                     "%s: %s is not the file it was at byte %llu; reading it from its start",
                     file->context->name, file->shown, (unsigned long long)cursor->offset);
        return STATUS_EMPTY;
    }
    file->rows = cursor->rows;
    if (cursor->state == CSV_FILE_REFUSED) {
        refuse_file(file, "csv.not_a_text_file", cursor->reason);
        file->end_given = true;
        return STATUS_OK;
    }
    bool finished = cursor->state == CSV_FILE_FINISHED && file->size <= cursor->offset;
    if (cursor->layout.len == 0 ||
        csv_layout_read(cursor->layout, file->arena, &file->layout, err) != STATUS_OK)
        return STATUS_EMPTY; /* an empty file is read again: nothing is lost by it */
    enum status status = plan_file(file, err);
    if (status == STATUS_OK)
        status = csv_reader_resume(file->reader, &file->layout, cursor->offset, cursor->line, err);
    /* A finished file that grew meanwhile is not finished. */
    file->end_given = finished;
    if (finished)
        file->state = CSV_FILE_FINISHED;
    return status;
}

static void remember_head(struct csv_file *file)
{
    char scratch[HEAD_BYTES];
    file->head_bytes = file->size < HEAD_BYTES ? (size_t)file->size : HEAD_BYTES;
    file->head_hash = 0;
    if (!hash_range(file->fd, 0, file->head_bytes, scratch, &file->head_hash))
        file->head_bytes = 0;
}

static enum status open_file(struct csv_file *file, const char *path, int open_flags,
                             const struct csv_cursor *resume, struct err *err)
{
    struct stat about;
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | open_flags);
    if (file->fd < 0 && errno == ELOOP && (open_flags & O_NOFOLLOW))
        return err_set(err, RETRY_NONE, "csv.open", "'%s' is a link; hint: drop the file itself", path);
    if (file->fd < 0 || fstat(file->fd, &about) != 0)
        return err_set_errno(err, errno, "csv.open", "cannot open '%s'", path);
    if (!S_ISREG(about.st_mode))
        return err_set(err, RETRY_NONE, "csv.open", "'%s' is not a regular file", path);
    (void)posix_fadvise(file->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    file->device = about.st_dev;
    file->inode = about.st_ino;
    file->size = (uint64_t)about.st_size;
    remember_head(file);
    file->reader = csv_reader_new_fd(file->fd);
    if (file->reader == NULL || arena_failed(file->arena))
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot read '%s'", path);
    enum status status = resume->file.len ? resume_file(file, resume, err) : STATUS_EMPTY;
    return status == STATUS_EMPTY ? begin_file(file, err) : status;
}

struct csv_file *csv_file_open(const struct source_context *context, const char *path,
                               int open_flags, struct slice name, struct slice shown,
                               const struct csv_cursor *resume, struct err *err)
{
    struct csv_file *file = calloc(1, sizeof(*file));
    struct arena *arena = arena_new(LAYOUT_ARENA_BYTES);
    if (file == NULL || arena == NULL) {
        (void)err_set_errno(err, ENOMEM, "csv.memory", "cannot read '%s'", path);
        free(file);
        arena_free(&arena);
        return NULL;
    }
    file->context = context;
    file->arena = arena;
    file->fd = -1;
    file->name = arena_str(arena, name);
    file->shown = arena_str(arena, shown);
    file->reason = "";
    if (open_file(file, path, open_flags, resume, err) != STATUS_OK)
        csv_file_close(&file);
    return file;
}

void csv_file_close(struct csv_file **file)
{
    if (*file == NULL)
        return;
    csv_reader_free(&(*file)->reader);
    if ((*file)->fd >= 0)
        close((*file)->fd);
    arena_free(&(*file)->arena);
    free(*file);
    *file = NULL;
}

/* --- reading --- */

static enum status give_refusal(struct csv_file *file, struct arena *arena,
                                struct delivery_batch *batch, struct err *err)
{
    char head[REFUSED_BYTES];
    ssize_t got = pread(file->fd, head, sizeof(head), 0);
    if (got < 0)
        return err_set_errno(err, errno, "csv.read", "cannot read %s", file->shown);
    struct buf meta = BUF_INIT(4096);
    buf_printf(&meta, "{\"refusal\":\"%s\",\"reason\":", file->refusal_code);
    buf_put_json(&meta, slice_str(file->reason));
    buf_printf(&meta, ",\"bytes\":%llu}", (unsigned long long)file->size);
    batch->deliveries = ARENA_NEW(arena, struct delivery);
    if (batch->deliveries) {
        batch->count = 1;
        *batch->deliveries = (struct delivery){
            .body = arena_dup(arena, slice_of(head, (size_t)got)),
            .meta = arena_dup(arena, buf_slice(&meta)),
            .position = arena_dup(arena, slice_str(file->shown)),
            .refusal = file->refusal_code,
            .refusal_param = arena_dup(arena, slice_str(file->reason)),
        };
    }
    buf_free(&meta);
    return STATUS_OK;
}

static uint64_t size_now(const struct csv_file *file)
{
    struct stat about;
    return fstat(file->fd, &about) == 0 ? (uint64_t)about.st_size : file->size;
}

/* A last row without its line end is only the last when the file did not grow under it. */
static bool is_half_written(struct csv_file *file, const struct csv_row *row)
{
    if (row->end_offset < file->size || row->raw.len < row->end_offset - row->offset)
        return false;
    file->size = size_now(file);
    return file->size > row->end_offset;
}

/* Nothing more in sight: STATUS_OK when the file has grown and goes on, STATUS_EMPTY at its end. */
static enum status judge_end(struct csv_file *file, struct err *err)
{
    uint64_t offset = csv_reader_offset(file->reader);
    file->size = size_now(file);
    if (file->size <= offset)
        return STATUS_EMPTY;
    return csv_reader_resume(file->reader, &file->layout, offset, csv_reader_line(file->reader),
                             err);
}

/* Its first bytes, or its length, are no longer what they were when it was opened. */
static bool was_rewritten(const struct csv_file *file)
{
    char scratch[HEAD_BYTES];
    uint64_t hash = 0;
    return file->size < csv_reader_offset(file->reader) ||
           !hash_range(file->fd, 0, file->head_bytes, scratch, &hash) || hash != file->head_hash;
}

/* A file that was changed under us is another file: from its start again, in a batch of its own. */
static enum status end_file(struct csv_file *file, bool batch_is_empty, struct err *err)
{
    if (!was_rewritten(file) || file->rereads == REREADS_MAX) {
        file->state = CSV_FILE_FINISHED;
        return STATUS_OK;
    }
    if (!batch_is_empty)
        return STATUS_OK;
    file->rereads++;
    log_warn("csv.changed", "%s: %s was changed while it was read; reading it from its start again",
             file->context->name, file->shown);
    remember_head(file);
    return begin_file(file, err);
}

static bool is_header_again(const struct csv_file *file, const struct csv_row *row)
{
    if (row->cell_count != file->layout.column_count || row->fault || row->cell_count < 2)
        return false;
    for (size_t i = 0; i < row->cell_count; i++) {
        if (!slice_eq(slice_trim(row->cells[i]), file->layout.columns[i]))
            return false;
    }
    return true;
}

/* Rows into deliveries until the batch is full (STATUS_OK) or the file ends (STATUS_EMPTY). */
static struct slice position_of(const struct csv_file *file, uint64_t line, struct arena *arena)
{
    size_t shown = strlen(file->shown);
    char *text = arena_alloc(arena, shown + 1 + 20);
    if (text == NULL)
        return SLICE_EMPTY;
    memcpy(text, file->shown, shown);
    text[shown] = ':';
    return slice_of(text, (size_t)(digits_put_u64(text + shown + 1, line) - text));
}

static enum status collect(struct csv_file *file, size_t max, const struct columns *columns,
                           struct arena *arena, struct delivery_batch *batch, struct err *err)
{
    size_t cost = 0;
    while (batch->count < max && cost < BATCH_BYTES) {
        struct csv_row row;
        enum status status = csv_reader_next(file->reader, &row, err);
        if (status == STATUS_EMPTY)
            status = judge_end(file, err);
        else if (status == STATUS_OK && is_half_written(file, &row))
            status = csv_reader_resume(file->reader, &file->layout, row.offset, row.line, err);
        else if (status == STATUS_OK && !(row.blank && !row.fault) &&
                 !is_header_again(file, &row)) {
            struct delivery *delivery = &batch->deliveries[batch->count++];
            csv_row_deliver(&file->plan, &row, columns, arena, delivery);
            delivery->position = position_of(file, row.line, arena);
            cost += csv_row_cost_bytes(&file->plan, &row);
            file->rows++;
        }
        if (status != STATUS_OK)
            return status;
        if (stop_is_set(file->context->stop))
            break;
    }
    return STATUS_OK;
}

enum status csv_file_next(struct csv_file *file, size_t max, struct arena *arena,
                          struct delivery_batch *batch, struct err *err)
{
    *batch = (struct delivery_batch){.layout = SLICE("{}")};
    enum status status = STATUS_OK;
    bool refused = file->state == CSV_FILE_REFUSED;
    if (file->end_given)
        return STATUS_EMPTY;
    uint64_t offset = csv_reader_offset(file->reader), line = csv_reader_line(file->reader);
    uint64_t rows = file->rows;
    if (refused) {
        status = give_refusal(file, arena, batch, err);
    } else if (file->state == CSV_FILE_READING) {
        max = max < DELIVERIES_MAX ? max : DELIVERIES_MAX;
        batch->deliveries = ARENA_ARRAY(arena, struct delivery, max);
        batch->layout = arena_dup(arena, file->layout_json);
        const struct columns *columns = csv_plan_columns(&file->plan, arena);
        if (batch->deliveries && columns)
            status = collect(file, max, columns, arena, batch, err);
        if (status == STATUS_EMPTY)
            status = end_file(file, batch->count == 0, err);
    }
    if (status != STATUS_OK) { /* what was read of this batch is read again */
        struct err ignored;
        if (file->layout_json.len > 0)
            (void)!csv_reader_resume(file->reader, &file->layout, offset, line, &ignored);
        file->rows = rows;
        return status;
    }
    file->end_given = file->state == CSV_FILE_FINISHED || refused;
    batch->cursor = write_cursor(file, arena);
    return arena_failed(arena) ? err_set(err, RETRY_LATER, "csv.memory",
                                         "%s: no room for a batch of rows", file->shown)
                               : STATUS_OK;
}

enum csv_file_state csv_file_state(const struct csv_file *file)
{
    return file->state;
}

void csv_file_tell(const struct csv_file *file, struct buf *out)
{
    if (file->layout_json.len > 0)
        csv_plan_tell(&file->plan, out);
}

const char *csv_file_reason(const struct csv_file *file)
{
    return file->reason;
}

uint64_t csv_file_rows(const struct csv_file *file)
{
    return file->rows;
}

uint64_t csv_file_position_bytes(const struct csv_file *file)
{
    if (file->state != CSV_FILE_READING)
        return file->size;
    return csv_reader_offset(file->reader);
}

uint64_t csv_file_total_bytes(const struct csv_file *file)
{
    return file->size;
}
