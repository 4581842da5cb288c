/*
 * cloudevent.h - an event of the log as CloudEvents 1.0 structured JSON, for one sink.
 */
#ifndef TRIBUTARY_EVENTS_CLOUDEVENT_H
#define TRIBUTARY_EVENTS_CLOUDEVENT_H

#include "daemon/base/buf.h"

/* The npm package `cloudevents` knows the charset in lower case only, whatever RFC 9110 says of
 * case. */
#define CLOUDEVENT_CONTENT_TYPE "application/cloudevents+json; charset=utf-8"
#define CLOUDEVENT_ID_MAX       32
#define CLOUDEVENT_MAX_BYTES    ((size_t)32 << 20)

struct log_event {
    uint64_t seq;
    uint64_t customer_id; /* 0: it is about none */
    int64_t at_us;
    struct slice type;   /* "lead.created" */
    struct slice source; /* that caused it; empty: none */
    struct slice data;   /* JSON object; empty: erased or past its retention */
};

/* "evt_<seq>": the same at every attempt, and without a dot, so that it can be a webhook-id. */
void cloudevent_id(uint64_t seq, char id[CLOUDEVENT_ID_MAX]);

/* Appends one object without a newline. `fields` are those of data.customer and data.changes that
 * may be sent; a "*" among them: all. False (nothing usable was appended) when data is no JSON
 * object, or out of room. */
bool cloudevent_put(struct buf *out, const struct log_event *event, const char *source_uri,
                    const struct slice *fields, size_t field_count);

#endif
