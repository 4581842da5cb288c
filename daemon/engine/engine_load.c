/* engine_load.c - one file taken in through a source, for `tributary load`. */
#include "connectors/csv.h"
#include "daemon/engine/engine.intern.h"

struct loading {
    struct engine *engine;
    struct pull_source *file;
    struct load_progress progress;
    uint64_t resolved_before;
    void (*tell)(void *data, const struct load_progress *progress);
    void *data;
};

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
    enum status status = pull_run(&settings, err);
    if (status != STATUS_OK)
        return status;
    if (stop_is_set(&e->stop_pull))
        return err_set(err, RETRY_LATER, "engine.stopping",
                       "stopped before the whole file was read; hint: load it again, what was taken in is a repeat");
    loading.progress.bytes_done = loading.progress.bytes_total;
    return wait_resolved(&loading, err);
}
