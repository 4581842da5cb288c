/* csv.c - see csv.h. */
#include "connectors/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "connectors/csv_drop.h"
#include "connectors/csv_file.h"
#include "daemon/base/log.h"

#define POLL_MS 1000 /* the longest a look into the folder may take before the daemon hears again  \
                      */
#define RETRY_FIRST_MS     1000
#define RETRY_LAST_MS      60000
#define CURSOR_ARENA_BYTES ((size_t)16 << 20)

static const struct option csv_options[] = {
    {.key = "drop",
     .type = OPTION_STRING,
     .flags = OPTION_REQUIRED,
     .help = "folder watched for files; they are moved to work/, then done/ or failed/ below it"},
    {.key = "settle",
     .type = OPTION_DURATION,
     .default_text = "1s",
     .max = 3600000,
     .help = "how long a file must not have changed before it is read"},
    {.key = "encoding",
     .type = OPTION_ENUM,
     .default_text = "auto",
     .choices = "auto|utf-8|utf-16le|utf-16be|gb18030|gbk|big5|shift_jis|windows-1252",
     .help = "of the files; auto looks at the bytes (UTF-8, UTF-16, GB18030, windows-1252)"},
    {.key = "delimiter",
     .type = OPTION_STRING,
     .default_text = "auto",
     .help = "one character, tab, or auto (comma, semicolon, tab or pipe)"},
    {.key = "quote",
     .type = OPTION_STRING,
     .default_text = "auto",
     .help = "one character, none, or auto"},
    {.key = "header",
     .type = OPTION_ENUM,
     .choices = "auto|first_row|none",
     .default_text = "auto",
     .help = "which row names the columns; auto steps over titles above it"},
    {.key = NULL},
};

struct pull_source {
    const struct source_context *context;
    struct arena *arena; /* the cursor it was opened with */
    struct csv_cursor cursor;
    struct csv_drop *drop; /* NULL: one file in place */
    struct csv_file *file;
    char name[CSV_DROP_NAME_MAX]; /* of the file, in work/ */
    bool leftovers;               /* files of an earlier life may be in work/ */
    char after[CSV_DROP_NAME_MAX];
    int64_t retry_ms;
};

static void check_byte(const struct options *options, const char *key, const char *word,
                       struct problems *problems)
{
    const char *text = options_string(options, key);
    bool named = strcmp(text, "auto") == 0 || strcmp(text, word) == 0 || strcmp(text, "\\t") == 0;
    bool fits =
        strlen(text) == 1 && (unsigned char)text[0] < 0x80 && text[0] != '\n' && text[0] != '\r';
    if (!named && !fits)
        problems_add(
            problems, options_where(options),
            "%s: '%s' is not one ASCII character; hint: auto, %s, or a character such as \";\"",
            key, text, word);
}

static void csv_check(const struct options *options, struct problems *problems)
{
    const char *drop = options_string(options, "drop");
    if (drop && drop[0] == '\0')
        problems_add(problems, options_where(options), "drop: the name of a folder is wanted");
    check_byte(options, "delimiter", "tab", problems);
    check_byte(options, "quote", "none", problems);
}

static struct pull_source *source_new(const struct source_context *context, struct slice cursor,
                                      struct err *err)
{
    struct pull_source *source = calloc(1, sizeof(*source));
    struct arena *arena = arena_new(CURSOR_ARENA_BYTES);
    if (source == NULL || arena == NULL) {
        (void)err_set_errno(err, ENOMEM, "csv.memory", "cannot open the source '%s'",
                            context->name);
        arena_free(&arena);
        free(source);
        return NULL;
    }
    source->context = context;
    source->arena = arena;
    csv_cursor_read(cursor, arena, &source->cursor);
    return source;
}

static void csv_close(struct pull_source **source)
{
    if (*source == NULL)
        return;
    csv_file_close(&(*source)->file);
    csv_drop_free(&(*source)->drop);
    arena_free(&(*source)->arena);
    free(*source);
    *source = NULL;
}

