/*
 * routes.h - what the private listener serves of the console's operations.
 *
 *   POST /v1/ops/{name}            any operation of ops.h; the body is its arguments
 *   GET  /v1/customers/{id}        customer.show
 *   GET  /v1/customers/{id}/history
 *   GET  /v1/explain?a=&b=
 *   GET  /v1/reviews, /v1/rejects, /v1/events, /v1/sources
 */
#ifndef TRIBUTARY_CONSOLE_ROUTES_H
#define TRIBUTARY_CONSOLE_ROUTES_H

#include "daemon/console/api.h"

extern const struct route console_routes[];
extern const size_t console_route_count;

#endif
