/* cluster_setup.c - see cluster_setup.h. */
#include "daemon/store/cluster_setup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/buf.h"
#include "daemon/base/log.h"

#define OWNER              "tributary"
#define ROOT_STATE_DIR     "/var/lib/tributary"
#define ARGUMENTS_MAX      24 /* of a program of PostgreSQL's */
#define ROOT_SOCKET_DIR    "/run/tributary"
#define INITDB_DEADLINE_MS 180000
#define USER_DEADLINE_MS   60000
#define PATH_BYTES         ((int)sizeof(((struct cluster_place *)0)->bin_dir))

/* Versions in the order we like them for a new cluster; an existing one decides by itself. */
static const int versions[] = {15, 16, 17, 14};

static const char settings[] =
    "# Written by tributary when the cluster was made; yours to change. Sockets and listen_addresses are\n"
    "# given on the command line.\n"
    "max_connections = 60\n"
    "shared_buffers = 256MB\n"
    "work_mem = 16MB\n"
    "maintenance_work_mem = 128MB\n"
    "synchronous_commit = on\n"
    "fsync = on\n"
    "full_page_writes = on\n"
    "wal_compression = on\n"
    "min_wal_size = 256MB\n"
    "max_wal_size = 4GB\n"
    "checkpoint_timeout = 15min\n"
    "random_page_cost = 1.1\n"
    "jit = off\n"
    "timezone = 'UTC'\n"
    "# Its own log: a file a weekday, overwritten; terse, so that no customer's values are in it.\n"
    "logging_collector = on\n"
    "log_filename = 'postgresql-%a.log'\n"
    "log_truncate_on_rotation = on\n"
    "log_rotation_age = 1d\n"
    "log_rotation_size = 0\n"
    "log_timezone = 'UTC'\n"
    "log_error_verbosity = terse\n"
    "log_min_error_statement = panic\n"
    "log_min_messages = warning\n"
    "log_checkpoints = off\n";

static const char access_rules[] =
    "# Who may enter the socket directory (mode 0700) is who may connect.\n"
    "local all all trust\n";

static enum status join(char *out, size_t size, const char *dir, const char *name, struct err *err)
{
    if ((size_t)snprintf(out, size, "%s/%s", dir, name) < size)
        return STATUS_OK;
    return err_set(err, RETRY_REJECT_CONFIG, "store.cluster_path", "the path %.100s... is too long", dir);
}

static bool has_programs(const char *dir)
{
    char path[PATH_MAX];
    static const char *const names[] = {"postgres", "initdb"};
    for (size_t i = 0; i < 2; i++)
        if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, names[i]) >= sizeof(path) ||
            access(path, X_OK) != 0)
            return false;
    return true;
}

/* The version of an existing cluster, 0 when there is none. */
static int existing_version(const char *data_dir)
{
    char path[PATH_MAX + 16];
    int version = 0;
    snprintf(path, sizeof(path), "%s/PG_VERSION", data_dir);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%d", &version) != 1)
        version = 0;
    fclose(file);
    return version;
}

static bool find_on_path(char *out)
{
    static const char fallback[] = "/usr/local/bin:/usr/bin:/usr/local/pgsql/bin";
    const char *path = getenv("PATH");
    char copy[8192], resolved[PATH_MAX];
    if ((size_t)snprintf(copy, sizeof(copy), "%s:%s", path ? path : "", fallback) >= sizeof(copy))
        return false;
    char *rest = NULL;
    for (char *dir = strtok_r(copy, ":", &rest); dir; dir = strtok_r(NULL, ":", &rest)) {
        char name[PATH_MAX];
        snprintf(name, sizeof(name), "%s/postgres", dir);
        if (dir[0] != '/' || realpath(name, resolved) == NULL)
            continue;
        *strrchr(resolved, '/') = '\0';
        if (has_programs(resolved) && snprintf(out, (size_t)PATH_BYTES, "%s", resolved) < PATH_BYTES)
            return true;
    }
    return false;
}

