/*
 * explain_path.h - how two records of one customer hang together: the links from one to the other.
 */
#ifndef TRIBUTARY_CONSOLE_EXPLAIN_PATH_H
#define TRIBUTARY_CONSOLE_EXPLAIN_PATH_H

#include "daemon/console/ops.h"

/* *path: the links in order from `a` to `b`, each as in customer.show with `from` and `to`; empty when they do not hang
 * together yet. A customer's links are a tree, so there is one way at most. */
MUST_CHECK enum status explain_path(struct engine *engine, uint64_t customer_id, uint64_t a, uint64_t b,
                                    json_t **path, struct err *err);
/* The same over a list of links (objects with `a` and `b`). NULL when out of memory. */
json_t *explain_path_in(const json_t *links, uint64_t a, uint64_t b);

#endif
