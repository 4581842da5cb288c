/*
 * drive_connector.c - runs one pull source of a configuration file and prints what it gives as JSON
 * lines; for tests/e2e.
 *
 *     drive_connector CONFIG SOURCE CURSOR_FILE [MAX [LONGEST_WAIT_MS]]
 *
 * After each batch its cursor is written to CURSOR_FILE, as the daemon makes it durable. Waits up
 * to LONGEST_WAIT_MS are waited; a longer one, or five failures in a row, ends the run. Every
 * delivery is parsed again from its stored bytes and must give the same records.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/buf.h"
#include "daemon/config/config.h"

#define FAILURES_MAX 5

static uint16_t field_of_column(const struct source_context *context, struct slice column)
{
    const struct field *field = schema_find(context->schema, "");
    (void)column;
    return field ? field->id : FIELD_NONE;
}

static void put_text(struct buf *out, const char *name, struct slice text)
{
    buf_printf(out, "\"%s\":", name);
    buf_put_json(out, text);
    buf_put_str(out, ",");
}

static void put_record(struct buf *out, const struct raw_record *record)
{
    buf_put_str(out, "{");
    put_text(out, "external_id", record->external_id);
    put_text(out, "part", record->part);
    buf_printf(out, "\"op\":\"%s\",\"effective_us\":%lld,\"columns\":{",
               record->op == RECORD_DELETE ? "delete" : "upsert", (long long)record->effective_us);
    size_t written = 0;
    for (size_t i = 0; i < record->columns->count; i++) {
        if (record->values[i].len == 0)
            continue;
        buf_put_str(out, written++ ? "," : "");
        buf_put_json(out, record->columns->names[i]);
        buf_put_str(out, ":");
        buf_put_json(out, record->values[i]);
    }
    buf_put_str(out, "},\"activities\":[");
    for (size_t i = 0; i < record->activity_count; i++) {
        const struct activity *activity = &record->activities[i];
        buf_put_str(out, i ? ",{" : "{");
        put_text(out, "type", activity->type);
        put_text(out, "key", activity->key);
        buf_printf(out, "\"at_us\":%lld,\"data\":", (long long)activity->at_us);
        buf_put_slice(out, activity->data.len ? activity->data : SLICE("{}"));
        buf_put_str(out, "}");
    }
    buf_put_str(out, "]}");
}

static void put_delivery(struct buf *out, const struct delivery *delivery)
{
    buf_reset(out);
    buf_put_str(out, "{");
    put_text(out, "position", delivery->position);
    put_text(out, "refusal", slice_str(delivery->refusal));
    buf_printf(out, "\"body_bytes\":%zu,\"records\":[", delivery->body.len);
    for (size_t i = 0; i < delivery->record_count; i++) {
        buf_put_str(out, i ? "," : "");
        put_record(out, &delivery->records[i]);
    }
    buf_put_str(out, "]}\n");
    fwrite(out->data, 1, out->len, stdout);
}

static bool same_again(const struct config_source *source, const struct source_context *context,
                       const struct delivery_batch *batch, const struct delivery *delivery)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct delivery again;
    struct err err;
    bool same = source->pull->parse(context, batch->layout, delivery->meta, delivery->body, arena,
                                    &again, &err) == STATUS_OK &&
                again.record_count == delivery->record_count &&
                !again.refusal == !delivery->refusal;
    for (size_t i = 0; same && i < again.record_count; i++) {
        struct content_hash a = raw_record_hash(&again.records[i]);
        struct content_hash b = raw_record_hash(&delivery->records[i]);
        same = a.high == b.high && a.low == b.low &&
               slice_eq(again.records[i].external_id, delivery->records[i].external_id);
    }
    arena_free(&arena);
    return same;
}

static void write_file(const char *path, struct slice text)
{
    FILE *file = fopen(path, "w");
    if (file) {
        fwrite(text.ptr, 1, text.len, file);
        fclose(file);
    }
}

static struct slice read_file(const char *path, struct arena *arena)
{
    FILE *file = fopen(path, "r");
    char *text = arena_alloc(arena, 1 << 20);
    size_t len = file && text ? fread(text, 1, 1 << 20, file) : 0;
    if (file)
        fclose(file);
    return slice_of(text, len);
}

static void put_error(const struct err *err, int64_t wait_ms)
{
    struct buf out = BUF_INIT(4096);
    buf_printf(&out, "{\"error\":\"%s\",\"retry\":\"%s\",\"wait_ms\":%lld,\"text\":", err->id,
               retry_class_name(err->retry), (long long)wait_ms);
    buf_put_json(&out, slice_str(err->text));
    buf_put_str(&out, "}\n");
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static int run(const struct config_source *source, const struct source_context *context,
               const char *cursor_path, size_t max, int64_t longest_ms)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    struct err err = {0};
    struct buf out = BUF_INIT((size_t)8 << 20);
    struct pull_source *pull = source->pull->open(context, read_file(cursor_path, arena), &err);
    int failures = 0, result = pull ? 0 : 1;
    if (pull == NULL)
        put_error(&err, 0);
    while (pull) {
        struct delivery_batch batch;
        int64_t wait_ms = 0;
        arena_reset(arena);
        enum status status = source->pull->next(pull, max, arena, &batch, &wait_ms, &err);
        if (status == STATUS_OK) {
            failures = 0;
            for (size_t i = 0; i < batch.count; i++) {
                put_delivery(&out, &batch.deliveries[i]);
                if (!same_again(source, context, &batch, &batch.deliveries[i])) {
                    printf("{\"error\":\"parse gave other records\"}\n");
                    result = 1;
                }
            }
            write_file(cursor_path, batch.cursor);
            continue;
        }
        if (status == STATUS_FAILED)
            put_error(&err, wait_ms);
        failures += status == STATUS_FAILED;
        if (wait_ms > longest_ms || failures == FAILURES_MAX)
            break;
        stop_wait_ms(context->stop, wait_ms > 0 ? wait_ms : 1);
    }
    if (pull)
        source->pull->close(&pull);
    buf_free(&out);
    arena_free(&arena);
    return result;
}

int main(int argc, char **argv)
{
    struct config *config = NULL;
    struct problems problems = {0};
    if (argc < 4) {
        fprintf(stderr,
                "usage: drive_connector CONFIG SOURCE CURSOR_FILE [MAX [LONGEST_WAIT_MS]]\n");
        return 64;
    }
    if (config_load(argv[1], &config, &problems) != STATUS_OK) {
        for (size_t i = 0; i < problems.count; i++)
            fprintf(stderr, "%s:%u:%u: %s\n", problems.list[i].file ? problems.list[i].file : "",
                    problems.list[i].line, problems.list[i].column, problems.list[i].text);
        return 78;
    }
    const struct config_source *source = config_source_find(config, argv[2]);
    if (source == NULL || source->pull == NULL) {
        fprintf(stderr, "no pull source '%s'\n", argv[2]);
        return 78;
    }
    struct err err;
    struct stop stop;
    if (stop_init(&stop, &err) != STATUS_OK)
        return 1;
    static const struct schema no_fields;
    struct source_context context = {.name = source->name,
                                     .options = source->options,
                                     .clock = clock_system(),
                                     .stop = &stop,
                                     .state_dir = "",
                                     .schema = &no_fields,
                                     .field_of_column = field_of_column};
    int result = run(source, &context, argv[3], argc > 4 ? (size_t)atol(argv[4]) : 1000,
                     argc > 5 ? atol(argv[5]) : 5000);
    problems_free(&problems);
    config_free(&config);
    stop_close(&stop);
    return result;
}
