/*
 * dispatcher.h - tells downstream: reads the event log in order and brings each event to every
 * sink.
 *
 * One thread with a connection of its own. Each sink has a filter, a field projection and a cursor
 * in tributary.sink. In order per customer, for every customer an event names: an event that fails
 * parks their later events for that sink and lets the others pass. Nothing is told before it is committed; everything is
 * told at least once.
 */
#ifndef TRIBUTARY_EVENTS_DISPATCHER_H
#define TRIBUTARY_EVENTS_DISPATCHER_H

#include "daemon/config/config.h"
#include "daemon/store/db.h"

struct dispatcher;

struct dispatcher_settings {
    struct db_settings db;
    const struct config *config; /* its sinks */
    const struct schema *schema;
    const struct clock *clock;
    const char *source_uri; /* `source` of the CloudEvents, "/tributary" or public_base_url */
};

struct dispatcher *dispatcher_start(const struct dispatcher_settings *settings, struct err *err);
/* There is something new up to this seq; cheap, any thread. 0: look at once at what a person
 * changed in the database. */
void dispatcher_wake(struct dispatcher *dispatcher, uint64_t last_event_seq);
/* Finishes the deliveries in hand (bounded by the deadline), keeps the cursors, ends. */
void dispatcher_stop(struct dispatcher **dispatcher, int64_t deadline_ms);

/* The sinks as in docs/status.md: a JSON array. */
struct buf;
void dispatcher_status_json(struct dispatcher *dispatcher, struct buf *out);
/* A sink with `when_full: slow` has limits.events undelivered: acceptance is to slow down. Any
 * thread. */
bool dispatcher_is_full(const struct dispatcher *dispatcher);

#endif
