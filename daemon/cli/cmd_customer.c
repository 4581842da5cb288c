/* cmd_customer.c - `tributary customer`: found, shown, its history; split, merged, assigned. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/cli/text_columns.h"

#define OUTPUT_MAX_BYTES ((size_t)64 << 20)

static const struct show_column found_columns[] = {
    {"customer", "customer_id", CLI_NUMBER}, {"record", "record_id", CLI_NUMBER}, {"kind", "kind", CLI_TEXT},
    {"source", "source", CLI_TEXT},          {"external_id", "external_id", CLI_TEXT},
    {"name", "name", CLI_TEXT},              {"contact", "contact", CLI_TEXT},
    {NULL, NULL, CLI_TEXT},
};
static const struct show_column history_columns[] = {
    {"version", "version", CLI_NUMBER}, {"at", "at", CLI_TEXT},     {"what", "what", CLI_TEXT},
    {"actor", "actor", CLI_TEXT},       {"event", "event_seq", CLI_NUMBER}, {"changes", "shown", CLI_TEXT},
    {NULL, NULL, CLI_TEXT},
};

static void value_cell(struct text_columns *columns, const json_t *value)
{
    struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    show_value(value, &text);
    text_columns_cell(columns, buf_slice(&text));
    buf_free(&text);
}

/* The value, and why it is none that could be used: "not-an-email (invalid)". */
static void put_marked(const json_t *value, const json_t *marks, struct buf *out)
{
    static const char *const words[] = {"masked", "names nobody", "virtual", "encrypted", "invalid"};
    show_value(value, out);
    const char *before = " (";
    for (unsigned i = 0; i < 5; i++) {
        if (((unsigned)json_integer_value(marks) >> i) & 1u) {
            buf_printf(out, "%s%s", before, words[i]);
            before = ", ";
        }
    }
    if (before[0] == ',')
        buf_put_byte(out, ')');
}

static void put_golden(const json_t *shown, struct buf *out)
{
    static const char *const keys[] = {"field", "value", "source", "agreeing_records", "runners_up"};
    struct text_columns columns = TEXT_COLUMNS(5, 0);
    static const char *const heading[] = {"field", "value", "source", "agree", "instead of"};
    size_t i;
    json_t *row;
    for (i = 0; i < 5; i++)
        text_columns_cell(&columns, slice_str(heading[i]));
    json_array_foreach(json_object_get(shown, "provenance"), i, row) {
        struct buf rest = BUF_INIT(OUTPUT_MAX_BYTES);
        for (size_t j = 0; j < 4; j++) {
            if (j == 1)
                put_marked(json_object_get(row, keys[j]), json_object_get(row, "marks"), &rest);
            else
                show_value(json_object_get(row, keys[j]), &rest);
            text_columns_cell(&columns, buf_slice(&rest));
            buf_reset(&rest);
        }
        size_t k;
        json_t *runner;
        json_array_foreach(json_object_get(row, keys[4]), k, runner) {
            buf_put_str(&rest, k ? ", " : "");
            show_value(json_array_get(runner, 0), &rest);
        }
        text_columns_cell(&columns, buf_slice(&rest));
        buf_free(&rest);
    }
    text_columns_put(&columns, "  ", out);
}

static void put_records(const json_t *shown, struct buf *out)
{
    struct text_columns columns = TEXT_COLUMNS(6, 1);
    static const char *const heading[] = {"record", "source", "external_id", "part", "effective", "values"};
    size_t i, j;
    json_t *row, *pair;
    for (i = 0; i < 6; i++)
        text_columns_cell(&columns, slice_str(heading[i]));
    json_array_foreach(json_object_get(shown, "records"), i, row) {
        value_cell(&columns, json_object_get(row, "record_id"));
        value_cell(&columns, json_object_get(row, "source"));
        value_cell(&columns, json_object_get(row, "external_id"));
        value_cell(&columns, json_object_get(row, "part"));
        value_cell(&columns, json_object_get(row, "effective_at"));
        struct buf values = BUF_INIT(OUTPUT_MAX_BYTES);
        json_array_foreach(json_object_get(row, "values"), j, pair) {
            buf_put_str(&values, j ? ", " : "");
            put_marked(json_array_get(pair, 1), json_array_get(pair, 2), &values);
        }
        text_columns_cell(&columns, buf_slice(&values));
        buf_free(&values);
    }
    text_columns_put(&columns, "  ", out);
}

