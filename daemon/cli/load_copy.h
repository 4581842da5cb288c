/*
 * load_copy.h - a copy of a user's file where the daemon takes files from.
 *
 * The daemon reads no path it is not configured for (daemon/config/load_dirs.h). Who may use the token may also write below
 * state_dir, so `tributary load` of any other file puts a copy there for as long as the load runs.
 */
#ifndef TRIBUTARY_CLI_LOAD_COPY_H
#define TRIBUTARY_CLI_LOAD_COPY_H

#include "daemon/config/config.h"

/* Copies the file, readable by the owner of state_dir; *copy is its path, to be freed by load_copy_end. */
MUST_CHECK enum status load_copy_make(const struct config *config, const char *path, char **copy, struct err *err);
/* Deletes the copy; *copy becomes NULL, and may have been. */
void load_copy_end(char **copy);

#endif
