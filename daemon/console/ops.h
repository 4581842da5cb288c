/*
 * ops.h - what people and programs ask of a running daemon, as named operations: JSON in, JSON out.
 *
 * One table serves three doors: POST /v1/ops/NAME on the private listener, the command line (which calls the daemon over
 * HTTP when one runs and an engine of its own otherwise), and the console. An operation may block (it asks the database and the
 * resolver), so the listener runs it on a thread of its own.
 */
#ifndef TRIBUTARY_CONSOLE_OPS_H
#define TRIBUTARY_CONSOLE_OPS_H

#include <jansson.h>

#include "daemon/engine/engine.h"

struct op {
    const char *name; /* "customer.show"; NULL ends the table */
    const char *help; /* a sentence with the arguments */
    bool writes;      /* changes something: its `actor` argument is required */
    /* Fills *result with a new reference. On STATUS_FAILED err says why: RETRY_REJECT_CONFIG for wrong
     * arguments, RETRY_NONE with id "op.not_found" for what is not there. */
    enum status (*run)(struct engine *engine, const json_t *args, json_t **result, struct err *err);
};

extern const struct op ops[];
const struct op *op_find(const char *name);
/* Checks `actor` for operations that write, waits for the engine to be ready (up to 10 s), runs. */
MUST_CHECK enum status op_run(struct engine *engine, const char *name, const json_t *args,
                              json_t **result, struct err *err);

/* Arguments. Each fails with the argument's name in the message. */
MUST_CHECK enum status op_arg_id(const json_t *args, const char *name, uint64_t *id, struct err *err);
MUST_CHECK enum status op_arg_text(const json_t *args, const char *name, const char **text,
                                   struct err *err); /* required */
const char *op_optional_text(const json_t *args, const char *name, const char *otherwise);
int64_t op_optional_int(const json_t *args, const char *name, int64_t otherwise);
/* The first column of each row, which must be jsonb, as a list. */
MUST_CHECK enum status op_rows(struct engine *engine, const struct sql_query *query,
                               const struct db_param *params, size_t param_count, json_t **list,
                               struct err *err);

#endif
