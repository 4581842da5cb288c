/* cmd_man.c - `tributary man`: tributary(8) from the tables of commands and options. */
#include "daemon/cli/cli.h"

#include <stdio.h>

#include "daemon/base/version.h"

/* A hyphen is a minus, a backslash itself, a leading dot or quote no request. */
static void put_text(const char *text)
{
    bool line_start = true;
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
        line_start = *text == '\n';
    }
}

static void put_options(const struct cli_option *option)
{
    for (; option && option->name; option++) {
        fputs(".TP\n", stdout);
        if (option->letter)
            printf("\\fB\\-%c\\fR, ", option->letter);
        fputs("\\fB\\-\\-", stdout);
        put_text(option->name);
        fputs("\\fR", stdout);
        if (option->argument)
            printf("=\\fI%s\\fR", option->argument);
        putchar('\n');
        put_text(option->help);
        putchar('\n');
    }
}

static void put_command(const struct cli_command *command)
{
    fputs(".SS tributary ", stdout);
    put_text(command->name);
    if (command->verbs)
        printf(" %s", command->verbs);
    printf(" %s\n", command->synopsis);
    put_text(command->help);
    fputs(".\n", stdout);
    if (command->details) {
        fputs(".PP\n", stdout);
        put_text(command->details);
        putchar('\n');
    }
    put_options(command->options);
}

static int run(const struct cli *cli)
{
    (void)cli;
    fputs(
        ".TH TRIBUTARY 8 \"\" \"tributary " TRIBUTARY_VERSION "\"\n"
        ".SH NAME\ntributary \\- many streams, one customer record\n"
        ".SH SYNOPSIS\n.B tributary\n\\fICOMMAND\\fR [\\fIARGUMENT\\fR ...] [\\fIOPTION\\fR ...]\n"
        ".SH DESCRIPTION\nTakes in customer records from forms, files and APIs, cleans them, finds "
        "which are one\n"
        "customer, and keeps one golden record of each in PostgreSQL.\n"
        ".SH OPTIONS OF EVERY COMMAND\n",
        stdout);
    put_options(cli_global_options);
    fputs(".SH COMMANDS\n", stdout);
    for (size_t i = 0; cli_commands[i]; i++) {
        if (!cli_commands[i]->hidden)
            put_command(cli_commands[i]);
    }
    fputs(".SH EXIT STATUS\n0 ok, 1 failed, 64 usage, 69 unavailable, 70 bug, 75 temporary, 78 "
          "configuration.\n"
          ".SH ENVIRONMENT\n.TP\n.B " CONFIG_PATH_VARIABLE
          "\nthe configuration when \\-\\-config is not given\n"
          ".SH FILES\n.TP\n.I " CONFIG_DEFAULT_PATH "\nthe configuration\n"
          ".TP\n.I /var/lib/tributary\nspool, private PostgreSQL, token, state of sources\n",
          stdout);
    return EXIT_CODE_OK;
}

const struct cli_command cmd_man = {
    .name = "man",
    .synopsis = "",
    .help = "prints the manual page, tributary(8)",
    .hidden = true,
    .run = run,
};
