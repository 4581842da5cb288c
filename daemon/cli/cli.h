/*
 * cli.h - what a subcommand is, and what it is given.
 *
 * A subcommand is one file, daemon/cli/cmd_NAME.c, that defines `const struct cli_command
 * cmd_NAME`, and one line in commands.c. Its table of options drives parsing, --help and the manual
 * page. Data goes to standard output, everything else to standard error; the exit code is an enum
 * exit_code. --format=json must give JSON for every list (see table.h).
 */
#ifndef TRIBUTARY_CLI_CLI_H
#define TRIBUTARY_CLI_CLI_H

#include "daemon/base/err.h"
#include "daemon/base/slice.h"
#include "daemon/config/config.h"

#define CLI_ARGUMENTS_MAX                                                                          \
    256 /* positional arguments, and values of options, of one command line                        \
         */

struct cli_option {
    const char *name;     /* "follow" for --follow; NULL ends a table */
    char letter;          /* 'f' for -f; 0: none */
    const char *argument; /* "FILE": takes a value and may be repeated; NULL: a flag */
    const char *help;     /* a sentence, lowercase */
};

struct cli;

struct cli_command {
    const char *name;
    const char
        *verbs; /* "list|retry|drop": the first argument must be one of these; NULL: no verbs */
    const char *synopsis; /* the positional arguments after the verb: "SOURCE FILE"; "" for none */
    const char *help;     /* one line */
    const char *details;  /* further paragraphs for --help; NULL: none */
    const struct cli_option *options;      /* NULL: only the global ones */
    unsigned min_arguments, max_arguments; /* after the verb */
    bool hidden;                           /* not in the list of commands */
    int (*run)(const struct cli *cli);
};

/* All commands, ended by NULL (commands.c), and the options every command has. */
extern const struct cli_command *const cli_commands[];
extern const struct cli_option cli_global_options[];

/* Parses the command line and runs the command; returns the exit code. */
int cli_main(int argc, char **argv);

/* ---- for commands ---- */

const char *cli_verb(const struct cli *cli); /* "" when the command has none */
size_t cli_argument_count(const struct cli *cli);
const char *cli_argument(const struct cli *cli, size_t index); /* NULL when there are not so many */
/* Asking for an option that is not in the command's table is our bug and asserts. */
bool cli_flag(const struct cli *cli, const char *name);
const char *cli_value(const struct cli *cli,
                      const char *name); /* the last given; NULL: not given */
size_t cli_values(const struct cli *cli, const char *name,
                  const char *const **values); /* all given */
bool cli_wants_json(const struct cli *cli);
const char *
cli_config_path(const struct cli *cli); /* --config, else the environment, else the default */

/* Loads the configuration and sets up logging as it says. On anything but EXIT_CODE_OK the problems
 * were printed and *config is NULL. Free with config_free. */
int cli_load_config(const struct cli *cli, struct config **config);
/* Every problem as file:line:column: text, by file and line, then how many; or as JSON on standard
 * output. */
void cli_print_problems(const struct cli *cli, struct problems *problems);

/* Whether an output is a device or a pipe: it is written to, never replaced, since renaming a file onto /dev/null takes it
 * from everybody. */
bool cli_writes_in_place(const char *path);

/* `tributary COMMAND: text` on standard error. Return EXIT_CODE_USAGE; for cli_fail the code given.
 */
int cli_usage_error(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int cli_fail(const struct cli *cli, enum exit_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same from an err: the code follows its retry class (TEMPORARY for what may be retried,
 * CONFIG, UNAVAILABLE for a database that cannot be reached, else FAILED). */
int cli_fail_err(const struct cli *cli, const struct err *err);

#endif
