/* test_cluster.c - the private PostgreSQL: made, stopped, adopted, revived, whatever was left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/store/cluster.h"
#include "tests/unit/pg.h"

static char state_dir[128];

__attribute__((format(printf, 1, 2))) static void run(const char *format, ...)
{
    char command[512];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static struct cluster *start(void)
{
    struct err err = {0};
    struct cluster *cluster = NULL;
    assert_ok(err, cluster_start(state_dir, NULL, &cluster, &err));
    return cluster;
}

static void stop(struct cluster **cluster)
{
    struct err err = {0};
    assert_ok(err, cluster_stop(cluster, 20000, &err));
    assert_null(*cluster);
}

static pid_t postmaster_pid(void)
{
    char path[200];
    int pid = 0;
    snprintf(path, sizeof(path), "%s/postgres/postmaster.pid", state_dir);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

/* Not kill(pid, 0): where nobody reaps orphans the dead keep their numbers. */
static bool is_running(pid_t pid)
{
    char link[64], target[256];
    snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    return readlink(link, target, sizeof(target)) > 0;
}

static void test_it_is_made_as_we_promise_and_stops(void **state)
{
    (void)state;
    run("mkdir -p %s/postgres.new/base && echo rest > %s/postgres.new/base/1", state_dir, state_dir);
    struct cluster *cluster = start();
    struct db *db = pg_open(cluster_conninfo(cluster), 5000);
    assert_int_equal(
        pg_int(db, "select (current_setting('listen_addresses') = '' and current_setting('data_checksums') = 'on' and "
                   "current_setting('fsync') = 'on' and current_setting('synchronous_commit') = 'on' and "
                   "current_setting('jit') = 'off' and current_setting('shared_buffers') = '256MB' and "
                   "current_setting('max_wal_size') = '4GB' and current_setting('wal_compression') <> 'off' and "
                   "current_database() = 'tributary' and current_setting('lc_collate') = 'C')"),
        1);
    struct err err = {0};
    assert_ok(err, db_exec(db, "create table public.kept (a int8); insert into public.kept values (42)", &err));
    char path[200];
    struct stat info;
    snprintf(path, sizeof(path), "%s/postgres", state_dir);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_not_equal(info.st_uid, 0);
    db_free(&db);
    pid_t pid = postmaster_pid();
    stop(&cluster);
    assert_false(is_running(pid));
}

static void *thaw_later(void *data)
{
    usleep(1000000);
    kill((pid_t)*(int64_t *)data, SIGCONT);
    return NULL;
}

static void test_it_comes_back_with_what_it_held_and_is_revived_when_killed(void **state)
{
    (void)state;
    struct err err = {0};
    struct cluster *cluster = start();
    assert_ok(err, cluster_check(cluster, &err));
    pid_t killed = postmaster_pid();
    /* A backend that does not notice at once holds the shared memory a second longer. */
    struct db *busy = pg_open(cluster_conninfo(cluster), 30000);
    int64_t backend = pg_int(busy, "select pg_backend_pid()");
    pthread_t thawer;
    assert_int_equal(kill((pid_t)backend, SIGSTOP), 0);
    assert_int_equal(pthread_create(&thawer, NULL, thaw_later, &backend), 0);
    assert_int_equal(kill(killed, SIGKILL), 0);
    int64_t until_us = clock_monotonic_us(clock_system()) + 30000000;
    while (postmaster_pid() == killed && clock_monotonic_us(clock_system()) < until_us)
        assert_ok(err, cluster_check(cluster, &err));
    pthread_join(thawer, NULL);
    db_free(&busy);
    struct db *db = pg_open(cluster_conninfo(cluster), 5000);
    assert_int_equal(pg_int(db, "select a from public.kept"), 42);
    db_free(&db);
    stop(&cluster);
}

static void test_a_postmaster_that_outlived_the_daemon_is_adopted(void **state)
{
    (void)state;
    pid_t daemon = fork();
    if (daemon == 0) {
        struct err err = {0};
        struct cluster *cluster = NULL;
        _exit(cluster_start(state_dir, NULL, &cluster, &err) == STATUS_OK ? 0 : 1);
    }
    int exit_state = 0;
    assert_int_equal(waitpid(daemon, &exit_state, 0), daemon);
    assert_int_equal(exit_state, 0);
    pid_t pid = postmaster_pid();
    struct cluster *cluster = start();
    assert_int_equal(postmaster_pid(), pid);
    struct db *db = pg_open(cluster_conninfo(cluster), 5000);
    assert_int_equal(pg_int(db, "select a from public.kept"), 42);
    db_free(&db);
    stop(&cluster);
    assert_false(is_running(pid));
}

