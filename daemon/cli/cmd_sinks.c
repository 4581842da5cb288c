/* cmd_sinks.c - `tributary sinks`: who is told, how far each is, and its dead letters. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>

static const struct show_column columns[] = {
    {"sink", "name", CLI_TEXT},
    {"type", "type", CLI_TEXT},
    {"state", "state", CLI_TEXT},
    {"backlog", "backlog", CLI_NUMBER},
    {"parked", "parked", CLI_NUMBER},
    {"dead", "dead", CLI_NUMBER},
    {"delivered", "delivered", CLI_NUMBER},
    {"last_delivered_at", "last_delivered_at", CLI_TEXT},
    {"reason", "reason", CLI_TEXT},
    {NULL, NULL, CLI_TEXT},
};

static const struct show_column dead_columns[] = {
    {"seq", "seq", CLI_NUMBER},           {"at", "at", CLI_TEXT},
    {"type", "type", CLI_TEXT},           {"customer", "customer_id", CLI_NUMBER},
    {"attempts", "attempts", CLI_NUMBER}, {"status", "status", CLI_NUMBER},
    {"error", "error", CLI_TEXT},         {NULL, NULL, CLI_TEXT},
};

static int show(const struct cli *cli, const char *operation, json_t *args,
                const struct show_column *shown)
{
    json_t *rows = NULL;
    int code = remote_run(cli, operation, args, &rows);
    if (code == EXIT_CODE_OK)
        show_rows(cli, rows, shown);
    json_decref(rows);
    return code;
}

static int change(const struct cli *cli, const char *operation, const char *done)
{
    json_t *result = NULL;
    json_t *args = json_pack("{s:s,s:s}", "sink", cli_argument(cli, 0), "actor", remote_actor(cli));
    int code = remote_run(cli, operation, args, &result);
    if (code == EXIT_CODE_OK && cli_wants_json(cli))
        show_json(result);
    else if (code == EXIT_CODE_OK)
        printf("%s %s\n", cli_argument(cli, 0), done);
    json_decref(result);
    return code;
}

static int run(const struct cli *cli)
{
    const char *verb = cli_verb(cli);
    if (strcmp(verb, "list") == 0 && cli_argument_count(cli) > 0)
        return cli_usage_error(cli, "'%s' is one argument too many", cli_argument(cli, 0));
    if (strcmp(verb, "list") == 0)
        return show(cli, "sinks.list", json_object(), columns);
    if (cli_argument_count(cli) != 1)
        return cli_usage_error(cli, "which sink? hint: tributary sinks list");
    if (strcmp(verb, "pause") == 0)
        return change(cli, "sinks.pause", "is paused until it is enabled");
    if (strcmp(verb, "enable") == 0)
        return change(cli, "sinks.enable", "is told again, from where it was");
    if (strcmp(verb, "drop") == 0)
        return change(cli, "sinks.drop", "has no dead letters any more");
    return show(cli, "sinks.dead",
                json_pack("{s:s,s:i}", "sink", cli_argument(cli, 0), "limit", 1000), dead_columns);
}

static const struct cli_option options[] = {
    {"actor", 'a', "NAME", "who does it (default: the login name)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_sinks = {
    .name = "sinks",
    .verbs = "list|pause|enable|dead|drop",
    .synopsis = "[NAME]",
    .help = "lists the sinks, pauses and enables them, shows and drops their dead letters",
    .details =
        "  sinks list           how far each is, and why one is failing, paused or disabled\n"
        "  sinks enable crm     goes on where it was; also after an answer 410 disabled it\n"
        "  sinks dead crm       events given up, oldest first; events replay crm --dead tells them "
        "again\n"
        "  sinks drop crm       forgets them",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
