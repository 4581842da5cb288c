/* engine_load.c - one file taken in through a source, for `tributary load`. */
#include "connectors/csv.h"
#include "daemon/engine/engine.intern.h"
#include "sql_queries.h"

#define LEDGER_COLUMNS 8 /* of sql_ledger_read, behind the name */

struct loading {
    struct engine *engine;
    struct pull_source *file;
    struct load_progress progress;
    uint64_t resolved_before;
    void (*tell)(void *data, const struct load_progress *progress);
    void *data;
};

/* Cut at a whole character. */
static void put_text(char *to, size_t size, struct slice text)
{
    size_t len = text.len < size ? text.len : size - 1;
    while (len > 0 && len < text.len && ((unsigned char)text.ptr[len] & 0xC0) == 0x80)
        len--;
    memcpy(to, text.ptr, len);
    to[len] = '\0';
}

static void tell(struct loading *loading)
{
    struct resolver_stats stats;
    resolver_stats(engine_resolver(loading->engine), &stats);
    loading->progress.resolved = stats.arrivals - loading->resolved_before;
    if (loading->tell)
        loading->tell(loading->data, &loading->progress);
}

static void on_progress(void *data, uint64_t received, uint64_t repeats)
{
    struct loading *loading = data;
    struct csv_progress at = csv_file_progress(loading->file);
    loading->progress.bytes_done = at.position_bytes;
    loading->progress.bytes_total = at.total_bytes;
    loading->progress.received = received;
    loading->progress.repeats = repeats;
    tell(loading);
}

/* Once, before the first row. */
static void tell_layout(struct loading *loading)
{
    struct buf text = BUF_INIT(sizeof(loading->progress.understood) * 4);
    struct csv_progress at = csv_file_progress(loading->file);
    csv_file_understood(loading->file, &text);
    put_text(loading->progress.understood, sizeof(loading->progress.understood), buf_slice(&text));
    if (at.refused)
        put_text(loading->progress.refusal, sizeof(loading->progress.refusal), slice_str(at.reason));
    buf_free(&text);
    tell(loading);
}

/* The source's ledger as it stands. */
static enum status read_ledger(struct engine *e, const char *source, uint64_t numbers[LEDGER_COLUMNS], struct err *err)
{
    struct db_result *ledger = NULL;
    if (engine_query(e, &sql_ledger_read, NULL, 0, &ledger, err) != STATUS_OK)
        return STATUS_FAILED;
    memset(numbers, 0, LEDGER_COLUMNS * sizeof(numbers[0]));
    for (size_t row = 0; row < db_rows(ledger); row++) {
        for (size_t i = 0; i < LEDGER_COLUMNS && slice_is(db_bytes(ledger, row, 0), source); i++)
            numbers[i] = (uint64_t)db_int(ledger, row, i + 1);
    }
    db_result_free(&ledger);
    return STATUS_OK;
}

/* received, stored, updated, deleted, repeat, rejected, quarantined, suppressed */
static void put_outcome(struct load_progress *progress, const uint64_t *before, const uint64_t *after)
{
    progress->stored = after[1] - before[1];
    progress->updated = after[2] - before[2];
    progress->deleted = after[3] - before[3];
    progress->repeats = after[4] - before[4];
    progress->rejected = after[5] - before[5];
    progress->quarantined = after[6] - before[6];
    progress->suppressed = after[7] - before[7];
}

static void barrier(struct resolver *resolver, void *data)
{
    *(bool *)data = resolver_drained(resolver);
}

/* Until everything accepted is resolved and committed. */
static enum status wait_resolved(struct loading *loading, struct err *err)
{
    struct engine *e = loading->engine;
    for (;;) {
        size_t live = 0, bulk = 0;
        lanes_depth(e->lanes, &live, &bulk);
        bool drained = false;
        if (!resolver_call(engine_resolver(e), barrier, &drained))
            return err_set(err, RETRY_LATER, "engine.stopping", "stopped before all was resolved");
        tell(loading);
        if (live + bulk == 0 && drained)
            return STATUS_OK;
        if (stop_wait_ms(&e->stop_pull, 20))
            return err_set(err, RETRY_LATER, "engine.stopping", "stopped before all was resolved");
    }
}

enum status engine_load_check(struct engine *e, const char *source_name, struct err *err)
{
    const struct source *source = sources_by_name(e->sources, source_name);
    if (source == NULL || source->pull != &csv_connector)
        return err_set(err, RETRY_REJECT_CONFIG, "engine.load_source",
                       "%s is not a csv source of the configuration; hint: tributary sources list",
                       source_name);
    return STATUS_OK;
}

enum status engine_load(struct engine *e, const char *source_name, const char *path, bool backfill,
                        void (*progress)(void *data, const struct load_progress *progress),
                        void *data, struct err *err)
{
    if (engine_load_check(e, source_name, err) != STATUS_OK)
        return STATUS_FAILED;
    struct source *source = sources_by_name(e->sources, source_name);
    struct loading loading = {.engine = e, .tell = progress, .data = data};
    struct resolver_stats stats;
    resolver_stats(engine_resolver(e), &stats);
    loading.resolved_before = stats.arrivals;
    struct source_context context = source->context;
    context.stop = &e->stop_pull;
    loading.file = csv_open_file(&context, path, SLICE_EMPTY, err);
    if (loading.file == NULL)
        return STATUS_FAILED;
    const struct options *limits = options_section(e->settings.config->root, "limits");
    struct pull_settings settings = {
        .db = engine_db_settings(e, "tributary load"), .intake = &e->intake, .lanes = e->lanes,
        .source = source, .batch_records = (size_t)options_int(limits, "batch_records"),
        .backfill = backfill, .opened = loading.file, .once = true, .stop = &e->stop_pull,
        .progress = on_progress, .progress_data = &loading};
    uint64_t before[LEDGER_COLUMNS], after[LEDGER_COLUMNS];
    tell_layout(&loading);
    enum status status = read_ledger(e, source->name, before, err);
    if (status == STATUS_OK)
        status = pull_run(&settings, err);
    else
        csv_connector.close(&loading.file);
    if (status != STATUS_OK)
        return status;
    if (stop_is_set(&e->stop_pull))
        return err_set(err, RETRY_LATER, "engine.stopping",
                       "stopped before the whole file was read; hint: load it again, what was taken in is a repeat");
    loading.progress.bytes_done = loading.progress.bytes_total;
    status = wait_resolved(&loading, err);
    if (status == STATUS_OK)
        status = read_ledger(e, source->name, after, err);
    if (status != STATUS_OK)
        return status;
    put_outcome(&loading.progress, before, after);
    tell(&loading);
    return STATUS_OK;
}
