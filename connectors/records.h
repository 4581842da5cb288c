/*
 * records.h - records pushed as JSON: type `records`, POST /v1/records on the private listener.
 *
 * One object, an array, {"records":[...]} or JSON lines; up to 1000 records and 8 MiB. A record:
 *
 *   {"external_id":"c-17","part":"main","op":"upsert","effective_at":"2026-11-22T08:15:30Z",
 *    "fields":{"name":"Li Wei","email":"li@example.com"},"test":false,
 *    "activities":[{"type":"order","key":"o-9","at":"...","data":{}}],
 *    "consents":[{"purpose":"marketing","granted":true,"text":"...","version":"3","at":"..."}]}
 *
 * Without external_id its content is its key ("h:..."). Each is a delivery of its own, whose body is its own text. The reply:
 * {"results":[{"external_id":"c-17","status":"accepted"|"repeat"|"rejected","errors":[{"code","severity","field","param"}]}]},
 * in order. The source is the built-in `api`, or what ?source= or the first record's "source" names.
 */
#ifndef TRIBUTARY_CONNECTORS_RECORDS_H
#define TRIBUTARY_CONNECTORS_RECORDS_H

#include "connectors/connector.h"

#define RECORDS_PATH           "/v1/records"
#define RECORDS_DEFAULT_SOURCE "api"
#define RECORDS_MAX            1000 /* in one request */
#define RECORDS_BODY_MAX_BYTES ((size_t)8 << 20)

extern const struct push_connector records_connector;

/* An instant: RFC 3339, a date and time without a zone (UTC), or seconds or milliseconds since 1970. */
bool records_time(struct slice text, int64_t *at_us);

#endif