static enum status find_programs(struct cluster_place *place, struct err *err)
{
    int wanted = existing_version(place->data_dir);
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        snprintf(place->bin_dir, sizeof(place->bin_dir), "/usr/lib/postgresql/%d/bin", versions[i]);
        if ((wanted == 0 || wanted == versions[i]) && has_programs(place->bin_dir))
            return STATUS_OK;
    }
    if (find_on_path(place->bin_dir))
        return STATUS_OK;
    if (wanted)
        return err_set(err, RETRY_REJECT_CONFIG, "store.no_postgres",
                       "the private database in %s was made by PostgreSQL %d, whose programs are not "
                       "here; hint: apt-get install postgresql-%d", place->data_dir, wanted, wanted);
    return err_set(err, RETRY_REJECT_CONFIG, "store.no_postgres",
                   "PostgreSQL's server programs are not here; hint: apt-get install postgresql-15, or "
                   "name a database in postgres.url");
}

static void run_as_root(const char *const *argv, const struct stop *stop)
{
    struct err err = {0};
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct program program = {
        .path = argv[0], .argv = argv, .directory = "/", .output_fd = null_fd};
    if (null_fd >= 0 && program_run(&program, USER_DEADLINE_MS, stop, &err) == STATUS_FAILED)
        log_err(LOG_LEVEL_DEBUG, &err, "making the system user");
    if (null_fd >= 0)
        close(null_fd);
}

static enum status find_owner(const char *state_dir, struct cluster_place *place,
                              const struct stop *stop, struct err *err)
{
    static const char *const adduser[] = {
        "/usr/sbin/adduser", "--system", "--group", "--quiet", "--no-create-home",
        "--home", ROOT_STATE_DIR, "--shell", "/usr/sbin/nologin", "--gecos", "Tributary", OWNER, NULL};
    static const char *const useradd[] = {
        "/usr/sbin/useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
        ROOT_STATE_DIR, "--shell", "/usr/sbin/nologin", OWNER, NULL};
    place->uid = geteuid();
    place->gid = getegid();
    place->change_user = place->uid == 0;
    if (!place->change_user)
        return STATUS_OK;
    char text[PATH_MAX];
    struct stat info;
    if ((size_t)snprintf(text, sizeof(text), "%s/postgres", state_dir) < sizeof(text) &&
        stat(text, &info) == 0 && info.st_uid != 0) { /* made by somebody before: it stays theirs */
        place->uid = info.st_uid;
        place->gid = info.st_gid;
        return STATUS_OK;
    }
    struct passwd entry, *found = NULL;
    for (int attempt = 0; attempt < 3; attempt++) {
        (void)getpwnam_r(OWNER, &entry, text, sizeof(text), &found);
        if (found) {
            place->uid = found->pw_uid;
            place->gid = found->pw_gid;
            return STATUS_OK;
        }
        if (attempt < 2)
            run_as_root(attempt == 0 ? adduser : useradd, stop);
    }
    return err_set(err, RETRY_NONE, "store.cluster_user",
                   "cannot make the system user %s, to whom the private database belongs (PostgreSQL "
                   "does not run as root); hint: adduser --system --group %s", OWNER, OWNER);
}

/* Makes a directory of the owner, 0700; one that is there must be the owner's. */
static enum status own_directory(const struct cluster_place *place, const char *path, struct err *err)
{
    struct stat info;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "store.cluster_dir", "cannot make %s", path);
    if (lstat(path, &info) != 0)
        return err_set_errno(err, errno, "store.cluster_dir", "cannot look at %s", path);
    if (!S_ISDIR(info.st_mode) || (info.st_uid != place->uid && info.st_uid != geteuid()))
        return err_set(err, RETRY_REJECT_CONFIG, "store.cluster_dir",
                       "%s is not a directory of the database's user", path);
    if ((info.st_uid != place->uid || info.st_gid != place->gid) &&
        lchown(path, place->uid, place->gid) != 0)
        return err_set_errno(err, errno, "store.cluster_dir", "cannot give %s away", path);
    if ((info.st_mode & 0777) != 0700 && chmod(path, 0700) != 0)
        return err_set_errno(err, errno, "store.cluster_dir", "cannot close %s", path);
    return STATUS_OK;
}

