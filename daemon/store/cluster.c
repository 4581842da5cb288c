/* cluster.c - see cluster.h: starting, adopting, watching and stopping the postmaster. */
#include "daemon/store/cluster.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/store/cluster_setup.h"
#include "daemon/store/db.h"
#include "daemon/store/state_dir.h"
#include "sql_queries.h"

#define READY_DEADLINE_MS 120000 /* crash recovery of a few GB of WAL */
#define READY_POLL_MS     50
#define RELAUNCH_PAUSE_MS 300
#define IMMEDIATE_WAIT_MS 5000
#define SURVIVOR_WAIT_MS  30000
#define SESSIONS_WAIT_MS  1000 /* a session that was closed takes a moment to go */
#define CONNINFO_BYTES    (SOCKET_DIR_MAX + 80)

struct cluster {
    struct cluster_place place;
    const struct stop *stop;
    pid_t postmaster;
    bool is_child; /* else adopted: waitpid knows nothing of it */
    char conninfo[CONNINFO_BYTES];
};

struct pid_file {
    pid_t pid;
    char socket_dir[SOCKET_DIR_MAX + 1];
};

static bool read_pid_file(const struct cluster_place *place, struct pid_file *out)
{
    char path[PATH_MAX + 32], line[PATH_MAX];
    memset(out, 0, sizeof(*out));
    snprintf(path, sizeof(path), "%s/postmaster.pid", place->data_dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    for (int number = 1; fgets(line, sizeof(line), file); number++) {
        line[strcspn(line, "\n")] = '\0';
        if (number == 1)
            out->pid = (pid_t)strtol(line, NULL, 10);
        if (number == 5 && strlen(line) <= SOCKET_DIR_MAX)
            memcpy(out->socket_dir, line, strlen(line) + 1);
    }
    fclose(file);
    return out->pid > 1;
}

/* A postmaster, like its children, stands in its data directory; nobody else has a reason to. */
static bool is_our_postmaster(const struct cluster_place *place, pid_t pid)
{
    char link[64], target[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    ssize_t len = readlink(link, target, sizeof(target) - 1);
    if (len <= 0)
        return false;
    target[len] = '\0';
    if (strcmp(target, place->data_dir) != 0)
        return false;
    snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
    len = readlink(link, target, sizeof(target) - 1);
    if (len <= 0)
        return true; /* on its way out: memory goes before the directory */
    target[len] = '\0';
    return strstr(target, "/postgres") != NULL;
}

static bool pause_ms(const struct cluster *cluster, int64_t wait_ms)
{
    if (cluster->stop)
        return stop_wait_ms(cluster->stop, wait_ms);
    usleep((useconds_t)wait_ms * 1000);
    return false;
}

/* A process of the cluster, postmaster or child: they all stand in the data directory. 0 when there is none. */
static pid_t find_survivor(const struct cluster_place *place)
{
    pid_t found = 0;
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        return 0;
    for (struct dirent *entry; found == 0 && (entry = readdir(processes)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid > 1 && is_our_postmaster(place, pid))
            found = pid;
    }
    closedir(processes);
    return found;
}

/* The pid file of a dead postmaster is PostgreSQL's to judge, unless its number went to a stranger (or to a zombie
 * nobody reaps): PostgreSQL would then refuse to start until a person removes it. It also guards against children of
 * a killed postmaster, so it goes only when there are none. The same for the lock beside the socket. */
static enum status clear_stale_locks(const struct cluster *cluster, const struct pid_file *pid_file,
                                     struct err *err)
{
    const struct cluster_place *place = &cluster->place;
    char path[PATH_MAX + 32];
    if (pid_file->pid > 1 && kill(pid_file->pid, 0) == 0) {
        int64_t until_us = clock_monotonic_us(clock_system()) + SURVIVOR_WAIT_MS * 1000LL;
        for (pid_t survivor; (survivor = find_survivor(place)) != 0;) {
            if (clock_monotonic_us(clock_system()) >= until_us)
                return err_set(err, RETRY_LATER, "store.cluster_survivor",
                               "process %d of a killed private database is still there; hint: kill it",
                               (int)survivor);
            if (pause_ms(cluster, READY_POLL_MS))
                return STATUS_STOPPED;
        }
        log_warn("store.cluster_stale", "postmaster.pid names process %d, which is not the database: removed",
                 (int)pid_file->pid);
        snprintf(path, sizeof(path), "%s/postmaster.pid", place->data_dir);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/.s.PGSQL.5432.lock", place->socket_dir);
    unlink(path);
    return STATUS_OK;
}

static void set_conninfo(struct cluster *cluster, const char *database, char *out, size_t size)
{
    snprintf(out, size, "host='%s' port=5432 user=tributary dbname=%s", cluster->place.socket_dir,
             database);
}

static bool is_alive(struct cluster *cluster)
{
    if (cluster->postmaster <= 0)
        return false;
    if (cluster->is_child)
        return waitpid(cluster->postmaster, NULL, WNOHANG) == 0;
    return is_our_postmaster(&cluster->place, cluster->postmaster);
}

static enum status launch(struct cluster *cluster, struct err *err)
{
    const struct cluster_place *place = &cluster->place;
    char sockets[SOCKET_DIR_MAX + 64];
    snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", place->socket_dir);
    const char *const argv[] = {"postgres", "-D", place->data_dir, "-c", "listen_addresses=", "-c", sockets,
                                "-c", "unix_socket_permissions=0700", "-c", "port=5432", NULL};
    cluster->is_child = true;
    return cluster_program(place, "postgres", argv, 0, NULL, &cluster->postmaster, err);
}

/* After a crash of the postmaster its children may live a little longer; a new one refuses to start beside them. */
static bool is_waiting_for_the_old(const struct err *err)
{
    return strstr(err->text, "pre-existing shared memory block") != NULL ||
           strstr(err->text, "Terminate any old server processes") != NULL;
}

static enum status wait_ready(struct cluster *cluster, struct db *db, struct err *err)
{
    int64_t until_us = clock_monotonic_us(clock_system()) + READY_DEADLINE_MS * 1000LL;
    for (;;) {
        enum status status = db_open(db, err);
        if (status == STATUS_OK || status == STATUS_STOPPED)
            return status;
        if (!is_alive(cluster)) {
            cluster->postmaster = 0;
            err_set(err, RETRY_LATER, "store.cluster_start", "the private database did not start");
            cluster_explain(&cluster->place, err);
            if (!is_waiting_for_the_old(err) || clock_monotonic_us(clock_system()) >= until_us)
                return STATUS_FAILED;
            if (pause_ms(cluster, RELAUNCH_PAUSE_MS))
                return STATUS_STOPPED;
            status = launch(cluster, err);
            if (status != STATUS_OK)
                return status;
        }
        if (clock_monotonic_us(clock_system()) >= until_us) {
            err_prefix(err, "the private database is not ready after %d s", READY_DEADLINE_MS / 1000);
            return STATUS_FAILED;
        }
        if (pause_ms(cluster, READY_POLL_MS))
            return STATUS_STOPPED;
    }
}

static enum status ensure_database(struct db *db, struct err *err)
{
    struct db_result *result = NULL;
    enum status status = db_query(db, &sql_store_database_exists, NULL, 0, &result, err);
    bool exists = status == STATUS_OK && db_int(result, 0, 0) != 0;
    db_result_free(&result);
    if (status == STATUS_OK && !exists)
        status = db_run(db, &sql_store_create_database, NULL, 0, NULL, err);
    return status;
}

static enum status bring_up(struct cluster *cluster, struct err *err)
{
    struct pid_file pid_file;
    bool recorded = read_pid_file(&cluster->place, &pid_file);
    enum status status = STATUS_OK;
    if (recorded && is_our_postmaster(&cluster->place, pid_file.pid)) {
        cluster->postmaster = pid_file.pid;
        cluster->is_child = false;
        if (pid_file.socket_dir[0])
            memcpy(cluster->place.socket_dir, pid_file.socket_dir, sizeof(pid_file.socket_dir));
        log_info("store.cluster_adopted", "the private database is running already (process %d)",
                 (int)pid_file.pid);
    } else {
        status = clear_stale_locks(cluster, &pid_file, err);
        if (status == STATUS_OK)
            status = launch(cluster, err);
    }
    if (status != STATUS_OK)
        return status;
    char conninfo[CONNINFO_BYTES];
    set_conninfo(cluster, "postgres", conninfo, sizeof(conninfo));
    set_conninfo(cluster, "tributary", cluster->conninfo, sizeof(cluster->conninfo));
    struct db *db = db_new(&(struct db_settings){.conninfo = conninfo,
                                                 .application_name = "tributary cluster",
                                                 .connect_timeout_ms = 2000},
                           cluster->stop);
    if (db == NULL)
        return err_set(err, RETRY_LATER, "store.memory", "out of memory");
    status = wait_ready(cluster, db, err);
    if (status == STATUS_OK)
        status = ensure_database(db, err);
    db_free(&db);
    return status;
}

bool cluster_exists(const char *state_dir)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof(path), "%s/postgres/PG_VERSION", state_dir);
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

enum status cluster_start(const char *state_dir, const struct stop *stop, struct cluster **out,
                          struct err *err)
{
    *out = NULL;
    struct cluster *cluster = calloc(1, sizeof(*cluster));
    if (cluster == NULL)
        return err_set(err, RETRY_LATER, "store.memory", "out of memory");
    cluster->stop = stop;
    enum status status = cluster_place_find(state_dir, stop, &cluster->place, err);
    if (status == STATUS_OK)
        status = cluster_create(&cluster->place, stop, err);
    if (status == STATUS_OK)
        status = bring_up(cluster, err);
    if (status != STATUS_OK) {
        struct err stop_err = {0};
        if (cluster_stop(&cluster, IMMEDIATE_WAIT_MS, &stop_err) != STATUS_OK)
            log_err(LOG_LEVEL_WARN, &stop_err, "after a failed start");
        return status;
    }
    *out = cluster;
    return STATUS_OK;
}

const char *cluster_conninfo(const struct cluster *cluster)
{
    return cluster->conninfo;
}

enum status cluster_check(struct cluster *cluster, struct err *err)
{
    if (is_alive(cluster))
        return STATUS_OK;
    log_warn("store.cluster_died", "the private database has died: starting it again");
    cluster->postmaster = 0;
    return bring_up(cluster, err);
}

static bool wait_dead(struct cluster *cluster, int64_t wait_ms)
{
    int64_t until_us = clock_monotonic_us(clock_system()) + wait_ms * 1000;
    while (is_alive(cluster)) {
        if (clock_monotonic_us(clock_system()) >= until_us)
            return false;
        usleep(10000);
    }
    return true;
}

enum status cluster_stop(struct cluster **cluster_ptr, int64_t deadline_ms, struct err *err)
{
    struct cluster *cluster = *cluster_ptr;
    *cluster_ptr = NULL;
    if (cluster == NULL)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (is_alive(cluster)) {
        kill(cluster->postmaster, SIGINT); /* fast: clients are cut, a checkpoint is made */
        if (!wait_dead(cluster, deadline_ms)) {
            log_warn("store.cluster_slow", "the private database did not stop in %lld ms: stopping it at once",
                     (long long)deadline_ms);
            kill(cluster->postmaster, SIGQUIT);
            if (!wait_dead(cluster, IMMEDIATE_WAIT_MS))
                status = err_set(err, RETRY_NONE, "store.cluster_stop",
                                 "the private database (process %d) does not stop", (int)cluster->postmaster);
        }
    }
    free(cluster);
    return status;
}

static enum status count_others(const struct cluster *cluster, int64_t *count, struct err *err)
{
    struct db_result *result = NULL;
    struct db *db = db_new(&(struct db_settings){.conninfo = cluster->conninfo,
                                                 .application_name = "tributary cluster",
                                                 .connect_timeout_ms = 2000},
                           NULL);
    if (db == NULL)
        return err_set(err, RETRY_LATER, "store.memory", "out of memory");
    enum status status = db_open(db, err);
    if (status == STATUS_OK)
        status = db_query(db, &sql_store_other_sessions, NULL, 0, &result, err);
    *count = status == STATUS_OK ? db_int(result, 0, 0) : 0;
    db_result_free(&result);
    db_free(&db);
    return status;
}

/* A daemon that came meanwhile has adopted it. What cannot be asked is left as it is: a postmaster too many does no harm. */
static bool is_used_by_others(struct cluster *cluster)
{
    int64_t until_us = clock_monotonic_us(clock_system()) + SESSIONS_WAIT_MS * 1000LL, count = 0;
    struct err err = {0};

    if (!is_alive(cluster))
        return false;
    do {
        if (state_dir_find_holder(cluster->place.state_dir) != STATE_DIR_FREE ||
            count_others(cluster, &count, &err) != STATUS_OK)
            return true;
    } while (count > 0 && clock_monotonic_us(clock_system()) < until_us && !pause_ms(cluster, READY_POLL_MS));
    return count > 0;
}

enum status cluster_leave(struct cluster **cluster, int64_t deadline_ms, struct err *err)
{
    if (*cluster && (*cluster)->is_child && !is_used_by_others(*cluster))
        return cluster_stop(cluster, deadline_ms, err);
    free(*cluster);
    *cluster = NULL;
    return STATUS_OK;
}