static struct pull_source *csv_open(const struct source_context *context, struct slice cursor,
                                    struct err *err)
{
    struct pull_source *source = source_new(context, cursor, err);
    if (source == NULL)
        return NULL;
    source->leftovers = true;
    source->drop = csv_drop_new(options_string(context->options, "drop"),
                                options_int(context->options, "settle"), context->clock, err);
    if (source->drop == NULL)
        csv_close(&source);
    return source;
}

struct pull_source *csv_open_file(const struct source_context *context, const char *path,
                                  struct slice cursor, struct err *err)
{
    struct pull_source *source = source_new(context, cursor, err);
    if (source == NULL)
        return NULL;
    const char *slash = strrchr(path, '/');
    struct slice name = slice_str(slash ? slash + 1 : path);
    if (source->cursor.state != CSV_FILE_READING)
        source->cursor = (struct csv_cursor){0};
    source->file = csv_file_open(context, path, 0, name, name, &source->cursor, err);
    if (source->file == NULL)
        csv_close(&source);
    return source;
}

struct csv_progress csv_file_progress(const struct pull_source *source)
{
    return (struct csv_progress){
        .position_bytes = csv_file_position_bytes(source->file),
        .total_bytes = csv_file_total_bytes(source->file),
        .rows = csv_file_rows(source->file),
        .refused = csv_file_state(source->file) == CSV_FILE_REFUSED,
        .reason = csv_file_reason(source->file),
    };
}

void csv_file_understood(const struct pull_source *source, struct buf *out)
{
    csv_file_tell(source->file, out);
}

/* The last batch of the file is durable: put the file away. */
static enum status put_away(struct pull_source *source, struct err *err)
{
    bool refused = csv_file_state(source->file) == CSV_FILE_REFUSED;
    struct slice shown = csv_drop_shown(slice_str(source->name));
    enum status status =
        refused ? csv_drop_failed(source->drop, source->name, csv_file_reason(source->file), err)
                : csv_drop_done(source->drop, source->name, err);
    if (status != STATUS_OK)
        return status;
    if (refused)
        log_warn("csv.refused", "%s: %.*s moved to failed/: %s", source->context->name,
                 SLICE_ARG(shown), csv_file_reason(source->file));
    else
        log_info("csv.finished", "%s: %.*s read, %llu rows", source->context->name,
                 SLICE_ARG(shown), (unsigned long long)csv_file_rows(source->file));
    csv_file_close(&source->file);
    return STATUS_OK;
}

static enum status find_file(struct pull_source *source, struct err *err)
{
    if (source->leftovers) {
        enum status status = csv_drop_leftover(source->drop, source->after, source->name, err);
        if (status != STATUS_EMPTY)
            return status;
        source->leftovers = false;
        source->after[0] = '\0';
    }
    return csv_drop_claim(source->drop, source->name, err);
}

/* A claimed file that cannot be opened: tried again when that may help, else put away so that
 * others go on. */
static enum status give_up(struct pull_source *source, struct err *err)
{
    struct err why = *err;
    source->leftovers = true;
    if (why.retry != RETRY_NONE)
        return STATUS_FAILED;
    log_err(LOG_LEVEL_ERROR, &why, "%s: moved to failed/", source->context->name);
    enum status status = csv_drop_failed(source->drop, source->name, why.text, err);
    return status == STATUS_OK ? STATUS_EMPTY : status;
}

/* STATUS_EMPTY when there is no file now. */
static enum status open_next(struct pull_source *source, struct err *err)
{
    enum status status = find_file(source, err);
    if (status != STATUS_OK)
        return status;
    struct buf path = BUF_INIT(8192);
    csv_drop_path(source->drop, source->name, &path);
    if (buf_failed(&path))
        status = err_set(err, RETRY_NONE, "csv.open", "the name of '%s' is too long", source->name);
    else
        source->file = csv_file_open(source->context, path.data, O_NOFOLLOW, slice_str(source->name),
                                     csv_drop_shown(slice_str(source->name)), &source->cursor, err);
    buf_free(&path);
    if (source->file == NULL)
        return give_up(source, err);
    memcpy(source->after, source->name, sizeof(source->after));
    log_info("csv.reading", "%s: reading %s", source->context->name,
             csv_drop_shown(slice_str(source->name)).ptr);
    return STATUS_OK;
}

