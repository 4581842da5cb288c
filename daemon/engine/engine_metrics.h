/*
 * engine_metrics.h - the values behind /metrics.
 */
#ifndef TRIBUTARY_ENGINE_ENGINE_METRICS_H
#define TRIBUTARY_ENGINE_ENGINE_METRICS_H

#include "daemon/engine/engine.h"
#include "daemon/http/metrics.h"

/* Prometheus text; asks the database for the ledger, so it may block. */
void engine_metrics(struct engine *engine, const struct http_server_state *public_side,
                    const struct http_server_state *private_side, struct buf *out);

#endif
