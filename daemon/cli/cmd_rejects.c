/* cmd_rejects.c - `tributary rejects`: what the rules refused. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>

static const struct show_column columns[] = {
    {"reject", "reject_id", CLI_NUMBER}, {"source", "source", CLI_TEXT}, {"at", "at", CLI_TEXT},
    {"state", "state", CLI_TEXT},        {"code", "code", CLI_TEXT},     {"field", "field", CLI_TEXT},
    {"param", "param", CLI_TEXT},        {"position", "position", CLI_TEXT}, {"body", "body", CLI_TEXT},
    {NULL, NULL, CLI_TEXT},
};

static void set_option(const struct cli *cli, json_t *args, const char *name)
{
    if (cli_value(cli, name))
        json_object_set_new(args, name, json_string(cli_value(cli, name)));
}

/* Bytes that are no text (JSON has them in base64) are named, not left out. */
static void name_bodies(json_t *rows)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        if (json_object_get(row, "body_base64") == NULL)
            continue;
        json_object_set_new(row, "body", json_sprintf("(%lld bytes that are no text; --format=json has them in base64)",
                                                      (long long)json_integer_value(json_object_get(row, "body_bytes"))));
    }
}

static int list(const struct cli *cli)
{
    json_t *rows = NULL, *args = json_object();
    set_option(cli, args, "source");
    set_option(cli, args, "state");
    set_option(cli, args, "limit");
    int code = remote_run(cli, "rejects.list", args, &rows);
    if (code == EXIT_CODE_OK && !cli_wants_json(cli))
        name_bodies(rows);
    if (code == EXIT_CODE_OK)
        show_rows(cli, rows, columns);
    json_decref(rows);
    return code;
}

static void tell(const json_t *result, bool retry)
{
    if (!retry) {
        show_member(result, "dropped");
        fputs(" dropped\n", stdout);
        return;
    }
    show_member(result, "retried");
    fputs(" taken in again, ", stdout);
    show_member(result, "rejected_again");
    fputs(" of them refused again", stdout);
    if (json_integer_value(json_object_get(result, "still_unreadable")) > 0) {
        fputs("; ", stdout);
        show_member(result, "still_unreadable");
        fputs(" are still unreadable and stay open", stdout);
    }
    puts(json_is_false(json_object_get(result, "resolved")) ? " (not all resolved yet)" : "");
}

static int act(const struct cli *cli, bool retry)
{
    json_t *result = NULL, *ids = json_array();
    json_t *args = json_pack("{s:s,s:o,s:b}", "actor", remote_actor(cli), "ids", ids, "all",
                             cli_flag(cli, "all"));
    for (size_t i = 0; i < cli_argument_count(cli); i++) {
        int64_t id = 0;
        if (!slice_to_int64(slice_str(cli_argument(cli, i)), &id)) {
            json_decref(args);
            return cli_usage_error(cli, "'%s' is no reject's number", cli_argument(cli, i));
        }
        json_array_append_new(ids, json_integer(id));
    }
    set_option(cli, args, "source");
    int code = remote_run(cli, retry ? "rejects.retry" : "rejects.drop", args, &result);
    if (code == EXIT_CODE_OK && cli_wants_json(cli))
        show_json(result);
    else if (code == EXIT_CODE_OK)
        tell(result, retry);
    json_decref(result);
    return code;
}

static int run(const struct cli *cli)
{
    if (strcmp(cli_verb(cli), "list") != 0)
        return act(cli, strcmp(cli_verb(cli), "retry") == 0);
    if (cli_argument_count(cli) > 0)
        return cli_usage_error(cli, "'%s' is one argument too many; hint: --source=NAME", cli_argument(cli, 0));
    return list(cli);
}

static const struct cli_option options[] = {
    {"source", 's', "NAME", "only those of this source"},
    {"all", 0, NULL, "all open ones (retry and drop)"},
    {"state", 0, "STATE", "open, retried, dropped or all (list; default: open)"},
    {"limit", 'l', "NUMBER", "at most so many (list; default: 100)"},
    {"actor", 'a', "NAME", "who does it (default: the login name)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_rejects = {
    .name = "rejects",
    .verbs = "list|retry|drop",
    .synopsis = "[ID ...]",
    .help = "lists what the rules refused, takes it in again or drops it",
    .details = "  rejects list --source shop    what was refused, newest first, with the reason and the raw bytes\n"
               "  rejects retry ID ...          takes them in again, as they came: after a rule was mended\n"
               "  rejects retry --source shop   all open ones of a source; --all of every source\n"
               "  rejects drop ID ...           they are done with\n\n"
               "A retried record keeps its first time of acceptance: what came later about the same record wins.",
    .options = options,
    .max_arguments = CLI_ARGUMENTS_MAX,
    .run = run,
};
