/*
 * load_dirs.h - which files the daemon loads for others.
 *
 * `tributary load` and POST /v1/ops/load name a file by its path, and the daemon may be able to read more than who asks
 * should have. It takes files below state_dir/load, the drop folders of csv sources, and `load_dirs` of the configuration.
 */
#ifndef TRIBUTARY_CONFIG_LOAD_DIRS_H
#define TRIBUTARY_CONFIG_LOAD_DIRS_H

#include "daemon/config/config.h"

#define LOAD_DIR_NAME    "load"  /* in state_dir */
#define LOAD_COPY_PREFIX "copy." /* of a folder in it that holds a file while it is loaded */

/* Whether a path (absolute, links resolved) lies in one of them. */
bool config_may_load(const struct config *config, const char *path);

/* Makes state_dir/load and clears copies that a daemon before left there. */
MUST_CHECK enum status load_dir_prepare(const struct config *config, struct err *err);

/* Deletes one folder of LOAD_COPY_PREFIX with the files in it; what is not there is no failure. */
void load_copy_remove(const char *folder);

#endif
