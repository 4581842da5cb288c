/*
 * state_dir.h - who works in a state directory.
 */
#ifndef TRIBUTARY_STORE_STATE_DIR_H
#define TRIBUTARY_STORE_STATE_DIR_H

#include "daemon/base/err.h"

/* Takes the lock of a daemon, or of a command that does its work, into *fd (closed by the caller at its end; -1 when it could
 * not be opened). RETRY_LATER: somebody else holds it. */
MUST_CHECK enum status state_dir_lock(const char *state_dir, int *fd, struct err *err);

enum state_dir_holder { STATE_DIR_FREE, STATE_DIR_HELD, STATE_DIR_UNKNOWN };

/* Whether a process holds that lock. Who takes it waits a moment for it, so looking does it no harm. */
enum state_dir_holder state_dir_find_holder(const char *state_dir);

#endif
