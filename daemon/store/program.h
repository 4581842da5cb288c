/*
 * program.h - runs another program: no shell, no inherited descriptors, a small fixed environment, another user when
 * asked, a deadline when waited for.
 */
#ifndef TRIBUTARY_STORE_PROGRAM_H
#define TRIBUTARY_STORE_PROGRAM_H

#include <sys/types.h>

#include "daemon/base/err.h"
#include "daemon/base/stop.h"

struct program {
    const char *path;        /* absolute */
    const char *const *argv; /* argv[0] included, NULL at the end */
    bool change_user;        /* to uid and gid, without other groups */
    uid_t uid;
    gid_t gid;
    const char *directory;   /* where it runs; its user must be able to enter it */
    int output_fd;           /* its standard output and error; stays the caller's */
    bool own_session;        /* a terminal's interrupt does not reach it */
};

/* Fails when the program could not be executed (that is waited for; it takes no time). */
MUST_CHECK enum status program_start(const struct program *program, pid_t *pid, struct err *err);
/* STATUS_TIMEOUT and STATUS_STOPPED leave it running. *exit_code is 128 + n after signal n. `stop` may be NULL. */
MUST_CHECK enum status program_wait(pid_t pid, int64_t wait_ms, const struct stop *stop,
                                    int *exit_code);
/* Both, killing it when the wait fails; an exit code other than 0 is a failure too. */
MUST_CHECK enum status program_run(const struct program *program, int64_t deadline_ms,
                                   const struct stop *stop, struct err *err);

#endif
