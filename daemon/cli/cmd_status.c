/* cmd_status.c - `tributary status`: everything on one screen. */
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"

#include <stdio.h>
#include <string.h>

#include "daemon/cli/text_columns.h"

#define OUTPUT_MAX_BYTES ((size_t)4 << 20)

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void put_duration(struct buf *out, long long seconds)
{
    if (seconds >= 86400)
        buf_printf(out, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
    else if (seconds >= 3600)
        buf_printf(out, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
    else if (seconds >= 60)
        buf_printf(out, "%lld min %lld s", seconds / 60, seconds % 60);
    else
        buf_printf(out, "%lld s", seconds);
}

static void put_generation(const json_t *status, struct buf *out)
{
    const json_t *generation = json_object_get(status, "generation");
    const json_t *difference = json_object_get(generation, "difference");
    buf_printf(out, "generation %lld is in force", show_int(generation, "in_force"));
    if (json_is_true(json_object_get(generation, "being_applied")))
        buf_put_str(out, "; another is being applied, what comes in is resolved after it");
    if (difference) {
        buf_printf(out, "; generation %lld is pending", show_int(generation, "pending"));
        show_difference(difference, out);
        buf_put_str(out, " (tributary rematch --preview)");
    }
    buf_put_byte(out, '\n');
}

static void put_head(const json_t *status, bool daemon, struct buf *out)
{
    const char *trouble = json_string_value(json_object_get(status, "trouble"));
    buf_put_str(out, "tributary ");
    show_value(json_object_get(status, "version"), out);
    if (daemon) {
        buf_put_str(out, json_is_true(json_object_get(status, "ready")) ? ", running for " : ", NOT READY, up for ");
        put_duration(out, show_int(status, "uptime_s"));
    } else {
        buf_put_str(out, ", no daemon runs");
    }
    buf_put_str(out, ", database ");
    show_value(json_object_get(status, "database"), out);
    if (trouble && trouble[0])
        buf_printf(out, "\ntrouble: %s", trouble);
    buf_printf(out, "\n%lld records, %lld customers (%lld companies), %lld leads (%lld today), %lld events, %lld in flight, "
               "%lld in the spool; index of %lld MB\n",
               show_int(status, "records"), show_int(status, "customers"), show_int(status, "companies"), show_int(status, "leads"),
               show_int(status, "leads_today"), show_int(status, "events"), show_int(status, "in_flight"),
               show_int(status, "spooled"), show_int(status, "index_bytes") / 1000000);
    put_generation(status, out);
}

static void put_list(const json_t *rows, const char *const *keys, const char *const *heading, size_t count,
                     unsigned right, struct buf *out)
{
    struct text_columns columns = TEXT_COLUMNS(count, right);
    size_t i;
    json_t *row;
    if (json_array_size(rows) == 0)
        return;
    for (i = 0; i < count; i++)
        text_columns_cell(&columns, slice_str(heading[i]));
    json_array_foreach(rows, i, row) {
        for (size_t j = 0; j < count; j++) {
            struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
            show_value(json_object_get(row, keys[j]), &text);
            text_columns_cell(&columns, buf_slice(&text));
            buf_free(&text);
        }
    }
    buf_put_byte(out, '\n');
    text_columns_put(&columns, "", out);
}

static void put_parts(const json_t *status, struct buf *out)
{
    static const char *const source_keys[] = {"name", "type", "received", "stored", "updated", "repeat",
                                              "rejected", "in_flight", "last_ok", "last_error"};
    static const char *const source_heading[] = {"source", "type", "received", "stored", "updated", "repeat",
                                                 "rejected", "in flight", "last ok", "error"};
    static const char *const sink_keys[] = {"name", "type", "state", "backlog", "parked", "dead", "reason"};
    static const char *const sink_heading[] = {"sink", "type", "state", "backlog", "parked", "dead", "reason"};
    static const char *const lead_keys[] = {"at", "customer_id", "source", "name_masked", "contact_masked"};
    static const char *const lead_heading[] = {"latest leads", "customer", "source", "name", "contact"};
    put_list(json_object_get(status, "sources"), source_keys, source_heading, 10, 4 | 8 | 16 | 32 | 64 | 128, out);
    put_list(json_object_get(status, "sinks"), sink_keys, sink_heading, 7, 8 | 16 | 32, out);
    put_list(json_object_get(status, "latest_leads"), lead_keys, lead_heading, 5, 2, out);
}

static int run(const struct cli *cli)
{
    struct remote *remote = NULL;
    json_t *status = NULL;
    int code = remote_open(cli, &remote);
    if (code == EXIT_CODE_OK)
        code = remote_call(remote, "status", json_object(), &status);
    if (code == EXIT_CODE_OK && cli_wants_json(cli)) {
        show_json(status);
    } else if (code == EXIT_CODE_OK) {
        struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
        put_head(status, remote_engine(remote) == NULL, &out);
        put_parts(status, &out);
        fwrite(out.data, 1, out.len, stdout);
        buf_free(&out);
    }
    bool up = json_is_true(json_object_get(status, "ready")) &&
              strcmp(text_of(status, "database"), "up") == 0;
    if (code == EXIT_CODE_OK && !up)
        code = EXIT_CODE_TEMPORARY;
    json_decref(status);
    remote_close(&remote);
    return code;
}

const struct cli_command cmd_status = {
    .name = "status",
    .synopsis = "",
    .help = "everything at a glance: health, sources, sinks, latest leads",
    .details = "Names and contacts are masked. --format=json gives all numbers (docs/status.md). Exit code 75 while records are\n"
               "not resolved or the database is away: posts are kept in the spool then.",
    .run = run,
};
