/*
 * cli_internal.h - a parsed command line; for cli.c, cli_parse.c and cli_help.c only.
 */
#ifndef TRIBUTARY_CLI_CLI_INTERNAL_H
#define TRIBUTARY_CLI_CLI_INTERNAL_H

#include "daemon/cli/cli.h"

#include <stdio.h>

struct cli_given { /* one option as given */
    const struct cli_option *option;
    const char *value; /* NULL for a flag */
};

struct cli {
    const struct cli_command *command; /* NULL before the command is known */
    const char *verb;
    size_t argument_count;
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t given_count;
    struct cli_given given[CLI_ARGUMENTS_MAX];
    /* The values of one repeated option, gathered for cli_values. */
    const char *values[CLI_ARGUMENTS_MAX];
};

/* EXIT_CODE_OK, or EXIT_CODE_USAGE after the mistake was told. argv[0] is the command's name. */
int cli_parse(struct cli *cli, int argc, char **argv);
const struct cli_command *cli_find_command(const char *name);
/* Tells that there is no such command. */
int cli_unknown_command(const char *name);

void cli_print_help(FILE *out);
void cli_print_command_help(const struct cli_command *command, FILE *out);

#endif
