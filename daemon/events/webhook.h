/*
 * webhook.h - what the dispatcher and the check of the configuration need of sink_webhook.c.
 */
#ifndef TRIBUTARY_EVENTS_WEBHOOK_H
#define TRIBUTARY_EVENTS_WEBHOOK_H

#include <curl/curl.h>

#include "daemon/base/err.h"
#include "daemon/base/slice.h"

#define WEBHOOK_HEADER_MAX 4096

/* "name: value" into line; RETRY_REJECT_CONFIG for what no header may hold, or is set by tributary
 * itself. */
MUST_CHECK enum status webhook_header(struct slice name, struct slice value, char *line,
                                      size_t size, struct err *err);

/* Settles the deliveries that have ended; true when there were any. */
bool webhook_collect(CURLM *multi);

#endif
