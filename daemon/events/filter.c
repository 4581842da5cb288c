/* filter.c - see filter.h. */
#include "daemon/events/filter.h"
#include "sql_queries.h"

#include <stdlib.h>

/* "lead.*" as a pattern of LIKE; names of types hold neither % nor _. */
static bool make_patterns(struct event_filter *filter, const struct options *sink)
{
    const struct slice *events;
    size_t count = options_strings(sink, "events", &events);
    filter->patterns = calloc(count + 1, sizeof(*filter->patterns));
    for (size_t i = 0; filter->patterns && i < count; i++) {
        char *copy = strndup(events[i].ptr, events[i].len);
        if (copy == NULL)
            return false;
        if (events[i].len && copy[events[i].len - 1] == '*')
            copy[events[i].len - 1] = '%';
        filter->patterns[filter->pattern_count++] = slice_of(copy, events[i].len);
    }
    return filter->patterns != NULL;
}

bool event_filter_init(struct event_filter *filter, const struct config *config,
                       const struct options *sink)
{
    *filter = (struct event_filter){.config = config};
    filter->wants_tests = options_bool(sink, "test_records");
    filter->source_count = options_strings(sink, "sources", &filter->sources);
    filter->space_count = options_strings(sink, "spaces", &filter->spaces);
    const struct slice *kinds;
    size_t kind_count = options_strings(sink, "kinds", &kinds);
    filter->no_people = filter->no_companies = kind_count > 0;
    for (size_t i = 0; i < kind_count; i++) {
        if (slice_is(kinds[i], "company"))
            filter->no_companies = false;
        else
            filter->no_people = false;
    }
    return make_patterns(filter, sink);
}

void event_filter_free(struct event_filter *filter)
{
    for (size_t i = 0; i < filter->pattern_count; i++)
        free((char *)(uintptr_t)filter->patterns[i].ptr);
    free(filter->patterns);
    *filter = (struct event_filter){0};
}

enum status event_filter_read(const struct event_filter *filter, struct db *db,
                              const struct event_span *span, struct db_result **rows,
                              struct err *err)
{
    struct db_param params[] = {DB_P_INT8((int64_t)span->after_seq),
                                DB_P_INT8((int64_t)span->up_to_seq),
                                DB_P_TEXTS(filter->patterns, filter->pattern_count),
                                DB_P_TEXTS(filter->sources, filter->source_count),
                                DB_P_INT4((int64_t)span->max_rows),
                                DB_P_INT8(span->max_bytes),
                                DB_P_BOOL(span->with_bodies)};
    return db_query(db, &sql_events_read, params, 7, rows, err);
}

enum status event_filter_find(const struct event_filter *filter, struct db *db,
                              const int64_t *seqs, size_t count, struct db_result **rows,
                              struct err *err)
{
    struct db_param params[] = {DB_P_INT8S(seqs, count),
                                DB_P_TEXTS(filter->patterns, filter->pattern_count),
                                DB_P_TEXTS(filter->sources, filter->source_count)};
    return db_query(db, &sql_events_by_seq, params, 3, rows, err);
}

static const char *space_of_source(const struct config *config, struct slice source)
{
    for (size_t i = 0; i < config->source_count; i++)
        if (slice_is(source, config->sources[i].name))
            return options_string(config->sources[i].options, "space");
    return CONFIG_DEFAULT_SPACE;
}

bool event_filter_wants(const struct event_filter *filter, const struct db_result *rows, size_t row)
{
    struct slice space = db_bytes(rows, row, EVENT_SPACE);
    if (!db_int(rows, row, EVENT_IS_NAMED) ||
        (db_int(rows, row, EVENT_IS_TEST) && !filter->wants_tests))
        return false;
    int64_t kind = db_int(rows, row, EVENT_KIND);
    if ((kind == KIND_PERSON && filter->no_people) || (kind == KIND_COMPANY && filter->no_companies))
        return false;
    if (filter->space_count == 0)
        return true;
    if (space.len == 0) /* about no customer: that of its source */
        space = slice_str(space_of_source(filter->config, db_bytes(rows, row, EVENT_SOURCE)));
    for (size_t i = 0; i < filter->space_count; i++)
        if (slice_eq(space, filter->spaces[i]))
            return true;
    return false;
}
