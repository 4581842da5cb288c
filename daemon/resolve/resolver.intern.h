/*
 * resolver.intern.h - the resolver's state and the steps of a turn. For daemon/resolve/ only.
 *
 * A *turn* makes one write set: stage (stage.c) -> settle -> follow the moves (follow.c) -> golden records
 * (customers.c) with leads and events (tell.c) -> put to the writer.
 */
#ifndef TRIBUTARY_RESOLVE_RESOLVER_INTERN_H
#define TRIBUTARY_RESOLVE_RESOLVER_INTERN_H

#include <pthread.h>

#include "daemon/accept/prepare.h"
#include "daemon/base/latch.h"
#include "daemon/base/queue.h"
#include "daemon/resolve/cache.h"
#include "daemon/resolve/employment.h"
#include "daemon/resolve/provenance.h"
#include "daemon/resolve/resolver.h"
#include "daemon/resolve/u64_map.intern.h"
#include "daemon/resolve/writer.h"

/* Memory used again from record to record; each step resets what it fills. */
struct resolver_scratch {
    struct u64_map staged; /* record id -> place among the turn's staged records */
    struct buf text, changes, body;
    struct provenance_scratch provenance;
};

/* Data PostgreSQL did not take: the batches that had it, from the last failure. */
struct refusal {
    uint64_t first, last; /* batch ids; 0 none */
    uint64_t examined;    /* the batch whose records were last tried one by one, 0 none */
};

struct resolver {
    struct resolver_settings settings;
    const struct generation *generation;
    struct graph *graph;
    struct roster *roster;   /* of settings.intake->known */
    struct employment employment;
    struct slots stored;     /* while restoring: customers as stored, by record id */
    struct cache *records;   /* record id -> clean JSON */
    struct cache *customers; /* customer id -> struct customer_state and its texts */
    struct db *reader;
    struct writer *writer;
    struct resolver_scratch scratch;
    int64_t live_until_us;      /* monotonic; until then a post is expected at any moment */
    uint64_t next_set, last_record_id, last_event_seq;
    uint64_t assigned_set; /* the last set that says who looks after whom */
    uint64_t live_records, customer_count, company_count, lead_count, arrivals;
    unsigned char hash_key[32]; /* of rejects' identifiers */
    atomic_uint_fast64_t reread_count;  /* records read by the generation being applied */
    struct reread_counts reread_counts; /* of the one applied last in this process */
    struct cleaner *cleaner;    /* the resolver thread's, of the generation in cleaner_of */
    const struct generation *cleaner_of;
    struct preparing preparing; /* the resolver thread's, too */
    struct batch *recovered;    /* batches read back from the database, in order */
    uint64_t *recovered_ids;    /* ascending, of all rebuilds; the same batches may still come through the lanes */
    size_t recovered_count;
    uint64_t *unread;           /* ascending: batches to be read back once `recovered` is resolved */
    size_t unread_count, unread_next;
    int64_t read_back_at_us;    /* monotonic; not before */
    bool fresh_next;            /* posts of the lanes and what was read back take turns */
    atomic_int_fast64_t progress_us; /* monotonic; when something was committed last, or nothing waited */
    bool rejects_known;
    struct refusal refusal;
    unsigned rebuilds;          /* since something was committed */
    uint64_t rebuilt_at_set;    /* newest committed set when it was last rebuilt */
    pthread_t thread;
    bool thread_started;
    struct latch ended;
    bool closing;
    pthread_mutex_t lock;       /* calls, stats, closing, who the writer is */
    pthread_cond_t call_done;
    struct resolver_call *calls;
    struct resolver_stats stats;
    bool failed;
    struct err failure;
};

/* A record this turn writes. */
struct staged {
    uint64_t record_id;
    const struct arrival *arrival;
    bool is_new;
    bool deleted;
    bool joined;           /* its record row was already told of its customer */
    struct slice json;     /* clean record */
    struct slice features;
};

/* Who looks after a record. */
struct assigned {
    uint64_t record_id;
    int64_t assignment_id; /* the greater is the newer */
    struct slice owner, team;
};

struct turn {
    struct resolver *r;
    struct write_set *set;
    struct arena *arena;
    const char *actor;     /* for what no arrival caused */
    struct staged *staged;
    size_t staged_count, staged_max;
    struct graph_changes changes;
    struct graph_move *left; /* moves out of a customer into another, by (from, record) */
    size_t left_count;
    struct graph_move *removed; /* moves out of a customer into none, the same way */
    size_t removed_count;
    uint64_t *touched;     /* customers, ascending, each once; may be gone by now */
    size_t touched_count;
    uint64_t *lost_leads;  /* customers whose lead record was deleted in this turn */
    size_t lost_lead_count;
    uint64_t *employed;    /* people's records that name another employer, or none any more; some more than once */
    size_t employed_count;
    uint64_t *retimed;     /* employers whose oldest record is another; some more than once */
    size_t retimed_count;
    struct assigned *assigned; /* of the records of the customers touched, by record id */
    size_t assigned_count;
    bool only_changed;     /* customers that stand as they should are not written again */
};

/* What stands in tributary.customer of a customer, besides its values. */
struct customer_state {
    int32_t version, lead_count;
    int64_t created_us, last_seen_us, lead_us;
    uint32_t space_key, kind;
    uint32_t lead_source_len, owner_len, team_len, provenance_len;
    /* then the texts, in that order */
};

struct customer_texts {
    struct slice lead_source, owner, team, provenance;
};

struct turn *turn_new(struct resolver *r, size_t arrivals, const char *actor);
void turn_free(struct turn **turn); /* not the set once it was given to the writer */

