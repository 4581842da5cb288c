/* cmd_run.c - `tributary run`: the daemon, in the foreground, until SIGTERM. */
#include "daemon/base/log.h"
#include "daemon/cli/cli.h"
#include "daemon/engine/service.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#define TICK_MS 500

static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Into the log like everything else a daemon says: nobody reads its terminal. */
static void log_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];
        if (problem->file)
            log_error("run.config_problem", "%s:%u:%u: %s", problem->file, problem->line, problem->column,
                      problem->text);
        else
            log_error("run.config_problem", "%s", problem->text);
    }
    size_t count = problems->count + problems->dropped;
    log_error("run.config_bad", "the configuration was read again and has %zu problem%s: nothing of it is used", count,
              count == 1 ? "" : "s");
}

static void read_again(const struct cli *cli, struct service *service)
{
    struct config *config = NULL;
    struct problems problems = {0};
    struct err err = {0};
    bool good = config_load(cli_config_path(cli), &config, &problems) == STATUS_OK;
    if (good && service_propose(service, config, &problems, &err) == STATUS_OK)
        log_info("run.config_good",
                 "the configuration was read again and is good; its rules, model and survivorship are pending when "
                 "they changed (tributary rematch), the rest takes a restart");
    else if (problems.count > 0)
        log_problems(&problems);
    else
        log_err(LOG_LEVEL_WARN, &err, "the configuration was read again and could not be kept");
    problems_free(&problems);
    config_free(&config);
}

/* Until a signal ends it, or the service says that it can never work. */
static int wait_for_end(const struct cli *cli, struct service *service, const sigset_t *signals)
{
    for (;;) {
        struct timespec tick = {.tv_sec = 0, .tv_nsec = TICK_MS * 1000000L};
        int signal_number = sigtimedwait(signals, NULL, &tick);
        if (signal_number == SIGTERM || signal_number == SIGINT) {
            log_info("run.stopping", "stopping: what is accepted is brought to its end");
            return EXIT_CODE_OK;
        }
        if (signal_number == SIGHUP)
            read_again(cli, service);
        struct err err = {0};
        switch (service_check(service, &err)) {
        case SERVICE_READY:
            sd_notify(0, "READY=1\nWATCHDOG=1\nSTATUS=accepting and resolving");
            break;
        case SERVICE_WAITING: /* ready all the same: a unit that is not would be killed while posts are taken */
            sd_notify(0, "READY=1\nWATCHDOG=1\nSTATUS=accepting into the spool, waiting for the database");
            break;
        case SERVICE_HOPELESS:
            return cli_fail_err(cli, &err);
        }
    }
}

static int run(const struct cli *cli)
{
    struct config *config = NULL;
    sigset_t signals;
    int code = cli_load_config(cli, &config);
    if (code != EXIT_CODE_OK)
        return code;
    block_signals(&signals);
    struct service *service = NULL;
    struct problems problems = {0};
    struct err err = {0};
    if (service_start(config, &service, &problems, &err) == STATUS_OK) {
        code = wait_for_end(cli, service, &signals);
        sd_notify(0, "STOPPING=1");
        service_stop(&service);
        log_info("run.stopped", "stopped");
    } else if (problems.count > 0) {
        cli_print_problems(cli, &problems);
        code = EXIT_CODE_CONFIG;
    } else {
        code = cli_fail_err(cli, &err);
    }
    problems_free(&problems);
    config_free(&config);
    return code;
}

const struct cli_command cmd_run = {
    .name = "run",
    .synopsis = "",
    .help = "runs the daemon in the foreground",
    .details = "SIGTERM or SIGINT brings what is accepted to its end (at most 20 seconds) and stops. SIGHUP reads the\n"
               "configuration again, tells what is wrong in it, and makes changed rules, model or survivorship pending (tributary\n"
               "rematch). Logs go to standard error: readable on a terminal, one JSON object a line otherwise.",
    .run = run,
};
