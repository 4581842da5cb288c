/*
 * sink.h - one sink at work. For daemon/events/ only; everything here runs on the dispatcher's
 * thread.
 *
 * The log flows: tributary.event -> window (read ahead, filtered, made into CloudEvents) -> driver
 * -> settled -> cursor. The cursor stands before the first event that is neither delivered nor
 * parked nor dead. Cursor, counts and parked rows are saved in one transaction after the
 * deliveries: a crash repeats deliveries, it never skips one.
 *
 * sink.c life and state · sink_flow.c what is delivered next and what follows from its outcome ·
 * sink_read.c from the log into the window · sink_save.c state from and to the database ·
 * sink_webhook.c, sink_file.c, sink_notify.c drivers
 */
#ifndef TRIBUTARY_EVENTS_SINK_H
#define TRIBUTARY_EVENTS_SINK_H

#include <curl/curl.h>

#include "daemon/base/clock.h"
#include "daemon/config/config.h"
#include "daemon/events/cloudevent.h"
#include "daemon/events/filter.h"
#include "daemon/events/parked.h"
#include "daemon/events/retry.h"
#include "daemon/store/db.h"

#define SINK_WINDOW_MAX   256 /* events read ahead */
#define SINK_RETRIES_MAX  32  /* parked events fetched ahead */
#define SINK_PARALLEL_MAX 64

struct sink_driver;
struct webhook;
struct file_log;

enum sink_state { SINK_ACTIVE, SINK_PAUSED, SINK_DISABLED };
enum item_state { ITEM_WAITING, ITEM_IN_FLIGHT, ITEM_SETTLED };

struct event_item {
    uint64_t seq;
    struct named named;
    enum item_state state;
    bool is_retry;     /* it stands in parked */
    unsigned attempts; /* before this one */
    struct slice body; /* malloc'd */
};

enum outcome_kind {
    OUTCOME_DELIVERED,
    OUTCOME_FAILED,
    OUTCOME_SLOW_DOWN, /* the endpoint asks the whole sink to wait (429); no attempt is counted */
    OUTCOME_GONE,      /* the endpoint wants nothing any more (410) */
    OUTCOME_HELD, /* the driver cannot deliver anything now (disk full, database away); no attempt
                     is counted */
};

struct outcome {
    enum outcome_kind kind;
    int status;             /* HTTP status; 0 none */
    int64_t retry_after_ms; /* what the endpoint asked for; -1 nothing */
    char error[PARKED_ERROR_MAX];
};

struct sink {
    /* what is configured */
    const char *name;
    const struct options *options;
    const struct config *config;
    const struct sink_driver *driver;
    const struct clock *clock;
    const char *source_uri;
    struct retry_schedule schedule;
    unsigned max_attempts;
    unsigned parallel;
    uint64_t backlog_max; /* limits.events */
    uint64_t backlog_most; /* at which it is disabled: more, when it was enabled with more */
    bool slow_when_full;
    struct event_filter filter;
    const struct slice *fields;
    size_t field_count;

    /* what is in the database */
    bool loaded;
    bool reload; /* somebody changed it: load again once nothing is in flight */
    uint64_t saved_cursor, saved_delivered;
    int64_t changed_us; /* tributary.sink.updated_at */
    enum sink_state state;
    bool state_dirty;
    char reason[256];
    uint64_t dead;
    bool more_parked; /* than are in memory */

    /* what is at hand */
    uint64_t head;     /* of the log */
    uint64_t read_seq; /* the window holds what is wanted up to here */
    uint64_t cursor, delivered;
    int64_t last_delivered_us;                  /* wall; 0 never */
    struct event_item *window[SINK_WINDOW_MAX]; /* in order of seq */
    size_t window_count;
    struct event_item *retries[SINK_RETRIES_MAX];
    size_t retry_count;
    struct parked parked;
    unsigned in_flight, retries_in_flight;
    unsigned unsaved;         /* settled since the last save */
    int64_t unsaved_since_us; /* 0: nothing to save */
    bool stopping;

    /* when the endpoint does not take what it is given */
    unsigned failures; /* in a row */
    bool is_down;      /* then one at a time, at probe_at_us */
    unsigned probes;
    int64_t probe_at_us;
    int64_t hold_until_us;
    unsigned holds; /* in a row without a time of the endpoint's own */
    char trouble[256];

    struct webhook *webhook; /* one of these, by driver */
    struct file_log *file;
    const char *channel;
    CURLM *multi; /* the dispatcher's */
};

/* How a kind of sink delivers. */
struct sink_driver {
    const char *type;
    /* Reads the options; opens nothing. RETRY_REJECT_CONFIG. Called once; close follows even when
     * it failed. */
    enum status (*open)(struct sink *sink, struct err *err);
    /* Takes events with sink_next until it has none and delivers them; each is given back by
     * sink_settle, at once or (webhook) later. Never waits for an endpoint. Called often. `db` is
     * open; a failure of its is told by err (STATUS_FAILED), the events taken having been given
     * back as OUTCOME_HELD. */
    enum status (*pump)(struct sink *sink, struct db *db, struct err *err);
    /* Gives up what is in flight without settling it, and frees. */
    void (*close)(struct sink *sink);
    bool in_order; /* takes all that wait in order, several of a customer too, and settles all alike
                    */
    bool has_body; /* events are made into CloudEvents; else only their seq matters */
};
extern const struct sink_driver sink_webhook, sink_file, sink_notify;

/* sink.c */
struct sink_settings {
    const struct config *config;
    const struct options *options;
    const struct clock *clock;
    const char *source_uri;
    CURLM *multi;
};
MUST_CHECK enum status sink_new(const struct sink_settings *settings, struct sink **sink,
                                struct err *err);
void sink_free(struct sink **sink);
/* Reads, pumps, saves. *again: there is more to do at once. A failure is the database's. */
MUST_CHECK enum status sink_turn(struct sink *sink, struct db *db, bool *again, struct err *err);
/* When it next has something to do by itself, monotonic. */
int64_t sink_due_us(const struct sink *sink);
/* Stops for good, or until a person says otherwise; the log's cursor stays. */
void sink_disable(struct sink *sink, const char *reason);
void sink_status_json(const struct sink *sink, struct buf *out);
bool sink_is_full(const struct sink *sink);

/* sink_flow.c */
/* NULL: out of memory. Takes `named`. */
struct event_item *item_new(uint64_t seq, struct named *named, struct slice body);
void item_free(struct event_item **item);
/* The next event that may be delivered now, marked in flight; NULL: none. */
struct event_item *sink_next(struct sink *sink);
void sink_settle(struct sink *sink, struct event_item *item, const struct outcome *outcome);
void sink_forget(struct sink *sink); /* window, retries, parked; nothing may be in flight */
/* Moves the cursor over what is settled. */
void sink_advance(struct sink *sink);
bool sink_may_start(const struct sink *sink, int64_t now_us);

/* sink_read.c */
MUST_CHECK enum status sink_read_log(struct sink *sink, struct db *db, bool *again,
                                     struct err *err);
MUST_CHECK enum status sink_read_due(struct sink *sink, struct db *db, struct err *err);

/* sink_save.c */
MUST_CHECK enum status sink_load(struct sink *sink, struct db *db, struct err *err);
MUST_CHECK enum status sink_save(struct sink *sink, struct db *db, struct err *err);
void sink_touch(struct sink *sink, int64_t now_us); /* there is something to save */

#endif
