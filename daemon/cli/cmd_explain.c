/* cmd_explain.c - `tributary explain`: why two records are one customer, or why not. */
#include "daemon/cli/explain_text.h"
#include "daemon/cli/remote.h"
#include "daemon/cli/show.h"
#include "daemon/console/explain_svg.h"

#include <errno.h>
#include <stdio.h>

#define OUTPUT_MAX_BYTES ((size_t)64 << 20)

static int write_svg(const struct cli *cli, const char *path, const json_t *explanation)
{
    struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
    explain_svg(explanation, &out);
    FILE *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    bool written = file && fwrite(out.data, 1, out.len, file) == out.len;
    if (file && file != stdout)
        written = fclose(file) == 0 && written;
    int number = errno;
    buf_free(&out);
    return written ? EXIT_CODE_OK
                   : cli_fail(cli, EXIT_CODE_FAILED, "cannot write %s: %s", path, strerror(number));
}

static int run(const struct cli *cli)
{
    json_t *explanation = NULL;
    int code = remote_run(cli, "explain",
                          json_pack("{s:s,s:s}", "a", cli_argument(cli, 0), "b", cli_argument(cli, 1)),
                          &explanation);
    const char *svg = cli_value(cli, "svg");
    if (code == EXIT_CODE_OK && svg)
        code = write_svg(cli, svg, explanation);
    if (code == EXIT_CODE_OK && cli_wants_json(cli)) {
        show_json(explanation);
    } else if (code == EXIT_CODE_OK && (svg == NULL || strcmp(svg, "-") != 0)) {
        struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
        explain_text(explanation, &out);
        fwrite(out.data, 1, out.len, stdout);
        buf_free(&out);
    }
    json_decref(explanation);
    return code;
}

static const struct cli_option options[] = {
    {"svg", 0, "FILE", "also draws the evidence as a waterfall into FILE (- for standard output only)"},
    {NULL, 0, NULL, NULL},
};

const struct cli_command cmd_explain = {
    .name = "explain",
    .synopsis = "A B",
    .help = "says why two records are one customer, or why not",
    .details = "A and B are record or customer ids (tributary customer find TEXT finds them). Of a customer with\n"
               "several records the one that goes best with the other side is taken. Each line of evidence adds or\n"
               "takes bits of log2 odds; every bit doubles or halves the odds.\n\n"
               "  tributary explain 12 4711\n"
               "  tributary explain 12 4711 --svg why.svg",
    .options = options,
    .min_arguments = 2,
    .max_arguments = 2,
    .run = run,
};
