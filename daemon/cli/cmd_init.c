/* cmd_init.c - `tributary init`: a commented configuration to start from. */
#include "daemon/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/asset.h"

#define SAMPLE "daemon/config/samples/tributary.yaml"

static int write_all(int fd, struct slice text)
{
    while (text.len > 0) {
        ssize_t written = write(fd, text.ptr, text.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? errno : EIO;
        text = slice_sub(text, (size_t)written, text.len);
    }
    return 0;
}

/* `tributary init > tributary.yaml`: the shell has made the file already. */
static bool is_redirected(void)
{
    struct stat about;
    return fstat(STDOUT_FILENO, &about) == 0 && S_ISREG(about.st_mode);
}

static int run(const struct cli *cli)
{
    const char *path = cli_argument_count(cli) ? cli_argument(cli, 0) : is_redirected() ? "-" : "tributary.yaml";
    bool found = false;
    struct slice text = asset_find(SAMPLE, &found);
    if (!found)
        return cli_fail(cli, EXIT_CODE_BUG, "%s is not in this build", SAMPLE);
    if (strcmp(path, "-") == 0)
        return fwrite(text.ptr, 1, text.len, stdout) == text.len ? EXIT_CODE_OK : EXIT_CODE_FAILED;
    int how = O_WRONLY | O_CREAT | O_CLOEXEC | (cli_flag(cli, "force") ? O_TRUNC : O_EXCL);
    int fd = open(path, how, 0640);
    if (fd < 0)
        return cli_fail(cli, EXIT_CODE_FAILED, "cannot write '%s': %s%s", path, strerror(errno),
                        errno == EEXIST ? "; hint: --force" : "");
    int failure = write_all(fd, text);
    if (close(fd) != 0 && failure == 0)
        failure = errno;
    if (failure != 0)
        return cli_fail(cli, EXIT_CODE_FAILED, "cannot write '%s': %s", path, strerror(failure));
    fprintf(stderr, "wrote %s; next: tributary check %s, then tributary run --config=%s\n", path,
            path, path);
    return EXIT_CODE_OK;
}

static const struct cli_option options[] = {
    {"force", 0, NULL, "writes over a file that is there"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_init = {
    .name = "init",
    .synopsis = "[FILE]",
    .help = "writes a commented configuration to start from",
    .details = "FILE is tributary.yaml when not given; - is standard output, and so is nothing when that goes to a file.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
