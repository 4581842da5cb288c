/*
 * cluster.h - the private PostgreSQL: what is used when the configuration names no database.
 *
 * Lives in <state_dir>/postgres, listens on a unix socket only, and runs as a child of the daemon. As root the
 * cluster belongs to the system user `tributary` (made when missing) and its sockets are in /run/tributary; otherwise it
 * belongs to the caller and its socket directory is <state_dir>/run, or a directory in /tmp recorded in
 * <state_dir>/socket_dir when that path is too long for a socket. A postmaster of ours that outlived the daemon is
 * adopted. No shell, no pg_ctl.
 */
#ifndef TRIBUTARY_STORE_CLUSTER_H
#define TRIBUTARY_STORE_CLUSTER_H

#include "daemon/base/err.h"
#include "daemon/base/stop.h"

struct cluster;

/* Whether one was ever made there; true as well when that cannot be told. */
bool cluster_exists(const char *state_dir);
/* Creates the cluster when it is not there, starts or adopts it, and returns when it answers. `stop` may be NULL. May
 * take a minute the first time (initdb); a crash recovery is waited for up to two. */
MUST_CHECK enum status cluster_start(const char *state_dir, const struct stop *stop,
                                     struct cluster **cluster, struct err *err);
/* For db_settings.conninfo; lives as long as the cluster. */
const char *cluster_conninfo(const struct cluster *cluster);
/* STATUS_OK while the postmaster lives. When it has died it is started again (call it about once a second and after
 * a RETRY_RECONNECT). */
MUST_CHECK enum status cluster_check(struct cluster *cluster, struct err *err);
/* Fast shutdown; after the deadline, immediate. Frees and sets *cluster to NULL; NULL is allowed. */
MUST_CHECK enum status cluster_stop(struct cluster **cluster, int64_t deadline_ms, struct err *err);
/* For who only came to read: stops it when cluster_start started it, unless a daemon has its state_dir by now or others are
 * connected; leaves one that ran already as it is. Frees and sets *cluster to NULL; NULL is allowed. */
MUST_CHECK enum status cluster_leave(struct cluster **cluster, int64_t deadline_ms, struct err *err);

#endif
