/* cmd_review.c - `tributary review`: the pairs the machine will not decide. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>

static const struct show_column columns[] = {
    {"review", "review_id", CLI_NUMBER}, {"a", "a", CLI_NUMBER},
    {"b", "b", CLI_NUMBER},              {"reason", "reason", CLI_TEXT},
    {"bits", "weight", CLI_NUMBER},      {"probability", "probability", CLI_NUMBER},
    {"a_name", "a_name", CLI_TEXT},      {"b_name", "b_name", CLI_TEXT},
    {"a_customer", "a_customer", CLI_NUMBER}, {"b_customer", "b_customer", CLI_NUMBER},
    {NULL, NULL, CLI_TEXT},
};

static int list(const struct cli *cli)
{
    json_t *rows = NULL;
    json_t *args = json_object();
    if (cli_value(cli, "limit"))
        json_object_set_new(args, "limit", json_string(cli_value(cli, "limit")));
    int code = remote_run(cli, "review.list", args, &rows);
    if (code == EXIT_CODE_OK)
        show_rows(cli, rows, columns);
    json_decref(rows);
    return code;
}

static int decide(const struct cli *cli)
{
    json_t *result = NULL;
    const char *record;
    json_t *customer;
    if (cli_argument_count(cli) != 2)
        return cli_usage_error(cli, "a review and a word are wanted; hint: tributary review decide ID same|different");
    json_t *args = json_pack("{s:s,s:s,s:s}", "id", cli_argument(cli, 0), "decision", cli_argument(cli, 1),
                             "actor", remote_actor(cli));
    if (cli_value(cli, "note"))
        json_object_set_new(args, "note", json_string(cli_value(cli, "note")));
    int code = remote_run(cli, "review.decide", args, &result);
    if (code == EXIT_CODE_OK && cli_wants_json(cli)) {
        show_json(result);
    } else if (code == EXIT_CODE_OK) {
        fputs("decision ", stdout);
        show_member(result, "group");
        fputs("; tributary decision undo takes it back\n", stdout);
        json_object_foreach(json_object_get(result, "customers"), record, customer)
            printf("record %s is in customer %lld\n", record, (long long)json_integer_value(customer));
    }
    json_decref(result);
    return code;
}

static int run(const struct cli *cli)
{
    if (strcmp(cli_verb(cli), "decide") == 0)
        return decide(cli);
    if (cli_argument_count(cli) > 0)
        return cli_usage_error(cli, "'%s' is one argument too many", cli_argument(cli, 0));
    return list(cli);
}

static const struct cli_option options[] = {
    {"limit", 'l', "NUMBER", "at most so many (default: 100)"},
    {"actor", 'a', "NAME", "who decides (default: the login name)"},
    {"note", 'n', "TEXT", "why, kept with the decision"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_review = {
    .name = "review",
    .verbs = "list|decide",
    .synopsis = "[ID same|different]",
    .help = "lists and decides the pairs the machine will not",
    .details = "  review list                     open reviews, surest first\n"
               "  review decide ID same           always one customer\n"
               "  review decide ID different      never one customer\n\n"
               "tributary explain A B shows the evidence of a pair. `tributary decision undo` takes a decision back.",
    .options = options,
    .max_arguments = 2,
    .run = run,
};