static void put_links(const json_t *shown, struct buf *out)
{
    const json_t *links = json_object_get(shown, "links");
    struct text_columns columns = TEXT_COLUMNS(5, 1 | 2 | 8);
    size_t i, j;
    json_t *link, *evidence;
    if (json_array_size(links) == 0)
        return;
    buf_put_str(out, "\nlinks\n");
    json_array_foreach(links, i, link) {
        value_cell(&columns, json_object_get(link, "a"));
        value_cell(&columns, json_object_get(link, "b"));
        value_cell(&columns, json_object_get(link, "reason"));
        struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
        bool decided = json_is_integer(json_object_get(link, "decision_id"));
        if (decided)
            buf_printf(&text, "%lld", (long long)json_integer_value(json_object_get(link, "decision_id")));
        else
            buf_printf(&text, "%.1f bits", json_number_value(json_object_get(link, "weight")));
        text_columns_cell(&columns, buf_slice(&text));
        buf_reset(&text);
        json_array_foreach(json_object_get(link, "evidence"), j, evidence) {
            buf_put_str(&text, j ? ", " : "");
            show_value(json_array_get(evidence, 0), &text);
            buf_put_byte(&text, ' ');
            show_value(json_array_get(evidence, 1), &text);
        }
        text_columns_cell(&columns, buf_slice(&text));
        buf_free(&text);
    }
    text_columns_put(&columns, "  ", out);
}

/* Whom a person works for, or who works for a company. */
static void put_works(const json_t *list, const char *heading, struct buf *out)
{
    static const char *const keys[] = {"customer_id", "name", "job_title", "since", "last_seen", "sources"};
    static const char *const heads[] = {"customer", "name", "job title", "since", "last seen", "sources"};
    struct text_columns columns = TEXT_COLUMNS(6, 1);
    size_t i;
    json_t *work;
    if (json_array_size(list) == 0)
        return;
    for (i = 0; i < 6; i++)
        text_columns_cell(&columns, slice_str(heads[i]));
    json_array_foreach(list, i, work) {
        for (size_t j = 0; j < 6; j++)
            value_cell(&columns, json_object_get(work, keys[j]));
    }
    buf_printf(out, "\n%s\n", heading);
    text_columns_put(&columns, "  ", out);
}

