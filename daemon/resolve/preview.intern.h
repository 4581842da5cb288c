/*
 * preview.intern.h - a preview's state: preview.c reads and compares partitions, preview_golden.c compares golden records,
 * preview_put.c tells. For daemon/resolve/ only.
 */
#ifndef TRIBUTARY_RESOLVE_PREVIEW_INTERN_H
#define TRIBUTARY_RESOLVE_PREVIEW_INTERN_H

#include <jansson.h>

#include "daemon/resolve/preview.h"

/* A live record, before and after. */
struct preview_record {
    uint64_t record_id, before, now;
    uint16_t flags; /* enum roster_flag: lead, lead-making ... */
    bool touched;   /* its customer loses or gains records */
};

struct preview_review {
    uint64_t a, b;
    int reason;
    double weight;
};

struct preview_reviews {
    struct preview_review *items; /* by pair */
    size_t count, capacity;
};

struct preview {
    const struct preview_settings *settings;
    struct graph *graph;
    struct reread reread;
    struct preview_record *records;
    size_t count, capacity;
    struct preview_reviews reviews_before, reviews_now;
    uint64_t customers_before, customers_now, moved, merges, splits;
    uint64_t leads_merged, leads_split, leads_made;
    uint64_t reviews_opened, reviews_closed;
    uint64_t golden_compared, golden_changed;
    json_t *fields;                               /* name -> how many customers */
    json_t *merged, *split, *opened, *closed, *changed; /* samples */
    json_t *names;                                /* record id -> [name, source, external id], of those in samples */
};

static inline bool preview_stopped(const struct preview *p)
{
    return p->settings->stop && stop_is_set(p->settings->stop);
}

/* preview_golden.c: of all customers, or of those whose records changed. Records are by (now, before, id). */
MUST_CHECK enum status preview_golden(struct preview *p, bool all, struct err *err);

/* preview_put.c: samples of a group of records, and in the end everything. */
void preview_sample_merge(struct preview *p, const struct preview_record *group, size_t count);
void preview_sample_split(struct preview *p, const struct preview_record *group, size_t count);
void preview_sample_review(struct preview *p, json_t *list, const struct preview_review *review);
MUST_CHECK enum status preview_name_samples(struct preview *p, struct err *err);
void preview_put(const struct preview *p, struct buf *out);

#endif
