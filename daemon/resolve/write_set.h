/*
 * write_set.h - everything one resolve transaction writes, encoded and ready to send.
 *
 * The resolver fills it, the writer thread sends it (perhaps several times) and frees it. Self-contained:
 * nothing in it points at a batch. Rows are binary COPY tuples; id lists are parameters.
 */
#ifndef TRIBUTARY_RESOLVE_WRITE_SET_H
#define TRIBUTARY_RESOLVE_WRITE_SET_H

#include "daemon/accept/batch.h"
#include "daemon/resolve/graph.h"
#include "daemon/base/buf.h"

struct id_list {
    int64_t *ids;
    size_t count, capacity;
};

struct text_list {
    struct slice *texts; /* in the set's arena */
    size_t count, capacity;
};

struct rows {
    struct buf buf;
    uint64_t count;
};

enum ledger_outcome {
    LEDGER_STORED,
    LEDGER_UPDATED,
    LEDGER_DELETED,
    LEDGER_REPEAT,
    LEDGER_REJECTED,
    LEDGER_QUARANTINED,
    LEDGER_SUPPRESSED,
    LEDGER_OUTCOMES,
};

struct write_set {
    uint64_t number;          /* counts up by one; also tells an ambiguous commit */
    struct arena *arena;
    struct buf scratch;       /* while a row is made */
    bool out_of_memory;
    int64_t now_us;           /* what every row of it is stamped with */

    bool replaces_links;      /* all links are written anew */
    int32_t applied_generation; /* is the one that stands from now on; 0 no change */
    struct id_list batches;   /* now resolved */
    struct rows records;      /* new ones */
    /* Records already there: parallel lists. */
    struct id_list update_ids, update_flags, update_effective_us, update_hashes, update_seqs,
        update_kinds;
    struct text_list update_cleans, update_features; /* features in hexadecimal */
    /* Records as another generation reads them: parallel lists; a clean without bytes stays as it was. */
    struct id_list reread_ids, reread_kinds;
    struct text_list reread_cleans, reread_features;
    struct id_list move_ids, move_customers; /* 0: no customer any more */
    struct id_list gone_ids, gone_heirs;     /* deleted records, and a record that stays in the customer (0 none) */
    struct id_list stale_employments; /* people's records: rows of works_for are replaced */
    struct rows employments;
    struct id_list retimed_ids, retimed_us;
    struct id_list lead_ids;  /* records that are leads from now on */
    struct rows links;
    struct id_list gone_link_a, gone_link_b;
    struct id_list stale_customers; /* rewritten or gone */
    struct rows customers;
    struct id_list stale_details;   /* records whose activities and consents are replaced */
    struct rows activities, consents;
    struct rows history, events, rejects, reviews;
    struct id_list gone_review_a, gone_review_b;
    struct id_list decision_ids, decision_a, decision_b; /* what was decided: parallel lists */
    struct text_list decision_kinds, decision_weights;
    struct id_list retracted_ids; /* and taken back */
    struct id_list assigned_ids; /* records that somebody looks after from now on, ascending */
    struct slice assigned_owner, assigned_team;
    struct slice decided_by, decision_note, decision_origin; /* decided_by: of the assignment too */
    int32_t decision_generation;
    struct id_list ledger_sources;
    struct id_list ledger[LEDGER_OUTCOMES];
    uint64_t last_record_id, last_event_seq; /* counters after this set */
    size_t arrival_count;
};

struct write_set *write_set_new(uint64_t number, int64_t now_us); /* NULL when out of memory */
void write_set_free(struct write_set **set);
/* True when anything did not fit: the set must not be sent. */
bool write_set_failed(const struct write_set *set);

void id_list_add(struct write_set *set, struct id_list *list, int64_t id);
void text_list_add(struct write_set *set, struct text_list *list, struct slice text); /* copied */
void write_set_count(struct write_set *set, int32_t source_id, enum ledger_outcome outcome);

/* Rows. Each appends one. */
struct record_row {
    int64_t record_id, customer_id, effective_us;
    uint64_t hash, accept_seq;
    int32_t source_id;
    int16_t kind, flags;
    int64_t lead_us; /* 0 none */
    struct slice space, external_id, part, clean_json, features;
};
void write_record(struct write_set *set, const struct record_row *row);
void write_record_update(struct write_set *set, const struct record_row *row);
void write_reread(struct write_set *set, uint64_t record_id, enum record_kind kind, struct slice clean_json,
                  struct slice features); /* clean_json empty: it stays */
void write_move(struct write_set *set, uint64_t record_id, uint64_t customer_id);
void write_heir(struct write_set *set, uint64_t deleted_id, uint64_t heir_id);
/* The employer a person's record names now; 0 none. */
void write_employment(struct write_set *set, uint64_t person, uint64_t employer);
void write_retimed(struct write_set *set, uint64_t record_id, int64_t effective_us);
void write_link(struct write_set *set, const struct graph_link *link, int32_t generation_id,
                const struct matcher *matcher);
void write_gone_link(struct write_set *set, uint64_t a, uint64_t b);
void write_review(struct write_set *set, const struct graph_review *review);
void write_gone_review(struct write_set *set, uint64_t a, uint64_t b);
void write_details(struct write_set *set, uint64_t record_id, bool replace,
                   const struct arrival *arrival);
/* Numbers the event; returns its seq. customer_id 0 and source_id 0 are NULL. */
uint64_t write_event(struct write_set *set, const char *type, uint64_t customer_id,
                     int32_t source_id, struct slice data);
/* The same, told to the sinks of several sources: `sources`, ascending. */
uint64_t write_event_of(struct write_set *set, const char *type, uint64_t customer_id,
                        int32_t source_id, const int32_t *sources, size_t source_count,
                        struct slice data);
void write_history(struct write_set *set, uint64_t customer_id, int32_t version, const char *what,
                   struct slice actor, uint64_t event_seq, struct slice changes);
void write_reject(struct write_set *set, const struct arrival *arrival, bool quarantined,
                  const char *code, const char *field, struct slice param, struct slice identifiers);

/* The evidence of a match as JSON: [["comparison", "level", weight], ...]. */
void evidence_to_json(const struct matcher *matcher, const struct match_result *result,
                      struct buf *out);

#endif
