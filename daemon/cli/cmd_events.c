/* cmd_events.c - `tributary events`: the event log, followed; and bringing events to a sink again. */
#include "daemon/base/clock.h"
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FOLLOW_MS 500
#define PAGE      "1000"

static const struct show_column columns[] = {
    {"seq", "seq", CLI_NUMBER},    {"at", "at", CLI_TEXT},         {"type", "type", CLI_TEXT},
    {"customer", "customer_id", CLI_NUMBER}, {"source", "source", CLI_TEXT}, {"about", "about", CLI_TEXT},
    {NULL, NULL, CLI_TEXT},
};

static void set_option(const struct cli *cli, json_t *args, const char *name)
{
    if (cli_value(cli, name))
        json_object_set_new(args, name, json_string(cli_value(cli, name)));
}

static json_t *list_args(const struct cli *cli)
{
    json_t *args = json_object();
    set_option(cli, args, "type");
    set_option(cli, args, "customer");
    set_option(cli, args, "since");
    set_option(cli, args, "limit");
    return args;
}

/* The name it is about, and what else is short; the whole of it is in the JSON. */
static void describe(const struct cli *cli, json_t *rows)
{
    static const char *const names[] = {"full_name", "company"};
    static const char *const keys[] = {"code", "field", "position", "merged", "records", "review_id", "a", "b"};
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const json_t *data = json_object_get(row, "data"), *customer = json_object_get(data, "customer");
        struct buf out = BUF_INIT((size_t)1 << 20);
        for (size_t j = 0; j < 2 && out.len == 0; j++) {
            if (json_is_string(json_object_get(customer, names[j])))
                show_value(json_object_get(customer, names[j]), &out);
        }
        for (size_t j = 0; j < sizeof(keys) / sizeof(keys[0]); j++) {
            const json_t *value = json_object_get(data, keys[j]);
            if (value == NULL || (json_is_string(value) && json_string_length(value) == 0))
                continue;
            buf_printf(&out, "%s%s: ", out.len ? "; " : "", keys[j]);
            show_value(value, &out);
        }
        if (!cli_wants_json(cli))
            json_object_set_new(row, "about", json_stringn(out.len ? out.data : "", out.len));
        buf_free(&out);
    }
}

/* One line an event, so that it can be piped. */
static void print_lines(const struct cli *cli, const json_t *rows, int64_t *last_seq)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        *last_seq = json_integer_value(json_object_get(row, "seq"));
        if (cli_wants_json(cli)) {
            json_dumpf(row, stdout, JSON_COMPACT);
        } else {
            for (size_t j = 0; columns[j].name; j++) {
                fputs(j ? "  " : "", stdout);
                show_member(row, columns[j].key);
            }
        }
        putchar('\n');
    }
    fflush(stdout);
}

static int follow(const struct cli *cli, struct remote *remote)
{
    int64_t last_seq = 0;
    json_t *rows = NULL;
    const char *since = cli_value(cli, "since");
    if (since && !slice_to_int64(slice_str(since), &last_seq))
        return cli_usage_error(cli, "--since=%s is no number", since);
    if (remote_engine(remote))
        return cli_fail(cli, EXIT_CODE_UNAVAILABLE, "no daemon runs, so nothing will happen; hint: tributary run");
    int code = remote_call(remote, "events.list", list_args(cli), &rows);
    while (code == EXIT_CODE_OK && !ferror(stdout)) {
        describe(cli, rows);
        print_lines(cli, rows, &last_seq);
        bool more = json_array_size(rows) == 1000;
        json_decref(rows);
        rows = NULL;
        if (!more)
            nanosleep(&(struct timespec){.tv_nsec = FOLLOW_MS * 1000000L}, NULL);
        json_t *args = list_args(cli);
        json_object_set_new(args, "since", json_integer(last_seq));
        json_object_set_new(args, "limit", json_string(PAGE));
        code = remote_call(remote, "events.list", args, &rows);
    }
    json_decref(rows);
    return code;
}

static int tail(const struct cli *cli)
{
    struct remote *remote = NULL;
    json_t *rows = NULL;
    int code = remote_open(cli, &remote);
    if (code == EXIT_CODE_OK && cli_flag(cli, "follow")) {
        code = follow(cli, remote);
    } else if (code == EXIT_CODE_OK) {
        code = remote_call(remote, "events.list", list_args(cli), &rows);
        if (code == EXIT_CODE_OK) {
            describe(cli, rows);
            show_rows(cli, rows, columns);
        }
    }
    json_decref(rows);
    remote_close(&remote);
    return code;
}

static int replay(const struct cli *cli)
{
    json_t *result = NULL;
    json_t *args = json_pack("{s:s,s:s,s:b}", "sink", cli_argument(cli, 0), "actor", remote_actor(cli), "dead",
                             cli_flag(cli, "dead"));
    set_option(cli, args, "from");
    set_option(cli, args, "to");
    int code = remote_run(cli, "events.replay", args, &result);
    if (code == EXIT_CODE_OK && cli_wants_json(cli)) {
        show_json(result);
    } else if (code == EXIT_CODE_OK) {
        show_member(result, "events");
        bool one = json_integer_value(json_object_get(result, "events")) == 1;
        printf(" event%s to %s again\n", one ? " goes" : "s go", cli_argument(cli, 0));
    }
    json_decref(result);
    return code;
}

static int run(const struct cli *cli)
{
    bool is_tail = strcmp(cli_verb(cli), "tail") == 0;
    if (is_tail && cli_argument_count(cli) > 0)
        return cli_usage_error(cli, "'%s' is one argument too many", cli_argument(cli, 0));
    if (!is_tail && cli_argument_count(cli) != 1)
        return cli_usage_error(cli, "which sink? hint: tributary events replay SINK --dead");
    return is_tail ? tail(cli) : replay(cli);
}

static const struct cli_option options[] = {
    {"follow", 'f', NULL, "goes on as events happen (tail)"},
    {"since", 's', "SEQ", "those after this number, oldest first (tail; default: the newest)"},
    {"type", 't', "TYPE", "only these: lead.created, or customer.* (tail)"},
    {"customer", 0, "ID", "only those of this customer (tail)"},
    {"limit", 'l', "NUMBER", "at most so many (tail; default: 100)"},
    {"from", 0, "SEQ", "the first event to bring again (replay)"},
    {"to", 0, "SEQ", "the last one (replay; default: the last told)"},
    {"dead", 0, NULL, "the dead letters instead (replay)"},
    {"actor", 'a', "NAME", "who asks for it (default: the login name)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_events = {
    .name = "events",
    .verbs = "tail|replay",
    .synopsis = "[SINK]",
    .help = "shows the event log, and brings events to a sink again",
    .details = "  events tail                         the newest events\n"
               "  events tail -f --type 'lead.*'      as they happen; one line (one JSON object) each\n"
               "  events replay crm --dead            the sink's dead letters once more\n"
               "  events replay crm --from 100 --to 200",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
