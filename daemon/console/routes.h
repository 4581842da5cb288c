/*
 * routes.h - what the private listener serves of the console's operations.
 *
 *   POST /v1/ops/{name}            any operation of ops.h; the body is its arguments. 400 wrong ones, 404 what is not there, 409 what cannot be
 *                                  done, 503 what may be tried again. Without `actor` the caller's X-Actor acts
 *   GET  /v1/customers/{id}        customer.show
 *   GET  /v1/customers/{id}/history
 *   GET  /v1/customers?text=       customer.find
 *   GET  /v1/explain?a=&b=         as an SVG waterfall with &format=svg
 *   GET  /v1/reviews, /v1/rejects, /v1/events, /v1/sources
 */
#ifndef TRIBUTARY_CONSOLE_ROUTES_H
#define TRIBUTARY_CONSOLE_ROUTES_H

#include "daemon/console/api.h"

extern const struct route console_routes[];
extern const size_t console_route_count;

#endif
