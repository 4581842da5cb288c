/* cli_help.c - help texts from the tables. See cli_internal.h. */
#include "daemon/cli/cli_internal.h"

#include "daemon/base/version.h"

void cli_print_help(FILE *out)
{
    fputs("tributary " TRIBUTARY_VERSION " - many streams, one customer record\n\n"
          "usage: tributary COMMAND [ARGUMENT ...] [OPTION ...]\n\n",
          out);
    for (size_t i = 0; cli_commands[i]; i++) {
        if (!cli_commands[i]->hidden)
            fprintf(out, "  %-12s %s\n", cli_commands[i]->name, cli_commands[i]->help);
    }
    fputs("\ntributary help COMMAND says more. Exit codes: 0 ok, 1 failed, 64 usage, 69 "
          "unavailable, 70 bug,\n"
          "75 temporary, 78 configuration.\n",
          out);
}

static void print_options(const struct cli_option *option, FILE *out)
{
    for (; option && option->name; option++) {
        char left[64];
        char letter[] = {'-', option->letter, ',', ' ', '\0'};
        snprintf(left, sizeof(left), "%s--%s%s%s", option->letter ? letter : "", option->name,
                 option->argument ? "=" : "", option->argument ? option->argument : "");
        fprintf(out, "  %-24s %s\n", left, option->help);
    }
}

void cli_print_command_help(const struct cli_command *command, FILE *out)
{
    fprintf(out, "usage: tributary %s", command->name);
    if (command->verbs)
        fprintf(out, " %s", command->verbs);
    fprintf(out, "%s%s [OPTION ...]\n\n%s.\n", command->synopsis[0] ? " " : "", command->synopsis,
            command->help);
    if (command->details)
        fprintf(out, "\n%s\n", command->details);
    fputc('\n', out);
    print_options(command->options, out);
    print_options(cli_global_options, out);
}