static enum status open_state_dir(const char *state_dir, struct cluster_place *place,
                                  struct err *err)
{
    char resolved[PATH_MAX];
    struct stat info;
    if (mkdir(state_dir, 0755) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "store.state_dir", "cannot make the state directory %s", state_dir);
    if (realpath(state_dir, resolved) == NULL || stat(resolved, &info) != 0)
        return err_set_errno(err, errno, "store.state_dir", "cannot use the state directory %s", state_dir);
    if (strlen(resolved) >= sizeof(place->state_dir))
        return err_set(err, RETRY_REJECT_CONFIG, "store.state_dir",
                       "the path of the state directory is too long");
    memcpy(place->state_dir, resolved, strlen(resolved) + 1);
    /* The database's user passes through the state directory to its own; nothing else opens to it. */
    if (place->change_user && !(info.st_mode & S_IXOTH) && info.st_uid != place->uid &&
        (info.st_gid != place->gid || !(info.st_mode & S_IXGRP)) &&
        (chown(resolved, (uid_t)-1, place->gid) != 0 ||
         chmod(resolved, ((info.st_mode & 07700) | S_IXGRP)) != 0))
        return err_set_errno(err, errno, "store.state_dir", "cannot let user %s into %s", OWNER, resolved);
    return STATUS_OK;
}

/* A directory in /tmp, recorded in <state_dir>/socket_dir, for paths too long for a socket. */
static enum status short_socket_dir(struct cluster_place *place, struct err *err)
{
    char record[PATH_MAX], path[SOCKET_DIR_MAX + 1] = "";
    enum status status = join(record, sizeof(record), place->state_dir, "socket_dir", err);
    if (status != STATUS_OK)
        return status;
    struct stat info;
    FILE *file = fopen(record, "re");
    if (file) {
        size_t len = fread(path, 1, sizeof(path) - 1, file);
        path[strcspn(path, "\n")] = '\0';
        fclose(file);
        if (len > 0 && strncmp(path, "/tmp/tributary.", 15) == 0 && lstat(path, &info) == 0 &&
            S_ISDIR(info.st_mode) && info.st_uid == place->uid) {
            snprintf(place->socket_dir, sizeof(place->socket_dir), "%s", path);
            return STATUS_OK;
        }
    }
    snprintf(place->socket_dir, sizeof(place->socket_dir), "/tmp/tributary.XXXXXX");
    if (mkdtemp(place->socket_dir) == NULL)
        return err_set_errno(err, errno, "store.cluster_dir", "cannot make %s", place->socket_dir);
    file = fopen(record, "we");
    if (file == NULL || fprintf(file, "%s\n", place->socket_dir) < 0 || fclose(file) != 0)
        return err_set_errno(err, errno, "store.cluster_dir", "cannot write %s", record);
    return STATUS_OK;
}

static enum status find_socket_dir(struct cluster_place *place, struct err *err)
{
    char path[PATH_MAX];
    enum status status = join(path, sizeof(path), place->state_dir, "run", err);
    if (status != STATUS_OK)
        return status;
    if (place->change_user && strcmp(place->state_dir, ROOT_STATE_DIR) == 0)
        snprintf(place->socket_dir, sizeof(place->socket_dir), "%s", ROOT_SOCKET_DIR);
    else if (strlen(path) <= SOCKET_DIR_MAX && strpbrk(path, ",\"'\\") == NULL)
        snprintf(place->socket_dir, sizeof(place->socket_dir), "%.*s", SOCKET_DIR_MAX, path);
    else
        status = short_socket_dir(place, err);
    return status == STATUS_OK ? own_directory(place, place->socket_dir, err) : status;
}

enum status cluster_place_find(const char *state_dir, const struct stop *stop,
                               struct cluster_place *place, struct err *err)
{
    memset(place, 0, sizeof(*place));
    enum status status = find_owner(state_dir, place, stop, err);
    if (status == STATUS_OK)
        status = open_state_dir(state_dir, place, err);
    if (status == STATUS_OK)
        status = join(place->data_dir, sizeof(place->data_dir), place->state_dir, "postgres", err);
    if (status == STATUS_OK)
        status = join(place->log_path, sizeof(place->log_path), place->state_dir,
                      "postgres.start.log", err);
    if (status == STATUS_OK)
        status = find_programs(place, err);
    if (status == STATUS_OK)
        status = find_socket_dir(place, err);
    return status;
}

