/* cmd_version.c - `tributary version`. */
#include "daemon/cli/cli.h"

#include <curl/curl.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <unicode/uvernum.h>

#include "daemon/base/version.h"

static int run(const struct cli *cli)
{
    if (cli_wants_json(cli))
        printf("{\"tributary\": \"%s\", \"libpq\": %d, \"libcurl\": \"%s\", \"icu\": \"%s\"}\n",
               TRIBUTARY_VERSION, PQlibVersion(), curl_version_info(CURLVERSION_NOW)->version,
               U_ICU_VERSION);
    else
        printf("tributary %s (libpq %d, libcurl %s, ICU %s)\n", TRIBUTARY_VERSION, PQlibVersion(),
               curl_version_info(CURLVERSION_NOW)->version, U_ICU_VERSION);
    return EXIT_CODE_OK;
}

const struct cli_command cmd_version = {
    .name = "version",
    .synopsis = "",
    .help = "prints the version of tributary and of the libraries that matter",
    .run = run,
};
