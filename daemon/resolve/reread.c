/* reread.c - see reread.h. */
#include "daemon/resolve/reread.h"
#include "daemon/resolve/roster.h"
#include "daemon/base/log.h"
#include "rules/record_json.h"

#include <stdio.h>
#include <string.h>

#define RECORD_ARENA_MAX ((size_t)256 << 20)
#define NO_RECORD        SIZE_MAX

enum { COLUMN_ID = 0, COLUMN_SOURCE = 1, COLUMN_FLAGS = 2, COLUMN_EXTERNAL_ID = 7, COLUMN_PART = 8, COLUMN_FEATURES = 9,
       COLUMN_CLEAN = 10, COLUMN_META = 12, COLUMN_BODY = 13, COLUMN_LAYOUT = 14 };

enum status reread_init(struct reread *reread, const struct generation *generation,
                        struct sources *sources, struct err *err)
{
    *reread = (struct reread){.generation = generation, .sources = sources,
                              .arena = arena_new(RECORD_ARENA_MAX),
                              .json = BUF_INIT(RECORD_JSON_MAX_BYTES),
                              .features = BUF_INIT(FEATURES_MAX_BYTES * 2)};
    if (generation->recleans)
        reread->cleaner = cleaner_new(generation->ruleset);
    if (reread->arena && (reread->cleaner || !generation->recleans))
        return STATUS_OK;
    reread_free(reread);
    return err_set(err, RETRY_FATAL, "base.memory", "out of memory for a generation");
}

void reread_free(struct reread *reread)
{
    cleaner_free(&reread->cleaner);
    arena_free(&reread->arena);
    buf_free(&reread->json);
    buf_free(&reread->features);
}

/* The record among those of its delivery. Where a key was made of the mapped columns, other rules may make another: then
 * its part tells, or that it is alone. */
static size_t find_record(const struct delivery *delivery, struct slice external_id, struct slice part)
{
    size_t by_part = NO_RECORD, parts = 0;
    for (size_t i = 0; i < delivery->record_count; i++) {
        if (!slice_eq(delivery->records[i].part, part))
            continue;
        if (slice_eq(delivery->records[i].external_id, external_id))
            return i;
        by_part = i;
        parts++;
    }
    return parts == 1 ? by_part : NO_RECORD;
}

static const struct raw_record *parse(struct reread *reread, const struct source *source,
                                      const struct db_result *rows, size_t row, struct arena *arena)
{
    struct delivery *delivery = ARENA_NEW(reread->arena, struct delivery);
    struct err err;
    enum status status = STATUS_FAILED;
    if (delivery == NULL)
        return NULL;
    *delivery = (struct delivery){0};
    struct slice layout = db_bytes(rows, row, COLUMN_LAYOUT), meta = db_bytes(rows, row, COLUMN_META);
    struct slice body = db_bytes(rows, row, COLUMN_BODY);
    if (source->push)
        status = source->push->parse(&source->context, layout, meta, body, arena, delivery, &err);
    else if (source->pull)
        status = source->pull->parse(&source->context, layout, meta, body, arena, delivery, &err);
    if (status != STATUS_OK || delivery->refusal)
        return NULL;
    size_t at = find_record(delivery, db_bytes(rows, row, COLUMN_EXTERNAL_ID),
                            db_bytes(rows, row, COLUMN_PART));
    return at == NO_RECORD || delivery->records[at].op == RECORD_DELETE ? NULL : &delivery->records[at];
}

static void note_refused(struct reread_counts *counts, uint64_t record_id,
                         const struct clean_record *clean)
{
    if (counts->refused < REREAD_SAMPLES) {
        const char *code = clean->issue_count ? clean->issues[0].code : "rule.refused";
        for (size_t i = 0; i < clean->issue_count; i++) {
            if (clean->issues[i].severity != ISSUE_WARN) {
                code = clean->issues[i].code;
                break;
            }
        }
        counts->refusals[counts->refused].record_id = record_id;
        snprintf(counts->refusals[counts->refused].code, sizeof(counts->refusals[0].code), "%s", code);
    }
    counts->refused++;
}

/* Cleans again. False when the stored clean record stays. */
static bool clean_again(struct reread *reread, const struct source *source, const struct db_result *rows,
                        size_t row, struct arena *arena, struct clean_record *clean)
{
    struct reread_counts *counts = &reread->counts;
    struct err err;
    if (reread->cleaner == NULL || (db_int(rows, row, COLUMN_FLAGS) & ROSTER_EMPLOYER))
        return false; /* an employer follows its person's record: employers.c */
    if (db_is_null(rows, row, COLUMN_BODY)) {
        counts->no_raw++;
        return false;
    }
    const struct raw_record *raw = parse(reread, source, rows, row, arena);
    if (raw == NULL || ruleset_clean(reread->cleaner, &source->rules, raw, arena, clean, &err) != STATUS_OK) {
        counts->unreadable++;
        return false;
    }
    counts->cleaned++;
    if (clean->outcome == CLEAN_OK)
        return true;
    note_refused(counts, (uint64_t)db_int(rows, row, COLUMN_ID), clean);
    return false;
}

