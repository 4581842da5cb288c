/* cli_parse.c - a command line against the tables. See cli_internal.h. */
#include "daemon/cli/cli_internal.h"

#include <assert.h>

#include "daemon/base/yaml.h"

#define NAMES_MAX 128

const struct cli_option cli_global_options[] = {
    {"config", 'c', "FILE", "the configuration; else $TRIBUTARY_CONFIG, else " CONFIG_DEFAULT_PATH},
    {"format", 0, "FORMAT", "how data is printed: text or json"},
    {"help", 'h', NULL, "says what the command does and takes"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++) {
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    }
    return NULL;
}

int cli_unknown_command(const char *name)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; cli_commands[i] && count < NAMES_MAX; i++) {
        if (!cli_commands[i]->hidden)
            names[count++] = cli_commands[i]->name;
    }
    const char *near = nearest_word(slice_str(name), names, count);
    if (near)
        fprintf(stderr, "tributary: unknown command '%s'; hint: did you mean '%s'?\n", name, near);
    else
        fprintf(stderr, "tributary: unknown command '%s'; hint: tributary --help lists them\n",
                name);
    return EXIT_CODE_USAGE;
}

static const struct cli_option *find_option(const struct cli_option *table, struct slice name,
                                            char letter)
{
    for (; table && table->name; table++) {
        if (letter ? table->letter == letter : slice_is(name, table->name))
            return table;
    }
    return NULL;
}

static size_t list_names(const struct cli_option *table, const char *names[], size_t count)
{
    for (; table && table->name && count < NAMES_MAX; table++)
        names[count++] = table->name;
    return count;
}

static int unknown_option(const struct cli *cli, const char *given, struct slice name)
{
    const char *names[NAMES_MAX];
    size_t count =
        list_names(cli_global_options, names, list_names(cli->command->options, names, 0));
    const char *near = nearest_word(name, names, count);
    if (near)
        return cli_usage_error(cli, "unknown option '%s'; hint: did you mean '--%s'?", given, near);
    return cli_usage_error(cli, "unknown option '%s'; hint: tributary %s --help", given,
                           cli->command->name);
}

/* Takes the option at argv[*at], and its value from there or from the next argument. */
static int take_option(struct cli *cli, int argc, char **argv, int *at)
{
    const char *given = argv[*at], *value = NULL;
    bool is_long = given[1] == '-';
    const char *equals = is_long ? strchr(given, '=') : NULL;
    struct slice name =
        is_long ? slice_of(given + 2, equals ? (size_t)(equals - given - 2) : strlen(given + 2))
                : slice_of(given + 1, 1);
    char letter = is_long ? 0 : given[1];
    const struct cli_option *option = find_option(cli->command->options, name, letter);
    if (option == NULL)
        option = find_option(cli_global_options, name, letter);
    if (option == NULL)
        return unknown_option(cli, given, name);
    if (equals)
        value = equals + 1;
    else if (!is_long && given[2] != '\0')
        value = given + 2;
    if (option->argument == NULL && value)
        return cli_usage_error(cli, "--%s takes no value", option->name);
    if (option->argument && value == NULL) {
        if (*at + 1 == argc)
            return cli_usage_error(cli, "--%s needs a value: %s", option->name, option->argument);
        value = argv[++*at];
    }
    if (cli->given_count == CLI_ARGUMENTS_MAX)
        return cli_usage_error(cli, "more than %d options", CLI_ARGUMENTS_MAX);
    cli->given[cli->given_count++] = (struct cli_given){option, value};
    return EXIT_CODE_OK;
}

static int check_format(const struct cli *cli)
{
    const char *format = cli_value(cli, "format");
    if (format == NULL || strcmp(format, "text") == 0 || strcmp(format, "json") == 0)
        return EXIT_CODE_OK;
    return cli_usage_error(cli, "--format=%s: hint: text or json", format);
}

/* The first argument must be one of the verbs; it is taken off the arguments. */
static int take_verb(struct cli *cli)
{
    static char words[512]; /* cut at the bars; one command line a process */
    const char *names[NAMES_MAX];
    size_t count = 0;
    if (cli->argument_count == 0)
        return cli_usage_error(cli, "one of %s is wanted", cli->command->verbs);
    assert(strlen(cli->command->verbs) < sizeof(words));
    strcpy(words, cli->command->verbs);
    char *rest = words;
    for (char *word; count < NAMES_MAX && (word = strsep(&rest, "|")) != NULL;)
        names[count++] = word;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], cli->arguments[0]) != 0)
            continue;
        cli->verb = names[i];
        cli->argument_count--;
        memmove(cli->arguments, cli->arguments + 1,
                cli->argument_count * sizeof(cli->arguments[0]));
        return EXIT_CODE_OK;
    }
    const char *near = nearest_word(slice_str(cli->arguments[0]), names, count);
    if (near)
        return cli_usage_error(cli, "unknown action '%s'; hint: did you mean '%s'?",
                               cli->arguments[0], near);
    return cli_usage_error(cli, "unknown action '%s'; hint: one of %s", cli->arguments[0],
                           cli->command->verbs);
}

static int check_count(const struct cli *cli)
{
    const struct cli_command *command = cli->command;
    if (cli->argument_count < command->min_arguments)
        return cli_usage_error(cli, "too few arguments; hint: tributary %s%s%s %s", command->name,
                               cli->verb[0] ? " " : "", cli->verb, command->synopsis);
    if (cli->argument_count > command->max_arguments)
        return cli_usage_error(cli, "'%s' is one argument too many",
                               cli->arguments[command->max_arguments]);
    return EXIT_CODE_OK;
}

int cli_parse(struct cli *cli, int argc, char **argv)
{
    bool options_ended = false;
    cli->verb = "";
    for (int i = 1; i < argc; i++) {
        if (!options_ended && strcmp(argv[i], "--") == 0) {
            options_ended = true;
        } else if (!options_ended && argv[i][0] == '-' && argv[i][1] != '\0') {
            int code = take_option(cli, argc, argv, &i);
            if (code != EXIT_CODE_OK)
                return code;
        } else if (cli->argument_count == CLI_ARGUMENTS_MAX) {
            return cli_usage_error(cli, "more than %d arguments", CLI_ARGUMENTS_MAX);
        } else {
            cli->arguments[cli->argument_count++] = argv[i];
        }
    }
    if (cli_flag(cli, "help"))
        return EXIT_CODE_OK;
    int code = check_format(cli);
    if (code == EXIT_CODE_OK && cli->command->verbs)
        code = take_verb(cli);
    return code == EXIT_CODE_OK ? check_count(cli) : code;
}
