/* cmd_sources.c - `tributary sources`: where records come from, with ledger and health. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>

static const struct show_column columns[] = {
    {"source", "name", CLI_TEXT},           {"type", "type", CLI_TEXT},
    {"enabled", "enabled", CLI_TEXT},       {"paused", "paused", CLI_TEXT},
    {"received", "received", CLI_NUMBER},   {"stored", "stored", CLI_NUMBER},
    {"updated", "updated", CLI_NUMBER},     {"deleted", "deleted", CLI_NUMBER},
    {"repeat", "repeat", CLI_NUMBER},       {"rejected", "rejected", CLI_NUMBER},
    {"quarantined", "quarantined", CLI_NUMBER}, {"suppressed", "suppressed", CLI_NUMBER},
    {"in_flight", "in_flight", CLI_NUMBER}, {"last_ok", "last_ok", CLI_TEXT},
    {"last_error", "last_error", CLI_TEXT}, {NULL, NULL, CLI_TEXT},
};

static int list(const struct cli *cli)
{
    json_t *rows = NULL;
    int code = remote_run(cli, "sources.list", json_object(), &rows);
    if (code == EXIT_CODE_OK)
        show_rows(cli, rows, columns);
    json_decref(rows);
    return code;
}

static int set_paused(const struct cli *cli, bool paused)
{
    json_t *result = NULL;
    if (cli_argument_count(cli) != 1)
        return cli_usage_error(cli, "which source? hint: tributary sources list");
    int code = remote_run(cli, paused ? "sources.pause" : "sources.resume",
                          json_pack("{s:s,s:s}", "source", cli_argument(cli, 0), "actor", remote_actor(cli)),
                          &result);
    if (code == EXIT_CODE_OK && cli_wants_json(cli))
        show_json(result);
    else if (code == EXIT_CODE_OK)
        printf("%s is %s\n", cli_argument(cli, 0), paused ? "paused until it is resumed" : "asked again");
    json_decref(result);
    return code;
}

static int run(const struct cli *cli)
{
    const char *verb = cli_verb(cli);
    if (strcmp(verb, "list") != 0)
        return set_paused(cli, strcmp(verb, "pause") == 0);
    if (cli_argument_count(cli) > 0)
        return cli_usage_error(cli, "'%s' is one argument too many", cli_argument(cli, 0));
    return list(cli);
}

static const struct cli_option options[] = {
    {"actor", 'a', "NAME", "who does it (default: the login name)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_sources = {
    .name = "sources",
    .verbs = "list|pause|resume",
    .synopsis = "[NAME]",
    .help = "lists the sources with their ledger, pauses and resumes them",
    .details = "In every row, at any moment: received = stored + updated + deleted + repeat + rejected + quarantined\n"
               "+ suppressed + in_flight. A paused source is not asked, and what is sent to it is answered 503 with\n"
               "Retry-After, until it is resumed; that outlives a restart. `tributary load` takes a file in through a\n"
               "paused source all the same.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
