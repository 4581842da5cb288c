/* cli.c - from argv to a command, and what commands ask of their command line. See cli.h. */
#include "daemon/cli/cli_internal.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/base/version.h"

#define PROBLEMS_JSON_MAX_BYTES ((size_t)4 << 20)

const char *cli_verb(const struct cli *cli)
{
    return cli->verb;
}

size_t cli_argument_count(const struct cli *cli)
{
    return cli->argument_count;
}

const char *cli_argument(const struct cli *cli, size_t index)
{
    return index < cli->argument_count ? cli->arguments[index] : NULL;
}

static bool is_declared(const struct cli_option *option, const char *name)
{
    for (; option && option->name; option++) {
        if (strcmp(option->name, name) == 0)
            return true;
    }
    return false;
}

static const struct cli_given *last_given(const struct cli *cli, const char *name)
{
    assert(is_declared(cli->command->options, name) || is_declared(cli_global_options, name));
    for (size_t i = cli->given_count; i > 0; i--) {
        if (strcmp(cli->given[i - 1].option->name, name) == 0)
            return &cli->given[i - 1];
    }
    return NULL;
}

bool cli_flag(const struct cli *cli, const char *name)
{
    return last_given(cli, name) != NULL;
}

const char *cli_value(const struct cli *cli, const char *name)
{
    const struct cli_given *given = last_given(cli, name);
    return given ? given->value : NULL;
}

size_t cli_values(const struct cli *cli, const char *name, const char *const **values)
{
    struct cli *own = (struct cli *)(uintptr_t)cli; /* the list lives in it */
    size_t count = 0;
    for (size_t i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].option->name, name) == 0)
            own->values[count++] = cli->given[i].value;
    }
    *values = own->values;
    return count;
}

bool cli_wants_json(const struct cli *cli)
{
    const char *format = cli_value(cli, "format");
    return format && strcmp(format, "json") == 0;
}

const char *cli_config_path(const struct cli *cli)
{
    return config_find_path(cli_value(cli, "config"));
}

/* ---- failures ---- */

static void say(const struct cli *cli, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void say(const struct cli *cli, const char *format, va_list args)
{
    fprintf(stderr, "tributary %s: ", cli->command->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

bool cli_writes_in_place(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && !S_ISREG(about.st_mode);
}

int cli_usage_error(const struct cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cli, format, args);
    va_end(args);
    return EXIT_CODE_USAGE;
}

int cli_fail(const struct cli *cli, enum exit_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(cli, format, args);
    va_end(args);
    return (int)code;
}

int cli_fail_err(const struct cli *cli, const struct err *err)
{
    enum exit_code code = EXIT_CODE_FAILED;
    if (err->retry == RETRY_RECONNECT)
        code = EXIT_CODE_UNAVAILABLE;
    else if (err->retry == RETRY_NOW || err->retry == RETRY_LATER)
        code = EXIT_CODE_TEMPORARY;
    else if (err->retry == RETRY_REJECT_CONFIG)
        code = EXIT_CODE_CONFIG;
    return cli_fail(cli, code, "%s", err->text);
}

/* ---- configuration ---- */

static int by_place(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    int order = strcmp(x->file ? x->file : "", y->file ? y->file : "");
    if (order != 0)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return strcmp(x->text, y->text);
}

static void print_problems_json(const struct problems *problems)
{
    struct buf out = BUF_INIT(PROBLEMS_JSON_MAX_BYTES);
    buf_put_byte(&out, '[');
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];
        buf_put_str(&out, i ? ",\n {\"file\": " : "\n {\"file\": ");
        buf_put_json(&out, slice_str(problem->file));
        buf_printf(&out, ", \"line\": %u, \"column\": %u, \"text\": ", problem->line,
                   problem->column);
        buf_put_json(&out, slice_str(problem->text));
        buf_put_byte(&out, '}');
    }
    buf_put_str(&out, "]\n");
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

void cli_print_problems(const struct cli *cli, struct problems *problems)
{
    if (problems->count > 0)
        qsort(problems->list, problems->count, sizeof(problems->list[0]), by_place);
    if (cli_wants_json(cli)) {
        print_problems_json(problems);
        return;
    }
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];
        if (problem->file)
            fprintf(stderr, "%s:%u:%u: %s\n", problem->file, problem->line, problem->column,
                    problem->text);
        else
            fprintf(stderr, "%s\n", problem->text);
    }
    size_t count = problems->count + problems->dropped;
    if (count > 0)
        fprintf(stderr, "%zu problem%s%s\n", count, count == 1 ? "" : "s",
                problems->dropped ? "; the first 200 are shown" : "");
}

