/*
 * cluster_setup.h - where the private PostgreSQL is, whose it is, and making it the first time.
 *
 * Shared by cluster.c and cluster_setup.c only.
 */
#ifndef TRIBUTARY_STORE_CLUSTER_SETUP_H
#define TRIBUTARY_STORE_CLUSTER_SETUP_H

#include <limits.h>
#include <sys/types.h>

#include "daemon/store/program.h"

#define SOCKET_DIR_MAX 90 /* sun_path is 108 bytes; PostgreSQL adds /.s.PGSQL.5432 */

struct cluster_place {
    char state_dir[PATH_MAX - 64];   /* resolved */
    char data_dir[PATH_MAX];         /* <state_dir>/postgres */
    char log_path[PATH_MAX];         /* what initdb and the postmaster say before their own log is open */
    char socket_dir[SOCKET_DIR_MAX + 1];
    char bin_dir[PATH_MAX - 64];
    bool change_user;                /* we are root: it belongs to `tributary` */
    uid_t uid;
    gid_t gid;
};

/* Resolves everything, making the user, the state directory and the socket directory when missing. */
MUST_CHECK enum status cluster_place_find(const char *state_dir, const struct stop *stop,
                                          struct cluster_place *place, struct err *err);
/* Makes the cluster when it is not there. What an interrupted run left is cleared first. */
MUST_CHECK enum status cluster_create(const struct cluster_place *place, const struct stop *stop,
                                      struct err *err);
/* Runs (deadline_ms > 0) or starts (0, *pid) a program of PostgreSQL as the owner, output to log_path.
 * argv[0] stands for its full path. */
MUST_CHECK enum status cluster_program(const struct cluster_place *place, const char *name,
                                       const char *const *argv, int64_t deadline_ms,
                                       const struct stop *stop, pid_t *pid, struct err *err);
/* Adds the last line of log_path to the err's text. */
void cluster_explain(const struct cluster_place *place, struct err *err);

#endif
