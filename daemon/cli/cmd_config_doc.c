/* cmd_config_doc.c - `tributary config-doc`: docs/configuration.md from the declarations (make
 * docs). */
#include "daemon/cli/cli.h"
#include "daemon/http/metrics.h"

#include <stdio.h>

#define DOCUMENT_MAX_BYTES ((size_t)4 << 20)

static int run(const struct cli *cli)
{
    struct buf out = BUF_INIT(DOCUMENT_MAX_BYTES);
    if (cli_flag(cli, "schema"))
        config_schema(&out);
    else if (cli_flag(cli, "metrics"))
        metrics_document(&out);
    else
        config_document(&out);
    bool failed = buf_failed(&out);
    if (!failed)
        fwrite(out.data, 1, out.len, stdout);
    buf_free(&out);
    return failed ? cli_fail(cli, EXIT_CODE_FAILED, "out of memory") : EXIT_CODE_OK;
}

static const struct cli_option options[] = {
    {"schema", 0, NULL, "prints JSON Schema instead, for editors"},
    {"metrics", 0, NULL, "prints the reference of all metrics instead"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_config_doc = {
    .name = "config-doc",
    .synopsis = "",
    .help = "prints the reference of all configuration options as Markdown",
    .options = options,
    .hidden = true,
    .run = run,
};