static void set_up_logging(const struct config *config)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    static const char *const formats[] = {"auto", "text", "json"};
    const struct options *log = options_section(config->root, "log");
    enum log_level level = LOG_LEVEL_INFO;
    enum log_format format = LOG_FORMAT_AUTO;
    for (int i = 0; i < 4; i++) {
        if (strcmp(levels[i], options_string(log, "level")) == 0)
            level = (enum log_level)i;
    }
    for (int i = 0; i < 3; i++) {
        if (strcmp(formats[i], options_string(log, "format")) == 0)
            format = (enum log_format)i;
    }
    log_setup(level, format);
}

int cli_load_config(const struct cli *cli, struct config **config)
{
    struct problems problems = {0};
    enum status status = config_load(cli_config_path(cli), config, &problems);
    if (status == STATUS_OK) {
        set_up_logging(*config);
    } else {
        cli_print_problems(cli, &problems);
        config_free(config);
    }
    problems_free(&problems);
    return status == STATUS_OK ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
}

/* ---- main ---- */

static int help(int argc, char **argv)
{
    const struct cli_command *command = argc > 2 ? cli_find_command(argv[2]) : NULL;
    if (argc > 2 && command == NULL)
        return cli_unknown_command(argv[2]);
    if (command)
        cli_print_command_help(command, stdout);
    else
        cli_print_help(stdout);
    return EXIT_CODE_OK;
}

static int run(int argc, char **argv)
{
    const struct cli_command *command = cli_find_command(argv[1]);
    if (command == NULL)
        return cli_unknown_command(argv[1]);
    struct cli *cli = calloc(1, sizeof(*cli));
    if (cli == NULL)
        return EXIT_CODE_TEMPORARY;
    cli->command = command;
    int code = cli_parse(cli, argc - 1, argv + 1);
    if (code == EXIT_CODE_OK && cli_flag(cli, "help"))
        cli_print_command_help(command, stdout);
    else if (code == EXIT_CODE_OK)
        code = command->run(cli);
    free(cli);
    return code;
}

static bool is_any(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

/* Data that could not be written is no success; a reader that left early knows so itself. */
static int output_failed(void)
{
    struct stat about;
    bool is_pipe =
        fstat(STDOUT_FILENO, &about) == 0 && (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode));
    if (!is_pipe)
        fputs("tributary: cannot write to standard output; hint: is the disk full?\n", stderr);
    return EXIT_CODE_FAILED;
}

int cli_main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    int code;
    if (argc < 2) {
        cli_print_help(stderr);
        code = EXIT_CODE_USAGE;
    } else if (is_any(argv[1], "help", "--help", "-h")) {
        code = help(argc, argv);
    } else if (is_any(argv[1], "--version", "-V", "-v")) {
        puts("tributary " TRIBUTARY_VERSION);
        code = EXIT_CODE_OK;
    } else if (argv[1][0] == '-') {
        fprintf(stderr, "tributary: the command comes first; hint: tributary COMMAND %s\n",
                argv[1]);
        code = EXIT_CODE_USAGE;
    } else {
        code = run(argc, argv);
    }
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == EXIT_CODE_OK)
        code = output_failed();
    return code;
}
