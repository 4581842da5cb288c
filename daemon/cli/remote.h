/*
 * remote.h - operations (daemon/console/ops.h) from the command line, whoever runs them.
 *
 * When a daemon runs on the configuration's state_dir it is asked over its private listener, with the token in
 * state_dir/token; else an engine is started in this process, for as long as the command runs. Failures are told on standard
 * error and come back as an exit code: USAGE for wrong arguments, UNAVAILABLE when a daemon runs that cannot be asked.
 */
#ifndef TRIBUTARY_CLI_REMOTE_H
#define TRIBUTARY_CLI_REMOTE_H

#include <jansson.h>

#include "daemon/cli/cli.h"

struct remote;
struct engine;
struct config;

/* Reads the configuration and finds out who runs operations. On anything but EXIT_CODE_OK *remote is NULL. */
int remote_open(const struct cli *cli, struct remote **remote);
void remote_close(struct remote **remote);
const struct config *remote_config(const struct remote *remote);
/* The engine of this process; NULL when a daemon is asked. */
struct engine *remote_engine(const struct remote *remote);
/* Takes the reference of `args`. *result is a new reference when EXIT_CODE_OK, else NULL. */
int remote_call(struct remote *remote, const char *operation, json_t *args, json_t **result);
/* The three in one. */
int remote_run(const struct cli *cli, const char *operation, json_t *args, json_t **result);

/* Who acts: --actor (the command must have that option), else the login name. */
const char *remote_actor(const struct cli *cli);

/* "http://127.0.0.1:8081" for an address of the configuration, as seen from this machine; false when it is off or its port
 * is chosen by the system. */
bool remote_base_url(const char *address, char *out, size_t size);
/* What the daemon's answer says went wrong; body may be anything. */
void remote_reply_err(long http_status, struct slice body, struct err *err);

#endif
