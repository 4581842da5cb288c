/*
 * state_dir.h - who works in a state directory.
 */
#ifndef TRIBUTARY_STORE_STATE_DIR_H
#define TRIBUTARY_STORE_STATE_DIR_H

enum state_dir_holder { STATE_DIR_FREE, STATE_DIR_HELD, STATE_DIR_UNKNOWN };

/* Whether a process holds its lock. The daemon waits a moment for that lock, so looking does it no harm. */
enum state_dir_holder state_dir_find_holder(const char *state_dir);

#endif
