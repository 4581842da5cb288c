/* cmd_decision.c - `tributary decision`: what stewards decided, and taking it back. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>

static const struct show_column columns[] = {
    {"decision", "decision_id", CLI_NUMBER}, {"kind", "kind", CLI_TEXT},
    {"origin", "origin", CLI_TEXT},          {"pairs", "pairs", CLI_NUMBER},
    {"a_source", "a_source", CLI_TEXT},      {"a_external_id", "a_external_id", CLI_TEXT},
    {"b_source", "b_source", CLI_TEXT},      {"b_external_id", "b_external_id", CLI_TEXT},
    {"actor", "actor", CLI_TEXT},            {"at", "at", CLI_TEXT},
    {"taken_back", "retracted_at", CLI_TEXT}, {"by", "retracted_by", CLI_TEXT},
    {"note", "note", CLI_TEXT},              {NULL, NULL, CLI_TEXT},
};

static int list(const struct cli *cli)
{
    json_t *rows = NULL, *args = json_object();
    if (cli_value(cli, "limit"))
        json_object_set_new(args, "limit", json_string(cli_value(cli, "limit")));
    if (cli_flag(cli, "pairs"))
        json_object_set_new(args, "pairs", json_true());
    int code = remote_run(cli, "decision.list", args, &rows);
    if (code == EXIT_CODE_OK)
        show_rows(cli, rows, columns);
    json_decref(rows);
    return code;
}

/* One after the other; the first that cannot be taken back ends it. */
static int undo(const struct cli *cli)
{
    struct remote *remote = NULL;
    json_t *undone = json_array();
    int code = remote_open(cli, &remote);
    for (size_t i = 0; code == EXIT_CODE_OK && i < cli_argument_count(cli); i++) {
        json_t *result = NULL;
        code = remote_call(remote, "decision.undo",
                           json_pack("{s:s,s:b,s:s}", "id", cli_argument(cli, i), "alone", cli_flag(cli, "alone"),
                                     "actor", remote_actor(cli)), &result);
        if (code == EXIT_CODE_OK && cli_wants_json(cli))
            json_array_append(undone, json_object_get(result, "retracted"));
        else if (code == EXIT_CODE_OK)
            printf("decision %s is taken back (%lld pairs)\n", cli_argument(cli, i),
                   (long long)json_integer_value(json_object_get(result, "pairs")));
        json_decref(result);
    }
    if (cli_wants_json(cli) && remote)
        show_json(undone);
    remote_close(&remote);
    json_decref(undone);
    return code;
}

static int run(const struct cli *cli)
{
    bool is_undo = strcmp(cli_verb(cli), "undo") == 0;
    if (is_undo && cli_argument_count(cli) == 0)
        return cli_usage_error(cli, "which decision? hint: tributary decision list");
    if (!is_undo && cli_argument_count(cli) > 0)
        return cli_usage_error(cli, "'%s' is one argument too many", cli_argument(cli, 0));
    return is_undo ? undo(cli) : list(cli);
}

static const struct cli_option options[] = {
    {"limit", 'l', "NUMBER", "at most so many (default: 1000)"},
    {"actor", 'a', "NAME", "who takes it back (default: the login name)"},
    {"pairs", 'p', NULL, "lists every pair of a split, not only its first"},
    {"alone", 'o', NULL, "takes back this one pair of a split, not all of it"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_decision = {
    .name = "decision",
    .verbs = "list|undo",
    .synopsis = "[ID ...]",
    .help = "lists what stewards decided, and takes it back",
    .details = "  decision list         merges (always), splits (never) and reviews decided, newest first\n"
               "  decision undo ID ...  as if it had never been: an undone merge has its old ids back\n\n"
               "A split decides many pairs, all with never; it is listed once and taken back as a whole.",
    .options = options,
    .max_arguments = CLI_ARGUMENTS_MAX,
    .run = run,
};
