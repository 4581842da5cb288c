/* cmd_rematch.c - `tributary rematch`: generations of rules, model and survivorship, tried and applied. */
#include "daemon/cli/rematch_text.h"
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ASK_EVERY_MS     200
#define OUTPUT_MAX_BYTES ((size_t)64 << 20)

static const struct show_column columns[] = {
    {"generation", "generation", CLI_NUMBER}, {"state", "state", CLI_TEXT},
    {"applied_at", "applied_at", CLI_TEXT},   {"actor", "actor", CLI_TEXT},
    {"created_at", "created_at", CLI_TEXT},   {"link", "link", CLI_NUMBER},
    {"review", "review", CLI_NUMBER},         {"model", "model", CLI_TEXT},
    {"packs", "packs", CLI_JSON},             {NULL, NULL, CLI_TEXT},
};

static int list(const struct cli *cli)
{
    json_t *rows = NULL;
    int code = remote_run(cli, "rematch.list", json_object(), &rows);
    if (code == EXIT_CODE_OK)
        show_rows(cli, rows, columns);
    json_decref(rows);
    return code;
}

static int fail_as_told(const struct cli *cli, const json_t *error)
{
    struct err err = {0};
    const char *text = json_string_value(json_object_get(error, "message"));
    const char *retry = json_string_value(json_object_get(error, "retry"));
    (void)err_set(&err, RETRY_NONE, "cli.rematch", "%s", text ? text : "it failed");
    for (int i = RETRY_NONE; retry && i <= RETRY_FATAL; i++) {
        if (strcmp(retry_class_name((enum retry_class)i), retry) == 0)
            err.retry = (enum retry_class)i;
    }
    return cli_fail_err(cli, &err);
}

/* Asks until it is over; *result is a new reference. */
static int watch(const struct cli *cli, struct remote *remote, json_t **result)
{
    bool terminal = isatty(STDERR_FILENO);
    for (;;) {
        json_t *report = NULL;
        int code = remote_call(remote, "rematch.progress", json_object(), &report);
        if (code != EXIT_CODE_OK)
            return code;
        const char *state = json_string_value(json_object_get(report, "state"));
        if (state && strcmp(state, "running") == 0) {
            if (terminal)
                fprintf(stderr, "\r%lld of %lld records read ", show_int(report, "records_read"),
                        show_int(report, "records"));
            json_decref(report);
            nanosleep(&(struct timespec){.tv_nsec = ASK_EVERY_MS * 1000000L}, NULL);
            continue;
        }
        if (terminal)
            fputs("\r\033[K", stderr);
        const json_t *error = json_object_get(report, "error");
        if (error)
            code = fail_as_told(cli, error);
        else
            *result = json_incref(json_object_get(report, "result"));
        json_decref(report);
        return code;
    }
}

static void print_cleaning(const json_t *result)
{
    const json_t *cleaning = json_object_get(result, "cleaning");
    if (!json_is_object(cleaning))
        return;
    printf("the rules differ: %lld records cleaned again, %lld of them with another outcome\n",
           show_int(cleaning, "cleaned_again"), show_int(cleaning, "changed"));
    long long gone = show_int(cleaning, "kept_raw_gone"), unreadable = show_int(cleaning, "kept_unreadable");
    long long large = show_int(cleaning, "kept_too_large"), refused = show_int(cleaning, "kept_refused");
    if (gone + unreadable + large + refused > 0)
        printf("as they were stay %lld whose raw bytes are gone, %lld that no source reads any more, %lld that "
               "are too large, %lld that the rules would refuse\n", gone, unreadable, large, refused);
}

static void print_applied(const json_t *result)
{
    const json_t *customers = json_object_get(result, "customers");
    const char *type;
    json_t *count;
    printf("generation %lld is in force (%lld was)\n", show_int(result, "generation"), show_int(result, "from"));
    printf("%lld customers, before: %lld\n", show_int(customers, "after"), show_int(customers, "before"));
    print_cleaning(result);
    json_object_foreach(json_object_get(result, "events"), type, count)
        printf("%8lld %s\n", (long long)json_integer_value(count), type);
    printf("tributary rematch --apply %lld takes it back\n", show_int(result, "from"));
}

static void print_preview(const json_t *result)
{
    struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
    rematch_preview_text(result, &out);
    fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
}

static int work(const struct cli *cli, const char *operation, void (*print)(const json_t *result))
{
    struct remote *remote = NULL;
    json_t *started = NULL, *result = NULL;
    json_t *args = json_pack("{s:s}", "actor", remote_actor(cli));
    if (cli_argument_count(cli) == 1)
        json_object_set_new(args, "generation", json_string(cli_argument(cli, 0)));
    if (cli_value(cli, "samples"))
        json_object_set_new(args, "samples", json_string(cli_value(cli, "samples")));
    int code = remote_open(cli, &remote);
    if (code == EXIT_CODE_OK)
        code = remote_call(remote, operation, args, &started);
    else
        json_decref(args);
    if (code == EXIT_CODE_OK)
        code = watch(cli, remote, &result);
    if (code == EXIT_CODE_OK && cli_wants_json(cli))
        show_json(result);
    else if (code == EXIT_CODE_OK)
        print(result);
    json_decref(started);
    json_decref(result);
    remote_close(&remote);
    return code;
}

static int run(const struct cli *cli)
{
    bool applies = cli_flag(cli, "apply"), lists = cli_flag(cli, "list");
    bool previews = cli_flag(cli, "preview");
    if (applies + lists + previews != 1)
        return cli_usage_error(cli, "what? hint: tributary rematch --list, --preview or --apply");
    if (lists && cli_argument_count(cli) > 0)
        return cli_usage_error(cli, "'%s' is one argument too many", cli_argument(cli, 0));
    if (lists)
        return list(cli);
    return applies ? work(cli, "rematch.apply", print_applied) : work(cli, "rematch.preview", print_preview);
}

static const struct cli_option options[] = {
    {"list", 'l', NULL, "lists the generations: in force, pending, applied before"},
    {"preview", 'p', NULL, "tells what it would change; changes nothing"},
    {"apply", 'A', NULL, "judges everything by it, with events"},
    {"samples", 's', "NUMBER", "at most so many samples of each sort in a preview (default: 10)"},
    {"actor", 'a', "NAME", "who applies it (default: the login name)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_rematch = {
    .name = "rematch",
    .synopsis = "[GENERATION]",
    .help = "tries and applies changed rules, model or survivorship",
    .details = "  rematch --list              generations, newest first\n"
               "  rematch --preview [NUMBER]  merges, splits, leads, reviews and golden values it would change, with samples\n"
               "  rematch --apply [NUMBER]    the pending one, or any in the list: an earlier one brings back what it made\n\n"
               "A changed configuration makes a pending generation at the next start (or SIGHUP); what is stored goes on being\n"
               "read by the one in force until another is applied. docs/rematch.md tells more.",
    .options = options,
    .max_arguments = 1,
    .run = run,
};