enum status cluster_program(const struct cluster_place *place, const char *name,
                            const char *const *argv, int64_t deadline_ms, const struct stop *stop,
                            pid_t *pid, struct err *err)
{
    char path[PATH_MAX];
    enum status status = join(path, sizeof(path), place->bin_dir, name, err);
    if (status != STATUS_OK)
        return status;
    /* PostgreSQL's programs find each other beside argv[0]; a bare name they look for on PATH, where Debian has none. */
    const char *full[ARGUMENTS_MAX + 1] = {path};
    for (size_t i = 1; argv[i]; i++) {
        assert(i < ARGUMENTS_MAX);
        full[i] = argv[i];
    }
    int log_fd = open(place->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log_fd < 0)
        return err_set_errno(err, errno, "store.cluster_log", "cannot write %s", place->log_path);
    struct program program = {.path = path, .argv = full, .change_user = place->change_user,
                              .uid = place->uid, .gid = place->gid, .directory = "/",
                              .output_fd = log_fd, .own_session = true};
    status = deadline_ms > 0 ? program_run(&program, deadline_ms, stop, err)
                             : program_start(&program, pid, err);
    close(log_fd);
    if (status == STATUS_FAILED)
        cluster_explain(place, err);
    return status;
}

void cluster_explain(const struct cluster_place *place, struct err *err)
{
    char text[1024] = "";
    FILE *file = fopen(place->log_path, "re");
    if (file == NULL)
        return;
    if (fseek(file, -(long)(sizeof(text) - 1), SEEK_END) != 0)
        rewind(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == ' '))
        text[--len] = '\0';
    const char *line = strrchr(text, '\n');
    line = line ? line + 1 : text;
    size_t used = strlen(err->text);
    if (line[0])
        snprintf(err->text + used, sizeof(err->text) - used, "; it says: %s; see %s", line,
                 place->log_path);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static enum status write_file(const struct cluster_place *place, const char *dir, const char *name,
                              const char *text, int flags, struct err *err)
{
    char path[PATH_MAX];
    enum status status = join(path, sizeof(path), dir, name, err);
    if (status != STATUS_OK)
        return status;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
                   fchown(fd, place->uid, place->gid) == 0 && fsync(fd) == 0;
    if (!written)
        err_set_errno(err, errno, "store.cluster_dir", "cannot write %s", path);
    if (fd >= 0)
        close(fd);
    return written ? STATUS_OK : STATUS_FAILED;
}

static enum status sync_directory(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (!synced)
        err_set_errno(err, errno, "store.cluster_dir", "cannot sync %s", path);
    if (fd >= 0)
        close(fd);
    return synced ? STATUS_OK : STATUS_FAILED;
}

enum status cluster_create(const struct cluster_place *place, const struct stop *stop,
                           struct err *err)
{
    if (existing_version(place->data_dir) != 0)
        return STATUS_OK;
    char fresh[PATH_MAX];
    enum status status = join(fresh, sizeof(fresh), place->state_dir, "postgres.new", err);
    if (status != STATUS_OK)
        return status;
    if (nftw(fresh, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return err_set_errno(err, errno, "store.cluster_dir", "cannot clear %s", fresh);
    log_info("store.cluster_new", "making a private database in %s", place->data_dir);
    status = own_directory(place, fresh, err);
    const char *const argv[] = {"initdb", "--pgdata", fresh, "--username", OWNER, "--auth", "trust",
                                "--encoding", "UTF8", "--locale", "C", "--data-checksums", NULL};
    if (status == STATUS_OK)
        status = cluster_program(place, "initdb", argv, INITDB_DEADLINE_MS, stop, NULL, err);
    if (status == STATUS_OK)
        status = write_file(place, fresh, "postgresql.conf", settings, O_APPEND, err);
    if (status == STATUS_OK)
        status = write_file(place, fresh, "pg_hba.conf", access_rules, O_TRUNC, err);
    if (status != STATUS_OK) { /* half of one is of no use to anybody */
        (void)nftw(fresh, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        return status;
    }
    if (rename(fresh, place->data_dir) != 0)
        return err_set_errno(err, errno, "store.cluster_dir",
                             "cannot rename %s (is there something else at %s?)", fresh,
                             place->data_dir);
    return sync_directory(place->state_dir, err);
}