static void show_customer(const struct cli *cli, const json_t *shown)
{
    if (cli_wants_json(cli)) {
        show_json(shown);
        return;
    }
    const json_t *customer = json_object_get(shown, "customer");
    long long asked = (long long)json_integer_value(json_object_get(shown, "asked"));
    long long id = (long long)json_integer_value(json_object_get(shown, "customer_id"));
    struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
    if (asked != id)
        buf_printf(&out, "%lld is in customer %lld now.\n\n", asked, id);
    buf_printf(&out, "customer %lld, ", id);
    static const char *const keys[] = {"kind", "space", "version", "updated_at", "lead_at", "lead_source", "owner"};
    for (size_t i = 0; i < 7; i++) {
        const json_t *value = json_object_get(customer, keys[i]);
        if (value == NULL || json_is_null(value))
            continue;
        buf_printf(&out, i ? ", %s " : "%s ", keys[i]);
        show_value(value, &out);
    }
    buf_put_str(&out, "\n\n");
    put_golden(shown, &out);
    put_works(json_object_get(shown, "works_for"), "works for", &out);
    put_works(json_object_get(shown, "people"), "people", &out);
    buf_put_str(&out, "\nrecords\n");
    put_records(shown, &out);
    put_links(shown, &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static void put_change(const json_t *change, size_t which, struct buf *out)
{
    const json_t *value = json_array_get(change, which);
    if (json_is_array(value) && json_array_size(value) == 0)
        value = NULL;
    show_value(value, out);
}

/* Each row's changes, {"field": [old, new]}, as "field: old → new". */
static void describe_changes(json_t *rows)
{
    size_t i;
    json_t *row, *change;
    const char *field;
    json_array_foreach(rows, i, row) {
        struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
        json_object_foreach(json_object_get(row, "changes"), field, change) {
            buf_printf(&out, "%s%s: ", out.len ? "; " : "", field);
            put_change(change, 0, &out);
            buf_put_str(&out, " → ");
            put_change(change, 1, &out);
        }
        json_object_set_new(row, "shown", json_stringn(out.len ? out.data : "", out.len));
        buf_free(&out);
    }
}

/* What a decision did: its numbers, and where each record is now. */
static void show_decided(const struct cli *cli, const json_t *result)
{
    const char *record;
    json_t *customer;
    if (cli_wants_json(cli)) {
        show_json(result);
        return;
    }
    fputs("decision ", stdout);
    show_member(result, "group");
    fputs("; tributary decision undo ", stdout);
    show_member(result, "group");
    fputs(" takes it back\n", stdout);
    json_object_foreach(json_object_get(result, "customers"), record, customer)
        printf("record %s is in customer %lld\n", record, (long long)json_integer_value(customer));
}

static int change(const struct cli *cli, const char *operation, json_t *args)
{
    json_t *result = NULL;
    json_object_set_new(args, "actor", json_string(remote_actor(cli)));
    if (cli_value(cli, "note"))
        json_object_set_new(args, "note", json_string(cli_value(cli, "note")));
    int code = remote_run(cli, operation, args, &result);
    if (code == EXIT_CODE_OK)
        show_decided(cli, result);
    json_decref(result);
    return code;
}

static int split(const struct cli *cli)
{
    json_t *records = json_array();
    for (size_t i = 1; i < cli_argument_count(cli); i++) {
        int64_t id = 0;
        if (!slice_to_int64(slice_str(cli_argument(cli, i)), &id) || id <= 0) {
            json_decref(records);
            return cli_usage_error(cli, "'%s' is no record id", cli_argument(cli, i));
        }
        json_array_append_new(records, json_integer(id));
    }
    return change(cli, "customer.split",
                  json_pack("{s:s,s:o}", "id", cli_argument(cli, 0), "records", records));
}

static int assign(const struct cli *cli)
{
    json_t *result = NULL;
    const char *owner = cli_value(cli, "owner"), *team = cli_value(cli, "team");
    if (owner == NULL && team == NULL)
        return cli_usage_error(cli, "whose is it? hint: --owner NAME, --team NAME, or both; an empty one clears it");
    json_t *args = json_pack("{s:s,s:s,s:s,s:s}", "id", cli_argument(cli, 0), "owner", owner ? owner : "", "team",
                             team ? team : "", "actor", remote_actor(cli));
    int code = remote_run(cli, "customer.assign", args, &result);
    if (code == EXIT_CODE_OK && cli_wants_json(cli)) {
        show_json(result);
    } else if (code == EXIT_CODE_OK) {
        fputs("customer ", stdout);
        show_member(result, "customer_id");
        fputs(": owner ", stdout);
        show_member(result, "owner");
        fputs(", team ", stdout);
        show_member(result, "team");
        fputs("\n", stdout);
    }
    json_decref(result);
    return code;
}

static int look(const struct cli *cli, const char *operation, json_t *args, json_t **result)
{
    return remote_run(cli, operation, args, result);
}

static int run(const struct cli *cli)
{
    const char *verb = cli_verb(cli), *first = cli_argument(cli, 0);
    size_t count = cli_argument_count(cli);
    json_t *result = NULL;
    int code;
    if (strcmp(verb, "split") == 0)
        return count < 2 ? cli_usage_error(cli, "which records? hint: tributary customer split ID RECORD ...")
                         : split(cli);
    if (strcmp(verb, "assign") == 0)
        return count != 1 ? cli_usage_error(cli, "one customer is wanted; hint: tributary customer assign ID --owner NAME")
                          : assign(cli);
    if (strcmp(verb, "merge") == 0)
        return count != 2 ? cli_usage_error(cli, "two customers or records are wanted; hint: tributary customer merge A B")
                          : change(cli, "customer.merge",
                                   json_pack("{s:s,s:s}", "a", first, "b", cli_argument(cli, 1)));
    if (count != 1)
        return cli_usage_error(cli, "'%s' is one argument too many", cli_argument(cli, 1));
    if (strcmp(verb, "find") == 0) {
        code = look(cli, "customer.find", json_pack("{s:s}", "text", first), &result);
        if (code == EXIT_CODE_OK)
            show_rows(cli, result, found_columns);
    } else if (strcmp(verb, "history") == 0) {
        code = look(cli, "customer.history", json_pack("{s:s}", "id", first), &result);
        if (code == EXIT_CODE_OK && !cli_wants_json(cli))
            describe_changes(result);
        if (code == EXIT_CODE_OK)
            show_rows(cli, result, history_columns);
    } else {
        code = look(cli, "customer.show", json_pack("{s:s}", "id", first), &result);
        if (code == EXIT_CODE_OK)
            show_customer(cli, result);
    }
    json_decref(result);
    return code;
}

static const struct cli_option options[] = {
    {"owner", 'o', "NAME", "assign: who looks after it"},
    {"team", 't', "NAME", "assign: which team"},
    {"actor", 'a', "NAME", "who does it (default: the login name)"},
    {"note", 'n', "TEXT", "why, kept with the decision"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_customer = {
    .name = "customer",
    .verbs = "show|find|history|split|merge|assign",
    .synopsis = "ID|TEXT [ID ...]",
    .help = "shows, finds, splits, merges and assigns customers",
    .details = "  customer find TEXT            by a part of name, e-mail, phone or company, or an external id\n"
               "  customer show ID              golden record, where each value comes from, records and links;\n"
               "                                an old id shows the customer it is in now\n"
               "  customer history ID           every change, newest first\n"
               "  customer split ID RECORD ...  those records never belong to it again\n"
               "  customer assign ID --owner NAME --team NAME  who looks after it; it goes with its records\n"
               "  customer merge A B            always one customer\n\n"
               "A split or merge is a decision: it outlives redelivery, and `tributary decision undo` takes it\n"
               "back, old ids included.",
    .options = options,
    .min_arguments = 1,
    .max_arguments = CLI_ARGUMENTS_MAX,
    .run = run,
};