static enum status no_memory(const struct db_result *rows, size_t row, struct err *err)
{
    return err_set(err, RETRY_FATAL, "base.memory", "out of memory for record %llu",
                   (unsigned long long)db_int(rows, row, COLUMN_ID));
}

/* Counted once a record, and its first told. */
static void note_too_large(struct reread_counts *counts, uint64_t record_id)
{
    if (counts->too_large++ == 0)
        log_warn("rematch.too_large", "record %llu stays as it was: as the generation reads it, it is too large; "
                 "further ones are only counted", (unsigned long long)record_id);
}

/* As the cleaner reads it now. False when that is beyond all bounds: the stored clean record stays. */
static bool take_json(struct reread *reread, const struct clean_record *clean, struct slice stored,
                      struct reread_record *record)
{
    buf_reset(&reread->json);
    clean_record_to_json(reread->generation->schema, clean, &reread->json);
    if (buf_failed(&reread->json))
        return false;
    if (!slice_eq(buf_slice(&reread->json), stored)) {
        record->json = buf_slice(&reread->json);
        reread->counts.changed++;
    }
    return true;
}

/* False when packing is beyond all bounds: what is stored stays where it still fits, else the record has nothing to be
 * compared by. */
static bool take_features(struct reread *reread, struct slice stored, struct reread_record *record)
{
    uint32_t space_key = record->source->space_key;
    const struct clean_record bare = {.kind = record->clean->kind};
    buf_reset(&reread->features);
    features_pack(reread->generation->matcher, record->clean, space_key, &reread->features);
    bool packed = !buf_failed(&reread->features);
    if (!packed) {
        buf_reset(&reread->features);
        if (features_fit(stored, space_key))
            buf_put(&reread->features, stored.ptr, stored.len);
        else
            features_pack(reread->generation->matcher, &bare, space_key, &reread->features);
    }
    record->features = buf_slice(&reread->features);
    return packed;
}

enum status reread_row(struct reread *reread, const struct db_result *rows, size_t row,
                       struct arena *into, struct reread_record *record, struct err *err)
{
    const struct generation *generation = reread->generation;
    bool too_large = false;
    arena_reset(reread->arena);
    struct arena *arena = into ? into : reread->arena;
    struct clean_record *clean = ARENA_NEW(arena, struct clean_record);
    struct slice stored = db_bytes(rows, row, COLUMN_CLEAN);
    *record = (struct reread_record){
        .source = sources_by_id(reread->sources, (int32_t)db_int(rows, row, COLUMN_SOURCE))};
    reread->counts.records++;
    bool again = clean && record->source && clean_again(reread, record->source, rows, row, arena, clean);
    if (arena_failed(arena))
        return no_memory(rows, row, err);
    if (again && !take_json(reread, clean, stored, record)) {
        too_large = true;
        again = false;
        reread->counts.cleaned--;
    }
    if (!again && (record->source == NULL || !clean_record_from_json(generation->schema, stored, arena, clean))) {
        return err_set(err, RETRY_FATAL, "resolve.record_lost",
                       "record %llu cannot be read back; hint: please report this with the log",
                       (unsigned long long)db_int(rows, row, COLUMN_ID));
    }
    record->clean = clean;
    if (!take_features(reread, db_bytes(rows, row, COLUMN_FEATURES), record))
        too_large = true;
    if (too_large)
        note_too_large(&reread->counts, (uint64_t)db_int(rows, row, COLUMN_ID));
    return buf_failed(&reread->features) || arena_failed(arena) ? no_memory(rows, row, err) : STATUS_OK;
}

void reread_put_counts(const struct reread_counts *counts, bool recleans, struct buf *out)
{
    buf_printf(out, ",\"records\":%llu,\"cleaning\":", (unsigned long long)counts->records);
    if (!recleans) {
        buf_put_str(out, "null");
        return;
    }
    buf_printf(out,
               "{\"cleaned_again\":%llu,\"changed\":%llu,\"kept_raw_gone\":%llu,\"kept_unreadable\":%llu,"
               "\"kept_too_large\":%llu,\"kept_refused\":%llu,\"refused\":[",
               (unsigned long long)(counts->cleaned - counts->refused), (unsigned long long)counts->changed,
               (unsigned long long)counts->no_raw, (unsigned long long)counts->unreadable,
               (unsigned long long)counts->too_large, (unsigned long long)counts->refused);
    for (size_t i = 0; i < counts->refused && i < REREAD_SAMPLES; i++) {
        buf_printf(out, "%s{\"record\":%llu,\"code\":", i ? "," : "",
                   (unsigned long long)counts->refusals[i].record_id);
        buf_put_json(out, slice_str(counts->refusals[i].code));
        buf_put_byte(out, '}');
    }
    buf_put_str(out, "]}");
}