/* A batch of the file at hand or of the next one. STATUS_EMPTY: nothing to read now. */
static enum status next_batch(struct pull_source *source, size_t max, struct arena *arena,
                              struct delivery_batch *batch, struct err *err)
{
    for (;;) {
        enum status status;
        if (source->file) {
            status = csv_file_next(source->file, max, arena, batch, err);
            if (status != STATUS_EMPTY || source->drop == NULL)
                return status;
            status = put_away(source, err);
            if (status != STATUS_OK)
                return status;
        }
        status = open_next(source, err);
        if (status != STATUS_OK)
            return status;
    }
}

static enum status csv_next(struct pull_source *source, size_t max, struct arena *arena,
                            struct delivery_batch *batch, int64_t *wait_ms, struct err *err)
{
    const struct stop *stop = source->context->stop;
    *batch = (struct delivery_batch){0};
    *wait_ms = source->drop ? 0 : -1;
    if (stop_is_set(stop))
        return STATUS_STOPPED;
    enum status status = next_batch(source, max, arena, batch, err);
    if (status == STATUS_EMPTY && source->drop) {
        csv_drop_expire(source->drop, options_int(source->context->options, "retention"));
        csv_drop_wait(source->drop, stop, POLL_MS);
        status = next_batch(source, max, arena, batch, err);
    }
    if (status != STATUS_FAILED) {
        source->retry_ms = 0;
        return status;
    }
    source->retry_ms = source->retry_ms ? source->retry_ms * 2 : RETRY_FIRST_MS;
    if (source->retry_ms > RETRY_LAST_MS)
        source->retry_ms = RETRY_LAST_MS;
    *wait_ms = source->retry_ms;
    return status;
}

/* A refusal that the bytes alone do not show was written into meta; the codes are ours and live for
 * ever. */
static const char *stored_refusal(struct slice meta)
{
    static const char *const codes[] = {"csv.row_too_long", "csv.not_a_text_file",
                                        "csv.no_id_column", "csv.full_width_delimiter"};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct slice prefix = SLICE("{\"refusal\":\"");
        if (slice_starts(meta, prefix) &&
            slice_starts(slice_sub(meta, prefix.len, meta.len), slice_str(codes[i])))
            return codes[i];
    }
    return NULL;
}

static enum status csv_parse(const struct source_context *context, struct slice layout_json,
                             struct slice meta, struct slice body, struct arena *arena,
                             struct delivery *delivery, struct err *err)
{
    struct csv_layout layout;
    struct csv_plan plan;
    struct csv_row row = {.raw = body};
    *delivery = (struct delivery){.body = body, .meta = meta, .refusal = stored_refusal(meta)};
    if (delivery->refusal)
        return STATUS_OK;
    enum status status = csv_layout_read(layout_json, arena, &layout, err);
    if (status == STATUS_OK)
        status = csv_plan_make(context, &layout, arena, &plan, err);
    if (status != STATUS_OK)
        return status;
    struct csv_reader *reader = csv_reader_new_memory(body);
    if (reader == NULL)
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot parse a row");
    status = csv_reader_resume(reader, &layout, 0, 1, err);
    if (status == STATUS_OK && body.len > 0)
        status = csv_reader_next(reader, &row, err);
    if (status == STATUS_OK)
        csv_row_deliver(&plan, &row, csv_plan_columns(&plan, arena), arena, delivery);
    csv_reader_free(&reader);
    if (status == STATUS_OK && arena_failed(arena))
        return err_set_errno(err, ENOMEM, "csv.memory", "cannot parse a row");
    return status;
}

const struct pull_connector csv_connector = {
    .type = "csv",
    .options = csv_options,
    .check = csv_check,
    .open = csv_open,
    .next = csv_next,
    .parse = csv_parse,
    .close = csv_close,
};