static bool leave_running(struct cluster **cluster)
{
    struct err err = {0};
    pid_t pid = postmaster_pid();
    assert_ok(err, cluster_leave(cluster, 20000, &err));
    assert_null(*cluster);
    return is_running(pid);
}

static void test_who_came_to_read_stops_what_nobody_else_uses(void **state)
{
    (void)state;
    char path[200];
    struct cluster *cluster = start();
    assert_false(leave_running(&cluster));

    cluster = start();
    struct db *other = pg_open(cluster_conninfo(cluster), 5000);
    assert_int_equal(pg_int(other, "select 1"), 1);
    assert_true(leave_running(&cluster));
    assert_int_equal(pg_int(other, "select a from public.kept"), 42); /* was not cut off */
    db_free(&other);
    cluster = start(); /* adopted: it is not ours to stop by leaving */
    assert_true(leave_running(&cluster));
    cluster = start();
    stop(&cluster);

    snprintf(path, sizeof(path), "%s/lock", state_dir);
    int daemon = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(daemon, LOCK_EX | LOCK_NB), 0);
    cluster = start();
    assert_true(leave_running(&cluster));
    close(daemon);
    cluster = start();
    stop(&cluster);
}

static void test_whether_there_is_one_is_told_without_making_it(void **state)
{
    (void)state;
    char fresh[160], path[200];
    snprintf(fresh, sizeof(fresh), "%s/fresh", state_dir);
    snprintf(path, sizeof(path), "%s/postgres", fresh);
    assert_true(cluster_exists(state_dir));
    assert_false(cluster_exists(fresh));
    run("mkdir -p %s", path);
    assert_false(cluster_exists(fresh));
}

static void test_a_pid_file_that_names_a_stranger_does_not_stop_a_start(void **state)
{
    (void)state;
    run("printf '%d\\n%s/postgres\\n1\\n5432\\n\\n\\n' > %s/postgres/postmaster.pid", (int)getpid(), state_dir, state_dir);
    struct cluster *cluster = start();
    assert_int_not_equal(postmaster_pid(), getpid());
    stop(&cluster);
}

static void test_a_long_path_gets_its_sockets_elsewhere_and_keeps_them(void **state)
{
    (void)state;
    char kept[128];
    snprintf(kept, sizeof(kept), "%s", state_dir);
    snprintf(state_dir, sizeof(state_dir), "%s/%064d,'", kept, 7);
    struct cluster *cluster = start();
    char conninfo[200];
    snprintf(conninfo, sizeof(conninfo), "%s", cluster_conninfo(cluster));
    assert_non_null(strstr(conninfo, "/tmp/tributary."));
    stop(&cluster);
    cluster = start();
    assert_string_equal(cluster_conninfo(cluster), conninfo);
    stop(&cluster);
    char dir[64];
    assert_int_equal(sscanf(conninfo, "host='%63[^']'", dir), 1);
    run("rm -r %s", dir);
    snprintf(state_dir, sizeof(state_dir), "%s", kept);
}

static void test_what_cannot_be_is_refused_with_a_reason(void **state)
{
    (void)state;
    struct err err = {0};
    struct cluster *cluster = NULL;
    assert_int_equal(cluster_start("/proc/nowhere", NULL, &cluster, &err), STATUS_FAILED);
    assert_null(cluster);
    assert_non_null(strstr(err.text, "/proc/nowhere"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_made_as_we_promise_and_stops),
        cmocka_unit_test(test_it_comes_back_with_what_it_held_and_is_revived_when_killed),
        cmocka_unit_test(test_a_postmaster_that_outlived_the_daemon_is_adopted),
        cmocka_unit_test(test_who_came_to_read_stops_what_nobody_else_uses),
        cmocka_unit_test(test_whether_there_is_one_is_told_without_making_it),
        cmocka_unit_test(test_a_pid_file_that_names_a_stranger_does_not_stop_a_start),
        cmocka_unit_test(test_a_long_path_gets_its_sockets_elsewhere_and_keeps_them),
        cmocka_unit_test(test_what_cannot_be_is_refused_with_a_reason),
    };
    if (pg_missing()) /* then there are no server programs here either */
        return 0;
    snprintf(state_dir, sizeof(state_dir), "/tmp/tributary-state.XXXXXX");
    if (mkdtemp(state_dir) == NULL)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[200];
    snprintf(command, sizeof(command), "rm -rf '%s'", state_dir);
    return system(command) == 0 ? failed : 1;
}
