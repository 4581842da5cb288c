/* document.c - docs/configuration.md. See config.h. */
#include "daemon/base/asset.h"
#include "daemon/config/config.h"
#include "daemon/config/config_tables.h"

static void put_table(const struct option *table, struct buf *out)
{
    buf_put_str(out, "| key | type | default | what it does |\n|---|---|---|---|\n");
    options_document(table, "", out);
    buf_put_byte(out, '\n');
}

static void put_root(struct buf *out)
{
    buf_put_str(out,
                "## Top level\n\n| key | type | default | what it does |\n|---|---|---|---|\n");
    for (const struct option *option = config_root_options; option->key; option++) {
        /* sources and sinks have chapters of their own */
        struct option alone[2] = {*option, {.key = NULL}};
        if (option->variant)
            alone[0].children = NULL;
        options_document(alone, "", out);
    }
    buf_put_byte(out, '\n');
}

static void put_presets(struct buf *out)
{
    static const char prefix[] = "connectors/presets/";
    size_t count = 0;
    for (const struct asset *asset = assets; asset->name; asset++) {
        struct slice name = slice_str(asset->name);
        if (!slice_starts(name, SLICE("connectors/presets/")) || !slice_ends(name, SLICE(".yaml")))
            continue;
        buf_put_str(out, count++ ? ", " : "Shipped presets: ");
        buf_printf(out, "`" SLICE_FMT "`",
                   SLICE_ARG(slice_sub(name, sizeof(prefix) - 1, name.len - 5)));
    }
    buf_put_str(out, count ? ".\n\n" : "");
}

static void put_sources(struct buf *out)
{
    buf_put_str(out, "## Sources\n\n"
                     "`sources:` is a map from a name to a section. Every source has these "
                     "options; its type brings more. "
                     "A key that a\ntype lists again has that type's meaning and default.\n\n");
    put_table(config_source_options, out);
    buf_put_str(out, "A *preset* is a YAML file of defaults for a type: the keys beside `preset:` "
                     "override it, and `map` is "
                     "united key by key.\n\n");
    put_presets(out);
    for (size_t i = 0; push_connectors[i]; i++) {
        buf_printf(out, "### `type: %s` (pushed to us)\n\n", push_connectors[i]->type);
        put_table(push_connectors[i]->options, out);
    }
    for (size_t i = 0; pull_connectors[i]; i++) {
        buf_printf(out, "### `type: %s` (asked by us)\n\n", pull_connectors[i]->type);
        put_table(pull_connectors[i]->options, out);
    }
}

static void put_sinks(struct buf *out)
{
    buf_put_str(
        out,
        "## Sinks\n\n`sinks:` is a map from a name to a section. Every sink has these options; its "
        "type brings more.\n\n");
    put_table(config_sink_options, out);
    buf_put_str(out, "Events: ");
    for (size_t i = 0; event_names[i]; i++)
        buf_printf(out, "%s`%s`", i ? ", " : "", event_names[i]);
    buf_put_str(out, ".\n\n");
    for (size_t i = 0; sink_types[i].type; i++) {
        buf_printf(out, "### `type: %s`\n\nA %s.\n\n", sink_types[i].type, sink_types[i].help);
        put_table(sink_types[i].options, out);
    }
}

void config_document(struct buf *out)
{
    buf_put_str(
        out,
        "# Configuration\n\n"
        "Written by `make docs` from the declarations in the code; a test keeps it current.\n\n"
        "One YAML file: `--config FILE`, else `$" CONFIG_PATH_VARIABLE
        "`, else `" CONFIG_DEFAULT_PATH "`. `tributary init` writes one to\nstart from, `tributary "
        "check` tells every problem with its place, "
        "`tributary check --print` shows what is in effect,\n"
        "`tributary config-doc --schema` prints a JSON Schema for editors.\n\n"
        "- `${VAR}` in a value is the environment variable; `${VAR:-text}` has a default; `$${` is "
        "a literal "
        "`${`. An unset\n  variable is a problem; a value that becomes empty counts as not given.\n"
        "- `include` reads further files. Sections unite; the same key in two files is a problem.\n"
        "- A secret is given as `key: text` or as `key_file: path`; the line break at the file's "
        "end is left "
        "off. Relative\n  paths are relative to the file they stand in.\n"
        "- A duration is `250ms`, `30s`, `5m`, `2h`, `7d` or a sum such as `1h30m`; a size is "
        "`512`, `64k`, "
        "`10M`, `1G`.\n"
        "- Anchors, aliases, tags, duplicate keys and unknown keys are problems.\n"
        "- Every option takes a restart, but changed `rules`, `fields`, `match` and `golden` are pending "
        "after a restart or SIGHUP\n  until `tributary rematch --apply` ([rematch.md](rematch.md)).\n\n");
    put_root(out);
    put_sources(out);
    put_sinks(out);
    while (out->len > 1 && out->data[out->len - 1] == '\n' && out->data[out->len - 2] == '\n')
        out->len--;
}

static size_t section_tables(const struct option *option, const struct option **tables, size_t max)
{
    size_t count = 0;
    if (option->children == config_sink_options) {
        for (size_t i = 0; sink_types[i].type && count < max; i++)
            tables[count++] = sink_types[i].options;
        return count;
    }
    for (size_t i = 0; push_connectors[i] && count < max; i++)
        tables[count++] = push_connectors[i]->options;
    for (size_t i = 0; pull_connectors[i] && count < max; i++)
        tables[count++] = pull_connectors[i]->options;
    return count;
}

void config_schema(struct buf *out)
{
    options_schema(config_root_options, section_tables, out);
}