/* stage.c */
MUST_CHECK enum status stage_batch(struct turn *turn, const struct batch *batch, struct err *err);
/* The employers of people's records that are stored; `persons` have their employer attached. */
MUST_CHECK enum status stage_employers(struct turn *turn, struct arrival *persons, size_t count, struct err *err);
/* follow.c: settles, notes moves, links and reviews, finds the customers touched, writes record rows. */
MUST_CHECK enum status follow_changes(struct turn *turn, struct err *err);
/* The same for moves that are already known (a changed generation at start). */
MUST_CHECK enum status follow_moves(struct turn *turn, const struct graph_move *moves, size_t count,
                                    struct err *err);
void tell_review(struct turn *turn, const struct graph_review *review);
/* customers.c: golden records of the customers touched, with leads and events. */
MUST_CHECK enum status write_customers(struct turn *turn, struct err *err);
/* A query of the resolver with one parameter, patient while the database is away: what was decided in memory waits for it. */
MUST_CHECK enum status turn_query(struct turn *turn, const struct sql_query *query,
                                  const struct db_param *params, struct db_result **result, struct err *err);
/* Puts the set to the writer; the turn is over. */
MUST_CHECK enum status turn_put(struct turn *turn, struct err *err);

bool resolver_is_closing(struct resolver *r);
/* Sorts ids and leaves out doubles; returns how many are left. */
size_t ids_each_once(uint64_t *ids, size_t count);
/* Waits until all that was put to the writer is in the database: what is read from now on is what was written. */
MUST_CHECK enum status resolver_wait_written(struct resolver *r, struct err *err);

/* restore.c */
MUST_CHECK enum status restore(struct resolver *r, struct err *err);
struct restored {
    uint64_t record_id;
    struct natural_key key;
    const struct source *source;
    struct roster_entry *entry;
};
/* What the resolver remembers of a row of record_load or record_page, its features apart. */
MUST_CHECK enum status restore_row(struct resolver *r, const struct db_result *rows, size_t row,
                                   struct restored *restored, struct err *err);
MUST_CHECK enum status restore_decisions(struct graph *graph, struct db *db, struct err *err);
/* Records whose stored customer is not what the graph says. NULL when out of memory. */
struct graph_move *restore_differences(struct resolver *r, struct arena *arena, size_t *count);
/* regenerate.c: the same with a generation that is not the one that made what is stored. */
MUST_CHECK enum status regenerate(struct resolver *r, struct err *err);
/* All that follows from it is on its way: with what is put here it is applied. */
MUST_CHECK enum status regenerate_end(struct resolver *r, struct err *err);
MUST_CHECK enum status restore_batches(struct resolver *r, struct err *err);
/* restore_rejects.c: once; before restore_batches. */
MUST_CHECK enum status restore_rejects(struct resolver *r, struct err *err);
/* Fills r->recovered, when there is any batch in flight that is not in memory: some at a time. */
void read_back(struct resolver *r);
bool resolver_was_recovered(const struct resolver *r, uint64_t batch_id);

/* employers.c: makes and takes away the employers of stored records, where `employers` of a source has changed; with
 * `all`, where it is on. */
MUST_CHECK enum status employers_follow(struct resolver *r, bool all, struct err *err);

/* Reads who names which employer. */
MUST_CHECK enum status employers_restore(struct resolver *r, struct err *err);

/* tell.c: leads and events of one customer as it is now. */
struct customer_view {
    uint64_t customer_id;
    size_t member_count;
    uint64_t *members;               /* ascending */
    const struct golden_record *golden;
    int32_t version;
    bool is_new;                     /* no row of this id stood before */
    bool changed;                    /* some golden value differs */
    struct slice changes;            /* {"field": [old, new]} */
    int64_t last_seen_before_us;     /* 0 new */
    struct slice actor;
    int32_t source_id;               /* of the arrival that caused it; 0 none */
    uint16_t lead_count;             /* out */
    uint64_t lead_record;            /* out: the earliest lead; 0 none */
};
MUST_CHECK enum status tell_customer(struct turn *turn, struct customer_view *view, struct err *err);
/* A customer that stood and does not any more; `version` is its last plus one. */
void tell_gone(struct turn *turn, uint64_t customer_id, int32_t version);
/* tell_keys.c: the source's key of a record that stands, in this turn's arena or as long as its batch. */
struct record_key {
    struct slice external_id, part;
};
MUST_CHECK enum status tell_key(struct turn *turn, uint64_t record_id, struct record_key *key, struct err *err);
/* tell_sources.c: the sources of these records and of those that left one of two customers (0: none) in this turn, ascending;
 * in the turn's arena, which may have failed. */
struct told_sources {
    int32_t *ids;
    size_t count;
};
struct told_sources tell_sources(struct turn *turn, const uint64_t customers[2], const uint64_t *members,
                                 size_t member_count);
void golden_to_json(const struct schema *schema, const struct golden_record *golden, struct buf *out);

/* Of moves sorted by where they come from, those from one customer. */
static inline const struct graph_move *turn_moves_from(const struct graph_move *moves, size_t move_count,
                                                       uint64_t customer_id, size_t *count)
{
    size_t low = 0, high = move_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (moves[middle].from < customer_id)
            low = middle + 1;
        else
            high = middle;
    }
    *count = 0;
    while (low + *count < move_count && moves[low + *count].from == customer_id)
        (*count)++;
    return moves + low;
}

/* The staged record of an id in this turn, or NULL. */
static inline struct staged *turn_staged(const struct turn *turn, uint64_t record_id)
{
    uint32_t place = u64_map_get(&turn->r->scratch.staged, record_id);
    return place == NO_VALUE ? NULL : &turn->staged[place];
}

#endif
