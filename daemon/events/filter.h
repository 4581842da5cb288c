/*
 * filter.h - which events of the log a sink is told of: by type, source, space, kind and test.
 *
 * One filter for whatever brings an event to a sink: what is new, what is tried again, what a person has told again. An
 * event that it does not want is never told to that sink, whichever way it came there.
 */
#ifndef TRIBUTARY_EVENTS_FILTER_H
#define TRIBUTARY_EVENTS_FILTER_H

#include "daemon/config/config.h"
#include "daemon/store/db.h"

struct event_filter {
    const struct config *config; /* borrowed, with its options */
    struct slice *patterns;      /* of types, for LIKE */
    size_t pattern_count;
    const struct slice *sources, *spaces;
    size_t source_count, space_count;
    bool wants_tests;
    bool no_people, no_companies;
};

/* The columns of both queries below. */
enum event_column {
    EVENT_SEQ, EVENT_AT, EVENT_CUSTOMER /* 0 none */, EVENT_TYPE, EVENT_SOURCE /* empty: none */,
    EVENT_DATA /* NULL: erased, or not asked for */, EVENT_SPACE /* of its customer */, EVENT_IS_TEST,
    EVENT_IS_NAMED, /* its type and source are wanted */
    EVENT_OTHERS,   /* customers it names besides, see named.h; only with the body */
    EVENT_TOTAL,    /* rows there were before they were cut to max_bytes */
    EVENT_KIND      /* of its customer; 0 none */
};

/* False when out of memory; free it all the same. */
bool event_filter_init(struct event_filter *filter, const struct config *config,
                       const struct options *sink);
void event_filter_free(struct event_filter *filter);

struct event_span {
    uint64_t after_seq, up_to_seq;
    size_t max_rows;
    int64_t max_bytes; /* of bodies, as stored; one row there is at least */
    bool with_bodies;
};
/* The events of a span whose types and sources are wanted, in order. event_filter_wants judges the rest. */
MUST_CHECK enum status event_filter_read(const struct event_filter *filter, struct db *db,
                                         const struct event_span *span, struct db_result **rows,
                                         struct err *err);
/* These events, wanted or not, in order; those past their retention are missing. */
MUST_CHECK enum status event_filter_find(const struct event_filter *filter, struct db *db,
                                         const int64_t *seqs, size_t count, struct db_result **rows,
                                         struct err *err);
bool event_filter_wants(const struct event_filter *filter, const struct db_result *rows, size_t row);

#endif
