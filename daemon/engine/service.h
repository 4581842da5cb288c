/*
 * service.h - the engine with its two listeners: what `tributary run` runs.
 */
#ifndef TRIBUTARY_ENGINE_SERVICE_H
#define TRIBUTARY_ENGINE_SERVICE_H

#include "daemon/engine/engine.h"

struct service;

MUST_CHECK enum status service_start(const struct config *config, struct service **service,
                                     struct problems *problems, struct err *err);
/* Drains and ends, within about 20 seconds. */
void service_stop(struct service **service);

/* See engine_propose. */
MUST_CHECK enum status service_propose(struct service *service, const struct config *config,
                                       struct problems *problems, struct err *err);

enum service_state {
    SERVICE_READY,    /* records are resolved */
    SERVICE_WAITING,  /* posts are kept; the database is not there (yet) */
    SERVICE_HOPELESS, /* it cannot work as it is configured: err says why */
};
enum service_state service_check(struct service *service, struct err *err);

#endif
