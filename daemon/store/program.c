/* program.c - see program.h. */
#include "daemon/store/program.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/clock.h"

#define POLL_MS 10

static const char *const environment[] = {
    "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "TZ=UTC", NULL};

#define REPORT_FD 3

/* After fork in a process of many threads: only what is safe in a signal handler. Returns errno. */
static int become(const struct program *program, int report_fd)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null_fd = open("/dev/null", O_RDONLY);
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(program->output_fd, 1) < 0 ||
        dup2(program->output_fd, 2) < 0)
        return errno;
    if (report_fd != REPORT_FD && dup3(report_fd, REPORT_FD, O_CLOEXEC) < 0)
        return errno;
    if (close_range(REPORT_FD + 1, ~0U, 0) != 0)
        return errno;
    if (program->own_session && setsid() < 0)
        return errno;
    umask(077);
    if (program->change_user && (setgroups(1, &program->gid) != 0 || setgid(program->gid) != 0 ||
                                 setuid(program->uid) != 0))
        return errno;
    if (chdir(program->directory) != 0)
        return errno;
    execve(program->path, (char *const *)(uintptr_t)program->argv,
           (char *const *)(uintptr_t)environment);
    return errno;
}

enum status program_start(const struct program *program, pid_t *pid, struct err *err)
{
    int report[2]; /* closed by a successful exec; carries errno otherwise */
    if (pipe2(report, O_CLOEXEC) != 0)
        return err_set_errno(err, errno, "store.program", "cannot run %s", program->path);
    *pid = fork();
    if (*pid == 0) {
        int failure = become(program, report[1]);
        ssize_t written = write(report[1], &failure, sizeof(failure));
        written = written > 0 ? written : write(REPORT_FD, &failure, sizeof(failure));
        (void)written;
        _exit(127);
    }
    int failure = *pid < 0 ? errno : 0;
    close(report[1]);
    while (*pid > 0 && read(report[0], &failure, sizeof(failure)) < 0 && errno == EINTR)
        ;
    close(report[0]);
    if (failure == 0)
        return STATUS_OK;
    while (*pid > 0 && waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
        ;
    *pid = -1;
    return err_set_errno(err, failure, "store.program", "cannot run %s in %s", program->path,
                         program->directory);
}

enum status program_wait(pid_t pid, int64_t wait_ms, const struct stop *stop, int *exit_code)
{
    int64_t until_us = clock_monotonic_us(clock_system()) + wait_ms * 1000;
    for (;;) {
        int state = 0;
        pid_t got = waitpid(pid, &state, WNOHANG);
        if (got == pid || (got < 0 && errno == ECHILD)) {
            *exit_code = got < 0 ? 127 : WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
            return STATUS_OK;
        }
        if (clock_monotonic_us(clock_system()) >= until_us)
            return STATUS_TIMEOUT;
        if (stop && stop_wait_ms(stop, POLL_MS))
            return STATUS_STOPPED;
        if (stop == NULL)
            usleep(POLL_MS * 1000);
    }
}

enum status program_run(const struct program *program, int64_t deadline_ms, const struct stop *stop,
                        struct err *err)
{
    pid_t pid = -1;
    int exit_code = 0;
    enum status status = program_start(program, &pid, err);
    if (status != STATUS_OK)
        return status;
    status = program_wait(pid, deadline_ms, stop, &exit_code);
    if (status != STATUS_OK) {
        int ignored = 0;
        kill(pid, SIGKILL);
        (void)!program_wait(pid, deadline_ms, NULL, &ignored);
    }
    if (status == STATUS_TIMEOUT)
        err_set(err, RETRY_LATER, "store.program", "%s did not end within %lld ms", program->path,
                (long long)deadline_ms);
    if (status == STATUS_OK && exit_code != 0)
        return err_set(err, RETRY_NONE, "store.program", "%s failed with exit code %d", program->path,
                       exit_code);
    return status;
}
